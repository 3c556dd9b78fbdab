package workload

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Image is the name under which the archive is loaded into nodes and into docker.
const Image = "stepscale.io/workload:1"

// User runs the workload: nobody in particular.
const User = 65532

// Archive is an image with the binary in it, as `docker save` writes one: what
// `docker load` and `ctr images import` read. The same binary gives the same bytes.
func Archive(binary []byte, args []string, arch string) ([]byte, error) {
	layer, err := tarOf([]file{{"workload", binary, 0o555}})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": arch, "os": "linux",
		"config": map[string]any{"Entrypoint": append([]string{"/workload"}, args...), "User": fmt.Sprintf("%d:%d", User, User), "ExposedPorts": map[string]any{"8080/tcp": struct{}{}}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum(layer)}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": sum(config) + ".json", "RepoTags": []string{Image}, "Layers": []string{sum(layer) + "/layer.tar"}}})
	if err != nil {
		return nil, err
	}
	return tarOf([]file{{sum(config) + ".json", config, 0o444}, {sum(layer) + "/layer.tar", layer, 0o444}, {"manifest.json", manifest, 0o444}})
}

type file struct {
	name string
	body []byte
	mode int64
}

func tarOf(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.body)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
