package audit

import (
	"cmp"
	"fmt"
	"math"

	"surgeon/probe/stat"
)

// ReplayOptions says what a replay plan is made for. The zero value means the
// defaults, which are documented priors.
type ReplayOptions struct {
	// Share is the share of the training examples that are to be replayed ones,
	// and ShareSource where that number comes from, such as the evidence of a
	// run. Default 0.10, with its source.
	Share       float64
	ShareSource string
	// Examples is the number of examples of the training, 0 if unknown.
	Examples int
	// Pool is how many different examples there are for each task, by name; nil
	// if nobody said.
	Pool map[string]int
	// LostID names the regression, as in [Evidence].
	LostID string
}

// ReplayPlan says what to mix into a training so that it keeps what the last one
// lost.
type ReplayPlan struct {
	// Share is the share of the training examples that are replayed, in place of
	// others and not besides, and Source where the number comes from.
	Share  float64 `json:"share"`
	Source string  `json:"source"`
	// Slices are the parts of it, the tasks in the order of the basket.
	Slices []ReplaySlice `json:"slices"`
	// Needed is the number of different examples that are needed in all, and
	// NeededSource where the number comes from.
	Needed       int    `json:"pool_needed"`
	NeededSource string `json:"pool_needed_source"`
	// Suffices says that the pool has as many in every slice, and Known that the
	// pool was given.
	Suffices bool `json:"pool_suffices"`
	Known    bool `json:"pool_known"`
}

// ReplaySlice is the part of a plan for one task.
type ReplaySlice struct {
	Task string `json:"task"`
	Kind Kind   `json:"kind"`
	// Share is its share of what is replayed; those of all slices sum to 1.
	// Source is the evidence, or the prior where the floor decides.
	Share  float64 `json:"share"`
	Source string  `json:"source"`
	// Loss is what the task lost, base minus tuned, as a share of the items, and
	// N the number of the items.
	Loss Interval `json:"loss"`
	N    int      `json:"n"`
	// Examples is how many examples of the training are of this slice, 0 if the
	// number of all is unknown.
	Examples int `json:"examples,omitempty"`
	// Needed is the number of different examples it needs, Pool how many there
	// are, and Suffices that this is enough.
	Needed   int  `json:"pool_needed"`
	Pool     int  `json:"pool"`
	Suffices bool `json:"pool_suffices"`
}

// The priors of a replay plan, with what they rest on: surgeon's own trials are
// those of testdata/README.md.
const (
	priorShare  = 0.10
	shareSource = "prior: 1, 5 and 10 % closed 67, 88 and 94 % of the gap in surgeon's own trials on its embedded pair; from 1 % on in arXiv 2403.08763, 2502.06042"
	// A tenth of the prior share is 1 % of the examples.
	priorFloor  = 0.10
	floorSource = "prior: 0.7 % of all examples kept every refusal and 0.14 % did not in surgeon's own trials on its embedded pair"
	priorPool   = 400
	poolSource  = "prior: 50, 400 and 3,028 different examples closed 53, 87 and 94 % of the gap in surgeon's own trials on its embedded pair"
)

// ErrNoSafety is the error of a replay plan where no safety task was tested.
var ErrNoSafety = fmt.Errorf("audit: no safety task was tested, and a replay plan without a safety slice loses refusals: add a task of the kind %q", Safety)

// PlanReplay plans the replay of a next training by what the last one lost: a
// slice for each protected task whose loss is shown or at least beyond doubt, and
// for each safety task whatever it lost, since replay protects only what it
// contains. The slices share in proportion to the lower bounds of their losses in
// points above chance, but none has less than a tenth, or an equal share where
// there are more than ten.
//
// It is ErrNoSafety if no safety task was tested, since a plan without one is how
// refusals are lost, and another error if the share is not above 0 and at most 1.
func PlanReplay(r *Regression, o ReplayOptions) (*ReplayPlan, error) {
	if !(o.Share >= 0 && o.Share <= 1) {
		return nil, fmt.Errorf("audit: the share of examples to replay is %v, but must be above 0 and at most 1", o.Share)
	}
	plan := &ReplayPlan{Share: o.Share, Source: cmp.Or(o.ShareSource, "set by the user"), NeededSource: poolSource, Known: o.Pool != nil, Suffices: o.Pool != nil}
	if o.Share == 0 {
		plan.Share, plan.Source = priorShare, shareSource
	}
	safe := false
	var losses []float64
	for _, gap := range r.Tasks {
		lost := gap.Shown || gap.Word == stat.Material || gap.Word == stat.Regressed
		if gap.Kind == Domain || gap.Kind != Safety && !lost {
			continue
		}
		safe = safe || gap.Kind == Safety
		plan.Slices = append(plan.Slices, ReplaySlice{Task: gap.Task, Kind: gap.Kind, Loss: gap.Gap, N: gap.N, Source: cmp.Or(o.LostID, lostID) + "/" + gap.Task})
		losses = append(losses, aboveChance(gap, gap.Gap.Low))
	}
	if !safe {
		return nil, ErrNoSafety
	}
	shares, floored := sharesOf(losses)
	for at := range plan.Slices {
		plan.Slices[at].fill(shares[at], floored[at], plan.Share, o)
		plan.Needed += plan.Slices[at].Needed
		plan.Suffices = plan.Suffices && plan.Slices[at].Suffices
	}
	return plan, nil
}

// aboveChance turns a loss of a task into points above chance, and a gain into 0.
func aboveChance(g Gap, loss float64) float64 {
	if g.Gap.Value != 0 {
		loss *= g.Adjusted / g.Gap.Value
	}
	return max(0, loss)
}

// sharesOf parts 1 in proportion to the losses, with a floor for each. Those below
// it are lifted to it, and the others share what is left, until none is below.
func sharesOf(losses []float64) (shares []float64, floored []bool) {
	n := len(losses)
	floor := min(priorFloor, 1/float64(n))
	shares, floored = make([]float64, n), make([]bool, n)
	for again := true; again; {
		again = false
		left, total := 1.0, 0.0
		for at, loss := range losses {
			if floored[at] {
				left -= floor
			} else {
				total += loss
			}
		}
		for at, loss := range losses {
			switch {
			case floored[at]:
				shares[at] = floor
			case total > 0:
				shares[at] = left * loss / total
			default:
				shares[at], floored[at] = 1/float64(n), true
			}
			if !floored[at] && total > 0 && shares[at] < floor {
				floored[at], again = true, true
			}
		}
	}
	return shares, floored
}

// fill sets the numbers that follow from a slice's share.
func (s *ReplaySlice) fill(share float64, floored bool, total float64, o ReplayOptions) {
	if s.Share = share; floored {
		s.Source = floorSource
	}
	s.Needed = int(math.Ceil(priorPool*share - 1e-9))
	s.Pool = o.Pool[s.Task]
	s.Suffices = s.Pool >= s.Needed
	s.Examples = int(math.Round(float64(o.Examples) * total * share))
}
