// Package browsertest opens a page in a headless Chromium, for the tests of what stepscale
// makes for a browser: what the page asks of the network, what it complains about, how it
// looks, and whether everybody can read it.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Required is the environment variable that makes a test fail, instead of being skipped,
// where there is no Chromium.
const Required = "STEPSCALE_BROWSER_REQUIRED"

const timeout = 2 * time.Minute // of a whole test: the machine may be busy

// names are what Chromium is called.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// Options are how a page is looked at.
type Options struct {
	Width, Height int64 // CSS pixels
	Dark          bool
	Print         bool // as it is printed
}

// Page is an open page.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string
	errors   []string
}

// Open opens an address. The browser is closed with the test.
func Open(t testing.TB, url string, o Options) *Page {
	t.Helper()
	p := &Page{t: t, ctx: browser(t)}
	if err := chromedp.Listen(p.ctx, p.heard); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: map[bool]string{true: "dark", false: "light"}[o.Dark]}}}
	if o.Print {
		media.Media = "print"
	}
	p.do(enabled(network.Enable, network.EnableParams{}), enabled(runtime.Enable, cdp.Empty{}), enabled(log.Enable, cdp.Empty{}),
		chromedp.EmulateViewport(o.Width, o.Height), enabled(emulation.SetEmulatedMedia, media), chromedp.Navigate(url))
	return p
}

// enabled is a command of the protocol that answers nothing.
func enabled[P any](c cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, c, params)
		return err
	})
}

func browser(t testing.TB) context.Context {
	t.Helper()
	i := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		if os.Getenv(Required) != "" {
			t.Fatalf("no Chromium: none of %s is on the PATH", strings.Join(names, ", "))
		}
		t.Skipf("no Chromium (Debian's package: chromium): none of %s is on the PATH", strings.Join(names, ", "))
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	t.Cleanup(cancel)
	// A container has neither the sandbox's namespaces nor a large /dev/shm; the page is ours.
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(names[i]), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, end := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(end)
	ctx, closed := chromedp.NewContext(ctx)
	t.Cleanup(closed)
	return ctx
}

func (p *Page) heard(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
		p.errors = append(p.errors, text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			var said []string
			for _, arg := range e.Args {
				said = append(said, string(arg.Value)+arg.Description)
			}
			p.errors = append(p.errors, strings.Join(said, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			p.errors = append(p.errors, e.Entry.Text)
		}
	}
}

func (p *Page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// Requests are the addresses that were asked for, that of the page first.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Errors are what the console shows: errors, warnings, exceptions, and what the page's own
// policy has blocked.
func (p *Page) Errors() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// Eval is the value of a script in the page, awaited where it is a promise.
func Eval[T any](p *Page, script string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// Await waits until a script's value is true.
func (p *Page) Await(script string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](script, chromedp.WithPollingTimeout(timeout)))
}

// Press types keys into the page: text, or those of package kb.
func (p *Page) Press(keys string) { p.t.Helper(); p.do(chromedp.KeyEvent(keys)) }

// Picture is the whole page as PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	return png
}
