package local

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// requestIDHeader names a request in the answer: as the caller named it in X-Request-Id, or by a
// random number.
const requestIDHeader = "X-Babyapi-Request-Id"

// handler serves all paths of the gateway.
func (g *gateway) handler() http.Handler {
	mux := http.NewServeMux()
	post := func(path string, h http.HandlerFunc) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if !methodNotAllowed(w, r) {
				h(w, r)
			}
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

// admit lets in what comes from this machine and has the key. A page in a browser could otherwise
// reach the engines: through a name that it makes point to 127.0.0.1 (its name is then in Host), or
// by a plain form post (its origin is then in Origin). The key that opens this gateway is taken off
// the request, so that no engine gets it; where the gateway has no key, an engine of the user's
// gets the caller's.
func (g *gateway) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = randomHex(8)
		}
		w.Header().Set(requestIDHeader, id)
		if !isLoopback(r.Host) {
			writeError(w, http.StatusForbidden,
				"the Host %q is refused: babyapi-local answers only to 127.0.0.1, [::1] and localhost", r.Host)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			if u, err := url.Parse(origin); err != nil || !isLoopback(u.Host) {
				writeError(w, http.StatusForbidden,
					"the Origin %q is refused: babyapi-local answers only to pages of this machine", origin)
				return
			}
		}
		if g.apiKey != "" {
			key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			isOpen := r.URL.Path == "/health" || r.URL.Path == "/ready"
			if !isOpen && subtle.ConstantTimeCompare([]byte(key), []byte(g.apiKey)) != 1 {
				writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
				return
			}
			r.Header.Del("Authorization")
			r.Header.Del("X-Api-Key")
		}
		next.ServeHTTP(w, r)
	})
}

// generate serves chat and text completions.
func (g *gateway) generate(w http.ResponseWriter, r *http.Request) {
	if readBodyFor(w, r, g.chat) != nil {
		g.chat.forward(w, r, r.URL.Path, nil)
	}
}

func ocrUnavailable(w http.ResponseWriter, _ *http.Request) {
	writeErrorBody(w, http.StatusNotImplemented, errorBody{
		Message: "babyapi-local has no OCR model, so /v1/ocr is not served: use the hosted service, " +
			"or start babyapi-local with --ocr and convert scans through /docling",
		Type: "NotImplementedError", Code: "OCR_NOT_AVAILABLE"})
}
