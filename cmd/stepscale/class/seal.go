package class

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// FileVersion is what a class file says that it is.
const FileVersion = "stepscale.class/v1"

// MostFile is how large a class file may be, in bytes.
const MostFile = 8 << 20

// Why a class file opens no seat.
var (
	ErrNoClassFile = errors.New("that is no class file")
	ErrDamaged     = errors.New("the class file is damaged")
	ErrNewer       = errors.New("a newer stepscale has made the class file")
	ErrWrongCode   = errors.New("the code opens no seat")
	ErrForged      = errors.New("what the code opens is no seat of a class")
)

// File is the class file, which may be handed to everybody: what a seat needs is sealed
// with the seat's code. What stands beside the seals is for people; nothing is done by it.
type File struct {
	Version string    `json:"version"`
	Class   string    `json:"class"`
	Ends    time.Time `json:"ends"`
	Key     KeyCost   `json:"key"`
	Seats   []Sealed  `json:"seats"`
	Sum     []byte    `json:"sum"` // tells damage from a wrong code
}

// KeyCost is what it costs to try one code: argon2id's parameters. The salt is the file's,
// so that whoever joins computes one key and not one a seat: a code has 60 bits.
type KeyCost struct {
	Salt   []byte `json:"salt"`
	Time   uint32 `json:"time"`
	Memory uint32 `json:"memory"` // KiB
}

// The parameters that OWASP's password storage cheat sheet has for argon2id at least, and
// the most that a file of somebody else's may make this machine do.
const (
	keyTime, mostTime     = 2, 16
	keyMemory, mostMemory = 19 << 10, 256 << 10 // KiB
	saltBytes, keyBytes   = 16, chacha20poly1305.KeySize
)

// Sealed is a seat that a code opens.
type Sealed struct {
	ID    string `json:"id"`
	Nonce []byte `json:"nonce"`
	Box   []byte `json:"box"`
}

// Ticket is what is sealed: all that a learner's program needs.
type Ticket struct {
	Class      string    `json:"class"`
	Seat       string    `json:"seat"`
	Namespace  string    `json:"namespace"`
	User       string    `json:"user,omitempty"`       // whom the API server has to know us as
	Kubeconfig []byte    `json:"kubeconfig,omitempty"` // with the token
	EKS        string    `json:"eks,omitempty"`        // the cluster's name, where the learner has an AWS identity
	Region     string    `json:"region,omitempty"`
	Image      string    `json:"image,omitempty"`
	Expires    time.Time `json:"expires,omitzero"` // of the token
}

// NewFile is a class file without seats.
func NewFile(class string, ends time.Time) *File {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	return &File{Version: FileVersion, Class: class, Ends: ends, Key: KeyCost{salt, keyTime, keyMemory}}
}

// bound ties a seal to its class: one that is put into another file does not open.
func (f *File) bound() []byte { return []byte(FileVersion + "\x00" + f.Class) }

func (c KeyCost) of(code string) []byte {
	return argon2.IDKey([]byte(code), c.Salt, c.Time, c.Memory, 1, keyBytes)
}

// Seal makes the seal of a ticket. It is safe to call from many goroutines.
func (f *File) Seal(code string, t Ticket) (Sealed, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return Sealed{}, err
	}
	aead, err := chacha20poly1305.NewX(f.Key.of(code))
	if err != nil {
		return Sealed{}, err
	}
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	return Sealed{t.Seat, nonce, aead.Seal(nil, nonce, raw, f.bound())}, nil
}

// Put adds a seal, in the place of the seat's old one.
func (f *File) Put(s Sealed) {
	if i := slices.IndexFunc(f.Seats, func(old Sealed) bool { return old.ID == s.ID }); i >= 0 {
		f.Seats[i] = s
		return
	}
	f.Seats = append(f.Seats, s)
}

// Has tells whether the seat has a seal.
func (f *File) Has(id string) bool {
	return slices.ContainsFunc(f.Seats, func(s Sealed) bool { return s.ID == id })
}

// Open finds the seat that a code opens. Who has sealed it is not known: it is taken only as
// Hand makes them (ErrForged).
func (f *File) Open(code string) (t Ticket, err error) {
	aead, err := chacha20poly1305.NewX(f.Key.of(code))
	if err != nil {
		return t, err
	}
	for _, s := range f.Seats {
		raw, err := aead.Open(nil, s.Nonce, s.Box, f.bound())
		if err != nil {
			continue
		}
		if err := json.Unmarshal(raw, &t); err != nil || !t.ours(f.Class) {
			return Ticket{}, ErrForged
		}
		return t, nil
	}
	return t, ErrWrongCode
}

// Encode writes the file.
func (f *File) Encode() ([]byte, error) {
	var err error
	if f.Sum, err = f.sum(); err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(f, "", " ")
	return append(raw, '\n'), err
}

// sum is that of all that is in the file but itself.
func (f *File) sum() ([]byte, error) {
	whole := *f
	whole.Sum = nil
	raw, err := json.Marshal(whole)
	sum := sha256.Sum256(raw)
	return sum[:], err
}

// ReadFile reads a class file. What it costs to open it is bounded.
func ReadFile(raw []byte) (*File, error) {
	f := &File{}
	if err := json.Unmarshal(raw, f); err != nil || f.Version == "" {
		if bytes.HasPrefix(raw, []byte("{")) {
			return nil, ErrDamaged
		}
		return nil, ErrNoClassFile
	}
	if f.Version != FileVersion {
		return nil, ErrNewer
	}
	sum, err := f.sum()
	if err != nil || !slices.Equal(sum, f.Sum) || !ValidName(f.Class) || f.Key.Time < 1 || f.Key.Time > mostTime || f.Key.Memory > mostMemory || len(f.Seats) > Most {
		return nil, ErrDamaged
	}
	for _, s := range f.Seats {
		if len(s.Nonce) != chacha20poly1305.NonceSizeX {
			return nil, ErrDamaged // or the cipher would panic
		}
	}
	return f, nil
}
