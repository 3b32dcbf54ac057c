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
	c := completion{text: text, tables: tables, source: fold(text), start: -1}
	out := make([]string, len(pieces))
	for i, piece := range pieces {
		out[i] = c.complete(piece)
	}
	return out
}

// completion goes through the pieces of a text. Positions are in source.
type completion struct {
	text   string
	tables []markdownTable
	source folded

	start int // of the piece before
	first int // the start of this piece, -1 until it is found
	end   int // of what was found last
}

// complete adds to a piece what its rows need.
func (c *completion) complete(piece string) string {
	out, body := cutHeadings(piece) // a splitter may repeat the headings that a piece is under
	c.first = -1
	inTable := -1 // the table that the block before is in
	for _, block := range tableBlocks(body) {
		offset, table, found := c.locate(block)
		switch {
		case !found: // some splitters repeat the header of a table themselves: the row after it is found
			_, table, _ = c.locate(afterHeader(block))
		case table >= 0 && table != inTable:
			block = c.tables[table].resume(c.text, offset, block)
		}
		out, inTable = out+block, table
	}
	if c.first >= 0 {
		c.start = c.first
	}
	return out
}

// locate finds a block of a piece in the text, after the blocks before it. The first one of a piece
// may overlap the piece before. table is the one that it begins in, -1 for none.
func (c *completion) locate(block string) (offset, table int, found bool) {
	folded := fold(block)
	from := c.start + 1
	if c.first >= 0 {
		from = c.end
	}
	position := c.source.find(folded.text, from, c.end)
	if position < 0 {
		return 0, -1, false
	}
	if c.first < 0 {
		c.first = position
	}
	c.end = position + len(folded.text)
	offset = int(c.source.offsets[position])
	table, inside := slices.BinarySearchFunc(c.tables, offset, markdownTable.compare)
	if !inside {
		table = -1
	}
	return offset, table, true
}

// markdownTable is where a table stands in a text: its header from start to delimiter, the line of
// dashes from there to body, and its rows from there to end.
type markdownTable struct{ start, delimiter, body, end int }

func (t markdownTable) compare(offset int) int {
	switch {
	case t.end <= offset:
		return -1
	case t.start > offset:
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
			out[len(out)-1].end += len(line)
		case last != "" && tableDelimiter.MatchString(line):
			body := offset + len(line)
			out = append(out, markdownTable{offset - len(last), offset, body, body})
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
	before := text[strings.LastIndexByte(text[:offset], '\n')+1 : offset]
	if offset < t.delimiter {
		return shortRow(before) + block
	}
	block = block[strings.IndexFunc(block, isKept):] // before has what stands in front of that
	indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	header := indent + strings.TrimSpace(shortRow(fromPipe(text[t.start:t.delimiter]))) + "\n" +
		indent + shortDelimiter(text[t.delimiter:t.body]) + "\n"
	if offset < t.body { // the splitter cut before, or in, the line of dashes
		_, block, _ = strings.Cut(block, "\n")
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
	cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
	for i, cell := range cells {
		cell = strings.Join(strings.Fields(cell), " ")
		if runes := []rune(cell); len(runes) > maxRepeatedCell {
			cell = string(runes[:maxRepeatedCell]) + "…"
		}
		cells[i] = strings.ReplaceAll(cell, "\x00", `\|`)
	}
	out := strings.TrimSpace(strings.Join(cells, " | "))
	if last, _ := utf8.DecodeLastRuneInString(row); last == '|' || unicode.IsSpace(last) {
		out += " "
	}
	return out
}

var dashes = regexp.MustCompile(`\s*(:?)-+(:?)\s*`)

func shortDelimiter(line string) string {
	return dashes.ReplaceAllString(strings.TrimSpace(line), "$1---$2")
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

// find finds a text. It prefers the position end, then the first one, beginning with from, at which
// the text reaches beyond end, then the first of all. It returns -1 if the text is nowhere.
func (f folded) find(text string, from, end int) int {
	if text == "" {
		return -1
	}
	if strings.HasPrefix(f.text[end:], text) {
		return end
	}
	for _, from := range []int{max(from, end+1-len(text)), 0} {
		if from > len(f.text) {
			continue
		}
		if i := strings.Index(f.text[from:], text); i >= 0 {
			return from + i
		}
	}
	return -1
}
