package task

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"surgeon/probe/task/dataset"
)

// registerGSM8K registers the variants of GSM8K (Cobbe and others, arXiv
// 2110.14168) that lm-evaluation-harness calls gsm8k, gsm8k_cot and
// gsm8k_cot_zeroshot.
func registerGSM8K(names map[string]opening) {
	for _, v := range gsm8kVariants {
		names[v.name] = func(o *opener) error { return o.gsm8k(v) }
	}
}

// gsm8kVariant says how the questions are asked.
type gsm8kVariant struct {
	name   string
	prompt string // with %s for the question
	until  string
	strict string
	shots  int
	fixed  bool
	chain  bool // the shots are those of chainOfThought, and an answer is the number alone
}

var gsm8kVariants = []gsm8kVariant{
	{"gsm8k", "Question: %s\nAnswer:", "Question:", `#### (\-?[0-9\.\,]+)`, 5, false, false},
	{"gsm8k_cot", "Q: %s\nA:", "Q:", `The answer is (\-?[0-9\.\,]+).`, 8, false, true},
	{"gsm8k_cot_zeroshot", "Q: %s\nA: Let's think step by step.", "Q:", `The answer is (\-?[0-9\.\,]+).`, 0, true, false},
}

// chainOfThought are the eight questions with worked answers of Wei and others,
// "Chain-of-Thought Prompting Elicits Reasoning", NeurIPS 2022, table 20, in the
// wording of lm-evaluation-harness's gsm8k_cot.
var chainOfThought = [8][2]string{
	{"There are 15 trees in the grove. Grove workers will plant trees in the grove today. After they are done, there will be 21 trees. How many trees did the grove workers plant today?",
		"There are 15 trees originally. Then there were 21 trees after some more were planted. So there must have been 21 - 15 = 6. The answer is 6."},
	{"If there are 3 cars in the parking lot and 2 more cars arrive, how many cars are in the parking lot?",
		"There are originally 3 cars. 2 more cars arrive. 3 + 2 = 5. The answer is 5."},
	{"Leah had 32 chocolates and her sister had 42. If they ate 35, how many pieces do they have left in total?",
		"Originally, Leah had 32 chocolates. Her sister had 42. So in total they had 32 + 42 = 74. After eating 35, they had 74 - 35 = 39. The answer is 39."},
	{"Jason had 20 lollipops. He gave Denny some lollipops. Now Jason has 12 lollipops. How many lollipops did Jason give to Denny?",
		"Jason started with 20 lollipops. Then he had 12 after giving some to Denny. So he gave Denny 20 - 12 = 8. The answer is 8."},
	{"Shawn has five toys. For Christmas, he got two toys each from his mom and dad. How many toys does he have now?",
		"Shawn started with 5 toys. If he got 2 toys each from his mom and dad, then that is 4 more toys. 5 + 4 = 9. The answer is 9."},
	{"There were nine computers in the server room. Five more computers were installed each day, from monday to thursday. How many computers are now in the server room?",
		"There were originally 9 computers. For each of 4 days, 5 more computers were added. So 5 * 4 = 20 computers were added. 9 + 20 is 29. The answer is 29."},
	{"Michael had 58 golf balls. On tuesday, he lost 23 golf balls. On wednesday, he lost 2 more. How many golf balls did he have at the end of wednesday?",
		"Michael started with 58 golf balls. After losing 23 on tuesday, he had 58 - 23 = 35. After losing 2 more, he had 35 - 2 = 33 golf balls. The answer is 33."},
	{"Olivia has $23. She bought five bagels for $3 each. How much money does she have left?",
		"Olivia had 23 dollars. 5 bagels for 3 dollars each will be 5 x 3 = 15 dollars. So she has 23 - 15 dollars left. 23 - 15 is 8. The answer is 8."},
}

func (o *opener) gsm8k(v gsm8kVariant) error {
	splits := []string{"test"}
	if v.shots > 0 && !v.chain {
		splits = append(splits, "train")
	}
	tables, err := o.tables(dataset.GSM8K, splits...)
	if err != nil {
		return err
	}
	test, train := table(tables, "", "test"), table(tables, "", "train")
	if test == nil {
		return fmt.Errorf("%s: no test questions in %s: want %s", v.name, o.data.Name(), dataset.GSM8K.Forms)
	}
	t := Task{Name: v.name, Version: "3.0", Form: Arithmetic, Shots: v.shots, FixedShots: v.fixed, FirstShots: v.chain, Delimiter: " ",
		Until: []string{v.until, "</s>", "<|im_end|>"}, MaxTokens: 256, Strict: v.strict, Files: test.Files}
	if t.Items, err = gsm8kItems(v, test); err != nil {
		return err
	}
	switch {
	case v.chain:
		for _, shot := range chainOfThought {
			t.Pool = append(t.Pool, Item{Prompt: fmt.Sprintf(v.prompt, shot[0]), Target: shot[1]})
		}
	case train != nil:
		t.Pool, err = gsm8kItems(v, train)
		t.Files = slices.Concat(test.Files, train.Files)
	case v.shots > 0:
		o.note("%s: no train split in %s, so it can only be asked without shots", v.name, o.data.Name())
	}
	o.add(t)
	return err
}

func gsm8kItems(v gsm8kVariant, table *dataset.Table) ([]Item, error) {
	items := make([]Item, len(table.Records))
	for i, r := range table.Records {
		question, answer, err := gsm8kRecord(r.Doc)
		if err != nil {
			return nil, r.Errorf("%w", err)
		}
		item := Item{ID: fmt.Sprintf("%s/%d", table.Split, i), Doc: r.Doc, Prompt: fmt.Sprintf(v.prompt, question), Target: answer}
		if v.chain {
			item.Target = strip(answer[strings.LastIndex(answer, "####")+4:])
		}
		item.Answers = []string{item.Target}
		items[i] = item
	}
	return items, nil
}

func gsm8kRecord(doc []byte) (question, answer string, err error) {
	var record struct {
		Question *string `json:"question"`
		Answer   *string `json:"answer"`
	}
	if err := json.Unmarshal(doc, &record); err != nil {
		return "", "", Plain(err)
	}
	switch {
	case record.Question == nil || *record.Question == "":
		return "", "", errors.New(`"question" is missing or empty`)
	case record.Answer == nil || !strings.Contains(*record.Answer, "#### "):
		return "", "", errors.New(`"answer" must be a text that ends in "#### " and a number`)
	}
	return *record.Question, *record.Answer, nil
}
