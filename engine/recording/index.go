package recording

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/stepscale/stepscale/engine/trace"
)

// indexMagic begins an index, with the version of its format in it: one of another version
// is made anew.
const indexMagic = "stepscale index 2\n"

// errIndex tells why an index is not used: it is damaged, or one of other bytes.
var errIndex = errors.New("not an index of this recording")

// IsIndex tells whether a file that begins like that is an index, of any version: another
// file of its name is somebody else's.
func IsIndex(head []byte) bool { return bytes.HasPrefix(head, []byte("stepscale index ")) }

// OpenIndexed is Open with what Index returned when the same bytes were opened before. A
// damaged index, and one of other bytes, is as good as none; used tells whether it was
// used. Every byte of the recording is read either way, for its checksum: a size and a
// time of change would say of an edited file that it is the one that was indexed.
func OpenIndexed(src io.ReaderAt, size int64, index []byte) (r *Recording, used bool, err error) {
	if r, err := fromIndex(src, size, index); err == nil {
		return r, true, nil
	}
	r, err = Open(src, size)
	return r, false, err
}

// Index is what OpenIndexed opens the same recording with. One with a torn line has none:
// it is about to change.
func (r *Recording) Index() ([]byte, error) {
	if r.Torn != nil {
		return nil, nil
	}
	sum, err := checksum(r.src, r.size)
	if err != nil {
		return nil, err
	}
	t := newTable(r, sum)
	b := bytes.NewBufferString(indexMagic)
	b.Write(make([]byte, crc32.Size))
	if err := gob.NewEncoder(b).Encode(t); err != nil {
		return nil, fmt.Errorf("encode the index: %w", err)
	}
	out := b.Bytes()
	body := out[len(indexMagic)+crc32.Size:]
	binary.BigEndian.PutUint32(out[len(indexMagic):], crc32.Checksum(body, castagnoli()))
	return out, nil
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // which processors compute

func checksum(src io.ReaderAt, size int64) (uint32, error) {
	h := crc32.New(castagnoli())
	_, err := io.CopyBuffer(h, io.NewSectionReader(src, 0, size), make([]byte, 1<<20))
	return h.Sum32(), err
}

// table is an index: columns of small numbers, which gob writes as a byte or two each.
type table struct {
	Size   int64
	Sum    uint32
	Header Header
	Texts  []string // that the other columns name by their place

	// Of every frame. Lines, passes, seconds and offsets are told by how much they grow.
	Line, Pass, Step, Subject, Second, Nano, Zone, Flags, Gap, Length []int64

	// Of every fact: its name, how many values it has, and of those the frames, by how
	// much they grow, and the texts.
	Name, Count, Frame, Text []int64
}

const (
	flagFailed = 1 << iota
	flagMoved
)

// dictionary gives every text a place.
type dictionary struct {
	places map[string]int64
	texts  []string
}

func (d *dictionary) place(text string) int64 {
	n, ok := d.places[text]
	if !ok {
		n = int64(len(d.texts))
		d.places[text], d.texts = n, append(d.texts, text)
	}
	return n
}

func newTable(r *Recording, sum uint32) *table {
	t := &table{Size: r.size, Sum: sum, Header: r.Header}
	words := dictionary{places: map[string]int64{}}
	var before Row
	second := int64(0)
	for _, row := range r.rows {
		flags := int64(0)
		if row.Failed {
			flags |= flagFailed
		}
		if row.Moved {
			flags |= flagMoved
		}
		_, zone := row.At.Zone()
		t.Line, t.Pass = append(t.Line, int64(row.Line-before.Line)), append(t.Pass, int64(row.Pass-before.Pass))
		t.Step, t.Subject = append(t.Step, words.place(string(row.Step))), append(t.Subject, words.place(row.Subject))
		t.Second, t.Nano, t.Zone = append(t.Second, row.At.Unix()-second), append(t.Nano, int64(row.At.Nanosecond())), append(t.Zone, int64(zone))
		t.Flags = append(t.Flags, flags)
		t.Gap, t.Length = append(t.Gap, row.offset-before.offset-int64(before.length)), append(t.Length, int64(row.length))
		before, second = row, row.At.Unix()
	}
	for _, name := range slices.Sorted(maps.Keys(r.facts)) {
		values := r.facts[name]
		t.Name, t.Count = append(t.Name, words.place(name)), append(t.Count, int64(len(values)))
		frame := 0
		for _, v := range values {
			t.Frame, t.Text = append(t.Frame, int64(v.Frame-frame)), append(t.Text, words.place(v.Text))
			frame = v.Frame
		}
	}
	t.Texts = words.texts
	return t
}

func fromIndex(src io.ReaderAt, size int64, index []byte) (*Recording, error) {
	body, ok := bytes.CutPrefix(index, []byte(indexMagic))
	if !ok || len(body) < crc32.Size || binary.BigEndian.Uint32(body) != crc32.Checksum(body[crc32.Size:], castagnoli()) {
		return nil, errIndex
	}
	var t table
	if err := gob.NewDecoder(bytes.NewReader(body[crc32.Size:])).Decode(&t); err != nil {
		return nil, err
	}
	if t.Size != size || !t.whole() {
		return nil, errIndex
	}
	if sum, err := checksum(src, size); err != nil || sum != t.Sum {
		return nil, errors.Join(errIndex, err)
	}
	r := &Recording{Header: t.Header, src: src, size: size, facts: make(map[string][]Value, len(t.Name))}
	if !t.fillRows(r) || !t.fillFacts(r) {
		return nil, errIndex
	}
	return r, nil
}

// whole tells whether every column is as long as it has to be, and names texts that are there.
func (t *table) whole() bool {
	for _, column := range [][]int64{t.Line, t.Pass, t.Step, t.Subject, t.Second, t.Nano, t.Zone, t.Flags, t.Gap, t.Length} {
		if len(column) != len(t.Line) {
			return false
		}
	}
	for _, places := range [][]int64{t.Step, t.Subject, t.Name, t.Text} {
		for _, n := range places {
			if n < 0 || n >= int64(len(t.Texts)) {
				return false
			}
		}
	}
	return len(t.Name) == len(t.Count) && len(t.Frame) == len(t.Text)
}

// fillRows tells whether the frames lie one behind the other in the file.
func (t *table) fillRows(r *Recording) bool {
	r.rows = make([]Row, len(t.Line))
	var line, pass, second, end int64
	zones := map[int64]*time.Location{0: time.UTC}
	for i := range r.rows {
		line, pass, second = line+t.Line[i], pass+t.Pass[i], second+t.Second[i]
		offset := end + t.Gap[i]
		if t.Gap[i] < 0 || t.Length[i] <= 0 || offset < 0 || t.Length[i] > t.Size-offset {
			return false
		}
		end = offset + t.Length[i]
		zone := zones[t.Zone[i]]
		if zone == nil {
			zone = time.FixedZone("", int(t.Zone[i]))
			zones[t.Zone[i]] = zone
		}
		r.rows[i] = Row{
			Line: int(line), Pass: int(pass), Step: trace.StepID(t.Texts[t.Step[i]]), Subject: t.Texts[t.Subject[i]],
			At: time.Unix(second, t.Nano[i]).In(zone), Failed: t.Flags[i]&flagFailed != 0, Moved: t.Flags[i]&flagMoved != 0,
			offset: offset, length: int(t.Length[i]),
		}
	}
	return true
}

// fillFacts tells whether the values are of frames that are there, in their order.
func (t *table) fillFacts(r *Recording) bool {
	at := 0
	for i, count := range t.Count {
		if count < 0 || count > int64(len(t.Frame)-at) {
			return false
		}
		values, frame := make([]Value, count), int64(0)
		for j := range values {
			frame += t.Frame[at+j]
			if t.Frame[at+j] < 0 || frame >= int64(len(r.rows)) {
				return false
			}
			values[j] = Value{int(frame), t.Texts[t.Text[at+j]]}
		}
		r.facts[t.Texts[t.Name[i]]] = values
		at += int(count)
	}
	return at == len(t.Frame)
}
