package plot

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// crowd is what labels within a panel must keep clear of. They are placed one
// after the other, each where it disturbs least.
type crowd struct {
	area  vg.Rectangle
	taken []vg.Rectangle // by labels
	marks []vg.Rectangle
	lines [][2]vg.Point
}

// spot is a place for a label.
type spot struct {
	box    vg.Rectangle
	leader []vg.Point // from the point to the label, nil if it is beside it
	cost   float64
}

// What it costs to lie upon a marker, to cross a line, and to be so many steps
// further down the list of places.
const (
	markCost = 8
	lineCost = 1.5
	nextCost = 0.1
)

// nearby returns the eight places at a point of the given radius for a label of
// the given size, the best first, as Imhof lists them ("Positioning Names on
// Maps", 1975): right before left, above before below.
func nearby(at vg.Point, radius, width, height vg.Length) (spots []spot) {
	near := radius + 1.2
	slope := near * 0.75
	for _, corner := range []vg.Point{
		{X: at.X + near, Y: at.Y - height/2}, {X: at.X + slope, Y: at.Y + slope}, {X: at.X + slope, Y: at.Y - slope - height},
		{X: at.X - near - width, Y: at.Y - height/2}, {X: at.X - slope - width, Y: at.Y + slope}, {X: at.X - slope - width, Y: at.Y - slope - height},
		{X: at.X - width/2, Y: at.Y + near}, {X: at.X - width/2, Y: at.Y - near - height},
	} {
		spots = append(spots, spot{box: boxAt(corner, width, height)})
	}
	return spots
}

// faraway returns places further away, to which a leader runs.
func faraway(at vg.Point, radius, width, height vg.Length) (spots []spot) {
	for _, distance := range []vg.Length{1.3, 2.2, 3.4, 5, 7} {
		for k := range 16 {
			sin, cos := math.Sincos(float64(k) * math.Pi / 8)
			reach := distance*height + radius
			tip := vg.Point{X: at.X + vg.Length(cos)*reach, Y: at.Y + vg.Length(sin)*reach}
			corner := vg.Point{X: tip.X - width*vg.Length(1-cos)/2, Y: tip.Y - height*vg.Length(1-sin)/2}
			from := vg.Point{X: at.X + vg.Length(cos)*(radius+0.5), Y: at.Y + vg.Length(sin)*(radius+0.5)}
			spots = append(spots, spot{box: boxAt(corner, width, height), leader: []vg.Point{from, tip}})
		}
	}
	return spots
}

// alongside returns places above and below a level line over the whole panel,
// from the right on.
func (c *crowd) alongside(y, width, height vg.Length) (spots []spot) {
	const steps, edge = 10, 1
	for k := range steps + 1 {
		x := c.area.Max.X - edge - width - vg.Length(k)/steps*(c.area.Size().X-2*edge-width)
		for _, bottom := range []vg.Length{y + 0.8, y - 0.8 - height} {
			spots = append(spots, spot{box: boxAt(vg.Point{X: x, Y: bottom}, width, height)})
		}
	}
	return spots
}

func boxAt(corner vg.Point, width, height vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: corner, Max: vg.Point{X: corner.X + width, Y: corner.Y + height}}
}

// best returns the cheapest of some places, and whether it costs no more than
// most. None may leave the panel or lie upon another label.
func (c *crowd) best(spots []spot, most float64) (spot, bool) {
	best := spot{cost: math.Inf(1)}
	for i, s := range spots {
		s.cost = c.cost(s) + nextCost*float64(i)
		if s.cost < best.cost {
			best = s
		}
	}
	return best, best.cost <= most
}

// cost returns what a place disturbs.
func (c *crowd) cost(s spot) float64 {
	if s.box.Min.X < c.area.Min.X || s.box.Min.Y < c.area.Min.Y || s.box.Max.X > c.area.Max.X || s.box.Max.Y > c.area.Max.Y {
		return math.Inf(1)
	}
	cost := 0.0
	for _, label := range c.taken {
		if overlap(s.box, label) || s.leader != nil && crosses(s.leader[0], s.leader[1], label) {
			return math.Inf(1)
		}
	}
	for _, mark := range c.marks {
		if overlap(s.box, mark) {
			cost += markCost
		}
		if s.leader != nil && crosses(s.leader[0], s.leader[1], mark) {
			cost += markCost / 2
		}
	}
	for _, line := range c.lines {
		if crosses(line[0], line[1], s.box) {
			cost += lineCost
		}
	}
	return cost
}

// take keeps later labels away from a place.
func (c *crowd) take(s spot) {
	c.taken = append(c.taken, s.box)
	if s.leader != nil {
		c.lines = append(c.lines, [2]vg.Point{s.leader[0], s.leader[1]})
	}
}

// overlap reports whether two rectangles have more than an edge in common.
func overlap(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

// crosses reports whether a segment has a part within a rectangle, by cutting
// it at each edge (Liang and Barsky, "A New Concept and Method for Line
// Clipping", 1984).
func crosses(a, b vg.Point, r vg.Rectangle) bool {
	from, to := vg.Length(0), vg.Length(1)
	for _, edge := range [][2]vg.Length{
		{a.X - b.X, a.X - r.Min.X}, {b.X - a.X, r.Max.X - a.X}, {a.Y - b.Y, a.Y - r.Min.Y}, {b.Y - a.Y, r.Max.Y - a.Y},
	} {
		switch out, room := edge[0], edge[1]; {
		case out == 0 && room <= 0:
			return false
		case out < 0:
			from = max(from, room/out)
		case out > 0:
			to = min(to, room/out)
		}
	}
	return from < to
}
