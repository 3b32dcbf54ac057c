package provider

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/tmc/langchaingo/llms"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Piece is a piece of a streamed answer. One of its fields is set, or Text and Reasoning both.
type Piece struct {
	Text      string
	Reasoning string
	// ToolCall is a piece of a tool call: id and name once, the arguments in pieces, by Index.
	ToolCall *babyclient.ToolCall
	// Response is the whole answer. It is in the last piece alone.
	Response *llms.ContentResponse
}

var errLoopLeft = errors.New("the caller has left the loop")

// Stream is [LLM.GenerateContent] as an iterator over the pieces of the first choice, as they come:
//
//	for piece, err := range llm.Stream(ctx, messages) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(piece.Text)
//	}
//
// The last piece has the whole answer. The request is sent once: a second range is an error. An
// error is yielded once, and ends the loop. Leaving the loop closes the connection, and a service
// that notices stops to generate. Streaming functions among the options are not called.
func (l *LLM) Stream(
	ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption,
) iter.Seq2[Piece, error] {
	var ranged atomic.Bool
	return func(yield func(Piece, error) bool) {
		if ranged.Swap(true) {
			yield(Piece{}, invalid("the stream was ranged over already: a second range would send, and bill, "+
				"the request again"))
			return
		}
		left := false
		give := func(p Piece) error {
			if !yield(p, nil) {
				left = true
				return errLoopLeft
			}
			return nil
		}
		resp, err := l.GenerateContent(ctx, messages, append(slices.Clip(options),
			llms.WithStreamingFunc(nil),
			llms.WithStreamingReasoningFunc(func(_ context.Context, reasoning, text []byte) error {
				return give(Piece{Text: string(text), Reasoning: string(reasoning)})
			}),
			WithStreamingToolCallFunc(func(_ context.Context, piece babyclient.ToolCall) error {
				return give(Piece{ToolCall: &piece})
			}))...)
		switch {
		case left:
		case err != nil:
			yield(Piece{}, err)
		default:
			yield(Piece{Response: resp}, nil)
		}
	}
}
