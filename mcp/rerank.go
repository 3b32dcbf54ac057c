package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

const (
	defaultTopN = 10
	// rerankBatch is how many texts go in one request. Each is scored by itself, so the scores of
	// several requests compare.
	rerankBatch = 256
	// maxRerank is how many texts a call ranks: 20 requests, each of which is billed.
	maxRerank = 20 * rerankBatch
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

// rerankTool ranks texts and passages of documents.
type rerankTool struct {
	documents *documents
	model     string // of calls that name none, "" for none
}

func (t rerankTool) addTo(s toolServer) {
	addTool(s, tool{
		name:  ToolRerank,
		title: "Rank passages",
		description: "Find which of many texts, or which passages of a converted document, answer a question: " +
			"by meaning, not by words. Give query and either texts or document_id. " +
			"Returns JSON: results best first with index and relevance_score; " +
			"for a document also the text, page and offset of each passage, to read on with convert. " +
			"Each 256 texts are one billed request; at most 5,120.",
		idempotent: true,
		output:     mustJSON(schemaOf[rerankOutput]()),
		aliases: map[string]string{
			"query":       "question q search",
			"texts":       "documents passages chunks docs text",
			"document_id": "id docid source",
			"top_n":       "k topk limit n",
		},
	}, t.run)
}

func (t rerankTool) run(ctx context.Context, p *progress, a rerankArguments) (*mcpgo.CallToolResult, error) {
	if strings.TrimSpace(a.Query) == "" {
		return nil, refuse("query is blank. Give the question to rank by.")
	}
	id := unquote(a.DocumentID)
	if (len(a.Texts) > 0) == (id != "") {
		return nil, refuse("give either texts, at least one, or document_id.")
	}
	model := cmp.Or(strings.TrimSpace(a.Model), t.model)
	if model == "" {
		return nil, refuse("no model. Give model, or ask the user to start the MCP server with --rerank-model.")
	}
	texts := a.Texts
	var doc *document
	var passages []passage
	if id != "" {
		var err error
		if doc, err = t.document(ctx, p, id); err != nil {
			return nil, err
		}
		passages = doc.passages()
		if len(passages) == 0 {
			return nil, refuse("%s holds no text to rank.", doc.name)
		}
		for _, passage := range passages {
			texts = append(texts, doc.text[passage.from:passage.to])
		}
	}
	if len(texts) > maxRerank {
		return nil, refuse("%s are %s to rank, in %s billed requests; one call ranks at most %s. %s",
			cmp.Or(docName(doc), "texts"), number(len(texts)), number((len(texts)+rerankBatch-1)/rerankBatch),
			number(maxRerank), narrow(doc))
	}
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			return nil, refuse("texts[%d] is blank. Leave it out.", i)
		}
	}
	out, err := t.rank(ctx, p, &babyclient.RerankRequest{
		Model: model, Query: a.Query, Documents: texts, TopN: cmp.Or(a.TopN, defaultTopN), ReturnDocuments: new(false),
	})
	if err != nil {
		return nil, err
	}
	if doc != nil {
		for i := range out.Results {
			out.Results[i].describe(doc, passages)
		}
	}
	return mcpgo.NewToolResultStructured(out, string(mustJSON(out))), nil
}

// docName is whose passages they are, "" for texts of the call.
func docName(d *document) string {
	if d == nil {
		return ""
	}
	return "the passages of " + d.name
}

// narrow says how to rank fewer.
func narrow(d *document) string {
	if d == nil {
		return "Give fewer texts, or several calls."
	}
	return fmt.Sprintf("Find the part by outline or search first: convert %s, then rank its paragraphs as texts.",
		callJSON("document_id", d.id, "outline", true))
}

// describe says which passage of the document a result is.
func (r *rerankResult) describe(doc *document, passages []passage) {
	p := passages[r.Index]
	r.Text, r.Heading = strings.TrimSpace(doc.text[p.from:p.to]), p.heading
	r.Page, r.Offset = doc.pageAt(p.from), new(doc.charOffset(p.from))
}

// document waits for a document that convert made.
func (t rerankTool) document(ctx context.Context, p *progress, id string) (*document, error) {
	c := t.documents.library.find(id)
	if c == nil {
		return nil, refuse("document_id %q is not kept any more. "+
			"Call convert with source again, and then rerank with the new document_id.", clip(id))
	}
	doc, err := t.documents.await(ctx, p, c, t.documents.wait)
	if unfinished, ok := errors.AsType[*unfinishedError](err); ok {
		return nil, refuse("%s is still being converted. Call convert %s, then rerank again.",
			unfinished.name, callJSON("job_id", unfinished.jobID))
	}
	return doc, err
}

// rank answers a request that can have more texts than the service takes at once.
func (t rerankTool) rank(ctx context.Context, p *progress, whole *babyclient.RerankRequest) (*rerankOutput, error) {
	out := &rerankOutput{Model: whole.Model, Results: []rerankResult{}}
	for done := 0; done < len(whole.Documents); done += rerankBatch {
		batch := whole.Documents[done:min(done+rerankBatch, len(whole.Documents))]
		p.say(func(elapsed time.Duration) string {
			return fmt.Sprintf("ranked %d of %d passages, %s", done, len(whole.Documents), seconds(elapsed))
		})
		req := *whole
		req.Documents, req.TopN = batch, min(whole.TopN, len(batch))
		resp, err := t.documents.client.Rerank(ctx, &req, babyclient.WithTimeout(modelTimeout))
		if err != nil {
			return nil, suggestModels(ctx, t.documents.client, whole.Model, err)
		}
		out.Model = cmp.Or(resp.Model, whole.Model)
		for _, r := range resp.Results {
			out.Results = append(out.Results, rerankResult{Index: done + r.Index, Score: r.RelevanceScore})
		}
	}
	// Stable: results of one score stay in the order of the texts, also across several requests.
	slices.SortStableFunc(out.Results, func(a, b rerankResult) int { return cmp.Compare(b.Score, a.Score) })
	out.Results = out.Results[:min(whole.TopN, len(out.Results))]
	return out, nil
}
