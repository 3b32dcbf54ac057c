package babyclient

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
)

// EmbedRequest is the body of POST /v1/embeddings.
type EmbedRequest struct {
	// Model names the model. It must be set: a default would spoil an index in silence.
	Model string
	// Input are the texts, one vector each.
	Input []string
	// InputTokens are texts as token ids, instead of Input.
	InputTokens [][]int
	// Dimensions is the length of the vectors, for models that can shorten them.
	Dimensions *int
	// TruncatePromptTokens cuts each input to that many tokens; -1 means the most that the model takes (vLLM).
	TruncatePromptTokens *int
	// EncodingFormat is how the vectors travel: "base64" or "float". Empty: base64, which is
	// a quarter of the bytes, and float from a service that refuses that.
	EncodingFormat string
	// User identifies the end user to the service.
	User string

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any
}

type embedWire struct {
	Model                string `json:"model,omitempty"`
	Input                any    `json:"input"`
	EncodingFormat       string `json:"encoding_format,omitempty"`
	Dimensions           *int   `json:"dimensions,omitzero"`
	TruncatePromptTokens *int   `json:"truncate_prompt_tokens,omitzero"`
	User                 string `json:"user,omitempty"`
}

// EmbedResponse are the vectors of the inputs.
type EmbedResponse struct {
	Meta
	ID     string `json:"id,omitempty"`
	Object string `json:"object"`
	// Model is the one that answered.
	Model string `json:"model"`
	// Vectors has one vector for each input, in the order of the inputs, all of one length.
	// They are cut from one block of memory: keeping one keeps all.
	Vectors [][]float32 `json:"-"`
	Usage   *Usage      `json:"usage,omitzero"`
}

// Dimensions is the length of each vector.
func (r *EmbedResponse) Dimensions() int {
	if len(r.Vectors) == 0 {
		return 0
	}
	return len(r.Vectors[0])
}

// floatOnly remembers that the service refuses base64.
type floatOnly struct {
	mu  sync.Mutex
	yes bool
}

func (f *floatOnly) get() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.yes }
func (f *floatOnly) set()      { f.mu.Lock(); defer f.mu.Unlock(); f.yes = true }

// Embed turns texts into vectors: POST /v1/embeddings. A vector that is missing, doubled or
// of another length than the rest is an error ([ErrInvalidResponse]).
func (c *Client) Embed(ctx context.Context, req *EmbedRequest, opts ...CallOption) (*EmbedResponse, error) {
	k := &call{method: http.MethodPost, path: "/v1/embeddings"}
	if err := checkEmbed(req); err != nil {
		return nil, c.wrap(k, err)
	}
	format := req.EncodingFormat
	_, ownFormat := req.Extra["encoding_format"]
	choose := format == "" && !ownFormat
	if choose {
		format = "base64"
		if c.floatOnly.get() {
			format = "float"
		}
	}
	out, err := c.embed(ctx, k, req, format, opts)
	if choose && format == "base64" && refusesBase64(err) {
		// A 400 is answered before anything ran, so asking again bills nothing twice.
		out, err = c.embed(ctx, k, req, "float", opts)
		if err == nil {
			c.floatOnly.set()
		}
	}
	return out, err
}

func (c *Client) embed(ctx context.Context, k *call, req *EmbedRequest, format string, opts []CallOption) (*EmbedResponse, error) {
	w := embedWire{Model: strings.TrimSpace(req.Model), Input: req.Input, EncodingFormat: format, Dimensions: req.Dimensions,
		TruncatePromptTokens: req.TruncatePromptTokens, User: req.User}
	n := len(req.Input)
	if req.InputTokens != nil {
		w.Input, n = req.InputTokens, len(req.InputTokens)
	}
	b, err := marshalBody(w, req.Extra)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	if _, ok := req.Extra["input"]; ok {
		n = -1 // whatever the caller put there, the answer says how many it is
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	out, err := decodeEmbeddings(raw, n)
	if err != nil {
		return nil, resp.invalidResponse(raw, "cannot use the embeddings: "+err.Error(), err)
	}
	if req.Dimensions != nil && out.Dimensions() != *req.Dimensions {
		return nil, resp.invalidResponse(raw, "the service ignored Dimensions: its vectors are of another length", nil)
	}
	out.Meta = resp.Meta
	out.Raw = raw
	return out, nil
}

func checkEmbed(r *EmbedRequest) error {
	if r == nil {
		return invalid(CodeInvalidRequest, "the EmbedRequest is nil")
	}
	if r.Extra["model"] == nil {
		if err := checkNotBlank(CodeModelRequired, "model", r.Model); err != nil {
			return err
		}
	}
	switch {
	case r.Input != nil && r.InputTokens != nil:
		return invalid(CodeInvalidRequest, "both Input and InputTokens are set: want one")
	case len(r.Input) == 0 && len(r.InputTokens) == 0 && r.Extra["input"] == nil:
		return invalid(CodeInvalidRequest, "input is empty: give at least one text")
	case r.Dimensions != nil && *r.Dimensions <= 0:
		return invalid(CodeInvalidRequest, "dimensions is %d: want 1 or more", *r.Dimensions)
	case r.EncodingFormat != "" && r.EncodingFormat != "base64" && r.EncodingFormat != "float":
		return invalid(CodeInvalidRequest, "encoding format %q: want \"base64\" or \"float\"", r.EncodingFormat)
	}
	for i, tokens := range r.InputTokens {
		if len(tokens) == 0 {
			return invalid(CodeInvalidRequest, "input tokens [%d] is empty", i)
		}
	}
	return nil
}

// refusesBase64 reports whether err is a 400 or 422 about the encoding format.
func refusesBase64(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusUnprocessableEntity {
		return false
	}
	said := strings.ToLower(e.Message + e.Details)
	return strings.Contains(said, "encoding_format") || strings.Contains(said, "base64")
}
