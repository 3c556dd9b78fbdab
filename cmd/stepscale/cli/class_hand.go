package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/pflag"

	"github.com/stepscale/stepscale/cmd/stepscale/class"
	"github.com/stepscale/stepscale/cmd/stepscale/problem"
	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/cmd/stepscale/view"
	"github.com/stepscale/stepscale/engine/outside"
)

// handOptions say how seats are handed out.
type handOptions struct {
	file, seats string
	codes, qr   bool
}

func (o *handOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.file, "file", "", "수업 `파일`의 이름 (NAME.class가 기본)")
	f.StringVar(&o.seats, "seats", "", "자리마다의 줄을 화면 대신 이 `파일`에 적습니다(0600)")
	f.BoolVar(&o.codes, "codes", false, "자리의 번호와 이름 없이 코드만 섞어서 내어 드립니다. 누가 어느 자리인지 강사도 모릅니다")
	f.BoolVar(&o.qr, "qr", false, "줄마다 QR 코드도 그립니다")
}

func (o handOptions) path(name string) string {
	if o.file != "" {
		return o.file
	}
	return name + classFile
}

// classFileFor is the class file that seats are put into: that of an earlier call, as long
// as its class is there, or a new one.
func (d deps) classFileFor(name string, o handOptions, s class.Spec, there bool) (*class.File, error) {
	if s.Identity == class.IdentityGroup {
		return nil, nil
	}
	file, err := readClassFile(o.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !there && file.Class == name: // of a class that was deleted
		return class.NewFile(name, s.Ends), nil
	case err != nil:
		return nil, classFileError(o.path(name), err)
	case file.Class != name:
		return nil, problem.Usage("다른 수업의 파일입니다: "+o.path(name)+" (수업 "+file.Class+")", "--file로 다른 이름을 적어 주십시오. 아무것도 쓰지 않았습니다.")
	}
	return file, nil
}

func readClassFile(path string) (*class.File, error) {
	raw, err := outside.ReadFile(path, class.MostFile)
	if err != nil {
		return nil, err
	}
	return class.ReadFile(raw)
}

// unsealed are the seats that nobody has a code for.
func unsealed(s class.Spec, file *class.File) (seats []class.Seat) {
	for _, seat := range s.Seats {
		if file == nil || !file.Has(seat.ID) {
			seats = append(seats, seat)
		}
	}
	return seats
}

// handOut makes codes for seats and tells them, once. The file is written last: who was
// interrupted before gets other codes.
func (d deps) handOut(ctx context.Context, r room, s class.Spec, seats []class.Seat, file *class.File, o handOptions) ([]class.Handed, error) {
	screen := view.New(d.errOut)
	if file == nil {
		return d.tellGroups(s)
	}
	if len(seats) == 0 {
		screen.Note("자리마다 이미 코드가 있습니다: " + o.path(s.Class) + ". 코드를 잃어버렸으면 stepscale class renew " + s.Class + " s01처럼 새로 만들어 주십시오.")
		if s.Identity == class.IdentityToken && s.Ends.Sub(file.Ends).Abs() > time.Minute {
			screen.Note("이미 나눠 드린 토큰은 " + clockTime(file.Ends) + "까지입니다. 바꾸시려면 stepscale class renew에 --ends를 적어 주십시오.")
		}
		return nil, nil
	}
	file.Ends = s.Ends
	handed, err := r.Hand(ctx, s, seats, file, time.Now())
	if err != nil {
		return nil, d.unfinished(ctx, s.Class, err)
	}
	raw, err := file.Encode()
	if err != nil {
		return nil, err
	}
	if err := d.tellCodes(s, handed, o); err != nil {
		return nil, err
	}
	if err := state.WriteAtomically(o.path(s.Class), raw); err != nil {
		return nil, &problem.Error{What: "수업 파일을 쓸 수 없습니다: " + outside.Reason(err), Where: o.path(s.Class), Hint: "위의 코드는 쓸 수 없습니다. --file로 쓸 수 있는 곳을 적어 다시 실행하시면 새 코드가 나옵니다."}
	}
	screen.Done("수업 파일: " + o.path(s.Class) + ". 모두에게 나누어 주셔도 됩니다. 코드 없이는 아무것도 열리지 않습니다.")
	screen.Note("코드는 다시 보여 드릴 수 없습니다. 잃어버리면 stepscale class renew로 새로 만들어 주십시오.")
	if h := handed[0]; h.Shortened(s.Ends) {
		screen.Note("클러스터가 토큰을 " + clockTime(h.Expires) + "까지만 내주었습니다. 수업이 끝나는 " + clockTime(s.Ends) + "보다 이릅니다. 그 전에 stepscale class renew를 실행해 주십시오.")
	}
	return handed, nil
}

// tellCodes writes the list, to the screen or into a file that only its owner reads.
func (d deps) tellCodes(s class.Spec, handed []class.Handed, o handOptions) error {
	list, err := seatList(s, handed, o)
	if err != nil {
		return err
	}
	if o.seats == "" {
		_, err = io.WriteString(outside.Writer(d.out), list)
		return err
	}
	if err := state.WriteAtomically(o.seats, []byte(list)); err != nil {
		return &problem.Error{What: "자리의 목록을 쓸 수 없습니다: " + outside.Reason(err), Where: o.seats, Hint: "쓸 수 있는 곳을 --seats로 적어 다시 실행해 주십시오."}
	}
	view.New(d.errOut).Done("자리의 목록: " + o.seats)
	return nil
}

// seatList is what is printed, cut and handed out.
func seatList(s class.Spec, handed []class.Handed, o handOptions) (string, error) {
	order := make([]int, len(handed))
	for i := range order {
		order[i] = i
	}
	if o.codes {
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	var b strings.Builder
	for _, i := range order {
		h := handed[i]
		line := "stepscale class join " + shellescape.Quote(filepath.Base(o.path(s.Class))) + " " + h.Code
		if !o.codes {
			fmt.Fprintf(&b, "%s\n", strings.TrimRight("수업 "+s.Class+"  자리 "+h.ID+"  "+h.Name, " "))
		}
		fmt.Fprintf(&b, "    %s\n", line)
		if o.qr {
			code, err := class.QR(line)
			if err != nil {
				return "", err
			}
			b.WriteString(code)
		}
	}
	return b.String(), nil
}

// tellGroups is for a class whose learners come with identities of somebody else's.
func (d deps) tellGroups(s class.Spec) ([]class.Handed, error) {
	screen := view.New(d.out)
	screen.Section("자리의 네임스페이스와 그룹")
	for _, seat := range s.Seats {
		screen.Raw("  " + seat.Namespace + "  " + s.Who(seat) + "  " + seat.Name)
	}
	screen.Note("학생에게: stepscale learn hpa -n " + s.Seats[0].Namespace + " (클러스터와 이미지의 플래그를 함께)")
	return nil, nil
}

// seatProgress counts seats on a terminal, and says once elsewhere what is being done.
type seatProgress struct {
	mu     sync.Mutex
	screen *view.Screen
	most   int
}

func newSeatProgress(w io.Writer, doing string) *seatProgress {
	p := &seatProgress{screen: view.New(w)}
	p.screen.Doing(doing)
	p.screen.Busy(doing)
	return p
}

// at shows how many there are; who counts side by side may be late.
func (p *seatProgress) at(what string, n, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n >= p.most {
		p.most = n
		p.screen.Busy(fmt.Sprintf("%s %d/%d", what, n, of))
	}
}

func (p *seatProgress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.Erase()
}
