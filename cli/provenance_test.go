package cli

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// readProvenance parses the surgeon.json of a model.
func readProvenance(t *testing.T, dir string) provenance {
	t.Helper()
	return parsed[provenance](t, read(t, filepath.Join(dir, tensors.Provenance)))
}

// TestProvenance checks every field of surgeon.json against the files.
func TestProvenance(t *testing.T) {
	dir := t.TempDir()
	base, tuned := pico(t, dir, "base", tensorstest.Pico{Seed: 1}), pico(t, dir, "tuned", tensorstest.Pico{Seed: 1, Drift: 0.1})
	out := filepath.Join(dir, "out")
	report := decoded[merged](t, "merge", "--json", base, "--alpha", "norms=0,*=0.5", tuned, "--quiet", "-o", out, "--force", "--shard-size", "50KB", "--resume")
	p := readProvenance(t, out)
	if want := []string{"surgeon", "merge", base, "--alpha", "norms=0,*=0.5", tuned, "-o", out, "--shard-size", "50KB"}; !slices.Equal(p.Command, want) {
		t.Errorf("command %q, want %q", p.Command, want)
	}
	input := func(got provenanceInput, name string) {
		t.Helper()
		file := read(t, filepath.Join(name, "model.safetensors"))
		if got.Name != name || len(got.Files) != 1 || got.Files[0] != (tensors.Digest{Name: "model.safetensors", Bytes: int64(len(file)), SHA256: sum(file)}) {
			t.Errorf("input %+v", got)
		}
	}
	input(p.Base, base)
	input(p.Tuned[0], tuned)
	if p.Surgeon != Version || p.Recipe.Formula != formula || p.Recipe.OnMismatch != "refuse" || p.Recipe.Seed != nil || len(p.Tuned) != 1 {
		t.Errorf("%+v", p.Recipe)
	}
	if term := p.Recipe.Terms[0]; term.Rules != "norms=0,*=0.5" || term.Tuned != tuned || term != report.Terms[0] {
		t.Errorf("term %+v", term)
	}
	files := tree(t, out)
	if len(p.Files) != len(files)-1 || len(report.Files) != len(files) {
		t.Errorf("%d files listed, %d printed, %d there", len(p.Files), len(report.Files), len(files))
	}
	for _, f := range append(p.Files, report.Files...) {
		if data := files[f.Name]; f.SHA256 != sum(data) || f.Bytes != int64(len(data)) {
			t.Errorf("%+v is not the digest of the file", f)
		}
	}
	if len(p.Alphas) != 20 || report.Tensors != (mergedTensors{20, 0, 0}) || p.Tensors != report.Tensors {
		t.Errorf("%d tensors, %+v", len(p.Alphas), report.Tensors)
	}
	for _, a := range p.Alphas {
		want := number(0.5)
		if strings.Contains(a.Name, "norm") {
			want = 0
		}
		if len(a.Requested) != 1 || a.Requested[0] != want || math.Abs(float64(a.Effective[0]-want)) > 0.1 {
			t.Errorf("%+v, want %v", a, want)
		}
	}
}

// TestEffectiveAlpha computes the effective alpha of a tensor again: the
// least-squares coefficient of what was changed on what would change.
func TestEffectiveAlpha(t *testing.T) {
	dir := t.TempDir()
	done(t, "merge", "base", "chem", "--alpha", "0.3", "-o", filepath.Join(dir, "out"))
	b, u, y := tensorstest.Pico{Seed: 7}.Weights(), tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights(), opened(t, filepath.Join(dir, "out"))
	for _, a := range readProvenance(t, filepath.Join(dir, "out")).Alphas {
		base, tuned, merged := values(t, b, a.Name), values(t, u, a.Name), values(t, y, a.Name)
		var dot, square float64
		for i := range base {
			d := float64(tuned[i]) - float64(base[i])
			dot, square = dot+d*(float64(merged[i])-float64(base[i])), square+d*d
		}
		if math.Abs(dot/square-float64(a.Effective[0])) > 1e-9 {
			t.Errorf("%s: %v, want %v", a.Name, a.Effective[0], dot/square)
		}
	}
}

// TestMetadata: the header of the weights says how they were made, and keeps
// what the base's header said.
func TestMetadata(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.safetensors")
	done(t, "merge", "base", "chem", "--alpha", "0.25", "-o", out)
	m := opened(t, out).Metadata()
	if m["format"] != "pt" || m["surgeon"] != Version+": base + [0.25] * (chem - base); rounded once, to nearest" {
		t.Errorf("%q", m)
	}
	base := filepath.Join(dir, "base.safetensors")
	if _, err := tensors.Write(context.Background(), base, tensorstest.Pico{Seed: 7}.Weights(), tensors.WriteOptions{Metadata: map[string]string{"licence": "none"}}); err != nil {
		t.Fatal(err)
	}
	done(t, "merge", base, "chem", "--alpha", "0.25", "-o", filepath.Join(dir, "kept.safetensors"))
	if kept := opened(t, filepath.Join(dir, "kept.safetensors")).Metadata(); kept["licence"] != "none" || len(kept) != 3 {
		t.Errorf("%q", kept)
	}
	if text := done(t, "inspect", out); !strings.Contains(text, "made by       surgeon "+m["surgeon"]) {
		t.Errorf("inspect does not say it: %s", text)
	}
}

// frontMatter reads the block between the lines of three dashes: its lists and
// its scalars, JSON strings or plain ones.
func frontMatter(t *testing.T, card string) map[string][]string {
	t.Helper()
	before, rest, ok := strings.Cut(card, "---\n")
	block, _, closed := strings.Cut(rest, "\n---\n")
	if !ok || !closed || before != "" {
		t.Fatalf("no front matter in %s", card)
	}
	fields, key := map[string][]string{}, ""
	for line := range strings.SplitSeq(block, "\n") {
		if item, ok := strings.CutPrefix(line, "- "); ok && key != "" {
			if strings.HasPrefix(item, `"`) {
				if err := json.Unmarshal([]byte(item), &item); err != nil {
					t.Errorf("%s is no scalar: %v", item, err)
				}
			}
			fields[key] = append(fields[key], item)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, ` "-`) {
			t.Errorf("%q is not a line of a front matter", line)
		}
		if key = name; value != "" {
			fields[key] = []string{strings.TrimSpace(value)}
		}
	}
	return fields
}

// TestCard reads the model card's front matter as the hub does.
func TestCard(t *testing.T) {
	dir := t.TempDir()
	b, u := tensorstest.Pico{Seed: 7}.Weights(), tensorstest.Pico{Seed: 7, Drift: 0.05}.Weights()
	other := variant(t, dir, "other", tensorstest.Pico{Seed: 7}, func(m *tensorstest.Memory) {
		for _, name := range m.Names() { // the changes of chem, last first: a fine-tune in another direction
			info, _ := m.Info(name)
			list, base, tuned := values(t, b, name), values(t, b, name), values(t, u, name)
			for i := range list {
				list[i] += tuned[len(list)-1-i] - base[len(list)-1-i]
			}
			m.Add(name, info.DType, info.Shape, list)
		}
	})
	done(t, "merge", "base", "chem", other, "--alpha", "0.25", "--alpha", "norms=0,*=0.125", "-o", filepath.Join(dir, "out"))
	card := read(t, filepath.Join(dir, "out", "README.md"))
	fields := frontMatter(t, card)
	if !slices.Equal(fields["base_model"], []string{"base", "chem", other}) || !slices.Contains(fields["tags"], "merge") {
		t.Errorf("front matter %q", fields)
	}
	for _, text := range []string{"| chem | 0.25 | 0.2", "| " + other + " | norms=0,*=0.125 | 0.1", "20 tensors were merged, 0 copied", "rounded once"} {
		if !strings.Contains(card, text) {
			t.Errorf("the card lacks %q:\n%s", text, card)
		}
	}
}

// TestTermsThatCannotBeToldApart: a fine-tune given twice has no effective
// alphas, in no tensor.
func TestTermsThatCannotBeToldApart(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	report := decoded[struct{ Terms []map[string]any }](t, "merge", "base", "chem", "chem", "--alpha", "0.25", "--alpha", "0.125", "-o", out, "--json")
	if report.Terms[0]["effective_alpha"] != nil || report.Terms[1]["effective_alpha"] != nil {
		t.Errorf("%v", report.Terms)
	}
	type tensor struct {
		Name      string
		Effective []any
	}
	for _, a := range parsed[struct{ Alphas []tensor }](t, read(t, filepath.Join(out, tensors.Provenance))).Alphas {
		if a.Effective[0] != nil || a.Effective[1] != nil {
			t.Errorf("%s: %v", a.Name, a.Effective)
		}
	}
}

// TestSameMergeSameBytes: a merge into another place differs in the command
// that surgeon.json keeps, and in nothing else.
func TestSameMergeSameBytes(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	for _, out := range []string{one, two} {
		done(t, "merge", "base", "chem", "--alpha", "embed=0.1,*=0.7", "-o", out, "--shard-size", "40KB")
	}
	a, b := tree(t, one), tree(t, two)
	sameTree(t, "two places", a, b, tensors.Provenance)
	if x := strings.ReplaceAll(a[tensors.Provenance], one, two); len(a) != 9 || x != b[tensors.Provenance] {
		t.Errorf("%d files, and surgeon.json differs in more than the target", len(a))
	}
}

// TestHostilePaths: what a path holds breaks neither JSON nor the front
// matter.
func TestHostilePaths(t *testing.T) {
	dir := t.TempDir()
	name := "qu\"ote `tick` |pipe| new\nline \x1b[31m \\back # hash: - 'single' é"
	base, tuned := pico(t, dir, name, tensorstest.Pico{Seed: 1}), pico(t, dir, "t"+name, tensorstest.Pico{Seed: 1, Drift: 0.1})
	out := filepath.Join(dir, "out "+name)
	text := done(t, "merge", base, tuned, "--alpha", "0.5", "-o", out)
	p := readProvenance(t, out)
	if p.Base.Name != base || p.Tuned[0].Name != tuned || !slices.Contains(p.Command, out) {
		t.Errorf("surgeon.json says %q and %q, command %q", p.Base.Name, p.Tuned[0].Name, p.Command)
	}
	if fields := frontMatter(t, read(t, filepath.Join(out, "README.md"))); !slices.Equal(fields["base_model"], []string{base, tuned}) || len(fields) != 3 {
		t.Errorf("front matter %q", fields)
	}
	done(t, "inspect", out, "--verify")
	t.Run("card", func(t *testing.T) {
		_, body, _ := strings.Cut(read(t, filepath.Join(out, "README.md")), "|---|---|---|\n")
		row, _, _ := strings.Cut(body, "\n")
		if strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") != 4 || strings.Contains(body, "\x1b") {
			t.Errorf("the row of the table is %q", row)
		}
	})
	t.Run("terminal", func(t *testing.T) {
		if strings.Contains(text, "\x1b") {
			t.Errorf("merge prints %q", text)
		}
	})
}
