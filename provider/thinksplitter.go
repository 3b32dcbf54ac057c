package provider

import (
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

const (
	openTag  = "<think>"
	closeTag = "</think>"
	space    = " \t\r\n"
)

// splitThinking separates the thinking from the text of a whole answer. The finish reason decides
// about an answer that may have begun inside of the thinking and has no closing tag: if it was cut
// it is thinking, else it is the answer of a model that did not think.
func splitThinking(tags thinkTags, answer, finishReason string) (reasoning, text string) {
	if tags == thinkTagsOff {
		return "", answer
	}
	thought, opened := strings.CutPrefix(strings.TrimLeft(answer, space), openTag)
	thought, text, closed := strings.Cut(thought, closeTag)
	switch {
	case opened:
	case tags == thinkTagsOpen && (closed || wasCut(finishReason)):
	case closed && !strings.Contains(thought, openTag): // the template of the model opened the tag
	default:
		return "", answer
	}
	return strings.TrimLeft(thought, space), strings.TrimLeft(text, space)
}

// wasCut tells whether an answer ended before the model ended it.
func wasCut(finishReason string) bool {
	return finishReason == babyclient.FinishLength || finishReason == babyclient.FinishContentFilter
}

// thinkSplitter separates the thinking from the text of an answer that comes in pieces, cut
// anywhere. For example, with [WithThinkTags]:
//
//	write("<th")          → nothing yet: this may be the start of the tag
//	write("ink>hm</thi")  → thinking "hm"; "</thi" is held back
//	write("nk>\n\nyes")   → text "yes", without the line breaks beside the tag
type thinkSplitter struct {
	tags      thinkTags
	thinking  bool
	begun     bool            // it is known whether the answer begins with thinking
	skipSpace bool            // the next white space stands beside a tag, and is dropped
	held      string          // the end of what was written, which may be the start of a tag
	assumed   strings.Builder // what was taken for thinking although the answer has no opening tag
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
			s.thinking, s.tags, rest = true, thinkTagsClosed, after
		}
		s.skipSpace = s.thinking
	}
	if s.thinking {
		thought, after, closed := strings.Cut(rest, closeTag)
		if !closed {
			thought, s.held = splitTail(rest, closeTag)
			s.assume(thought)
			return s.trim(thought), ""
		}
		reasoning = s.trim(thought)
		s.thinking, s.skipSpace, rest = false, true, after
	}
	return reasoning, s.trim(rest)
}

// stop ends the splitting, because the service does it: what comes is text. It returns the text
// that was held back.
func (s *thinkSplitter) stop() (text string) {
	held := s.held
	s.held, s.begun, s.thinking, s.skipSpace = "", true, false, false
	return held
}

// flush returns what was held back, when nothing comes after it. An answer that was taken for
// thinking and ends by itself without a closing tag comes once more, as text: see [splitThinking].
func (s *thinkSplitter) flush(finishReason string) (reasoning, text string) {
	held := s.held
	s.held = ""
	s.skipSpace = s.skipSpace || !s.begun
	switch {
	case !s.thinking:
		return "", held
	case s.tags == thinkTagsOpen && !wasCut(finishReason):
		s.assume(held)
		return "", s.assumed.String()
	}
	return s.trim(held), ""
}

func (s *thinkSplitter) assume(thought string) {
	if s.tags == thinkTagsOpen {
		s.assumed.WriteString(thought)
	}
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
