package memo

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"regexp"
	"strconv"
	"testing"
)

// dotted returns a PNG of a size in dots that says how many go to a metre, or,
// with 0, says nothing.
func dotted(t *testing.T, width, height int, perMetre uint32, unit byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	if perMetre == 0 {
		return out.Bytes()
	}
	const header = 33
	chunk := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 9, 'p', 'H', 'Y', 's'}, perMetre)
	chunk = append(binary.BigEndian.AppendUint32(chunk, perMetre), unit)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return bytes.Join([][]byte{out.Bytes()[:header], chunk, out.Bytes()[header:]}, nil)
}

// TestPrintedWidth reads what a file says of its size, and nothing of broken or
// unlikely ones.
func TestPrintedWidth(t *testing.T) {
	check := func(content []byte, want float64) {
		t.Helper()
		if got := printedWidth(content, 1000); math.Abs(got-want) > 0.01 {
			t.Errorf("a width of %v points, want %v", got, want)
		}
	}
	const dpi300 = 11811
	good := dotted(t, 1000, 10, dpi300, 1)
	check(good, 240)
	check(dotted(t, 1000, 10, 0, 1), 0)
	check(dotted(t, 1000, 10, dpi300, 0), 0) // only the shape of a dot
	check(dotted(t, 1000, 10, 1, 1), 0)      // a kilometre
	check(dotted(t, 1000, 10, 1<<31, 1), 0)  // a speck
	for n := range good[:60] {
		if got := printedWidth(good[:n], 1000); got != 0 && got < 239 {
			t.Errorf("of %d bytes a width of %v points", n, got)
		}
	}
	long := bytes.Clone(good)
	binary.BigEndian.PutUint32(long[33:], math.MaxUint32)
	check(long, 0)
}

// TestFigureSizes: figures that say their size have it on the page, those that
// are too wide together are made smaller by one factor, and others share the
// width.
func TestFigureSizes(t *testing.T) {
	place := regexp.MustCompile(`q ([0-9.]+) 0 0 ([0-9.]+) [0-9.]+ [0-9.]+ cm /I`)
	check := func(want []float64, files ...[]byte) {
		t.Helper()
		var row Figures
		for _, file := range files {
			row = append(row, Figure{Name: "a.png", PNG: file})
		}
		m := &Memo{}
		m.Pages[1].Blocks = []Block{row}
		var got []float64
		for _, found := range place.FindAllSubmatch(uncompressed(t, m), -1) {
			width, _ := strconv.ParseFloat(string(found[1]), 64)
			got = append(got, width)
		}
		if len(got) != len(want) {
			t.Fatalf("the figures are %v points wide, want %v", got, want)
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 0.5 {
				t.Errorf("the figures are %v points wide, want %v", got, want)
			}
		}
	}
	file := func(mm, perMetre float64) []byte {
		return dotted(t, int(mm/1000*11811), 472, uint32(perMetre), 1)
	}
	const mm = 72 / 25.4
	check([]float64{85 * mm, 85 * mm}, file(85, 11811), file(85, 11811))
	check([]float64{60 * mm}, file(60, 11811))
	half := (textWidth - 8) / 3
	check([]float64{2 * half, half}, file(140, 11811), file(70, 11811))
	half = (textWidth - 14) / 2
	check([]float64{half, half}, file(85, 0), file(85, 11811))
}

// TestFiguresOfOneWidth: fpdf would put them into the file in any order.
func TestFiguresOfOneWidth(t *testing.T) {
	var row Figures
	for height := range 6 {
		row = append(row, Figure{Name: "a.png", PNG: dotted(t, 300, 200+height, 11811, 1)})
	}
	m := &Memo{}
	m.Pages[1].Blocks = []Block{row}
	first := uncompressed(t, m)
	for range 20 {
		if !bytes.Equal(uncompressed(t, m), first) {
			t.Fatal("other bytes when rendered again")
		}
	}
}
