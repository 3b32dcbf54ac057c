package babyclient

import (
	"context"
	"errors"
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
	out, err := doJSON[ModelsResponse](ctx, c, &call{method: http.MethodGet, path: "/v1/models"}, opts)
	if e, ok := errors.AsType[*Error](err); ok && e.StatusCode == http.StatusNotFound {
		e.Message = "this service does not list its models: take the name from its documentation (" + e.Message + ")"
	}
	return out, err
}
