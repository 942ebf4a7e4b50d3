package cli

import (
	"surgeon/probe"
	"surgeon/probe/audit"
	"surgeon/probe/decoder"
	"surgeon/probe/task"
)

// encoded are the tokens of a prompt, its end if it is too long.
func (a *auditing) encoded(text string) []int32 {
	ids := probe.Begin(a.bench.Tokenizer, a.bench.Tokenizer.Encode(text))
	return ids[max(0, len(ids)-a.bench.Config.Context):]
}

// prompts are those of the items to choose by, general ones and those of the domain.
func (a *auditing) prompts() (prompts [2][]string) {
	seen := map[string]bool{}
	for _, q := range a.asked {
		side := 0
		if a.ofDomain(q) {
			side = 1
		}
		if !seen[q.Prompt] && a.selects(a.bench.Tasks[q.Task].Name, a.bench.Tasks[q.Task].Items[q.Item]) {
			seen[q.Prompt] = true
			prompts[side] = append(prompts[side], q.Prompt)
		}
	}
	for side := range prompts {
		prompts[side] = thin(prompts[side], mostPrompts)
	}
	return prompts
}

// fitting are the reference answers that fit the context.
func (a *auditing) fitting(scores []probe.Scores, f *attribution) (general, domain []reference, err error) {
	general, domain = a.references(scores)
	for _, list := range []*[]reference{&general, &domain} {
		*list = thin(*list, a.opt.references)
		var kept []reference
		for _, r := range *list {
			if r.request, err = probe.Encode(a.bench.Tokenizer, r.prompt, []string{r.answer}); err != nil {
				return nil, nil, err
			}
			if answer := &r.request.Continuations[0]; len(*answer) > mostAnswer {
				*answer = (*answer)[:mostAnswer]
			}
			if r.request.Check(a.bench.Config) != nil {
				f.Long++
				continue
			}
			kept = append(kept, r)
		}
		*list = kept
	}
	return general, domain, nil
}

// mostAnswer is how many tokens of a reference answer count: a long one would cost
// more than it tells.
const mostAnswer = 64

// thin keeps so many of a list, evenly.
func thin[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	kept := make([]T, most)
	for i := range kept {
		kept[i] = list[i*len(list)/most]
	}
	return kept
}

// references are the answers whose likelihood shows what a model still knows: the right
// choice and the right exact answer; of other texts, such as replies to instructions, the
// base's to general and safety questions and the fine-tune's to those of the domain.
func (a *auditing) references(scores []probe.Scores) (general, domain []reference) {
	for side, s := range scores {
		at := 0
		for _, t := range s.Tasks {
			isDomain := a.kinds[a.unit(t.Task)] == audit.Domain
			for i, answer := range t.Answers {
				q := a.asked[at+i]
				if isDomain != (side == 1) || !a.selects(t.Task, a.bench.Tasks[q.Task].Items[q.Item]) {
					continue
				}
				text := a.right(q)
				if text == "" {
					text = answer.Reply.Text
				}
				if text == "" {
					continue
				}
				if r := (reference{prompt: q.Prompt, answer: text}); isDomain {
					domain = append(domain, r)
				} else {
					general = append(general, r)
				}
			}
			at += len(t.Answers)
		}
	}
	return general, domain
}

// right is the right answer to a question, "" where many are.
func (a *auditing) right(q probe.Asked) string {
	t := &a.bench.Tasks[q.Task]
	switch item := t.Items[q.Item]; {
	case len(q.Question.Continuations) > 0 && q.Question.Gold >= 0:
		return q.Question.Continuations[q.Question.Gold]
	case t.Form == task.Exact && item.Target != "" && a.bench.Setting.Chat:
		return item.Target
	case t.Form == task.Exact && item.Target != "":
		return t.Delimiter + item.Target
	}
	return ""
}

// reference is a prompt and an answer to it.
type reference struct {
	prompt, answer string
	request        decoder.Request // both as tokens, the answer its continuation
}
