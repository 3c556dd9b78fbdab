package class

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd/api"
)

func TestCodes(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		code := NewCode()
		if len(code) != 14 || strings.ContainsAny(code, "ILOU") || seen[code] {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
		for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ") + " ", strings.NewReplacer("0", "o", "1", "l").Replace(code)} {
			if got, err := ReadCode(typed); err != nil || got != code {
				t.Fatalf("%q is read as %q, %v; want %q", typed, got, err, code)
			}
		}
	}
	for _, typed := range []string{"", "K7QF", "K7QF-2M9D-XH3", "K7QF-2M9D-XH3PP", "K7QF-2M9D-XH3U", "가나다라마바사아자차카타"} {
		if _, err := ReadCode(typed); !errors.Is(err, ErrCode) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func sealed(t *testing.T, tickets ...Ticket) (*File, []string) {
	t.Helper()
	f := NewFile("k8s", time.Now().Round(time.Second).UTC())
	var codes []string
	for _, ticket := range tickets {
		codes = append(codes, NewCode())
		s, err := f.Seal(codes[len(codes)-1], ticket)
		if err != nil {
			t.Fatal(err)
		}
		f.Put(s)
	}
	return f, codes
}

// TestSeal: a code opens its own seat and nothing else, and the file holds no secret in the
// open.
func TestSeal(t *testing.T) {
	secret := []byte("eyJhbGciOi-the-token")
	first, second := seatOfK8s(t, "s01"), seatOfK8s(t, "s02")
	first.Kubeconfig = kubeconfigWith(t, func(c *api.Config) { c.AuthInfos["s01"].Token = string(secret) })
	f, codes := sealed(t, first, second)
	raw, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][]byte{secret, []byte(codes[0]), []byte("k8s-s01"), []byte("kubeconfig")} {
		if bytes.Contains(raw, part) {
			t.Errorf("%q is in the file", part)
		}
	}
	read, err := ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"s01", "s02"} {
		if got, err := read.Open(codes[i]); err != nil || got.Seat != want || i == 0 && !bytes.Contains(got.Kubeconfig, secret) {
			t.Errorf("%s opens %+v, %v", codes[i], got, err)
		}
	}
	if _, err := read.Open(NewCode()); !errors.Is(err, ErrWrongCode) {
		t.Errorf("another code: %v", err)
	}
	again, err := read.Seal("AAAA-AAAA-AAAA", Ticket{Seat: "s01", Namespace: "new"})
	if err != nil {
		t.Fatal(err)
	}
	read.Put(again)
	if _, err := read.Open(codes[0]); !errors.Is(err, ErrWrongCode) || len(read.Seats) != 2 {
		t.Errorf("the old code after a renewal: %v, %d seats", err, len(read.Seats))
	}
	read.Class = "other"
	if _, err := read.Open(codes[1]); !errors.Is(err, ErrWrongCode) {
		t.Errorf("a seal in another class's file: %v", err)
	}
}

// TestDamage: no change of the file goes unnoticed, and none makes the program panic or work
// for long.
func TestDamage(t *testing.T) {
	f, codes := sealed(t, seatOfK8s(t, "s01"))
	raw, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, b := range []byte{raw[i] ^ 1, '{', '0'} {
			broken := bytes.Clone(raw)
			broken[i] = b
			if b == raw[i] || bytes.Equal(bytes.TrimSpace(broken), bytes.TrimSpace(raw)) {
				continue
			}
			if got, err := ReadFile(broken); err == nil {
				if ticket, err := got.Open(codes[0]); err != nil || ticket.Namespace != "k8s-s01" {
					t.Fatalf("byte %d as %q: read, and opens %v, %v", i, b, ticket, err)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		change func(*File)
		want   error
	}{
		"newer":       {func(f *File) { f.Version = "stepscale.class/v2" }, ErrNewer},
		"costly":      {func(f *File) { f.Key.Memory = 1 << 30 }, ErrDamaged},
		"long":        {func(f *File) { f.Key.Time = 1 << 30 }, ErrDamaged},
		"no cost":     {func(f *File) { f.Key.Time = 0 }, ErrDamaged},
		"short nonce": {func(f *File) { f.Seats[0].Nonce = nil }, ErrDamaged},
		"a bad name":  {func(f *File) { f.Class = "../../x" }, ErrDamaged},
	} {
		changed := *f
		changed.Seats = append([]Sealed{}, f.Seats...)
		c.change(&changed)
		raw, err := changed.Encode() // with a sum that fits
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(raw); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, want := range map[string]error{"": ErrNoClassFile, "hello": ErrNoClassFile, "{}": ErrDamaged, "{\"version\":": ErrDamaged} {
		if _, err := ReadFile([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := json.Marshal(f); err != nil {
		t.Fatal(err)
	}
}

func TestRoster(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		want  string // the seats, or the line that is wrong
		wrong int
	}{
		"names":           {"김철수\n이영희\n", "s01 김철수 , s02 이영희 , ", 0},
		"header":          {"\ufeffName,display\n김철수,철수\n\"Lee, Y\",영희\n", "s01 김철수 철수, s02 Lee, Y 영희, ", 0},
		"comment":         {"# class\nkim\n", "s01 kim , ", 0},
		"empty":           {"", "", 0},
		"unknown column":  {"name,email\nkim,x\n", "", 1},
		"too many cells":  {"name,display\nkim,k,x\n", "", 2},
		"broken quotes":   {"kim\n\"lee\n", "", 2},
		"hostile":         {"kim\nlee\x1b[2J\n", "", 2},
		"everybody":       {"name,group\nkim,system:authenticated\n", "", 2},
		"only spaces":     {"name , display\n kim , k \n", "s01 kim k, ", 0},
		"too many people": {strings.Repeat("kim\n", Most+1), "", Most + 1},
	} {
		seats, err := ReadRoster("k8s", []byte(c.text))
		var wrong *RosterError
		if errors.As(err, &wrong) != (c.wrong > 0) || wrong != nil && wrong.Line != c.wrong {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got strings.Builder
		for _, s := range seats {
			got.WriteString(s.ID + " " + s.Name + " " + s.Display + ", ")
		}
		if err == nil && got.String() != c.want {
			t.Errorf("%s: %q", name, got.String())
		}
	}
	for name, c := range map[string]struct {
		identity string
		seats    []Seat
		line     int
	}{
		"token":     {IdentityToken, []Seat{{ID: "s01", Namespace: "a-s01"}}, 0},
		"no ARN":    {IdentityEKS, []Seat{{ID: "s01", Namespace: "a-s01"}}, 1},
		"session":   {IdentityEKS, []Seat{{ID: "s01", Namespace: "a-s01", Principal: "arn:aws:sts::1:assumed-role/x/y"}}, 1},
		"two of it": {IdentityEKS, []Seat{{ID: "s01", Namespace: "a-s01", Principal: "arn:aws:iam::1:role/x"}, {ID: "s02", Namespace: "a-s02", Principal: "arn:aws:iam::1:role/x"}}, 2},
		"one group": {IdentityGroup, []Seat{{ID: "s01", Namespace: "a-s01", Group: "g"}, {ID: "s02", Namespace: "a-s02", Group: "g"}}, 2},
	} {
		if line, what := (Spec{Class: "a", Identity: c.identity, Seats: c.seats}).Lacks(); line != c.line {
			t.Errorf("%s: line %d, %s", name, line, what)
		}
	}
}
