package tensors_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
)

// TestBatches reads headers of one batch, of several, and of what lies at the
// seams, as encoding/json reads them in one piece: with the metadata at any
// place, types that the parser's library does not know, and blanks.
func TestBatches(t *testing.T) {
	kinds := []string{
		`{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}`,
		`{"shape": [2], "data_offsets": [%d , %d], "dtype": "F4"}`,
		`{"data_offsets":[%d,%d],"dtype":"F8_E8M0","shape":[1,1]}`,
	}
	const metadata = `"__metadata__" : {"of":"all, of {it}"}`
	check := func(n, at int, comma string) {
		t.Run(fmt.Sprintf("%d tensors, metadata at %d, %q", n, at, comma), func(t *testing.T) {
			var fields []string
			data := make([]byte, n)
			for i := range n {
				fields = append(fields, fmt.Sprintf(`"%d,":`+kinds[i%len(kinds)], n-i, i, i+1))
				data[i] = byte(i)
			}
			if at >= 0 {
				fields = slices.Insert(fields, at, metadata)
			}
			raw := file(" {\n"+strings.Join(fields, comma)+"\t} ", data...)
			want, err := parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			c, err := openBytes(raw)
			closing(t, c, err)
			if !slices.Equal(c.Names(), slices.Sorted(maps.Keys(want.infos))) {
				t.Errorf("%d names, want %d", len(c.Names()), len(want.infos))
			}
			if !maps.Equal(c.Metadata(), want.metadata) {
				t.Errorf("metadata %v, want %v", c.Metadata(), want.metadata)
			}
			for name, info := range want.infos {
				got, _ := c.Info(name)
				bytes, err := tensors.Raw(c, name)
				if got.DType != info.DType || !slices.Equal(got.Shape, info.Shape) || err != nil || !slices.Equal(bytes, want.raw[name]) {
					t.Errorf("%q: %v %v %v, want %v %v", name, got, bytes, err, info, want.raw[name])
				}
			}
		})
	}
	for _, n := range []int{0, 1, 1023, 1024, 1025, 2048, 3333} {
		for _, at := range []int{-1, 0, 1, 1023, 1024, 1025, 2048, n} {
			if at <= n {
				check(n, at, ",")
				check(n, at, " \r\n, \t")
			}
		}
	}
}
