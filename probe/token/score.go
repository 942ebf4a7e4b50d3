package token

import (
	"math"
	"strconv"
	"strings"
)

// readScore reads a number of JSON as the reference does, whose sums of scores
// decide between ways that are equal but for rounding. It takes the digits as
// one whole number, rounds that, and divides or multiplies by a power of ten, so
// that the last bit is often not the nearest.
func readScore(number string) (float64, bool) {
	digits, negative := strings.CutPrefix(number, "-")
	digits, power, hasPower := strings.Cut(strings.ToLower(digits), "e")
	ten := 0
	if hasPower {
		var err error
		if ten, err = strconv.Atoi(power); err != nil || ten < -1e6 || ten > 1e6 {
			return 0, false
		}
	}
	whole, part, _ := strings.Cut(digits, ".")
	digits, ten = whole+part, ten-len(part)
	value, rest := uint64(0), ""
	for i := range len(digits) {
		digit := uint64(digits[i] - '0')
		if digit > 9 {
			return 0, false
		}
		if value > (math.MaxUint64-digit)/10 {
			rest = digits[i:]
			break
		}
		value = value*10 + digit
	}
	score := scale(float64(value), ten+len(rest))
	if negative {
		score = -score
	}
	return score, digits != "" && !math.IsInf(score, 0)
}

// scale multiplies by a power of ten.
func scale(value float64, ten int) float64 {
	const largest = 308
	for ; ten < -largest && value != 0; ten += largest {
		value /= 1e308
	}
	switch {
	case value == 0 || ten < -largest:
		return 0
	case ten < 0:
		return value / math.Pow10(-ten)
	case ten > largest:
		return math.Inf(1)
	}
	return value * math.Pow10(ten)
}
