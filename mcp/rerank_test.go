package mcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func rerankOf(t *testing.T, s *Server, arguments string) rerankOutput {
	t.Helper()
	var out rerankOutput
	if err := json.Unmarshal([]byte(mustText(t, s, ToolRerank, arguments)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRerankTexts(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	out := rerankOf(t, s, `{"query":"red fox","texts":["a dog","the red fox","a fox"],"top_n":2}`)
	if out.Model != "bge-reranker" || len(out.Results) != 2 || out.Results[0].Index != 1 || out.Results[1].Index != 2 ||
		out.Results[0].Text != "" {
		t.Errorf("got %+v, want text 1, then text 2, by bge-reranker", out)
	}
	one := rerankOf(t, s, `{"query":"x","texts":"one text","model":"other"}`)
	if one.Model != "other" || len(one.Results) != 1 {
		t.Errorf("one text, another model: got %+v, want one result by other", one)
	}
}

// Results of one score stay in the order of the texts.
func TestRerankTies(t *testing.T) {
	svc := newService(t)
	svc.answers["/v1/rerank"] = answered{status: 200, body: `{"model":"m","results":[{"index":2,"relevance_score":0.5},` +
		`{"index":0,"relevance_score":0.5},{"index":1,"relevance_score":0.9}]}`}
	s, _ := newTestServer(t, svc)
	out := rerankOf(t, s, `{"query":"q","texts":["a","b","c"],"top_n":3}`)
	var order []int
	for _, r := range out.Results {
		order = append(order, r.Index)
	}
	if !slices.Equal(order, []int{1, 0, 2}) {
		t.Errorf("order %v, want 1, then 0 and 2 as they were given", order)
	}
}

func TestRerankDocument(t *testing.T) {
	svc := newService(t)
	var b strings.Builder
	for i := range 600 { // more than two requests of passages
		fmt.Fprintf(&b, "## Part %d\n\nGrüße, this is passage number%d.\n\n", i, i)
	}
	svc.markdown = b.String()
	s, _ := newTestServer(t, svc)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	out := rerankOf(t, s, `{"query":"number599.","document_id":"`+id+`","top_n":3}`)
	if len(out.Results) != 3 {
		t.Fatalf("%d results, want 3", len(out.Results))
	}
	best := out.Results[0]
	if best.Index != 599 || best.Heading != "Part 599" || !strings.Contains(best.Text, "number599.") ||
		best.Offset == nil {
		t.Errorf("the best result is %+v, want the passage of part 599 with its offset", best)
	}
	text := mustText(t, s, ToolConvert, fmt.Sprintf(`{"document_id":%q,"offset":%d}`, id, *best.Offset))
	if !strings.HasPrefix(text, "## Part 599") {
		t.Errorf("the offset leads to %q, want part 599", text)
	}
	if n := len(svc.sent("/v1/rerank")); n != 3 {
		t.Errorf("%d requests for 600 passages, want 3", n)
	}
}

func TestRerankRefuses(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	wantError(t, s, ToolRerank, `{"query":"x"}`, "either texts", "document_id")
	wantError(t, s, ToolRerank, `{"query":"x","texts":["a"],"document_id":"d_1"}`, "either texts")
	wantError(t, s, ToolRerank, `{"query":" ","texts":["a"]}`, "query is blank")
	wantError(t, s, ToolRerank, `{"query":"x","texts":["a"," "]}`, "texts[1] is blank")
	wantError(t, s, ToolRerank, `{"query":"x","documents":["a"]}`, `Did you mean "texts"?`)
	wantError(t, s, ToolRerank, `{"query":"x","document_id":"d_aaaaaaaaaa"}`, "is not kept any more", "source")
	wantError(t, s, ToolRerank, `{"query":"x","texts":["a"],"model":"qwen-9b"}`, `no model "qwen-9b"`,
		"Nearest: qwen-8b, qwen-32b")
	svc.markdown = ""
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	wantError(t, s, ToolRerank, `{"query":"x","document_id":"`+id+`"}`, "holds no text")
}

// One call does not become thousands of billed requests.
func TestRerankHasALimit(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	texts := strings.TrimSuffix(strings.Repeat(`"a",`, maxRerank+1), ",")
	wantError(t, s, ToolRerank, `{"query":"x","texts":[`+texts+`]}`, "5,121", "21 billed requests", "at most 5,120")
	svc.markdown = strings.Repeat("## A\n\nSome words in a paragraph.\n\n", maxRerank+1)
	id := documentID(t, mustText(t, s, ToolConvert, `{"source":"https://example.com/a.pdf"}`))
	wantError(t, s, ToolRerank, `{"query":"x","document_id":"`+id+`"}`, "passages of", "at most 5,120", id)
	if n := len(svc.sent("/v1/rerank")); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestRerankModel(t *testing.T) {
	svc := newService(t)
	s, err := NewServer(mustClient(t, svc), WithRoots(t.TempDir()), WithEmbeddingModel("minilm"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if out := rerankOf(t, s, `{"query":"x","texts":["a"]}`); out.Model != "minilm" {
		t.Errorf("ranked by %q, want the embedding model", out.Model)
	}
	s, err = NewServer(mustClient(t, svc), WithRoots(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantError(t, s, ToolRerank, `{"query":"x","texts":["a"]}`, "no model", "--rerank-model")
}
