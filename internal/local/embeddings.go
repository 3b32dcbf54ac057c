package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// embeddings serves /v1/embeddings. llama.cpp ignores dimensions and
// truncate_prompt_tokens in silence, so both are dealt with here.
func (g *gateway) embeddings(w http.ResponseWriter, r *http.Request) {
	o := readObject(w, r)
	if o == nil || !checkModel(w, o, g.embed) {
		return
	}
	t := g.embed.target.Load()
	if !g.embed.own || t == nil {
		g.embed.forward(w, r, r.URL.Path, g.apiKey != "", nil)
		return
	}
	dimensions, asked, err := o.number("dimensions")
	if err != nil {
		badRequest(w, "dimensions", err.Error())
		return
	}
	if asked && dimensions != t.dimensions {
		badRequest(w, "dimensions", fmt.Sprintf(
			"Model '%s' does not support Matryoshka embeddings; dimensions must be unset or %d (received dimensions=%d).",
			g.embed.names[0], t.dimensions, dimensions))
		return
	}
	limit, asked, err := truncation(o, "truncate_prompt_tokens", t.maxTokens)
	if err != nil {
		badRequest(w, "truncate_prompt_tokens", err.Error())
		return
	}
	if asked {
		if err := g.truncateInput(r.Context(), o, limit); err != nil {
			if bad, ok := errors.AsType[inputError](err); ok {
				badRequest(w, "input", string(bad))
				return
			}
			g.embed.failCall(r.Context(), w, err)
			return
		}
		body, err := json.Marshal(o)
		if err != nil {
			writeError(w, http.StatusInternalServerError, "InternalServerError", err.Error())
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
	}
	g.embed.forward(w, r, r.URL.Path, g.apiKey != "", nil)
}

// inputError is a text to be embedded or ranked that cannot be.
type inputError string

func (e inputError) Error() string { return string(e) }

// truncation is the number of tokens at key to cut inputs to; -1 there is all
// that the model takes.
func truncation(o object, key string, most int) (limit int, asked bool, err error) {
	limit, asked, err = o.number(key)
	switch {
	case err != nil || !asked:
		return 0, false, err
	case limit == -1:
		return most, true, nil
	case limit < -1 || limit == 0:
		return 0, false, fmt.Errorf("%s must be a positive number or -1, not %d", key, limit)
	case limit > most:
		return 0, false, fmt.Errorf("%s value (%d) is greater than max_model_len (%d); request a smaller one", key, limit, most)
	}
	return limit, true, nil
}

// truncateInput cuts each text of the request's input to limit tokens.
func (g *gateway) truncateInput(ctx context.Context, o object, limit int) error {
	var texts []any
	var one string
	if json.Unmarshal(o["input"], &one) == nil {
		texts = []any{one}
	} else if err := json.Unmarshal(o["input"], &texts); err != nil {
		return inputError("input must be a text, a list of texts or token ids")
	}
	if len(texts) > 0 {
		if _, ok := texts[0].(float64); ok { // token ids of a single input
			texts = []any{texts}
		}
	}
	for i, text := range texts {
		switch text := text.(type) {
		case string:
			cut, err := g.truncate(ctx, text, limit)
			if err != nil {
				return err
			}
			texts[i] = cut
		case []any:
			texts[i] = text[:min(len(text), limit)]
		default:
			return inputError(fmt.Sprintf("input %d is neither a text nor a list of token ids", i))
		}
	}
	input, err := json.Marshal(texts)
	o["input"] = input
	return err
}

// truncate returns the text, or where it has more than limit tokens its first
// ones, with the first and last token that the model puts around a text kept.
func (g *gateway) truncate(ctx context.Context, text string, limit int) (any, error) {
	if len(text)+2 <= limit { // a token is at least one byte
		return text, nil
	}
	var answer struct {
		Tokens []int `json:"tokens"`
	}
	err := g.embed.call(ctx, http.MethodPost, "/tokenize", nil, false, map[string]any{"content": text, "add_special": true}, &answer)
	if err != nil || len(answer.Tokens) <= limit {
		return text, err
	}
	return append(answer.Tokens[:limit-1], answer.Tokens[len(answer.Tokens)-1]), nil
}
