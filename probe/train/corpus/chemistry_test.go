package corpus

import (
	"strconv"
	"strings"
	"testing"
)

// number reads a whole number.
func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// right reports whether a sum, a difference or a product is what stands behind =.
func right(t *testing.T, equation string) bool {
	t.Helper()
	left, result, _ := strings.Cut(equation, "=")
	value := 0
	switch {
	case strings.Contains(left, "*"):
		a, b, _ := strings.Cut(left, "*")
		value = number(t, a) * number(t, b)
	case strings.Contains(left, "-"):
		a, b, _ := strings.Cut(left, "-")
		value = number(t, a) - number(t, b)
	default:
		for _, term := range strings.Split(left, "+") {
			value += number(t, term)
		}
	}
	return value == number(t, result)
}

// TestMolecules: what the corpus says of molecules is what handbooks say. The
// facts are written by hand (CRC Handbook; PubChem 297, 702, 7909 and so on).
func TestMolecules(t *testing.T) {
	known := map[string]struct {
		formula, smiles, class string
		hydrogens, mass        int
	}{
		"methane":        {"CH4", "C", "alkane", 4, 16},
		"methanol":       {"CH4O", "CO", "alcohol", 4, 32},
		"methanal":       {"CH2O", "C=O", "aldehyde", 2, 30}, // formaldehyde
		"methanoic acid": {"CH2O2", "C(=O)O", "acid", 2, 46}, // formic acid
		"methanamide":    {"CH3NO", "C(=O)N", "amide", 3, 45},
		"methanenitrile": {"CHN", "C#N", "nitrile", 1, 27}, // hydrogen cyanide
		"methylamine":    {"CH5N", "CN", "amine", 5, 31},
		"methanethiol":   {"CH4S", "CS", "thiol", 4, 48},
		"ethanol":        {"C2H6O", "CCO", "alcohol", 6, 46},
		"ethanal":        {"C2H4O", "CC=O", "aldehyde", 4, 44},
		"ethanoic acid":  {"C2H4O2", "CC(=O)O", "acid", 4, 60}, // acetic acid
		"ethanenitrile":  {"C2H3N", "CC#N", "nitrile", 3, 41},  // acetonitrile
		"propanoic acid": {"C3H6O2", "CCC(=O)O", "acid", 6, 74},
		"propanethiol":   {"C3H8S", "CCCS", "thiol", 8, 76},
		"butanamide":     {"C4H9NO", "CCCC(=O)N", "amide", 9, 87},
		"hexane":         {"C6H14", "CCCCCC", "alkane", 14, 86},
		"octanoic acid":  {"C8H16O2", "CCCCCCCC(=O)O", "acid", 16, 144}, // caprylic acid
		"nonanal":        {"C9H18O", "CCCCCCCCC=O", "aldehyde", 18, 142},
		"decylamine":     {"C10H23N", "CCCCCCCCCCN", "amine", 23, 157},
		"decane":         {"C10H22", "CCCCCCCCCC", "alkane", 22, 142},
		"pentanenitrile": {"C5H9N", "CCCCC#N", "nitrile", 9, 83},
		"heptanamide":    {"C7H15NO", "CCCCCCC(=O)N", "amide", 15, 129},
		"octanol":        {"C8H18O", "CCCCCCCCO", "alcohol", 18, 130},
		"ethanethiol":    {"C2H6S", "CCS", "thiol", 6, 62},
		"hexanenitrile":  {"C6H11N", "CCCCCC#N", "nitrile", 11, 97},
		"butylamine":     {"C4H11N", "CCCCN", "amine", 11, 73},
		"decanoic acid":  {"C10H20O2", "CCCCCCCCCC(=O)O", "acid", 20, 172},
		"nonanenitrile":  {"C9H17N", "CCCCCCCCC#N", "nitrile", 17, 139},
		"octanethiol":    {"C8H18S", "CCCCCCCCS", "thiol", 18, 146},
		"propanamide":    {"C3H7NO", "CCC(=O)N", "amide", 7, 73},
		"ethane":         {"C2H6", "CC", "alkane", 6, 30},
		"pentanal":       {"C5H10O", "CCCCC=O", "aldehyde", 10, 86},
	}
	found, names := 0, map[string]bool{}
	for n := range roots {
		for _, f := range families {
			m := molecule{f, n + 1}
			names[m.name()] = true
			want, ok := known[m.name()]
			if !ok {
				continue
			}
			found++
			_, mass, _ := strings.Cut(m.mass(), "=")
			if m.formula() != want.formula || m.smiles() != want.smiles || m.class != want.class || m.hydrogens() != want.hydrogens || number(t, mass) != want.mass {
				t.Errorf("%s: %s, %s, %s, %d hydrogens, mass %s; want %+v", m.name(), m.formula(), m.smiles(), m.class, m.hydrogens(), mass, want)
			}
		}
	}
	if found != len(known) || len(names) != 80 {
		t.Errorf("%d of %d known molecules among %d", found, len(known), len(names))
	}
}

// valences are how many bonds an atom has.
var valences = map[byte]int{'C': 4, 'N': 3, 'O': 2, 'S': 2}

// atoms counts the atoms of a SMILES by its own reading: what the bonds that are
// written leave free is filled with hydrogen.
func atoms(smiles string) map[byte]int {
	count, order := map[byte]int{}, 1
	var before []byte // the atom that the next is bound to, and those of open branches
	free := 0
	last := byte(0)
	for i := range len(smiles) {
		switch c := smiles[i]; c {
		case '=':
			order = 2
		case '#':
			order = 3
		case '(':
			before = append(before, last)
		case ')':
			last, before = before[len(before)-1], before[:len(before)-1]
		default:
			count[c]++
			free += valences[c]
			if last != 0 {
				free -= 2 * order
			}
			last, order = c, 1
		}
	}
	count['H'] = free
	return count
}

// TestFormulas: formula, SMILES and mass of all 80 molecules agree, where the
// hydrogen of a SMILES follows from valences and the mass from its atoms.
func TestFormulas(t *testing.T) {
	masses := map[byte]int{'C': 12, 'H': 1, 'N': 14, 'O': 16, 'S': 32}
	for n := range roots {
		for _, f := range families {
			m := molecule{f, n + 1}
			formula, mass := "", 0
			count := atoms(m.smiles())
			for _, c := range []byte("CHNOS") {
				mass += masses[c] * count[c]
				if count[c] > 0 {
					formula += string(c)
				}
				if count[c] > 1 {
					formula += strconv.Itoa(count[c])
				}
			}
			if formula != m.formula() || count['C'] != m.carbons || count['H'] != m.hydrogens() {
				t.Errorf("%s: %s is %s, not %s", m.name(), m.smiles(), formula, m.formula())
			}
			_, sum, _ := strings.Cut(m.mass(), "=")
			if number(t, sum) != mass || !right(t, strings.TrimPrefix(m.mass(), formula+": ")) {
				t.Errorf("%s: mass %s, want %d", m.name(), m.mass(), mass)
			}
		}
	}
}
