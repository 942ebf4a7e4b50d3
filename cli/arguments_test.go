package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFlagPlaces: flags stand before, between or behind the models and mean
// the same, negative numbers included.
func TestFlagPlaces(t *testing.T) {
	dir := t.TempDir()
	first := ""
	for i, line := range [][]string{
		{"--alpha", "-0.5", "base", "chem"}, {"--alpha=-0.5", "base", "chem"}, {"base", "chem", "--alpha=-0.5"}, {"base", "chem", "--alpha", "-0.5"},
		{"base", "--alpha", "-0.5", "chem"}, {"base", "-alpha=-0.5", "chem"}, {"--alpha", "-5e-1", "--", "base", "chem"}, {"--alpha", "*=-.5", "base", "chem"},
	} {
		out := filepath.Join(dir, string(rune('a'+i))+".safetensors")
		report := decoded[merged](t, append([]string{"merge", "--json", "-o", out}, line...)...)
		if report.Alpha != -0.5 {
			t.Errorf("%q: alpha %v", line, report.Alpha)
		}
		if weights := sum(read(t, out)); first == "" {
			first = weights
		} else if weights != first {
			t.Errorf("%q writes other weights", line)
		}
	}
}

// TestWrongFlags are refused before anything is read or written.
func TestWrongFlags(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	merge := []string{"merge", "base", "chem", "--alpha", "0.5", "-o", "out"}
	check := func(says string, args ...string) {
		t.Helper()
		refused(t, ExitUsage, []string{says}, args...)
	}
	with := func(args ...string) []string { return append(append([]string{}, merge...), args...) }
	for wrong, near := range map[string]string{"--shard-sise=1GB": "--shard-size", "--resum": "--resume", "--on-missmatch=base": "--on-mismatch", "--out-type=F32": "--out-dtype", "--forc": "--force",
		"--stochstic": "--stochastic", "--explian": "--explain", "--allow-nonfinit": "--allow-nonfinite"} {
		check("did you mean "+near+"?", with(wrong)...)
	}
	check("did you mean --digests?", "inspect", "base", "--digest")
	check("did you mean --plot?", "diff", "base", "chem", "--plt", "x.png")
	check("--help lists them", "diff", "base", "chem", "--zzzzzz")
	check("--out-dtype", with("--out-dtype", "int4")...)
	for _, size := range []string{"garbage", "-1", "", "5 apples", "1e9", "0.1"} {
		check("want a number of bytes such as 5GB", with("--shard-size", size)...)
	}
	for _, flag := range []string{"-o", "--out", "--alpha", "--shard-size", "--out-dtype", "--on-mismatch", "--seed"} {
		check(flag+" needs a value", "merge", "base", "chem", flag)
	}
	for _, flag := range []string{"--svd", "--csv", "--plot"} {
		check(flag+" needs a value", "diff", "base", "chem", flag)
	}
	check("--svd 0: want a rank of at least 1", "diff", "base", "chem", "--svd", "0")
	check("--svd -3", "diff", "base", "chem", "--svd", "-3")
	check("svd", "diff", "base", "chem", "--svd", "eight")
	check("--json and --csv - both go to standard output", "diff", "base", "chem", "--json", "--csv", "-")
	check("seed", with("--stochastic", "--seed", "-1")...)
	check("--plot belongs to --alpha-sweep", with("--plot", "x.png")...)
	check("--tasks belongs to --alpha-sweep", with("--tasks", "x.jsonl")...)
	check("refuse, base or tuned", with("--on-mismatch", "")...)
	check("--json is a flag", "merge", "base", "chem", "--alpha", "--json", "-o", "out")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// TestSwallowedFlags: a flag is not taken for the value of another.
func TestSwallowedFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, line := range [][]string{
		{"merge", "base", "chem", "--alpha", "1", "-o", "--force"}, {"merge", "base", "chem", "-o", "--alpha", "1"}, {"diff", "base", "chem", "--csv", "--json"},
		{"diff", "base", "chem", "--csv", "--tensors"}, {"merge", "base", "chem", "--alpha", "1", "-o", "-q"},
	} {
		refused(t, ExitUsage, []string{"needs a value"}, line...)
	}
}

// TestSweepTakesNoOtherFlags: what a sweep would ignore is refused.
func TestSweepTakesNoOtherFlags(t *testing.T) {
	for _, flags := range [][]string{{"--explain"}, {"--force"}, {"--resume"}, {"--shard-size", "1GB"}, {"--out-dtype", "F32"}, {"--stochastic"}, {"--on-mismatch", "base"}, {"--allow-nonfinite"}} {
		refused(t, ExitUsage, []string{"--alpha-sweep", flags[0]}, append([]string{"merge", "--alpha-sweep=0,1"}, flags...)...)
	}
}
