package task

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Numbers lists the numbers that stand in a text, in order:
//
//	-3   .5   1,234.5   2.36E-13   2.36 × 10^-13   2.36 \times 10^{-13}   10⁻³   \(10^{-3}\)
//
// A sign counts where it does not join two things (in 10-5 it does). A comma
// between groups of three digits, in LaTeX {,} or \, too, and a narrow or
// no-break blank there separate thousands. Digits that belong to something else
// are no numbers: those of H2O, CO_2, mol^{-1}, mol-1 and carbon-14. A unit may
// follow at once (5kg, 50%). Numbers that a float64 cannot hold are left out.
func Numbers(text string) []float64 {
	text = plainNumbers(text)
	var list []float64
	for at := 0; at < len(text); {
		end := mantissa(text, at)
		if end == at {
			at++
			continue
		}
		sign, attached := before(text[:at])
		number, next := scaled(text, at, end)
		if value, err := strconv.ParseFloat(sign+number, 64); err == nil && !attached {
			list = append(list, value)
		}
		at = next
	}
	return list
}

// soleNumber is the number that a text is, if it is nothing else.
func soleNumber(text string) (float64, bool) {
	if value, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && !math.IsInf(value, 0) && !math.IsNaN(value) {
		return value, true
	}
	if list := Numbers(text); len(list) == 1 && !strings.ContainsFunc(text, unicode.IsLetter) {
		return list[0], true
	}
	return 0, false
}

// notation turns what LaTeX and typography write into plain characters.
var notation = strings.NewReplacer("\u2212", "-", "\u2013", "-", `\times`, "×", `\cdot`, "·", "{,}", ",", `\,`, "\u2009", `\!`, "")

// plainNumbers also takes narrow blanks out of numbers.
func plainNumbers(text string) string {
	text = notation.Replace(text)
	var b strings.Builder
	for i, c := range text {
		if c == '\u2009' || c == '\u202f' || c == '\u00a0' {
			if i > 0 && digits(text[i-1:i]) == 1 && digits(text[i+utf8.RuneLen(c):]) == 3 {
				continue
			}
		}
		b.WriteRune(c)
	}
	return b.String()
}

// digits is how many digits a text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// mantissa is where the digits that begin at a place end, with the commas
// between thousands and the fraction; at itself for none.
func mantissa(text string, at int) (end int) {
	end = at + digits(text[at:])
	if end == at && (text[at] != '.' || at > 0 && digits(text[at-1:at]) == 1) {
		return at
	}
	if n := end - at; n >= 1 && n <= 3 {
		for end < len(text) && text[end] == ',' && digits(text[end+1:]) == 3 {
			end += 4
		}
	}
	if end < len(text) && text[end] == '.' {
		if n := digits(text[end+1:]); n > 0 {
			end += 1 + n
		}
	}
	return end
}

// before is the sign of digits, and whether they belong to what stands before
// them: a letter, a formula's index or an exponent.
func before(text string) (sign string, attached bool) {
	bare := strings.TrimRight(text, "+-")
	signed := len(text)-len(bare) == 1
	if len(text)-len(bare) > 1 { // --5
		bare, signed = text[:len(text)-1], true
	}
	last, _ := utf8.DecodeLastRuneInString(bare)
	attached = unicode.IsLetter(last) || isRaised(strings.TrimRight(bare, "{(")) || !signed && (last == '.' || '0' <= last && last <= '9')
	if signed && text[len(text)-1] == '-' && !unicode.IsDigit(last) && !strings.ContainsRune(")]}", last) {
		sign = "-"
	}
	return sign, attached
}

// isRaised reports whether a text ends with the mark of an exponent or, behind a
// letter or a bracket, of an index.
func isRaised(text string) bool {
	base, index := strings.CutSuffix(text, "_")
	last, _ := utf8.DecodeLastRuneInString(base)
	return strings.HasSuffix(text, "^") || index && (unicode.IsLetter(last) || last == ')' || last == '}')
}

// superscripts are digits and signs above the line, and what they mean.
var superscripts = map[rune]rune{'⁰': '0', '¹': '1', '²': '2', '³': '3', '⁴': '4', '⁵': '5', '⁶': '6', '⁷': '7', '⁸': '8', '⁹': '9', '⁻': '-', '⁺': '+'}

// scaled is the number whose mantissa stands from at to end, as strconv reads
// it, with the power of ten that may stand behind it, and where that ends. Of
// 10^3 the mantissa is the base.
func scaled(text string, at, end int) (number string, next int) {
	number = strings.ReplaceAll(text[at:end], ",", "")
	rest := text[end:]
	if strings.HasPrefix(rest, "e") || strings.HasPrefix(rest, "E") {
		exponent, size := integer(rest[1:])
		if size > 0 {
			return number + "e" + exponent, end + 1 + size
		}
		return number, end
	}
	if number == "10" {
		if exponent, size := tenTo(rest); size > 0 {
			return "1e" + exponent, end + size
		}
	}
	times := strings.TrimLeft(rest, " ")
	sign, size := utf8.DecodeRuneInString(times)
	if times == "" || !strings.ContainsRune("×·xX*", sign) {
		return number, end
	}
	base, ok := strings.CutPrefix(strings.TrimLeft(times[size:], " "), "10")
	if exponent, size := tenTo(base); ok && size > 0 {
		return number + "e" + exponent, len(text) - len(base) + size
	}
	return number, end
}

// tenTo reads the exponent behind the base ten and how many bytes it takes with
// its mark, 0 for none.
func tenTo(text string) (exponent string, size int) {
	if rest, ok := strings.CutPrefix(text, "**"); ok {
		exponent, size = integer(rest)
		return exponent, size + min(size, 1)*2
	}
	if rest, ok := strings.CutPrefix(text, "^"); ok {
		inner := strings.TrimLeft(rest, "{( ")
		exponent, size = integer(inner)
		return exponent, size + min(size, 1)*(len(text)-len(inner))
	}
	for i, c := range text {
		plain, ok := superscripts[c]
		if !ok {
			break
		}
		exponent, size = exponent+string(plain), i+utf8.RuneLen(c)
	}
	if _, whole := integer(exponent); whole != len(exponent) {
		return "", 0
	}
	return exponent, size
}

// integer reads digits with a sign and how many bytes they take, 0 for none.
func integer(text string) (number string, size int) {
	if text != "" && (text[0] == '-' || text[0] == '+') {
		size = 1
	}
	n := digits(text[size:])
	if n == 0 {
		return "", 0
	}
	return text[:size+n], size + n
}
