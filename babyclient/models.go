package babyclient

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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
	list, err := modelList(raw)
	switch {
	case err != nil:
		return nil, err
	case list != nil: // in another form than OpenAI's
		out.Object, out.Data = "list", list
	default:
		if err := decode(raw, out); err != nil {
			return nil, err
		}
	}
	for i, m := range out.Data {
		if m.ID == "" {
			return nil, fmt.Errorf("model %d of the list has no id", i)
		}
	}
	return out, checkGeneration(raw)
}

// modelList reads a list of models that is not {"data":[…]}: a bare list, as of Together, or
// {"models":[…]}, as of Ollama and llama.cpp, whose items are names or objects with a "name". It is
// nil for OpenAI's form, and an error for what is no list of models.
func modelList(raw []byte) ([]Model, error) {
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil || items == nil {
		var fields struct {
			Data   json.RawMessage   `json:"data"`
			Models []json.RawMessage `json:"models"`
		}
		err := json.Unmarshal(raw, &fields)
		switch {
		case fields.Data != nil && (string(fields.Data) != "[]" || len(fields.Models) == 0):
			return nil, nil // null is a service without models
		case err != nil || fields.Models == nil:
			return nil, errNoField("data")
		}
		items = fields.Models
	}
	list := []Model{}
	for _, item := range items {
		var m struct {
			Model
			Name string `json:"name"`
			Tag  string `json:"model"`
		}
		if name := jsonString(item); name != "" {
			m.ID = name
		} else if err := unmarshalFitting(item, &m, ""); err != nil {
			return nil, err
		}
		m.ID = cmp.Or(m.ID, m.Tag, m.Name)
		list = append(list, m.Model)
	}
	return list, nil
}
