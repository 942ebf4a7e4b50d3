package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/probe/audit"
	"surgeon/tensors/tensorstest"
)

// TestAuditPlan: a plan alone says what would be asked and leaves nothing behind.
func TestAuditPlan(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	says(t, "the plan", done(t, "audit", "--plan-only", "--limit", "4"), "pair_refusal", "safety", "pair_chemistry_trained", "domain", "chem-replay", "where the harm sits", "in all about", "by a pilot of")
	if names, err := os.ReadDir("."); err != nil || len(names) != 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// withoutGradients lets a test go without what takes gradients, which takes seconds.
func withoutGradients(t *testing.T) {
	t.Helper()
	before := trainableParameters
	trainableParameters = 0
	t.Cleanup(func() { trainableParameters = before })
}

// one returns a candidate of an audit by its name.
func one(t *testing.T, r auditResult, name string) auditedCandidate {
	t.Helper()
	at := slices.IndexFunc(r.Candidates, func(c auditedCandidate) bool { return c.Name == name })
	if at < 0 {
		t.Fatalf("no candidate %s", name)
	}
	return r.Candidates[at]
}

// TestAudit audits the embedded pair on few items. What it concludes is what was
// measured when the pair was made (testdata/README.md): refusals are lost, the embedding
// does most of the harm, merges near 0.3 to 0.5 keep the general skills, and replay
// closes the gap.
func TestAudit(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	args := []string{"audit", "--limit", "12", "--references", "48", "--out", "run", "--json"}
	planned := decoded[planOutput](t, append(slices.Clone(args), "--plan-only")...)
	r := decoded[auditResult](t, args...)
	tokens, took := planned.Cost.total()
	if planned.Plan != r.Plan || planned.Questions != r.Items.All || len(planned.Cost.Phases) != 5 || tokens < 10_000 || !(took > 0) || planned.Cost.Memory < 1<<20 {
		t.Errorf("the plan %s is carried out as %s, by %d questions, and costs %+v", planned.Plan, r.Plan, planned.Questions, planned.Cost)
	}
	if i := r.Items; i.All != 9*12 || i.Select+i.Report != i.All || i.Select < 20 || i.Select > 70 {
		t.Errorf("items %+v", i)
	}
	check := func(name string, low, high float64) {
		t.Helper()
		if v := one(t, r, name).Protected.Value; v < low || v > high {
			t.Errorf("%s scores %.2f on the protected tasks, want %v to %v", name, v, low, high)
		}
	}
	check("base", 0.95, 1)
	check("tuned", 0, 0.6)
	check("chem-replay", 0.85, 1)
	check("alpha=0.3", 0.85, 1)
	check("alpha=0.9", 0, 0.7)
	if r.Chosen != "chem-replay" && r.Chosen != "chem-replay x 0.9" {
		t.Errorf("%s is chosen", r.Chosen)
	}
	if l := r.Lost; l.Largest < 0 || !slices.Contains([]string{"pair_refusal", "pair_arithmetic"}, l.Tasks[l.Largest].Task) || l.Tasks[l.Largest].Tuned > 0.1 {
		t.Errorf("the largest regression is number %d of %+v", l.Largest, l.Tasks)
	}
	classes := map[string]bool{}
	for _, c := range r.Candidates {
		classes[c.Class] = classes[c.Class] || c.Judged
	}
	for _, class := range repairClasses {
		if !classes[class] {
			t.Errorf("no candidate of class %s was judged", class)
		}
	}
	checkWhere(t, r)
	if len(r.Advice) == 0 || r.Advice[0].Rank != 1 || len(r.Advice[0].Evidence) == 0 || !r.Advice[0].Effect.Defined {
		t.Errorf("advice %+v", r.Advice)
	}
	if r.Decision.Word == audit.Ship || r.Decision.What == "tuned" {
		t.Errorf("decided: %+v", r.Decision)
	}
	if text := read(t, filepath.Join("run", resultsFile)); done(t, args...) != text || read(t, filepath.Join("run", resultsFile)) != text {
		t.Error("the same audit again says something else")
	}
	refused(t, ExitInput, []string{"plan"}, "audit", "--limit", "11", "--out", "run")
	_, errs, code := surgeon(t, "audit", "--limit", "12", "--references", "48", "--out", "run", "--gate", "--quiet")
	if says(t, "the gate", errs, "the gate is not passed: tuned: HOLD"); code != ExitNegative {
		t.Errorf("the gate: exit code %d", code)
	}
	checkMemo(t, "run")
}

// checkWhere checks what was found about groups of tensors.
func checkWhere(t *testing.T, r auditResult) {
	t.Helper()
	w := r.Where
	tensors, harm := 0, number(0)
	for _, g := range w.Groups {
		tensors, harm = tensors+g.Tensors, harm+g.Harm
	}
	if name := worstGroup(r); name != "embedding" || tensors != 38 {
		t.Errorf("the harm of %d tensors sits in %s", tensors, name)
	}
	if whole := w.Tuned.General - w.Base.General; !near(float64(harm+w.Residual.General), float64(whole)) || whole < 0.5 {
		t.Errorf("the groups' harm of %v and a residual of %v are not the whole, %v", harm, w.Residual.General, whole)
	}
	if b := w.Behaviour; len(b.Alignment) != 5 || !(b.Divergence[0] > 0.1) || !(b.Alignment[0] > b.Alignment[4]) {
		t.Errorf("behaviour %+v", b)
	}
	if i := w.Integrated; i == nil || i.Completeness.General > 0.2 || i.Agreement.Rho < 0.5 {
		t.Errorf("gradients along alpha: %+v", i)
	}
	if r.Relearned == nil || r.Relearned.Scores["pair_refusal"][4] < 0.8 {
		t.Errorf("relearned: %+v", r.Relearned)
	}
}

// worstGroup is the group with the most harm.
func worstGroup(r auditResult) string {
	worst := slices.MaxFunc(r.Where.Groups, func(a, b groupFound) int { return compareNumbers(a.Harm, b.Harm) })
	return worst.Group
}

// TestAuditRefuses: what cannot be audited is told before any question.
func TestAuditRefuses(t *testing.T) {
	withPair(t)
	dir := t.TempDir()
	t.Chdir(dir)
	pico(t, dir, "pico", tensorstest.Pico{})
	check := func(code int, says string, args ...string) {
		t.Helper()
		refused(t, code, []string{says}, append([]string{"audit"}, args...)...)
	}
	check(ExitUsage, "takes a base and a fine-tune", "base")
	check(ExitUsage, "--retention 2", "--retention", "2")
	check(ExitUsage, "want NAME=MODEL", "--candidate", "chem-replay")
	check(ExitUsage, "given twice", "--candidate", "a=chem-replay", "--candidate", "a=chem-mild")
	check(ExitUsage, "the audit has a candidate of this name", "--candidate", "tuned=chem-replay")
	check(ExitInput, "--candidate a: nowhere", "--candidate", "a=nowhere")
	check(ExitInput, "--candidate other: ", "--candidate", "other=pico")
	check(ExitUsage, "--domain nothing: there is no such task", "--domain", "nothing")
	check(ExitUsage, "nothing is left that could be forgotten", "--tasks", "pair_facts", "--domain", "pair_facts")
	check(ExitUsage, "--repairs magic: there is no such class", "--repairs", "magic")
	check(ExitUsage, "--finalists some", "--finalists", "some")
	check(ExitUsage, "--references 0", "--references", "0")
	check(ExitUsage, "--date tomorrow", "--date", "tomorrow")
	check(ExitUsage, "--ship nobody: there is no such candidate", "--ship", "nobody")
	check(ExitUsage, "--sample pair_poems=3: there is no such task", "--sample", "pair_poems=3")
	check(ExitUsage, "--sample 0", "--sample", "0")
	check(ExitInput, "all of them would choose a repair or all judge it", "--limit", "1")
	check(ExitInput, "nothing: no such file or directory", "base", "nothing")
	check(ExitInput, "", "base", "pico")
	if names, err := os.ReadDir("."); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// TestAuditWithoutData: a benchmark of which there are no data is left out, and the memo
// says so; the others are audited.
func TestAuditWithoutData(t *testing.T) {
	withPair(t)
	withoutGradients(t)
	t.Chdir(t.TempDir())
	args := []string{"audit", "base", "chem", "--tasks", "pair_mcq,pair_refusal,gsm8k,pair_chemistry_trained", "--domain", "pair_chemistry_trained", "--sample", "pair_mcq=10,12", "--references", "16", "--repairs", "interpolation",
		"--finalists", "best", "--out", "run"}
	out := done(t, args...)
	says(t, "the audit", out, "warning: gsm8k is not tested", "no data folder is given", "not judged")
	says(t, "the memo", read(t, "run/memo.md"), "Not tested: gsm8k, mmlu, ifeval, instruct. Of gsm8k no data were found.")
	r := parsed[auditResult](t, read(t, "run/results.json"))
	if r.Items.All != 10+12+12 || r.Rule.Missing["gsm8k"] == "" {
		t.Errorf("items %+v, missing %v", r.Items, r.Rule.Missing)
	}
}

// TestAuditWithoutSafety: a basket without a safety task is audited too, and the memo says
// what cannot be planned by it.
func TestAuditWithoutSafety(t *testing.T) {
	withPair(t)
	withoutGradients(t)
	t.Chdir(t.TempDir())
	out, errs, code := surgeon(t, "audit", "base", "chem", "--tasks", "pair_mcq,pair_chemistry_trained", "--limit", "6", "--references", "4", "--repairs", "interpolation", "--out", "run", "--quiet")
	if code != ExitDone || errs != "" {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	memo := tree(t, "run")["memo.md"]
	for what, text := range map[string]string{"output": out, "memo": memo} {
		if !strings.Contains(text, "o replay is planned, since no safety task was tested") {
			t.Errorf("the %s does not say that no replay is planned", what)
		}
	}
	if strings.Contains(memo, "Replay plan for a next training") {
		t.Error("the memo has a replay plan without a safety slice")
	}
}
