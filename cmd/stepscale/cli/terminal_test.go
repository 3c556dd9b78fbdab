package cli

import (
	"bytes"
	"testing"
)

// TestBusyOnAPipe: where no line can be written over, one says what is waited for.
func TestBusyOnAPipe(t *testing.T) {
	var out bytes.Buffer
	done := terminal{&out}.Busy("Metrics Server를 기다립니다")
	if got := out.String(); got != "· Metrics Server를 기다립니다.\n" {
		t.Errorf("said %q", got)
	}
	if done(); out.Len() != len("· Metrics Server를 기다립니다.\n") {
		t.Errorf("said %q", out.String())
	}
}
