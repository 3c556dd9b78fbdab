package class

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
)

// TestSit: a seat is remembered so that only its owner reads the key, and forgotten whole.
func TestSit(t *testing.T) {
	dir := t.TempDir()
	home := state.At(dir)
	if _, taken, err := Seated(home); taken || err != nil {
		t.Fatalf("nobody has joined: %v, %v", taken, err)
	}
	j, err := Ticket{Class: "k8s", Seat: "s07", Namespace: "k8s-s07", Kubeconfig: []byte("key"), Image: "i"}.Sit(home, true)
	if err != nil {
		t.Fatal(err)
	}
	got, taken, err := Seated(home)
	if err != nil || !taken || got != j || got.Context != "k8s" || !got.NoReport {
		t.Errorf("seated at %+v, %v, %v", got, taken, err)
	}
	for _, file := range []string{seatFile, seatKubeconfig} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	for _, text := range []string{"", "{}", "nonsense", `{"namespace":"x","kubeconfig":"a","eks":"b"}`} {
		if err := os.WriteFile(filepath.Join(dir, seatFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, taken, err := Seated(home); !taken || err == nil {
			t.Errorf("%q is taken for a seat: %v", text, err)
		}
	}
	for _, left := range []string{seatKubeconfig + ".tmp-123", seatFile + ".tmp-4"} { // by a join that was killed
		if err := os.WriteFile(filepath.Join(dir, left), []byte("key"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := Leave(home); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// TestTicket: the cluster knows who comes, and a ticket that is renewed makes the old one
// worthless.
func TestTicket(t *testing.T) {
	t.Parallel()
	c := newClassroom(t, "tickets", 2)
	c.create(t)
	file, tickets := c.hand(t)
	if late := c.spec.Ends.Sub(tickets[0].Expires).Abs(); late > 5*time.Second {
		t.Errorf("the token ends %s beside the class", late)
	}
	up := func(x Ticket) error {
		cfg, err := attached.From(x, nil).Up(t.Context())
		if err == nil {
			_, err = x.WhoAmI(t.Context(), cfg)
		}
		return err
	}
	if err := up(tickets[0]); err != nil {
		t.Fatal(err)
	}
	swapped := tickets[0]
	swapped.User = tickets[1].User
	if err := up(swapped); !errors.Is(err, ErrSomebodyElse) {
		t.Errorf("another's seat: %v", err)
	}
	if err := c.Renew(t.Context(), c.spec, c.spec.Seats[:1]); err != nil {
		t.Fatal(err)
	}
	handed, err := c.Hand(t.Context(), c.spec, c.spec.Seats[:1], file, time.Now())
	if err != nil || len(file.Seats) != 2 {
		t.Fatal(err, len(file.Seats))
	}
	renewed, err := file.Open(handed[0].Code)
	if err != nil {
		t.Fatal(err)
	}
	within(t, patience, "the old token is worth nothing", func() bool {
		_, err := tickets[0].kube(t).CoreV1().Pods(tickets[0].Namespace).List(t.Context(), metav1.ListOptions{})
		return apierrors.IsUnauthorized(err)
	})
	if err := errors.Join(up(renewed), up(tickets[1])); err != nil {
		t.Errorf("the new one, and the other seat's: %v", err)
	}
	if _, err := renewed.kube(t).CoreV1().Pods(renewed.Namespace).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the new token in its namespace: %v", err)
	}
	var known *attached.Error
	if err := up(tickets[0]); !errors.As(err, &known) || known.Reason != attached.NoEntry {
		t.Errorf("the old one: %v", err)
	}
}

func TestShortened(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		expires time.Time
		want    bool
	}{{now, false}, {now.Add(-30 * time.Second), false}, {now.Add(-2 * time.Minute), true}, {time.Time{}, false}, {now.Add(time.Hour), false}} {
		if got := (Handed{Expires: c.expires}).Shortened(now); got != c.want {
			t.Errorf("a token until %s of a class until %s: %t", c.expires, now, got)
		}
	}
}
