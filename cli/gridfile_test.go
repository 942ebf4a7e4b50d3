package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGridBadFiles: what is no grid is refused with file, line and what was
// probably meant, before anything is scored or written.
func TestGridBadFiles(t *testing.T) {
	dir := t.TempDir()
	check := func(content string, says ...string) {
		t.Helper()
		path := write(t, dir, "bad.yml", content)
		refused(t, ExitInput, append(says, path+": "), "grid", path)
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: left %v %v", content, entries, err)
		}
	}
	const good = "alphas: [0, 1]\n"
	check("pairs: [{base: base, tuned: chem}]\nalphs: [0, 1]\n", "line 2: ", `no key "alphs"`, `did you mean "alphas"?`)
	check(good+"pairs:\n  - base: base\n    tuend: chem\n", "line 4: ", `no key "tuend"`, `did you mean "tuned"?`)
	check(good+"methods: [{trim: 0.5, sed: 1}]\n", "line 2: ", `no key "sed"`, `did you mean "seed"?`)
	check(good+"groups: [{tensor: norms, alphas: [1]}]\n", "line 2: ", `no key "tensor"`, `did you mean "tensors"?`)
	check(good+"num-fewshot: 5\n", "line 2: ", `did you mean "num_fewshot"?`)
	check(good+"zzzzzzzzz: 5\n", "line 2: ", `no key "zzzzzzzzz"`)
	check(good+good, "line 2: ", `"alphas" already defined at line 1`)
	check(good+"limit: many\n", "line 2: ", "many")
	check(good+"tasks: symbols\n", "line 2: ", "symbols")
	check(good+"seeds: [one]\n", "line 2: ", "one")
	check(good+"methods: [{trim: much}]\n", "line 2: ", "much")
	for _, density := range []string{"0", "-0.5", "1.5", ".nan", ".inf"} {
		check(good+"methods: [{trim: "+density+"}]\n", "line 2: ", "density")
		check(good+"methods: [linear, {drop: "+density+"}]\n", "line 2: ", "density")
	}
	check(good+"methods: [{trim: 0.5, drop: 0.5}]\n", "line 2: ", "a method is linear, {trim: DENSITY} or {drop: DENSITY, seed: N}")
	check(good+"methods: [ties]\n", "line 2: ", "a method is")
	check(good+"methods: [{}]\n", "line 2: ", "a method is")
	check(good+"methods: [trim]\n", "line 2: ", "a method is")
	check(good+"methods: [[linear]]\n", "line 2: ", "keys and values")
	check("tasks: [symbols]\n", "alphas are missing", "0:1:0.25")
	for _, alphas := range []string{"[0, one]", "[0, 0]", "1:0:0.5", "0:1:0", "[.nan]", "[]", "{a: 1}"} {
		check("alphas: "+alphas+"\n", "line 1: ", "alphas")
	}
	check("", "empty")
	check("# nothing but words\n", "empty")
	check("---\nalphas: [0]\n---\nalphas: [1]\n", "more than one document")
	check("alphas: [0\n", "line 1: ")
	check("- alphas\n- tasks\n", "line 1: ", "keys and values")
	check("just a text\n", "line 1: ", "keys and values")
	check(good+"margin: 2\n", "margin 2", "share")
	check(good+"margin: -0.1\n", "margin -0.1")
	check(good+"limit: -1\n", "none is negative")
	check(good+"num_fewshot: -1\n", "none is negative")
	check(good+"limit: 2\nsample: 2\n", "give one of them")
	check(good+"pairs: [{base: base}]\n", "pair 1: base and tuned are needed")
	check(good+"pairs: [{base: base, tuned: chem}, {base: base, tuned: chem}]\n", `two pairs are called "chem"`)
	check(good+"groups: [{tensors: norms}]\n", "group 1: tensors and alphas are needed")
	check(good+"domain: [nothing]\n", "domain names nothing", "no task of this grid", "symbols")
	check(good+"general: [nothing]\n", "general names nothing")
}

// TestGridRefusesToo: mistakes that the file's reading does not see.
func TestGridRefusesToo(t *testing.T) {
	dir := t.TempDir()
	check := func(content string, says ...string) {
		t.Helper()
		path := write(t, dir, "bad.yml", content)
		_, errs, code := surgeon(t, "grid", path)
		if code == ExitDone {
			t.Errorf("%s is accepted", content)
		}
		for _, text := range says {
			if !strings.Contains(errs, text) {
				t.Errorf("%s: says %q, want %q", content, errs, text)
			}
		}
	}
	const good = "alphas: [0, 1]\n"
	check(good+"groups: [{tensors: nothinghere, alphas: [1]}]\n", `"nothinghere=1"`, "matches no tensor")
	check(good+"pairs: [{base: base, tuned: nowhere}]\n", "nowhere", "no such file")
	check(good+"tasks: [ifevl]\n", `unknown task "ifevl"`, "did you mean ifeval")
	check(good+"tasks: [mmlu]\n", "no data folder is given")
	check(good+"shots: never\n", "never", "task, seed or item")
	refused(t, ExitInput, []string{"nowhere.yml"}, "grid", filepath.Join(dir, "nowhere.yml"))
	refused(t, ExitUsage, []string{"grid takes a GRID.yml, and 0 were given"}, "grid")
	refused(t, ExitUsage, []string{"grid takes a GRID.yml, and 2 were given"}, "grid", "a.yml", "b.yml")
	path := write(t, dir, "good.yml", good)
	refused(t, ExitUsage, []string{"figure.gif"}, "grid", "--plot", "figure.gif", path)
	refused(t, ExitInput, []string{"its directory does not exist"}, "grid", "--plot", filepath.Join(dir, "nowhere", "figure.svg"), path)
	refused(t, ExitInput, []string{"front", "general and domain"}, "grid", "--plot", filepath.Join(dir, "figure.svg"), path)
}

// TestGridStrictNumbers: numbers that are none of their kind, and margins that
// are no shares.
func TestGridStrictNumbers(t *testing.T) {
	for _, line := range []string{"limit: 2.7", "seeds: [1.5]", "seeds: [1, 1]", "margins: {symbols: 7}", "margins: {symbols: -0.1}", "margins: {tomato: 0.1}"} {
		path := write(t, t.TempDir(), "bad.yml", "alphas: [0, 1]\n"+line+"\n")
		if out, errs, code := surgeon(t, "grid", path); code == ExitDone || errs == "" {
			t.Errorf("%s is accepted: %s", line, out)
		}
	}
}

// TestReadGrid reads all keys.
func TestReadGrid(t *testing.T) {
	path := write(t, t.TempDir(), "all.yml", `# everything
pairs:
  - {name: one, base: base, tuned: chem}
  - {base: base, tuned: other}
methods: [linear, {trim: 0.2}, {drop: 0.5, seed: 7}]
alphas: 0:1:0.25
groups: [{tensors: norms, alphas: [0, 1]}]
tasks: [symbols, mine.jsonl]
general: [symbols]
domain: [mine]
seeds: [1, 2]
data: here
num_fewshot: 0
shots: seed
limit: 5
apply_chat_template: true
shuffle_options: true
max_gen_toks: 9
margin: 0.05
margins: {mine: 0.1}
`)
	g, _, err := readGrid(path)
	if err != nil {
		t.Fatal(err)
	}
	opt, err := g.bench(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if g.Pairs[0].Name != "one" || g.Pairs[1].Name != "other" || !slices.Equal(g.Alphas, []float64{0, 0.25, 0.5, 0.75, 1}) || len(g.axes().Points()) != 3*5*2 {
		t.Errorf("%+v: %d points", g, len(g.axes().Points()))
	}
	if opt.setting.Shots != 0 || !opt.setting.Chat || !opt.setting.ShuffleOptions || opt.limit != 5 || opt.maxTokens != 9 || !slices.Equal(opt.seeds, []int64{1, 2}) || opt.data != "here" {
		t.Errorf("%+v", opt)
	}
	if m := g.margins(); m.of("mine") != 0.1 || m.of("symbols") != 0.05 {
		t.Errorf("margins %v", m)
	}
}

// TestParseShard: shards are counted from 0, and a SLURM array or an indexed job
// says which, unless the flag does.
func TestParseShard(t *testing.T) {
	check := func(shard, shards int, flag string, environment ...string) {
		t.Helper()
		values := map[string]string{}
		for i := 0; i < len(environment); i += 2 {
			values[environment[i]] = environment[i+1]
		}
		a, b, err := parseShard(flag, func(name string) string { return values[name] })
		if shards == 0 && err != nil {
			return
		}
		if err != nil || a != shard || b != shards {
			t.Errorf("--shard %q with %v: %d of %d, %v; want %d of %d", flag, environment, a, b, err, shard, shards)
		}
	}
	check(0, 1, "")
	check(0, 4, "0/4")
	check(3, 4, "3/4")
	for _, wrong := range []string{"4/4", "-1/4", "1", "1/", "/4", "a/b", "1/0", "0/0", "1/2/3", "1.5/4", " 1/4"} {
		check(0, 0, wrong)
	}
	check(2, 8, "", "SLURM_ARRAY_TASK_ID", "2", "SLURM_ARRAY_TASK_COUNT", "8")
	check(2, 8, "", "SLURM_ARRAY_TASK_ID", "3", "SLURM_ARRAY_TASK_COUNT", "8", "SLURM_ARRAY_TASK_MIN", "1")
	check(0, 0, "", "SLURM_ARRAY_TASK_ID", "8", "SLURM_ARRAY_TASK_COUNT", "8")
	check(5, 6, "", "JOB_COMPLETION_INDEX", "5", "SURGEON_SHARDS", "6")
	check(5, 6, "", "JOB_COMPLETION_INDEX", "5", "SURGEON_SHARDS", "6", "SLURM_ARRAY_TASK_MIN", "1")
	check(1, 2, "1/2", "SLURM_ARRAY_TASK_ID", "2", "SLURM_ARRAY_TASK_COUNT", "8")
	check(0, 1, "", "SLURM_ARRAY_TASK_COUNT", "8")
}

// TestParseShardOfJobs: an index without a count is no whole grid, and the steps
// of a SLURM array are no shards.
func TestParseShardOfJobs(t *testing.T) {
	of := func(environment map[string]string) (int, int, error) {
		return parseShard("", func(name string) string { return environment[name] })
	}
	if shard, shards, err := of(map[string]string{"JOB_COMPLETION_INDEX": "3"}); err == nil || !strings.Contains(err.Error(), "SURGEON_SHARDS") {
		t.Errorf("%d of %d, %v", shard, shards, err)
	}
	if shard, shards, err := of(map[string]string{"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_STEP": "2"}); err != nil || shard != 2 || shards != 4 {
		t.Errorf("%d of %d, %v; want 2 of 4", shard, shards, err)
	}
}
