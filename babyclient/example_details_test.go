package babyclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

func ExampleUserParts() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On(
		"POST /v1/chat/completions",
		babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":"A harbour."}}]}`),
	)

	photo := []byte("\x89PNG\r\n\x1a\n") // what the file holds
	resp, err := srv.Client().
		Chat(context.Background(), &babyclient.ChatRequest{Model: "Qwen/Qwen2.5-VL-7B-Instruct",
			Messages: []babyclient.Message{
				babyclient.System("Answer in two words."),
				babyclient.User("What do you see?"),
				babyclient.Assistant("Nothing yet."),
				babyclient.UserParts(babyclient.TextPart("And now?"), babyclient.ImagePart(photo),
					babyclient.ImageURLPart("https://example.com/harbour.jpg")),
			}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	fmt.Println(strings.Contains(string(srv.Requests()[0].Body), "data:image/png;base64,"))
	// Output:
	// A harbour.
	// true
}

// What a model hears and sees moving.
func ExampleAudioPart() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":"Both are of rain."}}]}`),
	)
	defer done()

	resp, err := client.Chat(
		context.Background(),
		&babyclient.ChatRequest{Model: "Qwen/Qwen3-Omni-30B-A3B-Instruct", Messages: []babyclient.Message{
			babyclient.UserParts(
				babyclient.AudioPart([]byte("RIFF"), "wav"),
				babyclient.VideoURLPart("https://example.com/rain.mp4"),
				babyclient.TextPart("What are they of?"),
			),
		}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	// Output: Both are of rain.
}

// A model that must call one function.
func ExampleToolChoiceFunction() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(
			200,
			`{"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"c1","type":"function",`+
				`"function":{"name":"save","arguments":"{\"name\":\"Ada\"}"}}]}}]}`,
		),
	)
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{
		Model:    "Qwen/Qwen3-8B",
		Messages: []babyclient.Message{babyclient.User("I am Ada.")},
		Tools: []babyclient.Tool{
			babyclient.FunctionTool(
				"save",
				"Keeps a name",
				map[string]any{
					"type":       "object",
					"properties": map[string]any{"name": map[string]any{"type": "string"}},
				},
			),
		},
		ToolChoice: babyclient.ToolChoiceFunction("save"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.ToolCalls()[0].Function.Arguments)
	// Output: {"name":"Ada"}
}

// JSON of any form; JSONSchema says which.
func ExampleJSONObject() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(200, `{"choices":[{"message":{"role":"assistant","content":"{\"capital\":\"Paris\"}"}}]}`),
	)
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{
		Model:          "Qwen/Qwen3-8B",
		Messages:       []babyclient.Message{babyclient.User("The capital of France, as JSON?")},
		ResponseFormat: babyclient.JSONObject(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	// Output: {"capital":"Paris"}
}

// What a model thinks is apart from what it answers.
func ExampleChatChunk_Reasoning() {
	client, done := service("POST /v1/chat/completions", babytest.Stream(
		`{"choices":[{"index":0,"delta":{"role":"assistant","reasoning":"Blue is scattered most."}}]}`,
		`{"choices":[{"index":0,"delta":{"content":"Scattering."},"finish_reason":"stop"}]}`))
	defer done()

	req := &babyclient.ChatRequest{
		Model:    "Qwen/Qwen3-8B",
		Messages: []babyclient.Message{babyclient.User("Why is the sky blue?")},
	}
	for chunk, err := range client.ChatStream(context.Background(), req) {
		if err != nil {
			log.Fatal(err)
		}
		if thought := chunk.Reasoning(); thought != "" {
			fmt.Println("thinks:", thought)
		}
		fmt.Print(chunk.Text())
	}
	// Output:
	// thinks: Blue is scattered most.
	// Scattering.
}

func ExampleChatResponse_Reasoning() {
	client, done := service(
		"POST /v1/chat/completions",
		babytest.JSON(
			200,
			`{"choices":[{"message":{"role":"assistant","reasoning":"Blue is scattered most.",`+
				`"content":"Scattering."}}]}`,
		),
	)
	defer done()

	resp, err := client.Chat(
		context.Background(),
		&babyclient.ChatRequest{
			Model:    "Qwen/Qwen3-8B",
			Messages: []babyclient.Message{babyclient.User("Why is the sky blue?")},
		},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s (%s)\n", resp.Text(), resp.Reasoning())
	// Output: Scattering. (Blue is scattered most.)
}

// Limits, of the client and of one call.
func ExampleWithTimeout() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /infer", babytest.JSON(503, `{}`))

	client, err := babyclient.New(babyclient.WithBaseURL(srv.URL), babyclient.WithAPIKey(babytest.Key),
		babyclient.WithStreamIdleTimeout(time.Minute),   // between two pieces of a stream
		babyclient.WithMaxResponseSize(16<<20),          // bytes of an answer
		babyclient.WithHeader("X-Title", "example.org"), // with each request
		babyclient.WithCrossHostRedirects(),             // for a proxy that sends its callers elsewhere
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Infer(context.Background(), &babyclient.InferRequest{Model: "m", Prompt: "Why is the sky blue?"},
		babyclient.WithTimeout(10*time.Minute), babyclient.WithMaxRetries(0)) // for this call
	fmt.Println(errors.Is(err, babyclient.ErrUnavailable), len(srv.Requests()))
	// Output: true 1
}

// A document that another program is writing.
func ExampleFromReader() {
	client, done := service(
		"POST /docling/v1/convert/file",
		babytest.JSON(200, `{"document":{"filename":"notes.html","md_content":"# Notes"},"status":"success"}`),
	)
	defer done()

	source := babyclient.FromReader("notes.html", strings.NewReader("<h1>Notes</h1>")) // the extension tells the format
	fmt.Println(source.String())
	resp, err := client.Docling.Convert(
		context.Background(),
		&babyclient.ConvertRequest{Sources: []babyclient.Source{source}},
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Document().Markdown)
	// Output:
	// notes.html
	// # Notes
}

// How long, and how, a job is waited for. What does not end in time goes on at the service.
func ExampleDoclingJob_Wait() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("GET /docling/v1/status/poll/t1", babytest.JSON(200, `{"task_id":"t1","task_status":"failure"}`))

	job := srv.Client().Docling.ConvertJob("t1", "node-2")
	_, err := job.Wait(context.Background(),
		babyclient.WithPollTimeout(time.Hour),
		babyclient.WithTimeout(10*time.Second), // of each poll
		babyclient.OnPoll(func(s *babyclient.JobStatus) { fmt.Println(s.State, s.Failed(), s.Succeeded()) }))
	fmt.Println(errors.Is(err, babyclient.ErrTaskFailed))
	// Output:
	// failure true false
	// true
}

func ExampleDocling_Capabilities() {
	client, done := service("GET /docling/v1/capabilities",
		babytest.JSON(200, `{"stages":{"ocr":{"option":"ocr_preset",`+
			`"default":"auto","presets":[{"id":"auto"},{"id":"rapidocr"}]}},"sources":["file","http"]}`))
	defer done()

	offers, err := client.Docling.Capabilities(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, preset := range offers.Stages["ocr"].Presets {
		fmt.Println(preset.ID) // goes into ConvertOptions.OCRPreset
	}
	// Output:
	// auto
	// rapidocr
}

// A job that tells of its progress: docling-serve calls the handler, which must be in its reach.
func ExampleCallbackHandler() {
	handler := &babyclient.CallbackHandler{
		Secret: "long and random",
		Handle: func(_ context.Context, p *babyclient.TaskProgress) error {
			fmt.Printf("%s: %d of %d documents\n", p.TaskID, p.NumProcessed, p.NumDocs)
			return nil
		},
	}
	srv := httptest.NewServer(handler) // http.Handle("/docling", handler) in a program
	defer srv.Close()
	callback := handler.Callback(srv.URL) // goes into ConvertRequest.Callbacks

	// What docling-serve does:
	post, err := http.NewRequestWithContext(context.Background(), "POST", callback.URL, strings.NewReader(
		`{"task_id":"t1","progress":{"kind":"update_processed","num_docs":3,"num_processed":2}}`))
	if err != nil {
		log.Fatal(err)
	}
	for name, value := range callback.Header {
		post.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(post)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	// Output: t1: 2 of 3 documents
}

// ServeHTTP is what net/http calls.
func ExampleCallbackHandler_ServeHTTP() {
	handler := &babyclient.CallbackHandler{Secret: "long and random"}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), "POST", "/docling", nil))
	fmt.Println(w.Code)
	// Output: 403
}

// Documents that docling-serve reads from a store, and results that it sends to a URL.
func ExampleFromStore() {
	client, done := service("POST /docling/v1/convert/source/batch",
		babytest.JSON(200, `{"task_id":"t1","task_status":"pending"}`))
	defer done()

	job, err := client.Docling.StartConvert(context.Background(), &babyclient.ConvertRequest{
		Sources: []babyclient.Source{babyclient.FromStore(babyclient.S3{Endpoint: "s3.example.com",
			Bucket: "reports"})},
		Target: babyclient.PutTarget("https://example.com/results"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.ID)
	// Output: t1
}

// What a target looks like on the wire.
func ExampleConvertRequest_target() {
	for _, target := range []any{
		babyclient.InBodyTarget(), babyclient.ZipTarget(), babyclient.PresignedURLTarget(),
		babyclient.PutTarget("https://example.com/results"),
	} {
		raw, err := json.Marshal(target)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(raw))
	}
	// Output:
	// {"kind":"inbody"}
	// {"kind":"zip"}
	// {"kind":"presigned_url"}
	// {"kind":"put","url":"https://example.com/results"}
}

func ExampleDocling_Download() {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "# A") }))
	defer store.Close()
	client, done := service("GET /docling/v1/result/t1", babytest.JSON(200, `{"num_converted":1,"num_succeeded":1,`+
		`"num_failed":0,"documents":[{"filename":"a.pdf","status":"success","artifacts":[`+
		`{"artifact_type":"markdown","mime_type":"text/markdown","uri":"`+store.URL+`/a.md"}]}]}`))
	defer done()

	resp, err := client.Docling.ConvertJob("t1", "").Result(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	var markdown strings.Builder
	if _, err := client.Docling.Download(context.Background(), resp.Artifacts[0].Artifacts[0], &markdown); err != nil {
		log.Fatal(err)
	}
	fmt.Println(markdown.String())
	// Output: # A
}

// WithPollWait saves polls where the service can hold one back.
func ExampleWithPollWait() {
	client, done := nodes()
	defer done()

	doc, err := client.Docling.ConvertJob("t1", "node-1").Wait(context.Background(),
		babyclient.WithPollWait(20*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(doc.Document().Markdown)
	// Output: # A
}

// AsDocument gives Do the time limit and the errors of documents.
func ExampleAsDocument() {
	client, done := service("POST /docling/v1/new", babytest.JSON(200, `{"answer":42}`))
	defer done()

	var out struct{ Answer int }
	err := client.Do(context.Background(), "POST", "/docling/v1/new", map[string]any{}, &out, babyclient.AsDocument())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Answer)
	// Output: 42
}

// Mistral's reasoning models answer in parts. Text is the same for them as for any other model.
func ExampleMessage_Text() {
	client, done := service("POST /v1/chat/completions", babytest.JSON(200, `{"choices":[{"message":{"role":"assistant",
		"content":[{"type":"thinking","thinking":[{"type":"text","text":"A capital…"}]},{"type":"text","text":"Paris."}]}}]}`))
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{Model: "magistral-small",
		Messages: []babyclient.Message{babyclient.User("What is the capital of France?")}})
	if err != nil {
		log.Fatal(err)
	}
	message := resp.Message()
	fmt.Println(message.Text())
	fmt.Println(message.Reasoning)
	// Output:
	// Paris.
	// A capital…
}

// An answer that the service broke off comes together with the error.
func ExampleChatResponse_brokenOff() {
	client, done := service("POST /v1/chat/completions", babytest.JSON(200,
		`{"choices":[{"message":{"content":"Once upon"},
		"finish_reason":"error"}],"error":{"code":502,"message":"the provider has gone away"}}`))
	defer done()

	resp, err := client.Chat(context.Background(), &babyclient.ChatRequest{Model: "m",
		Messages: []babyclient.Message{babyclient.User("Tell me a story.")}})
	if errors.Is(err, babyclient.ErrGenerationFailed) {
		fmt.Println(err)
		fmt.Println("so far:", resp.Text())
	}
	// Output:
	// babyapi: POST /v1/chat/completions: the provider has gone away
	// so far: Once upon
}

// The words of a model, on a terminal.
func ExamplePrintable() {
	fmt.Println(babyclient.Printable("all is well\x1b[2K\rall is lost\u202e"))
	// Output: all is well�[2K�all is lost�
}

// What a service has said, without the key that it may repeat.
func ExampleClient_Redact() {
	client, err := babyclient.New(babyclient.WithAPIKey("sk-0123456789abcdef"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Redact(`refused: "Bearer sk-0123456789abcdef"`))
	fmt.Printf("%+v\n", client)
	// Output:
	// refused: "[redacted]"
	// babyclient.Client(https://api.babyapi.org)
}
