package class

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// The API server makes no token for less than ten minutes. One for exactly 3607 seconds is
// taken for a pod's, and lives longer than it says (apiserver's serviceaccount
// WarnOnlyBoundTokenExpirationPeriod).
const (
	leastToken   = 10 * time.Minute
	podsToken    = 3607 * time.Second
	shortenedFor = time.Minute // what an expiry may be off without being another
)

// Handed is what a learner gets: the code, and until when it is good for anything.
type Handed struct {
	Seat
	Code    string
	Expires time.Time // zero where there is no token
}

// Shortened tells whether the cluster made a token end before the class does.
func (h Handed) Shortened(ends time.Time) bool {
	return !h.Expires.IsZero() && ends.Sub(h.Expires) > shortenedFor
}

// Renew takes the tokens of seats away: whoever has one cannot use it any more.
func (r *Room) Renew(ctx context.Context, s Spec, seats []Seat) error {
	if s.Identity != IdentityToken {
		return nil
	}
	return each(ctx, len(seats), func(ctx context.Context, i int) error { return r.revoke(ctx, s, seats[i]) })
}

// Hand makes new codes for seats, and puts what they open into the file: tokens where the
// class has them. Nothing of it is kept anywhere else.
func (r *Room) Hand(ctx context.Context, s Spec, seats []Seat, file *File, now time.Time) ([]Handed, error) {
	handed, sealed := make([]Handed, len(seats)), make([]Sealed, len(seats))
	var once sync.Once
	var authority []byte
	var read error
	err := each(ctx, len(seats), func(ctx context.Context, i int) (err error) {
		t := Ticket{Class: s.Class, Seat: seats[i].ID, Namespace: seats[i].Namespace, Image: s.Image}
		if s.Identity == IdentityEKS {
			t.EKS, t.Region = s.Cluster, s.Region
		} else {
			once.Do(func() { authority, read = r.authority() })
			if read != nil {
				return read
			}
			if err := r.token(ctx, s, seats[i], authority, &t, now); err != nil {
				return err
			}
		}
		handed[i] = Handed{seats[i], NewCode(), t.Expires}
		sealed[i], err = file.Seal(handed[i].Code, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, one := range sealed {
		file.Put(one)
	}
	return handed, nil
}

// token asks for a token that ends with the class, and makes a kubeconfig of it.
func (r *Room) token(ctx context.Context, s Spec, seat Seat, authority []byte, t *Ticket, now time.Time) error {
	life := max(s.Ends.Sub(now).Round(time.Second), leastToken)
	if life == podsToken {
		life += time.Second
	}
	made, err := r.kube.CoreV1().ServiceAccounts(board.Home(s.Class)).CreateToken(ctx, seat.ID,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: new(int64(life / time.Second))}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("TokenRequest %s/%s: %w", board.Home(s.Class), seat.ID, err)
	}
	t.User, t.Expires = s.User(seat), made.Status.ExpirationTimestamp.Time
	t.Kubeconfig, err = clientcmd.Write(api.Config{
		CurrentContext: s.Class,
		Contexts:       map[string]*api.Context{s.Class: {Cluster: s.Class, AuthInfo: seat.ID, Namespace: seat.Namespace}},
		Clusters:       map[string]*api.Cluster{s.Class: {Server: r.config.Host, CertificateAuthorityData: authority, TLSServerName: r.config.ServerName}},
		AuthInfos:      map[string]*api.AuthInfo{seat.ID: {Token: made.Status.Token}},
	})
	return err
}

// authority is whose certificates the API server has.
func (r *Room) authority() ([]byte, error) {
	if len(r.config.CAData) > 0 || r.config.CAFile == "" {
		return r.config.CAData, nil
	}
	return os.ReadFile(r.config.CAFile)
}
