package provider

import (
	"cmp"
	"context"
	"iter"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// stream calls the caller's functions with the pieces of an answer as they come, and returns what
// the plain call would have returned: together with an error, what had come before it.
func stream(
	ctx context.Context, client *babyclient.Client, req *babyclient.ChatRequest, o *callOptions,
	clientOptions []babyclient.CallOption,
) (*babyclient.ChatResponse, error) {
	own := o.own()
	d := delivery{ctx: ctx, o: o, splitter: newThinkSplitter(thinkTagsOf(req, o)), onToolCall: own.onToolCall}
	return babyclient.Collect(d.tee(client.ChatStream(ctx, req, clientOptions...)))
}

// delivery calls the caller's functions with the pieces of the first choice. White space at the
// start is held back until some text follows: before a tool call it is noise, and never delivered.
type delivery struct {
	ctx         context.Context
	o           *callOptions
	splitter    *thinkSplitter
	onToolCall  func(context.Context, babyclient.ToolCall) error
	heldSpace   string
	textBegun   bool
	hasToolCall bool
	// finishReason is why the first choice ended.
	finishReason string
}

// tee passes the chunks on after it has delivered them. It ends at the first error, which may be
// that of a caller's function, and so closes the connection.
func (d *delivery) tee(chunks iter.Seq2[*babyclient.ChatChunk, error]) iter.Seq2[*babyclient.ChatChunk, error] {
	return func(yield func(*babyclient.ChatChunk, error) bool) {
		for chunk, err := range chunks {
			if err == nil {
				err = d.deliverChunk(chunk)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
		reasoning, text := d.splitter.flush(d.finishReason)
		if !d.hasToolCall && d.heldSpace+text != "" {
			d.textBegun = true // an answer of nothing but white space is an answer
		}
		if err := d.deliver(reasoning, text); err != nil {
			yield(nil, err)
		}
	}
}

func (d *delivery) deliverChunk(chunk *babyclient.ChatChunk) error {
	for i := range chunk.Choices {
		c := &chunk.Choices[i]
		if c.Index != 0 {
			continue
		}
		d.finishReason = cmp.Or(c.FinishReason, d.finishReason)
		heldText := ""
		if c.Delta.Reasoning != "" {
			heldText = d.splitter.stop()
		}
		reasoning, text := d.splitter.write(c.Delta.Content)
		if err := d.deliver(c.Delta.Reasoning+reasoning, heldText+text); err != nil {
			return err
		}
		d.hasToolCall = d.hasToolCall || len(c.Delta.ToolCalls) > 0
		if d.onToolCall == nil {
			continue
		}
		for _, piece := range c.Delta.ToolCalls {
			if err := d.onToolCall(d.ctx, piece); err != nil {
				return stoppedBy("WithStreamingToolCallFunc", err)
			}
		}
	}
	return nil
}

func (d *delivery) deliver(reasoning, text string) error {
	text = d.heldSpace + text
	d.heldSpace = ""
	d.textBegun = d.textBegun || strings.TrimSpace(text) != ""
	if !d.textBegun {
		d.heldSpace, text = text, ""
	}
	if f := d.o.StreamingReasoningFunc; f != nil {
		if reasoning != "" {
			if err := f(d.ctx, []byte(reasoning), nil); err != nil {
				return stoppedBy("StreamingReasoningFunc", err)
			}
		}
		if text != "" {
			if err := f(d.ctx, nil, []byte(text)); err != nil {
				return stoppedBy("StreamingReasoningFunc", err)
			}
		}
	}
	if f := d.o.StreamingFunc; f != nil && text != "" {
		if err := f(d.ctx, []byte(text)); err != nil {
			return stoppedBy("StreamingFunc", err)
		}
	}
	return nil
}
