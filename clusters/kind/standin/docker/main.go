// Command docker is the stand-in's program: it hands its command line, its standard input
// and the variables of the stand-in to the test that installed it, and says what that
// answers. Kind's library starts dozens of them for a cluster, and one that linked
// Kubernetes would take a quarter of a second of CPU each time.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	code, err := ask(os.Getenv("STANDIN_ADDRESS"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "the stand-in for docker does not answer:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// ask sends the call and returns the exit code; package standin has the other end.
func ask(address string) (code int, err error) {
	var call struct {
		Args  []string
		Env   map[string]string
		Stdin []byte
	}
	call.Args, call.Env = os.Args[1:], map[string]string{}
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "STANDIN_") {
			call.Env[name] = value
		}
	}
	if call.Stdin, err = io.ReadAll(os.Stdin); err != nil {
		return 0, err
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	var answer struct {
		Code           int
		Stdout, Stderr []byte
	}
	if err := errors.Join(json.NewEncoder(c).Encode(call), json.NewDecoder(c).Decode(&answer)); err != nil {
		return 0, err
	}
	_, _ = os.Stdout.Write(answer.Stdout)
	_, _ = os.Stderr.Write(answer.Stderr)
	return answer.Code, nil
}
