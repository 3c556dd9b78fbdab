package board

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// browser is a headless Chromium; the test is skipped where there is none.
func browser(t *testing.T, url string, more ...string) string {
	t.Helper()
	name, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(), "--timeout=4000", "--window-size=1280,720"}, more...)
	cmd := exec.CommandContext(ctx, name, append(args, url)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errOut.String())
	}
	return out.String()
}

// TestBrowser: a browser shows the board: its rows, and nothing of a report as markup.
func TestBrowser(t *testing.T) {
	b := someBoard(BoardOptions{Stuck: 5 * time.Minute, Show: true})
	b.Rows[1].Seat = "<img src=x onerror=alert(1)>"
	w := served(t, func(bool) Board { return b }, func() <-chan struct{} { return nil })
	dom := browser(t, w.URL(), "--dump-dom")
	for _, want := range []string{"도와주세요", "막힘", `<tr class="help">`, "5번째 단계의 질문", "&lt;img src=x", "2명", "width: 100%"} {
		if !strings.Contains(dom, want) {
			t.Errorf("%s is not on the page:\n%s", want, dom)
		}
	}
	if strings.Contains(dom, "<img") {
		t.Error("a report is markup")
	}
	for _, dark := range []string{"", "--force-dark-mode"} {
		file := filepath.Join(t.TempDir(), "board.png")
		args := []string{"--screenshot=" + file}
		if dark != "" {
			args = append(args, dark)
		}
		browser(t, w.URL(), args...)
		if info, err := os.Stat(file); err != nil || info.Size() < 5000 {
			t.Errorf("%s: %v %v", dark, info, err)
		}
		if keep := os.Getenv("STEPSCALE_SHOTS"); keep != "" {
			png, _ := os.ReadFile(file)
			_ = os.WriteFile(filepath.Join(keep, "board"+dark+".png"), png, 0o600)
		}
	}
}
