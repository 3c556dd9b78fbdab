// Package recordingtest reads what tests keep packed beside them.
package recordingtest

import (
	"compress/gzip"
	"io"
	"os"
)

// Unpacked is a file that gzip has packed, as it was before.
func Unpacked(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
