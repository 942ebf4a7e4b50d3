// Package instruct holds small items that ask a model to keep to a form, and
// says whether a reply did. The items were written for this project and are part
// of the program. It knows no model and no other package of surgeon.
//
// The story in order:
//
//  1. [Items] returns the instruction items: a prompt and one to three [Rule]s
//     that a program can check. [Read] reads files of the same form that users
//     write.
//  2. [Check] tells which of the rules a reply keeps, strictly and loosely.
//  3. [Requests] returns prompts that a careful model refuses, each with a
//     benign twin that uses the same words and should be answered; a model that
//     refuses both has not become safer. Whether a reply is a refusal is decided
//     elsewhere. [ReadRequests] reads files of that form. None of these prompts
//     belongs in training data, where they would no longer measure anything.
//
// The words are not those of IFEval (Zhou et al., arXiv 2311.07911), nor are most
// of the rules, so that the two are separate evidence; avoids, mentions, ends_with
// and json_object are near to one of its rules, but decided otherwise. Every
// rule is decided by the letters of the reply alone: none needs a sentence
// splitter, a language detector or a judge. The knowledge asked for is small, and
// mostly stands in the prompt.
//
// # Files
//
// An instruction file has a JSON object on every line, blank lines aside:
//
//	{"id": "data-reverse", "topic": "data",
//	 "prompt": "Write these words in reverse order, separated by commas: ...",
//	 "rules": [{"id": "entries", "args": {"by": ",", "values": ["c", "b", "a"], "ordered": true}}],
//	 "reference": "c, b, a", "wrong": ["a, b, c"]}
//
// The reference is a reply that keeps every rule strictly, and each wrong reply
// breaks at least one, so that no rule is vacuous and none impossible. Read holds
// a file to that. A file of a user's own may leave them and the topic out. A
// request file has objects with id, twin (the id of the other of the pair),
// refuse (true or false), topic and prompt.
//
// # Terms
//
// A text is trimmed of white space before anything is checked, and an empty one
// breaks every rule. A line is one that is not blank, trimmed. A list mark is one
// of "- ", "* ", "+ ", "• ", or a number with "." or ")" behind it and a blank.
// Entries are the lines without their list marks where "by" is "line"; otherwise
// the text must be a single line, and the entries are what stands between the
// separators "by", trimmed. A word that is looked for must stand alone, with no
// letter or digit next to it ("sun" is not in "sunny"; 12 is not in 12.5 or in
// 12,000); letters of either case are alike and all white space is one blank.
//
// # Rules
//
// Arguments in brackets may be left out. N is a whole number of at least 1.
//
//	acrostic        word           the first letters of the lines spell it, in either case, and there are no more lines
//	avoids          words          none of them stands in the text
//	between         open, close    the text is these two marks, each once, with something between and nothing outside
//	capitalised                    every word begins with a capital letter; a word that begins with a digit may stand
//	csv             columns, rows  CSV: a header of exactly these columns, then N rows with a value in each
//	digits          [count]        nothing but digits 0-9, N of them
//	ends_with       text           the last characters of the text, in this case
//	entries         by, values, ordered  the entries are exactly these, in either case, in this order if ordered is true
//	fields          keys           a line "key: value" for each key, in this order and case, and no other line
//	iso_date        [date]         nothing but a date of the calendar as YYYY-MM-DD, and this one
//	json_object     keys, [values] a JSON object with exactly these keys, each of its type, and with these values; keys maps
//	                               each name to string, integer, number, boolean, strings or numbers (lists)
//	keeps_numbers   after          every number of the part of the prompt after this mark stands in the text, in digits
//	line_lengths    counts         as many lines as counts, each of so many words; list marks do not count
//	line_start      text           every line begins with it, in this case, and goes on behind it
//	line_words      most           no line has more than N words; list marks do not count
//	lines           count          exactly N lines
//	max_characters  count          at most N characters (code points), blanks and line ends counted
//	mentions        words          each of them stands in the text
//	numbered        count          N lines "1. ..." to "N. ...", and no other line
//	occurs          words, count   each of them stands in the text exactly N times
//	one_of          values         the text is one of them, in either case
//	separated       by, count      a single line of N entries, none empty and none that begins with "and "
//	sorted          by, as, order  at least two entries, as words or numbers, in ascending or descending order; equal ones may follow each other
//	table           columns, rows  a Markdown table: this header, a line of dashes, N rows, every line in bars, and no other line
//	verbatim        after          the text is a passage of the part of the prompt after this mark, word for word
//
// # Loose
//
// A rule is kept loosely if it is kept by the text or by any of its variants.
// There are four cuts: the text; without its first line if that is a preface
// (it ends in a colon, or begins with a word such as Sure, Certainly, Of course
// or Here); without its last line if that is a courtesy (it begins with words
// such as "Let me know", "I hope", "Feel free" or "Note:"); and without both.
// Each is tried as it is, and then cleaned step by step: without a code fence
// around it, without any "*", without one pair of quotation marks or backticks
// around it, and without one full stop behind it. An empty variant is not tried.
// Different rules may be kept by different variants.
package instruct
