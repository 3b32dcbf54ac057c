package provider

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// withTableHeaders puts the header of a table in front of its rows in each piece of a text that has
// them without it, and the start of a row in front of a piece that begins inside the row. The
// pieces are in the order of the text, and may overlap. Rows that are not found in the text,
// because the splitter has rewritten them, stay as they are. For example, of
//
//	| name | price |
//	|------|-------|
//	| tea  | 3     |
//	| cake | 5     |
//
// the piece "5 |" becomes
//
//	| name | price |
//	|---|---|
//	| cake | 5 |
func withTableHeaders(text string, pieces []string) []string {
	tables := markdownTables(text)
	if len(tables) == 0 {
		return pieces
	}
	c := completion{text: text, tables: tables, source: fold(text), previousStart: -1}
	c.budget = 100 * len(c.source.text)
	out := make([]string, len(pieces))
	for i, piece := range pieces {
		out[i] = c.complete(piece)
	}
	return out
}

// completion goes through the pieces of a text. A position is an index into the folded text, an
// offset one into the text.
type completion struct {
	text   string
	tables []markdownTable
	source folded

	previousStart int // position of the piece before
	pieceStart    int // position of this piece, -1 until it is found
	foundEnd      int // position of the end of what was found last

	budget int // how many more bytes are searched far away
}

// complete adds to a piece what its rows need.
func (c *completion) complete(piece string) string {
	out, body := cutHeadings(piece) // a splitter may repeat the headings that a piece is under
	c.pieceStart = -1
	inTable := -1 // the table that the block before is in
	for _, block := range tableBlocks(body) {
		offset, hasHeader, found := c.locate(block)
		table := -1
		if found {
			if i, inside := slices.BinarySearchFunc(c.tables, offset, markdownTable.compare); inside {
				table = i
			}
		}
		if table >= 0 && table != inTable && !hasHeader {
			if block = c.tables[table].resume(c.text, offset, block); block == "" {
				table = -1 // so that the rows of the next block get the header
			}
		}
		out, inTable = out+block, table
	}
	if c.pieceStart >= 0 {
		c.previousStart = c.pieceStart
	}
	return out
}

// locate finds a block of a piece in the text, nearby first. Some splitters repeat the header of a
// table themselves: then hasHeader is true, and offset is that of the row after it.
func (c *completion) locate(block string) (offset int, hasHeader, found bool) {
	texts := []string{fold(block).text, fold(afterHeader(block)).text}
	for _, find := range []func(string) int{c.findNext, c.findNear, c.findFar} {
		for i, text := range texts {
			if text == "" {
				continue
			}
			if position := find(text); position >= 0 {
				if c.pieceStart < 0 {
					c.pieceStart = position
				}
				c.foundEnd = position + len(text)
				return int(c.source.offsets[position]), i == 1, true
			}
		}
	}
	return 0, false, false
}

// findNext returns the position of a text that follows what was found last, else -1.
func (c *completion) findNext(text string) int {
	if strings.HasPrefix(c.source.text[c.foundEnd:], text) {
		return c.foundEnd
	}
	return -1
}

// findNear finds a text that overlaps the piece before, or comes soon after it.
func (c *completion) findNear(text string) int {
	const near = 64 << 10
	from := max(c.previousStart+1, c.foundEnd+1-len(text)) // it reaches beyond what was found last
	if c.pieceStart >= 0 {
		from = c.foundEnd
	}
	return indexFrom(c.source.text[:min(c.foundEnd+len(text)+near, len(c.source.text))], from, text)
}

// findFar finds a text anywhere, at first after what was found last. A splitter that rewrites a
// long text makes thousands of pieces that are nowhere, so the search ends with the budget.
func (c *completion) findFar(text string) int {
	for _, from := range []int{c.foundEnd, 0} {
		if c.budget <= 0 {
			return -1
		}
		if position := indexFrom(c.source.text, from, text); position >= 0 {
			c.budget -= position - from
			return position
		}
		c.budget -= len(c.source.text) - from
	}
	return -1
}

func indexFrom(text string, from int, part string) int {
	if i := strings.Index(text[min(from, len(text)):], part); i >= 0 {
		return from + i
	}
	return -1
}

// markdownTable is where a table stands in a text: where each of its lines begins, of which the
// first is the header and the second the line of dashes, and where the last one ends.
type markdownTable struct {
	lines             []int
	end               int
	header, delimiter string // as they are repeated
}

func (t markdownTable) compare(offset int) int {
	switch {
	case t.end <= offset:
		return -1
	case t.lines[0] > offset:
		return 1
	}
	return 0
}

var (
	tableRow       = regexp.MustCompile(`^\s*\|`)
	tableHeader    = regexp.MustCompile(`^\s*(?:[-*+]\s+|\d+[.)]\s+)?\|`) // also the first line of a list item
	tableDelimiter = regexp.MustCompile(`^\s*\|(?:\s*:?-+:?\s*\|)+\s*$`)
	codeFence      = regexp.MustCompile("^\\s*(?:```|~~~)")
)

// markdownTables finds the tables of a text, but those in code.
func markdownTables(text string) []markdownTable {
	var out []markdownTable
	var last string // the line before, if it may be a header
	var inCode, inTable bool
	offset := 0
	for line := range strings.Lines(text) {
		switch {
		case codeFence.MatchString(line):
			inCode, inTable, last = !inCode, false, ""
		case inCode:
		case inTable && tableRow.MatchString(line):
			t := &out[len(out)-1]
			t.lines, t.end = append(t.lines, offset), offset+len(line)
		case last != "" && tableDelimiter.MatchString(line):
			out = append(out, markdownTable{lines: []int{offset - len(last), offset}, end: offset + len(line),
				header: strings.TrimSpace(shortRow(fromPipe(last))), delimiter: shortDelimiter(line)})
			inTable, last = true, ""
		default:
			inTable, last = false, ""
			if tableHeader.MatchString(line) {
				last = line
			}
		}
		offset += len(line)
	}
	return out
}

// resume puts in front of a block what it needs to be read as a table. The block begins at offset
// of the text, inside the table.
func (t markdownTable) resume(text string, offset int, block string) string {
	line, isStart := slices.BinarySearch(t.lines, offset)
	if !isStart {
		line-- // the one that holds offset
	}
	before := text[t.lines[line]:offset]
	if line == 0 {
		return shortRow(before) + block
	}
	block = block[strings.IndexFunc(block, isKept):] // drop what folding drops: before ends with it
	indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	header := indent + t.header + "\n" + indent + t.delimiter + "\n"
	if line == 1 { // the splitter cut before, or in, the line of dashes
		if _, block, _ = strings.Cut(block, "\n"); isBlank(block) {
			return "" // a header without a row says nothing, and each such piece would be the same
		}
		return header + block
	}
	return header + indent + shortRow(before) + block
}

// fromPipe is a row without what stands before it, as the mark of a list item.
func fromPipe(row string) string { return row[max(0, strings.IndexByte(row, '|')):] }

// maxRepeatedCell is how many characters of a cell are repeated. Tables that only arrange a page
// have whole pages in a cell.
const maxRepeatedCell = 100

// shortRow is a row, or the start of one, without the blanks that align its columns, and without
// the ends of long cells.
func shortRow(row string) string {
	if isBlank(row) {
		return ""
	}
	var out strings.Builder
	for i, cell := range splitCells(row) {
		if i > 0 {
			out.WriteString(" | ")
		}
		out.WriteString(shortCell(cell))
	}
	text := strings.TrimSpace(out.String())
	if last, _ := utf8.DecodeLastRuneInString(row); last == '|' || unicode.IsSpace(last) {
		text += " "
	}
	return text
}

// splitCells splits a row at its pipes, but not at escaped ones.
func splitCells(row string) []string {
	var out []string
	start := 0
	for i := strings.IndexByte(row, '|'); i >= 0; {
		if i == 0 || row[i-1] != '\\' {
			out, start = append(out, row[start:i]), i+1
		}
		next := strings.IndexByte(row[i+1:], '|')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return append(out, row[start:])
}

func shortCell(cell string) string {
	cell = strings.TrimSpace(cell)
	isLong := len(cell) > 8*maxRepeatedCell // not all of a very long one is read
	if isLong {
		cell = strings.ToValidUTF8(cell[:8*maxRepeatedCell], "")
	}
	runes := []rune(strings.Join(strings.Fields(cell), " "))
	if len(runes) > maxRepeatedCell || isLong {
		return string(runes[:min(len(runes), maxRepeatedCell)]) + "…"
	}
	return string(runes)
}

// shortDelimiter is a line of dashes with three for each column.
func shortDelimiter(line string) string {
	cells := splitCells(strings.TrimSpace(line))
	for i, cell := range cells {
		if dashes := strings.Trim(strings.TrimSpace(cell), ":"); dashes != "" {
			cells[i] = strings.Replace(strings.TrimSpace(cell), dashes, "---", 1)
		}
	}
	return strings.Join(cells, "|")
}

var heading = regexp.MustCompile(`^#{1,6} [^|]*$`) // a cell can begin with "#" too

// cutHeadings cuts the headings off that a piece begins with.
func cutHeadings(piece string) (headings, body string) {
	body = piece
	for {
		line, rest, more := strings.Cut(body, "\n")
		if !more || !isBlank(line) && !heading.MatchString(line) {
			return piece[:len(piece)-len(body)], body
		}
		body = rest
	}
}

// tableBlocks cuts a text before each run of rows.
func tableBlocks(text string) []string {
	var out []string
	start, offset, inRows := 0, 0, false
	for line := range strings.Lines(text) {
		isRow := tableRow.MatchString(line)
		if isRow && !inRows && offset > start {
			out, start = append(out, text[start:offset]), offset
		}
		inRows = isRow
		offset += len(line)
	}
	return append(out, text[start:])
}

// afterHeader is what follows the header that a piece begins with, "" if it begins with none.
func afterHeader(piece string) string {
	lines := strings.SplitN(piece, "\n", 3)
	if len(lines) < 3 || !tableRow.MatchString(lines[0]) || !tableDelimiter.MatchString(lines[1]) {
		return ""
	}
	return lines[2]
}

// folded is a text without what splitters and the alignment of columns change: blanks, backslashes,
// colons, all but one of a run of dashes, and halves of characters.
type folded struct {
	text    string
	offsets []int32 // in the whole text, of each byte
}

func fold(text string) folded {
	out := make([]byte, 0, len(text))
	offsets := make([]int32, 0, len(text))
	var last rune
	for i, r := range text {
		if !isKept(r) || r == '-' && last == '-' {
			continue
		}
		last = r
		for range utf8.RuneLen(r) {
			offsets = append(offsets, int32(i)) //nolint:gosec // a text has less than 2 GB
		}
		out = utf8.AppendRune(out, r)
	}
	return folded{string(out), offsets}
}

func isKept(r rune) bool { return !unicode.IsSpace(r) && r != '\\' && r != ':' && r != utf8.RuneError }
