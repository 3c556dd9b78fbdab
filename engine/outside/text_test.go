package outside_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stepscale/stepscale/engine/outside"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"파드 web-1\n둘째 줄": "파드 web-1\n둘째 줄", "⚠️ 주의 ✔ é": "⚠️ 주의 ✔ é", "a\tb": "a    b", "a\r\nb": "a\nb",
		"a\rb": `a\rb`, "\x1b]0;x\a": `\x1b]0;x\a`, "\x00\x7f": `\x00\x7f`, "\u009b2J": `\u009b2J`, "\x9b2J": `\x9b2J`,
		"a\u202eb\u2066": `a\u202eb\u2066`, "we\u200bb\ufeff": `we\u200bb\ufeff`, "\U000e0041": `\U000e0041`,
		"\u2028\u2029": `\u2028\u2029`, "\u3164\u115f": `\u3164\u115f`, "\ufffd": "\ufffd", "\xed\x9f": `\xed\x9f`,
	} {
		if got := outside.Text(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

// TestRefused has every range of the request, by its ends.
func TestRefused(t *testing.T) {
	for _, r := range []rune{0, 8, 0xb, 0xd, 0x1b, 0x1f, 0x7f, 0x80, 0x9b, 0x9f, 0xad, 0x61c, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f,
		0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0xe0000, 0xe0001, 0xe0041, 0xe007f, 0xe01ef, 0xe0fff} {
		if !outside.Refused(r) {
			t.Errorf("%U may be shown", r)
		}
	}
	for _, r := range "\n\t ~가힣Aé日🙂\ufe0f\u0301€" {
		if outside.Refused(r) {
			t.Errorf("%U may not be shown", r)
		}
	}
}

func TestFind(t *testing.T) {
	places, all := outside.Find("가\tb\r\n한\x1b글\xff\n\u202e")
	want := []outside.Place{{2, 2, "U+001B ESCAPE"}, {2, 4, `UTF-8이 아닌 바이트 \xff`}, {3, 1, "U+202E RIGHT-TO-LEFT OVERRIDE"}}
	if !slices.Equal(places, want) || all != 3 {
		t.Errorf("found %+v, %d in all", places, all)
	}
	if places, all := outside.Find(strings.Repeat("\x00\n", 5000)); len(places) != 10 || all != 5000 || places[9].Line != 10 {
		t.Errorf("%d places, %d in all: %+v", len(places), all, places)
	}
}

func TestUnfold(t *testing.T) {
	for _, e := range []string{"&#27;", "&#x1B;", "&#27", "&amp;#27;", "&#0038;#x1b;", "&rlm;", "&shy", "&ZeroWidthSpace;", "&#155;", "&#4294967323;"} {
		if _, all := outside.Find(outside.Unfold("가 " + e + " 나")); all == 0 {
			t.Errorf("%s hides what it stands for", e)
		}
	}
	for _, text := range []string{"a && b", "&lt;b&gt;", "&amp;", "R&D", "?a=1&b=2", "&#65;", "&nbsp;"} {
		if got := outside.Unfold(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestBrief(t *testing.T) {
	if got := outside.Brief("짧은 글\n둘"); got != "짧은 글\n둘" {
		t.Errorf("%q", got)
	}
	if got := outside.Brief(strings.Repeat("가", 3000)); utf8.RuneCountInString(got) > 2030 || !strings.HasSuffix(got, "가… (전체 9000바이트)") {
		t.Errorf("%d characters, ends in %q", utf8.RuneCountInString(got), got[len(got)-40:])
	}
}

// TestWriterKeepsTabs: completions have one between a name and what it is.
func TestWriterKeepsTabs(t *testing.T) {
	var out bytes.Buffer
	if n, err := outside.Writer(&out).Write([]byte("a\tb\x1b[2J\n")); n != 8 || err != nil || out.String() != "a\tb\\x1b[2J\n" {
		t.Errorf("%d, %v, %q", n, err, out.String())
	}
}

// FuzzJSON: what is written is the same value, and nothing that a screen may not show.
func FuzzJSON(f *testing.F) {
	f.Add("web\x1b[2J\u009b\x7f\u202e\U000e0041\u2028\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var plain, out bytes.Buffer
		for _, e := range []*json.Encoder{json.NewEncoder(&plain), json.NewEncoder(outside.JSONWriter(&out))} {
			e.SetEscapeHTML(false)
			if err := e.Encode(map[string]string{text: text}); err != nil {
				t.Fatal(err)
			}
		}
		var want, got map[string]string
		if err := json.Unmarshal(plain.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%v in %q", err, out.String())
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%q became %q", v, got[k])
			}
		}
		if _, bad := outside.Find(out.String()); bad > 0 {
			t.Errorf("a terminal would be moved by %q", out.String())
		}
	})
}
