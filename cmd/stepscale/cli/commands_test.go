package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/stepscale/stepscale/cmd/stepscale/lab"
	"github.com/stepscale/stepscale/cmd/stepscale/play"
)

// upstreamKubectl is kubectl from the module of Kubernetes that we are made of. go.mod
// has it as a tool, so that it is built once.
func upstreamKubectl(t *testing.T) (dir string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-n", "k8s.io/kubernetes/cmd/kubectl").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = exit.Stderr
		}
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

// secondTerminal is where a learner types what is offered.
type secondTerminal struct {
	*testing.T
	env   []string
	first string            // what the learner pastes there before anything else
	told  func(string) bool // on the screen
	ran   int
}

var (
	offered  = regexp.MustCompile("`(kubectl [^`]*\\$NS[^`]*)`|(?m:^    (kubectl .*)$)")
	promised = regexp.MustCompile(`\*\*([A-Za-z0-9/]+)\*\*`)
	quoted   = regexp.MustCompile(`'[^']*'`)
	changes  = regexp.MustCompile(`^kubectl (patch|scale|set|delete|edit|apply)`)
)

// mostColumns is how wide a list may be that is offered: more is no list on a terminal.
const mostColumns = 130

// try runs a command at the moment at which it is offered. It has to work, to show
// something, and to show the words that the lesson promises.
func (t *secondTerminal) try(where, command string, words ...string) {
	t.Helper()
	if strings.ContainsAny(quoted.ReplaceAllString(command, ""), "*?[") {
		t.Errorf("%s: zsh takes this for a pattern: %s", where, command)
	}
	if changes.MatchString(command) {
		return // what the learner may do, and the lesson then takes another way
	}
	t.ran++
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	if strings.Contains(command, "--watch") {
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
	}
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", t.first+strings.Replace(command, "kubectl", "exec kubectl", 1))
	if strings.Contains(command, "|") {
		cmd = exec.CommandContext(ctx, "bash", "-c", t.first+command)
	}
	cmd.Env = t.env
	out, err := cmd.Output()
	if err != nil && !(strings.Contains(command, "--watch") && errors.Is(ctx.Err(), context.DeadlineExceeded)) {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			out = append(out, exit.Stderr...)
		}
		t.Errorf("%s: %s: %v\n%s", where, command, err, out)
		return
	}
	if len(strings.TrimSpace(string(out))) == 0 {
		t.Errorf("%s: %s shows nothing", where, command)
	}
	if noAge := "<invalid>"; strings.Contains(string(out), noAge) && !t.told(noAge) {
		t.Errorf("%s: %s shows ages that kubectl does not know, and the screen has not said so:\n%s", where, command, out)
	}
	for _, w := range words {
		if !regexp.MustCompile(`(^|[^\w/])` + regexp.QuoteMeta(w) + `($|[^\w/])`).Match(out) {
			t.Errorf("%s: %s does not show %q:\n%s", where, command, w, out)
		}
	}
	for l := range strings.SplitSeq(string(out), "\n") {
		if len(l) > mostColumns && strings.HasPrefix(command, "kubectl get") && !strings.Contains(command, "yaml") {
			t.Errorf("%s: %s shows %d columns: %s", where, command, len(l), l)
			break
		}
	}
}

// prose tries what a piece of a lesson offers, with the words that it promises behind it.
func (t *secondTerminal) prose(where, text string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		for _, m := range offered.FindAllStringSubmatchIndex(paragraph, -1) {
			command := paragraph[m[0]:m[1]]
			var words []string
			for _, w := range promised.FindAllStringSubmatch(paragraph[m[1]:], -1) {
				words = append(words, w[1])
			}
			t.try(where, strings.Trim(command, " `"), words...)
		}
	}
}

// hear tries what an event of a lesson offers, before the learner goes on.
func (t *secondTerminal) hear(e play.Event) {
	switch e := e.(type) {
	case play.Prose:
		t.prose("a text", e.Text)
	case play.Executed:
		if e.Frame.Kubectl != "" {
			t.try(string(e.Frame.Step), e.Frame.Kubectl)
		}
	}
}

// besideStages opens stages with a second terminal beside each.
type besideStages struct {
	opener
	terminal *secondTerminal
}

func (o besideStages) open(ctx context.Context, loop, scenario string, phases lab.Phases) (stage, error) {
	s, err := o.opener.open(ctx, loop, scenario, phases)
	if err != nil {
		return nil, err
	}
	lines := s.Info().Kubectl
	o.terminal.first = strings.Join(lines[:len(lines)-1], "\n") + "\n"
	o.terminal.try("the beginning", lines[len(lines)-1])
	return s, nil
}

// beside lets the app's lessons have a second terminal, with kubectl from dir.
func (a *app) beside(t *testing.T, dir string) *secondTerminal {
	t.Helper()
	second := &secondTerminal{T: t, env: append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+t.TempDir())}
	first := a.opener
	a.opener = func(d deps, to target, scenarios fs.FS) opener { return besideStages{first(d, to, scenarios), second} }
	a.heard = second.hear
	return second
}

// TestEveryCommandHasItsGroup: in the help of stepscale and of class no command stands apart.
func TestEveryCommandHasItsGroup(t *testing.T) {
	root := newRootCommand(testApp(t).deps)
	class, _, err := root.Find([]string{"class"})
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []*cobra.Command{root, class} {
		if rows := commandRows(cmd, ""); len(rows) > 0 {
			t.Errorf("%s: in no group: %v", cmd.CommandPath(), rows)
		}
		for _, g := range cmd.Groups() {
			if len(commandRows(cmd, g.ID)) == 0 {
				t.Errorf("%s: nothing in %q", cmd.CommandPath(), g.Title)
			}
		}
	}
}
