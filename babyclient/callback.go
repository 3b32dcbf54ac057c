package babyclient

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// Callback is an address that docling-serve tells of the progress of a request, with a POST for
// each step. [CallbackHandler] answers it. The address must be in reach of docling-serve.
type Callback struct {
	URL string `json:"url"`
	// Header are headers that docling-serve sends along.
	Header map[string]string `json:"headers,omitempty"`
	// CACert is a file on docling-serve's machine: the certificate, in PEM, of the authority that
	// signed the certificate of URL. Empty: docling-serve trusts the authorities that it knows.
	CACert string `json:"ca_cert,omitempty"`

	// Extra are further fields by docling-serve's names, and win over the fields above.
	Extra map[string]any `json:"-"`
}

// MarshalJSON encodes the callback under docling-serve's names, with Extra.
func (c Callback) MarshalJSON() ([]byte, error) {
	type fields Callback
	return encodeBody(fields(c), c.Extra)
}

func checkCallbacks(callbacks []Callback) error {
	for i, c := range callbacks {
		if !isHTTPURL(c.URL) && c.Extra["url"] == nil {
			return invalid(CodeInvalidRequest, "callbacks[%d] is for %s: want an http or https URL", i,
				quote(publicURL(c.URL)))
		}
		// The handler would answer 403 to each of them, and docling-serve does not pass that on.
		if secret, ok := c.Header[CallbackSecretHeader]; ok && secret == "" {
			return invalid(CodeInvalidRequest, "callbacks[%d] has an empty %s: set the Secret of its CallbackHandler",
				i, CallbackSecretHeader)
		}
	}
	return nil
}

// Kinds of [TaskProgress].
const (
	ProgressNumDocs           = "set_num_docs"       // NumDocs is known now
	ProgressDocumentCompleted = "document_completed" // Document has ended
	ProgressProcessed         = "update_processed"   // the numbers so far but NumDocs, and Documents
	ProgressTaskCompleted     = "task_completed"     // State, and Failure; only docling-serve's Ray engine tells
)

// TaskProgress is what a callback tells of a task. Which fields are set follows from Kind.
type TaskProgress struct {
	TaskID string `json:"-"`
	// Kind is one of the Progress constants, or a newer one of docling-serve's.
	Kind string `json:"kind"`
	TaskCounts
	// Document is the one that has ended.
	Document *ProcessedDocument `json:"document"`
	// Documents are those that have ended since the last callback of this kind.
	Documents []ProcessedDocument `json:"docs"`
	// State is how the task ended: "success" or "failure".
	State string `json:"task_status"`
	// Failure is why it failed; nil if it did not.
	Failure *TaskFailure `json:"failure"`
	// Raw is the body of the callback as received.
	Raw json.RawMessage `json:"-"`
}

// TaskCounts counts the documents of a task.
type TaskCounts struct {
	NumDocs               int `json:"num_docs"` // 0 where it is not told
	NumProcessed          int `json:"num_processed"`
	NumSucceeded          int `json:"num_succeeded"`
	NumPartiallySucceeded int `json:"num_partially_succeeded"`
	NumFailed             int `json:"num_failed"`
}

// TaskFailure is why a docling task failed.
type TaskFailure struct {
	// Category is "policy", "capacity", "source_unavailable", "target_unavailable", "timeout",
	// "internal"…
	Category string `json:"category"`
	Message  string `json:"message"`
	// Retryable tells that the same request may succeed later.
	Retryable bool `json:"retryable"`
	// Phase is "admission", "source_enumeration", "execution" or "orchestration".
	Phase   string            `json:"phase"`
	Details map[string]string `json:"details"`
}

// ProcessedDocument is what a callback tells of one document.
type ProcessedDocument struct {
	// Source is the name or the URL of the document.
	Source string         `json:"source"`
	Status DocumentStatus `json:"status"`
	// Error is why it failed, empty if it did not.
	Error      string `json:"error"`
	NumPages   int    `json:"num_pages"`
	NumTables  int    `json:"num_tables"`
	NumFigures int    `json:"num_pictures"`
}

// CallbackSecretHeader is the header in which [CallbackHandler] looks for its secret.
const CallbackSecretHeader = "X-Callback-Secret" //nolint:gosec // the name of a header, no secret

// CallbackHandler is an [http.Handler] that docling-serve's callbacks go to:
//
//	handle := func(ctx context.Context, p *babyclient.TaskProgress) error {
//		if p.Kind == babyclient.ProgressDocumentCompleted {
//			log.Printf("%s: %d of %d", p.TaskID, p.NumProcessed, p.NumDocs)
//		}
//		return nil
//	}
//	h := &babyclient.CallbackHandler{Secret: secret, Handle: handle}
//	http.Handle("/docling", h)
//	req.Callbacks = []babyclient.Callback{h.Callback("https://my.example/docling")}
//
// It answers 204; 403 to a request without the secret; 400 to a body that it cannot decode; 405 to
// another method than POST; and 500 if Handle fails, or is nil.
type CallbackHandler struct {
	// Secret must stand in the header [CallbackSecretHeader], or in the query parameter "secret",
	// of each callback. It must not be empty, or whoever finds the address could send false
	// progress: a request with a callback to a handler without a secret is refused unsent.
	Secret string
	// Handle is called with each callback. Callbacks may come at the same time, out of order, and
	// after Wait has returned, so Handle must be safe for concurrent use.
	Handle func(context.Context, *TaskProgress) error
}

// Callback is a callback to this handler, at the URL where docling-serve reaches it.
func (h *CallbackHandler) Callback(url string) Callback {
	return Callback{URL: url, Header: map[string]string{CallbackSecretHeader: h.Secret}}
}

// ServeHTTP takes a callback.
func (h *CallbackHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "a callback is a POST", http.StatusMethodNotAllowed)
		return
	}
	if !h.isSecret(r.Header.Get(CallbackSecretHeader)) && !h.isSecret(r.URL.Query().Get("secret")) {
		http.Error(w, "the secret is missing or wrong", http.StatusForbidden)
		return
	}
	const mostBytes = 32 << 20 // of some 100,000 documents; who sends them knows the secret
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBytes))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	progress, err := readProgress(raw)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if h.Handle == nil {
		http.Error(w, "the CallbackHandler has no Handle", http.StatusInternalServerError)
		return
	}
	if err := h.Handle(r.Context(), progress); err != nil {
		http.Error(w, "the callback could not be handled", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *CallbackHandler) isSecret(given string) bool {
	return h.Secret != "" && subtle.ConstantTimeCompare([]byte(given), []byte(h.Secret)) == 1
}

// readProgress reads a callback. What does not fit its field is left zero: a newer docling-serve
// may tell more, and the caller has it in Raw.
func readProgress(raw []byte) (*TaskProgress, error) {
	var body struct {
		TaskID   string `json:"task_id"`
		Progress *struct {
			TaskProgress
			TotalProcessed int `json:"total_processed"` // with a completed document
			TotalDocs      int `json:"total_docs"`
		} `json:"progress"`
	}
	if err := unmarshalFitting(raw, &body, "callback"); err != nil {
		return nil, errors.New("the body is no JSON of a callback")
	}
	if body.TaskID == "" || body.Progress == nil || body.Progress.Kind == "" {
		return nil, errors.New("the body has no task_id, or no progress with its kind")
	}
	p := &body.Progress.TaskProgress
	p.TaskID, p.Raw = body.TaskID, raw
	p.NumDocs = max(p.NumDocs, body.Progress.TotalDocs)
	p.NumProcessed = max(p.NumProcessed, body.Progress.TotalProcessed)
	return p, nil
}
