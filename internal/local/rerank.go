package local

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
)

// rerankResponse is vLLM's answer.
type rerankResponse struct {
	ID      string         `json:"id"`
	Model   string         `json:"model"`
	Usage   rerankUsage    `json:"usage"`
	Results []rerankResult `json:"results"`
}

type rerankUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

type rerankResult struct {
	Index          int            `json:"index"`
	Document       rerankDocument `json:"document"`
	RelevanceScore float64        `json:"relevance_score"`
}

type rerankDocument struct {
	Text       string `json:"text"`
	MultiModal any    `json:"multi_modal"`
}

// rerankRequest is what a request asks for, checked.
type rerankRequest struct {
	model      string
	query      string
	documents  []string
	topN       int // 0: all
	activation bool
}

// cosineSuffix marks in the answer's model that no rerank model scored.
const cosineSuffix = " (cosine)"

// rerankDocuments serves /v1/rerank with the rerank model, where there is one,
// and else by the cosine similarity of the embeddings.
func (g *gateway) rerankDocuments(w http.ResponseWriter, r *http.Request) {
	o := readObject(w, r)
	if o == nil {
		return
	}
	if g.rerank != nil && !g.rerank.own {
		g.rerank.forward(w, r, r.URL.Path, g.apiKey != "", nil)
		return
	}
	b := g.rerank
	if b == nil {
		b = g.embed
	}
	req, err := readRerank(o)
	if err != nil {
		badRequest(w, "body", err.Error())
		return
	}
	if model, cut := strings.CutSuffix(req.model, cosineSuffix); cut && g.rerank == nil {
		req.model = model // as an answer of ours named it
	}
	if !b.knows(req.model) {
		unknownModel(w, req.model, b)
		return
	}
	for _, key := range []string{"truncate_prompt_tokens", "max_tokens_per_doc"} {
		if _, asked, err := o.number(key); g.rerank != nil && (asked || err != nil) {
			badRequest(w, key, "llama.cpp does not cut what a rerank model reads, so "+key+" is refused: send shorter documents")
			return
		}
	}
	var answer *rerankResponse
	if g.rerank != nil {
		answer, err = g.rerankWithModel(r, req)
	} else {
		answer, err = g.rerankByCosine(r, o, req)
	}
	if err != nil {
		if bad, ok := errors.AsType[inputError](err); ok {
			badRequest(w, "documents", string(bad))
			return
		}
		b.failCall(r.Context(), w, err)
		return
	}
	slices.SortStableFunc(answer.Results, func(x, y rerankResult) int { return cmp.Compare(y.RelevanceScore, x.RelevanceScore) })
	if req.topN > 0 {
		answer.Results = answer.Results[:min(req.topN, len(answer.Results))]
	}
	for i := range answer.Results {
		answer.Results[i].Document.Text = req.documents[answer.Results[i].Index]
	}
	answer.ID = "rerank-" + randomHex(8)
	writeJSON(w, http.StatusOK, answer)
}

func readRerank(o object) (*rerankRequest, error) {
	var req rerankRequest
	var err error
	if req.model, err = o.text("model"); err != nil {
		return nil, err
	}
	if _, ok := o["query"]; !ok {
		return nil, errors.New("query is missing")
	}
	if req.query, err = o.text("query"); err != nil {
		return nil, err
	}
	if req.topN, _, err = o.number("top_n"); err != nil {
		return nil, err
	}
	if req.topN < 0 {
		return nil, fmt.Errorf("top_n must be 0 (all) or more, not %d", req.topN)
	}
	req.activation = true
	if raw, ok := o["use_activation"]; ok && string(raw) == "false" {
		req.activation = false
	}
	raw, ok := o["documents"]
	if !ok {
		return nil, errors.New("documents is missing")
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		req.documents = []string{one}
		return &req, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("documents must be a text or a list of texts")
	}
	if len(list) == 0 {
		return nil, errors.New("documents is empty: at least one is needed")
	}
	for i, raw := range list {
		text, err := documentText(raw)
		if err != nil {
			return nil, fmt.Errorf("documents[%d] %w", i, err)
		}
		req.documents = append(req.documents, text)
	}
	return &req, nil
}

// documentText is the text of a document: a string, or vLLM's object of content parts.
func documentText(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts.Content) == 0 {
		return "", fmt.Errorf(`is %.60s: give a text, or {"content":[{"type":"text","text":"..."}]}`, raw)
	}
	for _, part := range parts.Content {
		if part.Type != "text" {
			return "", fmt.Errorf("has a part of type %q, and the local models read only text", part.Type)
		}
		text += part.Text
	}
	return text, nil
}

// rerankByCosine embeds query and documents in one request.
func (g *gateway) rerankByCosine(r *http.Request, o object, req *rerankRequest) (*rerankResponse, error) {
	input := []any{req.query}
	for _, d := range req.documents {
		input = append(input, d)
	}
	if t := g.embed.target.Load(); g.embed.own && t != nil {
		// what vLLM cuts: every text for the one, only the documents for the other
		for first, key := range []string{"truncate_prompt_tokens", "max_tokens_per_doc"} {
			limit, asked, err := truncation(o, key, t.maxTokens)
			if err != nil {
				return nil, inputError(err.Error())
			}
			for i := first; asked && i < len(input); i++ {
				text, ok := input[i].(string)
				if !ok {
					continue // cut already
				}
				if input[i], err = g.truncate(r.Context(), text, limit); err != nil {
					return nil, err
				}
			}
		}
	}
	body := map[string]any{"input": input}
	if req.model != "" {
		body["model"] = req.model
	}
	var embedded struct {
		Model string      `json:"model"`
		Usage rerankUsage `json:"usage"`
		Data  []struct {
			Index     int       `json:"index"`
			Embedding []float64 `json:"embedding"`
		} `json:"data"`
	}
	if err := g.embed.call(r.Context(), http.MethodPost, "/v1/embeddings", r.Header, g.apiKey != "", body, &embedded); err != nil {
		return nil, err
	}
	vectors := make([][]float64, len(input))
	for _, d := range embedded.Data {
		if d.Index >= 0 && d.Index < len(vectors) {
			vectors[d.Index] = d.Embedding
		}
	}
	answer := &rerankResponse{Model: embedded.Model + cosineSuffix, Usage: embedded.Usage}
	for i := range req.documents {
		score, err := cosine(vectors[0], vectors[i+1])
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i, err)
		}
		answer.Results = append(answer.Results, rerankResult{Index: i, RelevanceScore: score})
	}
	return answer, nil
}

func cosine(a, b []float64) (float64, error) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, fmt.Errorf("the embed engine answered vectors of %d and %d numbers", len(a), len(b))
	}
	var dot, aa, bb float64
	for i := range a {
		dot += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	if aa == 0 || bb == 0 {
		return 0, nil
	}
	return dot / math.Sqrt(aa*bb), nil
}

// rerankWithModel asks llama.cpp, which answers raw scores, and gives them the
// activation that vLLM gives them.
func (g *gateway) rerankWithModel(r *http.Request, req *rerankRequest) (*rerankResponse, error) {
	body := map[string]any{"query": req.query, "documents": req.documents, "top_n": len(req.documents)}
	if req.model != "" {
		body["model"] = req.model
	}
	var answer rerankResponse
	if err := g.rerank.call(r.Context(), http.MethodPost, "/v1/rerank", r.Header, g.apiKey != "", body, &answer); err != nil {
		return nil, err
	}
	for i := range answer.Results {
		res := &answer.Results[i]
		if res.Index < 0 || res.Index >= len(req.documents) {
			return nil, fmt.Errorf("the rerank engine answered for document %d of %d", res.Index, len(req.documents))
		}
		if req.activation {
			res.RelevanceScore = 1 / (1 + math.Exp(-res.RelevanceScore))
		}
	}
	return &answer, nil
}
