package workload

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPoints(t *testing.T) {
	got := Points(func(e time.Duration) int64 {
		if e < 10*time.Second {
			return 100
		}
		return 190
	}, time.Minute, 5*time.Second)
	if want := []Point{{0, 100}, {10, 190}}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestEvery(t *testing.T) {
	g := generator{cost: 5 * time.Millisecond, points: []Point{{0, 0}, {10, 100}, {20, 1000}}}
	for at, want := range map[time.Duration]time.Duration{0: 0, 12 * time.Second: 50 * time.Millisecond, time.Hour: 5 * time.Millisecond} {
		if got := g.every(at); got != want {
			t.Errorf("at %s every %s, want %s", at, got, want)
		}
	}
}

func TestLoadFollowsItsTimeline(t *testing.T) {
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cpu") == "5ms" && r.Close {
			n.Add(1)
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := run(ctx, []string{"load", "--url", server.URL, "--timeline", `[{"at":0,"cpu":250}]`}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := n.Load(); got < 25 || got > 55 { // 50 a second
		t.Errorf("%d requests in a second, each on a connection of its own", got)
	}
}

// TestLoadHoldsItsPosition: where a file says where in the timeline it is, time does not.
func TestLoadHoldsItsPosition(t *testing.T) {
	var n atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "position")
	say := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say("10s")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- run(ctx, []string{"load", "--url", server.URL, "--position", file, "--timeline", `[{"at":0,"cpu":0},{"at":60,"cpu":500}]`}, io.Discard)
	}()
	time.Sleep(2 * time.Second)
	if got := n.Load(); got != 0 {
		t.Errorf("%d requests at 10s, where there is no load", got)
	}
	say("60s\n")
	for until := time.Now().Add(30 * time.Second); n.Load() < 10 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
	}
	say("soon") // changes nothing
	before := n.Load()
	for until := time.Now().Add(30 * time.Second); n.Load() < before+50 && time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
	}
	if got := n.Load(); got < before+50 || before < 10 {
		t.Errorf("%d and %d requests at 60s", before, got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestBadArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"dance"}, {"load", "--timeline", "{"}, {"burn", "--no"}} {
		var out bytes.Buffer
		if code := Main(args, &out); code != 1 || out.Len() == 0 {
			t.Errorf("%q: exit %d, %q", args, code, out.String())
		}
	}
}

// filesOf reads a tar.
func filesOf(t *testing.T, r io.Reader) (files map[string][]byte, modes map[string]int64) {
	t.Helper()
	files, modes = map[string][]byte{}, map[string]int64{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files, modes
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
		modes[h.Name] = h.Mode
	}
}

func unzipped(t *testing.T, zipped []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestArchive reads the image as docker does.
func TestArchive(t *testing.T) {
	image, err := Archive([]byte("binary"), []string{"workload"}, "arm64")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Archive([]byte("binary"), []string{"workload"}, "arm64"); err != nil || !bytes.Equal(image, again) {
		t.Errorf("the same binary gives other bytes, %v", err)
	}
	files, _ := filesOf(t, bytes.NewReader(image))
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 || manifest[0].RepoTags[0] != Image || len(manifest[0].Layers) != 1 {
		t.Fatalf("manifest %+v, %v", manifest, err)
	}
	var config struct {
		Architecture, OS string
		Config           struct {
			Entrypoint []string
			User       string
		}
		Rootfs struct {
			Type    string
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	layer := unzipped(t, files[manifest[0].Layers[0]])
	if config.Architecture != "arm64" || config.OS != "linux" || config.Config.User != "65532:65532" || strings.Join(config.Config.Entrypoint, " ") != "/workload workload" ||
		config.Rootfs.Type != "layers" || !slices.Equal(config.Rootfs.DiffIDs, []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}) {
		t.Errorf("config %+v", config)
	}
	if content, modes := filesOf(t, bytes.NewReader(layer)); len(content) != 1 || string(content["workload"]) != "binary" || modes["workload"] != 0o555 {
		t.Errorf("layer %q, %v", content, modes)
	}
}
