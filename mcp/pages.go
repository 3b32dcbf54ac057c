package mcp

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// pageRange is the pages first to last, counted from 1. If last is 0, it goes to the end of the
// document.
type pageRange struct{ first, last int }

// pageRanges is a choice of pages in ascending order.
type pageRanges []pageRange

var pageRangePattern = regexp.MustCompile(`^(\d+)(?:\s*(-|–|\.\.|:)\s*(\d*))?$`)

// parsePages reads "1-5,8".
func parsePages(s string) (pageRanges, error) {
	bad := func() error {
		return refuse("pages %q cannot be read. "+
			`Give pages counted from 1, such as "3", "1-5", "12-" or "1-5,8".`, clip(s))
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

// enclosing is the one range from the first to the last page of all.
func (p pageRanges) enclosing() pageRange {
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
