package docling

import (
	"encoding/csv"
	"io"
	"slices"
)

// Rows are the cells of the table by row and column. A cell that spans several places stands in
// each of them, as the same pointer: where it begins is its StartRow and StartCol. A place that no
// cell covers has an empty one. A table beyond the limits of [Parse], such as one of more than a
// million places, has none.
func (t *Table) Rows() [][]*Cell { return t.Data.Rows() }

// Rows are the cells by row and column, as [Table.Rows] says.
func (t *TableData) Rows() [][]*Cell {
	covering := t.covering()
	if covering == nil {
		return nil
	}
	out := make([][]*Cell, t.rows())
	for row := range out {
		out[row] = make([]*Cell, t.cols())
		for col := range out[row] {
			if i := covering[row*t.cols()+col]; i >= 0 {
				out[row][col] = &t.Cells[i]
			} else {
				out[row][col] = blankCell(row, col)
			}
		}
	}
	return out
}

// HeaderRows is how many rows at the top name the columns, as docling-core counts: those in which a
// cell begins that is marked as a header, up to the first, after the first row, that also has other
// text beyond the first column. It is 0 for a table without such cells, whose first row Markdown
// takes for the header, and for a table that has them only further down, whose header in Markdown
// is empty.
func (t *Table) HeaderRows() int { return t.Data.headerRows(t.Data.Rows()) }

// headerRows is docling-core's TableData._count_column_header_rows.
func (t *TableData) headerRows(rows [][]*Cell) int {
	firstCol := 0
	for i := range t.Cells {
		if i == 0 || t.Cells[i].StartCol < firstCol {
			firstCol = t.Cells[i].StartCol
		}
	}
	flaggedBelow := false // a column of headers of rows, marked as headers of columns
	for i, row := range rows {
		for _, c := range row {
			flaggedBelow = flaggedBelow || i > 0 && c.ColumnHeader && c.StartCol == firstCol && c.StartRow == i
		}
	}
	for i, row := range rows {
		header, body := false, false
		for _, c := range row {
			if c.StartRow == i {
				header = header || c.ColumnHeader
				body = body || !c.ColumnHeader && c.StartCol != firstCol && pythonStrip(c.Text) != ""
			}
		}
		if !header || body && (i > 0 || flaggedBelow) {
			return i
		}
	}
	return len(rows)
}

// HeaderColumns is how many columns at the left name the rows: those in which each row below the
// header has a cell that is marked as a header of its row.
func (t *Table) HeaderColumns() int {
	rows := t.Rows()
	body := rows[t.Data.headerRows(rows):]
	if len(body) == 0 {
		return 0
	}
	for col := range t.Data.cols() {
		for _, row := range body {
			if !row[col].RowHeader {
				return col
			}
		}
	}
	return t.Data.cols()
}

// CSV writes the table as comma-separated values, the header rows first. The text of a cell that
// spans several rows or columns stands in the first, and the others are empty. A cell that holds
// other items, as a list, has their text. The error is [ErrTooLarge] for a table that has no
// [Table.Rows] because it is beyond the limits, or that has such a table in a cell, and otherwise
// that of w.
func (t *Table) CSV(w io.Writer) error {
	covering := t.Data.covering()
	if covering == nil {
		return ErrTooLarge
	}
	out := csv.NewWriter(w)
	textOf := t.cellTexts()
	written := make([]bool, len(t.Data.Cells))
	record := make([]string, t.Data.cols())
	for row := range t.Data.rows() {
		clear(record)
		for col := range record {
			if i := covering[row*len(record)+col]; i >= 0 && !written[i] {
				text, err := textOf(&t.Data.Cells[i])
				if err != nil {
					return err
				}
				record[col], written[i] = text, true
			}
		}
		if err := writeRecord(w, out, record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// writeRecord writes a record to w through out. A record of one empty field gets quotation marks,
// as Python gives it: encoding/csv writes an empty line, which readers pass over.
func writeRecord(w io.Writer, out *csv.Writer, record []string) error {
	if len(record) != 1 || record[0] != "" {
		return out.Write(record)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\"\"\n")
	return err
}

// cellTexts gives the text of a cell: of one that holds items all text in them, on one line.
func (t *Table) cellTexts() func(*Cell) (string, error) {
	isRich := func(c Cell) bool { return c.Ref != nil }
	if t.document == nil || !slices.ContainsFunc(t.Data.Cells, isRich) {
		return func(c *Cell) (string, error) { return c.Text, nil }
	}
	w := newWriter(t.document, MarkdownOptions{Layers: AllLayers}, true)
	owners := t.cellOwners(t.document)
	return func(c *Cell) (string, error) {
		if c.Ref != nil {
			if owner := owners[c.Ref.Ref]; owner > 0 && &t.Data.Cells[owner-1] == c {
				text := w.flat(w.nodeAt(c.Ref.Ref), scope{written: newWrittenItems()})
				return text, w.err
			}
		}
		return c.Text, nil
	}
}
