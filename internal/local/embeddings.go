package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// embeddings serves /v1/embeddings. llama.cpp ignores dimensions and truncate_prompt_tokens without
// an error, so both are checked and done here.
func (g *gateway) embeddings(w http.ResponseWriter, r *http.Request) {
	body := readBodyFor(w, r, g.embed)
	if body == nil {
		return
	}
	if t := g.embed.target.Load(); g.embed.own && t != nil && !g.prepareEmbeddings(w, r, body, t) {
		return
	}
	g.embed.forward(w, r, r.URL.Path, nil)
}

// prepareEmbeddings checks a request for our own engine, and cuts its texts if it asks for that. If
// it returns false, it has answered the request.
func (g *gateway) prepareEmbeddings(w http.ResponseWriter, r *http.Request, body requestBody, t *target) bool {
	dimensions, isSet, err := body.number("dimensions")
	if err != nil {
		badRequest(w, "dimensions", err.Error())
		return false
	}
	if isSet && dimensions != t.dimensions {
		badRequest(w, "dimensions", fmt.Sprintf("Model '%s' does not support Matryoshka embeddings; "+
			"dimensions must be unset or %d (received dimensions=%d).", g.embed.names[0], t.dimensions, dimensions))
		return false
	}
	limit, isSet, err := truncation(body, "truncate_prompt_tokens", t.maxTokens)
	if err != nil {
		badRequest(w, "truncate_prompt_tokens", err.Error())
		return false
	}
	if !isSet {
		return true
	}
	if err := g.truncateInput(r.Context(), body, limit); err != nil {
		if bad, ok := errors.AsType[inputError](err); ok {
			badRequest(w, "input", string(bad))
		} else {
			g.embed.failCall(r.Context(), w, err)
		}
		return false
	}
	text, err := json.Marshal(body)
	if err != nil {
		writeError(w, http.StatusInternalServerError, "%v", err)
		return false
	}
	setBody(r, text)
	return true
}
