package provider

import (
	"iter"
	"math"
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
	c.maxAdded = max(minMaxAdded, 4*totalLength(pieces)/max(len(pieces), 1))
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

	budget   int // how many more bytes are searched far away
	maxAdded int // the most bytes that a piece gets
}

// minMaxAdded is for short pieces. Longer ones get up to four times the bytes of an average piece.
// Without a bound a table of 20,000 columns makes of 240 KB of text pieces of 640 MB, because each
// has all the names.
const minMaxAdded = 1000

func totalLength(texts []string) int {
	total := 0
	for _, text := range texts {
		total += len(text)
	}
	return total
}

// complete adds to a piece what its rows need.
func (c *completion) complete(piece string) string {
	out, body := cutHeadings(piece) // a splitter may repeat the headings that a piece is under
	c.pieceStart = -1
	inTable := -1 // the table that the block before is in
	for _, block := range tableBlocks(body) {
		offset, rows, found := c.locate(block)
		table := -1
		if found {
			table = c.tableAt(offset)
		}
		if table >= 0 && table != inTable && rows != "" {
			resumed, ok := c.tables[table].resume(c.text, offset, rows, c.maxAdded)
			if ok {
				block = resumed
			}
			if !ok || block == "" {
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
// table themselves, and some then cut inside of it: offset is that of the row after it. rows is the
// part of the block that needs a header, "" if the block has one.
func (c *completion) locate(block string) (offset int, rows string, found bool) {
	head, body := cutHeader(block)
	texts := []string{fold(block).text, fold(body).text}
	for _, find := range []func(string) int{c.findNext, c.findNear, c.findFar} {
		for i, text := range texts {
			if text == "" {
				continue
			}
			position := find(text)
			if position < 0 {
				continue
			}
			offset, rows = int(c.source.offsets[position]), block
			if i == 1 {
				if rows = ""; !isWholeHeader(head) {
					if rows = body; !c.endsHeader(offset, head) {
						continue
					}
				}
			}
			if c.pieceStart < 0 {
				c.pieceStart = position
			}
			c.foundEnd = position + len(text)
			return offset, rows, true
		}
	}
	return 0, "", false
}

// tableAt is the table that an offset is in, -1 for none.
func (c *completion) tableAt(offset int) int {
	if i, inside := slices.BinarySearchFunc(c.tables, offset, markdownTable.compare); inside {
		return i
	}
	return -1
}

// endsHeader tells whether the header of the table at an offset ends with a text.
func (c *completion) endsHeader(offset int, text string) bool {
	i := c.tableAt(offset)
	if i < 0 || len(c.tables[i].lines) < 3 {
		return false
	}
	from, _ := slices.BinarySearch(c.source.offsets, int32(c.tables[i].lines[0])) //nolint:gosec // as in fold
	to, _ := slices.BinarySearch(c.source.offsets, int32(c.tables[i].lines[2]))   //nolint:gosec // as in fold
	return strings.HasSuffix(c.source.text[from:to], fold(text).text)
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
				header: strings.TrimSpace(shortRow(fromPipe(last), math.MaxInt)), delimiter: shortDelimiter(line)})
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
// of the text, inside the table. ok is false if that is more than about maxAdded bytes.
func (t markdownTable) resume(text string, offset int, block string, maxAdded int) (_ string, ok bool) {
	line, isStart := slices.BinarySearch(t.lines, offset)
	if !isStart {
		line-- // the one that holds offset
	}
	before := text[t.lines[line]:offset]
	if line > 0 {
		maxAdded -= len(t.header) + len(t.delimiter)
	}
	if maxAdded < 0 {
		return "", false
	}
	start := shortRow(before, maxAdded)
	if len(start) > maxAdded {
		return "", false
	}
	if line == 0 {
		return start + block, true
	}
	block = block[strings.IndexFunc(block, isKept):] // drop what folding drops: before ends with it
	indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	header := indent + t.header + "\n" + indent + t.delimiter + "\n"
	if line == 1 { // the splitter cut before, or in, the line of dashes
		if _, block, _ = strings.Cut(block, "\n"); isBlank(block) {
			return "", true // a header without a row says nothing, and each such piece would be the same
		}
		return header + block, true
	}
	return header + indent + start + block, true
}

// fromPipe is a row without what stands before it, as the mark of a list item.
func fromPipe(row string) string { return row[max(0, strings.IndexByte(row, '|')):] }

// maxRepeatedCell is how many characters of a cell are repeated. Tables that only arrange a page
// have whole pages in a cell.
const maxRepeatedCell = 100

// shortRow is a row, or the start of one, without the blanks that align its columns, and without
// the ends of long cells. It ends soon after limit bytes.
func shortRow(row string, limit int) string {
	if isBlank(row) {
		return ""
	}
	var out strings.Builder
	isFirst := true
	for cell := range cells(row) {
		if !isFirst {
			out.WriteString(" | ")
		}
		isFirst = false
		out.WriteString(shortCell(cell))
		if out.Len() > limit {
			return out.String()
		}
	}
	text := strings.TrimSpace(out.String())
	if last, _ := utf8.DecodeLastRuneInString(row); last == '|' || unicode.IsSpace(last) {
		text += " "
	}
	return text
}

// cells are the parts of a row between its pipes, but not between escaped ones.
func cells(row string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := 0
		for i := strings.IndexByte(row, '|'); i >= 0; {
			if i == 0 || row[i-1] != '\\' {
				if !yield(row[start:i]) {
					return
				}
				start = i + 1
			}
			next := strings.IndexByte(row[i+1:], '|')
			if next < 0 {
				break
			}
			i += 1 + next
		}
		yield(row[start:])
	}
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
	dashed := slices.Collect(cells(strings.TrimSpace(line)))
	for i, cell := range dashed {
		if dashes := strings.Trim(strings.TrimSpace(cell), ":"); dashes != "" {
			dashed[i] = strings.Replace(strings.TrimSpace(cell), dashes, "---", 1)
		}
	}
	return strings.Join(dashed, "|")
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

// cutHeader cuts the header off that a block begins with, or the end of one: the line of dashes
// alone, or with some of the names above it. body is "" if there is none.
func cutHeader(block string) (head, body string) {
	head, body, _ = strings.Cut(block, "\n")
	if tableRow.MatchString(head) && !tableDelimiter.MatchString(head) {
		var dashes string
		dashes, body, _ = strings.Cut(body, "\n")
		head += "\n" + dashes
	}
	if last := head[strings.LastIndexByte(head, '\n')+1:]; !tableDelimiter.MatchString(last) {
		return "", ""
	}
	return head, body
}

// isWholeHeader tells whether a header, as [cutHeader] returns it, has a name for each column.
func isWholeHeader(head string) bool {
	names, dashes, found := strings.Cut(head, "\n")
	count := func(row string) int {
		n := 0
		for range cells(strings.TrimSpace(row)) {
			n++
		}
		return n
	}
	return found && count(names) == count(dashes)
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
