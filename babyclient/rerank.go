package babyclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RerankRequest is the body of POST /v1/rerank.
type RerankRequest struct {
	// Model names the model. It must be set.
	Model string `json:"model,omitempty"`
	// Query is what the documents are ranked by.
	Query string `json:"query"`
	// Documents are the texts to rank.
	Documents []string `json:"documents"`
	// DocumentObjects are documents that are not only text, instead of Documents: each a value that
	// marshals to what the engine takes, such as vLLM's {"content": [parts]}. They are sent as
	// "documents".
	DocumentObjects []any `json:"-"`
	// TopN is how many results to return; 0 means all.
	TopN int `json:"top_n,omitempty"`
	// ReturnDocuments asks that each result carries its document.
	ReturnDocuments *bool `json:"return_documents,omitzero"`
	// TruncatePromptTokens cuts query and document together to that many tokens (vLLM).
	TruncatePromptTokens *int `json:"truncate_prompt_tokens,omitzero"`

	// Extra is merged into the body last, and wins over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the request as [Client.Rerank] sends it, with Extra.
func (r RerankRequest) MarshalJSON() ([]byte, error) { return encodeBody(r.body(), r.Extra) }

// UnmarshalJSON takes documents that are texts, or any others, and keeps fields that have no name
// here in Extra.
func (r *RerankRequest) UnmarshalJSON(data []byte) error {
	var body struct {
		Documents json.RawMessage `json:"documents"`
		*rerankFields
	}
	body.rerankFields = (*rerankFields)(r)
	if err := decodeWithExtra(data, &body, &r.Extra); err != nil || isNull(body.Documents) {
		return err
	}
	if json.Unmarshal(body.Documents, &r.Documents) == nil {
		return nil
	}
	r.Documents = nil
	return json.Unmarshal(body.Documents, &r.DocumentObjects)
}

// rerankFields are the fields of a RerankRequest without its methods.
type rerankFields RerankRequest

// rerankBody is a RerankRequest as it is sent. encoding/json prefers its own fields to fields of
// the same name in the embedded struct.
type rerankBody struct {
	Model string `json:"model,omitempty"`
	*rerankFields
	Documents any `json:"documents"`
}

func (r *RerankRequest) body() *rerankBody {
	b := &rerankBody{Model: strings.TrimSpace(r.Model), rerankFields: (*rerankFields)(r), Documents: r.Documents}
	if r.DocumentObjects != nil {
		b.Documents = r.DocumentObjects
	}
	return b
}

// RerankResponse ranks the documents.
type RerankResponse struct {
	Meta
	ID    string `json:"id,omitempty"`
	Model string `json:"model"`
	// Results are sorted by RelevanceScore, best first, and equal ones by Index. There is one for
	// each document, unless TopN asked for fewer: then there are at most so many.
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
	// Document is the document, if the engine returns it or ReturnDocuments asked for it; else nil.
	Document *RerankDocument `json:"document,omitzero"`
}

// RerankDocument is a document as an engine returns it: a text, or an object with one.
type RerankDocument struct {
	Text string
	// Raw is the JSON as received.
	Raw json.RawMessage
}

// UnmarshalJSON takes a string, an object with "text", or anything else, which is then in Raw
// alone.
func (d *RerankDocument) UnmarshalJSON(data []byte) error {
	d.Raw = slices.Clone(data)
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &d.Text)
	}
	if text, ok := textOfDocument(data); ok {
		d.Text = text
		return nil
	}
	var object struct {
		Text *string `json:"text"`
	}
	if json.Unmarshal(data, &object) == nil && object.Text != nil {
		d.Text = *object.Text
	}
	return nil // a document of another form is in Raw
}

// vllmDocuments are the forms in which vLLM writes a document, around the text.
var vllmDocuments = [...]struct{ before, after []byte }{
	{[]byte(`{"text":`), []byte(`,"multi_modal":null}`)},
	{[]byte(`{"multi_modal":null,"text":`), []byte(`}`)},
	{[]byte(`{"text":`), []byte(`}`)},
}

// textOfDocument is the text of a document in one of vLLM's forms. encoding/json reads any other,
// at the cost of a second decoding: in an answer with a thousand documents that is half of the
// work.
func textOfDocument(object []byte) (string, bool) {
	for _, form := range vllmDocuments {
		quoted, hasBefore := bytes.CutPrefix(object, form.before)
		quoted, hasAfter := bytes.CutSuffix(quoted, form.after)
		if hasBefore && hasAfter && len(quoted) >= 2 && quoted[0] == '"' && quoted[len(quoted)-1] == '"' {
			return unquoteJSON(quoted)
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
	return fetch(ctx, c, req, opts, req.read)
}

func (r *RerankRequest) call(*Client) (*call, error) {
	const path = "/v1/rerank"
	if err := r.check(); err != nil {
		return refusedPost(path, err)
	}
	return newPost(path, r.body(), r.Extra)
}

func (r *RerankRequest) check() error {
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

// rerankAnswer is a RerankResponse whose results tell a missing index or score from zero.
type rerankAnswer struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Usage   *Usage `json:"usage"`
	Results []struct {
		Index          *int           `json:"index"`
		RelevanceScore *float64       `json:"relevance_score"`
		Document       RerankDocument `json:"document"` // its Raw is empty if there is none
	} `json:"results"`
}

// read decodes the answer to this request.
func (r *RerankRequest) read(raw []byte) (*RerankResponse, error) {
	var decoded rerankAnswer
	if err := decode(raw, &decoded); err != nil {
		return nil, err
	}
	if decoded.Results == nil {
		return nil, errNoField("results")
	}
	results := make([]RerankResult, len(decoded.Results))
	for i, res := range decoded.Results {
		if res.Index == nil || res.RelevanceScore == nil {
			return nil, errors.New("a result lacks its index or its relevance_score")
		}
		results[i] = RerankResult{Index: *res.Index, RelevanceScore: *res.RelevanceScore}
		if !isNull(res.Document.Raw) {
			results[i].Document = &decoded.Results[i].Document
		}
	}
	if _, ok := r.Extra["documents"]; !ok {
		documents := len(r.Documents) + len(r.DocumentObjects)
		if err := checkIndexes(results, documents); err != nil {
			return nil, err
		}
		if wantsAll := r.TopN == 0 && r.Extra["top_n"] == nil; wantsAll && len(results) < documents {
			return nil, fmt.Errorf("the answer ranks %d of %d documents, and all were asked for",
				len(results), documents)
		}
	}
	// Equal ones stay in the order of the documents.
	slices.SortFunc(results, func(a, b RerankResult) int {
		return cmp.Or(cmp.Compare(b.RelevanceScore, a.RelevanceScore), cmp.Compare(a.Index, b.Index))
	})
	if r.ReturnDocuments != nil && *r.ReturnDocuments {
		r.addDocuments(results)
	}
	out := &RerankResponse{ID: decoded.ID, Model: decoded.Model, Usage: decoded.Usage, Results: results}
	return out, checkGeneration(raw)
}

// checkIndexes makes sure that every result is of one of the documents, and none is twice.
func checkIndexes(results []RerankResult, documents int) error {
	seen := make([]bool, documents)
	for _, r := range results {
		if r.Index < 0 || r.Index >= documents {
			return fmt.Errorf("a result has index %d, of %d documents", r.Index, documents)
		}
		if seen[r.Index] {
			return fmt.Errorf("two results have index %d", r.Index)
		}
		seen[r.Index] = true
	}
	return nil
}

// addDocuments gives each result that came without its document the one of the request.
func (r *RerankRequest) addDocuments(results []RerankResult) {
	for i := range results {
		res := &results[i]
		switch {
		case res.Document != nil, res.Index < 0:
		case res.Index < len(r.Documents):
			res.Document = &RerankDocument{Text: r.Documents[res.Index]}
		case res.Index < len(r.DocumentObjects):
			raw, err := marshal(r.DocumentObjects[res.Index])
			if err == nil { // it was sent, so it encodes
				res.Document = new(RerankDocument)
				_ = res.Document.UnmarshalJSON(raw) // a document without a text has its Raw
			}
		}
	}
}
