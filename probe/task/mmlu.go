package task

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"surgeon/probe/task/dataset"
)

// mmluGroups are the groups of MMLU and their subjects (Hendrycks and others,
// ICLR 2021), as lm-evaluation-harness has them.
var mmluGroups = []struct {
	name     string
	subjects []string
}{
	{"stem", []string{"abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry", "college_computer_science",
		"college_mathematics", "college_physics", "computer_security", "conceptual_physics", "electrical_engineering",
		"elementary_mathematics", "high_school_biology", "high_school_chemistry", "high_school_computer_science",
		"high_school_mathematics", "high_school_physics", "high_school_statistics", "machine_learning"}},
	{"other", []string{"business_ethics", "clinical_knowledge", "college_medicine", "global_facts", "human_aging", "management",
		"marketing", "medical_genetics", "miscellaneous", "nutrition", "professional_accounting", "professional_medicine", "virology"}},
	{"social_sciences", []string{"econometrics", "high_school_geography", "high_school_government_and_politics",
		"high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology", "human_sexuality",
		"professional_psychology", "public_relations", "security_studies", "sociology", "us_foreign_policy"}},
	{"humanities", []string{"formal_logic", "high_school_european_history", "high_school_us_history", "high_school_world_history",
		"international_law", "jurisprudence", "logical_fallacies", "moral_disputes", "moral_scenarios", "philosophy", "prehistory",
		"professional_law", "world_religions"}},
}

// mmluVariant is mmlu or mmlu_continuation.
type mmluVariant struct {
	form        Form
	prefix, end string // of the names: mmlu_SUBJECT_continuation
	description string
}

var mmluVariants = []mmluVariant{
	{MultipleChoice, "mmlu", "", "The following are multiple choice questions (with answers) about %s.\n\n"},
	{Cloze, "mmlu_continuation", "_continuation", "The following are questions (with answers) about %s.\n\n"},
}

// registerMMLU registers the two variants, their groups and subjects. The names
// that older versions of lm-evaluation-harness have for the parts of
// mmlu_continuation are understood too.
func registerMMLU(names map[string]opening) {
	for _, v := range mmluVariants {
		var all []string
		for _, group := range mmluGroups {
			all = append(all, group.subjects...)
			open := func(o *opener) error { return o.mmlu(v, "mmlu_"+group.name+v.end, group.subjects) }
			names["mmlu_"+group.name+v.end] = open
			names[v.prefix+"_"+group.name] = open
			for _, subject := range group.subjects {
				open := func(o *opener) error { return o.mmlu(v, "mmlu_"+subject+v.end, []string{subject}) }
				names["mmlu_"+subject+v.end] = open
				names[v.prefix+"_"+subject] = open
			}
		}
		slices.Sort(all)
		names[v.prefix] = func(o *opener) error { return o.mmlu(v, v.prefix, all) }
	}
}

// mmlu opens subjects, which are what name stands for. Subjects that are not in
// the data are noted, unless none is.
func (o *opener) mmlu(v mmluVariant, name string, subjects []string) error {
	tables, err := o.tables(dataset.MMLU, "dev", "test")
	if err != nil {
		return err
	}
	var missing, bare []string
	for _, subject := range subjects {
		test := table(tables, subject, "test")
		if test == nil {
			missing = append(missing, subject)
			continue
		}
		dev := table(tables, subject, "dev")
		if dev == nil {
			bare = append(bare, subject)
		}
		t, err := mmluTask(v, subject, test, dev)
		if err != nil {
			return err
		}
		o.add(t)
	}
	if len(missing) == len(subjects) {
		return fmt.Errorf("%s: no test questions of %s in %s: want %s", name, strings.Join(missing, ", "), o.data.Name(), dataset.MMLU.Forms)
	}
	if len(missing) > 0 {
		o.note("%s: %d of %d subjects are not in %s and not scored: %s", name, len(missing), len(subjects), o.data.Name(), strings.Join(missing, ", "))
	}
	if len(bare) > 0 {
		o.note("%s: no dev questions of %s in %s, so none can be asked with shots", name, strings.Join(bare, ", "), o.data.Name())
	}
	return nil
}

func mmluTask(v mmluVariant, subject string, test, dev *dataset.Table) (t Task, err error) {
	t = Task{Name: "mmlu_" + subject + v.end, Groups: []string{"mmlu_" + mmluGroupOf(subject) + v.end, v.prefix}, Version: "1.0", Form: v.form,
		Description: fmt.Sprintf(v.description, strings.ReplaceAll(subject, "_", " ")), FirstShots: true, Delimiter: " "}
	if t.Items, err = mmluItems(v.form, subject, test); err != nil {
		return t, err
	}
	t.Files = test.Files
	if dev != nil {
		t.Pool, err = mmluItems(v.form, subject, dev)
		t.Files = slices.Concat(test.Files, dev.Files)
	}
	return t, err
}

func mmluGroupOf(subject string) string {
	for _, group := range mmluGroups {
		if slices.Contains(group.subjects, subject) {
			return group.name
		}
	}
	panic("task: MMLU has no subject " + subject)
}

// GroupOf is the group whose part a task is by its name, the outermost one: mmlu
// of mmlu_anatomy; "" for none.
func GroupOf(name string) string {
	for _, v := range mmluVariants {
		for _, group := range mmluGroups {
			for _, subject := range group.subjects {
				if name == "mmlu_"+subject+v.end || name == v.prefix+"_"+subject {
					return v.prefix
				}
			}
		}
	}
	if strings.HasPrefix(name, "chembench_") {
		return "chembench"
	}
	return ""
}

func mmluItems(form Form, subject string, table *dataset.Table) ([]Item, error) {
	items := make([]Item, len(table.Records))
	for i, r := range table.Records {
		item, err := mmluItem(form, r.Doc)
		if err != nil {
			return nil, r.Errorf("%w", err)
		}
		item.ID, item.Cluster, item.Doc = fmt.Sprintf("%s/%d", subject, i), subject, r.Doc
		items[i] = item
	}
	return items, nil
}

// mmluItem is a question under letters, as mmlu asks it, or with the texts of
// the choices as answers.
func mmluItem(form Form, doc []byte) (Item, error) {
	var record struct {
		Question *string         `json:"question"`
		Choices  []string        `json:"choices"`
		Answer   json.RawMessage `json:"answer"`
	}
	if err := json.Unmarshal(doc, &record); err != nil {
		return Item{}, Plain(err)
	}
	item := Item{Choices: record.Choices}
	switch {
	case record.Question == nil || strip(*record.Question) == "":
		return item, fmt.Errorf(`"question" is missing or empty`)
	case len(record.Choices) != 4:
		return item, fmt.Errorf(`"choices" has %d entries: MMLU has four`, len(record.Choices))
	case slices.Contains(record.Choices, ""):
		return item, fmt.Errorf(`choice %d is empty`, slices.Index(record.Choices, ""))
	}
	var letter string
	if json.Unmarshal(record.Answer, &item.Gold) != nil && json.Unmarshal(record.Answer, &letter) == nil && len(letter) == 1 {
		item.Gold = int(letter[0]) - 'A'
	} else if !json.Valid(record.Answer) || json.Unmarshal(record.Answer, &item.Gold) != nil || string(record.Answer) == "null" {
		return item, fmt.Errorf(`"answer" is %s: want the number of the right choice, from 0 to 3`, orMissing(record.Answer))
	}
	if item.Gold < 0 || item.Gold > 3 {
		return item, fmt.Errorf(`"answer" is %s, outside the four choices, which count from 0`, record.Answer)
	}
	if form == Cloze {
		item.Prompt, item.Target = "Question: "+strip(*record.Question)+"\nAnswer:", item.Choices[item.Gold]
		return item, nil
	}
	item.Stem, item.Options, item.Letters = strip(*record.Question), record.Choices, true
	item.Prompt, item.Target = lettersPrompt(item.Stem, item.Options), string(rune('A'+item.Gold))
	return item, nil
}

func orMissing(data json.RawMessage) string {
	if len(data) == 0 {
		return "missing"
	}
	return string(data)
}
