package cli

import (
	"io"
	"os"

	"github.com/stepscale/stepscale/cmd/stepscale/state"
	"github.com/stepscale/stepscale/engine/outside"
	"github.com/stepscale/stepscale/engine/recording"
)

const (
	indexSuffix  = ".index"
	leastIndexed = 4 << 20  // bytes of a recording that is read whole in no time
	mostIndex    = 64 << 20 // bytes
)

// openIndexed opens a recording, a long one with the index beside it. What a packed one has
// beside it is the index of what was packed. One that is missing or out of date is made
// anew; where that cannot be, nothing but time is lost.
func openIndexed(file string, src io.ReaderAt, size int64) (*recording.Recording, error) {
	if size < leastIndexed {
		return recording.Open(src, size)
	}
	index, readErr := outside.ReadFile(file+indexSuffix, mostIndex)
	rec, used, err := recording.OpenIndexed(src, size, index)
	ours := os.IsNotExist(readErr) || readErr == nil && recording.IsIndex(index)
	if err != nil || used || !ours { // what is somebody else's file of that name stays as it is
		return rec, err
	}
	if index, err := rec.Index(); err == nil && index != nil {
		_ = state.WriteAtomically(file+indexSuffix, index)
	}
	return rec, nil
}
