// Package nearest finds the smallest change of a whole number that makes a difference.
package nearest

// EveryWithin is how near every single value is looked at. From there on Change looks
// farther by a half each time, and what is farther away may be missed where it holds for
// less than that.
const EveryWithin = 32

// Change is the value from there on, towards a bound, at which something differs and
// before which it does not.
func Change(from, bound int64, differs func(int64) bool) (int64, bool) {
	sign := int64(1)
	if bound < from {
		sign = -1
	}
	reach := (bound - from) * sign
	same := int64(0)
	for step := int64(1); same < reach; step = stepAfter(step, same) {
		try := same + min(step, reach-same)
		if !differs(from + sign*try) {
			same = try
			continue
		}
		for try-same > 1 {
			if mid := same + (try-same)/2; differs(from + sign*mid) {
				try = mid
			} else {
				same = mid
			}
		}
		return from + sign*try, true
	}
	return 0, false
}

func stepAfter(step, distance int64) int64 {
	if distance < EveryWithin {
		return 1
	}
	return max(step, distance/2)
}
