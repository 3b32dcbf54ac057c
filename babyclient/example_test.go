package babyclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// service is a stand-in for BabyAPI, so that the examples run anywhere.
func service(pattern string, answers ...http.Handler) (client *babyclient.Client, closeServer func()) {
	srv := babytest.NewServer()
	srv.On(pattern, answers...)
	return srv.Client(), srv.Close
}

func ExampleNew() {
	// Without options the key comes from BABYAPI_API_KEY.
	client, err := babyclient.New(
		babyclient.WithAPIKey("my-key"),
		babyclient.WithDefaultModel("Qwen/Qwen3-8B"),
		babyclient.WithTimeout(5*time.Minute),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()
	fmt.Println(client.BaseURL())
	// Output: https://api.babyapi.org
}

func ExampleClient_Chat() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(
			200,
			`{"choices":[{"index":0,"message":{"role":"assistant","content":"Scattering."},"finish_reason":"stop"}]}`,
		),
	)
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{
		Model:       "Qwen/Qwen3-8B",
		Messages:    []babyclient.Message{babyclient.User("Why is the sky blue? One word.")},
		Temperature: new(0.0),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text(), resp.FinishReason())
	// Output: Scattering. stop
}

func ExampleClient_Chat_tools() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(
			200,
			`{"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"call-1","type":"function",`+
				`"function":{"name":"weather","arguments":"{\"city\":\"Paris\"}"}}]},"finish_reason":"tool_calls"}]}`,
		),
		babytest.JSON(
			200,
			`{"choices":[{"message":{"role":"assistant","content":"It is 12 degrees in Paris."},`+
				`"finish_reason":"stop"}]}`,
		),
	)
	defer done()

	req := &babyclient.ChatRequest{
		Model:    "Qwen/Qwen3-8B",
		Messages: []babyclient.Message{babyclient.User("How warm is it in Paris?")},
		Tools: []babyclient.Tool{babyclient.FunctionTool("weather", "The temperature in a city", map[string]any{
			"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}},
			"required": []string{"city"},
		})},
	}
	for {
		resp, err := client.Chat(context.Background(), req)
		if err != nil {
			log.Fatal(err)
		}
		if len(resp.ToolCalls()) == 0 {
			fmt.Println(resp.Text())
			return
		}
		req.Messages = append(req.Messages, resp.Message())
		for _, call := range resp.ToolCalls() {
			fmt.Println(call.Function.Name, call.Function.Arguments)
			req.Messages = append(req.Messages, babyclient.ToolResult(call.ID, "12 degrees"))
		}
	}
	// Output:
	// weather {"city":"Paris"}
	// It is 12 degrees in Paris.
}

func ExampleClient_Chat_jsonSchema() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":"{\"city\":\"Paris\"}"}}]}`),
	)
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{
		Model:    "Qwen/Qwen3-8B",
		Messages: []babyclient.Message{babyclient.User("The capital of France?")},
		ResponseFormat: babyclient.JSONSchema(
			"answer",
			map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
		),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	// Output: {"city":"Paris"}
}

func ExampleClient_ChatStream() {
	client, done := service("POST /v1/chat/completions", babytest.Stream(
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}`))
	defer done()

	req := &babyclient.ChatRequest{Model: "Qwen/Qwen3-8B", Messages: []babyclient.Message{babyclient.User("Say hello")}}
	for chunk, err := range client.ChatStream(context.Background(), req) {
		if err != nil {
			log.Fatal(err)
		}
		if chunk.Err() != nil { // this event could not be decoded; the stream goes on
			log.Fatal(chunk.Err())
		}
		fmt.Print(chunk.Text(), "|")
	}
	fmt.Println()
	// Output: Hel|lo|
}

func ExampleCollect() {
	client, done := service("POST /v1/chat/completions", babytest.Stream(
		`{"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}`))
	defer done()

	req := &babyclient.ChatRequest{Model: "Qwen/Qwen3-8B", Messages: []babyclient.Message{babyclient.User("Say hello")}}
	resp, err := babyclient.Collect(client.ChatStream(context.Background(), req))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text(), resp.FinishReason())
	// Output: Hello stop
}

func ExampleClient_Complete() {
	client, done := service(
		"POST /v1/completions",
		babytest.JSON(200, `{"choices":[{"index":0,"text":" jumps","finish_reason":"length"}]}`),
	)
	defer done()

	resp, err := client.Complete(
		context.Background(),
		&babyclient.CompleteRequest{Model: "Qwen/Qwen3-8B", Prompt: "The quick brown fox", MaxTokens: new(1)},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", resp.Text())
	// Output: " jumps"
}

func ExampleClient_CompleteStream() {
	client, done := service(
		"POST /v1/completions",
		babytest.Stream(`{"choices":[{"index":0,"text":" jumps"}]}`, `{"choices":[{"index":0,"text":" over"}]}`),
	)
	defer done()

	for chunk, err := range client.CompleteStream(context.Background(),
		&babyclient.CompleteRequest{Model: "Qwen/Qwen3-8B", Prompt: "The quick brown fox"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", chunk.Text())
	}
	// Output:
	// " jumps"
	// " over"
}

func ExampleCollectCompletion() {
	client, done := service(
		"POST /v1/completions",
		babytest.Stream(`{"choices":[{"index":0,"text":" jumps"}]}`, `{"choices":[{"index":0,"text":" over"}]}`),
	)
	defer done()

	stream := client.CompleteStream(
		context.Background(),
		&babyclient.CompleteRequest{Model: "Qwen/Qwen3-8B", Prompt: "The quick brown fox"},
	)
	resp, err := babyclient.CollectCompletion(stream)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", resp.Text())
	// Output: " jumps over"
}

func ExampleClient_Embed() {
	client, done := service(
		"POST /v1/embeddings",
		babytest.JSON(200, `{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`),
	)
	defer done()

	resp, err := client.Embed(
		context.Background(),
		&babyclient.EmbedRequest{Model: "BAAI/bge-m3", Input: []string{"first", "second"}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Vectors, resp.Dimensions()) // in the order of the inputs, whatever that of the answer
	// Output: [[1 0] [0 1]] 2
}

func ExampleClient_Rerank() {
	client, done := service(
		"POST /v1/rerank",
		babytest.JSON(200, `{"results":[{"index":0,"relevance_score":0.1},{"index":1,"relevance_score":0.9}]}`),
	)
	defer done()

	resp, err := client.Rerank(context.Background(), &babyclient.RerankRequest{
		Model:           "BAAI/bge-reranker-v2-m3",
		Query:           "How high is the Eiffel Tower?",
		Documents:       []string{"Paris has cafés.", "The tower is 330 m high."},
		ReturnDocuments: new(true),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range resp.Results {
		fmt.Println(r.RelevanceScore, r.Document.Text)
	}
	// Output:
	// 0.9 The tower is 330 m high.
	// 0.1 Paris has cafés.
}

func ExampleClient_Infer() {
	client, done := service("POST /infer", babytest.JSON(200, `{"output":"Paris"}`))
	defer done()

	resp, err := client.Infer(
		context.Background(),
		&babyclient.InferRequest{Model: "Qwen/Qwen3-8B", Prompt: "The capital of France?", MaxTokens: new(10)},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Output)
	// Output: Paris
}

func ExampleInferRequestFrom() {
	// As a config file or a model writes it.
	req, err := babyclient.InferRequestFrom(
		map[string]any{
			"model":   "Qwen/Qwen3-8B",
			"text":    "The capital of France?",
			"options": map[string]any{"maxTokens": 10},
		},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(req.Prompt, *req.MaxTokens)
	// Output: The capital of France? 10
}

func ExampleClient_InferAny() {
	client, done := service("POST /v1/completions", babytest.JSON(200, `{"choices":[{"text":"Paris"}]}`))
	defer done()

	resp, err := client.InferAny(context.Background(), map[string]any{
		"model":  "Qwen/Qwen3-8B",
		"prompt": "The capital of France?",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(resp.Raw))
	// Output: {"choices":[{"text":"Paris"}]}
}

func ExampleClient_Models() {
	client, done := service(
		"GET /v1/models",
		babytest.JSON(200, `{"data":[{"id":"Qwen/Qwen3-8B","max_model_len":40960}]}`),
	)
	defer done()

	resp, err := client.Models(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range resp.Data {
		fmt.Println(m.ID, m.MaxModelLen)
	}
	// Output: Qwen/Qwen3-8B 40960
}

func ExampleClient_Do() {
	client, done := service("POST /v1/score", babytest.JSON(200, `{"data":[{"index":0,"score":0.7}]}`))
	defer done()

	var out struct {
		Data []struct{ Score float64 }
	}
	err := client.Do(
		context.Background(),
		http.MethodPost,
		"/v1/score",
		map[string]any{"model": "m", "text_1": "a", "text_2": "b"},
		&out,
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Data[0].Score)
	// Output: 0.7
}

func ExampleDocling_Convert() {
	client, done := service(
		"POST /docling/v1/convert/file",
		babytest.JSON(200, `{"document":{"filename":"note.html","md_content":"# Note"},"status":"success"}`),
	)
	defer done()

	resp, err := client.Docling.Convert(context.Background(), &babyclient.ConvertRequest{
		Sources: []babyclient.Source{
			babyclient.FromBytes("note.html", []byte("<h1>Note</h1>")),
		}, // or FromFile, FromURL, FromReader
		Options: babyclient.ConvertOptions{ToFormats: []string{babyclient.FormatMarkdown}},
	})
	if errors.Is(err, babyclient.ErrPartialSuccess) {
		log.Print(err) // the document is there all the same
	} else if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Document().Markdown)
	// Output: # Note
}

func ExampleDocling_Chunk() {
	client, done := service(
		"POST /docling/v1/chunk/hybrid/source",
		babytest.JSON(
			200,
			`{"chunks":[{"filename":"a.pdf","chunk_index":0,"text":"Title\nText","page_numbers":[1]}],`+
				`"documents":[{"content":{"filename":"a.pdf"},"status":"success"}]}`,
		),
	)
	defer done()

	resp, err := client.Docling.Chunk(context.Background(), &babyclient.ChunkRequest{
		Sources: []babyclient.Source{babyclient.FromURL("https://example.com/a.pdf")},
		Options: babyclient.ChunkOptions{MaxTokens: new(256)},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, chunk := range resp.Chunks {
		fmt.Printf("%s page %v: %q\n", chunk.Filename, chunk.Pages, chunk.Text)
	}
	// Output: a.pdf page [1]: "Title\nText"
}

// nodes is a service with a task that takes two polls.
func nodes() (client *babyclient.Client, closeServer func()) {
	srv := babytest.NewServer()
	submitted := babytest.WithHeader(
		babytest.JSON(200, `{"task_id":"t1","task_status":"pending"}`),
		"X-Babyapi-Docling-Id",
		"node-2",
	)
	srv.On("POST /docling/v1/convert/source/async", submitted)
	srv.On("POST /docling/v1/chunk/hybrid/source/async", submitted)
	srv.On(
		"GET /docling/v1/status/poll/t1",
		babytest.JSON(200, `{"task_id":"t1","task_status":"started"}`),
		babytest.JSON(200, `{"task_id":"t1","task_status":"success"}`),
	)
	srv.On("POST /docling/v1/cancel/t1", babytest.JSON(200, `{"task_id":"t1","task_status":"cancelled"}`))
	srv.On(
		"GET /docling/v1/result/t1",
		babytest.JSON(200, `{"document":{"filename":"a.pdf","md_content":"# A"},"status":"success",
		"chunks":[{"filename":"a.pdf","text":"A"}],"documents":[{"content":{"filename":"a.pdf"},"status":"success"}]}`),
	)
	return srv.Client(), srv.Close
}

func ExampleDocling_StartConvert() {
	client, done := nodes()
	defer done()
	ctx := context.Background()

	job, err := client.Docling.StartConvert(
		ctx,
		&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromURL("https://example.com/a.pdf")}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.ID, job.Node) // all that another process needs to go on
	resp, err := job.Wait(
		ctx,
		babyclient.WithPollInterval(time.Second),
		babyclient.OnPoll(func(s *babyclient.JobStatus) { fmt.Println(s.State) }),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Document().Markdown)
	// Output:
	// t1 node-2
	// started
	// success
	// # A
}

func ExampleDocling_StartChunk() {
	client, done := nodes()
	defer done()

	job, err := client.Docling.StartChunk(
		context.Background(),
		&babyclient.ChunkRequest{Sources: []babyclient.Source{babyclient.FromURL("https://example.com/a.pdf")}},
	)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := job.Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Chunks[0].Text)
	// Output: A
}

func ExampleDocling_ConvertJob() {
	client, done := nodes()
	defer done()

	job := client.Docling.ConvertJob("t1", "node-2") // submitted by another process
	status, err := job.Status(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State, status.Done())
	resp, err := job.Result(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Document().Filename)
	// Output:
	// started false
	// a.pdf
}

func ExampleDocling_ChunkJob() {
	client, done := nodes()
	defer done()

	status, err := client.Docling.ChunkJob("t1", "node-2").Cancel(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State)
	// Output: cancelled
}

func ExampleDocling_ConvertAll() {
	client, done := nodes()
	defer done()

	sources := []babyclient.Source{
		babyclient.FromURL("https://example.com/a.pdf"),
		babyclient.FromFile("missing.pdf"),
		babyclient.FromURL("https://example.com/b.pdf"),
	}
	for doc, err := range client.Docling.ConvertAll(context.Background(),
		&babyclient.ConvertAllRequest{Sources: sources}) {
		if failed, ok := errors.AsType[*babyclient.BatchError](err); ok {
			fmt.Println("failed:", failed.Name) // the others go on
			continue
		}
		fmt.Println(doc.Markdown)
	}
	// Output:
	// # A
	// failed: missing.pdf
	// # A
}

func ExampleDocling_ChunkAll() {
	client, done := nodes()
	defer done()

	req := &babyclient.ChunkAllRequest{Sources: []babyclient.Source{babyclient.FromURL("https://example.com/a.pdf")}}
	req.Progress = func(p babyclient.BatchProgress) { fmt.Printf("%d of %d\n", p.Done, p.Total) }
	for resp, err := range client.Docling.ChunkAll(context.Background(), req) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(resp.Chunks), "chunk")
	}
	// Output:
	// 1 of 1
	// 1 chunk
}

func ExampleDocling_Ready() {
	client, done := service("GET /docling/ready", babytest.JSON(200, `{"status":"ok"}`))
	defer done()

	ready, err := client.Docling.Ready(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ready.Status)
	// Output: ok
}

func ExampleDocling_Health() {
	client, done := service("GET /docling/health", babytest.JSON(200, `{"status":"ok"}`))
	defer done()

	health, err := client.Docling.Health(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(health.Status)
	// Output: ok
}

func ExampleDocling_Version() {
	client, done := service("GET /docling/version", babytest.JSON(200, `{"docling-serve":"1.38.2"}`))
	defer done()

	v, err := client.Docling.Version(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Versions["docling-serve"])
	// Output: 1.38.2
}

func ExampleOCR_Document() {
	client, done := service("POST /v1/ocr/document", babytest.JSON(200, `{"text":"INVOICE"}`))
	defer done()

	resp, err := client.OCR.Document(
		context.Background(),
		&babyclient.OCRRequest{Model: "ocr-model", Input: "https://example.com/scan.png"},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(resp.Raw)) // its shape is the model's own
	// Output: {"text":"INVOICE"}
}

// ocr is a service with an OCR job that has ended.
func ocr() (client *babyclient.Client, closeServer func()) {
	srv := babytest.NewServer()
	srv.On("POST /v1/ocr/document/async", babytest.JSON(200, `{"job_id":"j1","status":"queued"}`))
	srv.On("GET /v1/ocr/jobs/j1", babytest.JSON(200, `{"job_id":"j1","status":"completed","result":"INVOICE"}`))
	return srv.Client(), srv.Close
}

func ExampleOCR_Start() {
	client, done := ocr()
	defer done()

	job, err := client.OCR.Start(
		context.Background(),
		&babyclient.OCRRequest{Model: "ocr-model", Input: "https://example.com/scan.png"},
	)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := job.Wait(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.Submitted.State, string(resp.Raw))
	// Output: queued {"job_id":"j1","status":"completed","result":"INVOICE"}
}

func ExampleOCR_Job() {
	client, done := ocr()
	defer done()

	job := client.OCR.Job("j1") // submitted by another process
	status, err := job.Status(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status.State, status.Succeeded())
	resp, err := job.Result(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(resp.Raw))
	// Output:
	// completed true
	// {"job_id":"j1","status":"completed","result":"INVOICE"}
}

func ExampleError() {
	client, done := service(
		"GET /v1/models",
		babytest.WithHeader(babytest.JSON(429, `{"error":{"message":"slow down"}}`), "Retry-After", "90"),
	)
	defer done()

	_, err := client.Models(context.Background())
	if e, ok := errors.AsType[*babyclient.Error](err); ok && errors.Is(err, babyclient.ErrRateLimited) {
		fmt.Println(e.StatusCode, e.Message, e.RetryAfter)
	}
	fmt.Println(err)
	// Output:
	// 429 slow down 1m30s
	// babyapi: GET /v1/models: 429 Too Many Requests: slow down (retry after 1m30s)
}

func ExampleWithRetryPolicy() {
	client, done := service("POST /infer", babytest.JSON(500, `{}`), babytest.JSON(200, `{"output":"Paris"}`))
	defer done()
	client, err := babyclient.New(
		babyclient.WithBaseURL(client.BaseURL()),
		babyclient.WithAPIKey(babytest.Key),
		babyclient.WithRetryBaseDelay(time.Millisecond),
		babyclient.WithRetryPolicy(func(a babyclient.Attempt) bool {
			return babyclient.DefaultRetryPolicy(a) ||
				a.Err.StatusCode == 500 // who pays twice for an answer that got lost
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.Infer(
		context.Background(),
		&babyclient.InferRequest{Model: "m", Prompt: "The capital of France?"},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Output)
	// Output: Paris
}

func ExampleWithLogger() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /infer", babytest.WithHeader(babytest.JSON(200, `{"output":"Paris"}`), "X-Request-Id", "r1"))

	logger := slog.New(
		slog.NewTextHandler(
			os.Stdout,
			&slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey || a.Key == "duration" {
					return slog.Attr{} // so that the output is the same each time
				}
				return a
			}},
		),
	)
	_, err := srv.Client(babyclient.WithLogger(logger)).
		Infer(context.Background(), &babyclient.InferRequest{Model: "m", Prompt: "The capital of France?"})
	if err != nil {
		log.Fatal(err)
	}
	// Output: level=DEBUG msg="babyapi: call" method=POST path=/infer status=200 attempt=1 bytes=18 request_id=r1
}

// tracer wraps a transport in spans, as otelhttp.NewTransport of OpenTelemetry does: give that to
// WithHTTPClient in its place, and the span of the caller's context is the parent of each
// attempt's.
type tracer struct{ next http.RoundTripper }

func (t tracer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context()) // a RoundTripper must not change the request it is given
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		fmt.Println("span", r.Method, r.URL.Path, resp.StatusCode)
	}
	return resp, err
}

func ExampleWithHTTPClient_openTelemetry() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On(
		"POST /infer",
		babytest.WithHeader(babytest.JSON(503, `{}`), "Retry-After", "0"),
		babytest.JSON(200, `{"output":"Paris"}`),
	)

	client := srv.Client(babyclient.WithHTTPClient(&http.Client{Transport: tracer{http.DefaultTransport}}))
	if _, err := client.Infer(context.Background(), &babyclient.InferRequest{Model: "m",
		Prompt: "The capital of France?"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(srv.Requests()[0].Header.Get("Traceparent") != "")
	// Output:
	// span POST /infer 503
	// span POST /infer 200
	// true
}

// A client can be printed and logged: it shows its base URL, and neither key nor headers.
func ExampleClient_String() {
	c, err := babyclient.New(babyclient.WithBaseURL("https://api.example"), babyclient.WithAPIKey("sk-0123456789"),
		babyclient.WithHeader("X-Api-Token", "hush-hush"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.String())
	fmt.Printf("%+v\n", c)    // Format
	fmt.Println(c.GoString()) // as %#v
	fmt.Println(c.LogValue()) // as in log/slog
	// Output:
	// babyclient.Client(https://api.example)
	// babyclient.Client(https://api.example)
	// babyclient.Client(https://api.example)
	// babyclient.Client(https://api.example)
}
