package record

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestUnpackLimit: what unpacks to more than is allowed is refused when that
// much is read, whatever the archive says of its sizes.
func TestUnpackLimit(t *testing.T) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range []string{"a.json", "b.json"} {
		entry, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(entry, "[")
		entry.Write(bytes.Repeat([]byte(" "), 600<<10))
		io.WriteString(entry, `{"id": 1}]`)
	}
	w.Close()
	archive, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	in, p := newInspection("log.eval"), &pieces{left: 1 << 20}
	read := func(file *zip.File) error {
		return p.read(file, func(r io.Reader) error { return in.list(newDecoder(r), true) })
	}
	if err := read(archive.File[0]); err != nil {
		t.Fatal(err)
	}
	if err := read(archive.File[1]); err == nil || !strings.Contains(err.Error(), "b.json: unpacks to more than a log may have") {
		t.Errorf("more than all that may be read gives %v", err)
	}
	in.order = []inspectID{{"1", 1}}
	large := &zip.File{FileHeader: zip.FileHeader{Name: "samples/1_epoch_1.json", UncompressedSize64: maxSamples + 1}}
	if err := in.readSamples(&pieces{samples: []*zip.File{large}}); err != nil || len(in.notes) != 1 || !strings.Contains(in.notes[0], "only their summaries were read") {
		t.Errorf("samples that are too large give %v and the notes %q", err, in.notes)
	}
}
