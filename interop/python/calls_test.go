package python

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"path/filepath"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// pair is the same call made by both clients.
type pair struct {
	python  string              // the function in wire.py; empty: the name of the pair
	golang  callFunc            // the same with babyclient
	client  []babyclient.Option // of the client that makes it
	prefix  string              // after the base URL
	answers answers             // nil: good ones
	// differs is what babyclient does in another way, as the comparison tells it, and why is the
	// reason.
	differs []string
	why     string
}

type (
	callFunc func(context.Context, *babyclient.Client) error
	answers  map[string][]http.Handler
)

const (
	endpointChat = "POST /v1/chat/completions"
	endpointGet  = "GET /docling/version"
	endpointFile = "POST /docling/v1/convert/file"
)

var (
	goodChat = babytest.JSON(http.StatusOK,
		`{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}]}`)
	goodStream = babytest.Stream(`{"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":"Yes."}}]}`)
	goodText   = babytest.JSON(http.StatusOK,
		`{"id":"1","choices":[{"index":0,"text":"Yes.","finish_reason":"stop"}]}`)
	goodInfer  = babytest.JSON(http.StatusOK, `{"output":"Yes."}`)
	goodEmbed  = babytest.JSON(http.StatusOK, `{"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[0,1]}]}`)
	goodRerank = babytest.JSON(http.StatusOK,
		`{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":0.1}]}`)
	goodConvert = babytest.JSON(http.StatusOK,
		`{"document":{"filename":"page.html","md_content":"# Title"},"status":"success","errors":[]}`)
	goodChunks = babytest.JSON(http.StatusOK,
		`{"chunks":[{"filename":"page.html","chunk_index":0,"text":"Text."}],"documents":[{"kind":"ExportResult",`+
			`"content":{"filename":"page.html"},"status":"success"}]}`)
	submitted = babytest.WithHeader(babytest.JSON(http.StatusOK, `{"task_id":"task-1","task_status":"pending"}`),
		"x-babyapi-docling-id", "node-7")
	started    = babytest.JSON(http.StatusOK, `{"task_id":"task-1","task_status":"started"}`)
	succeeded  = babytest.JSON(http.StatusOK, `{"task_id":"task-1","task_status":"success"}`)
	ocrPending = babytest.JSON(http.StatusOK, `{"job_id":"job-1","status":"pending"}`)
	ocrDone    = babytest.JSON(http.StatusOK, `{"job_id":"job-1","status":"completed","result":{"text":"Hello"}}`)
)

// good answers every endpoint. A job is done at the second poll.
var good = answers{
	endpointChat: {chatOrStream(goodChat, goodStream)},
	"POST /v1/completions": {chatOrStream(goodText,
		babytest.Stream(`{"id":"1","choices":[{"index":0,"text":"Yes."}]}`))},
	"POST /v1/embeddings":                   {goodEmbed},
	"POST /v1/rerank":                       {goodRerank},
	"POST /infer":                           {goodInfer},
	"POST /v1/ocr/document":                 {babytest.JSON(http.StatusOK, `{"text":"Hello"}`)},
	"POST /v1/ocr/document/async":           {ocrPending},
	"GET /v1/ocr/jobs/{id}":                 {ocrPending, ocrDone},
	"GET /docling/health":                   {babytest.JSON(http.StatusOK, `{"status":"ok"}`)},
	"GET /docling/ready":                    {babytest.JSON(http.StatusOK, `{"status":"ok"}`)},
	endpointGet:                             {babytest.JSON(http.StatusOK, `{"docling-serve":"1"}`)},
	"POST /docling/v1/convert/source":       {goodConvert},
	"POST /docling/v1/convert/source/async": {submitted},
	endpointFile:                            {goodConvert},
	"POST /docling/v1/convert/file/async":   {submitted},
	"GET /docling/v1/status/poll/{id}":      {started, succeeded},
	"GET /docling/v1/result/{id}":           {goodConvert},
	"POST /docling/v1/cancel/{id}": {babytest.JSON(http.StatusOK,
		`{"task_id":"task-1","task_status":"cancelled"}`)},
	"POST /docling/v1/chunk/{chunker}/source": {goodChunks},
	"POST /docling/v1/chunk/{chunker}/file":   {goodChunks},
}

// chatOrStream answers as the request asks for.
func chatOrStream(plain, stream http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == "text/event-stream" {
			stream.ServeHTTP(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	})
}

var (
	question = []babyclient.Message{babyclient.User("Why is the sky blue?")}
	html     = babyclient.FromBytes("page.html", []byte("<h1>Title</h1><p>Text.</p>"))
	source   = []babyclient.Source{babyclient.FromURL("https://example.com/report.pdf")}
	scan     = babyclient.OCRRequest{Model: "ocr-1", Input: "https://example.com/scan.png"}
)

var options = babyclient.ConvertOptions{FromFormats: []string{"html", "pdf"}, ToFormats: []string{"md", "json"},
	Pages: &babyclient.PageRange{First: 1, Last: 3}, DoOCR: new(false), ForceOCR: new(true),
	OCRLang:         []string{"en", "de"},
	ImageExportMode: "placeholder", ImagesScale: new(1.5), DocumentTimeout: new(60.0), Pipeline: "standard",
	AbortOnError:           new(false),
	MDPageBreakPlaceholder: `--- "é" ---`, Extra: map[string]any{"picture_description_api": map[string]any{
		"url": "https://example.com/v1", "params": map[string]any{"model": "vlm", "seed": 1},
		"prompt": "What <is> this?"}}}

// drain reads a stream to its end.
func drain[T any](stream iter.Seq2[T, error]) error {
	for _, err := range stream {
		if err != nil {
			return err
		}
	}
	return nil
}

// inTurn makes calls until one fails.
func inTurn(calls ...func() error) error {
	for _, c := range calls {
		if err := c(); err != nil {
			return err
		}
	}
	return nil
}

func chat(ctx context.Context, c *babyclient.Client, r *babyclient.ChatRequest, opts ...babyclient.CallOption) error {
	_, err := c.Chat(ctx, r, opts...)
	return err
}

func convert(ctx context.Context, c *babyclient.Client, r *babyclient.ConvertRequest) error {
	_, err := c.Docling.Convert(ctx, r)
	return err
}

func ask(ctx context.Context, c *babyclient.Client) error {
	return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question})
}

func askStream(ctx context.Context, c *babyclient.Client) error {
	return drain(c.ChatStream(ctx, &babyclient.ChatRequest{Model: "m", Messages: question}))
}

func upload(ctx context.Context, c *babyclient.Client) error {
	return convert(ctx, c, &babyclient.ConvertRequest{Sources: []babyclient.Source{html}})
}

func get(ctx context.Context, c *babyclient.Client) error {
	_, err := c.Docling.Version(ctx)
	return err
}

func inferLoose(ctx context.Context, c *babyclient.Client, bodies ...map[string]any) error {
	for _, body := range bodies {
		r, err := babyclient.InferRequestFrom(body)
		if err != nil {
			return err
		}
		if _, err := c.Infer(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func inferAny(ctx context.Context, c *babyclient.Client, bodies ...map[string]any) error {
	for _, body := range bodies {
		if _, err := c.InferAny(ctx, body); err != nil {
			return err
		}
	}
	return nil
}

func waitForTask(opts ...babyclient.WaitOption) callFunc {
	return func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.ConvertJob("task-1", "").Wait(ctx, opts...)
		return err
	}
}

// pairs are the calls that both clients can make, and what goes wrong with them.
func pairs() map[string]pair {
	all := map[string]pair{}
	maps.Copy(all, inference())
	maps.Copy(all, documents())
	maps.Copy(all, refused())
	maps.Copy(all, failures())
	return all
}

func inference() map[string]pair {
	type fields = map[string]any
	return map[string]pair{
		"chat": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question, Temperature: new(0.0),
				MaxTokens: new(20), Stop: []string{"END"}})
		}},
		"chat below a path": {python: "chat", prefix: "/proxy//",
			golang: func(ctx context.Context, c *babyclient.Client) error {
				return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question, Temperature: new(0.0),
					MaxTokens: new(20), Stop: []string{"END"}})
			}, answers: answers{"POST /proxy/v1/chat/completions": {goodChat}}},
		"chat_every_option": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m",
				Messages: []babyclient.Message{babyclient.System("Be brief."),
					{Role: babyclient.RoleUser, Content: "<a> & \"b\" \u2028 \U0001f600 é", Name: "ann"}},
				MaxCompletionTokens: new(5), MinTokens: new(1), N: new(2), Seed: new(7), Temperature: new(1.0),
				TopP: new(0.5), TopK: new(-1),
				MinP: new(0.1), PresencePenalty: new(0.25), FrequencyPenalty: new(-0.25), RepetitionPenalty: new(1.1),
				LogitBias: map[string]float64{"50256": -100}, Logprobs: new(true), TopLogprobs: new(2),
				Tools: []babyclient.Tool{{Function: babyclient.Function{Name: "weather", Description: "of a city",
					Parameters: fields{
						"type": "object", "properties": fields{"city": fields{"type": "string"}},
						"required": []string{"city"}}}}},
				ToolChoice: babyclient.ToolChoiceFunction("weather"), ParallelToolCalls: new(false),
				ResponseFormat:  babyclient.JSONSchema("answer", fields{"type": "object"}),
				ReasoningEffort: "low", User: "u-1", Extra: fields{
					"chat_template_kwargs": fields{"enable_thinking": false},
					"structured_outputs":   fields{"choice": []string{"a", "b"}}}})
		}},
		"chat_parts": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: []babyclient.Message{babyclient.UserParts(
				babyclient.TextPart("What is this?"), babyclient.ImageURLPart("https://example.com/a.png"),
				babyclient.ImagePart([]byte("\x89PNG\r\n\x1a\n")), babyclient.AudioPart([]byte{0, 1, 2}, "wav"),
				babyclient.VideoURLPart("https://example.com/a.mp4"))}})
		}},
		"chat_tool_turn": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: append(question[:1:1],
				babyclient.Message{Role: babyclient.RoleAssistant,
					ToolCalls: []babyclient.ToolCall{{ID: "call-1", Type: "function",
						Function: babyclient.FunctionCall{Name: "weather", Arguments: `{"city": "Paris"}`}}}},
				babyclient.ToolResult("call-1", "sunny"), babyclient.Assistant("It is sunny."),
				babyclient.User("Sure?")),
				ToolChoice: babyclient.ToolChoiceAuto})
		}},
		"chat_stream": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return drain(c.ChatStream(ctx, &babyclient.ChatRequest{Model: "m", Messages: question,
				StreamOptions: &babyclient.StreamOptions{IncludeUsage: true}}))
		}},
		"chat_stream_by_create": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question, Extra: fields{"stream": true}})
		}},
		"chat_default_model": {client: []babyclient.Option{babyclient.WithDefaultModel("m")},
			golang: func(ctx context.Context, c *babyclient.Client) error {
				return chat(ctx, c, &babyclient.ChatRequest{Messages: question})
			}, differs: []string{`request 1 body.model: Python has none, Go "m"`},
			why: "the SDK's default model is for /infer alone and its chat lacks a model, which no engine answers"},
		"headers": {client: []babyclient.Option{babyclient.WithHeader("X-Team", "blue"),
			babyclient.WithHeader("X-Trace", "of the client")},
			golang: func(ctx context.Context, c *babyclient.Client) error {
				return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question},
					babyclient.WithHeader("X-Trace", "of the call"),
					babyclient.WithHeader("Authorization", "Bearer other"),
					babyclient.WithHeader("Content-Language", "en"))
			}},
		"headers_accept": {golang: func(ctx context.Context, c *babyclient.Client) error {
			accept := babyclient.WithHeader("Accept", "application/vnd.test")
			r := &babyclient.ChatRequest{Model: "m", Messages: question}
			return inTurn(func() error { return chat(ctx, c, r, accept) },
				func() error { return drain(c.ChatStream(ctx, r, accept)) })
		}},
		"key_of_the_call": {golang: func(ctx context.Context, c *babyclient.Client) error {
			key := babyclient.WithAPIKey("another-key-9876543210")
			return inTurn(
				func() error { return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question}, key) },
				func() error {
					return drain(c.CompleteStream(ctx, &babyclient.CompleteRequest{Model: "m", Prompt: "p"}, key))
				})
		}},

		"completions": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.CompleteRequest{
				{Prompt: "Once", MaxTokens: new(0), Temperature: new(0.5), Echo: new(true), Logprobs: new(1), Suffix: "end",
					TopK: new(3), Seed: new(1)},
				{Prompt: []string{"Once", "Twice"}, Extra: fields{"best_of": 2}},
				{Prompt: []int{1, 2, 3}},
				{Prompt: [][]int{{1, 2}, {3}}},
			} {
				r.Model = "m"
				if _, err := c.Complete(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},
		"completions_stream": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return drain(c.CompleteStream(ctx, &babyclient.CompleteRequest{Model: "m", Prompt: "Once",
				MaxTokens: new(5)}))
		}},
		"embeddings": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.EmbedRequest{
				{Input: []string{"a", "b"}},
				{Input: []string{"a", "b"}, EncodingFormat: "float", Dimensions: new(2), TruncatePromptTokens: new(-1),
					User: "u-1"},
				{InputTokens: [][]int{{1, 2}, {3}}},
			} {
				r.Model = "e"
				if _, err := c.Embed(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},
		"embeddings_of_a_string": {golang: func(ctx context.Context, c *babyclient.Client) error {
			_, err := c.Embed(ctx, &babyclient.EmbedRequest{Model: "e", Input: []string{"a"}})
			return err
		},
			answers: answers{"POST /v1/embeddings": {babytest.JSON(http.StatusOK,
				`{"data":[{"index":0,"embedding":[1,0]}]}`)}},
			differs: []string{`request 1 body.input: Python "a", Go []`,
				`request 1 body.input[0]: Python has none, Go "a"`},
			why: "Input is a list, and a list of one string means the same"},
		"rerank": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.RerankRequest{
				{Documents: []string{"a", "b"}},
				{Documents: []string{"a", "b"}, TopN: 1, ReturnDocuments: new(true), TruncatePromptTokens: new(100)},
				{DocumentObjects: []any{fields{"content": []any{babyclient.TextPart("a")}}, fields{"text": "b"}},
					ReturnDocuments: new(false)},
			} {
				r.Model, r.Query = "r", "q"
				if _, err := c.Rerank(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},

		"infer": {golang: func(ctx context.Context, c *babyclient.Client) error {
			_, err := c.Infer(ctx, &babyclient.InferRequest{Prompt: "  Why?\n", Model: " m ", MaxTokens: new(5),
				Temperature: new(0.0)})
			return err
		}},
		"infer_loose": {client: []babyclient.Option{babyclient.WithDefaultModel(" m ")},
			golang: func(ctx context.Context, c *babyclient.Client) error {
				return inferLoose(ctx, c,
					fields{"prompt": "Why?", "maxTokens": 5, "topP": 0.5, "topK": 3, "presencePenalty": 0.1,
						"frequencyPenalty": 0.2, "stop": []any{"END"}},
					fields{"prompt": "  ", "input": "Why?", "max_tokens": 5,
						"options": fields{"max_tokens": 7, "top_p": 0.5}},
					fields{"text": "Why?", "temperature": nil, "unknown": 1,
						"options": fields{"topK": 3, "unknown": 1}})
			}},
		"infer_stop_string": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferLoose(ctx, c, fields{"prompt": "Why?", "stop": "END", "model": "m"})
		}, differs: []string{`request 1 body.stop: Python "END", Go []`,
			`request 1 body.stop[0]: Python has none, Go "END"`},
			why: "Stop is a list, and a list of one string means the same"},
		"infer_both_spellings": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferLoose(ctx, c, fields{"prompt": "Why?", "model": "m", "max_tokens": 5, "maxTokens": 7})
		}, differs: []string{`requests: Python 1, Go 0`, `error: Python none, Go INVALID_OPTIONS`},
			why: "one of the two would be lost in silence"},
		"infer_any": {golang: func(ctx context.Context, c *babyclient.Client) error {
			messages := []any{fields{"role": "user", "content": "Why is the sky blue?"}}
			return inferAny(ctx, c, fields{"model": "m", "messages": messages, "top_k": 3},
				fields{"model": "m", "prompt": "Why?", "best_of": 2},
				fields{"model": "m", "prompt": "Why?", "messages": messages})
		}},

		"ocr": {golang: func(ctx context.Context, c *babyclient.Client) error {
			more := scan
			more.Tasks, more.OutputFormat, more.Pages, more.Extra = []string{"ocr", "tables"}, "markdown",
				&babyclient.PageRange{First: 1, Last: 3}, fields{"dpi": 300}
			object := babyclient.OCRRequest{Model: "ocr-1",
				Input: fields{"images": []string{"https://example.com/1.png"}}}
			for _, r := range []*babyclient.OCRRequest{&scan, &more, &object} {
				if _, err := c.OCR.Document(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},
		"ocr_job": {golang: func(ctx context.Context, c *babyclient.Client) error {
			job, err := c.OCR.Start(ctx, &scan)
			if err != nil {
				return err
			}
			return inTurn(
				func() error { _, err := job.Status(ctx); return err },
				func() error { _, err := job.Wait(ctx); return err })
		}},
		"ocr_job_failed": {golang: func(ctx context.Context, c *babyclient.Client) error {
			_, err := c.OCR.Job("job-1").Wait(ctx)
			return err
		}, answers: answers{"GET /v1/ocr/jobs/{id}": {ocrPending,
			babytest.JSON(http.StatusOK, `{"job_id":"job-1","status":"failed","error":"page 3 is blank"}`)}}},
	}
}

func documents() map[string]pair {
	return map[string]pair{
		"docling_health": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inTurn(
				func() error { _, err := c.Docling.Health(ctx); return err },
				func() error { _, err := c.Docling.Ready(ctx); return err },
				func() error { return get(ctx, c) })
		}},
		"convert_source": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inTurn(
				func() error { return convert(ctx, c, &babyclient.ConvertRequest{Sources: source}) },
				func() error {
					return convert(ctx, c, &babyclient.ConvertRequest{Sources: []babyclient.Source{
						{URL: "https://example.com/a.pdf", Header: map[string]string{"X-Token": "t"}},
						{Name: "page.html", Data: []byte("<h1>Title</h1>"), Inline: true}},
						Options: options, Target: map[string]any{"kind": "zip"}})
				})
		}},
		"convert_file": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inTurn(
				func() error { return upload(ctx, c) },
				func() error {
					return convert(ctx, c, &babyclient.ConvertRequest{Sources: []babyclient.Source{
						babyclient.FromFile(filepath.Join("testdata", "page.html")),
						babyclient.FromBytes("notes.md", []byte("# Notes")),
						{Name: "data.bin", Data: []byte{0, 1}, MediaType: "application/x-test"}}, Options: options})
				},
				func() error {
					return convert(ctx, c, &babyclient.ConvertRequest{Target: map[string]any{"kind": "zip"},
						Sources: []babyclient.Source{
							{Name: `Bericht "Ä" 1%.html`, Data: []byte("<p>Text.</p>"), MediaType: "text/html"}}})
				})
		}, differs: []string{`request 3 part 0: Python form-data; name="files"; ` +
			`filename="Bericht %22Ä%22 1%.html", Go form-data; name="files"; filename="Bericht \"Ä\" 1%.html"`},
			why: "docling-serve's parser takes %22 in a file name for itself, and gives it back"},
		"convert_job": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.ConvertRequest{
				{Sources: []babyclient.Source{html}, Options: babyclient.ConvertOptions{ToFormats: []string{"md"}}},
				{Sources: source, Options: babyclient.ConvertOptions{DoOCR: new(false)}},
			} {
				job, err := c.Docling.StartConvert(ctx, r)
				if err != nil {
					return err
				}
				if _, err := job.Wait(ctx); err != nil {
					return err
				}
			}
			return nil
		}},
		"job_by_id": {golang: func(ctx context.Context, c *babyclient.Client) error {
			job := c.Docling.ConvertJob("a/b c+d:é", "node-7")
			return inTurn(
				func() error { _, err := job.Status(ctx); return err },
				func() error { _, err := job.Result(ctx); return err },
				func() error { _, err := job.Cancel(ctx); return err })
		}},
		"job_without_node": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inTurn(
				func() error { return waitForTask()(ctx, c) },
				func() error { _, err := c.Docling.ConvertJob("task-1", "").Cancel(ctx); return err })
		}},
		"job_failed": {golang: waitForTask(), answers: answers{"GET /docling/v1/status/poll/{id}": {
			started, babytest.JSON(http.StatusOK, `{"task_id":"task-1","task_status":"failure"}`)}}},
		"job_poll_timeout": {golang: waitForTask(babyclient.WithPollTimeout(time.Millisecond)),
			answers: answers{"GET /docling/v1/status/poll/{id}": {started}}},
		"chunk_source": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.ChunkRequest{
				{},
				{Convert: babyclient.ConvertOptions{DoOCR: new(false), ToFormats: []string{"json"}},
					IncludeConvertedDoc: new(true),
					Options: babyclient.ChunkOptions{MaxTokens: new(64), MergePeers: new(false), Tokenizer: "t",
						Extra: map[string]any{"chunker": "hybrid"}}},
				{Chunker: babyclient.ChunkerHierarchical, Options: babyclient.ChunkOptions{UseMarkdownTables: new(true),
					IncludeRawText: new(true)}},
			} {
				r.Sources = source
				if _, err := c.Docling.Chunk(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},
		"chunk_file": {golang: func(ctx context.Context, c *babyclient.Client) error {
			for _, r := range []*babyclient.ChunkRequest{
				{},
				{Convert: babyclient.ConvertOptions{DoOCR: new(false), Pages: &babyclient.PageRange{First: 2, Last: 3}},
					IncludeConvertedDoc: new(true),
					Options:             babyclient.ChunkOptions{MaxTokens: new(64), MergePeers: new(true)}},
				{Chunker: babyclient.ChunkerHierarchical, Convert: babyclient.ConvertOptions{OCRLang: []string{"en"}},
					Options: babyclient.ChunkOptions{UseMarkdownTables: new(true)}},
			} {
				r.Sources = []babyclient.Source{html}
				if _, err := c.Docling.Chunk(ctx, r); err != nil {
					return err
				}
			}
			return nil
		}},
		"a zip answer": {python: "upload", golang: upload,
			answers: answers{endpointFile: {babytest.Zip(map[string]string{"page.md": "# Title"})}},
			differs: []string{`error: Python one without a code, Go none`},
			why:     "the SDK cannot read the zip that docling-serve answers"},
	}
}

// refused are the calls that are wrong before anything is sent.
func refused() map[string]pair {
	type fields = map[string]any
	return map[string]pair{
		"no_key": {golang: ask, client: []babyclient.Option{babyclient.WithAPIKey("")}},
		"no_prompt": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferLoose(ctx, c, fields{"prompt": "  ", "model": "m"})
		}},
		"no_model": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferLoose(ctx, c, fields{"prompt": "Why?"})
		}},
		"neither_chat_nor_completion": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferAny(ctx, c, fields{"model": "m", "text": "Why?"})
		}},
		"options_not_an_object": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return inferLoose(ctx, c, fields{"prompt": "Why?", "model": "m", "options": "max_tokens=5"})
		}},
		"no_task_id": {golang: func(ctx context.Context, c *babyclient.Client) error {
			_, err := c.Docling.ConvertJob("", "").Status(ctx)
			return err
		}},
		"no_job_id": {golang: func(ctx context.Context, c *babyclient.Client) error {
			_, err := c.OCR.Job("").Status(ctx)
			return err
		}},
		"no_file": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return convert(ctx, c,
				&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromFile(filepath.Join("testdata",
					"absent.pdf"))}})
		}},
		"no_files": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return convert(ctx, c, &babyclient.ConvertRequest{})
		}},
		"bad_timeout": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question}, babyclient.WithTimeout(0))
		}},
		"bad_max_retries": {golang: func(ctx context.Context, c *babyclient.Client) error {
			return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question}, babyclient.WithMaxRetries(-1))
		}},
		"bad_interval": {golang: waitForTask(babyclient.WithPollInterval(0))},
	}
}

// failures are the answers that are errors, and how often a call is sent for them.
func failures() map[string]pair {
	all := map[string]pair{}
	deviate := func(name, why string, differs ...string) {
		p := all[name]
		p.differs, p.why = differs, why
		all[name] = p
	}
	monthly := babytest.JSON(http.StatusTooManyRequests,
		`{"error":"MONTHLY_LIMIT_REACHED","message":"the limit of this month is used up"}`)
	failing := map[string]http.Handler{"429 monthly limit": monthly}
	for _, status := range []int{400, 401, 404, 408, 409, 429, 500, 502, 503, 504} {
		failing[http.StatusText(status)] = babytest.JSON(status, `{"error":{"message":"no","type":"t","code":"C"}}`)
	}
	failing["cut before the answer"] = babytest.Cut(goodChat, 0)
	for name, answer := range failing {
		all["post: "+name] = pair{python: "post", golang: ask, answers: answers{endpointChat: {answer}}}
		all["get: "+name] = pair{python: "get", golang: get, answers: answers{endpointGet: {answer}}}
		all["stream: "+name] = pair{python: "stream", golang: askStream, answers: answers{endpointChat: {answer}}}
		all["upload: "+name] = pair{python: "upload", golang: upload, answers: answers{endpointFile: {answer}}}
	}
	slow := babytest.WithHeader(babytest.JSON(http.StatusTooManyRequests, `{"error":true,"message":"slow down"}`),
		"Retry-After", "0")
	all["post: good after two"] = pair{python: "post", golang: ask,
		answers: answers{endpointChat: {failing["Service Unavailable"], slow, goodChat}}}
	all["stream: good after two"] = pair{python: "stream", golang: askStream,
		answers: answers{endpointChat: {failing["Service Unavailable"], slow, goodStream}}}
	all["post_without_retries"] = pair{golang: func(ctx context.Context, c *babyclient.Client) error {
		return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question}, babyclient.WithMaxRetries(0))
	}, answers: answers{endpointChat: {failing["Service Unavailable"]}}}

	hang := answers{endpointChat: {babytest.Hang(goodChat, 0)}, endpointGet: {babytest.Hang(goodChat, 0)}}
	all["post_with_a_timeout"] = pair{golang: func(ctx context.Context, c *babyclient.Client) error {
		return chat(ctx, c, &babyclient.ChatRequest{Model: "m", Messages: question},
			babyclient.WithTimeout(time.Second))
	}, answers: hang}
	all["get_with_a_timeout"] = pair{golang: func(ctx context.Context, c *babyclient.Client) error {
		_, err := c.Docling.Version(ctx, babyclient.WithTimeout(time.Second))
		return err
	}, answers: hang}
	all["stream_with_a_timeout"] = pair{golang: func(ctx context.Context, c *babyclient.Client) error {
		return drain(c.ChatStream(ctx, &babyclient.ChatRequest{Model: "m", Messages: question},
			babyclient.WithStreamIdleTimeout(time.Second)))
	}, answers: answers{endpointChat: {babytest.Hang(goodStream, -20)}}}

	const event = `{"choices":[{"index":0,"delta":{"content":"a"}}]}`
	for name, answer := range map[string]http.Handler{
		"ends before [DONE]": babytest.Events(event),
		"cut":                babytest.Cut(goodStream, -20),
		"event with an error": babytest.Events(event,
			`{"error":{"message":"out of memory","type":"server_error","code":"OOM"}}`),
		"event with a text":      babytest.Events(event, `{"error":"out of memory"}`),
		"event with a null":      babytest.Stream(`{"choices":[{"index":0,"delta":{"content":"a"}}],"error":null}`),
		"event that is not JSON": babytest.Stream(event, `not JSON`),
		"[DONE] without a blank": babytest.Body(http.StatusOK, "text/event-stream",
			[]byte("data: "+event+"\r\n\r\n: ping\r\n\r\ndata: [DONE]")),
	} {
		all["stream: "+name] = pair{python: "stream", golang: askStream, answers: answers{endpointChat: {answer}}}
	}
	for name, body := range map[string]string{
		"an object":             `{"error":{"message":"the text","type":"the type","code":"THE_CODE"}}`,
		"an object, half of it": `{"error":{"message":"the text"},"type":"the type","code":"THE_CODE"}`,
		"a number for a code":   `{"error":{"message":"the text","type":"the type","code":400}}`,
		"a text":                `{"error":"the text","type":"the type","code":"THE_CODE"}`,
		"a code and a message":  `{"error":"THE_CODE","message":"the text"}`,
		"true and a message":    `{"error":true,"message":"the text"}`,
		"a message":             `{"message":"the text","type":"the type","code":"THE_CODE"}`,
		"a message beside {}":   `{"error":{},"message":"the text"}`,
		"a detail":              `{"detail":"the text"}`,
		"a list of details":     `{"detail":[{"loc":["body","sources"],"msg":"Field required","type":"missing"}]}`,
		"something else":        `{"reason":"the text"}`,
		"a JSON text":           `"the text"`,
		"no JSON":               `<h1>Bad request</h1>`,
		"nothing":               ``,
	} {
		all["error: "+name] = pair{python: "post", golang: ask,
			answers: answers{endpointChat: {babytest.JSON(http.StatusBadRequest, body)}}}
	}
	deviate("error: a number for a code", "a code is kept as text",
		`error: Python the type 400 "the text", Go 400 the type 400 "the text"`)
	deviate("error: something else", "the words of the service are looked for in more forms",
		`error: Python 400 "HTTP 400", Go 400 "the text"`)
	deviate("error: a JSON text", "the words of the service are looked for in more forms",
		`error: Python 400 "HTTP 400", Go 400 "the text"`)
	deviate("error: no JSON", "the title of a page of HTML is the message",
		`error: Python 400 "HTTP 400", Go 400 "Bad request"`)
	deviate("stream: event that is not JSON", "a stream that left something out does not end as if it had not",
		`error: Python none, Go INVALID_RESPONSE`)
	deviate("error: a list of details", "the list is the same JSON, as it was sent",
		`error: Python 400 "[{\"loc\": [\"body\", \"sources\"], \"msg\": \"Field `+
			`required\", \"type\": \"missing\"}]", `+
			`Go 400 "[{\"loc\":[\"body\",\"sources\"],\"msg\":\"Field required\",\"type\":\"missing\"}]"`)
	deviate("upload: Gateway Timeout", "the message also says how not to lose the document",
		`error: Python C t 504 "no", Go C t 504 "no (docling-serve goes on converting, and its result cannot be `+
			`fetched: use StartConvert or StartChunk for documents that take long)"`)
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect} {
		post, fetch := fmt.Sprintf("post: redirect %d", status), fmt.Sprintf("get: redirect %d", status)
		all[post] = pair{python: "post", golang: ask,
			answers: answers{endpointChat: {babytest.Redirect(status, "/moved")}, "/moved": {goodChat}}}
		all[fetch] = pair{python: "get", golang: get,
			answers: answers{endpointGet: {babytest.Redirect(status, "/moved")}, "/moved": {good[endpointGet][0]}}}
		followed := []string{"requests: Python 1, Go 2", fmt.Sprintf("error: Python %d, Go none", status)}
		deviate(fetch, "the SDK follows no redirect", followed...)
		if status >= http.StatusTemporaryRedirect {
			deviate(post, "the SDK follows no redirect", followed...)
		} else {
			deviate(post, "neither follows it, as the body would be lost",
				fmt.Sprintf("error: Python %d, Go INVALID_RESPONSE %[1]d", status))
		}
	}
	return all
}
