// Package class is who is in a class, from its making to its end: seats, what learners join with,
// what it costs, what comes of it, and the proof that nothing of it is left.
package class

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
	"github.com/stepscale/stepscale/engine/vpa"
)

const (
	// PartClass is the ConfigMap in Home that says what the class is. Only its instructor
	// reads it.
	PartClass = "class"
)

// How a learner is known to the API server.
const (
	IdentityToken = "token" // by a ServiceAccount's token that ends with the class
	IdentityEKS   = "eks"   // by an IAM principal with an access entry
	IdentityGroup = "group" // by a group that somebody else's authenticator gives
)

// Most is how many seats a class may have.
const Most = 200

// Spec is a class as its instructor made it. It is kept in Home.
type Spec struct {
	Class    string             `json:"class"`
	Identity string             `json:"identity"`
	Ends     time.Time          `json:"ends"`            // tokens do not work after it
	Image    string             `json:"image,omitempty"` // of the workload of the lessons
	Cluster  string             `json:"cluster,omitempty"`
	Region   string             `json:"region,omitempty"` // of the EKS cluster
	Budget   float64            `json:"budget,omitempty"` // USD
	Prices   map[string]float64 `json:"prices,omitempty"` // USD an hour, by instance type
	Seats    []Seat             `json:"seats"`
}

// Seat is a learner's place: a namespace, and who works in it. Nothing of it says who the
// learner is, unless the roster asks for it.
type Seat struct {
	ID        string `json:"id"` // "s01"
	Namespace string `json:"namespace"`
	Display   string `json:"display,omitempty"`   // a name that the roster asks to show
	Principal string `json:"principal,omitempty"` // an IAM ARN
	Group     string `json:"group,omitempty"`

	Name string `json:"-"` // of the learner, for the instructor's list only
}

// names are those that a class may have: a label's value, and the beginning of the names of
// its namespaces.
var names = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`)

// ValidName tells whether a class can be called so.
func ValidName(class string) bool { return names.MatchString(class) && class != "true" }

// seatID is the neutral name of the n-th seat, from 1.
func seatID(n int) string { return fmt.Sprintf("s%02d", n) }

// NamespaceOf is that of a seat.
func NamespaceOf(class, seat string) string { return class + "-" + seat }

// Anonymous are n seats of which nobody knows who sits where.
func Anonymous(class string, n int) (seats []Seat) {
	for i := range n {
		seats = append(seats, Seat{ID: seatID(i + 1), Namespace: NamespaceOf(class, seatID(i+1))})
	}
	return seats
}

// Find is the seat of that ID.
func (s Spec) Find(id string) (Seat, bool) {
	i := slices.IndexFunc(s.Seats, func(seat Seat) bool { return seat.ID == id })
	if i < 0 {
		return Seat{}, false
	}
	return s.Seats[i], true
}

// Join keeps the seats that a class has already, and adds what is new: what a class was
// begun with is not lost where the command is called again with less. It tells how many
// stay that were not asked for.
func (s Spec) Join(there Spec) (all Spec, stay int) {
	all = s
	all.Seats = slices.Clone(s.Seats)
	for _, seat := range there.Seats {
		if _, ok := s.Find(seat.ID); !ok {
			all.Seats, stay = append(all.Seats, seat), stay+1
		}
	}
	slices.SortStableFunc(all.Seats, func(a, b Seat) int {
		if len(a.ID) != len(b.ID) {
			return len(a.ID) - len(b.ID)
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, stay
}

// User is whom the API server knows a seat's token by. The ServiceAccount is in Home: the
// learner's pods cannot be given it, and one group has the whole class.
func (s Spec) User(seat Seat) string {
	return serviceaccount.MakeUsername(board.Home(s.Class), seat.ID)
}

// group is that of a seat whose learner has no token of ours.
func (s Spec) group(seat Seat) string {
	if seat.Group != "" {
		return seat.Group
	}
	return board.Home(s.Class) + "-" + seat.ID
}

// student is who works in a seat's namespace.
func (s Spec) student(seat Seat) vpa.Student {
	if s.Identity == IdentityToken {
		return vpa.Student{Namespace: seat.Namespace, Users: []string{s.User(seat)}}
	}
	return vpa.Student{Namespace: seat.Namespace, Groups: []string{s.group(seat)}}
}

// Who is a seat's learner as the API server knows them.
func (s Spec) Who(seat Seat) string {
	student := s.student(seat)
	return strings.Join(slices.Concat(student.Users, student.Groups), ", ")
}

// members are all learners, as a RoleBinding has them.
func (s Spec) members() (all []rbacv1.Subject) {
	add := func(name string) {
		all = append(all, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.GroupKind, Name: name})
	}
	if s.Identity == IdentityToken {
		add(serviceaccount.MakeNamespaceGroupName(board.Home(s.Class)))
		return all
	}
	for _, seat := range s.Seats {
		add(s.group(seat))
	}
	return all
}
