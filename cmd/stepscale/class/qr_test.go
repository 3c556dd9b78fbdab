package class

import (
	"strings"
	"testing"

	"rsc.io/qr"
)

// TestQR: what is drawn has every module of the code, and the quiet margin around it.
func TestQR(t *testing.T) {
	const line = "stepscale class join k8s.class K7QF-2M9D-XH3P"
	drawn, err := QR(line)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(line, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	if len(rows) != (code.Size+2*quiet+1)/2 {
		t.Fatalf("%d rows for a code of %d", len(rows), code.Size)
	}
	black := func(x, y int) bool {
		switch []rune(rows[y/2])[x] {
		case '█':
			return true
		case '▀':
			return y%2 == 0
		case '▄':
			return y%2 == 1
		}
		return false
	}
	for y := range code.Size + 2*quiet {
		for x := range code.Size + 2*quiet {
			if black(x, y) != code.Black(x-quiet, y-quiet) {
				t.Fatalf("the module at %d, %d", x, y)
			}
		}
	}
	if _, err := QR(strings.Repeat("x", 10_000)); err == nil {
		t.Error("ten thousand letters are drawn")
	}
}
