package workload

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is the name under which the archive is loaded into nodes and into docker.
const Image = "stepscale.io/workload:1"

// User runs the workload: nobody in particular.
const User = 65532

// Archive is an image with the binary in it, as `docker save` writes one: what
// `docker load` and `ctr images import` read. The same binary gives the same bytes.
func Archive(binary []byte, args []string, arch string) ([]byte, error) {
	tag, err := name.NewTag(Image)
	if err != nil {
		return nil, err
	}
	files, err := tarOf("workload", binary)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{Architecture: arch, OS: "linux", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{
		Entrypoint: append([]string{"/workload"}, args...), User: fmt.Sprintf("%d:%d", User, User), ExposedPorts: map[string]struct{}{"8080/tcp": {}},
	}})
	if err != nil {
		return nil, err
	}
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	err = tarball.Write(tag, image, &archive)
	return archive.Bytes(), err
}

// tarOf is a layer's tar with one file in it that anybody may run.
func tarOf(name string, body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o555, Size: int64(len(body)), Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}); err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}
