package table

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none is printed for a value that does not exist.
const none = "-"

// Sig returns v rounded to the given number of significant digits, without
// trailing zeros: 0.01234 to three digits is "0.0123". Magnitudes below 1e-4 and
// from 1e6 on are printed as "1.2e-07". NaN is "-", the infinities "inf" and
// "-inf", and 0 of either sign "0". Sig panics if digits is below 1.
func Sig(v float64, digits int) string {
	if digits < 1 {
		panic(fmt.Sprintf("table: a number has no %d significant digits", digits))
	}
	switch {
	case math.IsNaN(v):
		return none
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v, 'g', -1, 64), "+"))
	case v == 0:
		return "0"
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', digits-1, 64), 64)
	if err != nil { // rounding up left the range of float64
		rounded = v
	}
	if magnitude := math.Abs(rounded); magnitude < 1e-4 || magnitude >= 1e6 {
		return strconv.FormatFloat(rounded, 'e', -1, 64)
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// Percent returns a share as per cent with one decimal: 0.123 is "12.3 %". A
// share that is not 0 never prints as "0.0 %" but as "<0.1 %", and one that is
// not 1 never as "100.0 %" but as ">99.9 %"; the same holds below 0, where
// -0.0002 is ">-0.1 %". NaN is "-".
func Percent(share float64) string {
	if math.IsNaN(share) {
		return none
	}
	printed := decimal(100 * share)
	switch {
	case printed == "0.0" && share > 0:
		return "<0.1 %"
	case printed == "0.0" && share < 0:
		return ">-0.1 %"
	case printed == "100.0" && share < 1:
		return ">99.9 %"
	}
	return printed + " %"
}

// Points returns a difference of shares as percentage points with one decimal
// and its sign: 0.03 is "+3.0 pp". A difference of exactly 0 has no sign; a
// smaller one than can be shown keeps it, as "+0.0 pp". NaN is "-".
func Points(share float64) string {
	switch {
	case math.IsNaN(share):
		return none
	case share > 0:
		return "+" + decimal(100*share) + " pp"
	case share < 0:
		return "-" + decimal(-100*share) + " pp"
	}
	return "0.0 pp"
}

// decimal prints v with one decimal, and without a sign if nothing is left.
func decimal(v float64) string {
	printed := strconv.FormatFloat(v, 'f', 1, 64)
	if printed == "-0.0" {
		return "0.0"
	}
	return strings.ToLower(strings.TrimPrefix(printed, "+")) // +Inf is "inf"
}

// Bytes returns an amount of bytes in the binary units of IEC 80000-13 with
// one decimal: 269060552 is "256.6 MiB". Below 1024 it is a whole number of
// "B".
func Bytes(n int64) string {
	size, units := math.Abs(float64(n)), []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	if size < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	unit := -1
	for unit < len(units)-1 && math.Round(size*10)/10 >= 1024 { // 1023.96 KiB is 1.0 MiB, not 1024.0 KiB
		size /= 1024
		unit++
	}
	return fmt.Sprintf("%s %s", decimal(math.Copysign(size, float64(n))), units[unit])
}

// Count returns a whole number with a comma between the thousands: 134515008
// is "134,515,008".
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}
