package cli

import (
	"fmt"
	"strings"

	"surgeon/cli/table"
)

// tabledTasks is the number of tasks up to which each has a table of its own.
const tabledTasks = 3

// overview prints one table for all tasks: a line for each, a column for each
// alpha, or for every second one where a terminal is narrow. Scores whose
// difference from alpha 0 is no noise are marked.
func (s *sweep) overview(env environment) error {
	tasks := s.tasks()
	marked := false
	columns := []table.Column{{Name: "task"}, {Name: "items", Right: true, Spare: true}}
	for i, c := range s.Candidates {
		columns = append(columns, table.Column{Name: fmt.Sprint(float64(c.Alpha)), Right: true, Spare: i%2 == 1 && i < len(s.Candidates)-1})
	}
	var rows [][]string
	for k, first := range tasks {
		row := []string{first.Task, fmt.Sprint(first.N)}
		for _, c := range s.Candidates {
			if c.Error != "" {
				row = append(row, "failed")
				continue
			}
			cell := fmt.Sprintf("%.1f", 100*float64(c.Tasks[k].Score))
			if d := c.Tasks[k].ToBase; d != nil && d.told() {
				cell, marked = cell+"*", true
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	if err := env.printf("\nscore (%%) at each alpha\n\n"); err != nil {
		return err
	}
	if err := env.printTable(columns, rows); err != nil {
		return err
	}
	if marked {
		s.Notes = append(s.Notes, "* differs from alpha 0: the 95 % interval of the paired difference leaves 0 out")
	}
	s.Notes = append(s.Notes, fmt.Sprintf("--all prints a table with intervals for each of the %d tasks", len(tasks)))
	return nil
}

// told reports whether a difference can be told from noise.
func (d *sweepDifference) told() bool {
	return d.Better+d.Worse >= d.needed && (d.Low > 0 || d.High < 0)
}

// withoutFew leaves out the notes that a mark stands for.
func withoutFew(notes []string) (list []string) {
	for _, note := range notes {
		if !strings.Contains(note, fewChanged) {
			list = append(list, note)
		}
	}
	return list
}
