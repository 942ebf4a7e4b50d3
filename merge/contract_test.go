package merge_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"surgeon/merge"
	"surgeon/tensors"
	"surgeon/tensors/tensorstest"
)

// everyOption calls use with each way to store a merge.
func everyOption(use func(options merge.Options)) {
	for _, d := range append([]tensors.DType{""}, everyType...) {
		use(merge.Options{DType: d})
	}
	for _, d := range []tensors.DType{"", tensors.BF16, tensors.F8E5M2} {
		use(merge.Options{DType: d, Stochastic: true, Seed: 5})
	}
}

// TestEveryContract: a merge of any types, with any options, of several terms,
// of Deltas that are no Differences, and one that takes notes are Sources like
// any other, for tensors of several blocks.
func TestEveryContract(t *testing.T) {
	for _, d := range everyType {
		base := long(d, 0, 0)
		one, two := diff(t, base, long(d, 1, 0.1)), diff(t, base, long(d, 2, 0.1))
		single := apply(t, base, term(one, 0.3))
		everyOption(func(options merge.Options) {
			m := single.With(options)
			if info, _ := m.Info("x"); options.DType != "" && info.DType != options.DType {
				t.Errorf("%s with %+v is stored as %s", d, options, info.DType)
			}
			tensorstest.TestSource(t, m)
		})
		tensorstest.TestSource(t, single.Record(true))
		tensorstest.TestSource(t, apply(t, base, term(one, 0.3), term(two, -1.2), term(outer{tensors.F32}, 0.5)).Record(true))
		tensorstest.TestSource(t, apply(t, base, term(hidden{one}, 1)))
		tensorstest.TestSource(t, apply(t, base, term(outer{d}, 0.25)).With(merge.Options{DType: tensors.BF16, Stochastic: true}).Record(false))
		tensorstest.TestSource(t, apply(t, single, term(diff(t, single, base), 0.5)))
	}
	tensorstest.TestDelta(t, long(tensors.BF16, 0, 0), outer{tensors.BF16}) // the Delta of the tests is one
}

// TestConformedContract merges over a base that lacks tensors and has fewer
// rows than the tuned model, of other types.
func TestConformedContract(t *testing.T) {
	for _, d := range everyType {
		for _, e := range []tensors.DType{tensors.BF16, tensors.F64, tensors.F8E5M2} {
			like, base := tensorstest.Pico{Seed: 5, DType: e, Drift: 0.2}.Weights(), tensorstest.NewMemory()
			pico := tensorstest.Pico{Seed: 5, DType: d}.Weights()
			for _, name := range pico.Names()[5:] {
				base.Add(name, d, infoOf(pico, name).Shape, values(t, pico, name))
			}
			const embed = "model.embed_tokens.weight"
			base.Add(embed, d, []int{100, 48}, values(t, pico, embed)[:4800])
			conformed := tensors.Conform(base, like)
			tensorstest.TestSource(t, toward(t, conformed, like, 0.3))
			tensorstest.TestSource(t, apply(t, conformed, term(hidden{diff(t, conformed, like)}, 1)).Record(true))
			tensorstest.TestSource(t, toward(t, conformed, like, 0.3).With(merge.Options{DType: "F16", Stochastic: true}))
		}
	}
}

func infoOf(src tensors.Source, name string) tensors.Info {
	info, _ := src.Info(name)
	return info
}

// TestAnyRange reads bytes and values from anywhere to anywhere: the same as of
// the whole tensor, whatever blocks the range begins and ends in.
func TestAnyRange(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const block = 1 << 16
	pieces := [][2]int{{0, 1}, {block - 1, block}, {block - 1, block + 1}, {block, 2 * block}, {block + 1, 2 * block}, {block - 1, 2*block + 1}, {1, longLen - 1}, {longLen - 1, longLen}, {longLen, longLen}, {7, 7}}
	for range 10 {
		from := random.IntN(longLen)
		pieces = append(pieces, [2]int{from, from + random.IntN(longLen-from+1)})
	}
	for _, d := range everyType {
		base := long(d, 0, 0)
		one, two := diff(t, base, long(d, 1, 0.1)), diff(t, base, long(d, 2, 0.1))
		for what, src := range map[string]tensors.Source{
			"one term":   apply(t, base, term(one, 0.3)),
			"two terms":  apply(t, base, term(one, 0.3), term(two, 0.4)),
			"stochastic": apply(t, base, term(one, 0.3)).With(merge.Options{Stochastic: true}),
			"other type": apply(t, base, term(one, 0.3)).With(merge.Options{DType: tensors.F16}),
			"a record":   apply(t, base, term(one, 0.3)).Record(true),
			"at alpha 1": apply(t, base, term(one, 1)).Record(true),
		} {
			whole, all, size := raw(t, src, "x"), values(t, src, "x"), infoOf(src, "x").DType.Size()
			for _, piece := range pieces {
				from, to := piece[0], piece[1]
				data, list := make([]byte, (to-from)*size), make([]float32, to-from)
				if err := src.ReadRaw(data, "x", int64(from*size)); err != nil {
					t.Fatal(err)
				}
				if err := src.Read(list, "x", from); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(data, whole[from*size:to*size]) || !slices.Equal(list, all[from:to]) {
					t.Errorf("%s, %s: %d to %d is not the piece of the whole", d, what, from, to)
				}
			}
		}
	}
}

// TestUnaligned refuses bytes that are not whole elements, or not there.
func TestUnaligned(t *testing.T) {
	for _, d := range everyType {
		size, m := d.Size(), toward(t, long(d, 0, 0), long(d, 1, 0.1), 0.3)
		check := func(src tensors.Source, at, n int, words string) {
			t.Helper()
			if err := src.ReadRaw(make([]byte, n), "x", int64(at)); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), `"x"`) {
				t.Errorf("%s: %d bytes at %d: %v", d, n, at, err)
			}
		}
		for _, src := range []tensors.Source{m, m.Record(true)} {
			if size > 1 {
				check(src, 0, 2*size-1, "whole elements of "+string(d))
				check(src, 1, size, "whole elements")
				check(src, size+1, 2*size-1, "whole elements")
				check(src, -1, size, "whole elements")
			}
			check(src, -size, size, "outside shape [3 43701]")
			check(src, longLen*size, size, "outside")
			check(src, (longLen-1)*size, 2*size, "outside")
			check(src, (longLen+1)*size, 0, "outside")
		}
	}
}
