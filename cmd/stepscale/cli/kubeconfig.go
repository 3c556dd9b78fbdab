package cli

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/stepscale/stepscale/clusters/embedded"
)

// linkKubeconfig gives the kubeconfig of a cluster that lives as long as this process a
// path that is the same every time: a second terminal goes on with it. Where another
// session has the path, or there can be no link, file is as good.
func linkKubeconfig(dir, file string) (path string, unlink func() error) {
	none := func() error { return nil }
	path = filepath.Join(dir, embedded.KubeconfigLink)
	if _, err := os.Stat(path); err == nil {
		return file, none
	}
	fresh := filepath.Join(filepath.Dir(file), "link")
	if err := errors.Join(os.Symlink(file, fresh), os.Rename(fresh, path)); err != nil {
		_ = os.Remove(fresh)
		return file, none
	}
	return path, func() error {
		if to, err := os.Readlink(path); err != nil || to != file {
			return nil // somebody else's by now
		}
		return os.Remove(path)
	}
}
