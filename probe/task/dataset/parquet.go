package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// openParquet reads the footer. What the library says by a panic about a
// damaged file becomes an error.
func openParquet(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer recovered(&err)
	if err := checkFooter(r, size); err != nil {
		return nil, fmt.Errorf("not readable as parquet: %w", err)
	}
	file, err = parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err == nil && len(file.Root().Columns()) == 0 {
		err = errors.New("no columns")
	}
	if err != nil {
		return nil, fmt.Errorf("not readable as parquet: %w", err)
	}
	return file, nil
}

// checkFooter checks what the library takes from the metadata at the end of a
// file without asking whether it can be: how long they are, how many children
// groups have and where columns lie. It would set any size aside.
func checkFooter(r io.ReaderAt, size int64) error {
	const around = 12 // the marks at both ends and the length
	if size < around {
		return errors.New("the file is too short")
	}
	var end [8]byte
	if n, err := r.ReadAt(end[:], size-int64(len(end))); n < len(end) {
		return err
	}
	if string(end[4:]) != "PAR1" {
		return errors.New("the file does not end as parquet, which it does if it is whole and not encrypted")
	}
	length := int64(binary.LittleEndian.Uint32(end[:4]))
	if length > size-around {
		return fmt.Errorf("its metadata have %d bytes and the file %d", length, size)
	}
	footer := make([]byte, length)
	if n, err := r.ReadAt(footer, size-8-length); n < len(footer) {
		return err
	}
	var metadata format.FileMetaData
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &metadata); err != nil {
		return fmt.Errorf("its metadata cannot be read: %w", err)
	}
	return checkMetadata(&metadata, size)
}

func checkMetadata(m *format.FileMetaData, size int64) error {
	children := int64(1)
	for _, element := range m.Schema {
		if element.NumChildren.V < 0 {
			return errors.New("a group has less than no children")
		}
		children += int64(element.NumChildren.V)
	}
	if children != int64(len(m.Schema)) {
		return fmt.Errorf("its groups have %d children and it has %d columns", children-1, len(m.Schema)-1)
	}
	for _, group := range m.RowGroups {
		for _, c := range group.Columns {
			if c.MetaData.TotalCompressedSize < 0 || c.MetaData.TotalCompressedSize > size {
				return fmt.Errorf("a column has %d bytes and the file %d", c.MetaData.TotalCompressedSize, size)
			}
		}
	}
	return nil
}

func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("not readable as parquet: %v", cause)
	}
}

// parquetColumns are the names of a file's columns.
func parquetColumns(f fs.File) ([]string, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, err
		}
		at = bytes.NewReader(data)
	}
	file, err := openParquet(at, info.Size())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range file.Root().Columns() {
		names = append(names, c.Name())
	}
	return names, nil
}

// readParquet reads every row as a JSON object.
func readParquet(name string, data []byte) (records []Record, err error) {
	defer func() {
		if err != nil {
			records, err = nil, fmt.Errorf("%s: %w", name, err)
		}
	}()
	defer recovered(&err)
	file, err := openParquet(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, group := range file.RowGroups() {
		if err := eachRow(group, func(row parquet.Row) error {
			doc, err := rowObject(file.Root(), row)
			records = append(records, Record{Doc: doc, File: name, Unit: "row", Number: len(records) + 1})
			return err
		}); err != nil {
			return nil, fmt.Errorf("row %d: %w", len(records), err)
		}
	}
	if int64(len(records)) != file.NumRows() {
		return nil, fmt.Errorf("%d rows are there, and the file says %d", len(records), file.NumRows())
	}
	return records, nil
}

func eachRow(group parquet.RowGroup, work func(parquet.Row) error) error {
	reader := group.Rows()
	defer reader.Close()
	rows := make([]parquet.Row, 64)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			if err := work(row); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrNoProgress
		}
	}
}
