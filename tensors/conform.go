package tensors

import (
	"fmt"
	"slices"
)

// Conformed is a Source seen in the layout of another: see Conform.
type Conformed struct {
	src, like Source
	parts     map[string]part
}

// part says where a tensor of a Conformed comes from: the first elements from
// src, the others from like.
type part struct {
	info    Info
	fromSrc int // elements
}

// Conform shows a Source in the layout of another: it has the names and shapes
// of like, and the values of src wherever src has them. A tensor that src
// lacks, has in another shape, or that is not stored as numbers, is like's
// own; of an embedding or head whose
// vocabulary was resized the rows that both have are src's and the others are
// like's. What like does not name is left out. A tensor of rows of both is
// stored in the type of both, or in the narrowest that holds both.
func Conform(src, like Source) *Conformed {
	c := &Conformed{src: src, like: like, parts: map[string]part{}}
	for _, name := range like.Names() {
		c.parts[name] = conform(src, like, name)
	}
	return c
}

func conform(src, like Source, name string) part {
	want, _ := like.Info(name)
	have, ok := src.Info(name)
	switch {
	case ok && slices.Equal(have.Shape, want.Shape) && have.DType.Float() && want.DType.Float():
		return part{have, have.Len()}
	case !ok || !Resized(name, have, want):
		return part{want, 0}
	}
	mixed := Info{DType: common(have.DType, want.DType), Shape: want.Shape}
	return part{mixed, min(have.Len(), want.Len())}
}

// Resized reports whether two shapes of a tensor are those of an embedding or
// head before and after its vocabulary was resized.
func Resized(name string, a, b Info) bool {
	switch KeyOf(name).Part {
	case PartEmbed, PartHead:
	default:
		return false
	}
	return len(a.Shape) > 0 && len(a.Shape) == len(b.Shape) && slices.Equal(a.Shape[1:], b.Shape[1:]) && a.DType.Float() && b.DType.Float()
}

// common is the narrowest number type that holds the values of both.
func common(a, b DType) DType {
	switch {
	case a == b, b == F8E4M3 && a != F8E5M2, b == F8E5M2 && (a == F16 || a == BF16):
		return a
	case a == F64 || b == F64:
		return F64
	case a == F8E4M3 && b != F8E5M2, a == F8E5M2 && (b == F16 || b == BF16):
		return b
	case a.Size() == 1 && b.Size() == 1:
		return F16
	}
	return F32
}

// Names implements Source.
func (c *Conformed) Names() []string { return c.like.Names() }

// Info implements Source.
func (c *Conformed) Info(name string) (Info, bool) {
	p, ok := c.parts[name]
	return p.info, ok
}

// ReadRaw implements Source.
func (c *Conformed) ReadRaw(dst []byte, name string, at int64) error {
	p, ok := c.parts[name]
	switch {
	case !ok:
		return fmt.Errorf("no tensor %s", quote(name))
	case at < 0 || int64(len(dst)) > p.info.Bytes()-at:
		return fmt.Errorf("tensor %s: bytes %d to %d are outside its %d", quote(name), at, at+int64(len(dst))-1, p.info.Bytes())
	case p.fromSrc == 0:
		return c.like.ReadRaw(dst, name, at)
	case p.fromSrc == p.info.Len():
		if have, _ := c.src.Info(name); have.DType == p.info.DType {
			return c.src.ReadRaw(dst, name, at)
		}
	}
	size := p.info.DType.Size()
	values := make([]float64, len(dst)/size)
	if err := c.read(name, int(at)/size, len(values), func(src Source, i, from, n int) error {
		return Read64(src, values[i:i+n], name, from)
	}); err != nil {
		return err
	}
	Round64(dst, values, p.info.DType)
	return nil
}

// Read implements Source.
func (c *Conformed) Read(dst []float32, name string, from int) error {
	p, ok := c.parts[name]
	switch {
	case !ok:
		return fmt.Errorf("no tensor %s", quote(name))
	case p.fromSrc == 0:
		return c.like.Read(dst, name, from)
	}
	return c.read(name, from, len(dst), func(src Source, i, from, n int) error {
		return src.Read(dst[i:i+n], name, from)
	})
}

// read splits the elements from..from+n of a tensor where they change their
// Source; piece reads n elements at from into the place i.
func (c *Conformed) read(name string, from, n int, piece func(src Source, i, from, n int) error) error {
	p := c.parts[name]
	if from < 0 || n > p.info.Len()-from {
		return fmt.Errorf("tensor %s: elements %d to %d are outside shape %v", quote(name), from, from+n-1, p.info.Shape)
	}
	own := min(n, max(0, p.fromSrc-from))
	if own > 0 {
		if err := piece(c.src, 0, from, own); err != nil {
			return err
		}
	}
	if own == n {
		return nil
	}
	return piece(c.like, own, from+own, n-own)
}

// Kept is a Source without some of its tensors: see Keep.
type Kept struct {
	Source
	names []string
}

// Keep returns the Source of those tensors for which keep is true.
func Keep(src Source, keep func(name string) bool) *Kept {
	k := &Kept{Source: src}
	for _, name := range src.Names() {
		if keep(name) {
			k.names = append(k.names, name)
		}
	}
	return k
}

func (k *Kept) has(name string) bool {
	_, ok := slices.BinarySearch(k.names, name)
	return ok
}

// Names implements Source.
func (k *Kept) Names() []string { return k.names }

// Info implements Source.
func (k *Kept) Info(name string) (Info, bool) {
	if !k.has(name) {
		return Info{}, false
	}
	return k.Source.Info(name)
}

// ReadRaw implements Source.
func (k *Kept) ReadRaw(dst []byte, name string, at int64) error {
	if !k.has(name) {
		return fmt.Errorf("no tensor %s", quote(name))
	}
	return k.Source.ReadRaw(dst, name, at)
}

// Read implements Source.
func (k *Kept) Read(dst []float32, name string, from int) error {
	if !k.has(name) {
		return fmt.Errorf("no tensor %s", quote(name))
	}
	return k.Source.Read(dst, name, from)
}
