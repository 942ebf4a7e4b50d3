package token_test

import "testing"

// TestText leaves special tokens and unknown ids out, and only those.
func TestText(t *testing.T) {
	check := func(want string, ids ...int32) {
		t.Helper()
		if got := tiny().Text(ids); got != want {
			t.Errorf("the text of %v is %q, want %q", ids, got, want)
		}
	}
	check("")
	check("hello", 259)
	check("hello", endOfTextID, 259, endOfTextID, 9999, -1)
	check("é", 0xC3, endOfTextID, 0xA9) // halves of a character meet
	check("�", 0xC3)
}
