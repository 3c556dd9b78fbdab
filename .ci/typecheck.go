// Typecheck checks the types of our packages, tests included, for the systems that are
// given as os/arch. It reads everything from source and looks into functions of ours
// only, so that a system whose packages nobody has compiled takes a minute.
//
//	go run .ci/typecheck.go darwin/arm64 linux/arm64
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

func main() {
	failed := false
	for _, system := range os.Args[1:] {
		begin := time.Now()
		found, err := check(system)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s: %d errors, %s\n", system, len(found), time.Since(begin).Round(time.Second))
		for _, e := range found {
			failed = true
			fmt.Fprintln(os.Stderr, e)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(system string) (found []packages.Error, err error) {
	goos, goarch, _ := strings.Cut(system, "/")
	all, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax,
		Env:   append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	for _, p := range all {
		found = append(found, p.Errors...)
	}
	return found, err
}
