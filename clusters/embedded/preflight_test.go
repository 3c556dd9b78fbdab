package embedded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRequirementsNameWhatIsMissing(t *testing.T) {
	base, err := os.MkdirTemp("", "need")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fits := int(maxSocketPath) - len("/run-4294967295/"+etcdSocket)
	pad := func(n int) string { return base + "/" + strings.Repeat("x", n-len(base)-1) }
	for dir, want := range map[string]string{
		filepath.Join(base, "new"): "",
		pad(fits):                  "",
		pad(fits + 1):              SocketPath,
		filepath.Join(file, "sub"): Writable,
		"/proc/stepscale":          Writable, // where even root can make nothing
	} {
		got := map[string]bool{}
		for _, r := range Requirements(dir) {
			if !r.Met() {
				got[r.Name] = true
			}
		}
		if want == "" && len(got) > 0 || want != "" && !got[want] {
			t.Errorf("%s lacks %v, want %q", dir, got, want)
		}
	}
}
