package cli

import (
	"context"
	"fmt"
	"slices"

	"surgeon/probe"
	"surgeon/probe/chat"
	"surgeon/probe/stat"
	"surgeon/probe/task"
)

// newBench reads architecture, tokenizer and tasks. Without task names only the
// embedded pair has a task. It returns notes on what is scored.
func newBench(base *model, opt benchOptions) (*probe.Bench, *taskSet, error) {
	config, err := base.config()
	if err != nil {
		return nil, nil, err
	}
	f := base.folder()
	tokenizer, err := f.tokenizer()
	if err != nil {
		return nil, nil, err
	}
	set, err := openTasks(opt, base.embedded)
	if err != nil {
		return nil, nil, err
	}
	bench := &probe.Bench{Config: config, Tokenizer: tokenizer, Tasks: set.tasks, Items: set.items, Setting: opt.setting, Seeds: opt.seeds,
		Sampling: opt.sampling, Memory: opt.memory}
	if bench.EOS, err = f.eos(); err != nil {
		return nil, nil, err
	}
	if opt.setting.Chat {
		template, err := f.chat()
		if err != nil {
			return nil, nil, err
		}
		bench.Chat = func(messages []task.Message) (string, error) { return render(template, messages) }
	}
	return bench, set, nil
}

// render writes a chat. A template that raises at a system message gets the
// chat without it, as lm-evaluation-harness does.
func render(template *chat.Template, messages []task.Message) (string, error) {
	list := make([]chat.Message, len(messages))
	for i, m := range messages {
		list[i] = chat.Message{Role: m.Role, Content: m.Content}
	}
	text, err := template.Render(context.Background(), list, chat.Options{Generation: true})
	if err != nil && list[0].Role == "system" && len(list) > 1 {
		if without, second := template.Render(context.Background(), list[1:], chat.Options{Generation: true}); second == nil {
			return without, nil
		}
	}
	return text, err
}

// seedNotes say which tasks no seed can change.
func seedNotes(b *probe.Bench, asked []probe.Asked) (list []string) {
	if len(b.Seeds) < 2 {
		return nil
	}
	seeds := make([]map[int64]bool, len(b.Tasks))
	for _, a := range asked {
		if seeds[a.Task] == nil {
			seeds[a.Task] = map[int64]bool{}
		}
		seeds[a.Task][a.Seed] = true
	}
	var same []string
	for i, t := range b.Tasks {
		if len(seeds[i]) == 1 {
			same = append(same, t.Name)
		}
	}
	if len(same) > 0 {
		list = append(list, fmt.Sprintf("%s: no prompt depends on the seed and nothing is sampled, so other seeds would only repeat the answers: asked once", some(same)))
	}
	return list
}

// some lists names, the first few of many.
func some(names []string) string {
	const few = 4
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", join(names[:few]), len(names)-few)
	}
	return join(names)
}

func join(names []string) (text string) {
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += name
	}
	return text
}

// powerNotes say which differences a comparison over so many items can detect.
func powerNotes(set *taskSet) (list []string) {
	for _, name := range set.units() {
		asked, all := set.count(name)
		if asked == all {
			continue
		}
		list = append(list, fmt.Sprintf("%s: %d of %d items: with 80 %% power a difference between two models is found %s if a tenth of the answers change, %s if three tenths do",
			name, asked, all, detectable(asked, 0.1), detectable(asked, 0.3)))
	}
	return slices.Clip(list)
}

// detectable says which difference n items show if a share of the answers
// change, which is the largest that there can be.
func detectable(n int, share float64) string {
	if d := stat.MinimumDetectable(n, share); d <= share {
		return fmt.Sprintf("from %.1f pp on", 100*d)
	}
	return "in no case"
}
