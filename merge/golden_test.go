package merge_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// golden is where the ideals lie: each recipe in float64, rounded once.
const golden = "../../shared/golden/merge"

// summand is one term of a recipe: the model it goes to, from "base" unless
// the recipe starts elsewhere, and its alpha.
type summand struct {
	model string
	alpha merge.Alpha
}

// recipe is a mergekit recipe in surgeon's terms: from + sum of alpha * (model - from).
// A linear merge of weights w adds to their sum W, so it starts from one of
// its own models and goes w/W towards each of the others. With "zero" as the
// start and the differences from it, the sum need not be 1.
type recipe struct {
	name  string
	from  string
	terms []summand
}

// gradient is mergekit's gradient of two anchors over the two layers of the
// golden models: layer 0 has the first, layer 1 the second; embedding, norm
// and head have the first.
func gradient(first, last float64) merge.Alpha {
	return func(name string) float64 {
		if tensors.KeyOf(name).Layer == 1 {
			return last
		}
		return first
	}
}

// within is mergekit's list of filters: the first whose text is in the
// tensor's name decides, and the rest stands for all others.
func within(rest merge.Alpha, filters ...any) merge.Alpha {
	return func(name string) float64 {
		part := tensors.KeyOf(name).Part
		for i := 0; i < len(filters); i += 2 {
			if strings.Contains(part, filters[i].(string)) {
				return filters[i+1].(merge.Alpha)(name)
			}
		}
		return rest(name)
	}
}

var number = merge.Number

var recipes = []recipe{
	{"linear-half", "a", []summand{{"b", number(0.5)}}},
	{"linear-3", "a", []summand{{"b", number(0.3)}, {"c", number(0.5)}}},
	{"linear-sum", "zero", []summand{{"a", number(0.1)}, {"b", number(1)}}},
	{"linear-negative", "base", []summand{{"c", number(1.5)}}},
	{"linear-filter", "base", []summand{{"b", within(number(0.5), "self_attn", number(0.2), "mlp", gradient(0.75, 0.25))}}},
	{"linear-gradient", "a", []summand{{"b", gradient(0.9, 0.1)}}},
	{"ta-one", "base", []summand{{"b", number(1)}}},
	{"ta-two", "base", []summand{{"a", number(0.7)}, {"b", number(0.3)}}},
	{"ta-over", "base", []summand{{"c", number(1.7)}}},
	{"ta-negative", "base", []summand{{"b", number(-0.6)}}},
	{"ta-lambda", "base", []summand{{"a", number(1.3 * 0.4)}, {"b", number(1.3 * 0.5)}, {"c", number(1.3 * -0.2)}}},
	{"ta-lambda-negative", "base", []summand{{"b", number(-0.5 * 0.5)}}},
	{"ta-normalize", "base", []summand{{"a", number(0.9 / 1.5)}, {"b", number(0.6 / 1.5)}}},
	{"ta-filter", "base", []summand{{"b", within(number(0.5), "embed", number(0), "self_attn", number(1), "mlp", gradient(0.2, 0.6))}}},
	{"ta-gradient", "base", []summand{{"b", gradient(0, 1)}}},
	{"ta-f32-inside", "base", []summand{{"a", number(0.7)}, {"b", number(0.3)}}},
}

// inputs opens the models of one type; "zero" is a base of nothing but zeros.
func inputs(t *testing.T, dtype string) map[string]tensors.Source {
	t.Helper()
	models, zero := map[string]tensors.Source{}, tensorstest.NewMemory()
	for _, name := range []string{"base", "a", "b", "c"} {
		c, err := tensors.Open(filepath.Join(golden, "inputs", dtype, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		models[name] = c
	}
	for _, name := range models["base"].Names() {
		info, _ := models["base"].Info(name)
		zero.AddRaw(name, info, make([]byte, info.Bytes()))
	}
	models["zero"] = zero
	return models
}

// TestGoldens compares every linear and task arithmetic recipe with its ideal:
// never more than one unit in the last place.
func TestGoldens(t *testing.T) {
	if _, err := os.Stat(golden); err != nil {
		t.Skipf("the merge goldens are missing: %v", err)
	}
	compared := map[string]int{}
	for _, dtype := range []string{"bf16", "f16", "f32"} {
		models := inputs(t, dtype)
		for _, r := range recipes {
			path := filepath.Join(golden, "ideal", dtype, r.name+".safetensors")
			if _, err := os.Stat(path); err != nil {
				continue // the goldens hold f16 and f32 for few recipes
			}
			compared[dtype]++
			t.Run(dtype+" "+r.name, func(t *testing.T) {
				ideal, err := tensors.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer ideal.Close()
				var terms []merge.Term
				used := []tensors.Source{models[r.from], models["base"]}
				for _, s := range r.terms {
					terms = append(terms, merge.Term{Label: s.model, Delta: diff(t, models[r.from], models[s.model]), Alpha: s.alpha})
					used = append(used, models[s.model])
				}
				compare(t, apply(t, models[r.from], terms...), ideal, used)
			})
		}
	}
	if want := (map[string]int{"bf16": 16, "f16": 3, "f32": 2}); !mapsEqual(compared, want) {
		t.Errorf("compared %v, want %v: the goldens are not complete", compared, want)
	}
}

func mapsEqual(a, b map[string]int) bool {
	for k, v := range b {
		if a[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// compare measures the distance of a merge from its ideal in units: the last
// place, in the stored type, of the largest of the inputs and the ideal.
func compare(t *testing.T, got, ideal tensors.Source, inputs []tensors.Source) {
	t.Helper()
	if !slices.Equal(got.Names(), ideal.Names()) {
		t.Fatalf("names %q, want %q", got.Names(), ideal.Names())
	}
	var elements, differ int
	var greatest float64
	for _, name := range ideal.Names() {
		info, _ := ideal.Info(name)
		if own, _ := got.Info(name); own.DType != info.DType || !slices.Equal(own.Shape, info.Shape) {
			t.Fatalf("%s is %v, want %v", name, own, info)
		}
		want, have := values(t, ideal, name), values(t, got, name)
		largest := make([]float64, len(want))
		for i, v := range want {
			largest[i] = math.Abs(float64(v))
		}
		for _, input := range inputs {
			for i, v := range values(t, input, name) {
				largest[i] = max(largest[i], math.Abs(float64(v)))
			}
		}
		for i, w := range want {
			elements++
			if have[i] == w {
				continue
			}
			differ++
			units := math.Abs(float64(have[i])-float64(w)) / place(info.DType, largest[i])
			greatest = max(greatest, units)
			if !(units <= 1) {
				t.Errorf("%s[%d] is %v, want %v: %v units", name, i, have[i], w, units)
			}
		}
	}
	t.Logf("%d of %d elements differ (%.4f %%), at most by %.3g units", differ, elements, 100*float64(differ)/float64(elements), greatest)
}

// TestGoldenTies compares TIES of two and of three task vectors with the ideal: the
// same but for elements whose elected sign hangs on a rounding.
func TestGoldenTies(t *testing.T) {
	if _, err := os.Stat(golden); err != nil {
		t.Skipf("the merge goldens are missing: %v", err)
	}
	models := inputs(t, "bf16")
	check := func(name string, densities, weights []float64) {
		t.Helper()
		ideal, err := tensors.Open(filepath.Join(golden, "ideal", "bf16", name+".safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer ideal.Close()
		var list []tensors.Delta
		for i, density := range densities {
			list = append(list, merge.Trim(diff(t, models["base"], models[string(rune('a'+i))]), density))
		}
		d, err := merge.Ties(list, weights)
		if err != nil {
			t.Fatal(err)
		}
		m := apply(t, models["base"], merge.Term{Label: name, Delta: d, Alpha: merge.Number(1)})
		elements, differ := 0, 0
		for _, tensor := range ideal.Names() {
			want, have := values(t, ideal, tensor), values(t, m, tensor)
			for i := range want {
				if elements++; have[i] != want[i] {
					differ++
				}
			}
		}
		t.Logf("%s: %d of %d elements differ", name, differ, elements)
		if elements == 0 || differ*10000 > elements {
			t.Errorf("%s: %d of %d elements differ from the ideal", name, differ, elements)
		}
	}
	check("ties-two", []float64{0.5, 0.5}, []float64{0.6, 0.4})
	check("ties-three", []float64{0.3, 0.5, 0.7}, []float64{1, 0.5, 0.8})
}
