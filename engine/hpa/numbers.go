package hpa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// hugeNumber is one whose exponent or length no quantity needs: resource.ParseQuantity
// writes 1e-1000000000 out, digit by digit. It is the whole of a string: 6e815680-e8e9-…
// is a UID.
var hugeNumber = regexp.MustCompile(`^[+-]?(?:[0-9.]{65,}[A-Za-z]*|[0-9]*\.?[0-9]*[eE][+-]?[0-9]{4,})$`)

// ErrHugeNumber is wrapped by the error of a recording with such a number.
var ErrHugeNumber = errors.New("a number is too long to be read")

// checkNumbers looks for such numbers before anything tries to read one: any of the
// strings may be a quantity.
func checkNumbers(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var number string
		switch t := token.(type) {
		case string:
			number = t
		case json.Number:
			number = t.String()
		}
		if hugeNumber.MatchString(number) {
			return fmt.Errorf("%w: %.20s…", ErrHugeNumber, number)
		}
	}
}
