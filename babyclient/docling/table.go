package docling

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// Table is a table, or the index of a document.
type Table struct {
	DocNode
	Floating
	Data TableData `json:"data"`
	// Annotations is where older versions of docling kept what stands in Meta now.
	Annotations []Annotation `json:"annotations,omitzero"`

	document *Document // for cells that hold other items
}

// TableData is the content of a table.
type TableData struct {
	Cells       []Cell `json:"table_cells"`
	NumRows     int    `json:"num_rows"`
	NumCols     int    `json:"num_cols"`
	Orientation Label  `json:"orientation,omitzero"` // "rot_90": turned by 90 degrees against the clock
	Fields

	grid storedGrid
}

// Cell is a cell of a table. It covers the rows from StartRow to EndRow and the columns from
// StartCol to EndCol, each counted from 0 and without the end.
type Cell struct {
	BBox         *BoundingBox `json:"bbox,omitzero"`
	RowSpan      int          `json:"row_span"`
	ColSpan      int          `json:"col_span"`
	StartRow     int          `json:"start_row_offset_idx"`
	EndRow       int          `json:"end_row_offset_idx"`
	StartCol     int          `json:"start_col_offset_idx"`
	EndCol       int          `json:"end_col_offset_idx"`
	Text         string       `json:"text"`
	ColumnHeader bool         `json:"column_header"`
	RowHeader    bool         `json:"row_header"`
	RowSection   bool         `json:"row_section"`
	Fillable     bool         `json:"fillable,omitzero"`
	Ref          *Ref         `json:"ref,omitzero"` // the item that the cell holds, if it holds more than a text
	Fields
}

// storedGrid is the field "grid" of [TableData], in which docling writes each cell a second time:
// once for each row and column that it covers. It follows from the cells, so it is compared with
// them, let go, and made again when the document is encoded. Only a grid that is not what
// docling-core would write is kept, as it was written.
type storedGrid struct {
	raw   json.RawMessage
	blank *shape // of the cells of the grid that no cell of the table covers
}

func (t *TableData) decodeField(d *decoder, name string, value []byte) (isOwn bool, err error) {
	if name != "grid" {
		return false, nil
	}
	if t.grid.raw != nil {
		return true, d.failTwice(name)
	}
	t.grid.raw = value // not yet a copy
	return true, nil
}

func (t *TableData) decoded(d *decoder) error {
	if err := d.limits.add(t); err != nil {
		return err
	}
	if t.grid.raw != nil && t.compareGrid(d) {
		t.grid.raw = nil
	} else {
		t.grid.raw = bytes.Clone(t.grid.raw)
	}
	d.cells = nil
	return nil
}

// compareGrid tells whether the grid is what docling-core would write.
func (t *TableData) compareGrid(d *decoder) bool {
	outer, memory, depth := d.scanner, d.memory, len(d.path)
	defer func() { d.scanner, d.memory, d.path = outer, memory, d.path[:depth] }()
	d.scanner, d.memory = scanner{data: t.grid.raw}, 0
	if d.next() != '[' {
		return false
	}
	d.pos++
	covering := t.covering()
	for row := range t.rows() {
		if d.next() != '[' {
			return false
		}
		d.pos++
		for col := range t.cols() {
			if d.next() != '{' || !t.isAt(covering, row, col, d) {
				return false
			}
		}
		if d.next() != ']' {
			return false
		}
		d.pos++
	}
	return d.next() == ']'
}

// isAt reads a cell of the grid, and tells whether it is the one that belongs there. Nearly always
// it is written just as among the cells of the table, and need not be decoded.
func (t *TableData) isAt(covering []int32, row, col int, d *decoder) bool {
	i, start := covering[row*t.cols()+col], d.pos
	if raw := d.value(); i >= 0 && len(d.cells) == len(t.Cells) && bytes.Equal(raw, d.cells[i]) {
		return true
	}
	d.pos = start
	var found Cell
	if d.decode(reflect.ValueOf(&found).Elem()) != nil {
		return false
	}
	if i >= 0 {
		return reflect.DeepEqual(&found, &t.Cells[i])
	}
	if t.grid.blank == nil {
		t.grid.blank = found.shape
	}
	expected := blankCell(row, col)
	expected.shape = t.grid.blank
	return reflect.DeepEqual(&found, expected)
}

func (t *TableData) encodeField(e *encoder, name string) bool {
	if name != "grid" {
		return false
	}
	e.name(name)
	if t.grid.raw != nil {
		e.encodeRaw(t.grid.raw)
		return true
	}
	covering := t.covering()
	if covering == nil {
		e.out = append(e.out, "[]"...)
		return true
	}
	e.out = append(e.out, '[')
	for row := range t.rows() {
		if row > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, '[')
		for col := range t.cols() {
			if col > 0 {
				e.out = append(e.out, ',')
			}
			cell := blankCell(row, col)
			cell.shape = t.grid.blank
			if i := covering[row*t.cols()+col]; i >= 0 {
				cell = &t.Cells[i]
			}
			e.encodeStruct(reflect.ValueOf(cell).Elem())
		}
		e.out = append(e.out, ']')
	}
	e.out = append(e.out, ']')
	return true
}

func blankCell(row, col int) *Cell {
	return &Cell{RowSpan: 1, ColSpan: 1, StartRow: row, EndRow: row + 1, StartCol: col, EndCol: col + 1}
}

func (t *TableData) rows() int { return max(t.NumRows, 0) }
func (t *TableData) cols() int { return max(t.NumCols, 0) }

// area is the part of the grid that the cell covers.
func (t *TableData) area(c *Cell) (fromRow, toRow, fromCol, toCol int) {
	fromRow, toRow = max(c.StartRow, 0), min(c.EndRow, t.rows())
	fromCol, toCol = max(c.StartCol, 0), min(c.EndCol, t.cols())
	return fromRow, max(fromRow, toRow), fromCol, max(fromCol, toCol)
}

// covering has, for each place of the grid, row by row, the index of the cell that covers it, -1
// for none. If cells overlap, the last one wins, as in docling-core. It is nil for a table beyond
// the limits, which only a program can make: [Parse] refuses it. Its places could take all memory.
func (t *TableData) covering() []int32 {
	if new(tableLimits).add(t) != nil {
		return nil
	}
	out := make([]int32, t.rows()*t.cols())
	for i := range out {
		out[i] = -1
	}
	for i := range t.Cells {
		fromRow, toRow, fromCol, toCol := t.area(&t.Cells[i])
		for row := fromRow; row < toRow; row++ {
			for col := fromCol; col < toCol; col++ {
				out[row*t.cols()+col] = int32(i) // fits: tableLimits has checked the number of cells
			}
		}
	}
	return out
}
