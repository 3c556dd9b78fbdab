package play

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The keys of the 두벌식 keyboard for the jamo of a syllable, in Unicode's order: those that
// it begins with, its vowels, and those that it ends with.
var (
	initials = strings.Fields("r R s e E f a q Q t T d w W c z x v g")
	vowels   = strings.Fields("k o i O j p u P h hk ho hl y n nj np nl b m ml l")
	finals   = strings.Fields("r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g")
)

// The first of each in Unicode, and of the syllables that are made of them.
const (
	firstInitial, firstVowel, firstFinal = 0x1100, 0x1161, 0x11a8

	firstSyllable = 0xac00
)

// Strokes are the keys that type a text on the 두벌식 keyboard: "rPthr" types 계속. What is
// no Hangul stays.
func Strokes(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case r >= firstInitial && int(r) < firstInitial+len(initials):
			b.WriteString(initials[r-firstInitial])
		case r >= firstVowel && int(r) < firstVowel+len(vowels):
			b.WriteString(vowels[r-firstVowel])
		case r >= firstFinal && int(r) < firstFinal+len(finals):
			b.WriteString(finals[r-firstFinal])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Pressed is the key behind a single jamo, which the Korean input method types for it:
// ㅂ is q. Anything else stays.
func Pressed(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	if size != len(name) || r < 'ㄱ' || r > 'ㅣ' {
		return name
	}
	if key := Strokes(name); len(key) == 1 && strings.ToLower(key) == key {
		return key
	}
	return name
}

// Composed is text in which jamo that stand alone, as terminals send them whose input
// method composes nothing, are put together as that would have done.
func Composed(text string) string {
	runes := []rune(text)
	from := len(runes) // of the Hangul at the end, which is what is being typed
	for from > 0 && hangul(runes[from-1]) {
		from--
	}
	alone := false
	for _, r := range runes[from:] {
		alone = alone || r < firstSyllable
	}
	if !alone {
		return text
	}
	return string(runes[:from]) + syllables(Strokes(string(runes[from:])))
}

func hangul(r rune) bool { return r >= 'ㄱ' && r <= 'ㅣ' || r >= firstSyllable && r <= 0xd7a3 }

// syllables puts keys together to what they type.
func syllables(keys string) string {
	var b strings.Builder
	for keys != "" {
		i, begun := longest(initials, keys)
		v, voiced := longest(vowels, keys[len(i):])
		switch {
		case begun < 0 && voiced < 0: // no key of a jamo
			b.WriteByte(keys[0])
			keys = keys[1:]
			continue
		case begun < 0 || voiced < 0:
			alone := i + v
			if begun >= 0 {
				alone = i
			}
			b.WriteString(jamo[alone])
			keys = keys[len(alone):]
			continue
		}
		keys = keys[len(i)+len(v):]
		syllable := firstSyllable + (begun*len(vowels)+voiced)*(len(finals)+1)
		if f, ended := final(keys); ended >= 0 {
			syllable += ended + 1
			keys = keys[len(f):]
		}
		b.WriteRune(rune(syllable))
	}
	return b.String()
}

// longest is the longest of the key sequences that the keys begin with, and its index.
func longest(all []string, keys string) (best string, index int) {
	index = -1
	for i, k := range all {
		if strings.HasPrefix(keys, k) && len(k) > len(best) {
			best, index = k, i
		}
	}
	return best, index
}

// final is what a syllable ends with: the jamo before a vowel begins the next one.
func final(keys string) (best string, index int) {
	index = -1
	for i, k := range finals {
		rest, ok := strings.CutPrefix(keys, k)
		if !ok || len(k) <= len(best) {
			continue
		}
		if _, vowel := longest(vowels, rest); vowel < 0 {
			best, index = k, i
		}
	}
	return best, index
}

// jamo that stand alone, by their keys.
var jamo = func() map[string]string {
	all := map[string]string{}
	for r := 'ㄱ'; r <= 'ㅣ'; r++ {
		all[Strokes(string(r))] = string(r)
	}
	return all
}()
