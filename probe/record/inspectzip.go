package record

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// What is unpacked at most, so that a small file cannot fill the memory.
const (
	maxEntry   = 1 << 30  // bytes of an entry
	maxSamples = 4 << 30  // bytes of all entries with samples; of more the summaries are read
	maxZip     = 16 << 30 // bytes of all that is read
	maxEntries = 4 << 20
)

// readInspectZip reads a log in a ZIP file. The summaries have all scores; the
// samples have the prompts and answers too and are read where they are not too
// large. The log of an evaluation that did not end has summaries in a journal.
func readInspectZip(path string) (Run, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return Run{}, fmt.Errorf("%s is no log of Inspect: %w", path, err)
	}
	defer archive.Close()
	archive.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(128<<20)))
	in := newInspection(path)
	if err := in.archive(&archive.Reader); err != nil {
		return Run{}, fmt.Errorf("%s: %w", path, err)
	}
	return in.finish("a log of Inspect (.eval)")
}

// pieces are the entries of a log.
type pieces struct {
	header, summaries *zip.File
	journal, samples  []*zip.File
	left              int64 // bytes that may still be unpacked
}

func (in *inspection) archive(archive *zip.Reader) error {
	if len(archive.File) > maxEntries {
		return fmt.Errorf("holds %d files, too many for a log", len(archive.File))
	}
	p := piecesOf(archive.File)
	if p.header == nil {
		return errors.New("is no log of Inspect: it holds neither header.json nor _journal/start.json")
	}
	if err := p.read(p.header, in.document); err != nil {
		return err
	}
	for _, file := range append(p.journal, p.summaries) {
		if file == nil {
			continue
		}
		if err := p.read(file, func(r io.Reader) error { return in.list(newDecoder(r), true) }); err != nil {
			return err
		}
	}
	if p.summaries == nil && len(p.journal) > 0 {
		in.notes = append(in.notes, fmt.Sprintf("%s: the evaluation did not end: its journal was read", in.file))
	}
	return in.readSamples(&p)
}

// piecesOf sorts the entries of a log. The first logs of this kind had no
// journal folder, and other names.
func piecesOf(files []*zip.File) (p pieces) {
	p.left = maxZip
	place := map[string]*zip.File{}
	for _, file := range files {
		name := file.Name
		place[name] = file
		if strings.HasPrefix(name, "_journal/summaries/") || strings.HasPrefix(name, "summaries/") {
			p.journal = append(p.journal, file)
		}
		rest, isSample := strings.CutPrefix(name, "samples/")
		inside, isShell := strings.CutSuffix(rest, "/sample.json") // a sample in pieces
		if isSample && (isShell && !strings.Contains(inside, "/") || !strings.Contains(rest, "/") && strings.HasSuffix(rest, ".json")) {
			p.samples = append(p.samples, file)
		}
	}
	for _, name := range []string{"start.json", "_journal/start.json", "header.json"} {
		if file := place[name]; file != nil {
			p.header = file
		}
	}
	for _, name := range []string{"summary.json", "summaries.json"} {
		if file := place[name]; file != nil {
			p.summaries = file
		}
	}
	slices.SortStableFunc(p.journal, func(a, b *zip.File) int { return journalNumber(a.Name) - journalNumber(b.Name) })
	return p
}

// journalNumber is the number in _journal/summaries/12.json.
func journalNumber(name string) int {
	base := name[strings.LastIndexByte(name, '/')+1:]
	number, err := strconv.Atoi(strings.TrimSuffix(base, ".json"))
	if err != nil || number < 0 {
		return 0
	}
	return number
}

// read unpacks an entry.
func (p *pieces) read(file *zip.File, use func(io.Reader) error) error {
	source, err := file.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", file.Name, err)
	}
	defer source.Close()
	limited := &limited{source: source, left: min(maxEntry, p.left)}
	before := limited.left
	err = use(limited)
	p.left -= before - limited.left
	if err != nil {
		return fmt.Errorf("%s: %w", file.Name, err)
	}
	return nil
}

// limited reads up to a number of bytes, and fails at more.
type limited struct {
	source io.Reader
	left   int64
}

// Read implements io.Reader.
func (l *limited) Read(dst []byte) (int, error) {
	if l.left <= 0 {
		return 0, errors.New("unpacks to more than a log may have")
	}
	n, err := l.source.Read(dst[:min(int64(len(dst)), l.left)])
	l.left -= int64(n)
	return n, err
}

// readSamples reads the samples in place of their summaries.
func (in *inspection) readSamples(p *pieces) error {
	var size uint64
	for _, file := range p.samples {
		size += file.UncompressedSize64
	}
	if size > maxSamples && len(in.order) > 0 {
		in.notes = append(in.notes, fmt.Sprintf("%s: the samples have %d bytes and only their summaries were read: prompts are not compared", in.file, size))
		return nil
	}
	for _, file := range p.samples {
		err := p.read(file, func(r io.Reader) error {
			var sample inspectSample
			if err := newDecoder(r).Decode(&sample); err != nil {
				return plain(err)
			}
			_, err := in.add(sample)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
