package audit

import "fmt"

// checkRule refuses thresholds that make no sense. The rule is complete.
func checkRule(r Rule) error {
	switch {
	case !(r.Confidence >= 0.5 && r.Confidence < 1):
		return fmt.Errorf("audit: the confidence of the rule is %v, but must be at least 0.5 and below 1", r.Confidence)
	case !(r.Retention > 0 && r.Retention <= 1):
		return fmt.Errorf("audit: the retention that the rule asks for is %v, but must be a share above 0 and at most 1", r.Retention)
	case !(r.Partly > 0 && r.Partly <= 1):
		return fmt.Errorf("audit: the rule calls a gap closed in part from %v on, but this must be a share above 0 and at most 1", r.Partly)
	case !(r.LeastGap >= 0.02 && r.LeastGap < 1):
		return fmt.Errorf("audit: the least gap of the rule is %v, but must be at least 0.02 and below 1: shares of a smaller gap mean nothing", r.LeastGap)
	case r.Resamples < 100:
		return fmt.Errorf("audit: %d resamples are too few to tell anything: 100 are the least, 2000 the default", r.Resamples)
	}
	return nil
}

// checkTasks refuses a basket that cannot be scored.
func checkTasks(tasks []Task) error {
	if len(tasks) == 0 {
		return fmt.Errorf("audit: the basket has no tasks, so there is nothing to decide on")
	}
	seen := map[string]bool{}
	for at, task := range tasks {
		switch {
		case task.Name == "":
			return fmt.Errorf("audit: task %d of the basket has no name: give it one", at+1)
		case seen[task.Name]:
			return fmt.Errorf("audit: two tasks of the basket are named %q, but each needs a name of its own", task.Name)
		case !task.Protected() && task.Kind != Domain:
			return fmt.Errorf("audit: task %q is of the kind %q, but must be general, safety or domain", task.Name, task.Kind)
		case !(task.Chance >= 0 && task.Chance < 1):
			return fmt.Errorf("audit: the score of guessing is %v in task %q, but must be at least 0 and below 1", task.Chance, task.Name)
		case !(task.Margin >= 0 && task.Margin < 1):
			return fmt.Errorf("audit: the margin of task %q is %v, but must be a share of at least 0 and below 1: it is the size of a loss, not its sign", task.Name, task.Margin)
		}
		if err := checkItems(task); err != nil {
			return err
		}
		seen[task.Name] = true
	}
	return nil
}

func checkItems(task Task) error {
	if len(task.Items) == 0 {
		return fmt.Errorf("audit: task %q has no items: leave it out of the basket and say that it was not tested", task.Name)
	}
	seen := map[string]bool{}
	for at, item := range task.Items {
		switch {
		case item.ID == "":
			return fmt.Errorf("audit: item %d of task %q has no ID: give it one", at+1, task.Name)
		case seen[item.ID]:
			return fmt.Errorf("audit: item %q comes twice in task %q, but each item needs an ID of its own", item.ID, task.Name)
		}
		seen[item.ID] = true
	}
	return nil
}

// checkModel refuses scores that do not fit the basket.
func checkModel(tasks []Task, m Model) error {
	if len(m.Scores) != len(tasks) {
		return fmt.Errorf("audit: model %q has scores of %d tasks, but the basket has %d: score each of them", m.Name, len(m.Scores), len(tasks))
	}
	for t, task := range tasks {
		if len(m.Scores[t]) != len(task.Items) {
			return fmt.Errorf("audit: model %q has %d scores in task %q, but the task has %d items: score each of them", m.Name, len(m.Scores[t]), task.Name, len(task.Items))
		}
		for i, score := range m.Scores[t] {
			if !(score >= 0 && score <= 1) {
				return fmt.Errorf("audit: model %q scores %v on item %q of task %q, but a score must lie between 0 and 1", m.Name, score, task.Items[i].ID, task.Name)
			}
		}
	}
	return nil
}
