package viewtest

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal of that size: where somebody types and looks, and what the
// program sits at. Where there are none, the test is skipped.
func Terminal(t testing.TB, columns, rows uint16) (typed, seat *os.File) {
	t.Helper()
	typed, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { _ = typed.Close() })
	n, err := unix.IoctlGetInt(int(typed.Fd()), unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(int(typed.Fd()), unix.TIOCSPTLCK, 0), Resize(typed, columns, rows)); err != nil {
		t.Fatal(err)
	}
	if seat, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = seat.Close() })
	return typed, seat
}

// Resize gives a terminal another size.
func Resize(typed *os.File, columns, rows uint16) error {
	return unix.IoctlSetWinsize(int(typed.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
}
