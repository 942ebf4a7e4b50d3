package plot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Drawing is what [Save] and [PNG] can draw: a [HeatMap], [Curve], [Front] or
// [Bars].
type Drawing interface {
	// figure returns the drawing with its size, or says what is wrong with
	// its data.
	figure() (figure, error)
	// printed returns it with the given size, of which either is 0 to be
	// chosen.
	printed(width, height vg.Length) (figure, error)
}

// figure is a drawing whose size is known. draw fills a canvas of that size.
type figure struct {
	width, height vg.Length
	draw          func(draw.Canvas)
}

// resolution is that of PNG files, in dots per inch: twice what screens took
// for granted for long, so that text stays sharp on present ones.
const resolution = 192

// Save writes a drawing to the file at path, in the format of its extension:
// .png, of 192 dots per inch, or .svg. The bytes go to a temporary file in the
// same folder, which then takes the name, so that path never holds half a file
// and an older file stays until the new one is complete.
//
// It is an error if the extension is another, if the drawing has no data or
// data that cannot be drawn, or if the file cannot be written. Save panics if
// the slices of the drawing do not fit each other.
func Save(path string, drawing Drawing) error {
	encode, err := encoder(path)
	if err != nil {
		return err
	}
	figure, err := drawing.figure()
	if err != nil {
		return err
	}
	content, err := encode(figure)
	if err != nil {
		return err
	}
	return replace(path, content)
}

// Supported reports, as Save would, that the extension of path is of no format
// known here. Nothing is touched.
func Supported(path string) error {
	_, err := encoder(path)
	return err
}

// encoder returns the function that turns figures into files like path.
func encoder(path string) (func(figure) ([]byte, error), error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		return encodePNG, nil
	case ".svg":
		return encodeSVG, nil
	}
	return nil, fmt.Errorf("plot: the name %q ends neither in .png nor in .svg", path)
}

func encodePNG(f figure) ([]byte, error) {
	canvas := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(resolution))
	return content(f, canvas, vgimg.PngCanvas{Canvas: canvas})
}

// encodeSVG names fonts of the same metrics beside Liberation Sans, since a
// reader without it would take one with serifs and other widths.
func encodeSVG(f figure) ([]byte, error) {
	canvas := vgsvg.New(f.width, f.height)
	svg, err := content(f, canvas, canvas)
	family := []byte("font-family:Liberation Sans;")
	families := []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")
	return bytes.ReplaceAll(svg, family, families), err
}

// content draws f and returns what the canvas writes.
func content(f figure, canvas vg.CanvasSizer, writer io.WriterTo) ([]byte, error) {
	f.draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := writer.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("plot: the figure cannot be encoded: %w", err)
	}
	return out.Bytes(), nil
}

// replace puts content in the place of the file at path.
func replace(path string, content []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("plot: %s: %w", path, reason(err))
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
			err = fmt.Errorf("plot: %s: %w", path, reason(err))
		}
	}()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.Chmod(0o644); err != nil { // CreateTemp lets nobody else read
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// reason takes the temporary name out of a file error: the caller knows only
// the final one.
func reason(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
