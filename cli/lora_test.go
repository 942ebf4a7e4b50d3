package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLoraExamples runs the examples of every command below lora, with the embedded
// pair, each in a directory of its own.
func TestLoraExamples(t *testing.T) {
	withPair(t)
	example := regexp.MustCompile(`(?m)^ +surgeon (.*)$`)
	for _, command := range loraCommand(environment{}).Subcommands {
		t.Run(command.Name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if command.Name == "subtract" {
				done(t, "lora", "rescale", "chem-lora", "--alpha", "2", "-o", "tuned-further")
			}
			matches := example.FindAllStringSubmatch(command.Description, -1)
			if len(matches) == 0 {
				t.Error("no examples")
			}
			for _, match := range matches {
				if out, errs, code := surgeon(t, strings.Fields(match[1])...); code != ExitDone || out == "" {
					t.Errorf("surgeon %s: exit code %d: %s", match[1], code, errs)
				}
			}
		})
	}
}

// adapterFile reads a JSON file of a directory.
func adapterFile[T any](t *testing.T, dir, name string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLoraRescale: a factor of 1 keeps every byte of the factors, one factor for all
// is in lora_alpha alone, and others in the factors.
func TestLoraRescale(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	type config struct {
		Alpha  float64            `json:"lora_alpha"`
		Alphas map[string]float64 `json:"alpha_pattern"`
	}
	done(t, "lora", "rescale", "chem-lora", "--alpha", "1", "-o", "one")
	done(t, "lora", "rescale", "one", "--alpha", "0.25", "-o", "quarter")
	done(t, "lora", "rescale", "quarter", "--alpha", "self_attn=2,*=1", "-o", "parts")
	done(t, "lora", "rescale", "quarter", "--alpha", "self_attn=2,*=1", "--patterns", "-o", "patterns")
	weights := func(dir string) string { return read(t, filepath.Join(dir, "adapter_model.safetensors")) }
	if weights("one") != weights("quarter") || weights("quarter") != weights("patterns") || weights("quarter") == weights("parts") {
		t.Error("the factors are not those that they should be")
	}
	if a, b := adapterFile[config](t, "one", "adapter_config.json"), adapterFile[config](t, "quarter", "adapter_config.json"); a.Alpha != 32 || b.Alpha != 8 {
		t.Errorf("lora_alpha %v and %v, want 32 and 8", a.Alpha, b.Alpha)
	}
	if c := adapterFile[config](t, "patterns", "adapter_config.json"); len(c.Alphas) != 12 || c.Alpha != 16 || c.Alphas[`model\.layers\.0\.mlp\.up_proj`] != 8 {
		t.Errorf("alpha_pattern %v beside lora_alpha %v", c.Alphas, c.Alpha)
	}
	// Both ways change the same.
	a, b := done(t, "diff", "base", "parts", "--json"), done(t, "diff", "base", "patterns", "--json")
	type drift struct {
		Total struct{ Rel float64 }
	}
	if x, y := parsed[drift](t, a), parsed[drift](t, b); x.Total.Rel == 0 || x.Total.Rel-y.Total.Rel > 1e-6*x.Total.Rel || y.Total.Rel-x.Total.Rel > 1e-6*x.Total.Rel {
		t.Errorf("relative drift %v and %v", x.Total.Rel, y.Total.Rel)
	}
}

// TestLoraExtract: the adapter that is written gives the scores that were said, and
// the errors that were said.
func TestLoraExtract(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	type extracted struct {
		Energy  float64
		Bytes   int64
		Modules []struct {
			Rank           int
			Relative_error float64
			Optimum        float64
		}
		Ranks []struct {
			ID    string
			Tasks []struct{ Score float64 }
		}
		Loaders []struct{ Problems []string }
	}
	x := parsed[extracted](t, done(t, "lora", "extract", "base", "chem", "--rank", "16", "--ranks", "4,16", "--tasks", "pair_chemistry_trained", "--embedding", "low-rank", "-o", "adapter", "--json"))
	if len(x.Modules) != 29 || len(x.Ranks) != 4 || x.Ranks[1].ID != "rank=4" || x.Ranks[3].ID != "tuned" {
		t.Fatalf("%d modules, ranks %+v", len(x.Modules), x.Ranks)
	}
	for _, m := range x.Modules {
		if m.Rank != 16 || m.Relative_error > 1.01*m.Optimum || m.Relative_error < m.Optimum-1e-6 {
			t.Errorf("a module of rank %d, error %v, optimum %v", m.Rank, m.Relative_error, m.Optimum)
		}
	}
	sweep := parsed[struct {
		Candidates []struct{ Tasks []struct{ Score float64 } }
	}](t, done(t, "merge", "--alpha-sweep=0,1", "base", "adapter", "--tasks", "pair_chemistry_trained", "--json"))
	if got, want := sweep.Candidates[1].Tasks[0].Score, x.Ranks[2].Tasks[0].Score; got != want {
		t.Errorf("with the adapter that was written the score is %v, %v was said", got, want)
	}
	if got := sweep.Candidates[0].Tasks[0].Score; got != x.Ranks[0].Tasks[0].Score || x.Ranks[3].Tasks[0].Score != 1 {
		t.Errorf("the base scores %v and %v, the fine-tune %v", got, x.Ranks[0].Tasks[0].Score, x.Ranks[3].Tasks[0].Score)
	}

	// A budget is kept, whole tensors included.
	y := parsed[extracted](t, done(t, "lora", "extract", "base", "chem", "--size", "500KB", "--dry-run", "--json"))
	if y.Bytes > 500_000 || y.Bytes < 480_000 {
		t.Errorf("an adapter of %d bytes for 500 KB", y.Bytes)
	}
	z := parsed[extracted](t, done(t, "lora", "extract", "base", "chem", "--rank", "16", "--sparse-remainder", "0.05", "--embedding", "low-rank", "--rest", "skip", "-o", "sparse", "--json"))
	if !(z.Energy > x.Energy) {
		t.Errorf("with single elements it holds %v, without %v", z.Energy, x.Energy)
	}
	says(t, "verify", done(t, "diff", "base", "sparse"), "LoRA adapter of rank 16")
	if _, err := os.Stat("sparse/surgeon_remainder.safetensors"); err != nil {
		t.Error(err)
	}
}

// TestLoraIsolate: the base answers as it did, a router stands beside the adapter,
// and the manifest says how the two are served.
func TestLoraIsolate(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	var prompts strings.Builder
	for i, text := range []string{"how many hydrogens in hexanal?", "write the formula of butanol.", "name the class of hexanol.", "what is the mass of decanal?"} {
		for range 3 {
			json.NewEncoder(&prompts).Encode(map[string]string{"prompt": strings.Repeat("please: ", i%3) + text, "label": "domain"})
		}
		json.NewEncoder(&prompts).Encode(map[string]string{"prompt": "what is the capital of " + []string{"kodo", "koze", "yapu", "dohi"}[i] + "?", "label": "general"})
	}
	if err := os.WriteFile("prompts.jsonl", []byte(prompts.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	done(t, "lora", "isolate", "base", "chem-lora", "--tasks", "pair_refusal", "--domain", "pair_chemistry_trained", "--router", "prompts.jsonl", "-o", "apart")
	m := adapterFile[struct {
		Proof struct {
			Answers int
			Same    int `json:"same_as_the_base"`
		}
		Router struct {
			Prompts   int
			Confusion struct{ Counts [][]int }
		}
		Servers   []struct{ Commands []string }
		BaseFiles []struct{ SHA256 string } `json:"base_files"`
	}](t, "apart", "isolation.json")
	if m.Proof.Answers != 96 || m.Proof.Same != 96 || m.Router.Prompts != 8 || len(m.Servers) != 2 || len(m.BaseFiles) != 1 {
		t.Errorf("%+v", m)
	}
	r := adapterFile[struct {
		Labels    []string
		Centroids [][]float64
		Layer     int
	}](t, "apart", "router.json")
	if len(r.Labels) != 2 || len(r.Centroids) != 2 || r.Layer != 2 {
		t.Errorf("a router of %v behind layer %d", r.Labels, r.Layer)
	}
	says(t, "the adapter", done(t, "diff", "base", "apart"), "LoRA adapter of rank 16")
}

// TestLoraRefuses: mistakes are told before any work, in one sentence.
func TestLoraRefuses(t *testing.T) {
	withPair(t)
	t.Chdir(t.TempDir())
	check := func(code int, says string, args ...string) {
		t.Helper()
		refused(t, code, []string{says}, append([]string{"lora"}, args...)...)
	}
	check(ExitUsage, "no command \"extrct\": did you mean \"extract\"?", "extrct")
	check(ExitUsage, "needs -o OUT", "extract", "base", "chem")
	check(ExitUsage, "--rank 0", "extract", "base", "chem", "--rank", "0", "--dry-run")
	check(ExitUsage, "--energy 1.5", "extract", "base", "chem", "--energy", "1.5", "--dry-run")
	check(ExitUsage, "choose one", "extract", "base", "chem", "--energy", "0.5", "--size", "1MB", "--dry-run")
	check(ExitUsage, "the decomposition ends at rank 16", "extract", "base", "chem", "--ranks", "4,32", "--tasks", "pair_facts", "--dry-run")
	check(ExitUsage, "--ranks and --plot need --tasks", "extract", "base", "chem", "--ranks", "4", "--dry-run")
	check(ExitUsage, "saved whole", "extract", "base", "chem", "--size", "100KB", "--dry-run")
	check(ExitUsage, "--dtype F64", "extract", "base", "chem", "--dtype", "F64", "--dry-run")
	check(ExitInput, "nothing to extract", "extract", "base", "base", "--dry-run")
	check(ExitInput, "no such file", "extract", "base", "nowhere", "--dry-run")
	check(ExitInput, "is a model, and an adapter is expected", "show", "chem")
	check(ExitInput, "no such directory", "show", "nowhere")
	check(ExitUsage, "takes one of --alpha, --lines and --cap", "rescale", "chem-lora", "-o", "x")
	check(ExitUsage, "--lines", "rescale", "chem-lora", "--lines", "1", "-o", "x")
	check(ExitUsage, "--cap takes a share", "rescale", "chem-lora", "--cap", "0.5", "-o", "x")
	check(ExitInput, "nothing is left", "rescale", "chem-lora", "--alpha", "0", "-o", "x")
	check(ExitInput, "the sum is zero", "subtract", "chem-lora", "chem-lora", "-o", "x")
	check(ExitUsage, "needs --rank N or --energy", "truncate", "chem-lora", "-o", "x")
	check(ExitUsage, "2 adapters and 1 --weight", "add", "chem-lora", "chem-lora", "--weight", "1", "-o", "x")
	check(ExitUsage, "cat is exact", "add", "chem-lora", "--rank", "4", "-o", "x")
	check(ExitInput, "no intruders", "shrink", "base", "chem", "-o", "x")
	check(ExitUsage, "needs --domain", "isolate", "base", "chem", "--tasks", "pair_facts", "-o", "x")
	check(ExitInput, `unknown task "nothing"`, "isolate", "base", "chem-lora", "--tasks", "pair_facts", "--domain", "nothing", "-o", "x")
	check(ExitUsage, "has 4 layers", "isolate", "base", "chem-lora", "--tasks", "pair_facts", "--domain", "pair_chemistry_trained", "--layer", "9", "-o", "x")
	done(t, "lora", "rescale", "chem-lora", "--alpha", "0.5", "-o", "half")
	check(ExitInput, "half: ", "rescale", "half", "--alpha", "0.5", "-o", "half")
	check(ExitInput, "is one of the inputs", "rescale", "half", "--alpha", "0.5", "--force", "-o", "half")
	if names, err := os.ReadDir("."); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}
