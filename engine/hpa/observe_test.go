package hpa

import (
	"strings"
	"testing"
	"time"
)

// TestWhyDifferent: what the controller remembers holds a scale-down back, and is no
// reason for a scale-up.
func TestWhyDifferent(t *testing.T) {
	for name, c := range map[string]struct {
		d    difference
		want string
	}{
		"read later":                   {difference{2, 2, 4, 4, time.Minute}, "같은 수가 나옵니다"},
		"read while it changed, up":    {difference{2, 2, 3, 4, time.Minute}, "앞서 읽은 값으로는 2개, 지금의 값으로는 4개"},
		"read while it changed, down":  {difference{5, 5, 4, 2, 0}, "앞서 읽은 값으로는 5개, 지금의 값으로는 2개"},
		"remembers":                    {difference{4, 2, 4, 2, 5 * time.Minute}, "5분이 지나면 기억이 같아집니다"},
		"remembers the one in between": {difference{4, 2, 3, 2, 5 * time.Minute}, "5분이 지나면 기억이 같아집니다"},
		"has forgotten":                {difference{4, 2, 4, 2, 0}, "찾지 못했습니다"},
		"up, and nothing has changed":  {difference{2, 2, 3, 2, 5 * time.Minute}, "찾지 못했습니다"},
		"less than predicted":          {difference{2, 4, 2, 4, 5 * time.Minute}, "찾지 못했습니다"},
	} {
		if got := c.d.why(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
