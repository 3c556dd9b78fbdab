package workload

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asked are the loads of one pod that the lessons' numbers are made of, in millicores.
var asked = []int64{50, 95, 190, 245, 500}

const askedCost = 5 * time.Millisecond // the generator's

// compiled is the workload as it is in the image.
func compiled(tb testing.TB) string {
	tb.Helper()
	binary, args, err := Binary(tb.Context(), runtime.GOARCH)
	if err != nil {
		tb.Fatal(err)
	}
	if !static(binary, runtime.GOARCH) || static(binary, "riscv64") || len(args) > 0 || len(binary) > 12<<20 {
		tb.Errorf("%d bytes, static %v, args %q", len(binary), static(binary, runtime.GOARCH), args)
	}
	program := filepath.Join(tb.TempDir(), "workload")
	if err := os.WriteFile(program, binary, 0o700); err != nil {
		tb.Fatal(err)
	}
	return program
}

// started runs a program until stop, which returns what the kernel says that it used.
func started(tb testing.TB, program string, args ...string) (stop func() time.Duration) {
	tb.Helper()
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Process.Kill() }) // a test that failed on its way
	return func() time.Duration {
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			tb.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			tb.Errorf("%s ends with %v", args[0], err)
		}
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
}

// served runs the server and waits until it answers.
func served(tb testing.TB, program string) (url string, stop func() time.Duration) {
	tb.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		tb.Fatal(err)
	}
	stop = started(tb, program, "burn", "--listen", address)
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return "http://" + address, stop
		}
		if time.Now().After(until) {
			tb.Fatal(err)
		}
	}
}

// TestBinary runs server and generator as the image has them: about as much CPU is burnt
// as the timeline says.
func TestBinary(t *testing.T) {
	program := compiled(t)
	url, stop := served(t, program)
	endLoad := started(t, program, "load", "--url", url, "--timeline", `[{"at":0,"cpu":200}]`)
	begin := time.Now()
	time.Sleep(4 * time.Second)
	endLoad()
	length := time.Since(begin)
	if used := stop().Seconds() / length.Seconds(); used < 0.1 || used > 0.3 { // 200m, on a machine that others use too
		t.Errorf("the server used %.0fm", used*1000)
	}
}

// TestBurnTakesWhatIsAsked sends the server what the generator and the kubelet send, and
// holds the CPU time of its process, from its first instruction to its last, against
// what the requests asked for. Who else uses this machine can only add to it, when the
// kernel charges a process for the time that another machine took from its CPU: so a
// measurement that is above is taken again, twice. The rest is for BenchmarkWorkload.
func TestBurnTakesWhatIsAsked(t *testing.T) {
	program := compiled(t)
	for _, cpu := range asked {
		t.Run(fmt.Sprintf("%dm", cpu), func(t *testing.T) {
			t.Parallel()
			off := 100.
			for range 3 {
				url, stop := served(t, program)
				n := sendFor(t, url, cpu, 6*time.Second)
				want, used := time.Duration(n)*askedCost, stop()
				off = float64(used-want) / float64(want) * 100
				t.Logf("%d requests asked for %s, the process used %s: %+.1f %%", n, want, used, off)
				if off <= 2 {
					break
				}
			}
			if off < -2 || off > 2 {
				t.Errorf("the process used %+.1f %%", off)
			}
		})
	}
}

// sendFor sends requests of so many millicores, each on a connection of its own, beside
// a probe every second, and returns how many when all are answered.
func sendFor(t *testing.T, url string, cpu int64, length time.Duration) (n int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) {
		resp, err := client.Get(url + path)
		if err != nil {
			t.Error(err)
			return
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	var answers sync.WaitGroup
	defer answers.Wait()
	every := generator{cost: askedCost, points: []Point{{CPU: cpu}}}.every(0)
	for n = 0; time.Duration(n)*every < length; n++ {
		answers.Go(func() { get("/work?cpu=" + askedCost.String()) })
		if n%int(time.Second/every) == 0 {
			answers.Go(func() { get("/healthz") })
		}
		time.Sleep(every)
	}
	return n
}

// TestBurnRemembersLittle: what the process took for itself counts towards what is asked
// next, but not more than mostAhead of it, however long nothing was asked.
func TestBurnRemembersLittle(t *testing.T) {
	for until := processTime() + 4*mostAhead; processTime() < until; {
		continue
	}
	before := processTime()
	Burn(3 * mostAhead)
	if took := processTime() - before; took < 2*mostAhead {
		t.Errorf("asked for %s after doing something else, took %s", 3*mostAhead, took)
	}
}

// TestBurnTogether: requests at the same time cost their sum.
func TestBurnTogether(t *testing.T) {
	Burn(mostAhead) // nothing is left from before
	var took time.Duration
	for range 3 { // see TestBurnTakesWhatIsAsked
		var all sync.WaitGroup
		before := processTime()
		for range 8 {
			all.Go(func() { Burn(10 * time.Millisecond) })
		}
		all.Wait()
		if took = processTime() - before; took <= 100*time.Millisecond {
			break
		}
	}
	if took < 75*time.Millisecond || took > 100*time.Millisecond {
		t.Errorf("8 × 10 ms took %s", took)
	}
}

// BenchmarkWorkload is server and generator on a quiet machine: what is asked for
// against what is used by the clock on the wall, both in millicores. It takes as long as
// a minute of a lesson for each:
//
//	go test ./clusters/workload -run xxx -bench Workload -benchtime 1x
func BenchmarkWorkload(b *testing.B) {
	program := compiled(b)
	for _, cpu := range asked {
		b.Run(fmt.Sprintf("%dm", cpu), func(b *testing.B) {
			for range b.N {
				url, stop := served(b, program)
				begin := time.Now()
				endLoad := started(b, program, "load", "--url", url, "--timeline", fmt.Sprintf(`[{"at":0,"cpu":%d}]`, cpu))
				time.Sleep(time.Minute)
				endLoad()
				length := time.Since(begin)
				b.ReportMetric(stop().Seconds()*1000/length.Seconds(), "used-m")
				b.ReportMetric(float64(cpu), "asked-m")
			}
		})
	}
}
