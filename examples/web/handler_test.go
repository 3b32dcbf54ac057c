package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

const question = `{"messages":[{"role":"user","content":"Why?"}]}`

// page is the program in front of a scripted service.
func page(t *testing.T) (*httptest.Server, *babytest.Server) {
	t.Helper()
	service := babytest.NewServer()
	t.Cleanup(service.Close)
	server := httptest.NewServer(handler(service.Client(), "m"))
	t.Cleanup(server.Close)
	return server, service
}

func post(t *testing.T, url, contentType string, body io.Reader, header ...string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if len(header) == 2 {
		req.Header.Set(header[0], header[1])
		if header[0] == "Host" {
			req.Host = header[1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

func TestChat(t *testing.T) {
	delta := func(text string) string { return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"content":%q}}]}`, text) }
	tests := map[string]struct {
		answer http.Handler
		want   string // the last event, all of it or how it begins
		events int
	}{
		"whole": {babytest.Stream(delta("Light "), delta("<b>\n\n")), `data: {"done":true}`, 3},
		"cut":   {babytest.Events(delta("Light ")), `data: {"error":"`, 2},
		"failed": {babytest.JSON(http.StatusNotFound, map[string]any{"error": map[string]any{"message": "no model m"}}),
			`data: {"error":"`, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server, service := page(t)
			service.On("POST /v1/chat/completions", tt.answer)
			_, text := post(t, server.URL+"/chat", "application/json", strings.NewReader(question))
			events := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
			if len(events) != tt.events || !strings.HasPrefix(events[len(events)-1], tt.want) ||
				strings.Contains(text, babytest.Key) {
				t.Errorf("got %q, want %d events with %s last", events, tt.events, tt.want)
			}
		})
	}
}

func TestConvert(t *testing.T) {
	server, service := page(t)
	service.On("POST /docling/v1/convert/file", babytest.JSON(http.StatusOK, map[string]any{
		"document": map[string]any{"filename": "a.html", "md_content": "# Title <script>"}, "status": "success"}))
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "a.html")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, "<h1>Title</h1>"); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	status, text := post(t, server.URL+"/convert", form.FormDataContentType(), bytes.NewReader(body.Bytes()))
	if status != http.StatusOK || text != "# Title <script>" {
		t.Errorf("%d %q", status, text)
	}
	if got := string(service.Requests()[0].Body); !strings.Contains(got, "<h1>Title</h1>") ||
		!strings.Contains(got, `filename="a.html"`) {
		t.Errorf("the service got %q", got)
	}
}

// Another web page can send requests to this machine too; none of them may reach the service.
func TestOtherPagesAreRefused(t *testing.T) {
	server, service := page(t)
	for _, header := range [][]string{
		{"Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Host", "rebound.example:8080"},
	} {
		if status, text := post(t, server.URL+"/chat", "text/plain", strings.NewReader(question),
			header...); status != http.StatusForbidden {
			t.Errorf("%v: %d %s", header, status, text)
		}
	}
	if n := len(service.Requests()); n != 0 {
		t.Errorf("%d requests reached the service", n)
	}
}

func TestBadInput(t *testing.T) {
	server, _ := page(t)
	for path, body := range map[string]string{"/chat": "{", "/convert": "no form"} {
		if status, text := post(t, server.URL+path, "application/json",
			strings.NewReader(body)); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if err := run(t.Context(), "0.0.0.0:0", "m"); err == nil || !strings.Contains(err.Error(), "0.0.0.0:0") {
		t.Errorf("an address that others reach: %v", err)
	}
}
