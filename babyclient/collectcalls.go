package babyclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// toolCallsAssembler puts the tool calls of a streamed choice together.
//
// By OpenAI's rules a piece belongs to the call with its index. Servers break that rule in all
// ways: every call has index 0, or none has an index, an id, or both; the id or the name comes
// again with every piece, or the id is another each time. So the rule here is: a piece belongs to
// the call that its id, else its index, else its place after the last piece names, unless it begins
// another.
type toolCallsAssembler struct {
	calls []*toolCallAssembler // by their order of arrival
	last  *toolCallAssembler   // that the last piece belonged to

	// The calls again, to be found without a search. They hold the latest call of a key.
	byIndex map[int]*toolCallAssembler
	byID    map[string]callsOfID
}

// callsOfID are the calls of one id, which is of several if the server gave it again.
type callsOfID struct {
	first, latest *toolCallAssembler
	byIndex       map[int]*toolCallAssembler // nil for one call alone
}

type toolCallAssembler struct {
	index     int
	call      ToolCall
	arguments strings.Builder
	object    objectScanner // of the arguments
}

func (a *toolCallsAssembler) add(piece ToolCall) {
	piece.ID = realID(piece.ID)
	call := a.find(piece)
	if call == nil || call.isOver(piece) {
		call = &toolCallAssembler{}
		switch {
		case piece.Index != nil:
			call.index = *piece.Index
		case a.last != nil:
			call.index = a.last.index // the order of arrival decides
		}
		a.calls = append(a.calls, call)
		if a.byIndex == nil {
			a.byIndex = map[int]*toolCallAssembler{}
		}
		a.byIndex[call.index] = call
	}
	hadID := call.call.ID != ""
	call.add(piece)
	if !hadID && call.call.ID != "" {
		a.noteID(call)
	}
	a.last = call
}

// noteID makes a call known by its id.
func (a *toolCallsAssembler) noteID(call *toolCallAssembler) {
	if a.byID == nil {
		a.byID = map[string]callsOfID{}
	}
	of := a.byID[call.call.ID]
	if of.first == nil {
		of.first = call
	} else if of.byIndex == nil {
		of.byIndex = map[int]*toolCallAssembler{of.first.index: of.first}
	}
	if of.byIndex != nil {
		of.byIndex[call.index] = call
	}
	of.latest = call
	a.byID[call.call.ID] = of
}

// find is the call that a piece goes on with, nil for none. Of several it is that of the last
// piece, else the latest.
func (a *toolCallsAssembler) find(piece ToolCall) *toolCallAssembler {
	of := a.byID[piece.ID] // of no id there is no call
	byID := of.latest
	var byIndex *toolCallAssembler
	if piece.Index != nil {
		byID = cmp.Or(of.byIndex[*piece.Index], of.first)
		byIndex = a.byIndex[*piece.Index]
		if a.last != nil && a.last.index == *piece.Index {
			byIndex = a.last
		}
	}
	switch {
	case byID != nil && (piece.Function.Name == "" || piece.Index == nil || byID.index == *piece.Index):
		return byID
	case piece.Index != nil:
		return byIndex
	}
	return a.last
}

// isOver reports whether a piece that seems to go on with the call begins another. Only a piece
// with a name can.
func (c *toolCallAssembler) isOver(piece ToolCall) bool {
	name := piece.Function.Name
	if name == "" || c.call.Function.Name == "" {
		return false
	}
	isWhole := c.object.isWhole()
	switch {
	case piece.ID != "" && piece.ID == c.call.ID:
		// The whole call may come once more after its pieces; other arguments are those of a
		// call to which the server gave the same id.
		return isWhole && strings.HasPrefix(strings.TrimSpace(piece.Function.Arguments), "{") && !c.isRepeated(piece)
	case name != c.call.Function.Name:
		return true
	case piece.ID != "" && c.call.ID != "":
		// Arguments that are no object, as a model writes them at times, cannot be told to be
		// whole. They hardly come in pieces that each have a name and another id.
		return isWhole || !c.object.hasBegun
	}
	return isWhole && strings.TrimSpace(piece.Function.Arguments) != ""
}

// isRepeated reports whether a piece holds the whole call once more. One without an id may as well
// be another call with the same arguments.
func (c *toolCallAssembler) isRepeated(piece ToolCall) bool {
	isThisCall := piece.ID != "" && piece.ID == c.call.ID && piece.Function.Name == c.call.Function.Name
	return isThisCall && c.object.isWhole() && isSameJSON(piece.Function.Arguments, c.arguments.String())
}

// isSameJSON tells whether two JSON texts differ in white space at most.
func isSameJSON(a, b string) bool {
	var compactA, compactB bytes.Buffer
	return a == b || json.Compact(&compactA, []byte(a)) == nil && json.Compact(&compactB, []byte(b)) == nil &&
		bytes.Equal(compactA.Bytes(), compactB.Bytes())
}

// hasPlaceholder tells whether the arguments so far are an empty object in place of those of the
// piece: proxies of servers that send the arguments later begin a call so.
func (c *toolCallAssembler) hasPlaceholder(piece ToolCall) bool {
	return piece.Function.Name == "" && strings.TrimSpace(c.arguments.String()) == "{}" &&
		strings.HasPrefix(strings.TrimSpace(piece.Function.Arguments), "{")
}

func (c *toolCallAssembler) add(piece ToolCall) {
	if c.isRepeated(piece) {
		return
	}
	if c.object.isWhole() && c.hasPlaceholder(piece) {
		c.arguments.Reset()
		c.object = objectScanner{}
	}
	c.call.ID = cmp.Or(c.call.ID, piece.ID)
	c.call.Type = cmp.Or(c.call.Type, piece.Type)
	c.call.Function.Name = cmp.Or(c.call.Function.Name, piece.Function.Name)
	c.arguments.WriteString(piece.Function.Arguments)
	c.object.scan(piece.Function.Arguments)
}

// whole are the calls, ordered by index; of one index by their arrival.
func (a *toolCallsAssembler) whole() (calls []ToolCall) {
	sortByIndex(a.calls, func(c *toolCallAssembler) int { return c.index })
	for _, c := range a.calls {
		call := c.call
		call.Type = cmp.Or(call.Type, "function")
		call.Function.Arguments = c.arguments.String()
		calls = append(calls, call)
	}
	return calls
}

// objectScanner follows the braces of a JSON object that comes in pieces. To decode the pieces so
// far with each new one would cost the square of their number.
type objectScanner struct {
	depth                       int
	hasBegun, inString, escaped bool
}

func (s *objectScanner) scan(piece string) {
	for i := range len(piece) {
		switch c := piece[i]; {
		case s.escaped:
			s.escaped = false
		case s.inString:
			s.escaped = c == '\\'
			s.inString = c != '"'
		case c == '"':
			s.inString = true
		case c == '{':
			s.hasBegun = true
			s.depth++
		case c == '}':
			s.depth--
		}
	}
}

// isWhole reports whether an object has begun and ended.
func (s *objectScanner) isWhole() bool { return s.hasBegun && s.depth <= 0 }
