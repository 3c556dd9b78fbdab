package cli

import (
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
)

// TestCompletionReadsAsKorean: whatever a shell offers is told in Korean, and without the
// marks that the help takes out.
func TestCompletionReadsAsKorean(t *testing.T) {
	a := testApp(t)
	offered := 0
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		for _, typed := range []string{"", "--"} {
			said, _ := a.told("", append(append([]string{cobra.ShellCompRequestCmd}, path...), typed)...)
			for line := range strings.SplitSeq(said, "\n") {
				word, about, described := strings.Cut(line, "\t")
				if !described {
					continue
				}
				offered++
				if strings.Contains(about, "`") || !strings.ContainsFunc(about, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
					t.Errorf("%v: %s is told as %q", path, word, about)
				}
			}
		}
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				walk(c, append(path[:len(path):len(path)], c.Name()))
			}
		}
	}
	walk(newRootCommand(a.deps), nil)
	if offered < 100 {
		t.Errorf("only %d words are offered", offered)
	}
}

// TestFlagsOfferTheirValues: a flag that knows its values offers them, and no files.
func TestFlagsOfferTheirValues(t *testing.T) {
	a := testApp(t)
	for line, want := range map[string]string{
		"learn --cluster": "embedded\nkind\n:4", "run x --loop": "hpa\nhpa-architecture\n", "run x --until": "scale\npass=\n:4",
		"lessons --output": "text\njson\n:4", "learn --hpa-mode": "drive\ndisarmed\n:4", "learn --vpa-update": "recreate\nin-place\n:4",
		"learn hpa/2 --from": "hpa/1-metrics/scrape\nhpa/1-metrics/query\n",
	} {
		said, _ := a.told("", append(append([]string{cobra.ShellCompRequestCmd}, strings.Fields(line)...), "")...)
		if !strings.Contains(said, want) {
			t.Errorf("%s offers %q, want %q", line, said, want)
		}
	}
}
