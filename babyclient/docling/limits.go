package docling

import (
	"errors"
	"fmt"
)

// Limits of docling-core: it refuses a document with more, because its tables are made in full to
// be written. A table of a few bytes can say that it has a billion rows.
const (
	maxTableCells = 1_000_000
	maxTotalCells = 5_000_000
)

// maxCovered bounds the places of all grids that cells cover, counted for each cell. Cells that do
// not overlap cover at most maxTotalCells. Without a bound 100,000 cells that each claim a whole
// table would take hours.
const maxCovered = 2 * maxTotalCells

// tableLimits counts what the tables of one document claim.
type tableLimits struct{ total, covered int }

func (l *tableLimits) add(t *TableData) error {
	rows, cols := t.rows(), t.cols()
	if rows > 0 && cols > maxTableCells/rows || max(rows, cols, len(t.Cells)) > maxTableCells {
		return fmt.Errorf("docling: a table of %d×%d cells: the limit is %d cells", rows, cols, maxTableCells)
	}
	l.total += rows * cols
	if l.total > maxTotalCells {
		return fmt.Errorf("docling: the tables have more than %d cells", maxTotalCells)
	}
	for i := range t.Cells {
		fromRow, toRow, fromCol, toCol := t.area(&t.Cells[i])
		if l.covered += (toRow - fromRow) * (toCol - fromCol); l.covered > maxCovered {
			return fmt.Errorf("docling: the cells of the tables cover more than %d places", maxCovered)
		}
	}
	return nil
}

// maxMemory bounds what the structs of a document take, in bytes: 64 MiB and four times the size of
// its JSON. An item as docling writes it takes about as much memory as JSON; "{}" takes hundreds of
// times as much, and an answer of 16 MiB of nothing else would take gigabytes.
func maxMemory(jsonSize int) int { return 64<<20 + 4*jsonSize }

// What a field in Extra and an entry of a map take beside their values, about.
const (
	extraFieldMemory = 200
	mapEntryMemory   = 64
)

var errTooManyObjects = errors.New(
	"docling: the document has far more objects for its size than docling writes, and would take too much memory")
