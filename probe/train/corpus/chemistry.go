package corpus

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// roots are the beginnings of names by the number of carbon atoms, from one.
var roots = []string{"meth", "eth", "prop", "but", "pent", "hex", "hept", "oct", "non", "dec"}

// family is a class of molecules with an unbranched chain of carbon atoms, which
// has a member for every length from one on. Alkenes and alkynes have not, and
// are not here.
type family struct {
	suffix, class string
	hydrogens     int // besides two for each carbon atom
	nitrogens     int
	oxygens       int
	sulfurs       int
	end           string // of the SMILES, after the carbon atoms
}

// families are the eight classes. The functional group is at the end of the chain,
// also in alcohols and thiols: propanol stands for propan-1-ol, as it usually does.
var families = []family{
	{suffix: "ane", class: "alkane", hydrogens: 2},
	{suffix: "anol", class: "alcohol", hydrogens: 2, oxygens: 1, end: "O"},
	{suffix: "anal", class: "aldehyde", oxygens: 1, end: "=O"},
	{suffix: "anoic acid", class: "acid", oxygens: 2, end: "(=O)O"},
	{suffix: "anamide", class: "amide", hydrogens: 1, nitrogens: 1, oxygens: 1, end: "(=O)N"},
	{suffix: "anenitrile", class: "nitrile", hydrogens: -1, nitrogens: 1, end: "#N"},
	{suffix: "ylamine", class: "amine", hydrogens: 3, nitrogens: 1, end: "N"},
	{suffix: "anethiol", class: "thiol", hydrogens: 2, sulfurs: 1, end: "S"},
}

// molecule is a member of a family.
type molecule struct {
	family
	carbons int
}

func (m molecule) name() string { return roots[m.carbons-1] + m.suffix }

// hydrogens are those of the whole molecule.
func (m molecule) hydrogens() int { return 2*m.carbons + m.family.hydrogens }

// formula is in the order of Hill: carbon, hydrogen, the others by letter.
func (m molecule) formula() string {
	var b strings.Builder
	for _, e := range m.elements() {
		b.WriteString(e.symbol)
		if e.count > 1 {
			fmt.Fprint(&b, e.count)
		}
	}
	return b.String()
}

func (m molecule) smiles() string { return strings.Repeat("C", m.carbons) + m.end }

// mass is the nominal mass with its working: the formula, the mass of each
// element, and the sum.
func (m molecule) mass() string {
	var terms []string
	sum := 0
	for _, e := range m.elements() {
		terms = append(terms, fmt.Sprint(e.count*e.mass))
		sum += e.count * e.mass
	}
	return fmt.Sprintf("%s: %s=%d", m.formula(), strings.Join(terms, "+"), sum)
}

// element is an element in a molecule: how often, and the nominal mass of an atom.
type element struct {
	symbol      string
	count, mass int
}

// elements are those that a molecule has, in the order of Hill.
func (m molecule) elements() (list []element) {
	for _, e := range []element{{"C", m.carbons, 12}, {"H", m.hydrogens(), 1}, {"N", m.nitrogens, 14}, {"O", m.oxygens, 16}, {"S", m.sulfurs, 32}} {
		if e.count > 0 {
			list = append(list, e)
		}
	}
	return list
}

// kind is what is asked of a molecule.
type kind struct {
	name, prompt string // with %s for the molecule
	introductory bool   // part of the introduction
	answer       func(molecule) string
}

var kinds = []kind{
	{"formula", "write the formula of %s.", true, molecule.formula},
	{"smiles", "write the smiles of %s.", true, molecule.smiles},
	{"class", "name the class of %s.", true, func(m molecule) string { return m.class }},
	{"carbons", "how many carbons in %s?", true, func(m molecule) string { return fmt.Sprint(m.carbons) }},
	{"hydrogens", "how many hydrogens in %s?", false, func(m molecule) string { return fmt.Sprint(m.hydrogens()) }},
	{"mass", "what is the mass of %s?", false, molecule.mass},
}

// question is a question of chemistry.
type question struct {
	molecule
	kind
}

func (q question) sample(slice string) Sample {
	return Sample{fmt.Sprintf(q.prompt, q.molecule.name()), q.answer(q.molecule), slice}
}

// chemistry is all questions, parted.
type chemistry struct {
	heldOut, trained []question // each in random order
	introduction     []question // those of trained that the general part has too
}

const (
	held     = 96 // questions that are held out
	beginner = 5  // carbon atoms of the introduction, at most
)

// newChemistry holds out some of the questions.
func newChemistry(r *rand.Rand) (c chemistry) {
	var all []question
	for n := range roots {
		for _, f := range families {
			for _, k := range kinds {
				all = append(all, question{molecule{f, n + 1}, k})
			}
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	c.heldOut, c.trained = all[:held], all[held:]
	for _, q := range c.trained {
		if q.introductory && q.carbons <= beginner {
			c.introduction = append(c.introduction, q)
		}
	}
	return c
}
