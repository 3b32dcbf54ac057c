package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

const (
	defaultTopN = 10
	// rerankBatch is how many passages of a document go in one request. Each is scored by
	// itself, so the scores of several requests compare.
	rerankBatch = 256
)

type rerankArguments struct {
	Query      string   `json:"query" jsonschema_description:"The question to rank by, e.g. What was the net revenue in 2024?"`
	Texts      []string `json:"texts,omitempty" jsonschema_description:"The texts to rank, at least one"`
	DocumentID string   `json:"document_id,omitempty" jsonschema_description:"Instead of texts: rank the passages of a document that convert returned, e.g. d_7f3a"`
	TopN       int      `json:"top_n,omitempty" jsonschema:"minimum=1" jsonschema_description:"How many results to return, best first, e.g. 5. Default 10"`
	Model      string   `json:"model,omitempty" jsonschema_description:"Rerank model, if not the server's default, e.g. BAAI/bge-reranker-v2-m3"`
}

// rerankOutput is the structured content of rerank. Its text is the same JSON.
type rerankOutput struct {
	Model   string         `json:"model" jsonschema_description:"The model that ranked"`
	Results []rerankResult `json:"results" jsonschema_description:"Best first"`
}

type rerankResult struct {
	Index int     `json:"index" jsonschema_description:"Place in texts, or number of the passage in the document, counted from 0"`
	Score float64 `json:"relevance_score" jsonschema_description:"Higher is better; compare only within one answer"`
	Text  string  `json:"text,omitempty" jsonschema_description:"The passage of the document"`
	// For passages of a document:
	Heading string `json:"heading,omitempty" jsonschema_description:"The section that the passage is in"`
	Page    int    `json:"page,omitempty" jsonschema_description:"Page of the passage"`
	Offset  *int   `json:"offset,omitempty" jsonschema_description:"Where to read on: convert with document_id and this offset"`
}

func addRerank(s *Server) {
	addTool(s, tool{
		name:  ToolRerank,
		title: "Rank passages",
		description: "Find which of many texts, or which passages of a converted document, answer a question: by meaning, not by words. " +
			"Give query and either texts or document_id. Returns JSON: results best first with index and relevance_score; " +
			"for a document also the text, page and offset of each passage, to read on with convert. " +
			"Cheaper than reading a long document. Each call is billed.",
		idempotent: true,
		aliases: map[string]string{"question": "query", "q": "query", "search": "query", "documents": "texts", "passages": "texts", "chunks": "texts", "docs": "texts", "text": "texts",
			"id": "document_id", "docid": "document_id", "source": "document_id", "k": "top_n", "topk": "top_n", "limit": "top_n", "n": "top_n"},
		output: mustJSON(schemaOf[rerankOutput]()),
	}, s.rerank)
}

func (s *Server) rerank(ctx context.Context, r *request, a rerankArguments) (*mcpgo.CallToolResult, error) {
	if strings.TrimSpace(a.Query) == "" {
		return nil, refuse("query is blank. Give the question to rank by.")
	}
	a.DocumentID = unquote(a.DocumentID)
	if (len(a.Texts) > 0) == (a.DocumentID != "") {
		return nil, refuse("give either texts, at least one, or document_id.")
	}
	model := first(strings.TrimSpace(a.Model), s.rerankModel, s.embeddingModel)
	if model == "" {
		return nil, refuse("no model. Give model, or ask the user to start the MCP server with --rerank-model.")
	}
	if a.TopN == 0 {
		a.TopN = defaultTopN
	}
	texts := a.Texts
	var doc *document
	var passages []passage
	if a.DocumentID != "" {
		var err error
		if doc, err = s.document(ctx, r, a.DocumentID); err != nil {
			return nil, err
		}
		passages = doc.passages()
		if len(passages) == 0 {
			return nil, refuse("%s holds no text to rank.", doc.name)
		}
		for _, p := range passages {
			texts = append(texts, doc.text[p.from:p.to])
		}
	}
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			return nil, refuse("texts[%d] is blank. Leave it out.", i)
		}
	}
	out, err := s.rank(ctx, r, model, a.Query, texts, a.TopN)
	if err != nil {
		return nil, err
	}
	for i := range out.Results {
		if doc == nil {
			break
		}
		res := &out.Results[i]
		p := passages[res.Index]
		res.Text, res.Heading, res.Page = strings.TrimSpace(doc.text[p.from:p.to]), p.heading, doc.pageAt(p.from)
		res.Offset = new(doc.charOffset(p.from))
	}
	return mcpgo.NewToolResultStructured(out, string(mustJSON(out))), nil
}

// document is one that convert made.
func (s *Server) document(ctx context.Context, r *request, id string) (*document, error) {
	c := s.library.find(id)
	if c == nil {
		return nil, refuse("document_id %q is not kept any more. Call convert with source again, and then rerank with the new document_id.", clip(id))
	}
	doc, ready, err := s.await(ctx, r, c, s.wait)
	if err == nil && !ready {
		err = refuse("%s is still being converted. Call convert %s, then rerank again.", c.name, callJSON("job_id", "j_"+c.id))
	}
	return doc, err
}

// rank ranks texts in requests of rerankBatch.
func (s *Server) rank(ctx context.Context, r *request, model, query string, texts []string, topN int) (*rerankOutput, error) {
	out := &rerankOutput{Model: model, Results: []rerankResult{}}
	for done := 0; done < len(texts); done += rerankBatch {
		batch := texts[done:min(done+rerankBatch, len(texts))]
		r.progress.say(func(d time.Duration) string {
			return fmt.Sprintf("ranked %d of %d passages, %s", done, len(texts), seconds(d))
		})
		resp, err := s.client.Rerank(ctx, &babyclient.RerankRequest{Model: model, Query: query, Documents: batch, TopN: min(topN, len(batch)), ReturnDocuments: new(false)},
			babyclient.WithTimeout(inferTimeout))
		if err != nil {
			return nil, s.suggestModels(ctx, model, err)
		}
		out.Model = first(resp.Model, model)
		for _, res := range resp.Results {
			out.Results = append(out.Results, rerankResult{Index: done + res.Index, Score: res.RelevanceScore})
		}
	}
	slices.SortStableFunc(out.Results, func(a, b rerankResult) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	out.Results = out.Results[:min(topN, len(out.Results))]
	return out, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
