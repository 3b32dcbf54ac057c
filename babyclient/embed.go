package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// EmbedRequest is the body of POST /v1/embeddings.
type EmbedRequest struct {
	// Model names the model. It must be set: a default would spoil an index in silence.
	Model string `json:"model,omitempty"`
	// Input are the texts, one vector each.
	Input []string `json:"input"`
	// InputTokens are texts as token ids, instead of Input. They are sent as "input".
	InputTokens [][]int `json:"-"`
	// EncodingFormat is how the vectors travel: "base64" or "float". Empty: base64, which is
	// a quarter of the bytes, and float from a service that refuses base64.
	EncodingFormat string `json:"encoding_format,omitempty"`
	// Dimensions is the length of the vectors, for models that can shorten them.
	Dimensions *int `json:"dimensions,omitzero"`
	// TruncatePromptTokens cuts each input to that many tokens; -1 means the most that the model
	// takes (vLLM).
	TruncatePromptTokens *int `json:"truncate_prompt_tokens,omitzero"`
	// User identifies the end user to the service.
	User string `json:"user,omitempty"`

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the request as [Client.Embed] sends it, with Extra.
func (r EmbedRequest) MarshalJSON() ([]byte, error) { return encodeBody(r.body(), r.Extra) }

// UnmarshalJSON takes input as one text, as texts, as the tokens of one text, or as those of
// several. It keeps fields that have no name here in Extra.
func (r *EmbedRequest) UnmarshalJSON(data []byte) error {
	var body struct {
		Input json.RawMessage `json:"input"`
		*embedFields
	}
	body.embedFields = (*embedFields)(r)
	if err := decodeWithExtra(data, &body, &r.Extra); err != nil || isNull(body.Input) {
		return err
	}
	var one string
	var oneAsTokens []int
	switch {
	case json.Unmarshal(body.Input, &one) == nil:
		r.Input = []string{one}
	case json.Unmarshal(body.Input, &r.Input) == nil:
	case json.Unmarshal(body.Input, &oneAsTokens) == nil:
		r.Input, r.InputTokens = nil, [][]int{oneAsTokens}
	default:
		r.Input = nil
		return json.Unmarshal(body.Input, &r.InputTokens)
	}
	return nil
}

// embedFields are the fields of an EmbedRequest without its methods.
type embedFields EmbedRequest

// embedBody is an EmbedRequest as it is sent. encoding/json prefers its own fields to fields of the
// same name in the embedded struct.
type embedBody struct {
	Model string `json:"model,omitempty"`
	Input any    `json:"input"`
	*embedFields
	EncodingFormat string `json:"encoding_format,omitempty"`
}

func (r *EmbedRequest) body() *embedBody {
	b := &embedBody{Model: strings.TrimSpace(r.Model), Input: r.Input, embedFields: (*embedFields)(r),
		EncodingFormat: r.EncodingFormat}
	if r.InputTokens != nil {
		b.Input = r.InputTokens
	}
	return b
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

// Embed turns texts into vectors: POST /v1/embeddings. A vector that is missing, doubled or
// of another length than the rest is an error ([ErrInvalidResponse]).
func (c *Client) Embed(ctx context.Context, req *EmbedRequest, opts ...CallOption) (*EmbedResponse, error) {
	if !req.lacksFormat() {
		return fetch(ctx, c, req, opts, req.read)
	}
	asFloats := embedAs{req, "float"}
	if c.refusesBase64.Load() {
		return fetch(ctx, c, asFloats, opts, req.read)
	}
	out, err := fetch(ctx, c, embedAs{req, "base64"}, opts, req.read)
	if !isRefusedBase64(err) {
		return out, err
	}
	// The service refused the request before anything ran, so asking again bills nothing twice.
	if out, err = fetch(ctx, c, asFloats, opts, req.read); err == nil {
		c.refusesBase64.Store(true)
	}
	return out, err
}

func (r *EmbedRequest) lacksFormat() bool {
	if r == nil {
		return false
	}
	_, inExtra := r.Extra["encoding_format"]
	return r.EncodingFormat == "" && !inExtra
}

const embedPath = "/v1/embeddings"

func (r *EmbedRequest) call(c *Client) (*call, error) {
	if r == nil {
		return refusedPost(embedPath, r.check())
	}
	return embedAs{r, r.EncodingFormat}.call(c)
}

// embedAs is an EmbedRequest with a format that the client chose.
type embedAs struct {
	*EmbedRequest
	format string
}

func (r embedAs) call(*Client) (*call, error) {
	if err := r.check(); err != nil {
		return refusedPost(embedPath, err)
	}
	body := r.body()
	body.EncodingFormat = r.format
	return newPost(embedPath, body, r.Extra)
}

func (r *EmbedRequest) check() error {
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

// read decodes the answer to this request.
func (r *EmbedRequest) read(raw []byte) (*EmbedResponse, error) {
	inputs := len(r.Input) + len(r.InputTokens) // one of them is empty
	if _, ok := r.Extra["input"]; ok {
		inputs = -1 // whatever the caller put there, the answer says how many it is
	}
	decoded, err := decodeEmbeddings(raw, inputs)
	if err != nil {
		return nil, fmt.Errorf("cannot use the embeddings: %w", err)
	}
	out := &EmbedResponse{ID: decoded.ID, Object: decoded.Object, Model: decoded.Model,
		Vectors: decoded.vectors, Usage: decoded.Usage}
	if r.Dimensions != nil && out.Dimensions() != *r.Dimensions {
		return nil, errors.New("the service ignored Dimensions: its vectors are of another length")
	}
	return out, nil
}

// isRefusedBase64 reports whether err is a 400 or 422 about the encoding format.
func isRefusedBase64(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != http.StatusBadRequest && e.StatusCode != http.StatusUnprocessableEntity {
		return false
	}
	said := strings.ToLower(e.Message + e.Details)
	return strings.Contains(said, "encoding_format") || strings.Contains(said, "base64")
}
