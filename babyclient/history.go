package babyclient

import (
	"slices"
	"strconv"
	"strings"
)

// withDistinctCallIDs returns the conversation with an id of its own for each call of one answer,
// and with the ids of the results to match. Some servers number the calls of an answer all alike,
// and then take none of two results of one id for the second call. The caller's messages are not
// changed.
func withDistinctCallIDs(messages []Message) []Message {
	changed := messages
	for i := range messages {
		renamed := distinctCallIDs(messages[i].ToolCalls)
		if renamed == nil {
			continue
		}
		if &changed[0] == &messages[0] {
			changed = slices.Clone(messages)
		}
		changed[i].ToolCalls = renamed
		renameResults(changed[i+1:], messages[i].ToolCalls, renamed)
	}
	return changed
}

// distinctCallIDs is nil if no two calls have one id. Calls without an id are left alone.
func distinctCallIDs(calls []ToolCall) []ToolCall {
	var out []ToolCall
	for i := 1; i < len(calls); i++ {
		isTaken := func(id string) bool {
			before := calls[:i]
			if out != nil {
				before = out[:i]
			}
			return slices.ContainsFunc(before, func(c ToolCall) bool { return c.ID == id })
		}
		if calls[i].ID == "" || !isTaken(calls[i].ID) {
			continue
		}
		if out == nil {
			out = slices.Clone(calls)
		}
		for n := 2; isTaken(out[i].ID); n++ {
			out[i].ID = calls[i].ID + "_" + strconv.Itoa(n)
		}
	}
	return out
}

// renameResults gives the results that follow an answer the ids of its calls: the first result of
// an id that stood twice is of the first such call, the second of the second. Results end at the
// next message that is none.
func renameResults(after []Message, calls, renamed []ToolCall) {
	used := make([]bool, len(calls))
	for i := range after {
		if after[i].Role != RoleTool {
			return
		}
		for n := range calls {
			if !used[n] && calls[n].ID == after[i].ToolCallID {
				after[i].ToolCallID, used[n] = renamed[n].ID, true
				break
			}
		}
	}
}

// sentCalls are the calls of a message with arguments that are JSON: a model writes nothing, or
// null, for a function without any, and engines refuse that when it comes back.
func sentCalls(calls []ToolCall) []ToolCall {
	out := calls
	for i := range calls {
		arguments := strings.TrimSpace(calls[i].Function.Arguments)
		if arguments != "" && arguments != "null" {
			continue
		}
		if &out[0] == &calls[0] {
			out = slices.Clone(calls)
		}
		out[i].Function.Arguments = "{}"
	}
	return out
}
