package local

import (
	"encoding/json"
	"net/http"
)

// errorBody is vLLM's shape of an error; code is its HTTP status, or a word
// where the client's contract has one.
type errorBody struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    any     `json:"code"`
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// the only failure left is a client that went away
	_ = json.NewEncoder(w).Encode(body)
}

func writeError(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]errorBody{"error": {Message: message, Type: kind, Code: status}})
}

func badRequest(w http.ResponseWriter, param, message string) {
	writeJSON(w, http.StatusBadRequest, map[string]errorBody{"error": {
		Message: message, Type: "BadRequestError", Param: &param, Code: http.StatusBadRequest}})
}

// notUp is a 503, which a client may send again: nothing has run.
func notUp(w http.ResponseWriter, name string) {
	w.Header().Set("Retry-After", "1")
	writeError(w, http.StatusServiceUnavailable, "ServiceUnavailable",
		"the "+name+" engine is not up (yet, or not again); GET /ready tells which are")
}

// doclingError is docling-serve's shape of an error.
func doclingError(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, map[string]string{"detail": detail})
}
