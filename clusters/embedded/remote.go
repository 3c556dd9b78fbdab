package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/stepscale/stepscale/engine/trace"
)

// answerWithin is how long the other process may take for an answer that costs it nothing.
const answerWithin = 5 * time.Second

// Remote is a cluster that another process runs. Its methods are Cluster's: they end
// with their context, on the other side too, and return ErrNotRunning when nobody is
// there.
type Remote struct {
	client *http.Client
	token  string        // of the session
	seat   io.ReadCloser // lasts as long as the session; nil without one
	leave  context.CancelFunc
}

// NewRemote is the cluster behind the socket, whether it is there or not.
func NewRemote(socket string) *Remote {
	return &Remote{client: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// Status asks the other process how far it is, and whether it speaks our language.
func (r *Remote) Status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, err := send[Status](ctx, r, http.MethodGet, statusPath, none{})
	if err == nil && s.Protocol != protocol {
		err = fmt.Errorf("%w: it speaks %d, we speak %d", ErrOtherVersion, s.Protocol, protocol)
	}
	return s, err
}

// Stop tells the cluster to end, and does not wait for it.
func (r *Remote) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	_, err := send[none](ctx, r, http.MethodPost, stopPath, none{})
	return err
}

// Attach takes the one seat, until Disconnect or the end of this process. The error is
// ErrBusy when it is taken.
func (r *Remote) Attach(ctx context.Context) error {
	seat, leave := context.WithCancel(context.WithoutCancel(ctx)) // what is put back after ctx needs it too
	interrupted := context.AfterFunc(ctx, leave)
	defer interrupted()
	resp, err := open(seat, r, http.MethodPost, methodPath+"attach", none{})
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&r.token)
	}
	if err != nil {
		leave()
		return err
	}
	r.seat, r.leave = resp.Body, leave
	return nil
}

// Disconnect gives the seat back and waits until everything is put back; the cluster
// goes on.
func (r *Remote) Disconnect() error {
	defer r.client.CloseIdleConnections()
	if r.seat == nil {
		return nil
	}
	late := time.AfterFunc(answerWithin, r.leave)
	defer late.Stop()
	if err := r.tell(context.Background(), "detach", none{}); err == nil {
		_, _ = io.Copy(io.Discard, r.seat)
	}
	r.leave()
	return r.seat.Close()
}

// Now returns the virtual time, and the zero time when the cluster is gone.
func (r *Remote) Now() time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	now, _ := ask[time.Time](ctx, r, "now", none{})
	return now
}

// Since satisfies k8s.io/utils/clock.PassiveClock.
func (r *Remote) Since(t time.Time) time.Duration { return r.Now().Sub(t) }

// Advance is Cluster.Advance.
func (r *Remote) Advance(ctx context.Context, d time.Duration) error {
	return r.tell(ctx, "advance", d)
}

// Scrape is Cluster.Scrape.
func (r *Remote) Scrape(ctx context.Context) error { return r.tell(ctx, "scrape", none{}) }

// Flying is Cluster.Flying.
func (r *Remote) Flying(ctx context.Context, actor string) (int, error) {
	return ask[int](ctx, r, "flying", actor)
}

// Disturb is Cluster.Disturb.
func (r *Remote) Disturb(ctx context.Context, d Disturbance) error { return r.tell(ctx, "disturb", d) }

// SetNodes is Cluster.SetNodes.
func (r *Remote) SetNodes(ctx context.Context, nodes []*corev1.Node) error {
	return r.tell(ctx, "nodes", nodes)
}

// Join is Cluster.Join.
func (r *Remote) Join(ctx context.Context, node *corev1.Node) error { return r.tell(ctx, "join", node) }

// Report is Cluster.Report.
func (r *Remote) Report(ctx context.Context, node string, ready bool) error {
	what := trace.EventNotReady
	if ready {
		what = trace.EventReady
	}
	return r.Disturb(ctx, Disturbance{What: what, Node: node})
}

// Leave is Cluster.Leave.
func (r *Remote) Leave(ctx context.Context, node string) error { return r.tell(ctx, "leave", node) }

// KubeletMetrics is Cluster.KubeletMetrics.
func (r *Remote) KubeletMetrics(ctx context.Context, node string) (string, error) {
	return ask[string](ctx, r, "kubelet", node)
}

// SetLoad sends the description of a load; the other process parses it.
func (r *Remote) SetLoad(ctx context.Context, namespace string, spec []byte) error {
	return r.tell(ctx, "load", loadArgs{Namespace: namespace, Spec: spec})
}

// Hold is Cluster.Hold.
func (r *Remote) Hold(ctx context.Context, namespace string) error {
	return r.tell(ctx, "hold", namespace)
}

// Release is Cluster.Release.
func (r *Remote) Release(ctx context.Context, namespace string) error {
	return r.tell(ctx, "release", namespace)
}

// Open is Cluster.Open.
func (r *Remote) Open(ctx context.Context, actor string) error { return r.tell(ctx, "open", actor) }

// Close is Cluster.Close.
func (r *Remote) Close(ctx context.Context, actor string) error { return r.tell(ctx, "close", actor) }

// Waiting is Cluster.Waiting.
func (r *Remote) Waiting(ctx context.Context) ([]trace.Waiting, error) {
	return ask[[]trace.Waiting](ctx, r, "waiting", none{})
}

// Calls is Cluster.Calls.
func (r *Remote) Calls(ctx context.Context) ([]trace.Call, error) {
	return ask[[]trace.Call](ctx, r, "calls", none{})
}

// Watches is Cluster.Watches.
func (r *Remote) Watches(ctx context.Context) ([]trace.Watch, error) {
	return ask[[]trace.Watch](ctx, r, "watches", none{})
}

// Beats is Cluster.Beats.
func (r *Remote) Beats(ctx context.Context, after int64) (int64, error) {
	return ask[int64](ctx, r, "beats", after)
}

// Revision is Cluster.Revision.
func (r *Remote) Revision(ctx context.Context) (int64, error) {
	return ask[int64](ctx, r, "revision", none{})
}

// Newest is Cluster.Newest.
func (r *Remote) Newest(ctx context.Context, resource string) (int64, error) {
	return ask[int64](ctx, r, "newest", resource)
}

func (r *Remote) tell(ctx context.Context, method string, args any) error {
	_, err := ask[none](ctx, r, method, args)
	return err
}

func ask[R any](ctx context.Context, r *Remote, method string, args any) (R, error) {
	return send[R](ctx, r, http.MethodPost, methodPath+method, args)
}

func send[R any](ctx context.Context, r *Remote, verb, path string, args any) (reply R, err error) {
	resp, err := open(ctx, r, verb, path, args)
	if err != nil {
		return reply, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReply)).Decode(&reply); err != nil {
		return reply, lost(ctx, err)
	}
	return reply, nil
}

// open sends a request, and leaves the answer to be read when there is no error in it.
func open(ctx context.Context, r *Remote, verb, path string, args any) (*http.Response, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, verb, "http://stepscale"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set(sessionHeader, r.token)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, lost(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refused(resp)
}

// lost tells a call that its caller gave up from one whose other side has gone.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrNotRunning, err)
}
