package babyclient_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// packed is a vector as base64 of little-endian float32.
func packed(v ...float32) string {
	b, _ := binary.Append(nil, binary.LittleEndian, v)
	return `"` + base64.StdEncoding.EncodeToString(b) + `"`
}

func embeddings(vectors ...string) string {
	var data []string
	for i, v := range vectors {
		data = append(data, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, v))
	}
	return `{"id":"e1","object":"list","model":"m","data":[` + strings.Join(
		data,
		",",
	) + `],"usage":{"prompt_tokens":2,"total_tokens":2}}`
}

func TestEmbedBody(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/embeddings", babytest.JSON(200, embeddings(packed(1, 2))))
	c := client(srv)
	tests := []struct {
		req  babyclient.EmbedRequest
		want string
	}{
		{
			babyclient.EmbedRequest{Model: " m ", Input: []string{"a"}},
			`{"model":"m","input":["a"],"encoding_format":"base64"}`,
		},
		{
			babyclient.EmbedRequest{Model: "m", InputTokens: [][]int{{1, 2}}, EncodingFormat: "float", User: "u"},
			`{"model":"m","input":[[1,2]],"encoding_format":"float","user":"u"}`,
		},
		{babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, Dimensions: new(2), TruncatePromptTokens: new(-1)},
			`{"model":"m","input":["a"],"encoding_format":"base64","dimensions":2,"truncate_prompt_tokens":-1}`},
		{
			babyclient.EmbedRequest{
				Extra: map[string]any{"model": "x", "input": "a", "encoding_format": "base64", "more": 1},
			},
			`{"model":"x","input":"a","encoding_format":"base64","more":1}`,
		},
	}
	for _, tt := range tests {
		resp, err := c.Embed(t.Context(), &tt.req)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, seen(t, srv).Body, tt.want)
		if !reflect.DeepEqual(resp.Vectors, [][]float32{{1, 2}}) || resp.Dimensions() != 2 ||
			resp.Usage.TotalTokens != 2 ||
			resp.ID != "e1" ||
			resp.Model != "m" {
			t.Errorf("%+v", resp)
		}
	}
	if (&babyclient.EmbedResponse{}).Dimensions() != 0 {
		t.Error("no vectors have dimensions")
	}
}

// Vectors come in either form, in any order.
func TestEmbedVectors(t *testing.T) {
	tests := map[string]struct {
		answer string
		err    string // part of the error; empty: vectors 1,2 and 3,4
	}{
		"base64": {embeddings(packed(1, 2), packed(3, 4)), ""},
		"float":  {embeddings(`[1,2.0]`, `[3e0, 4]`), ""},
		"mixed":  {embeddings(packed(1, 2), `[3,4]`), ""},
		"shuffled": {
			`{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}]}`,
			"",
		},
		"without index": {`{"data":[{"embedding":[1,2]},{"embedding":[3,4]}]}`, ""},
		"missing":       {embeddings(`[1,2]`), "1 vectors for 2 inputs"},
		"one too many":  {embeddings(`[1,2]`, `[3,4]`, `[5,6]`), "3 vectors for 2 inputs"},
		"double": {
			`{"data":[{"index":1,"embedding":[3,4]},{"index":1,"embedding":[1,2]}]}`,
			"two vectors have index 1",
		},
		"index out of range": {
			`{"data":[{"index":0,"embedding":[3,4]},{"index":7,"embedding":[1,2]}]}`,
			"index 7",
		},
		"negative index": {
			`{"data":[{"index":-1,"embedding":[3,4]},{"index":0,"embedding":[1,2]}]}`,
			"index -1",
		},
		"longer":                             {embeddings(`[1,2]`, `[3,4,5]`), "3 dimensions, another has 2"},
		"shorter":                            {embeddings(`[1,2]`, `[3]`), "1 dimensions, another has 2"},
		"empty":                              {embeddings(`[1,2]`, `[]`), "empty"},
		"both empty":                         {embeddings(`""`, `""`), "empty"},
		"null":                               {embeddings(`[1,2]`, `null`), "vector 1"},
		"null in a vector":                   {embeddings(`[1,2]`, `[3,null]`), "finite"},
		"NaN":                                {embeddings(packed(1, 2), packed(3, float32(math.NaN()))), "finite"},
		"infinite":                           {embeddings(packed(1, 2), packed(float32(math.Inf(-1)), 3)), "finite"},
		"too large for 32 bit":               {embeddings(`[1,2]`, `[3,1e39]`), "vector 1"},
		"odd bytes":                          {embeddings(`"AAAA"`, packed(3, 4)), "float32"},
		"bad base64":                         {embeddings(`"!!!!"`, packed(3, 4)), "base64"},
		"bad number":                         {embeddings(`[1,2]`, `[3,"4"]`), "vector 1"},
		"an object":                          {embeddings(`[1,2]`, `{"a":1}`), "vector 1"},
		"nested, as llama.cpp's /embeddings": {embeddings(`[[1,2]]`, `[[3,4]]`), "vector 0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := server(t)
			srv.On("POST /v1/embeddings", babytest.JSON(200, tt.answer))
			resp, err := client(srv).Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a", "b"}})
			if tt.err == "" {
				if err != nil || !reflect.DeepEqual(resp.Vectors, [][]float32{{1, 2}, {3, 4}}) {
					t.Errorf("%v, %v", resp, err)
				}
				return
			}
			if !errors.Is(err, babyclient.ErrInvalidResponse) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("err = %v, want %q", err, tt.err)
			}
			if n := len(srv.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// One vector must not write into the next.
func TestEmbedVectorsAreApart(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/embeddings", babytest.JSON(200, embeddings(packed(1, 2), packed(3, 4))))
	resp, err := client(srv).Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = append(resp.Vectors[0], 99)
	if resp.Vectors[1][0] != 3 {
		t.Errorf("vectors %v", resp.Vectors)
	}
}

func TestEmbedIgnoredDimensions(t *testing.T) {
	srv := server(t)
	srv.On("POST /v1/embeddings", babytest.JSON(200, embeddings(packed(1, 2))))
	_, err := client(
		srv,
	).Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, Dimensions: new(1)})
	if !errors.Is(err, babyclient.ErrInvalidResponse) || !strings.Contains(err.Error(), "Dimensions") {
		t.Errorf("err = %v", err)
	}
}

// A service that refuses base64 is asked again for numbers, and for those at once from then on.
func TestEmbedFallback(t *testing.T) {
	formats := func(srv *babytest.Server) (out []string) {
		for _, r := range srv.Requests() {
			var body struct {
				EncodingFormat string `json:"encoding_format"`
			}
			_ = r.JSON(&body) // an empty one is seen in the comparison
			out = append(out, body.EncodingFormat)
		}
		return out
	}
	refuses := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := babytest.JSON(200, embeddings(`[1,2]`))
			buf := make([]byte, 1000)
			if n, _ := r.Body.Read(buf); strings.Contains(string(buf[:n]), `"base64"`) {
				h = babytest.JSON(status, body)
			}
			h.ServeHTTP(w, r)
		})
	}
	embed := func(c *babyclient.Client, format string) error {
		_, err := c.Embed(
			t.Context(),
			&babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, EncodingFormat: format},
		)
		return err
	}
	for _, answer := range []http.Handler{refuses(400, `{"error":{"message":"encoding_format must be float"}}`),
		refuses(422, `{"detail":[{"loc":["body","encoding_format"]}]}`),
		refuses(400, `{"error":"BASE64 is not supported"}`)} {
		srv := server(t)
		srv.On("POST /v1/embeddings", answer)
		c := client(srv)
		for range 3 {
			if err := embed(c, ""); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(formats(srv), " "); got != "base64 float float float" {
			t.Errorf("asked for %s", got)
		}
		if err := embed(c, "base64"); fails(t, err).StatusCode < 400 { // asked for by name, it is not replaced
			t.Errorf("err = %v", err)
		}
		if err := embed(client(srv), ""); err != nil || len(srv.Requests()) != 7 {
			t.Errorf("another client: %d requests, %v", len(srv.Requests()), err)
		}
	}
	srv := server(t)
	srv.On("POST /v1/embeddings", babytest.JSON(400, `{"error":{"message":"input is too long"}}`))
	if err := embed(client(srv), ""); !errors.Is(err, babyclient.ErrInvalidRequest) || len(srv.Requests()) != 1 {
		t.Errorf("another 400: %d requests, %v", len(srv.Requests()), err)
	}
	srv = server(t) // one that refuses all: the fallback is not remembered
	srv.On(
		"POST /v1/embeddings",
		babytest.JSON(400, `{"error":{"message":"bad encoding_format"}}`),
		babytest.JSON(400, `{"error":{"message":"bad model"}}`),
		babytest.JSON(200, embeddings(packed(1))),
	)
	c := client(srv)
	if err := embed(c, ""); err == nil || embed(c, "") != nil || formats(srv)[2] != "base64" {
		t.Errorf("asked for %v", formats(srv))
	}
}

func TestBadEmbedAndRerankInput(t *testing.T) {
	srv := server(t)
	c := client(srv) // its default model is not for these
	embed := func(r *babyclient.EmbedRequest) error { _, err := c.Embed(t.Context(), r); return err }
	rerank := func(r *babyclient.RerankRequest) error { _, err := c.Rerank(t.Context(), r); return err }
	tests := []struct {
		name, code, says string
		err              error
	}{
		{"nil embed", babyclient.CodeInvalidRequest, "nil", embed(nil)},
		{"no model", babyclient.CodeModelRequired, "model", embed(&babyclient.EmbedRequest{Input: []string{"a"}})},
		{"no input", babyclient.CodeInvalidRequest, "input", embed(&babyclient.EmbedRequest{Model: "m"})},
		{
			"empty input",
			babyclient.CodeInvalidRequest,
			"input",
			embed(&babyclient.EmbedRequest{Model: "m", Input: []string{}}),
		},
		{
			"both inputs",
			babyclient.CodeInvalidRequest,
			"InputTokens",
			embed(&babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, InputTokens: [][]int{{1}}}),
		},
		{
			"no tokens",
			babyclient.CodeInvalidRequest,
			"[1]",
			embed(&babyclient.EmbedRequest{Model: "m", InputTokens: [][]int{{1}, {}}}),
		},
		{
			"dimensions",
			babyclient.CodeInvalidRequest,
			"dimensions is 0",
			embed(&babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, Dimensions: new(0)}),
		},
		{
			"format",
			babyclient.CodeInvalidRequest,
			`"bytes"`,
			embed(&babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, EncodingFormat: "bytes"}),
		},
		{
			"unencodable",
			babyclient.CodeInvalidRequestBody,
			"Extra[x]",
			embed(&babyclient.EmbedRequest{Model: "m", Input: []string{"a"}, Extra: map[string]any{"x": math.NaN()}}),
		},
		{"nil rerank", babyclient.CodeInvalidRequest, "nil", rerank(nil)},
		{
			"no model",
			babyclient.CodeModelRequired,
			"model",
			rerank(&babyclient.RerankRequest{Query: "q", Documents: []string{"a"}}),
		},
		{
			"no query",
			babyclient.CodeInvalidRequest,
			"query",
			rerank(&babyclient.RerankRequest{Model: "m", Query: " ", Documents: []string{"a"}}),
		},
		{
			"no documents",
			babyclient.CodeInvalidRequest,
			"documents",
			rerank(&babyclient.RerankRequest{Model: "m", Query: "q"}),
		},
		{
			"both documents",
			babyclient.CodeInvalidRequest,
			"DocumentObjects",
			rerank(
				&babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}, DocumentObjects: []any{1}},
			),
		},
		{
			"top_n",
			babyclient.CodeInvalidRequest,
			"top_n is -1",
			rerank(&babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a"}, TopN: -1}),
		},
		{
			"unencodable",
			babyclient.CodeInvalidRequestBody,
			"func",
			rerank(&babyclient.RerankRequest{Model: "m", Query: "q", DocumentObjects: []any{func() {}}}),
		},
	}
	for _, tt := range tests {
		if e := fails(t, tt.err); e.Code != tt.code || !strings.Contains(tt.err.Error(), tt.says) {
			t.Errorf("%s: code %s, %v", tt.name, e.Code, tt.err)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestRerank(t *testing.T) {
	srv := server(t)
	srv.On(
		"POST /v1/rerank",
		babytest.JSON(
			200,
			`{"id":"r","model":"m","usage":{"total_tokens":9},"results":[{"index":2,"relevance_score":-3.5},
		{"index":0,"relevance_score":0.25,"document":{"text":"from the engine","multi_modal":null}},{"index":1,"relevance_score":0.5,"document":"a string"}]}`,
		),
	)
	c := client(srv)
	resp, err := c.Rerank(
		t.Context(),
		&babyclient.RerankRequest{
			Model:                " m ",
			Query:                "q",
			Documents:            []string{"a", "b", "c"},
			ReturnDocuments:      new(true),
			TruncatePromptTokens: new(5),
			Extra:                map[string]any{"use_activation": false},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(
		t,
		seen(t, srv).Body,
		`{"model":"m","query":"q","documents":["a","b","c"],"return_documents":true,"truncate_prompt_tokens":5,`+
			`"use_activation":false}`,
	)
	var got []string
	for _, r := range resp.Results {
		got = append(got, fmt.Sprintf("%d %g %s", r.Index, r.RelevanceScore, r.Document.Text))
	}
	if s := strings.Join(got, ", "); s != "1 0.5 a string, 0 0.25 from the engine, 2 -3.5 c" {
		t.Errorf("results %s", s)
	}
	objects := []any{map[string]any{"text": "one"}, map[string]any{"content": []any{}}, "three"}
	if resp, err = c.Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", DocumentObjects: objects,
		TopN: 3, ReturnDocuments: new(true)}); err != nil {
		t.Fatal(err)
	}
	sameJSON(
		t,
		seen(t, srv).Body,
		`{"model":"m","query":"q","documents":[{"text":"one"},{"content":[]},"three"],"top_n":3,`+
			`"return_documents":true}`,
	)
	if d := resp.Results[2].Document; d == nil || d.Text != "three" {
		t.Errorf("the document that the engine left out: %+v", d)
	}
	if resp, err = c.Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q",
		Documents: []string{"a", "b", "c"}}); err != nil ||
		resp.Results[2].Document != nil {
		t.Errorf("a document that was not asked for: %+v, %v", resp, err)
	}
}

func TestRerankRefuses(t *testing.T) {
	for answer, says := range map[string]string{
		`{"results":[{"index":0,"relevance_score":1},{"index":0,"relevance_score":2}]}`: "two results have index 0",
		`{"results":[{"index":2,"relevance_score":1}]}`:                                 "index 2, of 2 documents",
		`{"results":[{"index":-1,"relevance_score":1}]}`:                                "index -1",
		`{"results":[{"index":0}]}`:                                                     "relevance_score",
		`{"results":[{"relevance_score":1}]}`:                                           "index",
		`{"results":null}`:                                                              "no results",
		`[{"index":0,"score":1}]`:                                                       "JSON",
	} {
		srv := server(t)
		srv.On("POST /v1/rerank", babytest.JSON(200, answer))
		_, err := client(
			srv,
		).Rerank(t.Context(), &babyclient.RerankRequest{Model: "m", Query: "q", Documents: []string{"a", "b"}})
		if !errors.Is(err, babyclient.ErrInvalidResponse) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", answer, err, says)
		}
	}
}

// One client serves many goroutines, each its own answer.
func TestConcurrentUse(t *testing.T) {
	srv := server(t)
	echo := func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Prompt, Input any }
		buf := make([]byte, 1000)
		n, _ := r.Body.Read(buf)
		for i := range 100 {
			if strings.Contains(string(buf[:n]), fmt.Sprintf("<%d>", i)) {
				body.Prompt = i
			}
		}
		switch r.URL.Path {
		case "/v1/chat/completions":
			babytest.Stream(delta(fmt.Sprint(body.Prompt))).ServeHTTP(w, r)
		case "/v1/embeddings":
			babytest.JSON(200, embeddings(fmt.Sprintf("[%v]", body.Prompt))).ServeHTTP(w, r)
		default:
			babytest.JSON(200, fmt.Sprintf(`{"output":"%v"}`, body.Prompt)).ServeHTTP(w, r)
		}
	}
	srv.On("/", http.HandlerFunc(echo))
	c := client(srv)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			mark, want := fmt.Sprintf("<%d>", i), fmt.Sprint(i)
			resp, err := c.Infer(t.Context(), &babyclient.InferRequest{Prompt: mark})
			if err != nil || resp.Output != want {
				t.Errorf("infer %d: %v, %v", i, resp, err)
			}
			chat, err := babyclient.Collect(
				c.ChatStream(
					t.Context(),
					&babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User(mark)}},
				),
			)
			if err != nil || chat.Text() != want {
				t.Errorf("stream %d: %v, %v", i, chat, err)
			}
			e, err := c.Embed(t.Context(), &babyclient.EmbedRequest{Model: "m", Input: []string{mark}})
			if err != nil || e.Vectors[0][0] != float32(i) {
				t.Errorf("embed %d: %v, %v", i, e, err)
			}
		})
	}
	wg.Wait()
}
