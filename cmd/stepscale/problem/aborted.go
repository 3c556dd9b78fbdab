package problem

import (
	"context"
	"errors"
)

// Aborted is what the context was cancelled with where that is to be told, or nil. Nobody
// answers any more then, and every other error came of it.
func Aborted(ctx context.Context) error {
	var cause *Error
	if errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return nil
}
