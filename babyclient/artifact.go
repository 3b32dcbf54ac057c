package babyclient

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// DocumentArtifacts are the results of one document in a store.
type DocumentArtifacts struct {
	// SourceIndex is the place of the document's source in the request.
	SourceIndex int            `json:"source_index"`
	SourceURI   string         `json:"source_uri"`
	Filename    string         `json:"filename"`
	Status      DocumentStatus `json:"status"`
	Errors      []DoclingError `json:"errors"`
	Artifacts   []Artifact     `json:"artifacts"`
}

// Artifact is one file in a store.
type Artifact struct {
	// Type is "json", "html", "markdown", "text", "doctags", "doclang", "dclx" or
	// "resource_bundle".
	Type      string `json:"artifact_type"`
	MediaType string `json:"mime_type"`
	// URL is where the file is. It often holds a signature: keep it as a secret.
	URL string `json:"uri"`
	// Expires is when the URL stops working; zero where the store does not tell.
	Expires time.Time `json:"url_expires_at"`
}

func (d *DocumentArtifacts) failure() error {
	converted := Converted{Filename: d.Filename, Status: d.Status, Errors: d.Errors}
	return converted.failure()
}

// Download writes an artifact to w, at most [WithMaxResponseSize] bytes of it, and returns how many
// bytes it wrote. The request goes to the store without the API key and without any header of the
// client's; errors do not name the query of the URL, which often holds a signature. Of the options
// only the timeout counts. Nothing is sent again.
func (d *Docling) Download(ctx context.Context, a Artifact, w io.Writer, opts ...CallOption) (int64, error) {
	k := newGet("an artifact")
	k.isDocument, k.toWriter = true, true
	if ctx == nil {
		return 0, withOp(k.op(), errNilContext)
	}
	if !isHTTPURL(a.URL) {
		return 0, withOp(k.op(), invalid(CodeInvalidRequest, "the artifact has no http or https URL"))
	}
	if w == nil {
		return 0, withOp(k.op(), invalid(CodeInvalidRequest, "the writer is nil"))
	}
	k.secrets = secretsOfURL(a.URL)
	settings, err := d.c.defaults.withOptions(opts)
	if err != nil {
		return 0, withOp(k.op(), err)
	}
	fail := d.c.errorsWith(k.op(), settings)
	fail.isSafe, fail.addSecrets, fail.host = true, k.addSecrets, Source{URL: a.URL}.String()
	attempt := d.c.newAttempt(ctx, k, settings, fail, 1)
	req, err := http.NewRequestWithContext(attempt.clock.ctx, http.MethodGet, a.URL, nil)
	if err != nil {
		attempt.clock.stop()
		return 0, withOp(k.op(), invalid(CodeInvalidRequest, "the URL of the artifact cannot be parsed"))
	}
	answered, err := d.c.http.Do(req) //nolint:bodyclose // the response closes it
	if err != nil {
		failed := attempt.notAnswered(err, answered)
		attempt.close(Meta{}, 0, failed)
		return 0, failed
	}
	resp := attempt.open(answered)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return 0, resp.serviceError()
	}
	if resp.length > d.c.maxResponseSize {
		err := fail.tooLarge(resp.Meta, fmt.Errorf("%w: the store says %d", errTooLarge, resp.length))
		resp.close(err)
		return 0, err
	}
	counted := &countingWriter{Writer: w}
	err = resp.copyTo(counted)
	return counted.n, err
}

// countingWriter counts the bytes that were written.
type countingWriter struct {
	io.Writer
	n int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.n += int64(n)
	return n, err
}
