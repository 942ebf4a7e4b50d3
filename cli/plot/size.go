package plot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// Size is that of a figure in print, in millimetres. A width or height of 0 is
// as large as the labels need.
type Size struct{ Width, Height float64 }

// Figures of a given size: their type in points, and their dots per inch.
const (
	printSize       = vg.Length(7.5)
	printResolution = 300
)

// PNG returns a drawing as a PNG file. With a Size it is drawn for print: at
// that width and height, with type of 7.5 points and 300 dots per inch, which
// the file says in its pHYs chunk. Set at that width it needs no scaling.
// Labels that have no room are shortened with an ellipsis or left out, never
// drawn over each other; lines are named at their ends, not in a legend. If one
// of both is 0, it is chosen by the other. With the Size{} it is the file that
// [Save] would write.
//
// It is an error if the drawing has no data or data that cannot be drawn. PNG
// panics if the slices of the drawing do not fit each other, and if a Size is
// no figure on a sheet of paper: 30 to 500 mm wide and 20 to 500 mm high.
func PNG(d Drawing, size Size) ([]byte, error) {
	if size == (Size{}) {
		f, err := d.figure()
		if err != nil {
			return nil, err
		}
		return encodePNG(f)
	}
	size.check()
	f, err := d.printed(points(size.Width), points(size.Height))
	if err != nil {
		return nil, err
	}
	canvas := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(printResolution))
	png, err := content(f, canvas, vgimg.PngCanvas{Canvas: canvas})
	return withResolution(png, printResolution), err
}

// check panics unless a figure has room in the size.
func (s Size) check() {
	fits := func(mm, least float64) bool { return mm == 0 || mm >= least && mm <= 500 }
	if !fits(s.Width, 30) || !fits(s.Height, 20) {
		panic(fmt.Sprintf("plot: a figure of %v x %v mm is not from 30 x 20 to 500 x 500", s.Width, s.Height))
	}
}

// points turns millimetres into points of 1/72 inch.
func points(mm float64) vg.Length { return vg.Length(mm) * 72 / 25.4 }

// withResolution puts the chunk pHYs, dots per metre, behind the header of a PNG
// file, which is always of 33 bytes (PNG Specification, 2nd edition, 5.6 and
// 11.3.5.3).
func withResolution(png []byte, perInch float64) []byte {
	const header = 33
	if len(png) < header {
		return png
	}
	perMetre := uint32(perInch/0.0254 + 0.5)
	body := append([]byte("pHYs"), make([]byte, 9)...)
	binary.BigEndian.PutUint32(body[4:], perMetre)
	binary.BigEndian.PutUint32(body[8:], perMetre)
	body[12] = 1 // the unit is the metre
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = append(chunk, body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(body))
	return bytes.Join([][]byte{png[:header], chunk, png[header:]}, nil)
}
