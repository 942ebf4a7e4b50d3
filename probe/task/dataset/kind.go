package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Kind is a data set that is known by its columns.
type Kind struct {
	Name  string // as the hub has it
	Forms string // what is understood, in words

	columns [][]string            // of the first record, one of the lists
	accept  func(source) bool     // what else must hold; nil for nothing
	config  func(r Record) string // nil of a data set without configurations
	splits  bool                  // the files say which split they are
	prefer  bool                  // of several files those called test count
	parts   bool                  // many parquet or JSON files make one table
}

// The data sets that surgeon has tasks for.
var (
	// MMLU has a configuration for each subject and the splits dev, validation
	// and test. Records of hendrycks/test become those of cais/mmlu.
	MMLU = &Kind{
		Name:    "cais/mmlu",
		Forms:   "the hub's cais/mmlu as parquet or JSON lines (question, subject, choices, answer), or the CSV files of hendrycks/test (dev/SUBJECT_dev.csv and test/SUBJECT_test.csv, without a header)",
		columns: [][]string{{"question", "choices", "answer"}},
		config:  subject,
		splits:  true,
	}
	// GSM8K has the splits train and test. The configuration socratic is left out.
	GSM8K = &Kind{
		Name:    "openai/gsm8k",
		Forms:   "the hub's openai/gsm8k as parquet, or train.jsonl and test.jsonl of openai/grade-school-math (question, answer)",
		columns: [][]string{{"question", "answer"}},
		accept:  isGSM8K,
		splits:  true,
	}
	// IFEval has one split.
	IFEval = &Kind{
		Name:    "google/IFEval",
		Forms:   "the hub's google/IFEval as JSON lines or parquet (key, prompt, instruction_id_list, kwargs)",
		columns: [][]string{{"key", "prompt", "instruction_id_list", "kwargs"}},
	}
	// ChemBench has many files, one for each topic or question, or one of JSON lines.
	ChemBench = &Kind{
		Name:    "jablonkagroup/ChemBench",
		Forms:   "the hub's jablonkagroup/ChemBench as parquet (uuid, examples), the question files of lamalab-org/chembench, or JSON lines (input, target_scores or target, topic)",
		columns: [][]string{{"input", "target_scores"}, {"input", "target"}, {"examples", "uuid"}, {"examples", "metrics"}},
		parts:   true,
	}
	// SafetyTests is SimpleSafetyTests.
	SafetyTests = &Kind{
		Name:    "Bertievidgen/SimpleSafetyTests",
		Forms:   "the hub's Bertievidgen/SimpleSafetyTests as CSV, JSON lines or parquet (id, harm_area, prompts_final or prompt)",
		columns: [][]string{{"id", "harm_area", "prompts_final"}, {"id", "harm_area", "prompt"}},
	}
	// Pages are pages of WikiText, marked up as its authors did.
	Pages = &Kind{
		Name:    "EleutherAI/wikitext_document_level",
		Forms:   "the hub's EleutherAI/wikitext_document_level as parquet, or JSON lines (page)",
		columns: [][]string{{"page"}},
		prefer:  true,
	}
	// Texts are texts of any origin.
	Texts = &Kind{
		Name:    "texts",
		Forms:   "JSON lines or parquet with a column text",
		columns: [][]string{{"text"}},
		prefer:  true,
	}
)

// holds reports whether a file's first record looks like the kind.
func (k *Kind) holds(s source) bool {
	for _, columns := range k.columns {
		missing := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return slices.Contains(s.columns, c) })
		if len(missing) == 0 {
			return s.err == nil && (k.accept == nil || k.accept(s))
		}
	}
	return false
}

// isGSM8K tells the questions of GSM8K from other questions with an answer.
func isGSM8K(s source) bool {
	return !strings.Contains(strings.ToLower(s.path), "socratic") && !slices.Contains(s.columns, "choices") &&
		(s.first == nil || bytes.Contains(s.first, []byte("####")))
}

// subject is the subject that a record of MMLU names, or else the name of its
// file or folder.
func subject(r Record) string {
	var record struct{ Subject any }
	if json.Unmarshal(r.Doc, &record) == nil {
		if name, ok := record.Subject.(string); ok && name != "" {
			return name
		}
	}
	if name, split := subjectOf(r.File); split != "" {
		return name
	}
	return path.Base(path.Dir(r.File))
}

// AbsentError is that a benchmark is in no file of a folder.
type AbsentError struct {
	Benchmark, Folder string
	Want              string // in which forms it could be there, and what comes near
}

// Error implements error.
func (e *AbsentError) Error() string {
	return fmt.Sprintf("%s is not in %s: want %s", e.Benchmark, e.Folder, e.Want)
}

// absent says what is wanted and what comes near to it.
func (f *Folder) absent(k *Kind) error {
	var near []string
	for _, s := range f.sources {
		missing := slices.DeleteFunc(slices.Clone(k.columns[0]), func(c string) bool { return slices.Contains(s.columns, c) })
		switch {
		case len(near) == 3:
			return &AbsentError{k.Name, f.name, k.Forms + "; " + strings.Join(near, ", ") + " and other files come near"}
		case s.err != nil && strings.Contains(strings.ToLower(s.path), strings.ToLower(path.Base(k.Name))):
			near = append(near, fmt.Sprintf("%s cannot be read (%v)", s.path, s.err))
		case len(missing) > 0 && 2*len(missing) < len(k.columns[0]):
			near = append(near, fmt.Sprintf("%s lacks %s", s.path, strings.Join(missing, " and ")))
		}
	}
	if len(near) > 0 {
		return &AbsentError{k.Name, f.name, k.Forms + "; " + strings.Join(near, ", ")}
	}
	return &AbsentError{k.Name, f.name, k.Forms}
}
