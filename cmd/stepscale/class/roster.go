package class

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/stepscale/stepscale/engine/outside"
)

// MostRoster is how large a roster may be, in bytes.
const MostRoster = 1 << 20

// columns of a roster. "name" stays with the instructor; "display" is shown in class.
var columns = []string{"name", "display", "principal", "group"}

// reserved groups have people in them whom no instructor knows.
const reserved = "system:"

// RosterError is a line of a roster that cannot be used.
type RosterError struct {
	Line int
	What string
}

func (e *RosterError) Error() string { return fmt.Sprintf("%d: %s", e.Line, e.What) }

// ReadRoster reads who comes, one line each. The first line may name the columns; without
// it, the first column is the name. It returns a *RosterError for a line that is wrong.
func ReadRoster(class string, text []byte) ([]Seat, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))) // as spreadsheets write it
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	var header []string
	var seats []Seat
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return seats, nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, &RosterError{parse.Line, "CSV의 문법에 맞지 않습니다"}
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if header == nil {
			if header = columns[:1]; slices.Contains(columns, strings.ToLower(strings.TrimSpace(row[0]))) {
				if header, err = headerOf(row, line); err != nil {
					return nil, err
				}
				continue
			}
		}
		seat, err := seatOf(header, row, line)
		if err != nil {
			return nil, err
		}
		seat.ID = seatID(len(seats) + 1)
		seat.Namespace = NamespaceOf(class, seat.ID)
		if seats = append(seats, seat); len(seats) > Most {
			return nil, &RosterError{line, fmt.Sprintf("자리는 %d개까지입니다", Most)}
		}
	}
}

func headerOf(row []string, line int) (header []string, err error) {
	for _, name := range row {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, name) {
			return nil, &RosterError{line, "모르는 열입니다: " + outside.Text(name) + " (쓸 수 있는 열: " + strings.Join(columns, ", ") + ")"}
		}
		header = append(header, name)
	}
	return header, nil
}

const mostCell = 200 // runes

func seatOf(header, row []string, line int) (s Seat, err error) {
	if len(row) > len(header) && len(header) > 1 {
		return s, &RosterError{line, "열이 첫 줄보다 많습니다"}
	}
	for i, name := range header[:min(len(header), len(row))] {
		value := strings.TrimSpace(row[i])
		if len([]rune(value)) > mostCell || strings.ContainsFunc(value, outside.Refused) {
			return s, &RosterError{line, name + " 열의 값이 너무 길거나 쓸 수 없는 문자가 있습니다"}
		}
		switch name {
		case "name":
			s.Name = value
		case "display":
			s.Display = value
		case "principal":
			s.Principal = value
		case "group":
			s.Group = value
		}
	}
	if strings.HasPrefix(s.Group, reserved) {
		return s, &RosterError{line, s.Group + "에는 누구나 들어 있을 수 있습니다. 학생만 있는 그룹을 적어 주십시오"}
	}
	return s, nil
}

// Lacks is what a roster does not say that the identity needs; 0 when nothing.
func (s Spec) Lacks() (line int, what string) {
	seen := map[string]string{}
	for i, seat := range s.Seats {
		key, column := "", ""
		switch s.Identity {
		case IdentityEKS:
			if key, column = seat.Principal, "principal"; !strings.HasPrefix(key, "arn:") {
				return i + 1, "principal 열에 IAM 사용자나 역할의 ARN이 필요합니다"
			}
			if strings.Contains(key, ":assumed-role/") {
				return i + 1, "세션(assumed-role)의 ARN에는 액세스 항목을 만들 수 없습니다. 역할의 ARN을 적어 주십시오"
			}
		case IdentityGroup:
			key, column = s.group(seat), "group"
		}
		if before := seen[key]; key != "" && before != "" {
			return i + 1, column + " 열의 값이 " + before + "의 것과 같습니다. 같은 사람이 두 자리에 앉게 됩니다"
		}
		seen[key] = seat.ID
		if len(validation.IsDNS1123Label(seat.Namespace)) > 0 {
			return i + 1, "네임스페이스의 이름이 될 수 없습니다: " + seat.Namespace
		}
	}
	return 0, ""
}
