package babyclient_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

// stack starts the real engines on tiny models that come with the repository, and two docling
// nodes. The chat model was trained on a few dialogues that it knows by heart, with thinking and
// tools.
func stack(t *testing.T) *local.Stack {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip(
			"needs the real engines: run make test, or set BABYAPI_TEST_ENGINES=1 (the first run installs them, as go run ./cmd/babyapi-local setup does)",
		)
	}
	model := func(name string) string { return filepath.Join("..", "internal", "local", "testdata", "models", name) }
	s, err := local.Start(
		t.Context(),
		local.Config{Addr: "127.0.0.1:0", APIKey: "engine-key", DoclingNodes: 2, Messages: t.Output(),
			ChatModel: model(
				"tiny-chat.gguf",
			), EmbedModel: model("tiny-embed.gguf"), RerankModel: model("tiny-rerank.gguf")},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// both asks plainly and as a stream, and wants one answer of both.
func both(t *testing.T, c *babyclient.Client, req babyclient.ChatRequest) *babyclient.ChatResponse {
	t.Helper()
	req.Temperature, req.Seed = new(0.0), new(1)
	plain, err := c.Chat(t.Context(), &req)
	if err != nil {
		t.Fatal(err)
	}
	req.StreamOptions = &babyclient.StreamOptions{IncludeUsage: true}
	streamed, err := babyclient.Collect(c.ChatStream(t.Context(), &req))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := choicesOf(t, streamed), choicesOf(t, plain); !reflect.DeepEqual(got, want) {
		t.Errorf("the stream gave\n%v\nthe plain call\n%v", got, want)
	}
	if streamed.Usage == nil || plain.Usage == nil || streamed.Usage.CompletionTokens != plain.Usage.CompletionTokens {
		t.Errorf("usage %+v, plainly %+v", streamed.Usage, plain.Usage)
	}
	return plain
}

func TestEngines(t *testing.T) {
	s := stack(t)
	c, err := babyclient.New(
		babyclient.WithBaseURL(s.BaseURL()),
		babyclient.WithAPIKey("engine-key"),
		babyclient.WithDefaultModel("tiny-chat"),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	weather := []babyclient.Tool{
		babyclient.FunctionTool(
			"get_weather",
			"Current weather for a city",
			json.RawMessage(`{"type":"object","properties":{
		"city":{"type":"string","enum":["Paris","Oslo"]},"unit":{"type":"string","enum":["c","f"]}},"required":["city","unit"],"additionalProperties":false}`),
		),
	}

	t.Run("models", func(t *testing.T) {
		resp, err := c.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"tiny-chat", "tiny-embed", "tiny-rerank"} {
			if !slices.ContainsFunc(resp.Data, func(m babyclient.Model) bool { return m.ID == id }) {
				t.Errorf("%s is not among %+v", id, resp.Data)
			}
		}
	})
	t.Run("chat", func(t *testing.T) {
		resp := both(t, c, babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("Say hello")}})
		if resp.Text() != "Hello! How can I help you today?" || resp.FinishReason() != babyclient.FinishStop {
			t.Errorf("%+v", resp)
		}
		cut := both(
			t,
			c,
			babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("Say hello")}, MaxTokens: new(2)},
		)
		if cut.FinishReason() != babyclient.FinishLength || cut.Usage.CompletionTokens != 2 {
			t.Errorf("%+v", cut)
		}
	})
	t.Run("thinking", func(t *testing.T) {
		resp := both(
			t,
			c,
			babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("Think: what is 2+2?")}},
		)
		if !strings.Contains(resp.Reasoning(), "2 plus 2 is 4") || !strings.Contains(resp.Text(), "The answer is 4.") ||
			strings.Contains(resp.Text(), "think>") {
			t.Errorf("%q thought %q", resp.Text(), resp.Reasoning())
		}
		off := both(t, c, babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("Think: what is 2+2?")},
			Extra: map[string]any{"chat_template_kwargs": map[string]any{"enable_thinking": false}}})
		if off.Reasoning() != "" || !strings.Contains(off.Text(), "The answer is 4.") {
			t.Errorf("%q thought %q", off.Text(), off.Reasoning())
		}
	})
	t.Run("tools", func(t *testing.T) {
		req := babyclient.ChatRequest{
			Messages: []babyclient.Message{babyclient.User("What is the weather in Paris?")},
			Tools:    weather,
		}
		resp := both(t, c, req)
		if len(resp.ToolCalls()) != 1 || resp.FinishReason() != babyclient.FinishToolCalls {
			t.Fatalf("%+v", resp)
		}
		call := resp.ToolCalls()[0]
		sameJSON(t, []byte(call.Function.Arguments), `{"city":"Paris","unit":"c"}`)
		req.Messages = append(req.Messages, resp.Message(), babyclient.ToolResult(call.ID, "21 C"))
		if resp = both(t, c, req); resp.Text() != "It is 21 C in Paris." {
			t.Errorf("after the call: %q", resp.Text())
		}
		req.Messages, req.ParallelToolCalls = []babyclient.Message{
			babyclient.User("What is the weather in Paris and Oslo?"),
		}, new(
			true,
		)
		if resp = both(t, c, req); len(resp.ToolCalls()) != 2 || resp.ToolCalls()[0].ID == resp.ToolCalls()[1].ID {
			t.Errorf("calls %+v", resp.ToolCalls())
		}
		for _, choice := range []any{babyclient.ToolChoiceRequired, babyclient.ToolChoiceFunction("get_weather")} {
			resp := both(
				t,
				c,
				babyclient.ChatRequest{
					Messages:   []babyclient.Message{babyclient.User("What is the weather in Oslo?")},
					Tools:      weather,
					ToolChoice: choice,
				},
			)
			if len(resp.ToolCalls()) == 0 {
				t.Errorf("tool choice %v: %+v", choice, resp)
			}
		}
		none := both(
			t,
			c,
			babyclient.ChatRequest{
				Messages:   []babyclient.Message{babyclient.User("Say hello")},
				Tools:      weather,
				ToolChoice: babyclient.ToolChoiceNone,
			},
		)
		if len(none.ToolCalls()) != 0 {
			t.Errorf("%+v", none)
		}
	})
	t.Run("JSON schema", func(t *testing.T) {
		resp := both(
			t,
			c,
			babyclient.ChatRequest{
				Messages: []babyclient.Message{babyclient.User("Paris?")},
				ResponseFormat: babyclient.JSONSchema("city", json.RawMessage(
					`{"type":"object","properties":{"city":{"type":"string","enum":["Paris","Oslo"]},`+
						`"ok":{"type":"boolean"}},"required":["city","ok"],"additionalProperties":false}`,
				)),
			},
		)
		var city struct {
			City string
			OK   *bool
		}
		if err := json.Unmarshal([]byte(resp.Text()), &city); err != nil || city.City == "" || city.OK == nil {
			t.Errorf("%s: %v", resp.Text(), err)
		}
	})
	t.Run("logprobs", func(t *testing.T) {
		resp := both(
			t,
			c,
			babyclient.ChatRequest{
				Messages:    []babyclient.Message{babyclient.User("Say hello")},
				MaxTokens:   new(3),
				Logprobs:    new(true),
				TopLogprobs: new(2),
			},
		)
		l := resp.Choices[0].Logprobs
		if l == nil || len(l.Content) != 3 {
			t.Fatalf("%+v", resp)
		}
		for _, token := range l.Content {
			if token.Token == "" || token.Logprob > 0 || len(token.TopLogprobs) != 2 ||
				token.TopLogprobs[0].Logprob < token.TopLogprobs[1].Logprob {
				t.Errorf("%+v", token)
			}
		}
	})
	t.Run("completions", func(t *testing.T) {
		req := &babyclient.CompleteRequest{
			Prompt:      "The quick brown",
			Temperature: new(0.0),
			MaxTokens:   new(12),
			Stop:        []string{"."},
		}
		plain, err := c.Complete(t.Context(), req)
		if err != nil || !strings.Contains(plain.Text(), "fox jumps") {
			t.Fatalf("%+v, %v", plain, err)
		}
		streamed, err := babyclient.CollectCompletion(c.CompleteStream(t.Context(), req))
		if err != nil || streamed.Text() != plain.Text() ||
			streamed.Choices[0].FinishReason != plain.Choices[0].FinishReason {
			t.Errorf("%+v, %v", streamed, err)
		}
	})
	t.Run("infer", func(t *testing.T) {
		resp, err := c.Infer(
			t.Context(),
			&babyclient.InferRequest{Prompt: "Say hello", Temperature: new(0.0), MaxTokens: new(2)},
		)
		if err != nil || resp.Output == "" || resp.FinishReason != babyclient.FinishLength ||
			resp.Usage.CompletionTokens != 2 {
			t.Errorf("%+v, %v", resp, err)
		}
		loose, err := c.InferAny(t.Context(), map[string]any{"messages": hi, "temperature": 0})
		if err != nil || !bytes.Contains(loose.Raw, []byte("How can I help you")) {
			t.Errorf("InferAny: %+v, %v", loose, err)
		}
	})
	t.Run("embeddings", func(t *testing.T) {
		var vectors [][][]float32
		for _, format := range []string{"base64", "float", ""} {
			resp, err := c.Embed(
				t.Context(),
				&babyclient.EmbedRequest{
					Model:          "tiny-embed",
					Input:          []string{"a quick fox", "a program"},
					EncodingFormat: format,
				},
			)
			if err != nil || resp.Dimensions() != 64 || resp.Usage.PromptTokens == 0 {
				t.Fatalf("%q: %+v, %v", format, resp, err)
			}
			vectors = append(vectors, resp.Vectors)
		}
		for i := range vectors[0] {
			for j, x := range vectors[0][i] {
				if y := vectors[1][i][j]; math.Abs(float64(x-y)) > 1e-6 || x != vectors[2][i][j] {
					t.Fatalf("base64 gave %v, float %v", x, y)
				}
			}
		}
	})
	t.Run("rerank", func(t *testing.T) {
		documents := []string{
			"The weather in Paris is mild.",
			"The quick brown fox jumps over the lazy dog.",
			"A program is free software.",
		}
		resp, err := c.Rerank(
			t.Context(),
			&babyclient.RerankRequest{
				Model:           "tiny-rerank",
				Query:           "fox",
				Documents:       documents,
				ReturnDocuments: new(true),
			},
		)
		if err != nil || len(resp.Results) != 3 {
			t.Fatalf("%+v, %v", resp, err)
		}
		for i, r := range resp.Results {
			if r.Document.Text != documents[r.Index] || i > 0 && r.RelevanceScore > resp.Results[i-1].RelevanceScore {
				t.Errorf("%d: %+v", i, r)
			}
		}
		top, err := c.Rerank(
			t.Context(),
			&babyclient.RerankRequest{Model: "tiny-rerank", Query: "fox", Documents: documents, TopN: 1},
		)
		if err != nil || len(top.Results) != 1 || top.Results[0].Index != resp.Results[0].Index {
			t.Errorf("%+v, %v", top, err)
		}
	})
	t.Run("errors", func(t *testing.T) {
		_, unknown := c.Chat(t.Context(), &babyclient.ChatRequest{Model: "no-such-model", Messages: hi})
		if !errors.Is(unknown, babyclient.ErrNotFound) || !strings.Contains(unknown.Error(), "no-such-model") {
			t.Errorf("unknown model: %v", unknown)
		}
		_, key := c.Models(t.Context(), babyclient.WithAPIKey("wrong-key"))
		if !errors.Is(key, babyclient.ErrUnauthorized) || strings.Contains(key.Error(), "wrong-key") {
			t.Errorf("wrong key: %v", key)
		}
		_, long := babyclient.Collect(
			c.ChatStream(
				t.Context(),
				&babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User(strings.Repeat("word ", 2000))}},
			),
		)
		if !errors.Is(long, babyclient.ErrInvalidRequest) {
			t.Errorf("too long: %v", long)
		}
	})
	t.Run("a generation stopped by leaving the loop", func(t *testing.T) {
		target, err := url.Parse(s.BaseURL())
		if err != nil {
			t.Fatal(err)
		}
		noticed := make(chan bool, 1)
		proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1,
			ModifyResponse: func(r *http.Response) error { // so that the answer cannot be over before the client leaves
				r.Body = &untilLeft{ReadCloser: r.Body, left: r.Request.Context().Done()}
				return nil
			}}
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				noticed <- recover() != nil &&
					r.Context().Err() != nil
			}() // the proxy panics when its client has gone
			proxy.ServeHTTP(w, r)
		}))
		defer front.Close()
		c, err := babyclient.New(
			babyclient.WithBaseURL(front.URL),
			babyclient.WithAPIKey("engine-key"),
			babyclient.WithDefaultModel("tiny-chat"),
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range c.ChatStream(t.Context(), &babyclient.ChatRequest{Messages: hi, MaxTokens: new(450),
			Extra: map[string]any{"ignore_eos": true}}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if !<-noticed {
			t.Error("the answer went on to its end")
		}
	})
	t.Run("docling health", func(t *testing.T) {
		if h, err := c.Docling.Health(t.Context()); err != nil || h.Status != "ok" {
			t.Errorf("%+v, %v", h, err)
		}
		if h, err := c.Docling.Ready(t.Context()); err != nil || h.Status != "ok" {
			t.Errorf("%+v, %v", h, err)
		}
		if v, err := c.Docling.Version(t.Context()); err != nil || v.Versions["docling-serve"] == "" {
			t.Errorf("%+v, %v", v, err)
		}
	})
	html := babyclient.FromBytes(
		"page.html",
		[]byte("<h1>Title</h1><p>First paragraph.</p><h2>Part</h2><p>Second paragraph.</p>"),
	)
	t.Run("convert", func(t *testing.T) {
		inline := html
		inline.Inline = true
		for _, src := range []babyclient.Source{html, inline,
			babyclient.FromReader("page.html", unsized{bytes.NewReader(html.Data)}),
			babyclient.FromFile(write(t, "page.html", string(html.Data)))} {
			resp, err := c.Docling.Convert(
				t.Context(),
				&babyclient.ConvertRequest{
					Sources: sources(src),
					Options: babyclient.ConvertOptions{ToFormats: []string{"md", "text", "json"}},
				},
			)
			if err != nil {
				t.Fatal(err)
			}
			if d := resp.Document(); !strings.Contains(d.Markdown, "# Title") || !strings.Contains(d.Text, "Second") ||
				len(d.JSON) == 0 ||
				d.Status != "success" {
				t.Errorf("%+v", d)
			}
		}
		several, err := c.Docling.Convert(
			t.Context(),
			&babyclient.ConvertRequest{
				Sources: sources(html, babyclient.FromBytes("other.md", []byte("# Other\n\ntext"))),
			},
		)
		if err != nil || len(several.Documents) != 2 {
			t.Errorf("%+v, %v", several, err)
		}
		_, err = c.Docling.Convert(
			t.Context(),
			&babyclient.ConvertRequest{Sources: sources(babyclient.FromBytes("broken.pdf", []byte("no PDF")))},
		)
		if d, ok := errors.AsType[*babyclient.DocumentError](err); !ok || d.Status != "failure" || len(d.Errors) == 0 {
			t.Errorf("a broken document: %v", err)
		}
	})
	t.Run("chunk", func(t *testing.T) {
		for _, chunker := range []string{babyclient.ChunkerHybrid, babyclient.ChunkerHierarchical} {
			resp, err := c.Docling.Chunk(
				t.Context(),
				&babyclient.ChunkRequest{Sources: sources(html), Chunker: chunker},
			)
			if err != nil || len(resp.Chunks) == 0 || !strings.Contains(resp.Chunks[0].Text, "Title") {
				t.Errorf("%s: %+v, %v", chunker, resp, err)
			}
		}
	})
	t.Run("jobs on two nodes", func(t *testing.T) {
		nodes := map[string]string{}
		for range 4 {
			job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{Sources: sources(html)})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Docling.ConvertJob(job.ID, job.Node).Wait(t.Context())
			if err != nil || !strings.Contains(resp.Document().Markdown, "# Title") {
				t.Errorf("%+v, %v", resp, err)
			}
			nodes[job.Node] = job.ID
		}
		if len(nodes) != 2 {
			t.Fatalf("the jobs ran on %v", nodes)
		}
		// The other node does not know the job.
		names := slices.Collect(func(yield func(string) bool) {
			for name := range nodes {
				if !yield(name) {
					return
				}
			}
		})
		if _, err := c.Docling.ConvertJob(nodes[names[0]], names[1]).Status(t.Context()); !errors.Is(
			err,
			babyclient.ErrTaskLost,
		) {
			t.Errorf("the wrong node: %v", err)
		}
		chunks, err := c.Docling.StartChunk(t.Context(), &babyclient.ChunkRequest{Sources: sources(html)})
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := chunks.Wait(t.Context()); err != nil || len(resp.Chunks) == 0 {
			t.Errorf("%+v, %v", resp, err)
		}
	})
	t.Run("100 pages, side by side, and cancelled", func(t *testing.T) {
		pdf := babyclient.FromBytes("hundred.pdf", manyPages(100))
		src := []babyclient.Source{
			pdf,
			html,
			babyclient.FromBytes("broken.pdf", []byte("no PDF")),
			babyclient.FromBytes("note.md", []byte("# Note")),
		}
		var last babyclient.BatchProgress
		i, failed := 0, 0
		for doc, err := range c.Docling.ConvertAll(t.Context(),
			&babyclient.ConvertAllRequest{Sources: src,
				Options:      babyclient.ConvertOptions{ToFormats: []string{"md", "json"}, DoOCR: new(false)},
				BatchOptions: babyclient.BatchOptions{Progress: func(p babyclient.BatchProgress) { last = p }}}) {
			if err != nil {
				failed++
			} else if i == 0 {
				for _, want := range []string{"This is page 1 of", "This is page 50 of", "This is page 100 of"} {
					if !strings.Contains(doc.Markdown, want) {
						t.Errorf("%q is not in the Markdown of %d bytes", want, len(doc.Markdown))
					}
				}
			}
			i++
		}
		if i != 4 || failed != 1 || last.Done != 4 || last.Pages < 100 {
			t.Errorf("%d documents, %d failed, %+v", i, failed, last)
		}
		job, err := c.Docling.StartConvert(t.Context(), &babyclient.ConvertRequest{Sources: sources(pdf)})
		if err != nil {
			t.Fatal(err)
		}
		if status, err := job.Cancel(t.Context()); err != nil || !status.Failed() {
			t.Errorf("%+v, %v", status, err)
		}
		if _, err := job.Wait(t.Context()); !errors.Is(err, babyclient.ErrTaskFailed) ||
			!strings.Contains(err.Error(), "cancelled") {
			t.Errorf("after the cancel: %v", err)
		}
	})
	t.Run("cancelled context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		job, err := c.Docling.StartConvert(
			ctx,
			&babyclient.ConvertRequest{Sources: sources(babyclient.FromBytes("hundred.pdf", manyPages(100)))},
		)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := job.Wait(ctx, babyclient.OnPoll(func(*babyclient.JobStatus) { cancel() })); !errors.Is(
			err,
			context.Canceled,
		) {
			t.Errorf("err = %v", err)
		}
		if resp, err := job.Wait(t.Context()); err != nil || !strings.Contains(resp.Document().Markdown, "page 100") {
			t.Errorf("waited for again: %v", err)
		}
	})
}

// untilLeft gives the first piece of an answer and no more until the client has left.
type untilLeft struct {
	io.ReadCloser
	left  <-chan struct{}
	begun bool
}

func (u *untilLeft) Read(p []byte) (int, error) {
	if u.begun {
		<-u.left
		return 0, context.Canceled
	}
	u.begun = true
	return u.ReadCloser.Read(p)
}

// manyPages is a PDF with a line of text on each of n pages.
func manyPages(n int) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(offsets)}, args...)...)
	}
	b.WriteString("%PDF-1.4\n")
	var kids strings.Builder
	for i := range n {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Count %d /Kids [%s] >>", n, kids.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for i := range n {
		text := fmt.Sprintf("BT /F1 18 Tf 72 720 Td (This is page %d of %d.) Tj ET", i+1, n)
		object(
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
			5+2*i,
		)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return b.Bytes()
}
