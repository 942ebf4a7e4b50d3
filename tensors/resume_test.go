package tensors_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"surgeon/tensors"
)

// resumable are the options of the writes below: five shards of two tensors.
func resumable() tensors.WriteOptions {
	return tensors.WriteOptions{
		ShardSize: 200, Identity: "a recipe", Metadata: map[string]string{"k": "v"},
		Side:    mapFS(map[string][]byte{"config.json": []byte("{}"), "tokenizer.json": []byte("[]")}),
		Replace: map[string][]byte{"config.json": []byte(`{"a":1}`)},
		Beside: func([]tensors.Digest) (map[string][]byte, error) {
			return map[string][]byte{"surgeon.json": []byte("{}")}, nil
		},
	}
}

const (
	shardOne   = "model-00001-of-00005.safetensors"
	shardTwo   = "model-00002-of-00005.safetensors"
	shardThree = "model-00003-of-00005.safetensors"
)

// cutOff writes ten tensors into five shards and is cancelled in the third. It
// returns the target and the partial directory.
func cutOff(t *testing.T) (target, partial string) {
	t.Helper()
	dir := t.TempDir()
	target, partial = filepath.Join(dir, "out"), filepath.Join(dir, ".out.partial")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written, err := tensors.Write(ctx, target, stopAt(blocks(9), block(4), cancel), resumable())
	var unfinished *tensors.Unfinished
	if !errors.As(err, &unfinished) || !errors.Is(err, context.Canceled) || written != nil {
		t.Fatalf("cancelled: %v, %v", written, err)
	}
	if unfinished.Partial != partial || unfinished.Finished != 2 || unfinished.Shards != 5 {
		t.Fatalf("cancelled in the third of five shards: %+v", unfinished)
	}
	refused(t, nil, err, target, partial, "2 of 5 shards are finished")
	if got := entries(t, dir); !slices.Equal(got, []string{".out.partial"}) {
		t.Fatalf("left %q", got)
	}
	for _, name := range []string{".journal", shardOne, shardTwo} {
		if !slices.Contains(entries(t, partial), name) {
			t.Fatalf("left %q, without %s", entries(t, partial), name)
		}
	}
	return target, partial
}

// resume goes on with a write and checks that the result is that of an
// unbroken one and that nothing else is left. It returns what was read.
func resume(t *testing.T, target string) []string {
	t.Helper()
	src := &watched{Source: blocks(9)}
	opt := resumable()
	opt.Resume = true
	var last, total int64
	opt.Progress = func(done, of int64) { last, total = done, of }
	written, err := tensors.Write(t.Context(), target, src, opt)
	if err != nil {
		t.Fatal(err)
	}
	sameTree(t, target, unbroken(t, blocks(9), "out", resumable()))
	digestsTrue(t, target, written)
	if want := sorted(tree(t, target)); len(written) != len(want)-1 { // the directory itself
		t.Errorf("the digests are of %q, the files are %q", digestNames(written), want)
	}
	if last != total || total == 0 {
		t.Errorf("progress ends at %d of %d", last, total)
	}
	if got := entries(t, filepath.Dir(target)); !slices.Equal(got, []string{"out"}) {
		t.Errorf("left %q", got)
	}
	return sorted(src.reads)
}

// The tensors of the shards of blocks(9).
var (
	firstTwo  = []string{"model.embed_tokens.weight", block(0)}
	secondTwo = []string{block(1), block(2)}
	lastSix   = []string{block(3), block(4), block(5), block(6), block(7), block(8)}
)

func together(lists ...[]string) []string {
	return slices.Sorted(slices.Values(slices.Concat(lists...)))
}

// TestResume goes on where a write was cut off: finished shards are not read
// again, and the result has the bytes of an unbroken write.
func TestResume(t *testing.T) {
	target, _ := cutOff(t)
	if got := resume(t, target); !slices.Equal(got, lastSix) {
		t.Errorf("read again: %q", got)
	}
}

// TestResumeAgain is cut off twice, then again before anything is read.
func TestResumeAgain(t *testing.T) {
	target, partial := cutOff(t)
	again := func(stop string, finished int) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if stop == "" {
			cancel()
		}
		opt := resumable()
		opt.Resume = true
		_, err := tensors.Write(ctx, target, stopAt(blocks(9), stop, cancel), opt)
		var unfinished *tensors.Unfinished
		if !errors.As(err, &unfinished) || unfinished.Finished != finished || unfinished.Partial != partial {
			t.Errorf("stopped at %q: %v", stop, err)
		}
	}
	again(block(7), 4)
	again("", 4)
	if got := resume(t, target); !slices.Equal(got, []string{block(7), block(8)}) {
		t.Errorf("read again: %q", got)
	}
}

// TestResumeNothing: with Resume and nothing to go on with, a write begins.
func TestResumeNothing(t *testing.T) {
	if got := resume(t, filepath.Join(t.TempDir(), "out")); len(got) != 10 {
		t.Errorf("read %q", got)
	}
}

// TestResumeDamaged: what a finished shard should be is known by its digest,
// and what the journal says counts up to its last whole line.
func TestResumeDamaged(t *testing.T) {
	check := func(name string, damage func(partial, journal string, lines []byte) error, reads []string) {
		t.Run(name, func(t *testing.T) {
			target, partial := cutOff(t)
			journal := filepath.Join(partial, ".journal")
			lines, err := os.ReadFile(journal)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(partial, journal, lines); err != nil {
				t.Fatal(err)
			}
			if got := resume(t, target); !slices.Equal(got, reads) {
				t.Errorf("read again: %q\nwant %q", got, reads)
			}
		})
	}
	shard := func(change func(path string) error) func(partial, journal string, lines []byte) error {
		return func(partial, _ string, _ []byte) error { return change(filepath.Join(partial, shardOne)) }
	}
	check("a byte flipped", shard(func(path string) error { flip(t, path); return nil }), together(firstTwo, lastSix))
	check("truncated", shard(func(path string) error { return os.Truncate(path, 100) }), together(firstTwo, lastSix))
	check("empty", shard(func(path string) error { return os.Truncate(path, 0) }), together(firstTwo, lastSix))
	check("deleted", shard(os.Remove), together(firstTwo, lastSix))
	check("both", func(partial, _ string, _ []byte) error {
		flip(t, filepath.Join(partial, shardTwo))
		return os.Remove(filepath.Join(partial, shardOne))
	}, together(firstTwo, secondTwo, lastSix))

	rewrite := func(change func(lines []byte) []byte) func(partial, journal string, lines []byte) error {
		return func(_, journal string, lines []byte) error { return os.WriteFile(journal, change(lines), 0o644) }
	}
	all := together(firstTwo, secondTwo, lastSix)
	check("a torn line more", rewrite(func(lines []byte) []byte { return append(lines, `{"name":"model-0000`...) }), lastSix)
	check("half a line of JSON more", rewrite(func(lines []byte) []byte { return append(lines, "{\"name\":\"model-0000\n"...) }), lastSix)
	check("a name that leads out more", rewrite(func(lines []byte) []byte { return append(lines, "{\"name\":\"../x\"}\n"...) }), lastSix)
	check("the last line torn", rewrite(func(lines []byte) []byte { return lines[:len(lines)-1] }), together(secondTwo, lastSix))
	check("the last line cut", rewrite(func(lines []byte) []byte { return lines[:len(lines)-20] }), together(secondTwo, lastSix))
	check("only the first line", rewrite(func(lines []byte) []byte { return lines[:bytes.IndexByte(lines, '\n')+1] }), all)
	check("another digest", rewrite(func(lines []byte) []byte { return bytes.ReplaceAll(lines, []byte(`"sha256":"`), []byte(`"sha256":"0`)) }), all)
	check("no journal", func(_, journal string, _ []byte) error { return os.Remove(journal) }, all)
	for _, text := range []string{"", "\n", "garbage", "garbage\ngarbage\n", "null\n", "[]\n", "{}\n", "\x00\x00\x00", "{\"identity\":1}\n"} {
		check("journal "+text, rewrite(func([]byte) []byte { return []byte(text) }), all)
	}
}

// TestResumeOther refuses the finished shards of another write, and any
// without being asked for: nothing is read, nothing in the directory changes.
func TestResumeOther(t *testing.T) {
	check := func(name string, change func(*tensors.WriteOptions), words ...string) error {
		var err error
		t.Run(name, func(t *testing.T) {
			target, partial := cutOff(t)
			before := tree(t, partial)
			src := &watched{Source: blocks(9)}
			opt := resumable()
			opt.Resume = true
			change(&opt)
			_, err = tensors.Write(t.Context(), target, src, opt)
			refused(t, nil, err, append(words, target, partial)...)
			var unfinished *tensors.Unfinished
			if !errors.As(err, &unfinished) || unfinished.Finished != 2 || unfinished.Shards != 5 || unfinished.Partial != partial {
				t.Errorf("%v", err)
			}
			if len(src.reads) > 0 {
				t.Errorf("read %v", src.reads)
			}
			after := tree(t, partial)
			for file := range before {
				if before[file] != after[file] {
					t.Errorf("%s was changed", file)
				}
			}
			if got := entries(t, filepath.Dir(target)); !slices.Equal(got, []string{".out.partial"}) {
				t.Errorf("left %q", got)
			}
			if got := resume(t, target); !slices.Equal(got, lastSix) {
				t.Errorf("read again: %q", got)
			}
		})
		return err
	}
	check("without resume", func(o *tensors.WriteOptions) { o.Resume = false }, "--resume")
	const other = "belongs to another merge"
	check("force is no resume", func(o *tensors.WriteOptions) { o.Resume, o.Force = false, true }, "--resume")
	check("another identity", func(o *tensors.WriteOptions) { o.Identity = "another recipe" }, other)
	check("another shard size", func(o *tensors.WriteOptions) { o.ShardSize = 300 }, other)
	check("other metadata", func(o *tensors.WriteOptions) { o.Metadata = map[string]string{"k": "w"} }, other)
	check("another identity, without resume", func(o *tensors.WriteOptions) { o.Identity, o.Resume = "x", false }, other)
}

// TestResumeFinished is cut off when everything is written but not in place: in
// a directory and in a single file, nothing is read again.
func TestResumeFinished(t *testing.T) {
	for _, target := range []string{"out", "out.safetensors"} {
		t.Run(target, func(t *testing.T) {
			dir := t.TempDir()
			path, partial := filepath.Join(dir, target), filepath.Join(dir, "."+target+".partial")
			opt := resumable()
			opt.Beside = nil
			want := unbroken(t, blocks(9), target, opt)

			opt.Beside = func([]tensors.Digest) (map[string][]byte, error) { // what is there now is what a kill leaves
				if err := os.CopyFS(filepath.Join(dir, "kept"), os.DirFS(partial)); err != nil {
					t.Error(err)
				}
				return nil, errors.New("killed")
			}
			if _, err := tensors.Write(t.Context(), path, blocks(9), opt); err == nil {
				t.Fatal("written")
			}
			if err := os.Rename(filepath.Join(dir, "kept"), partial); err != nil {
				t.Fatal(err)
			}

			opt.Beside = nil
			src := &watched{Source: blocks(9)}
			_, err := tensors.Write(t.Context(), path, src, opt)
			refused(t, nil, err, partial, "--resume")
			opt.Resume = true
			if _, err := tensors.Write(t.Context(), path, src, opt); err != nil || len(src.reads) > 0 {
				t.Errorf("%v, read again: %v", err, src.reads)
			}
			sameTree(t, path, want)
			if got := entries(t, dir); !slices.Equal(got, []string{target}) {
				t.Errorf("left %q", got)
			}
		})
	}
}

// TestLeftoverOfAnother: what a killed write of another plan left, before it
// had finished a shard, is not part of the next one.
func TestLeftoverOfAnother(t *testing.T) {
	check := func(target string, resume bool) {
		t.Helper()
		dir := t.TempDir()
		partial := filepath.Join(dir, "."+target+".partial")
		if err := os.Mkdir(partial, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"model-00001-of-00009.safetensors", "tokenizer.json", "surgeon.json"} {
			if err := os.WriteFile(filepath.Join(partial, name), []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, target)
		if _, err := tensors.Write(t.Context(), path, blocks(3), tensors.WriteOptions{Resume: resume}); err != nil {
			t.Fatal(err)
		}
		if got := entries(t, dir); !slices.Equal(got, []string{target}) {
			t.Errorf("%s: the leftovers became %q", target, got)
		}
		sameTree(t, path, unbroken(t, blocks(3), target, tensors.WriteOptions{}))
	}
	check("out", false)
	check("out", true)
	check("out.safetensors", false)
}

// TestLeftoverOfFinished: a single file was in place when the process was
// killed, its hidden directory was not yet removed. It stops no later write.
func TestLeftoverOfFinished(t *testing.T) {
	dir := t.TempDir()
	path, partial := filepath.Join(dir, "out.safetensors"), filepath.Join(dir, ".out.safetensors.partial")
	var journal []byte
	opt := tensors.WriteOptions{Beside: func([]tensors.Digest) (map[string][]byte, error) {
		var err error
		journal, err = os.ReadFile(filepath.Join(partial, ".journal"))
		return nil, err
	}}
	if _, err := tensors.Write(t.Context(), path, blocks(3), opt); err != nil || len(journal) == 0 {
		t.Fatalf("%v, a journal of %d bytes", err, len(journal))
	}
	if err := errors.Join(os.Mkdir(partial, 0o755), os.WriteFile(filepath.Join(partial, ".journal"), journal, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := tensors.Write(t.Context(), path, blocks(3), tensors.WriteOptions{Force: true}); err != nil {
		t.Error(err)
	}
}

// TestSingleFileCancelled: of a single file nothing is worth keeping.
func TestSingleFileCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := tensors.Write(ctx, filepath.Join(dir, "out.safetensors"), stopAt(blocks(9), block(8), cancel), resumable())
	var unfinished *tensors.Unfinished
	if !errors.Is(err, context.Canceled) || errors.As(err, &unfinished) {
		t.Errorf("%v", err)
	}
	if got := entries(t, dir); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}

// TestFailureLeavesNothing: after any error but a cancelled context nothing is
// left, not even shards that were finished.
func TestFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("the disk is on fire")
	src := &watched{Source: blocks(9), before: func(name string) error {
		if name == block(8) {
			return broken
		}
		return nil
	}}
	_, err := tensors.Write(t.Context(), filepath.Join(dir, "out"), src, resumable())
	if !errors.Is(err, broken) || len(src.reads) != 10 {
		t.Errorf("%v after %v", err, src.reads)
	}
	if got := entries(t, dir); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}
