package plot

import (
	"bytes"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormats: both drawings in both formats are the same bytes at each run, and
// the PNG has the size of the figure.
func TestFormats(t *testing.T) {
	for name, drawing := range map[string]Drawing{"heat": drift(8), "curve": sweep(3)} {
		svg := saved(t, name+".svg", drawing)
		if !bytes.Contains(svg, []byte("'Liberation Sans',Arial")) || bytes.Contains(svg, []byte("family:Liberation")) {
			t.Errorf("%s.svg does not name its fonts", name)
		}
		picture, err := png.Decode(bytes.NewReader(saved(t, name+".PNG", drawing)))
		if err != nil {
			t.Fatal(err)
		}
		figure, _ := drawing.figure()
		want := float64(figure.width) / 72 * resolution
		if got := float64(picture.Bounds().Dx()); math.Abs(got-want) > 1 {
			t.Errorf("%s.png is %v dots wide, want %v", name, got, want)
		}
	}
}

// TestNothingClipped: the outermost dots of a figure are white on all sides, so
// no label runs over the edge, whatever its length.
func TestNothingClipped(t *testing.T) {
	long := sweep(9)
	long.Title = strings.Repeat("a title of many words ", 12) + strings.Repeat("x", 300)
	long.YLabel, long.Lines[2].Name = "accuracy on all items that could be graded", strings.Repeat("W", 100)
	wide := drift(2)
	wide.Rows[1], wide.Columns[0], wide.Title = strings.Repeat("W", 60), strings.Repeat("W", 20), strings.Repeat("y", 90)
	wordy := sweep(1)
	wordy.XLabel, wordy.YLabel = strings.Repeat("W", 60), strings.Repeat("W", 60)
	slanted := HeatMap{Columns: []string{strings.Repeat("W", 60)}, Rows: []string{"0"}, Values: [][]float64{{1}}}
	scaled, worded := drift(1), drift(1)
	scaled.Scale = strings.Repeat("W", 60)
	worded.XLabel, worded.YLabel = strings.Repeat("W", 60), strings.Repeat("W", 60)
	tiny := HeatMap{Title: "tiny", Scale: "s", Columns: []string{"c"}, Rows: []string{"r"}, Values: [][]float64{{1e-7}}}
	for name, drawing := range map[string]Drawing{
		"heat": drift(32), "curve": sweep(3), "long": long, "wide": wide, "tiny": tiny, "wordy": wordy, "slanted": slanted, "worded": worded, "scaled": scaled,
	} {
		picture := picture(t, drawing)
		inked := 0
		bounds := picture.Bounds()
		for x := range bounds.Dx() {
			for y := range bounds.Dy() {
				r, g, b, _ := picture.At(x, y).RGBA()
				if r&g&b == 0xFFFF {
					continue
				}
				inked++
				if x < 6 || y < 6 || x >= bounds.Dx()-6 || y >= bounds.Dy()-6 {
					t.Fatalf("%s: ink at (%d, %d), at the edge of %v", name, x, y, bounds.Max)
				}
			}
		}
		if inked < 1000 {
			t.Errorf("%s: only %d dots are not white", name, inked)
		}
	}
}

// TestTitle: a title takes room above the figure, more if it has more lines.
func TestTitle(t *testing.T) {
	last := 0.0
	for _, words := range []int{0, 1, 80, 160} {
		v := sweep(2)
		v.Title = strings.Repeat("word ", words)
		f, err := v.figure()
		if err != nil {
			t.Fatal(err)
		}
		if float64(f.height) < last+float64(titleSize) {
			t.Errorf("with a title of %d words the figure is %v points high, after %v", words, f.height, last)
		}
		last = float64(f.height)
	}
}

// TestHostileLabels: names that are markup, control characters or broken UTF-8
// give a valid file that shows them.
func TestHostileLabels(t *testing.T) {
	h := drift(1)
	h.Rows = []string{"<a&b>", "x\x00\x1b[2Jy", "\xff\n", ""}
	h.Title = ""
	shows(t, h, "<a&b>", "x\uFFFD\uFFFD[2Jy", "\uFFFD\uFFFD")
}

// TestReplace: an older file stays if the figure has an error and goes if it
// has none; nothing else is left in the folder; the file can be read by others.
func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.svg")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, HeatMap{}); err == nil {
		t.Error("a heat map without values is saved")
	}
	if content, _ := os.ReadFile(path); string(content) != "old" {
		t.Errorf("after an error the file holds %d other bytes", len(content))
	}
	if err := Save(path, sweep(1)); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(path)
	info, _ := os.Stat(path)
	entries, _ := os.ReadDir(filepath.Dir(path))
	if !bytes.Contains(content, []byte("</svg>")) || len(entries) != 1 || info.Mode().Perm() != 0o644 {
		t.Errorf("%d bytes of mode %v in a folder of %d files", len(content), info.Mode(), len(entries))
	}
}

// TestSaveErrors: what cannot be written is said, and leaves nothing behind.
func TestSaveErrors(t *testing.T) {
	folder := t.TempDir()
	taken := filepath.Join(folder, "taken.png")
	if err := os.MkdirAll(filepath.Join(taken, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a.pdf", "a", "png", filepath.Join(folder, "nowhere", "a.svg"), taken} {
		if err := Save(path, sweep(1)); err == nil || !strings.HasPrefix(err.Error(), "plot: ") {
			t.Errorf("Save(%q): error %v", path, err)
		}
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("the folder has %d entries, want the one from before", len(entries))
	}
}
