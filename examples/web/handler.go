package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

//go:embed static
var static embed.FS

// maxChat is the most bytes of a conversation; a document has no limit here, as it is streamed.
const maxChat = 1 << 20

// handler serves the page and the two calls that it makes.
func handler(client *babyclient.Client, model string) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is built in
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("POST /chat", func(w http.ResponseWriter, r *http.Request) { chat(w, r, client, model) })
	mux.HandleFunc("POST /convert", func(w http.ResponseWriter, r *http.Request) { convert(w, r, client) })
	// No other page may spend the key: neither by a form that it sends here, nor by a host name
	// that it makes point here.
	return thisHostOnly(http.NewCrossOriginProtection().Handler(mux))
}

func thisHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !loopback(strings.Trim(host, "[]")) {
			http.Error(w, "open the page under the address that the program prints", http.StatusForbidden)
			return
		}
		// The page shows what a model and a document say; none of it may run.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// event is the data of one server-sent event to the page: a piece of text, the end or an error.
type event struct {
	Text  string `json:"text,omitempty"`
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// chat relays a stream. When the page goes away the request's context ends, and with it the
// generation.
func chat(w http.ResponseWriter, r *http.Request, client *babyclient.Client, model string) {
	var body struct{ Messages []babyclient.Message }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxChat)).Decode(&body); err != nil {
		http.Error(w, "the conversation: "+err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	send := func(e event) bool {
		data, _ := json.Marshal(e) // texts always encode
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return false
		}
		return http.NewResponseController(w).Flush() == nil
	}
	req := &babyclient.ChatRequest{Model: model, Messages: body.Messages, MaxTokens: new(300), Temperature: new(0.0)}
	for chunk, err := range client.ChatStream(r.Context(), req) {
		if err == nil {
			err = chunk.Err()
		}
		if err != nil {
			send(event{Error: err.Error()})
			return
		}
		if text := chunk.Text(); text != "" && !send(event{Text: text}) {
			return
		}
	}
	send(event{Done: true})
}

// convert passes the upload on while it arrives: at no time is the document in memory.
func convert(w http.ResponseWriter, r *http.Request, client *babyclient.Client) {
	parts, err := r.MultipartReader()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	part, err := parts.NextPart()
	if err != nil || part.FileName() == "" {
		http.Error(w, "want one file", http.StatusBadRequest)
		return
	}
	resp, err := client.Docling.Convert(r.Context(), &babyclient.ConvertRequest{
		Sources: []babyclient.Source{babyclient.FromReader(part.FileName(), part)},
		Options: babyclient.ConvertOptions{ImageExportMode: "placeholder"},
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, _ = io.WriteString(w, resp.Document().Markdown) // a page that has gone needs no answer
}
