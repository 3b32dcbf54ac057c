package local

import (
	"cmp"
	"context"
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
	Index    int `json:"index"`
	Document struct {
		Text       string `json:"text"`
		MultiModal any    `json:"multi_modal"`
	} `json:"document"`
	RelevanceScore float64 `json:"relevance_score"`
}

// cosineSuffix marks in the answer's model that no rerank model scored.
const cosineSuffix = " (cosine)"

// rerankDocuments serves /v1/rerank with the rerank model, where there is one, and else by the
// cosine similarity of the embeddings.
func (g *gateway) rerankDocuments(w http.ResponseWriter, r *http.Request) {
	body := readBody(w, r)
	if body == nil {
		return
	}
	b := cmp.Or(g.rerank, g.embed)
	if g.rerank != nil && !g.rerank.own {
		g.rerank.forward(w, r, r.URL.Path, nil)
		return
	}
	req, err := readRerankRequest(body)
	if err != nil {
		badRequest(w, "body", err.Error())
		return
	}
	if g.rerank == nil { // a caller may send the name that an answer of ours had
		req.model = strings.TrimSuffix(req.model, cosineSuffix)
	}
	if !b.knows(req.model) {
		unknownModel(w, req.model, b)
		return
	}
	for _, key := range []string{"truncate_prompt_tokens", "max_tokens_per_doc"} {
		if _, isSet, err := body.number(key); g.rerank != nil && (isSet || err != nil) {
			badRequest(w, key, "llama.cpp does not cut what a rerank model reads, so "+key+
				" is refused: send shorter documents")
			return
		}
	}
	var answer *rerankResponse
	if g.rerank != nil {
		answer, err = g.scoreWithModel(r, req)
	} else {
		answer, err = g.scoreByCosine(r, body, req)
	}
	if err != nil {
		if bad, ok := errors.AsType[inputError](err); ok {
			badRequest(w, "documents", string(bad))
			return
		}
		b.failCall(r.Context(), w, err)
		return
	}
	slices.SortStableFunc(answer.Results, func(x, y rerankResult) int {
		return cmp.Compare(y.RelevanceScore, x.RelevanceScore)
	})
	if req.topN > 0 {
		answer.Results = answer.Results[:min(req.topN, len(answer.Results))]
	}
	for i := range answer.Results {
		answer.Results[i].Document.Text = req.documents[answer.Results[i].Index]
	}
	answer.ID = "rerank-" + randomHex(8)
	writeJSON(w, http.StatusOK, answer)
}

// scoreByCosine embeds query and documents in one request.
func (g *gateway) scoreByCosine(r *http.Request, body requestBody, req *rerankRequest) (*rerankResponse, error) {
	input := []any{req.query}
	for _, d := range req.documents {
		input = append(input, d)
	}
	if t := g.embed.target.Load(); g.embed.own && t != nil {
		if err := g.truncateForRerank(r.Context(), body, input, t.maxTokens); err != nil {
			return nil, err
		}
	}
	request := map[string]any{"input": input}
	if req.model != "" {
		request["model"] = req.model
	}
	var embedded struct {
		Model string      `json:"model"`
		Usage rerankUsage `json:"usage"`
		Data  []struct {
			Index     int       `json:"index"`
			Embedding []float64 `json:"embedding"`
		} `json:"data"`
	}
	if err := g.embed.call(r.Context(), "/v1/embeddings", r.Header, request, &embedded); err != nil {
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

// truncateForRerank cuts the query, input[0], and the documents after it as vLLM does:
// truncate_prompt_tokens cuts all of them, max_tokens_per_doc only the documents.
func (g *gateway) truncateForRerank(ctx context.Context, body requestBody, input []any, maxTokens int) error {
	for first, key := range []string{"truncate_prompt_tokens", "max_tokens_per_doc"} {
		limit, isSet, err := truncation(body, key, maxTokens)
		if err != nil {
			return inputError(err.Error())
		}
		for i := first; isSet && i < len(input); i++ {
			text, ok := input[i].(string)
			if !ok {
				continue // it is a list of tokens, so it was cut before
			}
			if input[i], err = g.truncate(ctx, text, limit); err != nil {
				return err
			}
		}
	}
	return nil
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

// scoreWithModel asks llama.cpp, which answers raw scores, and gives them the activation that vLLM
// gives them.
func (g *gateway) scoreWithModel(r *http.Request, req *rerankRequest) (*rerankResponse, error) {
	request := map[string]any{"query": req.query, "documents": req.documents, "top_n": len(req.documents)}
	if req.model != "" {
		request["model"] = req.model
	}
	var answer rerankResponse
	if err := g.rerank.call(r.Context(), "/v1/rerank", r.Header, request, &answer); err != nil {
		return nil, err
	}
	for i := range answer.Results {
		result := &answer.Results[i]
		if result.Index < 0 || result.Index >= len(req.documents) {
			return nil, fmt.Errorf("the rerank engine answered for document %d of %d", result.Index, len(req.documents))
		}
		if req.useActivation {
			result.RelevanceScore = 1 / (1 + math.Exp(-result.RelevanceScore))
		}
	}
	return &answer, nil
}
