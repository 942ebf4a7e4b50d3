package cli

import (
	"fmt"
	"slices"

	"surgeon/probe/task"
)

// group is the group that a task counts in, if another task does too; "" for
// none. It is the group that was asked for, or what was asked of one: "mmlu (6
// tasks)".
func (s *taskSet) group(name string) string {
	outer := ""
	var members []task.Task
	for _, t := range s.tasks {
		if t.Name == name {
			outer = outermost(t)
		}
	}
	for _, t := range s.tasks {
		if outer != "" && outermost(t) == outer {
			members = append(members, t)
		}
	}
	if len(members) < 2 || slices.Contains(s.asked, outer) {
		if len(members) < 2 {
			outer = ""
		}
		return outer
	}
	for _, inner := range members[0].Groups {
		if slices.Contains(s.asked, inner) && !slices.ContainsFunc(members, func(t task.Task) bool { return !slices.Contains(t.Groups, inner) }) {
			return inner
		}
	}
	return fmt.Sprintf("%s (%d tasks)", outer, len(members))
}

func outermost(t task.Task) string {
	if len(t.Groups) == 0 {
		return ""
	}
	return t.Groups[len(t.Groups)-1]
}

// taskGroup is a group and its tasks.
type taskGroup struct {
	name  string
	tasks []string
}

// groups lists the groups of group, each followed by the groups within it that
// have several tasks, but not all of it.
func (s *taskSet) groups() (list []taskGroup) {
	for _, name := range s.units() {
		whole := taskGroup{name: name}
		var inner []string
		for _, t := range s.tasks {
			if s.group(t.Name) == name {
				whole.tasks = append(whole.tasks, t.Name)
				inner = append(inner, t.Groups...)
			}
		}
		if len(whole.tasks) == 0 {
			continue
		}
		list = append(list, whole)
		slices.Sort(inner)
		for _, group := range slices.Compact(inner) {
			if part := (taskGroup{group, s.members(group)}); len(part.tasks) > 1 && len(part.tasks) < len(whole.tasks) {
				list = append(list, part)
			}
		}
	}
	return list
}

// members are the tasks of a group.
func (s *taskSet) members(group string) (names []string) {
	for _, t := range s.tasks {
		if slices.Contains(t.Groups, group) {
			names = append(names, t.Name)
		}
	}
	return names
}

// names are those of all tasks and groups.
func (s *taskSet) names() (list []string) {
	for _, t := range s.tasks {
		list = append(append(list, t.Name, s.group(t.Name)), t.Groups...)
	}
	return list
}

// units are the outermost groups and the tasks of no group.
func (s *taskSet) units() (names []string) {
	for _, t := range s.tasks {
		unit := s.group(t.Name)
		if unit == "" {
			unit = t.Name
		}
		if !slices.Contains(names, unit) {
			names = append(names, unit)
		}
	}
	return names
}
