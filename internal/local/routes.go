package local

import "net/http"

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
