// Package memo lays out a safety memo of exactly three A4 pages, as PDF,
// self-contained HTML and Markdown from one model. It formats and knows nothing
// of what the numbers mean.
//
// The story in order:
//
//  1. The caller fills a [Memo]: a title, the date of the plan, and three pages
//     of blocks: [Paragraph], [Heading], [Verdict], [Numbers], [Table],
//     [Figures], [List] and [Code]. Texts are plain: nothing in them is markup.
//  2. [Lint] names the numbers in the texts that the caller does not know, so
//     that no number stands in a memo without a record behind it.
//  3. [Memo.PDF], [Memo.HTML] and [Memo.Markdown] render it. Nothing of the time,
//     the machine or a random number goes into them: the same memo gives the
//     same bytes.
//
// The PDF has three pages whatever the memo holds. A page that is too full is
// set in smaller type and with smaller figures, from 9.5 points down to 7. What
// does not fit then is left out with a line that says how much: first the last
// rows of the longest table, then items of lists and words of texts. Names of
// more than 120 letters, and texts too long for a cell, a caption or a box, lose
// their middle to an ellipsis. The HTML and the Markdown are always complete.
//
// Names may come from an untrusted file. Control characters, those that turn the
// direction of writing, and other invisible ones become U+FFFD; in the PDF that
// is a small square, as are letters that its type, Liberation, does not have. HTML
// is made from the Markdown with raw HTML turned off, and says itself that it
// loads nothing.
package memo
