package record

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestConstants(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.DataErrReader(strings.NewReader(in))} {
			got, err := io.ReadAll(newConstants(r))
			if err != nil || string(got) != want {
				t.Errorf("%q becomes %q (%v), want %q", in, got, err, want)
			}
		}
	}
	check("", "")
	check("\xef\xbb\xbf[1]", "[1]")
	check(`{"a":NaN,"b":[Infinity,-Infinity,-1,-1e-5]}`, `{"a":null,"b":[null,null,-1,-1e-5]}`)
	check(`["NaN","\"NaN","\\",NaN,"\\\"Infinity"]`, `["NaN","\"NaN","\\",null,"\\\"Infinity"]`)
	check("[ \n\t\r 1,\r\n \"a  b\"]  \n", "[ 1, \"a  b\"] ")
	check(`NaN`, `null`)
	check(`-`, `-`)
	check(`"\`, `"\`)
	// Across the edge of the buffer, at every place.
	for pad := 65500; pad < 65560; pad++ {
		text := strings.Repeat("x", pad)
		check(`["`+text+`",-Infinity,"\"NaN",NaN]`, `["`+text+`",null,"\"NaN",null]`)
	}
}

// TestConstantsManyBlanks: white space takes time by its length alone.
func TestConstantsManyBlanks(t *testing.T) {
	start := time.Now()
	var list []int
	err := newDecoder(io.MultiReader(strings.NewReader("["), bytes.NewReader(bytes.Repeat([]byte(" "), 64<<20)), strings.NewReader("1]"))).Decode(&list)
	if err != nil || len(list) != 1 {
		t.Errorf("read %v (%v)", list, err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("64 MiB of blanks took %v", took)
	}
}

func FuzzConstants(f *testing.F) {
	f.Add([]byte(`{"a": [NaN, -Infinity, "NaN\""], "b": -1.5e3}`))
	f.Add([]byte(`"\u0041\\" `))
	f.Fuzz(func(t *testing.T, text []byte) {
		clean, err := io.ReadAll(newConstants(bytes.NewReader(text)))
		if err != nil {
			t.Fatal(err)
		}
		slow, err := io.ReadAll(newConstants(iotest.OneByteReader(bytes.NewReader(text))))
		if err != nil || !bytes.Equal(clean, slow) {
			t.Fatalf("read at once %q, a byte at a time %q (%v)", clean, slow, err)
		}
		var before, after any
		if json.Unmarshal(text, &before) != nil {
			return
		}
		if err := json.Unmarshal(clean, &after); err != nil || string(compact(before)) != string(compact(after)) {
			t.Fatalf("%q becomes %q, which is another value (%v)", text, clean, err)
		}
	})
}
