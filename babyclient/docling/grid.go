package docling

import (
	"strings"
	"unicode/utf8"
)

// textGrid is a table as texts, ready to be written as Markdown.
type textGrid struct {
	header []string
	body   [][]string
}

// newTextGrid makes one of rows of texts. Markdown has one header row: several are joined, and a
// table without headers lends its first row. If only rows further down have headers, it is empty.
func newTextGrid(rows [][]string, headerRows int, cells [][]*Cell) textGrid {
	if headerRows == 0 && !hasHeaderBelow(cells) {
		headerRows = 1
	}
	header := make([]string, len(rows[0]))
	for col := range header {
		var parts []string
		for _, row := range rows[:headerRows] {
			if text := row[col]; text != "" && (len(parts) == 0 || parts[len(parts)-1] != text) {
				parts = append(parts, text)
			}
		}
		header[col] = strings.Join(parts, " - ")
	}
	return textGrid{header: header, body: rows[headerRows:]}
}

func hasHeaderBelow(cells [][]*Cell) bool {
	for i, row := range cells {
		for _, c := range row {
			if i > 0 && c.ColumnHeader {
				return true
			}
		}
	}
	return false
}

// compact writes the table without blanks that only align it.
func (g textGrid) compact() string {
	var out strings.Builder
	line := func(cells []string) {
		out.WriteByte('|')
		for _, text := range cells {
			out.WriteByte(' ')
			out.WriteString(pythonStrip(text))
			out.WriteString(" |")
		}
	}
	line(g.header)
	out.WriteString("\n|" + strings.Repeat(" - |", len(g.header)))
	for _, row := range g.body {
		out.WriteByte('\n')
		line(row)
	}
	return out.String()
}

// padded writes the table as the Python package tabulate does: columns of one width, numbers to the
// right. widths are those of [textGrid.widths].
func (g textGrid) padded(widths []int) string {
	right := make([]bool, len(g.header))
	for col := range right {
		right[col] = g.isNumeric(col)
	}
	var out strings.Builder
	line := func(cells []string, strip bool) {
		out.WriteByte('|')
		for col, text := range cells {
			if strip {
				text = pythonStrip(text)
			}
			blanks := strings.Repeat(" ", widths[col]-width(text))
			out.WriteByte(' ')
			if right[col] {
				out.WriteString(blanks + text)
			} else {
				out.WriteString(text + blanks)
			}
			out.WriteString(" |")
		}
	}
	line(g.header, false)
	out.WriteString("\n|")
	for _, w := range widths {
		out.WriteString(strings.Repeat("-", w+2) + "|")
	}
	for _, row := range g.body {
		out.WriteByte('\n')
		line(row, true)
	}
	return out.String()
}

// widths are those of the columns, in characters, and size the bytes that the padded table takes
// at most.
func (g textGrid) widths() (widths []int, size int) {
	const minPadding = 2 // tabulate's
	widths = make([]int, len(g.header))
	perRow := 2
	for col, text := range g.header {
		widths[col] = width(text) + minPadding
		for _, row := range g.body {
			widths[col] = max(widths[col], width(pythonStrip(row[col])))
			size += len(row[col])
		}
		perRow += widths[col] + 3
		size += len(text)
	}
	return widths, size + perRow*(len(g.body)+2)
}

func width(s string) int { return utf8.RuneCountInString(visible(s)) }

// isNumeric tells whether a column holds numbers alone, of which there is at least one.
func (g textGrid) isNumeric(col int) bool {
	most := typeEmpty
	for _, row := range g.body {
		most = max(most, typeOf(row[col]))
	}
	return most == typeInt || most == typeFloat
}
