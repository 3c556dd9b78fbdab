package class

import (
	"time"

	"github.com/stepscale/stepscale/cmd/stepscale/board"
)

// DescriptionSchema names the shape of a Description.
const DescriptionSchema = "stepscale.class/v1"

// Description is a class without its secrets.
type Description struct {
	Schema   string      `json:"schema"`
	Class    string      `json:"class"`
	Home     string      `json:"home"`
	Identity string      `json:"identity"`
	Ends     time.Time   `json:"ends"`
	Image    string      `json:"image,omitempty"`
	Budget   float64     `json:"budgetUSD,omitempty"`
	Seats    []Described `json:"seats"`
}

// Described is a seat without its secrets.
type Described struct {
	ID        string        `json:"id"`
	Namespace string        `json:"namespace"`
	Who       string        `json:"who"`
	Display   string        `json:"display,omitempty"`
	Expires   *time.Time    `json:"tokenExpires,omitempty"` // of a token that was made now
	There     *bool         `json:"there,omitempty"`        // its namespace is there, and ours
	Report    *board.Report `json:"report,omitempty"`
}

// Describe tells of a class, and of the tokens that were made now.
func Describe(s Spec, handed []Handed) Description {
	d := Description{Schema: DescriptionSchema, Class: s.Class, Home: board.Home(s.Class), Identity: s.Identity, Ends: s.Ends, Image: s.Image, Budget: s.Budget}
	expires := map[string]time.Time{}
	for _, h := range handed {
		expires[h.ID] = h.Expires
	}
	for _, seat := range s.Seats {
		one := Described{ID: seat.ID, Namespace: seat.Namespace, Who: s.Who(seat), Display: seat.Display}
		if at := expires[seat.ID]; !at.IsZero() {
			one.Expires = &at
		}
		d.Seats = append(d.Seats, one)
	}
	return d
}
