package class

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/stepscale/stepscale/clusters/attached"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/outside"
)

// ErrSomebodyElse tells that the API server knows a seat's token as somebody else.
var ErrSomebodyElse = errors.New("the API server knows us as somebody else")

const (
	seatFile       = "seat.json"
	seatKubeconfig = "seat.kubeconfig"
	mostSeat       = 1 << 20
)

// Joined is the seat that a learner has taken. It is remembered in the state directory, so
// that lessons are played there.
type Joined struct {
	Class      string    `json:"class"`
	Seat       string    `json:"seat"`
	Namespace  string    `json:"namespace"`
	Kubeconfig string    `json:"kubeconfig,omitempty"` // path; empty where EKS is asked for a token
	Context    string    `json:"context,omitempty"`
	EKS        string    `json:"eks,omitempty"`
	Region     string    `json:"region,omitempty"`
	Image      string    `json:"image,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	NoReport   bool      `json:"noReport,omitempty"` // the learner does not want to report
}

// Find makes a ticket a source of the cluster that it leads to: the token is tried before it
// is written anywhere.
func (t Ticket) Find(context.Context) (attached.Found, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(t.Kubeconfig)
	if err != nil {
		return attached.Found{}, &attached.Error{Reason: attached.BadKubeconfig, Err: err}
	}
	return attached.Found{Name: t.Class, Config: cfg, Namespace: t.Namespace}, nil
}

// ReasonOf finds the cause in an error of the cluster.
func (Ticket) ReasonOf(err error) attached.Reason { return attached.ReasonOf(err) }

// WhoAmI asks the API server whom it takes us for, and refuses to be somebody else than the
// ticket says (ErrSomebodyElse).
func (t Ticket) WhoAmI(ctx context.Context, cfg *rest.Config) (string, error) {
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return "", err
	}
	review, err := kube.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	who := outside.Text(review.Status.UserInfo.Username)
	if t.User != "" && who != t.User {
		return who, fmt.Errorf("%w: %s", ErrSomebodyElse, who)
	}
	return who, nil
}

// Sit remembers the seat: first the kubeconfig, which only its owner can read, and then
// the seat that names it.
func (t Ticket) Sit(home state.Dir, noReport bool) (Joined, error) {
	j := Joined{NoReport: noReport, Class: t.Class, Seat: t.Seat, Namespace: t.Namespace, EKS: t.EKS, Region: t.Region, Image: t.Image, Expires: t.Expires}
	file, err := home.Path(seatFile)
	if err != nil {
		return j, err
	}
	if len(t.Kubeconfig) > 0 {
		j.Kubeconfig, j.Context = filepath.Join(filepath.Dir(file), seatKubeconfig), t.Class
		if err := state.WriteAtomically(j.Kubeconfig, t.Kubeconfig); err != nil {
			return j, err
		}
	}
	raw, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return j, err
	}
	return j, state.WriteAtomically(file, append(raw, '\n'))
}

// Seated is the seat that was taken; false where there is none. One that cannot be read is
// an error: a lesson would be played on another cluster than the learner thinks.
func Seated(home state.Dir) (j Joined, taken bool, err error) {
	file, err := home.Path(seatFile)
	if err != nil {
		return j, false, nil // who has no directory has no seat
	}
	raw, err := outside.ReadFile(file, mostSeat)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // what is wrong with the directory is told by who writes into it
		return j, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &j)
	}
	if err == nil && (j.Namespace == "" || (j.Kubeconfig == "") == (j.EKS == "")) {
		err = errNonsense
	}
	if err != nil {
		return j, true, fmt.Errorf("%s: %w", file, err)
	}
	return j, true, nil
}

// Leave forgets the seat: the key goes first, and with it what a join has left that was killed.
func Leave(home state.Dir) error {
	for _, name := range []string{seatKubeconfig, seatFile} {
		file, err := home.Path(name)
		if err != nil {
			return err
		}
		if err := state.Remove(file); err != nil {
			return err
		}
	}
	return nil
}
