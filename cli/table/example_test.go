package table_test

import (
	"os"

	"surgeon/cli/table"
)

// Three tensors with their drift, in a terminal of 72 columns.
func Example() {
	columns := []table.Column{{Name: "tensor"}, {Name: "bytes", Right: true}, {Name: "drift", Right: true}, {Name: ""}}
	drift := []float64{0.0123, 0.00042, 0.00871}
	names := []string{
		"model.layers.0.self_attn.q_proj.weight",
		"model.embed_tokens.weight",
		"model.layers.11.mlp.down_proj.weight",
	}
	var rows [][]string
	for i, name := range names {
		rows = append(rows, []string{name, table.Bytes(1 << (20 + i)), table.Percent(drift[i]), table.Bar(drift[i], 0.0123, 20)})
	}
	if err := table.Render(os.Stdout, columns, rows, table.Options{Width: 72}); err != nil {
		panic(err)
	}
	// Output:
	// tensor                         │   bytes │  drift │
	// ───────────────────────────────┼─────────┼────────┼─────────────────────
	// model.layers.0.self_attn.q_pr… │ 1.0 MiB │  1.2 % │ ████████████████████
	// model.embed_tokens.weight      │ 2.0 MiB │ <0.1 % │ ▋
	// model.layers.11.mlp.down_proj… │ 4.0 MiB │  0.9 % │ ██████████████▏
}
