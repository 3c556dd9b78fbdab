package handout

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the same without charts, and without the recording.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", inline(r.Title))
	for _, text := range r.About {
		fmt.Fprintf(&b, "%s\n\n", inline(text))
	}
	if r.Virtual {
		b.WriteString("**시뮬레이션:** 노드, 부하, 시간. 컨트롤 플레인은 쿠버네티스의 코드입니다.\n\n")
	}
	for _, c := range r.Charts {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", inline(c.Title), inline(c.Says()))
		table(&b, c.Header(), c.Listed())
	}
	for _, h := range r.Histograms {
		fmt.Fprintf(&b, "## 히스토그램 %s\n\n%s\n\n", inline(h.Of), inline(h.Says()))
		table(&b, h.Header(), h.Rows())
	}
	b.WriteString("## 단계와 계산\n\n")
	for _, p := range r.Shown {
		fmt.Fprintf(&b, "### %s\n\n", inline(p.Title()))
		for _, s := range p.Steps {
			s.markdown(&b)
		}
		for _, text := range p.Why {
			fmt.Fprintf(&b, "- %s\n", inline(text))
		}
		b.WriteString("\n")
	}
	if r.Left > 0 {
		fmt.Fprintf(&b, "그 밖에 바뀐 패스 %d개는 기록에 있습니다.\n\n", r.Left)
	}
	b.WriteString("## 모든 패스\n\n")
	if r.Table.Left != "" {
		b.WriteString(r.Table.Left + "\n\n")
	}
	table(&b, r.Table.Header, r.Table.Rows)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Step) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "**%s** (%s)\n\n", inline(s.ID), inline(s.Actor))
	var rows [][]string
	for _, f := range s.Facts {
		text := f.Value
		if f.Expr != "" {
			text = f.Expr + " = " + f.Value
		}
		rows = append(rows, []string{f.Label, text, f.Name})
	}
	if len(rows) > 0 {
		table(b, []string{"값", "계산", "이름"}, rows)
	}
	for _, c := range s.Changes {
		fmt.Fprintf(b, "바뀐 것: %s\n\n", inline(c))
	}
	if s.Err != "" {
		fmt.Fprintf(b, "오류: %s\n\n", inline(s.Err))
	}
}

func table(b *strings.Builder, header []string, rows [][]string) {
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + inline(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(header)
	b.WriteString(strings.Repeat("| --- ", len(header)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	b.WriteString("\n")
}

// plain keeps what a recording says from being read as markup: anybody can write one.
var plain = strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`, "#", `\#`, "\n", " ", "\r", " ")

func inline(text string) string { return plain.Replace(text) }
