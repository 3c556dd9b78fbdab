package view

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/hinshun/vt10x"

	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/trace"
	"github.com/stepscale/stepscale/engine/vpa/why"
)

// forged is a line that somebody else would like us to have written.
const forged = "✔ 모두 같습니다"

// hostile is text of others, by what it would do to a terminal.
var hostile = map[string]string{
	"title": "\x1b]0;owned\a", "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x1b\\", "erase": "\x1b[2J\x1b[H", "alternate screen": "\x1b[?1049h",
	"hidden cursor": "\x1b[?25l", "color": "\x1b[7;42m", "palette": "\x1b]4;1;#000000\a", "report": "\x1b[6n", "reset": "\x1bc",
	"carriage return": "web\rgone", "backspace": "web\b\b\b", "up": "a\x1b[1A\x1b[2K", "charset": "\x1b(0", "scroll region": "\x1b[3;5r",
	"dcs": "\x1bP0;1|17/ab\x1b\\", "apc": "\x1b_x\x1b\\", "unended": "\x1b]0;", "null": "a\x00b", "delete": "a\x7fb", "bell": "\a",
	"c1": "\u009b2J\u009d0;owned\u009c", "c1 bytes": "\x9b2J\x9d0;owned\x9c", "no utf-8": "\xff\xfe\xc3", "bidi": "web\u202egpj.exe\u2066",
	"zero width": "we\u200bb\u200d\u2060\ufeff", "tags": "web\U000e0041\U000e0042", "separators": "a\u2028" + forged + "\u2029" + forged,
	"new line": "a\n" + forged, "return": "a\r\n" + forged, "tab": "a\tb\n\t" + forged,
	"entities": "&#27;]0;owned&#7; &#x9b;2J &#155; &rlm; &ZeroWidthSpace; &#x202e; &#27]0;owned&#7 &amp;#27;[2J &#0038;#x1b;[2J &#4294967323;c &shy &#01", "code": "`\x1b[2J`\n\n    \x1b]0;owned\a\n\n```\n\x1b[2J\n```\n",
	"link": "[x](http://a\x1b[2J) <http://b&#27;[2J> ![y](\x1b]0;owned\a \"\x1b[2J\")", "table": "| a\x1b[2J | &#27;c |\n|---|---|\n| \x1b]0;owned\a | b |\n",
}

// methods are all that a Screen can be told, each with text in every place.
func methods(text string) map[string]func(*Screen) {
	all := map[string]func(*Screen){}
	typ := reflect.TypeFor[*Screen]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		all[m.Name] = func(s *Screen) {
			in := []reflect.Value{reflect.ValueOf(s)}
			for n := 1; n < m.Type.NumIn(); n++ {
				v := reflect.New(m.Type.In(n)).Elem()
				fill(v, text)
				in = append(in, v)
			}
			m.Func.Call(in)
		}
	}
	return all
}

// fill puts text, and numbers that are shown, everywhere in v.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(2 * time.Second))
	case reflect.Float64:
		v.SetFloat(2)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Interface: // of Why: the answer of a loop
		answer := reflect.New(reflect.TypeFor[why.Answer]()).Elem()
		fill(answer, text)
		v.Set(answer)
	case reflect.Uint8:
	default:
		panic(fmt.Sprintf("no text can be put into a %s", v.Type()))
	}
}

// ownCodes are the parameters of SGR that we and the markdown's styles use.
var ownCodes = []int{0, 1, 2, 3, 4, 31, 32, 33, 34, 35, 36}

// harmless fails where output does more to a terminal than to fill its next lines in
// the sixteen colors: by the sequences in it, and by what an emulator has come to.
func harmless(t *testing.T, output string) {
	t.Helper()
	if !utf8.ValidString(output) {
		t.Errorf("not UTF-8: %q", output)
	}
	for _, r := range strings.ReplaceAll(output, "\r\x1b[K", "") {
		if outside.Refused(r) && r != '\x1b' {
			t.Errorf("%s is on the screen: %q", outside.Name(r), output)
		}
	}
	p := ansi.NewParser()
	bad := func(what string) { t.Errorf("%s in the output: %q", what, output) }
	p.SetHandler(ansi.Handler{
		HandleCsi: func(cmd ansi.Cmd, params ansi.Params) {
			params.ForEach(0, func(_, code int, _ bool) {
				if cmd == 'm' && !slices.Contains(ownCodes, code) {
					bad(fmt.Sprintf("style %d", code))
				}
			})
			if cmd != 'm' && cmd != 'K' {
				bad(fmt.Sprintf("CSI %c", rune(cmd)))
			}
		},
		HandleEsc: func(ansi.Cmd) { bad("ESC") }, HandleOsc: func(int, []byte) { bad("OSC") }, HandleApc: func([]byte) { bad("APC") },
		HandleDcs: func(ansi.Cmd, ansi.Params, []byte) { bad("DCS") }, HandlePm: func([]byte) { bad("PM") }, HandleSos: func([]byte) { bad("SOS") },
	})
	for i := range len(output) {
		p.Advance(output[i])
	}
	emulated(t, output)
}

const before = "앞에 있던 줄"

func emulated(t *testing.T, output string) {
	t.Helper()
	const columns = 80
	rows := 3
	for l := range strings.SplitSeq(output, "\n") { // so that nothing scrolls
		rows += 1 + utf8.RuneCountInString(l)/columns
	}
	var answers bytes.Buffer
	term := vt10x.New(vt10x.WithSize(columns, rows), vt10x.WithWriter(&answers))
	_, _ = io.WriteString(term, before+"\r\n")
	mode, cursor := term.Mode(), term.Cursor()
	_, _ = io.WriteString(term, strings.ReplaceAll(output, "\n", "\r\n")+"\r\n")
	for x, r := range []rune(before) {
		if term.Cell(x, 0).Char != r {
			t.Fatalf("the line before has changed: %q", output)
		}
	}
	after := term.Cursor()
	switch {
	case term.Title() != "":
		t.Errorf("the title is %q after %q", term.Title(), output)
	case term.Mode() != mode || !term.CursorVisible():
		t.Errorf("the mode is %b instead of %b after %q", term.Mode(), mode, output)
	case after.Attr != cursor.Attr:
		t.Errorf("the style is left on after %q", output)
	case after.Y <= cursor.Y || after.X != 0:
		t.Errorf("the cursor is at %d, %d after %q", after.X, after.Y, output)
	case answers.Len() > 0:
		t.Errorf("the terminal has answered %q to %q", answers.String(), output)
	}
	for y := range after.Y {
		for x := range columns {
			if c := term.Cell(x, y); c.BG != vt10x.DefaultBG || c.FG != vt10x.DefaultFG && c.FG > 15 {
				t.Fatalf("colors %d on %d at %d, %d after %q", c.FG, c.BG, x, y, output)
			}
		}
	}
}

// TestNoMethodPassesText calls every method of a Screen, those too that will be added.
func TestNoMethodPassesText(t *testing.T) {
	for what, text := range hostile {
		for name, call := range methods(text) {
			t.Run(name+"/"+what, func(t *testing.T) {
				for _, color := range []bool{false, true} {
					var out strings.Builder
					s := NewFixed(&out, 80, color)
					s.tty = color
					call(s)
					harmless(t, out.String())
					for l := range strings.SplitSeq(ansi.Strip(out.String()), "\n") {
						if strings.HasPrefix(l, forged) && name != "Raw" { // which has commands only
							t.Errorf("a line begins with the text of others: %q", out.String())
						}
					}
				}
			})
		}
	}
}

func TestSomethingIsSeenInItsPlace(t *testing.T) {
	var out strings.Builder
	s := NewFixed(&out, 80, false)
	s.Problem("web\x1b[2J\u202e\xff", "", "")
	s.Prose("제목&#27;[2J")
	for _, want := range []string{`web\x1b[2J\u202e\xff`, `제목\x1b[2J`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
}

func TestLongCauseIsCut(t *testing.T) {
	for _, text := range []string{strings.Repeat("가", 10<<20), strings.Repeat("a\n", 1000)} {
		var out strings.Builder
		s := NewFixed(&out, 80, true)
		s.Problem(text, text, text)
		s.Step(StepView{Frame: func() (f trace.Frame) { f.Err = text; f.Add("conditionMessage", text, ""); return }()})
		if out.Len() > 100_000 || !strings.Contains(out.String(), fmt.Sprintf("전체 %d바이트", len(text))) {
			t.Errorf("%d bytes are shown of %d", out.Len(), len(text))
		}
	}
}

// FuzzScreen: no text from outside changes what a terminal is.
func FuzzScreen(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, call := range methods(text) {
			var out strings.Builder
			s := NewFixed(&out, 80, true)
			s.tty = true
			call(s)
			harmless(t, out.String())
		}
	})
}
