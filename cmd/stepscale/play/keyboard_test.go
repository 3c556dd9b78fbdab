package play

import (
	"math/rand/v2"
	"testing"
)

// TestKeyboard: what the keys of a text type is that text again, also where the jamo come
// one by one.
func TestKeyboard(t *testing.T) {
	for text, keys := range map[string]string{"계속": "rPthr", "다음": "ekdma", "값": "rkqt", "ㅜ": "n", "닭이": "ekfrdl", "왜 1": "dho 1", "쌍": "Tkd", "의": "dml"} {
		if got := Strokes(text); got != keys {
			t.Errorf("%s: %s, want %s", text, got, keys)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var text []rune
		for range 1 + random.IntN(6) {
			text = append(text, firstSyllable+rune(random.IntN(11172)))
		}
		typed := ""
		for _, r := range Strokes(string(text)) {
			typed = Composed(typed + jamo[string(r)])
		}
		if typed != string(text) {
			t.Fatalf("%s is typed as %s", string(text), typed)
		}
	}
	for typed, want := range map[string]string{"ab": "ab", "확ㅈ": "확ㅈ", "x 확ㅈㅏㅇ": "x 확장", "갑ㅅㅣ": "갑시", "ㅏㄱㅏ": "ㅏ가", "값ㅣ": "갑시"} {
		if got := Composed(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	for name, want := range map[string]string{"ㅜ": "n", "ㅂ": "q", "ㅃ": "ㅃ", "가": "가", "n": "n", "ㅘ": "ㅘ", "": ""} {
		if got := Pressed(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
