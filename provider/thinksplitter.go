package provider

import "strings"

const (
	openTag  = "<think>"
	closeTag = "</think>"
	space    = " \t\r\n"
)

// thinkSplitter separates the thinking from the text of an answer. It takes the answer in pieces,
// cut anywhere, or whole, with the same result. For example, with [WithThinkTags]:
//
//	write("<th")          → nothing yet: this may be the start of the tag
//	write("ink>hm</thi")  → thinking "hm"; "</thi" is held back
//	write("nk>\n\nyes")   → text "yes", without the line breaks beside the tag
type thinkSplitter struct {
	tags      thinkTags
	thinking  bool
	begun     bool   // it is known whether the answer begins with thinking
	skipSpace bool   // the next white space stands beside a tag, and is dropped
	held      string // the end of what was written, which may be the start of a tag
}

func newThinkSplitter(tags thinkTags) *thinkSplitter {
	return &thinkSplitter{tags: tags, begun: tags == thinkTagsOff, thinking: tags == thinkTagsOpen}
}

// write takes a piece, and returns what it makes certain to be thinking, and to be text.
func (s *thinkSplitter) write(piece string) (reasoning, text string) {
	rest := s.held + piece
	s.held = ""
	if !s.begun {
		trimmed := strings.TrimLeft(rest, space)
		if strings.HasPrefix(openTag, trimmed) && trimmed != openTag {
			s.held = rest
			return "", ""
		}
		s.begun = true
		if after, ok := strings.CutPrefix(trimmed, openTag); ok {
			s.thinking, rest = true, after
		}
		s.skipSpace = s.thinking
	}
	if s.thinking {
		thought, after, closed := strings.Cut(rest, closeTag)
		if !closed {
			thought, s.held = splitTail(rest, closeTag)
			return s.trim(thought), ""
		}
		reasoning = s.trim(thought)
		s.thinking, s.skipSpace, rest = false, true, after
	}
	return reasoning, s.trim(rest)
}

// flush returns what was held back, when nothing comes after it.
func (s *thinkSplitter) flush() (reasoning, text string) {
	held := s.held
	s.held = ""
	if s.thinking {
		return s.trim(held), ""
	}
	return "", held
}

func (s *thinkSplitter) trim(piece string) string {
	if s.skipSpace {
		piece = strings.TrimLeft(piece, space)
		s.skipSpace = piece == ""
	}
	return piece
}

// splitTail cuts off the longest end of s that is the start of tag.
func splitTail(s, tag string) (head, tail string) {
	for n := min(len(s), len(tag)-1); n > 0; n-- {
		if strings.HasSuffix(s, tag[:n]) {
			return s[:len(s)-n], s[len(s)-n:]
		}
	}
	return s, ""
}
