package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"surgeon/cli/memo"
	"surgeon/cli/plot"
	"surgeon/probe/audit"
)

// Sizes of figures in print, in millimetres: two stand side by side.
var (
	figureSize = plot.Size{Width: 85, Height: 50}
)

// figures are the four of the evidence. One that has nothing to show is left out.
func (r *auditResult) figures(c *cited) ([]memo.Block, error) {
	var list []memo.Figure
	for _, f := range []struct {
		name, caption, alt string
		drawing            plot.Drawing
	}{
		{"alpha.png", fmt.Sprintf("Merges from the base (0) to the fine-tune (1), on %s. The band is the %s interval, the gate the base's mean less its margin.", r.sweptOn(c), c.round(r.Rule.Confidence)), "scores against alpha", r.alphaFigure()},
		{"front.png", "All repairs that were judged: what is kept of the domain's gain, and the room that the worst protected task has to its margin. Above the chord from base to fine-tune a repair has won something.", "front of repairs", r.frontFigure()},
		{"drift.png", "Weight drift by layer and part, relative to the base's weights.", "heat map of drift", r.driftFigure()},
		{"exchange.png", "Harm and benefit of each group of tensors, nats a token: what the general loss rose and the domain loss fell by.", "bars of harm and benefit", r.exchangeFigure()},
	} {
		if f.drawing == nil {
			continue
		}
		png, err := plot.PNG(f.drawing, figureSize)
		if err != nil {
			return nil, err
		}
		list = append(list, memo.Figure{Name: f.name, PNG: png, Caption: c.print(fmt.Sprintf("Figure %d.", len(list)+1)) + " " + f.caption, Alt: f.alt})
	}
	var blocks []memo.Block
	for ; len(list) > 0; list = list[min(2, len(list)):] {
		blocks = append(blocks, memo.Figures(list[:min(2, len(list))]))
	}
	return blocks, nil
}

// swept are the base, the merges by one alpha and the fine-tune.
func (r *auditResult) swept() (list []auditedCandidate) {
	for _, one := range r.Candidates {
		if one.Class == classBase || one.Class == classInterpolation || one.Class == classTuned {
			list = append(list, one)
		}
	}
	return list
}

// judgedAll reports whether all of a sweep were judged, not only chosen from.
func (r *auditResult) judgedAll() bool {
	for _, one := range r.swept() {
		if !one.Judged {
			return false
		}
	}
	return true
}

func (r *auditResult) sweptOn(c *cited) string {
	if r.judgedAll() {
		return c.count(r.Items.Report) + " items that chose none of them"
	}
	return c.count(r.Items.Select) + " items to choose by"
}

func (r *auditResult) alphaFigure() plot.Drawing {
	protected, domain := plot.Line{Name: "protected", Band: true}, plot.Line{Name: "domain", Band: true}
	largest := plot.Line{}
	if r.Lost.Largest >= 0 {
		largest.Name = r.Lost.Tasks[r.Lost.Largest].Task
	}
	add := func(l *plot.Line, x float64, i audit.Interval) {
		if !i.Defined {
			i.Low, i.High = math.NaN(), math.NaN()
		}
		l.X, l.Y, l.Low, l.High = append(l.X, x), append(l.Y, i.Value), append(l.Low, i.Low), append(l.High, i.High)
	}
	judged, gate := r.judgedAll(), 0.0
	sweep := r.swept()
	if len(sweep) < 3 {
		return nil
	}
	slices.SortStableFunc(sweep, func(a, b auditedCandidate) int { return compareNumbers(*a.Strength, *b.Strength) })
	for _, one := range sweep {
		x, p, d := float64(*one.Strength), one.ToChoose, one.DomainToChoose
		if judged {
			p, d = one.Protected, one.Domain
		}
		if x == 0 {
			gate = p.Value - r.meanMargin()
		}
		add(&protected, x, p)
		add(&domain, x, d)
		if one.Verdict != nil && r.Lost.Largest >= 0 && judged {
			largest.X, largest.Y = append(largest.X, x), append(largest.Y, one.Verdict.Tasks[r.Lost.Largest].Candidate)
		}
	}
	lines := []plot.Line{protected, domain}
	if len(largest.X) > 0 {
		lines = append(lines, largest)
	}
	return plot.Curve{XLabel: "alpha", YLabel: "score", Lines: lines, Gates: []plot.Gate{{Y: gate, Label: "gate"}}}
}

// meanMargin is the mean margin of the protected tasks.
func (r *auditResult) meanMargin() float64 {
	sum, n := 0.0, 0.0
	for _, t := range r.m.tasks {
		if t.Protected() {
			sum, n = sum+t.Margin, n+1
		}
	}
	return sum / max(n, 1)
}

// partNames shortens the names of parts of a block.
var partNames = strings.NewReplacer("self_attn.", "", "mlp.", "", "_proj", "", "input_layernorm", "norm 1", "post_attention_layernorm", "norm 2", "_layernorm", "", "embed_tokens", "embed")

func (r *auditResult) driftFigure() plot.Drawing {
	if r.Where == nil || len(r.Where.Map.Rows) == 0 {
		return nil
	}
	h := plot.HeatMap{YLabel: "layer", Scale: "relative drift", Rows: r.Where.Map.Rows}
	for _, part := range r.Where.Map.Columns {
		h.Columns = append(h.Columns, partNames.Replace(part))
	}
	for _, row := range r.Where.Map.Values {
		values := make([]float64, len(row))
		for i, v := range row {
			values[i] = float64(v)
		}
		h.Values = append(h.Values, values)
	}
	return h
}

func (r *auditResult) exchangeFigure() plot.Drawing {
	if r.Where == nil || len(r.Where.Groups) == 0 {
		return nil
	}
	b := plot.Bars{XLabel: "nats a token", Series: []plot.Series{{Name: "harm"}, {Name: "benefit"}}}
	for _, g := range r.Where.Groups {
		b.Rows = append(b.Rows, g.Group)
		b.Series[0].Values = append(b.Series[0].Values, float64(g.Harm))
		b.Series[1].Values = append(b.Series[1].Values, float64(g.Benefit))
	}
	return b
}

// frontFigure shows what was judged: base, fine-tune and the chosen one by name.
func (r *auditResult) frontFigure() plot.Drawing {
	named := map[string]*plot.Cloud{}
	others := plot.Cloud{Name: "other repairs"}
	var chord plot.Chord
	for _, p := range r.Front {
		if !p.Retention.Defined || !p.Slack.Defined {
			continue
		}
		x, y := p.Retention.Value, p.Slack.Value
		switch p.Name {
		case "base":
			chord.X0, chord.Y0 = x, y
		case "tuned":
			chord.X1, chord.Y1 = x, y
		}
		if p.Name == "base" || p.Name == "tuned" || p.Name == r.Chosen {
			named[p.Name] = &plot.Cloud{Marked: true}
			addPoint(named[p.Name], p, p.Name == r.Chosen)
			continue
		}
		addPoint(&others, p, false)
	}
	if len(named) == 0 {
		return nil
	}
	f := plot.Front{XLabel: "domain gain kept", YLabel: "room to the margin", YUnit: "pp", Gates: []plot.Gate{{Label: "gate"}}}
	for _, name := range []string{r.Chosen, "base", "tuned"} {
		if cloud := named[name]; cloud != nil {
			f.Clouds = append(f.Clouds, *cloud)
			delete(named, name)
		}
	}
	if len(others.X) > 0 {
		f.Clouds = append(f.Clouds, others)
	}
	if chord != (plot.Chord{}) {
		f.Chord = &chord
	}
	return f
}

// addPoint adds a candidate to a cloud, with its name and its intervals if it is the
// chosen one.
func addPoint(cloud *plot.Cloud, p audit.Point, chosen bool) {
	label, low, high, below, above := "", math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if cloud.Marked {
		label = p.Name
	}
	if chosen {
		low, high, below, above = p.Retention.Low, p.Retention.High, p.Slack.Low, p.Slack.High
	}
	cloud.X, cloud.Y, cloud.Labels = append(cloud.X, p.Retention.Value), append(cloud.Y, p.Slack.Value), append(cloud.Labels, label)
	cloud.XLow, cloud.XHigh, cloud.YLow, cloud.YHigh = append(cloud.XLow, low), append(cloud.XHigh, high), append(cloud.YLow, below), append(cloud.YHigh, above)
}
