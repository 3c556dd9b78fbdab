package scenarios

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/stepscale/stepscale/engine/outside"
)

// refused finds characters that a reader would not see, comments included.
func (r *reader) refused(text []byte) bool {
	places, all := outside.Find(string(bytes.TrimPrefix(text, []byte("\ufeff"))))
	for _, at := range places {
		r.unseen(at.Line, fmt.Sprintf("%s (%d번째 글자)", at.What, at.Column))
	}
	if more := all - len(places); more > 0 {
		r.add(places[len(places)-1].Line, "글이 아닌 파일이 아닌지 확인해 주십시오.", "이런 글자가 %d개 더 있습니다.", more)
	}
	return all > 0
}

// escaped finds the same in values, where YAML's escapes have made them; offset is the
// number of lines before the document.
func (r *reader) escaped(n *yaml.Node, offset int) {
	if places, all := outside.Find(n.Value); all > 0 {
		r.unseen(n.Line+offset, places[0].What)
	}
	for _, child := range n.Content {
		r.escaped(child, offset)
	}
}

func (r *reader) unseen(line int, what string) {
	r.add(line, "지워 주십시오. 보이지 않거나 터미널을 움직이는 글자는 시나리오에 쓸 수 없습니다. 파일은 UTF-8로 저장해 주십시오.", "쓸 수 없는 글자가 있습니다: %s", what)
}
