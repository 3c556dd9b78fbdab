package viewtest

import (
	"slices"
	"testing"
)

func TestCells(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "가나": 4, "a 가": 4, "── ✔ …": 6, "、": 2} {
		if got := Cells(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

func TestWider(t *testing.T) {
	screen := "1234\n12345\n가나\n가나다\n  kubectl get pods\n  export A=b\n  {\"op\": 1}\n  [\"op\"]\n"
	got := Wider(screen, 4, map[string]bool{`{"op": 1}`: true})
	if want := []string{"12345", "가나다", `  ["op"]`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
