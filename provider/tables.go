package provider

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// withTableHeaders puts the header of a table in front of each piece of a text that begins inside
// the table, and the start of a row in front of one that begins inside the row. The pieces are in
// the order of the text, and may overlap. A piece that is not found in the text, because the
// splitter has rewritten it, stays as it is. For example, of
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
	source := fold(text)
	start, end := -1, 0 // of the piece before, in source
	out := slices.Clone(pieces)
	for i, piece := range pieces {
		headings, body := cutHeadings(piece) // a splitter may repeat the headings that a piece is under
		folded := fold(body)
		found := source.find(folded.text, start, end)
		if found < 0 {
			// Some splitters repeat the header of a table themselves. The row after it is found.
			folded = fold(afterHeader(body))
			if found = source.find(folded.text, start, end); found >= 0 {
				start, end = found, found+len(folded.text)
			}
			continue
		}
		start, end = found, found+len(folded.text)
		offset := int(source.offsets[found])
		t, inside := slices.BinarySearchFunc(tables, offset, markdownTable.compare)
		if !inside {
			continue
		}
		if rest, changed := tables[t].resume(text, offset, body[folded.offsets[0]:]); changed {
			out[i] = headings + rest
		}
	}
	return out
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

// resume puts in front of a piece what it needs to be read as a table. The piece begins at offset
// of the text, inside the table. changed is false for a piece that begins with the whole header.
func (t markdownTable) resume(text string, offset int, piece string) (resumed string, changed bool) {
	lineStart := strings.LastIndexByte(text[:offset], '\n') + 1
	before := text[lineStart:offset]
	if offset < t.delimiter {
		return shortRow(before) + piece, !isBlank(before)
	}
	indent := before[:len(before)-len(strings.TrimLeft(before, " \t"))]
	header := indent + strings.TrimSpace(shortRow(fromPipe(text[t.start:t.delimiter]))) + "\n" +
		indent + shortDelimiter(text[t.delimiter:t.body]) + "\n"
	if offset < t.body { // the splitter cut before, or in, the line of dashes
		_, piece, _ = strings.Cut(piece, "\n")
		return header + piece, true
	}
	return header + indent + shortRow(before) + piece, true
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
		if unicode.IsSpace(r) || r == '\\' || r == ':' || r == utf8.RuneError || r == '-' && last == '-' {
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

// find finds a piece that comes after the piece from start to end, and may overlap it. It returns
// -1 if there is none.
func (f folded) find(piece string, start, end int) int {
	if piece == "" {
		return -1
	}
	if strings.HasPrefix(f.text[end:], piece) {
		return end
	}
	for _, from := range []int{min(max(start+1, end+1-len(piece)), len(f.text)), 0} {
		if i := strings.Index(f.text[from:], piece); i >= 0 {
			return from + i
		}
	}
	return -1
}
