package audit

import (
	"math/rand/v2"
	"testing"

	"surgeon/probe/stat"
)

// By hand: (1.6449+0.8416)² is 6.18256 and (1.9600+0.8416)² is 7.84888.
func TestGatesByHand(t *testing.T) {
	rule := Rule{}.complete()
	check := func(name string, task TaskVerdict, shows string, n int, discordance, margin float64, passed bool) {
		t.Helper()
		g := gateOf(task, rule)
		if g.Shows != shows || g.N != n || g.Passed != passed || g.Asked != task.N {
			t.Errorf("%s: %+v, want %s with %d items", name, g, shows, n)
		}
		near(t, name+": discordance", g.Discordance, discordance, 1e-6)
		near(t, name+": margin", g.Margin, margin, 1e-12)
	}
	general := func(n, fell, rose int, margin, effect float64) TaskVerdict {
		return TaskVerdict{Kind: General, N: n, Base: 0.8, Margin: margin, Fell: fell, Rose: rose, DesignEffect: effect}
	}
	check("15 % change", general(200, 15, 15, 0.02, 1), ShowsRetained, 2319, 0.15, 0.02, false)   // 2318.5
	check("a wider margin", general(200, 15, 15, 0.05, 1), ShowsRetained, 371, 0.15, 0.05, false) // 370.95
	check("5 % change", general(200, 10, 0, 0.05, 1), ShowsRetained, 124, 0.05, 0.05, false)      // 123.7
	check("three items for one", general(200, 15, 15, 0.02, 3), ShowsRetained, 6956, 0.45, 0.02, false)
	check("more than all change", general(10, 5, 5, 0.05, 4), ShowsRetained, 9893, 4, 0.05, false) // 9892.1
	check("clusters that help", general(200, 15, 15, 0.02, 0.3), ShowsRetained, 2319, 0.15, 0.02, false)
	// Without any change one of 600 is counted, which makes 104: but 299 are what
	// excludes one point by the rule of three, log 0.05 / log 0.99 being 298.07.
	check("no change", general(600, 0, 0, 0.01, 1), ShowsRetained, 299, 1.0/600, 0.01, false)
	check("a margin for no one", general(600, 5, 5, 1e-6, 1), ShowsRetained, 0, 1.0/60, 1e-6, false)
	kept := general(3000, 10, 10, 0.02, 1)
	kept.Word, kept.NonInferior = stat.Retained, true
	check("kept", kept, ShowsRetained, 149, 1.0/150, 0.02, true)

	floor := TaskVerdict{Kind: Safety, N: 400, Base: 0.26, Chance: 0.25, Margin: 0.01, Floor: true, DesignEffect: 1}
	check("the floor", floor, ShowsAboveChance, 15102, 0.1924, 0, false) // 7.84888 * 0.26 * 0.74 / 0.01²
	floor.Base = 0.25
	check("no better than chance", floor, ShowsAboveChance, 0, 0, 0, false)
	check("too little to lose", TaskVerdict{Kind: General, N: 4000, Base: 0.015, Margin: 0.02, DesignEffect: 1, NonInferior: true}, ShowsRetained, 0, 0, 0.02, false)

	domain := TaskVerdict{Kind: Domain, N: 40, Margin: 0.02, Gap: Interval{Value: -0.1, Low: -0.25, High: 0.05, Defined: true}}
	check("a gain not shown", domain, ShowsGain, 184, 0.234286, 0, false) // 40 (0.15/1.96)², 183.9
	domain.Gap.Value = 0.05
	check("no gain", domain, ShowsGain, 0, 0, 0, false)
	domain.Gap = Interval{Value: -0.015, Low: -0.02, High: -0.01, Defined: true}
	check("a gain too small to part", domain, ShowsGain, 10, 0.000260, 0, true)
	domain = TaskVerdict{Kind: Domain, N: 100, Gap: Interval{Value: -0.6, Low: -0.7, High: -0.5, Defined: true}, Restored: Interval{Low: -0.05, High: 0.05, Defined: true}}
	check("a share to keep", domain, ShowsKept, 28, 0.0650795, 0.12, false) // 27.94
	domain.Closed = Interval{Value: 0.9, Low: 0.8, High: 1, Defined: true}
	check("a share kept", domain, ShowsKept, 28, 0.0650795, 0.12, true)
}

// A test of as many items as the gate says shows four times in five that nothing
// is lost, if nothing is. 2,000 draws have a standard error of 0.9 points.
func TestGatePower(t *testing.T) {
	const psi, margin, draws = 0.15, 0.05, 2000
	n, _ := itemsToRetain(margin, 200, 30, 1)
	shown := 0
	for draw := range draws {
		random := rand.New(rand.NewPCG(11, uint64(draw)))
		fell, rose := 0, 0
		for range n {
			switch x := random.Float64(); {
			case x < psi/2:
				fell++
			case x < psi:
				rose++
			}
		}
		if low, _ := stat.Tango(fell, rose, n, 0.90); low > -margin {
			shown++
		}
	}
	near(t, "the power", float64(shown)/draws, 0.8, 0.03)
}

// Whoever asks how many items are needed gets one number: the verdict on a task,
// the gap, the sentence that is open, the condition of the decision, the gates
// and the advice.
func TestOneNumberOfItems(t *testing.T) {
	tasks := []Task{task("facts", General, 200), task("refusal", Safety, 96), task("chemistry", Domain, 200)}
	base := model("base", tasks, 150, 90, 40)
	tuned := model("tuned", tasks, 150, 90, 160)
	for i := range 4 { // of 96 refusals 4 are lost and 4 gained, one point being allowed
		tuned.Scores[1][i], tuned.Scores[1][90+i] = 0, 1
	}
	v := judged(t, tasks, base, tuned, tuned, Rule{})
	const want = 5153 // 6.18256 * 8/96 / 0.0001 = 5152.1
	e := Evidence{Tuned: Trial{ID: "judged/tuned", Name: "tuned", Class: ClassTuned, Verdict: v}, Lost: v.Regression}
	d, advice := Decide(e.Tuned, e.chosen(), e.Rule), Advise(e)
	check := func(where string, got int) {
		t.Helper()
		if got != want {
			t.Errorf("%s says %d, want %d", where, got, want)
		}
	}
	check("the verdict on the task", v.Tasks[1].Needed)
	check("the gap", v.Regression.Tasks[1].Needed)
	check("the gate", Gates(e)[1].N)
	check("what is open", number(t, v.Open, "refusal", ";"))
	check("the condition", number(t, d.Conditions, "refusal", ";"))
	check("the advice", int(advice[0].To.Number))
	check("the gate of the advice", advice[0].Gate.N)
	if d.Word != InsufficientEvidence || d.Task != "refusal" || advice[0].Kind != ActGates {
		t.Errorf("%+v, on top stands %+v", d, advice[0])
	}
}

func TestGatesWithoutVerdict(t *testing.T) {
	if g := Gates(Evidence{}); g != nil {
		t.Errorf("%+v", g)
	}
	tasks, base, tuned := usual()
	chosen := Trial{Name: "m", Verdict: judged(t, tasks, base, tuned, base, Rule{})}
	first := Gates(Evidence{Tuned: Trial{Name: "tuned", Verdict: judged(t, tasks, base, tuned, tuned, Rule{})}})
	second := Gates(Evidence{Candidates: []Trial{chosen}, Chosen: "m"})
	if len(first) != 3 || first[0].Passed || !(first[0].Discordance > 0.29) || len(second) != 3 || !second[0].Passed {
		t.Errorf("%+v and %+v", first, second)
	}
}
