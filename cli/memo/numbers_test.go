package memo

import (
	"slices"
	"testing"
)

func TestNumbersIn(t *testing.T) {
	check := func(text string, want ...string) {
		t.Helper()
		if got := numbersIn(clean(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	check("")
	check("no number")
	check("GSM8K fell by 12.3 pp", "12.3")
	check("GSM8K fell by −12.3pp [−15.0, −9.6]", "-12.3", "-15.0", "-9.6")
	check("(-1.5 to +2)", "-1.5", "2")
	check("0.3-0.5 and 0.3–0.5", "0.3", "0.5", "0.3", "0.5")
	check("n=570, alpha=0.4, p<.05", "570", "0.4", ".05")
	check("1,319 items of 12\u00a0000\u202f000", "1319", "12000000")
	check("seed 3 250 items", "3", "250")
	check("12/96 lost", "12", "96")
	check("Llama-3.2-1B, Qwen2.5-0.5B, runs/7, layer_3 and n10/n01")
	check("sha256 3f9a77b0 and ab12cd")
	check("1e-4 or 2.5E3", "1e-4", "2.5E3")
	check("planned 2026-11-28.", "2026-11-28")
	check("95\u00a0% of 5M in 30s, 2x", "95", "5", "30", "2")
	check("a 4-bit model, ½ and ٣", "4", "½", "٣")
	check("a drop of 3.", "3")
	check("±1.9 ≥2 ~3", "1.9", "2", "3")
	check("1\u200b2", "1", "2")
	check("version 1.2.3", "1.2", ".3")
}

func TestNumbersOfMemo(t *testing.T) {
	m := &Memo{Title: "One 1", Subtitle: "2", Footer: "99"}
	m.Pages[0] = Page{Heading: "3", Blocks: []Block{
		Paragraph{"4"}, Heading{"5"}, Verdict{Word: "6", Sentence: "7"},
		Numbers{{"8", "9", "10"}},
		Table{Caption: "11", Columns: []Column{{Name: "12"}, {Name: "13"}}, Rows: [][]string{{"14", "15"}, {"16", "17"}}},
		Figures{{Name: "a1.png", Caption: "18", Alt: "19"}}, List{[]string{"20", "21"}}, Code{"22"},
	}}
	m.Pages[2].Heading = "23"
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "23", "99"}
	if got := m.Numbers(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	m.Pages[1].Heading = "7 and 7"
	if got := Lint(m, func(n string) bool { return len(n) > 1 }); !slices.Equal(got, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
		t.Errorf("unknown: %q", got)
	}
	if got := Lint(m, func(string) bool { return true }); got != nil {
		t.Errorf("unknown: %q", got)
	}
}
