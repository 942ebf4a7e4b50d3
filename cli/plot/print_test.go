package plot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// inked is a line of type as it was drawn: the corners of the box from the depth
// of its descenders to the height of its ascenders.
type inked struct {
	words   string
	size    vg.Length
	corners [4]vg.Point
}

// lettering draws a figure and returns its lines of type.
func lettering(t *testing.T, f figure) (result []inked) {
	t.Helper()
	var log recorder.Canvas
	f.draw(draw.NewCanvas(&log, f.width, f.height))
	type place struct {
		at    vg.Point
		angle float64
	}
	stack := []place{{}}
	turned := func(p place, v vg.Point) vg.Point {
		sin, cos := math.Sincos(p.angle)
		return vg.Point{X: p.at.X + v.X*vg.Length(cos) - v.Y*vg.Length(sin), Y: p.at.Y + v.X*vg.Length(sin) + v.Y*vg.Length(cos)}
	}
	for _, action := range log.Actions {
		now := &stack[len(stack)-1]
		switch action := action.(type) {
		case *recorder.Push:
			stack = append(stack, *now)
		case *recorder.Pop:
			stack = stack[:len(stack)-1]
		case *recorder.Translate:
			now.at = turned(*now, action.Point)
		case *recorder.Rotate:
			now.angle += action.Angle
		case *recorder.FillString:
			face := font.DefaultCache.Lookup(action.Font, action.Size)
			low, high := action.Point.Y-descender*action.Size, action.Point.Y+ascender*action.Size
			left, right := action.Point.X, action.Point.X+face.Width(action.String)
			line := inked{words: action.String, size: action.Size}
			for i, corner := range []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high}, {X: left, Y: high}} {
				line.corners[i] = turned(*now, corner)
			}
			result = append(result, line)
		}
	}
	return result
}

// apartFrom reports whether an edge of one of two boxes is between them, as the
// separating axis theorem says of convex shapes.
func (a inked) apartFrom(b inked) bool {
	for _, box := range [][4]vg.Point{a.corners, b.corners} {
		for i := range 2 {
			axis := box[i+1].Sub(box[i])
			reach := func(corners [4]vg.Point) (low, high vg.Length) {
				low, high = vg.Length(math.Inf(1)), vg.Length(math.Inf(-1))
				for _, c := range corners {
					low, high = min(low, c.Dot(axis)), max(high, c.Dot(axis))
				}
				return low, high
			}
			lowA, highA := reach(a.corners)
			lowB, highB := reach(b.corners)
			hair := 0.02 * vg.Length(math.Hypot(float64(axis.X), float64(axis.Y)))
			if highA <= lowB+hair || highB <= lowA+hair {
				return true
			}
		}
	}
	return false
}

// legible draws for print and checks that no type lies upon other type or over
// the edge, and that all is of 7.5 points. It returns the lines.
func legible(t *testing.T, name string, d Drawing, size Size) (lines []string) {
	t.Helper()
	f, err := d.printed(points(size.Width), points(size.Height))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	all := lettering(t, f)
	for i, a := range all {
		lines = append(lines, a.words)
		for _, c := range a.corners {
			if !(c.X >= 0 && c.Y >= 0 && c.X <= f.width && c.Y <= f.height) {
				t.Fatalf("%s, %v: %q reaches over the edge, to %v of %v x %v", name, size, a.words, c, f.width, f.height)
			}
		}
		if a.size != printSize {
			t.Errorf("%s, %v: %q is of %v points", name, size, a.words, a.size)
		}
		for _, b := range all[:i] {
			if !a.apartFrom(b) {
				t.Fatalf("%s, %v: %q and %q lie upon each other: %.1f and %.1f", name, size, b.words, a.words, b.corners, a.corners)
			}
		}
	}
	return lines
}

// hostile is a name as an untrusted file may have it.
var hostile = []string{"", strings.Repeat("W", 300), "<a&b>\x00\x1b[2J", "\xff\u202e", strings.Repeat("word ", 500), "\n\n\n", "日本語", strings.Repeat("e\u0301", 90)}

// banded returns a sweep with bands, gates and close ends.
func banded(n int) Curve {
	v := sweep(n)
	v.Gates = []Gate{{Y: 0.5, Label: "gate 50 %"}, {Y: 0.52, Label: "gate of another rule with a long name"}, {Y: -0.1}}
	for i := range v.Lines {
		v.Lines[i].Band = true
		v.Lines[i].Y[2] -= 0.6
		v.Lines[i].Low[2] -= 0.7
	}
	return v
}

// repairs returns a front of n unmarked points, many of them close together,
// with three marked ones and losses.
func repairs(n int) Front {
	cloud := func(name string, marked bool) Cloud { return Cloud{Name: name, Marked: marked} }
	add := func(c *Cloud, x, y float64, name string) {
		c.X, c.Y, c.Labels = append(c.X, x), append(c.Y, y), append(c.Labels, name)
		c.XLow, c.XHigh = append(c.XLow, x-0.05), append(c.XHigh, none)
		c.YLow, c.YHigh = append(c.YLow, y-0.05), append(c.YHigh, y+0.02)
	}
	marked, others := cloud("", true), cloud("repairs", false)
	add(&marked, 0, 0, "base")
	add(&marked, 1, -0.9, "fine-tuned")
	add(&marked, 0.7, -0.1, "chosen: replay of 10 %")
	for i := range n {
		a := float64(i) / float64(n)
		add(&others, a+0.1*math.Sin(float64(i)), -a*a-0.1*math.Cos(float64(i)*3), fmt.Sprint("repair ", i))
	}
	return Front{
		Title: "All repairs", XLabel: "domain gain kept", YLabel: "slack of the worst task", YUnit: "pp", Clouds: []Cloud{marked, others},
		X: []float64{0, 0.7, 1}, Y: []float64{0, -0.1, -0.9}, Chord: &Chord{0, 0, 1, -0.9, "straight line"}, Gates: []Gate{{-0.02, "gate −2 pp"}},
	}
}

// groups returns bars of n groups in two series, some negative or absent.
func groups(n int) Bars {
	b := Bars{Title: "Harm and benefit", XLabel: "cross-entropy, nats a token", Series: []Series{{Name: "harm"}, {Name: "benefit"}}}
	for i := range n {
		b.Rows = append(b.Rows, fmt.Sprintf("layers %d to %d, attention", 4*i, 4*i+3))
		b.Series[0].Values = append(b.Series[0].Values, 0.5*math.Cos(float64(i)))
		b.Series[1].Values = append(b.Series[1].Values, 0.7/float64(i+1))
		if i%5 == 3 {
			b.Series[i%2].Values[i] = none
		}
	}
	return b
}

// figuresOf are drawings of all kinds, small, usual, crowded and hostile.
func figuresOf() map[string]Drawing {
	all := map[string]Drawing{
		"sweep1": sweep(1), "sweep9": sweep(9), "sweep60": sweep(60), "banded": banded(3), "banded20": banded(20),
		"point": Curve{Lines: []Line{{X: []float64{3}, Y: []float64{1}}}}, "front": someFront(), "repairs0": repairs(0), "repairs30": repairs(30), "repairs200": repairs(200),
		"bars1": groups(1), "bars6": groups(6), "bars13": groups(13), "bars40": groups(40), "bars400": groups(400),
		"drift1": drift(1), "drift32": drift(32), "drift80": drift(80),
		"cell": HeatMap{Columns: []string{"c"}, Rows: []string{"r"}, Values: [][]float64{{-1e-7}}},
	}
	dense := sweep(1)
	for i := range 200 {
		dense.Lines[0].X, dense.Lines[0].Y = append(dense.Lines[0].X, 1+math.Sqrt(float64(i+1))), append(dense.Lines[0].Y, 0.1)
	}
	dense.Lines[0].Low, dense.Lines[0].High = nil, nil
	all["dense"] = dense
	wide := HeatMap{}
	for i := range 60 {
		wide.Columns = append(wide.Columns, fmt.Sprint("column ", i))
	}
	wide.Rows, wide.Values = []string{"a", "b"}, [][]float64{make([]float64, 60), make([]float64, 60)}
	all["wide"] = wide
	named := drift(40)
	for i := range named.Rows {
		named.Rows[i] = fmt.Sprint("row ", i)
	}
	all["named"] = named
	for _, v := range []float64{1e-300, 1e99, -1e99, 5e-324} {
		all[fmt.Sprint("extreme ", v)] = Curve{Lines: []Line{{Name: "l", X: []float64{v, 0}, Y: []float64{0, v}}}, Gates: []Gate{{v, "gate"}}}
		all[fmt.Sprint("extreme bars ", v)] = Bars{Rows: []string{"r"}, Series: []Series{{"s", []float64{v}}}}
		all[fmt.Sprint("extreme cells ", v)] = HeatMap{Columns: []string{"c"}, Rows: []string{"r"}, Values: [][]float64{{v}}}
	}
	for i, name := range hostile {
		c, f, b, h := banded(3), repairs(4), groups(3), drift(2)
		c.Title, c.XLabel, c.YLabel, c.Lines[1].Name, c.Gates[0].Label = name, name, name, name, name
		f.Title, f.XLabel, f.YLabel, f.XUnit, f.YUnit, f.Clouds[0].Labels[1], f.Clouds[1].Labels[2], f.Clouds[1].Name = name, name, name, name, name, name, name, name
		f.Chord.Label, f.Gates[0].Label = name, name
		b.Title, b.XLabel, b.Rows[1], b.Series[0].Name = name, name, name, name
		h.Title, h.XLabel, h.YLabel, h.Scale, h.Rows[1], h.Columns[0] = name, name, name, name, name, name
		for kind, d := range map[string]Drawing{"curve": c, "front": f, "bars": b, "heat": h} {
			all[fmt.Sprint("hostile ", kind, i)] = d
		}
	}
	return all
}

// TestLegible: at every size, no label lies upon another or over the edge.
func TestLegible(t *testing.T) {
	all := figuresOf()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		for _, size := range []Size{{85, 60}, {30, 20}, {40, 30}, {174, 70}, {60, 150}, {85, 0}, {0, 60}, {500, 20}} {
			legible(t, name, d, size)
		}
	}
}

// TestPNG: a figure has the size asked for in dots and says so, the same bytes
// at each run, and white edges.
func TestPNG(t *testing.T) {
	for name, d := range map[string]Drawing{"curve": banded(3), "front": repairs(20), "bars": groups(13), "heat": drift(32)} {
		content, err := PNG(d, Size{85, 60})
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := PNG(d, Size{85, 60}); !bytes.Equal(content, again) {
			t.Errorf("%s: two runs give different bytes", name)
		}
		picture, err := png.Decode(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if size := picture.Bounds().Size(); size != (image.Point{X: 1004, Y: 709}) {
			t.Errorf("%s: %v dots", name, size)
		}
		at := bytes.Index(content, []byte("pHYs"))
		if at != 37 || binary.BigEndian.Uint32(content[at+4:]) != 11811 || content[at+12] != 1 {
			t.Errorf("%s: pHYs at %d", name, at)
		}
	}
}

// TestNoSize: without a size, the bytes are those of a file that is saved.
func TestNoSize(t *testing.T) {
	for name, d := range map[string]Drawing{"curve": banded(3), "front": repairs(5), "bars": groups(4), "heat": drift(3)} {
		got, err := PNG(d, Size{})
		path := filepath.Join(t.TempDir(), "a.png")
		if err != nil || Save(path, d) != nil {
			t.Fatal(name, err)
		}
		if want, _ := os.ReadFile(path); !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes", name)
		}
	}
}

// TestSizesRefused: what is no figure on paper is a mistake of the caller.
func TestSizesRefused(t *testing.T) {
	for _, size := range []Size{{-1, 60}, {85, 10}, {29, 0}, {501, 60}, {none, 60}, {85, math.Inf(1)}} {
		func() {
			defer func() {
				if message := fmt.Sprint(recover()); !strings.HasPrefix(message, "plot: ") {
					t.Errorf("%v: panic %q", size, message)
				}
			}()
			PNG(sweep(1), size)
		}()
	}
	for _, d := range []Drawing{Curve{}, Front{}, Bars{}, HeatMap{}} {
		if _, err := PNG(d, Size{85, 60}); err == nil || !strings.Contains(err.Error(), "no ") {
			t.Errorf("%T without data: error %v", d, err)
		}
	}
}

// TestShown: what must be read is there at the size of the memo.
func TestShown(t *testing.T) {
	check := func(d Drawing, want ...string) {
		t.Helper()
		lines := legible(t, "shown", d, Size{85, 60})
		for _, words := range want {
			if !slices.Contains(lines, words) {
				t.Errorf("%q is not among %q", words, lines)
			}
		}
	}
	check(banded(3), "alpha", "accuracy", "task 0", "task 1", "task 2", "gate 50 %", "0", "0.5", "1", "0 %")
	check(repairs(30), "base", "fine-tuned", "chosen: replay of 10 %", "gate −2 pp", "straight line", "0 pp", "−40 pp", "100 %", "repairs")
	check(groups(6), "harm", "benefit", "layers 0 to 3, attention", "0.500", "0.700", "−0.495", "–")
	check(groups(13), "harm", "benefit", "0.500", "−0.208", "0.087", "0.5")
	check(drift(32), "embed", "5", "25", "norm", "lm_head", "q_proj", "relative change", "absent", "0.02")
	check(drift(80), "embed", "10", "70", "norm", "lm_head")
	check(sweep(60), "task 0", "… 45 more")
	check(groups(40), "… 28 more")
}
