package local

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// errorBody is vLLM's shape of an error; code is its HTTP status, or a word where the client's
// contract has one.
type errorBody struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    any     `json:"code"`
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// What is written here always encodes, so the only failure left is a client that went away.
	_ = json.NewEncoder(w).Encode(body)
}

func writeErrorBody(w http.ResponseWriter, status int, body errorBody) {
	writeJSON(w, status, map[string]errorBody{"error": body})
}

// writeError answers with an error whose type is the name of the status, such as BadGateway.
func writeError(w http.ResponseWriter, status int, format string, args ...any) {
	kind := strings.ReplaceAll(http.StatusText(status), " ", "")
	writeErrorBody(w, status, errorBody{Message: fmt.Sprintf(format, args...), Type: kind, Code: status})
}

// badRequestBody is the error of a request whose field param is wrong.
func badRequestBody(param, message string) errorBody {
	return errorBody{Message: message, Type: "BadRequestError", Param: &param, Code: http.StatusBadRequest}
}

func badRequest(w http.ResponseWriter, param, message string) {
	writeErrorBody(w, http.StatusBadRequest, badRequestBody(param, message))
}

// notUp is a 503. A client may send the request again, because nothing has run.
func notUp(w http.ResponseWriter, name string) {
	w.Header().Set("Retry-After", "1")
	writeError(w, http.StatusServiceUnavailable,
		"the %s engine is not up (yet, or not again); GET /ready tells which are", name)
}

// doclingError is docling-serve's shape of an error.
func doclingError(w http.ResponseWriter, status int, detail string) {
	writeJSON(w, status, map[string]string{"detail": detail})
}

// methodNotAllowed refuses all but a POST, and reports whether it did.
func methodNotAllowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPost {
		return false
	}
	w.Header().Set("Allow", http.MethodPost)
	doclingError(w, http.StatusMethodNotAllowed, "Method Not Allowed")
	return true
}
