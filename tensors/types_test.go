package tensors_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// formatTypes are the types of the format as the reference declares them
// (huggingface/safetensors, safetensors/src/tensor.rs, Dtype), with their bits.
// Tensors are written in the opposite order.
var formatTypes = []struct {
	name tensors.DType
	bits int
}{
	{"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
	{"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32},
	{"C64", 64}, {"F64", 64}, {"I64", 64}, {"U64", 64},
}

// every is a Source of two tensors of each type of the format, whose bytes take
// all values.
func every() *tensorstest.Memory {
	m := tensorstest.NewMemory()
	for i, d := range formatTypes {
		for _, name := range []string{"b", "a"} {
			raw := make([]byte, 256*d.bits/8*4)
			for j := range raw {
				raw[j] = byte(j*(2*i+1) + len(name))
			}
			m.AddRaw(name+" "+string(d.name), tensors.Info{DType: d.name, Shape: []int{2, 512}}, raw)
		}
	}
	return m
}

// TestEveryType writes all types of the format and reads them back by Open and
// by a reader that shares no code with surgeon, in one file and in shards.
func TestEveryType(t *testing.T) {
	if len(formatTypes) != 22 {
		t.Fatalf("%d types", len(formatTypes))
	}
	for _, d := range formatTypes {
		if !d.name.Known() || d.name.Bits() != d.bits {
			t.Errorf("%s: known %v, %d bits", d.name, d.name.Known(), d.name.Bits())
		}
	}
	for _, target := range []string{"out", "out.safetensors"} {
		path := unbroken(t, every(), target, tensors.WriteOptions{ShardSize: 7000})
		c, err := tensors.Open(path)
		sameTensors(t, closing(t, c, err), every())
		tensorstest.TestSource(t, c)
		if target == "out" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range p.raw {
			if want, _ := tensors.Raw(every(), name); !bytes.Equal(got, want) {
				t.Errorf("%s: other bytes", name)
			}
		}
	}
}

// TestHeaderForm compares the bytes of a header with the form of the
// reference: metadata first, tensors by falling rank and then by name, their
// data in the same order, no blanks but those that align the data.
func TestHeaderForm(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"__metadata__":{"format":"pt"}`)
	at := 0
	for _, d := range slices.Backward(formatTypes) {
		for _, name := range []string{"a", "b"} {
			size := 1024 * d.bits / 8
			fmt.Fprintf(&text, `,"%s %s":{"dtype":"%[2]s","shape":[2,512],"data_offsets":[%d,%d]}`, name, d.name, at, at+size)
			at += size
		}
	}
	text.WriteByte('}')
	want := text.String() + strings.Repeat(" ", (8-text.Len()%8)%8)
	data, err := os.ReadFile(unbroken(t, every(), "out.safetensors", tensors.WriteOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if n := int(binary.LittleEndian.Uint64(data)); n != len(want) || string(data[8:8+n]) != want {
		t.Errorf("the header is\n%s\nwant\n%s", data[8:8+n], want)
	}
}

// golden is the Source of which testdata/reference.py writes the golden files:
// bytes that count from 0 to 250 over all tensors in the order of their names.
func golden(infos map[string]tensors.Info) *tensorstest.Memory {
	m := tensorstest.NewMemory()
	count := 0
	for _, name := range sorted(infos) {
		raw := make([]byte, infos[name].Bytes())
		for i := range raw {
			raw[i] = byte((count + i) % 251)
		}
		count += len(raw)
		m.AddRaw(name, infos[name], raw)
	}
	return m
}

// TestReferenceBytes: what Write makes of tensors is, byte for byte, what the
// reference library makes of them.
func TestReferenceBytes(t *testing.T) {
	check := func(file string, infos map[string]tensors.Info) {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("testdata", file)
			c, err := tensors.Open(path)
			sameTensors(t, closing(t, c, err), golden(infos))
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(unbroken(t, golden(infos), "out.safetensors", tensors.WriteOptions{}))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				n := binary.LittleEndian.Uint64(got)
				t.Errorf("%d bytes, the reference has %d; the header is\n%q\nand not\n%q", len(got), len(want), got[8:8+n], want[8:8+binary.LittleEndian.Uint64(want)])
			}
		})
	}
	check("reference.safetensors", map[string]tensors.Info{
		"bool":                            {DType: "BOOL", Shape: []int{3}},
		"model.layers.10.f4":              {DType: "F4", Shape: []int{2, 6}},
		"model.layers.2.u8":               {DType: "U8", Shape: []int{5}},
		"i8":                              {DType: "I8", Shape: []int{2, 2}},
		"e5m2":                            {DType: "F8_E5M2", Shape: []int{7}},
		"e4m3":                            {DType: "F8_E4M3", Shape: []int{1, 7}},
		"e8m0":                            {DType: "F8_E8M0", Shape: []int{1}},
		"e4m3fnuz":                        {DType: "F8_E4M3FNUZ", Shape: []int{2}},
		"e5m2fnuz":                        {DType: "F8_E5M2FNUZ", Shape: []int{3}},
		"i16":                             {DType: "I16", Shape: []int{3}},
		"u16":                             {DType: "U16", Shape: []int{3}},
		"f16":                             {DType: "F16", Shape: []int{5}},
		"bf16 <of> 'a' & b":               {DType: "BF16", Shape: []int{2, 3}},
		"i32":                             {DType: "I32", Shape: []int{1}},
		"u32":                             {DType: "U32", Shape: []int{1, 1, 1}},
		"f32":                             {DType: "F32", Shape: []int{3}},
		"c64":                             {DType: "C64", Shape: []int{2}},
		"f64":                             {DType: "F64", Shape: []int{2}},
		"i64":                             {DType: "I64", Shape: []int{1}},
		"u64":                             {DType: "U64", Shape: []int{1}},
		"scalar":                          {DType: "F32", Shape: []int{}},
		"nothing":                         {DType: "F32", Shape: []int{3, 0, 2}},
		"\"quoted\" \\ / \b\f\n\r\t":      {DType: "F32", Shape: []int{1}},
		"\x00\x01\x1f\x7f\u0085":          {DType: "U8", Shape: []int{1}},
		"höhe 日本 \U0001d11e \ufffd\ufeff": {DType: "F16", Shape: []int{1}},
		"":                                {DType: "U8", Shape: []int{2}},
	})
	check("separators.safetensors", map[string]tensors.Info{"a\u2028b\u2029": {DType: "U8", Shape: []int{1}}})
}
