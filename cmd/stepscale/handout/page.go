package handout

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"

	frames "github.com/stepscale/stepscale/engine/recording"
)

//go:embed page.html
var pageText string

var layout = template.Must(template.New("page").Parse(pageText))

// What is around the recording in a page.
const (
	recordingOpens = `<script id="stepscale-recording" type="application/x-stepscale-recording">`
	recordingEnds  = `</script>`
)

// ErrNoRecording tells of a page that has no recording in it.
var ErrNoRecording = errors.New("no recording in the page")

// WriteHTML writes the page with the recording in it.
func (r *Report) WriteHTML(w io.Writer, recording io.Reader) error {
	packed, err := frames.Pack(recording)
	if err != nil {
		return err
	}
	return layout.Execute(w, struct {
		*Report
		Recording template.HTML
	}{r, template.HTML(recordingOpens + base64.RawURLEncoding.EncodeToString(packed) + recordingEnds)}) // letters, digits, - and _ between two constants
}

// IsPage tells whether a file that begins like that is a page.
func IsPage(head []byte) bool { return bytes.HasPrefix(bytes.ToLower(head), []byte("<!doctype html")) }

// Recording is what WriteHTML has packed into a page, unpacked. ErrNoRecording tells of a page that
// has none, or that was changed, which reading it may find.
func Recording(html []byte) (io.Reader, error) {
	_, after, found := bytes.Cut(html, []byte(recordingOpens))
	packed, _, ends := bytes.Cut(after, []byte(recordingEnds))
	if !found || !ends {
		return nil, ErrNoRecording
	}
	b, err := base64.RawURLEncoding.DecodeString(string(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRecording, err)
	}
	unpacked, err := unpack(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoRecording, err)
	}
	return inPage{unpacked}, nil
}

func unpack(b []byte) (io.Reader, error) {
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) { // a page of an earlier version
		return gzip.NewReader(bytes.NewReader(b))
	}
	return frames.Unpack(b)
}

// inPage says of what cannot be unpacked that it is no recording.
type inPage struct{ io.Reader }

func (p inPage) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrNoRecording, err)
	}
	return n, err
}
