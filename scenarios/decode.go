package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	maxMillicores = 1_000_000_000
	maxBytes      = 1 << 40
	maxDuration   = 366 * 24 * time.Hour
)

// reader reads the nodes of one file and keeps every problem that it meets.
type reader struct {
	file     string
	problems Problems
}

// field is one key that a mapping may have. Fields are read in the order of
// their table, not of the file.
type field struct {
	name     string
	required bool
	read     func(*yaml.Node)
}

func (r *reader) add(line int, hint, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// document parses the only document of the file; nil when there is none.
func (r *reader) document(text []byte) *yaml.Node {
	if r.refused(text) {
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		r.add(1, "title, hpa(또는 vpa), target, load를 적어 주십시오.", "파일이 비어 있습니다.")
		return nil
	} else if err != nil {
		r.syntax(err, 0)
		return nil
	}
	if err := d.Decode(&next); err == nil {
		r.add(next.Line, "--- 아래를 지워 주십시오.", "문서는 하나만 적을 수 있습니다.")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, 0)
	}
	r.escaped(&doc, 0)
	return doc.Content[0]
}

// syntax reports what the YAML parser says; offset is the number of lines
// before the text that it saw.
func (r *reader) syntax(err error, offset int) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatchIndex(text); m != nil {
		line, _ = strconv.Atoi(text[m[2]:m[3]])
		text = text[m[1]:]
	}
	r.add(max(line, 1)+offset, "들여쓰기는 공백으로 맞추고, 콜론 뒤에는 공백을 두어 주십시오.", "YAML 문법에 맞지 않습니다: %s", text)
}

// hasItems tells whether the value of a key is a list that has something in it.
func (r *reader) hasItems(n *yaml.Node, key, hint string) bool {
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		return true
	}
	r.add(n.Line, hint, "%s에는 항목을 하나 이상 목록으로 적어야 합니다.", key)
	return false
}

// mapping reads a mapping by a table of fields.
func (r *reader) mapping(n *yaml.Node, what string, fields []field) {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	hint := "쓸 수 있는 키: " + strings.Join(names, ", ")
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, hint, "%s에는 키와 값을 적어야 합니다.", what)
		return
	}
	values := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(names, key.Value) || key.Kind != yaml.ScalarNode:
			r.add(key.Line, hint, "%s에 모르는 키가 있습니다: %s", what, show(key))
		case values[key.Value] != nil:
			r.add(key.Line, "하나만 남겨 주십시오.", "%s에 같은 키가 두 번 있습니다: %s", what, key.Value)
		default:
			values[key.Value] = n.Content[i+1]
		}
	}
	for _, f := range fields {
		if v := values[f.name]; v != nil {
			f.read(v)
		} else if f.required {
			r.add(n.Line, fmt.Sprintf("%s: ... 을 적어 주십시오.", f.name), "%s에 %s 키가 없습니다.", what, f.name)
		}
	}
}

// scalar returns the text of a plain value.
func (r *reader) scalar(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		r.add(n.Line, "값 하나를 적어 주십시오.", "%s의 값을 읽을 수 없습니다: %s", what, show(n))
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(to *string, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if text, ok := r.scalar(n, what); ok {
			*to = text
		}
	}
}

// duration reads whole seconds.
func (r *reader) duration(to *time.Duration, what string, least time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > maxDuration || d%time.Second != 0 {
			r.add(n.Line, "초 단위로 30s, 5m, 1h30m처럼 적어 주십시오.", "%s에 쓸 수 없는 시간입니다: %s", what, text)
			return
		}
		*to = d
	}
}

var decimal = regexp.MustCompile(`^(\d{1,9})(\.\d{1,3})?(m?)$`)

// thousandths reads "1.5" as 1500 and, where milli allows it, "100m" as 100.
func thousandths(text string, milli bool) (int64, bool) {
	m := decimal.FindStringSubmatch(text)
	if m == nil || m[3] != "" && (!milli || m[2] != "") {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, false
	}
	if m[3] == "m" {
		return n, true
	}
	if m[2] != "" {
		part, err := strconv.ParseInt((m[2][1:] + "00")[:3], 10, 64)
		if err != nil {
			return 0, false
		}
		return n*1000 + part, true
	}
	return n * 1000, true
}

// cpu reads a quantity of CPU as millicores.
func (r *reader) cpu(to *int64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		v, ok := thousandths(text, true)
		if !ok || v > maxMillicores {
			r.add(n.Line, "100m(밀리코어) 또는 1.5(코어)처럼 적어 주십시오.", "%s에 쓸 수 없는 CPU 양입니다: %s", what, text)
			return
		}
		*to = v
	}
}

var (
	wholeBytes = regexp.MustCompile(`^\d{1,13}$`)
	byteUnits  = map[string]int64{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
)

// bytesOf reads "1.5Gi" and "1572864". Parts of a byte are cut off.
func bytesOf(text string) (int64, bool) {
	if wholeBytes.MatchString(text) {
		v, err := strconv.ParseInt(text, 10, 64)
		return v, err == nil && v <= maxBytes
	}
	number, suffix := text[:max(len(text)-2, 0)], text[max(len(text)-2, 0):]
	v, ok := thousandths(number, false)
	unit := byteUnits[suffix]
	if !ok || unit == 0 || v > maxBytes/unit*1000 {
		return 0, false
	}
	return v/1000*unit + v%1000*unit/1000, true
}

// bytes reads a quantity of memory as bytes.
func (r *reader) bytes(to *int64, what string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		text, ok := r.scalar(n, what)
		if !ok {
			return
		}
		v, ok := bytesOf(text)
		if !ok {
			r.add(n.Line, "200Mi, 1.5Gi 또는 바이트 수를 적어 주십시오. 1Ti까지 쓸 수 있습니다.", "%s에 쓸 수 없는 메모리 양입니다: %s", what, text)
			return
		}
		*to = v
	}
}

// show is a node as a message quotes it.
func show(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return "*" + n.Value + " (별칭은 쓸 수 없습니다)"
	case n.Kind == yaml.ScalarNode && n.Value != "":
		return strconv.Quote(n.Value)
	case n.Kind == yaml.ScalarNode:
		return "(빈 값)"
	}
	return "(목록이나 묶음)"
}
