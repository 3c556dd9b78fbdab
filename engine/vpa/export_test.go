package vpa

import "encoding/json"

// For tests of the rooms above.
var (
	RandomVPA = randomVPA
	RandomPod = randomPod
)

// ToJSON is what tests compare.
func ToJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
