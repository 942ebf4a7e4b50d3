package task

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"surgeon/probe/task/dataset"
)

// Setting is how the items of a task are asked.
type Setting struct {
	Shots  int    `json:"shots"` // -1: the task's own
	Draw   Draw   `json:"draw"`  // "" is Stock
	Seed   int64  `json:"seed"`
	Chat   bool   `json:"chat"`
	System string `json:"system"` // before everything; in a chat the system message
	// MultiTurn makes turns of the shots, in a chat. lm-evaluation-harness does so
	// unless told otherwise; without it they stand in one message with the question.
	MultiTurn bool `json:"multi_turn"`
	// ShuffleOptions puts the options that stand in a prompt in another order for
	// every seed and item; the shots keep theirs.
	ShuffleOptions bool `json:"shuffle_options"`
}

// Message is a turn of a chat.
type Message struct {
	Role    string `json:"role"` // system, user or assistant
	Content string `json:"content"`
}

// Question is an item as a model gets it.
type Question struct {
	Item     int       // its number
	Text     string    // the prompt, or the text whose perplexity is asked; "" in a chat
	Messages []Message // the prompt in a chat, for the model's template; nil otherwise
	// Continuations are scored after the prompt, one for each choice; nil of an
	// item that is answered by a text. Gold is the number of the right one, -1
	// without them.
	Continuations []string
	Gold          int
	Order         []int // which choice of the data set each continuation is
	Shots         []int // rows of the pool that stand before the item
	// Prefix is how many bytes of Text, or in a chat how many of the Messages,
	// stand before the item: questions with the same shots have them in common.
	Prefix int
}

// fewShotDelimiter stands between shots, in lm-evaluation-harness's default.
const fewShotDelimiter = "\n\n"

// Questions writes items, which are numbers of t.Items; nil is all of them.
func (t *Task) Questions(s Setting, items []int) ([]Question, error) {
	if items == nil {
		items = make([]int, len(t.Items))
		for i := range items {
			items[i] = i
		}
	}
	for _, i := range items {
		if i < 0 || i >= len(t.Items) {
			panic(fmt.Sprintf("task: %s has no item %d", t.Name, i))
		}
	}
	draws, err := t.shots(s, items)
	if err != nil {
		return nil, err
	}
	questions := make([]Question, len(items))
	for k, i := range items {
		questions[k] = t.question(s, i, draws[k])
	}
	return questions, nil
}

func (t *Task) question(s Setting, i int, shots []int) Question {
	item := t.Items[i]
	q := Question{Item: i, Gold: -1}
	if t.Form == Perplexity {
		q.Text = item.Prompt
		return q
	}
	prompt := item.Prompt
	if item.Choices != nil {
		prompt = t.choices(&q, s, item)
	}
	q.Shots = shots
	turns := t.turns(s, shots)
	q.Prefix = len(turns)
	turns = append(turns, turn{Message{"user", prompt}, ""})
	switch {
	case !s.Chat:
		q.Prefix = len(join(turns[:q.Prefix]))
		q.Text = join(turns)
	case s.MultiTurn:
		for _, turn := range turns {
			q.Messages = append(q.Messages, turn.Message)
		}
	default:
		q.Prefix = 0
		if turns[0].Role == "system" {
			q.Prefix, q.Messages, turns = 1, []Message{turns[0].Message}, turns[1:]
		}
		q.Messages = append(q.Messages, Message{"user", join(turns)})
	}
	return q
}

// choices sets the continuations and returns the prompt, whose options may stand
// in another order.
func (t *Task) choices(q *Question, s Setting, item Item) string {
	prompt, order := item.Prompt, make([]int, len(item.Choices))
	for k := range order {
		order[k] = k
	}
	if s.ShuffleOptions && item.Options != nil {
		order = permutation(s.Seed, "options", q.Item, len(item.Options))
		shown := make([]string, len(order))
		for k, option := range order {
			shown[k] = item.Options[option]
		}
		prompt = lettersPrompt(item.Stem, shown)
	}
	q.Order = order
	for k, choice := range order {
		if choice == item.Gold {
			q.Gold = k
		}
	}
	if item.Letters {
		q.Continuations = item.Continuations(s.Chat)
		return prompt
	}
	delimiter := t.Delimiter
	if s.Chat {
		delimiter = ""
	}
	for _, choice := range order {
		q.Continuations = append(q.Continuations, delimiter+item.Choices[choice])
	}
	return prompt
}

// turn is a message and what stands behind it in plain text.
type turn struct {
	Message
	delimiter string
}

func join(turns []turn) string {
	var text []byte
	for _, turn := range turns {
		text = append(append(text, turn.Content...), turn.delimiter...)
	}
	return string(text)
}

// turns are what stands before an item: system text and description, and the
// shots with their answers.
func (t *Task) turns(s Setting, shots []int) (turns []turn) {
	if system := introduction(s.System, t.Description); system != "" {
		turns = append(turns, turn{Message{"system", system}, ""})
	}
	for _, row := range shots {
		shot := t.Pool[row]
		if shot.Target == "" {
			turns = append(turns, turn{Message{"user", shot.Prompt}, ""})
			continue
		}
		turns = append(turns, turn{Message{"user", shot.Prompt}, t.Delimiter}, turn{Message{"assistant", shot.Target}, fewShotDelimiter})
	}
	return turns
}

// introduction joins the system text and the description, with the delimiter
// between them if neither has white space there.
func introduction(system, description string) string {
	if system == "" || description == "" {
		return system + description
	}
	last, _ := utf8.DecodeLastRuneInString(system)
	first, _ := utf8.DecodeRuneInString(description)
	if unicode.IsSpace(last) || unicode.IsSpace(first) {
		return system + description
	}
	return system + fewShotDelimiter + description
}

// PromptHash is the prompt_hash of lm-evaluation-harness: the SHA-256 of a
// prompt as it is encoded, in hexadecimal digits.
func PromptHash(prompt string) string { return dataset.Digest([]byte(prompt)) }
