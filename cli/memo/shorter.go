package memo

// Letters that a text keeps before it is laid out, at its two ends: more than
// the lines that it may take hold.
const (
	textLetters = 4000
	cellLetters = 1000
)

// shorter returns a block whose texts are no longer than could be shown, but for
// paragraphs, which are counted in words.
func shorter(block Block) Block {
	switch b := block.(type) {
	case Heading:
		return Heading{middle(b.Text, cellLetters)}
	case Verdict:
		b.Word, b.Sentence = middle(b.Word, textLetters), middle(b.Sentence, textLetters)
		return b
	case Numbers:
		numbers := make(Numbers, len(b))
		for i, n := range b {
			numbers[i] = Number{middle(n.Value, textLetters), middle(n.Label, textLetters), middle(n.Detail, textLetters)}
		}
		return numbers
	case Table:
		return b.shorter()
	case Figures:
		figures := make(Figures, len(b))
		for i, f := range b {
			f.Caption = middle(f.Caption, textLetters)
			figures[i] = f
		}
		return figures
	case List:
		return List{each(b.Items, textLetters)}
	}
	return block
}

func (t Table) shorter() Table {
	columns, rows := make([]Column, len(t.Columns)), make([][]string, len(t.Rows))
	for j, column := range t.Columns {
		column.Name = middle(column.Name, cellLetters)
		columns[j] = column
	}
	for i, row := range t.Rows {
		rows[i] = each(row, cellLetters)
	}
	t.Caption, t.Columns, t.Rows = middle(t.Caption, textLetters), columns, rows
	return t
}

// each shortens each text to n letters.
func each(texts []string, n int) []string {
	short := make([]string, len(texts))
	for i, text := range texts {
		short[i] = middle(text, n)
	}
	return short
}
