package babyclient

import (
	"context"
	"encoding/json"
	"net/http"
)

// ModelsResponse lists the models of the service.
type ModelsResponse struct {
	Meta
	Object string  `json:"object"`
	Data   []Model `json:"data"`
}

// Model is a model that the service offers.
type Model struct {
	// ID is what the Model field of a request takes.
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"` // seconds since 1970
	OwnedBy string `json:"owned_by"`
	Root    string `json:"root,omitempty"` // vLLM
	// MaxModelLen is the most tokens of prompt and answer together (vLLM), 0 where not told.
	MaxModelLen int `json:"max_model_len,omitempty"`
}

// Models lists the models: GET /v1/models. A service that does not list its models answers
// [ErrNotFound].
func (c *Client) Models(ctx context.Context, opts ...CallOption) (*ModelsResponse, error) {
	k := newGet("/v1/models")
	k.explain = func(e Error) Error {
		if e.StatusCode == http.StatusNotFound {
			e.Message = "this service does not list its models: " +
				"take the name from its documentation (" + e.Message + ")"
		}
		return e
	}
	return fetch(ctx, c, k, opts, readModels)
}

func readModels(raw []byte) (*ModelsResponse, error) {
	out := new(ModelsResponse)
	if err := decode(raw, out); err != nil {
		return nil, err
	}
	var fields struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &fields) != nil || fields.Data == nil { // null is a service without models
		return nil, errNoField("data")
	}
	return out, checkGeneration(raw)
}
