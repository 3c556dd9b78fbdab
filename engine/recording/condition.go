package recording

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What is wrong with a condition.
var (
	ErrCondition = errors.New("no condition") // as it is written
	ErrFact      = errors.New("no such fact") // in this recording
	ErrOrder     = errors.New("not a number") // which < and > need
	aliases      = map[string]string{"replicas": "currentReplicas", "current": "currentReplicas", "desired": "desiredReplicas", "reason": reasonFact}
	comparison   = regexp.MustCompile(`^([^=<>!]+?)\s*(>=|<=|!=|==|=|>|<)\s*([^=<>!\s].*)$`)
	change       = regexp.MustCompile(`^(\S+)\s+(changed|바뀜)$`)
	inBrackets   = regexp.MustCompile(`\(([^()]*)\)`)
)

// FactError names the fact that a recording does not have.
type FactError struct{ Name string }

func (e *FactError) Error() string { return fmt.Sprintf("%v: %s", ErrFact, e.Name) }
func (e *FactError) Unwrap() error { return ErrFact }

// FactName is the fact that somebody means: aliases are for what is asked most, and
// target(web).cpu is another way to write target/web.cpu.
func FactName(word string) string {
	if name := aliases[word]; name != "" {
		return name
	}
	return inBrackets.ReplaceAllString(word, "/$1")
}

// Condition is something that may be so at a frame: "replicas>5", "desired!=current",
// "reason=ScaleDownStabilized", "target(web).cpu changed".
type Condition struct {
	text        string
	left, right string // facts; right is empty where it is a value
	sign, value string
}

func (c Condition) String() string { return c.text }

// Condition understands text as one about this recording.
func (r *Recording) Condition(text string) (Condition, error) {
	text = strings.TrimSpace(text)
	c := Condition{text: text}
	if m := change.FindStringSubmatch(text); m != nil {
		c.left, c.sign = FactName(m[1]), "changed"
		return c, r.knows(c.left)
	}
	m := comparison.FindStringSubmatch(text)
	if m == nil {
		return c, ErrCondition
	}
	c.left, c.sign, c.value = FactName(strings.TrimSpace(m[1])), m[2], m[3]
	if c.sign == "==" {
		c.sign = "="
	}
	if name := FactName(c.value); r.facts[name] != nil {
		c.right, c.value = name, ""
	} else if _, ok := Numbers(c.value); !ok && c.sign != "=" && c.sign != "!=" {
		return c, fmt.Errorf("%w: %s", ErrOrder, c.value)
	}
	return c, r.knows(c.left)
}

func (r *Recording) knows(fact string) error {
	if r.facts[fact] == nil {
		return &FactError{fact}
	}
	return nil
}

// Find is the first frame from the index on in which the condition is so, and in which
// something that it asks about was told: what was so before is nothing new.
func (r *Recording) Find(c Condition, from int) (int, bool) {
	left, right := r.facts[c.left], r.facts[c.right]
	for i, j := 0, 0; i < len(left) || j < len(right); {
		at := next(left, i, next(right, j, len(r.rows)))
		i, j = behind(left, i, at), behind(right, j, at)
		if at >= from && r.holds(c, at, left[:i], right[:j]) {
			return at, true
		}
	}
	return 0, false
}

// next is the frame of the value with that index, or otherwise.
func next(values []Value, i, otherwise int) int {
	if i < len(values) {
		return min(values[i].Frame, otherwise)
	}
	return otherwise
}

// behind is the index of the first value after the frame.
func behind(values []Value, i, frame int) int {
	for i < len(values) && values[i].Frame <= frame {
		i++
	}
	return i
}

// holds tells whether the condition is so at a frame, with what was told up to it.
func (r *Recording) holds(c Condition, frame int, left, right []Value) bool {
	now := latest(left)
	switch {
	case len(now) == 0 || c.right != "" && len(right) == 0:
		return false
	case c.sign == "changed":
		before := latest(left[:len(left)-len(now)])
		return now[0].Frame == frame && len(before) > 0 && !slices.EqualFunc(now, before, func(a, b Value) bool { return a.Text == b.Text })
	}
	wanted := c.value
	if c.right != "" {
		wanted = right[len(right)-1].Text
	}
	return slices.ContainsFunc(now, func(v Value) bool { return compare(v.Text, c.sign, wanted) })
}

// latest are the values of the last frame that has any: conditions have several.
func latest(values []Value) []Value {
	n := len(values)
	for n > 0 && values[n-1].Frame == values[len(values)-1].Frame {
		n--
	}
	return values[n:]
}

func compare(a, sign, b string) bool {
	n, ok := Numbers(a, b)
	if !ok {
		return sign == "=" && a == b || sign == "!=" && a != b
	}
	x, y := n[0], n[1]
	switch sign {
	case "=":
		return x == y
	case "!=":
		return x != y
	case ">":
		return x > y
	case ">=":
		return x >= y
	case "<":
		return x < y
	}
	return x <= y
}
