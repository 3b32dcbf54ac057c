package local

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxJSON is the size of the largest JSON body that is read, in bytes. Bodies
// for docling are passed on unread and have no limit here.
const maxJSON = 16 << 20

// requestIDHeader names a request in the answer: as the caller named it in
// X-Request-Id, or by a number of ours.
const requestIDHeader = "X-Babyapi-Request-Id"

// gateway is the wire of BabyAPI in front of the engines.
type gateway struct {
	apiKey  string // empty: any key or none
	chat    *backend
	embed   *backend
	rerank  *backend // nil: cosine similarity of the embeddings
	docling *docling
	started time.Time
	// installing is set while the first run has not come to starting engines
	installing atomic.Bool
}

func (g *gateway) handler() http.Handler {
	mux := http.NewServeMux()
	post := func(path string, h http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				w.Header().Set("Allow", http.MethodPost)
				doclingError(w, http.StatusMethodNotAllowed, "Method Not Allowed")
				return
			}
			h(w, r)
		})
	}
	post("/v1/chat/completions", g.generate)
	post("/v1/completions", g.generate)
	post("/v1/embeddings", g.embeddings)
	post("/v1/rerank", g.rerankDocuments)
	post("/infer", g.infer)
	mux.HandleFunc("GET /v1/models", g.models)
	mux.HandleFunc("/v1/ocr/", ocrUnavailable)
	mux.Handle("/docling/", g.docling)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /ready", g.ready)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		doclingError(w, http.StatusNotFound, "Not Found")
	})
	return g.admit(mux)
}

// admit lets in what comes from this machine and has the key. A page in a
// browser could otherwise reach the engines: through a name that it makes point
// to 127.0.0.1 (its name is then in Host), or by a plain form post (its origin
// is then in Origin).
func (g *gateway) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = randomHex(8)
		}
		w.Header().Set(requestIDHeader, id)
		if !isLoopback(r.Host) {
			writeError(w, http.StatusForbidden, "Forbidden",
				fmt.Sprintf("the Host %q is refused: babyapi-local answers only to 127.0.0.1, [::1] and localhost", r.Host))
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			if u, err := url.Parse(origin); err != nil || !isLoopback(u.Host) {
				writeError(w, http.StatusForbidden, "Forbidden",
					fmt.Sprintf("the Origin %q is refused: babyapi-local answers only to pages of this machine", origin))
				return
			}
		}
		open := r.URL.Path == "/health" || r.URL.Path == "/ready"
		if g.apiKey != "" && !open {
			key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if subtle.ConstantTimeCompare([]byte(key), []byte(g.apiKey)) != 1 {
				writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether host, with or without a port, names this machine itself.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// object is a JSON object whose fields are read only as far as needed.
type object map[string]json.RawMessage

// text is the string at key, or empty where there is none.
func (o object) text(key string) (string, error) {
	raw, ok := o[key]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%s must be a string, not %.40s", key, raw)
	}
	return s, nil
}

// number is the whole number at key; there is none where the bool is false.
func (o object) number(key string) (int, bool, error) {
	raw, ok := o[key]
	if !ok || string(raw) == "null" {
		return 0, false, nil
	}
	var n int
	if err := json.Unmarshal(raw, &n); err != nil {
		return 0, false, fmt.Errorf("%s must be a whole number, not %.40s", key, raw)
	}
	return n, true, nil
}

// readObject reads the JSON body of a request and leaves it to be read again.
// Where it returns nil it has answered.
func readObject(w http.ResponseWriter, r *http.Request) object {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			writeError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
				fmt.Sprintf("the body is larger than the %d MiB that babyapi-local reads", maxJSON>>20))
		}
		return nil // else the client left
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		writeError(w, http.StatusUnsupportedMediaType, "UnsupportedMediaType",
			fmt.Sprintf("the body has Content-Encoding %q: send it uncompressed", encoding))
		return nil
	}
	var o object
	if err := json.Unmarshal(body, &o); err != nil || o == nil {
		message := "the body is not a JSON object"
		if err != nil {
			message += ": " + err.Error()
		}
		badRequest(w, "body", message)
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.TransferEncoding = nil
	return o
}

// checkModel answers vLLM's 404 to a model that the backend does not have,
// where llama.cpp would answer with the one it has.
func checkModel(w http.ResponseWriter, o object, b *backend) bool {
	model, err := o.text("model")
	if err != nil {
		badRequest(w, "model", err.Error())
		return false
	}
	if !b.knows(model) {
		unknownModel(w, model, b)
		return false
	}
	return true
}

func unknownModel(w http.ResponseWriter, model string, b *backend) {
	param := "model"
	writeJSON(w, http.StatusNotFound, map[string]errorBody{"error": {
		Message: fmt.Sprintf("The model `%s` does not exist. Valid here: %s.", model, strings.Join(b.names, ", ")),
		Type:    "NotFoundError", Param: &param, Code: http.StatusNotFound}})
}

// generate serves chat and text completions.
func (g *gateway) generate(w http.ResponseWriter, r *http.Request) {
	o := readObject(w, r)
	if o == nil || !checkModel(w, o, g.chat) {
		return
	}
	g.chat.forward(w, r, r.URL.Path, g.apiKey != "", nil)
}

func ocrUnavailable(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotImplemented, map[string]errorBody{"error": {
		Message: "babyapi-local has no OCR model, so /v1/ocr is not served: use the hosted service, or start babyapi-local with --ocr and convert scans through /docling",
		Type:    "NotImplementedError", Code: "OCR_NOT_AVAILABLE"}})
}

// engineState is one line of GET /ready.
type engineState struct {
	Name string `json:"name"`
	Up   bool   `json:"up"`
	URL  string `json:"url,omitempty"` // of an engine that we did not start
	Note string `json:"note,omitempty"`
}

// ready tells which engines are up: 200 when all are, else 503.
func (g *gateway) ready(w http.ResponseWriter, r *http.Request) {
	engines := g.states(r.Context())
	ready := true
	for _, e := range engines {
		ready = ready && e.Up
	}
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, map[string]any{
		"ready": ready, "installing": g.installing.Load(), "engines": engines})
}

func (g *gateway) states(ctx context.Context) []engineState {
	backends := []*backend{g.chat, g.embed}
	if g.rerank != nil {
		backends = append(backends, g.rerank)
	}
	for _, n := range g.docling.nodes {
		backends = append(backends, n.backend)
	}
	states := make([]engineState, len(backends))
	var wg sync.WaitGroup
	for i, b := range backends {
		wg.Go(func() { states[i] = b.state(ctx) })
	}
	wg.Wait()
	if g.rerank == nil {
		states = append(states, engineState{Name: "rerank", Up: states[1].Up, Note: "cosine similarity of the embeddings"})
	}
	return states
}

// state tells whether the backend is up. One that we did not start is asked:
// any answer at all will do.
func (b *backend) state(ctx context.Context) engineState {
	t := b.target.Load()
	s := engineState{Name: b.name, Up: t != nil}
	if b.own {
		return s
	}
	s.URL = t.url.Redacted()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.address("/health", "").String(), nil)
	if err == nil {
		var resp *http.Response
		if resp, err = b.transport().RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		s.Up, s.Note = false, err.Error()
	}
	return s
}
