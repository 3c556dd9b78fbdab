package korean

import (
	"fmt"
	"time"
)

// Age is how long something has been so, in its two largest units at most: "45초", "12분",
// "3시간 5분", "2일". What is yet to come is no time.
func Age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d초", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d분", int(d.Minutes()))
	case d < 24*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 {
			return fmt.Sprintf("%d시간 %d분", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d시간", int(d.Hours()))
	}
	return fmt.Sprintf("%d일", int(d.Hours()/24))
}
