package babyclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// RerankRequest is the body of POST /v1/rerank.
type RerankRequest struct {
	// Model names the model. It must be set.
	Model string
	// Query is what the documents are ranked by.
	Query string
	// Documents are the texts to rank.
	Documents []string
	// DocumentObjects are documents that are not only text, instead of Documents: each a value that
	// marshals to what the engine takes, such as vLLM's {"content": [parts]}.
	DocumentObjects []any
	// TopN is how many results to return; 0 means all.
	TopN int
	// ReturnDocuments asks that each result carries its document.
	ReturnDocuments *bool
	// TruncatePromptTokens cuts query and document together to that many tokens (vLLM).
	TruncatePromptTokens *int

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any
}

type rerankWire struct {
	Model                string `json:"model,omitempty"`
	Query                string `json:"query"`
	Documents            any    `json:"documents"`
	TopN                 int    `json:"top_n,omitempty"`
	ReturnDocuments      *bool  `json:"return_documents,omitzero"`
	TruncatePromptTokens *int   `json:"truncate_prompt_tokens,omitzero"`
}

// RerankResponse ranks the documents.
type RerankResponse struct {
	Meta
	ID    string `json:"id,omitempty"`
	Model string `json:"model"`
	// Results are sorted by RelevanceScore, best first.
	Results []RerankResult `json:"results"`
	Usage   *Usage         `json:"usage,omitzero"`
}

// RerankResult is the score of one document.
type RerankResult struct {
	// Index is the place of the document in the request.
	Index int `json:"index"`
	// RelevanceScore is higher for a better match. Its range is the engine's: 0 to 1 (vLLM),
	// any number (llama.cpp), -1 to 1 (cosine similarity of embeddings).
	RelevanceScore float64 `json:"relevance_score"`
	// Document is the document, where the engine returns it or ReturnDocuments asked for it; else nil.
	Document *RerankDocument `json:"document,omitzero"`
}

// rerankAnswer is a RerankResponse whose results tell a missing index or score from zero.
type rerankAnswer struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Usage   *Usage `json:"usage"`
	Results []struct {
		Index          *int           `json:"index"`
		RelevanceScore *float64       `json:"relevance_score"`
		Document       RerankDocument `json:"document"` // without Raw where there is none
	} `json:"results"`
}

// RerankDocument is a document as an engine returns it: a text, or an object with one.
type RerankDocument struct {
	Text string
	// Raw is the JSON as received.
	Raw json.RawMessage
}

// UnmarshalJSON takes a string, or an object with "text".
func (d *RerankDocument) UnmarshalJSON(data []byte) error {
	d.Raw = slices.Clone(data)
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &d.Text)
	}
	if text, ok := documentText(data); ok {
		d.Text = text
		return nil
	}
	var object struct {
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	if object.Text != nil {
		d.Text = *object.Text
	}
	return nil
}

// documentText is the text of a document that is just what vLLM writes, or that it is another: a second decoding of each
// document is half the cost of an answer with a thousand of them.
func documentText(object []byte) (string, bool) {
	for _, around := range [...][2]string{{`{"text":`, `,"multi_modal":null}`}, {`{"multi_modal":null,"text":`, `}`}, {`{"text":`, `}`}} {
		quoted, before := bytes.CutPrefix(object, []byte(around[0]))
		quoted, after := bytes.CutSuffix(quoted, []byte(around[1]))
		if before && after && len(quoted) >= 2 && quoted[0] == '"' && quoted[len(quoted)-1] == '"' {
			return unquote(quoted)
		}
	}
	return "", false
}

// MarshalJSON is Raw, or an object with the text.
func (d RerankDocument) MarshalJSON() ([]byte, error) {
	if len(d.Raw) > 0 {
		return d.Raw, nil
	}
	return marshal(map[string]string{"text": d.Text})
}

// Rerank orders documents by how well they match a query: POST /v1/rerank.
func (c *Client) Rerank(ctx context.Context, req *RerankRequest, opts ...CallOption) (*RerankResponse, error) {
	k := &call{method: http.MethodPost, path: "/v1/rerank"}
	if err := checkRerank(req); err != nil {
		return nil, c.wrap(k, err)
	}
	w := rerankWire{Model: strings.TrimSpace(req.Model), Query: req.Query, Documents: req.Documents, TopN: req.TopN,
		ReturnDocuments: req.ReturnDocuments, TruncatePromptTokens: req.TruncatePromptTokens}
	n := len(req.Documents)
	if req.DocumentObjects != nil {
		w.Documents, n = req.DocumentObjects, len(req.DocumentObjects)
	}
	b, err := marshalBody(w, req.Extra)
	if err != nil {
		return nil, c.wrap(k, err)
	}
	k.body = jsonBody(b)
	resp, raw, err := c.read(ctx, k, opts)
	if err != nil {
		return nil, err
	}
	var a rerankAnswer
	if err := resp.decode(raw, &a); err != nil {
		return nil, err
	}
	if a.Results == nil {
		return nil, resp.invalidResponse(raw, "the answer has no results", nil)
	}
	out := &RerankResponse{Meta: resp.Meta, ID: a.ID, Model: a.Model, Usage: a.Usage, Results: make([]RerankResult, len(a.Results))}
	out.Raw = raw
	for i, r := range a.Results {
		if r.Index == nil || r.RelevanceScore == nil {
			err := errors.New("a result lacks its index or its relevance_score")
			return nil, resp.invalidResponse(raw, err.Error(), err)
		}
		out.Results[i] = RerankResult{Index: *r.Index, RelevanceScore: *r.RelevanceScore}
		if notNull(r.Document.Raw) != nil {
			out.Results[i].Document = &a.Results[i].Document
		}
	}
	if _, ok := req.Extra["documents"]; ok {
		n = -1
	}
	if err := out.check(n); err != nil {
		return nil, resp.invalidResponse(raw, err.Error(), err)
	}
	slices.SortStableFunc(out.Results, func(a, b RerankResult) int {
		switch {
		case a.RelevanceScore > b.RelevanceScore:
			return -1
		case a.RelevanceScore < b.RelevanceScore:
			return 1
		}
		return 0
	})
	if req.ReturnDocuments != nil && *req.ReturnDocuments {
		for i := range out.Results {
			r := &out.Results[i]
			switch {
			case r.Document != nil:
			case r.Index < len(req.Documents):
				r.Document = &RerankDocument{Text: req.Documents[r.Index]}
			case r.Index < len(req.DocumentObjects):
				if raw, err := marshal(req.DocumentObjects[r.Index]); err == nil {
					r.Document = &RerankDocument{}
					_ = r.Document.UnmarshalJSON(raw) // a document without text is its Raw
				}
			}
		}
	}
	return out, nil
}

// check makes sure that every result is of one of the n documents, and none is twice.
func (r *RerankResponse) check(n int) error {
	if n < 0 {
		return nil
	}
	seen := make([]bool, n)
	for _, res := range r.Results {
		if res.Index < 0 || res.Index >= n {
			return invalid(CodeInvalidResponse, "a result has index %d, of %d documents", res.Index, n)
		}
		if seen[res.Index] {
			return invalid(CodeInvalidResponse, "two results have index %d", res.Index)
		}
		seen[res.Index] = true
	}
	return nil
}

func checkRerank(r *RerankRequest) error {
	if r == nil {
		return invalid(CodeInvalidRequest, "the RerankRequest is nil")
	}
	if r.Extra["model"] == nil {
		if err := checkNotBlank(CodeModelRequired, "model", r.Model); err != nil {
			return err
		}
	}
	if r.Extra["query"] == nil {
		if err := checkNotBlank(CodeInvalidRequest, "query", r.Query); err != nil {
			return err
		}
	}
	switch {
	case r.Documents != nil && r.DocumentObjects != nil:
		return invalid(CodeInvalidRequest, "both Documents and DocumentObjects are set: want one")
	case len(r.Documents) == 0 && len(r.DocumentObjects) == 0 && r.Extra["documents"] == nil:
		return invalid(CodeInvalidRequest, "documents is empty: give at least one")
	}
	return checkCount("top_n", &r.TopN)
}
