package class

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the margin that a reader needs, in modules (ISO/IEC 18004, 6.3.8).
const quiet = 4

// QR is a text as a QR code of half blocks, dark on light as it is printed.
func QR(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		for x := -quiet; x < code.Size+quiet; x++ {
			switch top, below := code.Black(x, y), code.Black(x, y+1); {
			case top && below:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case below:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
