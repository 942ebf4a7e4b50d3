package tensors_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"surgeon/tensors"
)

// tensor is the header entry of one tensor.
func tensor(name, dtype, shape, offsets string) string {
	return fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":%s}`, name, dtype, shape, offsets)
}

// TestHostileFiles refuses, in one readable line, every file that breaks a
// rule of the format. The rules are those of the Rust reference; where it is
// more lenient the case says so.
func TestHostileFiles(t *testing.T) {
	good := tensor("a", "U8", "[2]", "[0,2]")
	many := strings.Repeat(`1,`, 1_000_000) + "1"
	type hostile struct {
		name string
		data []byte
		rule string
	}
	var cases []hostile
	raw := func(name, rule string, data []byte) { cases = append(cases, hostile{name, data, rule}) }
	header := func(name, rule, header string, data ...byte) { raw(name, rule, file(header, data...)) }

	// HeaderTooSmall, HeaderTooLarge, InvalidHeaderLength.
	raw("nothing", "0 bytes, less than the 8", nil)
	raw("seven bytes", "7 bytes, less than the 8", []byte("1234567"))
	raw("length above the limit", "claims 100000001 bytes, more than the 100000000", []byte{0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0, '{', '}'})
	raw("length of 2^64-1", "claims 18446744073709551615 bytes, more than", []byte{255, 255, 255, 255, 255, 255, 255, 255, '{', '}'})
	raw("length past the end", "claims 3 bytes but the file ends after 2", []byte{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
	raw("a text file", "more than the 100000000", []byte("Once upon a time"))
	raw("a git-lfs pointer", "git lfs pull", []byte("version https://git-lfs.github.com/spec/v1\n"))

	// InvalidHeader and InvalidHeaderDeserialization.
	header("name not UTF-8", "not UTF-8", `{"`+"\xff"+`":{}}`)
	header("metadata not UTF-8", "not UTF-8", `{"__metadata__":{"k":"`+"\xc0\x80"+`"}}`)
	for _, text := range []string{"", "   ", "null", "[]", `"a"`, "1", "true", "hello", "\x00{}"} {
		header("header "+text, "not a JSON object", text)
	}
	for _, text := range []string{"{", `{"a"`, `{"a":`, `{"a":{`, `{]`, `{a:1}`, `{'a':1}`, `{"a":{"dtype":"U8" "shape":[]}}`, "{\"\n\":{}}"} {
		header("header "+text, "JSON", text)
	}
	header("two objects", "behind its object", `{}{}`)
	header("half a null", "not an object", `{"a":nul}`)
	header("trailing text", "not valid JSON", `{} x`)
	header("NUL after the header", "not valid JSON", "{}\x00")
	header("unknown type", "F7", `{`+tensor("a", "F7", "[1]", "[0,1]")+`}`, 0)
	header("lower case type", "f32", `{`+tensor("a", "f32", "[1]", "[0,4]")+`}`, 0, 0, 0, 0)
	header("type a number", "dtype", `{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}`, 0)
	header("type null", "dtype", `{"a":{"dtype":null,"shape":[1],"data_offsets":[0,1]}}`, 0)

	// Twice: the library and, for names, the Rust reference take the last.
	header("name twice", `"a" stands twice`, `{`+tensor("a", "U8", "[1]", "[0,1]")+`,`+tensor("a", "U8", "[1]", "[1,2]")+`}`, 1, 2)
	header("name twice, once escaped", `"a" stands twice`, `{`+good+`,"\u0061":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 1, 2)
	header("metadata twice", `"__metadata__" stands twice`, `{"__metadata__":{"a":"b"},"__metadata__":{},`+good+`}`, 1, 2)
	header("metadata key twice", `"k" stands twice`, `{"__metadata__":{"k":"1","k":"2"},`+good+`}`, 1, 2)
	header("type twice", `"dtype" stands twice`, `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"dtype":"U8"}}`, 1, 2)
	header("shape twice", `"shape" stands twice`, `{"a":{"dtype":"U8","shape":[2],"shape":[2],"data_offsets":[0,2]}}`, 1, 2)
	header("offsets twice", `"data_offsets" stands twice`, `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"data_offsets":[0,2]}}`, 1, 2)
	header("long name twice", "stands twice", `{`+tensor(strings.Repeat("n", 5000), "U8", "[0]", "[0,0]")+`,`+tensor(strings.Repeat("n", 5000), "U8", "[0]", "[0,0]")+`}`)

	// Depth and width.
	header("deep shape", "nested deeper", `{"a":{"dtype":"U8","shape":[[[[[[[[`)
	header("deep objects", `tensor "a" has a field "a"`, strings.Repeat(`{"a":`, 100_000))
	header("shape of shapes", "nested deeper", `{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}`, 0)
	header("65 dimensions", "more than 64", `{`+tensor("a", "U8", "["+strings.Repeat("1,", 64)+"1]", "[0,1]")+`}`, 0)
	header("a million dimensions", "more than 64", `{`+tensor("a", "U8", "["+many+"]", "[0,1]")+`}`, 0)
	header("a million offsets", "more than 64", `{`+tensor("a", "U8", "[1]", "["+many+"]")+`}`, 0)

	// TensorInvalidInfo and ValidationOverflow.
	for _, dim := range []string{"-1", "1.0", "1e0", `"1"`, "null", "true", "18446744073709551616"} {
		header("dimension "+dim, `tensor "a": invalid "shape"`, `{`+tensor("a", "U8", "["+dim+"]", "[0,1]")+`}`, 0)
	}
	header("dimension an object", "nested deeper", `{`+tensor("a", "U8", "[{}]", "[0,1]")+`}`, 0)
	header("number of 100,000 digits", `"shape"`, `{`+tensor("a", "U8", "["+strings.Repeat("9", 100_000)+"]", "[0,1]")+`}`, 0)
	header("product overflows", "the 0 bytes that the header gives it", `{`+tensor("a", "U8", "[4294967296,4294967296]", "[0,0]")+`}`)
	header("product overflows to the right size", "the 2 bytes that the header gives it", `{`+tensor("a", "U8", "[6148914691236517206,3]", "[0,2]")+`}`, 1, 2) // 2^64+2
	header("bytes overflow", "the 0 bytes that the header gives it", `{`+tensor("a", "F32", "[4611686018427387904]", "[0,0]")+`}`)                             // 2^62 of 4 bytes
	header("dimension above 2^63", `tensor "a": dimension 9223372036854775808 is too large`, `{`+tensor("a", "U8", "[9223372036854775808,0]", "[0,0]")+`}`)
	header("size and shape differ", `tensor "a" of shape [1] in F32 does not take the 2 bytes`, `{`+tensor("a", "F32", "[1]", "[0,2]")+`}`, 1, 2)
	header("scalar of no bytes", `tensor "a" of shape [] in U8 does not take the 0 bytes`, `{`+tensor("a", "U8", "[]", "[0,0]")+`}`)
	header("shape null", "shape", `{`+tensor("a", "U8", "null", "[0,1]")+`}`, 0)
	header("shape an object", "shape", `{`+tensor("a", "U8", "{}", "[0,1]")+`}`, 0)
	header("no shape", `tensor "a" has 2 fields`, `{"a":{"dtype":"U8","data_offsets":[0,1]}}`, 0)
	header("another key", `tensor "a" has a field "x"`, `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}`, 0) // Rust ignores it
	header("misspelt key", "shape", `{"a":{"dtype":"U8","Shape":[1],"data_offsets":[0,1]}}`, 0)
	for _, value := range []string{"null", "1", "[]", `"x"`, "{}"} {
		header("tensor "+value, "the entry of ", `{"a":`+value+`}`)
	}
	for _, value := range []string{"1", "[]", `"x"`, `{"k":1}`, `{"k":null}`, `{"k":["v"]}`, `{"k":{}}`} {
		header("metadata "+value, "__metadata__", `{"__metadata__":`+value+`}`)
	}

	// InvalidOffset, MetadataIncompleteBuffer.
	header("overlap", "overlaps another or leaves a hole", `{`+tensor("a", "U8", "[2]", "[0,2]")+`,`+tensor("b", "U8", "[2]", "[1,3]")+`}`, 1, 2, 3)
	header("same place", "overlaps another or leaves a hole", `{`+tensor("a", "U8", "[2]", "[0,2]")+`,`+tensor("b", "U8", "[2]", "[0,2]")+`}`, 1, 2)
	header("hole", "overlaps another or leaves a hole", `{`+tensor("a", "U8", "[1]", "[0,1]")+`,`+tensor("b", "U8", "[1]", "[2,3]")+`}`, 1, 2, 3)
	header("hole before the first", "overlaps another or leaves a hole", `{`+tensor("a", "U8", "[1]", "[1,2]")+`}`, 1, 2)
	header("end before begin", `tensor "b" ends at byte 0, before it begins at byte 1`, `{`+tensor("a", "U8", "[0]", "[0,0]")+`,`+tensor("b", "U8", "[1]", "[1,0]")+`}`, 1)
	header("trailing byte", "take 2 bytes and the file holds 3", `{`+good+`}`, 1, 2, 3)
	header("byte missing", "take 2 bytes and the file holds 1", `{`+good+`}`, 1)
	header("data without tensors", "take 0 bytes and the file holds 1", `{}`, 1)
	for _, offsets := range []string{"[]", "[0]", "[0,1,2]", "null", "{}", "[-1,0]", "[0,1.0]", `["0","1"]`, "[0,18446744073709551616]"} {
		header("offsets "+offsets, `tensor "a": invalid "data_offsets"`, `{`+tensor("a", "U8", "[1]", offsets)+`}`, 0)
	}
	header("nothing inside another", `tensor "b" overlaps`, `{`+tensor("a", "U8", "[2]", "[0,2]")+`,`+tensor("b", "U8", "[0]", "[1,1]")+`}`, 1, 2)
	header("half a byte", `tensor "a" has 3 elements of 4 bits`, `{`+tensor("a", "F4", "[3]", "[0,2]")+`}`, 1, 2)
	attack := make([]string, 10) // the reference's json_attack: ten names, one place
	for i := range attack {
		attack[i] = tensor(fmt.Sprint("weight_", i), "F32", "[2,2]", "[0,16]")
	}
	header("json attack", "overlaps another or leaves a hole", `{`+strings.Join(attack, ",")+`}`, make([]byte, 16)...)

	for _, c := range cases {
		t.Run(c.name[:min(len(c.name), 60)], func(t *testing.T) {
			checkpoint, err := openBytes(c.data)
			refused(t, checkpoint, err, "m/model.safetensors: ", c.rule)
			path := filepath.Join(write(t, map[string][]byte{"hostile.safetensors": c.data}), "hostile.safetensors")
			checkpoint, err = tensors.Open(path)
			refused(t, checkpoint, err, path+": ", c.rule)
		})
	}
}

// TestStrangeFiles opens what looks hostile and is within the format.
func TestStrangeFiles(t *testing.T) {
	check := func(name string, data []byte, names ...string) {
		t.Run(name, func(t *testing.T) {
			c, err := openBytes(data)
			closing(t, c, err)
			if !slices.Equal(c.Names(), names) {
				t.Errorf("names %q, want %q", c.Names(), names)
			}
		})
	}
	a := tensor("a", "U8", "[1]", "[0,1]")
	check("no tensors", file(`{}`))
	check("only metadata", file(`{"__metadata__":{}}`))
	check("metadata null", file(`{"__metadata__":null,`+a+`}`, 1), "a")
	check("blanks before and after", file(" \t\r\n{"+a+"} \n\t", 1), "a")
	check("scalar", file(`{`+tensor("a", "F32", "[]", "[0,4]")+`}`, 0, 0, 0, 0), "a")
	check("a dimension of zero", file(`{`+tensor("a", "F32", "[5,0,7]", "[0,0]")+`}`), "a")
	check("64 dimensions", file(`{`+tensor("a", "U8", "["+strings.Repeat("1,", 63)+"1]", "[0,1]")+`}`, 0), "a")
	check("entries in another order than data", file(`{`+tensor("a", "U8", "[1]", "[1,2]")+`,`+tensor("b", "U8", "[1]", "[0,1]")+`}`, 1, 2), "a", "b")
	check("fields in another order", file(`{"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}`, 1), "a")
	check("empty name", file(`{`+tensor("", "U8", "[1]", "[0,1]")+`}`, 1), "")
	check("same key in metadata and tensor", file(`{"__metadata__":{"a":"x","dtype":"y"},`+a+`}`, 1), "a")
	check("65 metadata entries", file(`{"__metadata__":{`+strings.Join(numbered(65, `"k%d":"v"`), ",")+`},`+a+`}`, 1), "a")
	check("65 tensors", file(`{`+strings.Join(numbered(65, `"%02d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`), ",")+`}`), numbered(65, "%02d")...)
	for _, dtype := range []string{"BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "F64", "I64", "U64", "F16", "BF16", "F32", "C64",
		"F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "F6_E2M3", "F6_E3M2"} {
		size := tensors.DType(dtype).Bits() * 4 / 8
		check(dtype, file(`{`+tensor("a", dtype, "[4]", fmt.Sprintf("[0,%d]", size))+`}`, make([]byte, size)...), "a")
	}
	check("young types among others", file(`{`+tensor("b", "F8_E4M3", "[3]", "[2,5]")+`, `+tensor("a", "F16", "[1]", "[0,2]")+`,"__metadata__":{"format":"pt"},`+tensor("c", "F4", "[2]", "[5,6]")+`}`, 1, 2, 3, 4, 5, 6), "a", "b", "c")
	check("nothing at a seam", file(`{`+tensor("a", "U8", "[2]", "[0,2]")+`,`+tensor("b", "U8", "[0]", "[2,2]")+`,`+tensor("c", "U8", "[0]", "[0,0]")+`}`, 1, 2), "a", "b", "c")
}

func numbered(n int, format string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return list
}

// TestHugeHeader answers a header of 90 MB that is made of empty arrays at
// once: read as a tree it takes half a minute and 4 GB.
func TestHugeHeader(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 90 MB")
	}
	check := func(name, header, rule string) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "huge.safetensors")
			if err := os.WriteFile(path, file(header), 0o644); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			c, err := tensors.Open(path)
			took := time.Since(start)
			refused(t, c, err, path, rule)
			if took > 8*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%v: %.120v", took, err)
		})
	}
	check("arrays", `{"a":{"dtype":"U8","shape":[`+strings.Repeat("[],", 30_000_000)+`[]]}}`, "nested deeper")
	check("brackets", `{"a":{"dtype":"U8","shape":`+strings.Repeat("[", 90_000_000), "nested deeper")
	check("one name", `{"`+strings.Repeat("n", 45_000_000)+`":1}`, "")
}
