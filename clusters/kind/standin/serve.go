package standin

import (
	"encoding/json"
	"net"
	"sync"
)

// call is one of docker, and answer what it says and ends with. Command docker has the
// other end.
type (
	call struct {
		Args  []string
		Env   map[string]string // the variables of the stand-in
		Stdin []byte
	}
	answer struct {
		Code           int
		Stdout, Stderr []byte
	}
)

// address is where this process answers calls, from the first on and to its end: a call
// brings everything with it that is to be known about it.
var address = sync.OnceValues(func() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String(), nil
})

// serve answers one call. Where it cannot, the program tells of a connection that ended.
func serve(c net.Conn) {
	defer c.Close()
	var asked call
	if json.NewDecoder(c).Decode(&asked) != nil {
		return
	}
	gone := make(chan struct{})
	go func() { // who asked sends nothing more: a read ends when it ends
		defer close(gone)
		_, _ = c.Read(make([]byte, 1))
	}()
	_ = json.NewEncoder(c).Encode(asked.answer(gone))
}
