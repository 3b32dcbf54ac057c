package provider

import (
	"context"
	"iter"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// stream hands out the pieces of an answer as they come and returns what the plain call would have.
func (l *LLM) stream(ctx context.Context, req *babyclient.ChatRequest, o *callOptions) (*babyclient.ChatResponse, error) {
	own := o.own()
	d := delivery{ctx: ctx, o: o, think: newThinkSplitter(own.think), onToolCall: own.onToolCall}
	chat, err := babyclient.Collect(d.tee(l.client.ChatStream(ctx, req)))
	if err != nil {
		return nil, streamError(err, chat)
	}
	return chat, nil
}

// streamError keeps what had come of the answer beside the error, where nobody takes it for one.
func streamError(err error, chat *babyclient.ChatResponse) error {
	if text := chat.Text(); text != "" {
		return withDetail(err, "partial_content", text)
	}
	return err
}

// delivery calls the caller's functions with the pieces of the first choice.
type delivery struct {
	ctx        context.Context
	o          *callOptions
	think      *thinkSplitter
	onToolCall func(context.Context, babyclient.ToolCall) error
	blank      string // white space at the start, held until it is known that the text is more than that
	begun      bool   // it is
	calls      bool   // the answer calls tools
}

// tee passes the chunks on after it has delivered them. It ends at the first error, the caller's
// functions' own included, and so closes the connection.
func (d *delivery) tee(chunks iter.Seq2[*babyclient.ChatChunk, error]) iter.Seq2[*babyclient.ChatChunk, error] {
	return func(yield func(*babyclient.ChatChunk, error) bool) {
		for chunk, err := range chunks {
			if err == nil {
				err = d.chunk(chunk)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
		reasoning, text := d.think.flush()
		if !d.calls && d.blank+text != "" { // an answer of white space is one
			d.begun = true
		}
		if err := d.deliver(reasoning, text); err != nil {
			yield(nil, err)
		}
	}
}

func (d *delivery) chunk(chunk *babyclient.ChatChunk) error {
	for i := range chunk.Choices {
		c := &chunk.Choices[i]
		if c.Index != 0 {
			continue
		}
		thought, text := d.think.write(c.Delta.Content)
		if c.Delta.Reasoning != "" { // in its own field, before what stands in the text
			thought = c.Delta.Reasoning + thought
		}
		if err := d.deliver(thought, text); err != nil {
			return err
		}
		d.calls = d.calls || len(c.Delta.ToolCalls) > 0
		if d.onToolCall == nil {
			continue
		}
		for _, piece := range c.Delta.ToolCalls {
			if err := d.onToolCall(d.ctx, piece); err != nil {
				return stopped("WithStreamingToolCallFunc", err)
			}
		}
	}
	return nil
}

func (d *delivery) deliver(reasoning, text string) error {
	text = d.blank + text
	d.begun = d.begun || strings.TrimSpace(text) != ""
	d.blank = ""
	if !d.begun {
		d.blank, text = text, ""
	}
	if f := d.o.StreamingReasoningFunc; f != nil {
		if reasoning != "" {
			if err := f(d.ctx, []byte(reasoning), nil); err != nil {
				return stopped("StreamingReasoningFunc", err)
			}
		}
		if text != "" {
			if err := f(d.ctx, nil, []byte(text)); err != nil {
				return stopped("StreamingReasoningFunc", err)
			}
		}
	}
	if f := d.o.StreamingFunc; f != nil && text != "" {
		if err := f(d.ctx, []byte(text)); err != nil {
			return stopped("StreamingFunc", err)
		}
	}
	return nil
}
