package babytest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// What a client makes of each fault.
func ExampleReset() {
	good := babytest.JSON(200, `{"output":"Paris"}`)
	faults := []struct {
		name   string
		answer http.Handler
	}{
		{"cut", babytest.Cut(good, -1)},
		{"reset", babytest.Reset(good, -1)},
		{"half closed", babytest.HalfClose(good, -1)},
		{"hangs", babytest.Hang(good, 20)},
		{"garbage", babytest.Garbage()},
		{"shorter than it says", babytest.WrongLength(good, +5)},
		{"a bomb", babytest.GzipBomb(4 << 20)},
		{"endless", babytest.EndlessBody(200, `{"output":"Pa`)},
		{"slow, in pieces of a byte", babytest.Drip(good, 1, time.Microsecond)},
		{"late", babytest.Delay(good, time.Millisecond)},
		{"sent twice", babytest.Duplicate(good)},
	}
	for _, f := range faults {
		srv := babytest.NewServer()
		srv.On("POST /infer", f.answer)
		client := srv.Client(babyclient.WithTimeout(5*time.Second), babyclient.WithMaxResponseSize(1<<20))
		if f.name == "hangs" {
			client = srv.Client(babyclient.WithTimeout(50 * time.Millisecond))
		}
		resp, err := client.Infer(
			context.Background(),
			&babyclient.InferRequest{Model: "m", Prompt: "The capital of France?"},
		)
		switch {
		case err == nil:
			fmt.Printf("%s: %s\n", f.name, resp.Output)
		case errors.Is(err, babyclient.ErrTimeout):
			fmt.Printf("%s: ErrTimeout\n", f.name)
		case errors.Is(err, babyclient.ErrConnection):
			fmt.Printf("%s: ErrConnection\n", f.name)
		case errors.Is(err, babyclient.ErrResponseTooLarge):
			fmt.Printf("%s: ErrResponseTooLarge\n", f.name)
		default:
			fmt.Printf("%s: %v\n", f.name, err)
		}
		srv.Close()
	}
	// Output:
	// cut: ErrConnection
	// reset: ErrConnection
	// half closed: ErrConnection
	// hangs: ErrTimeout
	// garbage: ErrConnection
	// shorter than it says: ErrConnection
	// a bomb: ErrResponseTooLarge
	// endless: ErrResponseTooLarge
	// slow, in pieces of a byte: Paris
	// late: Paris
	// sent twice: Paris
}

func ExampleEvents() {
	srv := babytest.NewServer()
	defer srv.Close()
	const hello = `{"choices":[{"index":0,"delta":{"content":"Hello"}}]}`
	srv.On("POST /v1/chat/completions",
		babytest.Events(hello, babytest.Done), // Stream adds Done itself
		babytest.Events(hello),                // a stream that is cut
		babytest.EndlessStream(hello))

	req := &babyclient.ChatRequest{Model: "tiny", Messages: []babyclient.Message{babyclient.User("Say hello")}}
	for range 2 {
		_, err := babyclient.Collect(srv.Client().ChatStream(context.Background(), req))
		fmt.Println(errors.Is(err, babyclient.ErrStreamTruncated))
	}
	n := 0
	for _, err := range srv.Client().ChatStream(context.Background(), req) {
		if n++; n == 1000 || err != nil {
			fmt.Println(n, err)
			break
		}
	}
	// Output:
	// false
	// true
	// 1000 <nil>
}

// Other answers than JSON: a zip of documents, a redirect, bytes as they were once received,
// compressed ones.
func ExampleZip() {
	srv := babytest.NewServer()
	defer srv.Close()
	srv.On("POST /docling/v1/convert/source", babytest.Zip(map[string]string{"a.md": "# A", "b.md": "# B"}))
	srv.On(
		"GET /v1/models",
		babytest.Redirect(http.StatusFound, "/v1/elsewhere"),
		babytest.Recorded(
			[]byte(
				"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"+
					`{"data":[{"id":"tiny-1"}]}`,
			),
		),
		babytest.Body(200, "application/json", []byte(`{"data":[{"id":"tiny-2"}]}`)),
	)
	srv.On("GET /v1/elsewhere", babytest.Gzip(babytest.JSON(200, `{"data":[{"id":"tiny-0"}]}`)))
	client := srv.Client()

	resp, err := client.Docling.Convert(context.Background(), &babyclient.ConvertRequest{Sources: []babyclient.Source{
		babyclient.FromURL("https://example.com/a.pdf"), babyclient.FromURL("https://example.com/b.pdf")}})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range resp.Documents {
		fmt.Println(d.Filename, d.Markdown)
	}
	for range 3 {
		models, err := client.Models(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(models.Data[0].ID)
	}
	// Output:
	// a # A
	// b # B
	// tiny-0
	// tiny-1
	// tiny-2
}

// A program that is not a babyclient, over TLS; how many connections it makes; what it sent.
func ExampleNewTLSServer() {
	srv := babytest.NewTLSServer()
	defer srv.Close()
	srv.On("POST /infer", babytest.JSON(200, `{"output":"Paris"}`))

	for range 2 {
		resp, err := srv.HTTPClient().
			Post(srv.URL+"/infer", "application/json", bytes.NewReader([]byte(`{"prompt":"The capital of France?"}`)))
		if err != nil {
			log.Fatal(err)
		}
		answer, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(string(answer))
	}
	var sent struct{ Prompt string }
	if err := srv.Requests()[1].JSON(&sent); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sent.Prompt, srv.Connections())
	// Output:
	// {"output":"Paris"}
	// {"output":"Paris"}
	// The capital of France? 1
}

// A server without a network, for tests inside of testing/synctest, where time is faked.
func ExampleNewPipeServer() {
	srv := babytest.NewPipeServer()
	defer srv.Close()
	srv.On("POST /infer", babytest.JSON(200, `{"output":"Paris"}`))

	resp, err := srv.Client().
		Infer(context.Background(), &babyclient.InferRequest{Model: "m", Prompt: "The capital of France?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Output)
	// Output: Paris
}

// The script as a handler, under the paths of another server.
func ExampleServer_ServeHTTP() {
	script := babytest.NewServer()
	defer script.Close()
	script.On("GET /v1/models", babytest.JSON(200, `{"data":[]}`))
	gateway := httptest.NewServer(http.StripPrefix("/baby", http.HandlerFunc(script.ServeHTTP)))
	defer gateway.Close()

	resp, err := http.Get(gateway.URL + "/baby/v1/models")
	if err != nil {
		log.Fatal(err)
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}
