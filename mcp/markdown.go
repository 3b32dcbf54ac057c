package mcp

import (
	"regexp"
	"strings"
)

// heading is a heading of a Markdown document.
type heading struct {
	offset int // in bytes
	level  int
	title  string
}

var headingLine = regexp.MustCompile(`^(#{1,6})\s+(\S.*)$`)

// findHeadings finds the headings of a Markdown text. A line in fenced code is none.
func findHeadings(markdown string) []heading {
	var out []heading
	offset, fenced := 0, false
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if m := headingLine.FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil && !fenced {
			out = append(out, heading{offset, len(m[1]), m[2]})
		}
		offset += len(line)
	}
	return out
}

// leadingHeading is the first line of a text if it is a heading, else "".
func leadingHeading(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if headingLine.MatchString(strings.TrimRight(line, "\r")) {
		return line
	}
	return ""
}

// partLength is how many bytes of a Markdown text make a part of at most budget characters. A part
// ends before a heading if it can, else at a blank line, at the end of a line or at a space, and
// never inside a character. All parts joined are the text.
func partLength(text string, budget int) int {
	window := len(text)
	n := 0
	for i := range text {
		if n == budget {
			window = i
			break
		}
		n++
	}
	if window == len(text) {
		return window
	}
	part := text[:window]
	// The better end of a part is taken even if the part gets shorter by it, down to a limit.
	if i := strings.LastIndex(part, "\n\n#"); i >= window*3/4 {
		return i + 2
	}
	if i := strings.LastIndex(part, "\n\n"); i >= window/2 {
		// A heading goes with what it is the heading of.
		if h := strings.LastIndex(part[:i], "\n\n"); h > 0 {
			if last := part[h+2 : i]; leadingHeading(last) != "" && !strings.Contains(last, "\n") {
				return h + 2
			}
		}
		return i + 2
	}
	// A long line is split at a space, but the row of a table only if it alone is over the budget.
	line := strings.LastIndexByte(part, '\n') + 1
	if line > 0 && (line >= window/2 || strings.HasPrefix(part[line:], "|")) {
		return line
	}
	if i := strings.LastIndexByte(part, ' '); i >= window/2 {
		return i + 1
	}
	if line > 0 {
		return line
	}
	return window
}
