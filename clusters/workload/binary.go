package workload

import (
	"bytes"
	"context"
	"debug/elf"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed main.go load.go burn_linux.go
var sources embed.FS

// ErrNoBinary tells that there is no way to come by a static Linux binary: no go
// tool, and this program itself is none.
var ErrNoBinary = errors.New("no go tool, and this program is no static Linux binary")

// Binary is the workload as a static Linux executable, with the arguments that make
// it one. It is compiled from the sources that this program carries, with the
// standard library only and no network; without a go tool, this program itself is
// taken, whose hidden subcommand is the same code.
func Binary(ctx context.Context, arch string) (binary []byte, args []string, err error) {
	if _, err := exec.LookPath("go"); err == nil {
		binary, err = compile(ctx, arch)
		return binary, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	if binary, err = os.ReadFile(self); err != nil {
		return nil, nil, err
	}
	if !static(binary, arch) {
		return nil, nil, ErrNoBinary
	}
	return binary, []string{"workload"}, nil
}

func compile(ctx context.Context, arch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "workload-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeModule(dir); err != nil {
		return nil, err
	}
	out := filepath.Join(dir, "out")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=-mod=mod", "GOWORK=off", "GOTOOLCHAIN=local", "GOPROXY=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", errors.Join(ctx.Err(), err), bytes.TrimSpace(text))
	}
	return os.ReadFile(out)
}

// writeModule makes a module of our sources and a main function.
func writeModule(dir string) error {
	files := map[string][]byte{
		"go.mod":  []byte("module workload\n\ngo 1.26\n"),
		"main.go": []byte("package main\n\nimport (\n\t\"os\"\n\n\t\"workload/workload\"\n)\n\nfunc main() { os.Exit(workload.Main(os.Args[1:], os.Stderr)) }\n"),
	}
	list, err := sources.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range list {
		if files["workload/"+e.Name()], err = sources.ReadFile(e.Name()); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "workload"), 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// static tells whether a Linux kernel of that architecture runs the binary with
// nothing else in the image.
func static(binary []byte, arch string) bool {
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return false
	}
	machine := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return f.Machine == machine && f.OSABI != elf.ELFOSABI_FREEBSD
}
