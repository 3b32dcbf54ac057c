package mcp

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cut is how many bytes of text make a part of at most budget characters. It prefers to end
// before a heading, then at a blank line, a line, a space; it never cuts a character. All
// parts joined are the text.
func cut(text string, budget int) int {
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
	// A boundary is better the higher it ranks, as long as the part does not get too short.
	if i := strings.LastIndex(part, "\n\n#"); i >= window*3/4 {
		return i + 2
	}
	if i := strings.LastIndex(part, "\n\n"); i >= window/2 {
		// A heading goes with what it is the heading of.
		if h := strings.LastIndex(part[:i], "\n\n"); h > 0 && headingText(part[h+2:i]) != "" && !strings.Contains(part[h+2:i], "\n") {
			return h + 2
		}
		return i + 2
	}
	// A long line is cut at a space, but the row of a table only if it alone is over the budget.
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

// pageRange is pages first to last, counted from 1; last 0 is the document's last.
type pageRange struct{ first, last int }

// pageRanges is a choice of pages in ascending order.
type pageRanges []pageRange

var pageRangePattern = regexp.MustCompile(`^(\d+)(?:\s*(-|–|\.\.|:)\s*(\d*))?$`)

// parsePages reads "1-5,8".
func parsePages(s string) (pageRanges, error) {
	bad := func() error {
		return refuse(`pages %q cannot be read. Give pages counted from 1, such as "3", "1-5", "12-" or "1-5,8".`, clip(s))
	}
	var out pageRanges
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		m := pageRangePattern.FindStringSubmatch(part)
		if m == nil {
			return nil, bad()
		}
		first, err := strconv.Atoi(m[1])
		if err != nil || first < 1 {
			return nil, bad()
		}
		last := first
		if m[2] != "" {
			last = 0
		}
		if m[3] != "" {
			if last, err = strconv.Atoi(m[3]); err != nil || last < first {
				return nil, bad()
			}
		}
		out = append(out, pageRange{first, last})
	}
	slices.SortFunc(out, func(a, b pageRange) int { return a.first - b.first })
	return out, nil
}

func (p pageRanges) contain(page int) bool {
	return slices.ContainsFunc(p, func(r pageRange) bool { return page >= r.first && (r.last == 0 || page <= r.last) })
}

// hull is the one range that holds all.
func (p pageRanges) hull() pageRange {
	out := p[0]
	for _, r := range p {
		if r.last == 0 || out.last == 0 {
			out.last = 0
		} else {
			out.last = max(out.last, r.last)
		}
	}
	return out
}

func (r pageRange) String() string {
	switch r.last {
	case r.first:
		return strconv.Itoa(r.first)
	case 0:
		return fmt.Sprintf("%d-", r.first)
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

func (p pageRanges) String() string {
	var parts []string
	for _, r := range p {
		parts = append(parts, r.String())
	}
	return strings.Join(parts, ",")
}

// view is what a call sees of a document: the pages that it chose, from its offset on.
type view struct {
	doc    *document
	pages  pageRanges
	offset int // in bytes
	budget int // in characters
}

// read is the next part of the view in pieces that are not always neighbours, and where the
// part after it begins, -1 for none.
func (v *view) read() (pieces []span, next int, _ error) {
	spans, err := v.doc.spans(v.pages)
	if err != nil {
		return nil, 0, err
	}
	left := v.budget
	for _, s := range spans {
		if s.to <= v.offset && s.to > s.from {
			continue
		}
		s.from = max(s.from, v.offset)
		if left <= 0 {
			return pieces, s.from, nil
		}
		end := s.from + cut(v.doc.text[s.from:s.to], left)
		pieces = append(pieces, span{s.from, end})
		left -= utf8.RuneCountInString(v.doc.text[s.from:end])
		if end < s.to {
			return pieces, end, nil
		}
	}
	return pieces, -1, nil
}

// number writes 412345 as 412,345.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
