package tensors_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
)

// numberedText repeats a text, with a number of so many digits in the place of
// its "#".
func numberedText(n, digits int, text string) string {
	before, after, _ := strings.Cut(text, "#")
	b := make([]byte, 0, n*(len(text)+digits))
	for i := range n {
		number := strconv.Itoa(i)
		b = append(b, before...)
		b = append(b, strings.Repeat("0", digits-len(number))...)
		b = append(append(b, number...), after...)
	}
	return string(b)
}

// TestCost: whatever a header holds, it is answered within a second and 200 MB.
// The clock may be several times as slow here: other tests run beside.
func TestCost(t *testing.T) {
	if testing.Short() {
		t.Skip("makes headers of up to 95 MB")
	}
	check := func(name, rule string, header func() string) {
		t.Run(name, func(t *testing.T) {
			fsys := lent{mapFS(map[string][]byte{"model.safetensors": file(header())})}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			c, err := tensors.OpenFS(fsys, "m")
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) / 1e6
			t.Logf("%d MB: %v, %d MB allocated: %.100v", len(fsys.MapFS["model.safetensors"].Data)/1e6, took.Round(time.Millisecond), allocated, err)
			if took > 8*time.Second || allocated > 200 {
				t.Errorf("took %v and %d MB", took, allocated)
			}
			refused(t, c, err, rule)
		})
	}
	const rest = `":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
	const overlap = `"x":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`
	plain := numberedText(1_000_000, 7, `"#`+rest+`,`)
	many := strings.Repeat
	check("a million tensors, then one off the seams", "overlaps another", func() string { return "{" + plain + overlap })
	check("a million tensors, then one twice", `"0000000" stands twice`, func() string { return "{" + plain + `"0000000` + rest + `}` })
	check("a million escaped names, then an overlap", "spelled with escapes", func() string {
		return "{" + numberedText(1_000_000, 7, `"\u0061#`+rest+`,`) + overlap
	})
	check("a million entries all escaped, then an overlap", "spelled with escapes", func() string {
		return "{" + numberedText(1_000_000, 7, `"\u0061#":{"d\u0074ype":"\u00558","\u0073hape":[0],"d\u0061ta_offsets":[0,0]},`) + overlap
	})
	check("more tensors than there may be", "more than 1048576 tensors", func() string { return "{" + plain + numberedText(1<<20-999_999, 8, `"#`+rest+`,`) + overlap })
	check("millions of entries of metadata", "more than 65536 entries", func() string {
		return `{"__metadata__":{` + numberedText(6_500_000, 7, `"#":"",`) + `"x":""}}`
	})
	check("65,536 escaped keys of metadata, then one twice", "spelled with escapes", func() string {
		return `{"__metadata__":{` + numberedText(65_535, 900, `"\u0061#":"",`) + `"\u0061` + many("0", 900) + `":""}}`
	})
	check("escapes as a name", "spelled with escapes", func() string { return `{"` + many(`\u0061`, 95_000_000/6) + `":1}` })
	check("short escapes as a name", "spelled with escapes", func() string { return `{"` + many(`\n`, 95_000_000/2) + `":1}` })
	check("a long escaped name twice", "spelled with escapes", func() string {
		name := `"` + many(`\u0061`, 45_000_000/6) + rest
		return "{" + name + "," + name + "}"
	})
	check("a long name", "not an object", func() string { return `{"` + many(`n`, 95_000_000) + `":1}` })
	check("escapes as a type", "which the format does not have", func() string { return `{"a":{"dtype":"` + many(`\u0055`, 95_000_000/6) + `"}}` })
	check("escapes as a field", "spelled with escapes", func() string { return `{"a":{"` + many(`\u0055`, 95_000_000/6) + `":1}}` })
	check("escapes as a key of metadata", "spelled with escapes", func() string { return `{"__metadata__":{"` + many(`\u0055`, 95_000_000/6) + `":1}}` })
	check("nesting in objects", "has a field", func() string { return many(`{"a":`, 19_000_000) })
	check("nesting in lists", "nested deeper", func() string { return `{"a":{"dtype":"U8","shape":` + many("[", 95_000_000) })
	check("braces", "a string is expected", func() string { return many("{", 95_000_000) })
	check("braces in a string", "not an object", func() string { return `{"` + many("{", 95_000_000) + `":1}` })
	check("blanks", "not a JSON object", func() string { return many(" ", 95_000_000) })
	check("a number of many nines", `invalid "shape"`, func() string { return `{"a":{"dtype":"U8","shape":[` + many("9", 95_000_000) })
	check("a number of many zeros", `invalid "shape"`, func() string { return `{"a":{"dtype":"U8","shape":[` + many("0", 95_000_000) + `]}}` })
}

// TestLongNames: an error stays one short line when what it quotes is long and
// all of it must be escaped.
func TestLongNames(t *testing.T) {
	for _, character := range []string{"n", `\u0001`, `\n`, `\"`, "\u2028", "é", "日", `\udb40\udc01`, "\U000e0001"} {
		for position, header := range entryWith(strings.Repeat(character, 5000)) {
			c, err := openBytes(file(header)) // the byte of the tensor is missing
			if err == nil {
				t.Errorf("%s of %s: opened", position, character)
				c.Close()
				continue
			}
			if text := err.Error(); len(text) >= 400 || strings.ContainsAny(text, "\n\r") {
				t.Errorf("%s of %s: %d bytes: %.120s", position, character, len(text), text)
			}
		}
	}
}
