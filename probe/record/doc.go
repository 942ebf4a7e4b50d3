// Package record holds graded answers, one per model, task, item and seed, and
// reads and writes them: the log of a run, and the files of other programs.
//
// The story in order:
//
//  1. A [Plan] says what a run will ask, of what and how it will be judged.
//     [OpenFolder] writes it down as run.json before the first score, or finds
//     the same plan there and goes on; another plan it refuses.
//  2. Every answer becomes a [Record] in the [Log] of the [Folder], one line a
//     record, found again by its key: a run that was killed asks only what it
//     has no line for. [Folder.Reuse] lends the answers of other folders.
//  3. [Read] reads a finished run, whoever made it: a run folder, samples of
//     lm-evaluation-harness, a log of Inspect, CSV or JSON lines.
//  4. [Align] puts two runs side by side, item by item and seed by seed, and
//     says what it had to leave out and whether both were asked the same.
//  5. [Export] writes a run as lm-evaluation-harness would have.
//
// What is wrong with a file is an error of one sentence that names the file and
// the line. What limits a run without making it wrong is a note in its Notes.
package record
