package recording

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// window is how far back what repeats is found: a pass of a control loop is like those before it.
const window = 8 << 20

// Pack makes a recording small: a tenth to a hundredth of what it was.
func Pack(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(z, r); err != nil {
		return nil, fmt.Errorf("pack the recording: %w", err)
	}
	err = z.Close()
	return b.Bytes(), err
}

// Unpack is what Pack has packed. How much that is, is for the caller to bound.
func Unpack(packed []byte) (io.Reader, error) {
	return zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderConcurrency(1))
}
