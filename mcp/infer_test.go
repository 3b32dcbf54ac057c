package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

func mustClient(t *testing.T, svc *service, opts ...babyclient.Option) *babyclient.Client {
	t.Helper()
	c, err := babyclient.New(
		append([]babyclient.Option{babyclient.WithBaseURL(svc.URL), babyclient.WithAPIKey(testKey)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func sentBody(t *testing.T, svc *service, path string) map[string]any {
	t.Helper()
	sent := svc.sent(path)
	if len(sent) == 0 {
		t.Fatalf("nothing was sent to %s", path)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(sent[len(sent)-1].body), &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// What is text alone goes to /infer, which every model serves.
func TestInferPrompt(t *testing.T) {
	svc := newService(t)
	s, _ := newTestServer(t, svc)
	if text := mustText(t, s, ToolInfer,
		`{"prompt":"hi","max_tokens":"9","temperature":0,"options":{"top_p":0.5,"stop":"END"}}`); text != "echo: hi" {
		t.Errorf("got %q, want the echo of the prompt", text)
	}
	got, _ := json.Marshal(sentBody(t, svc, "/infer"))
	want := `{"max_tokens":9,"model":"qwen-8b","prompt":"hi","stop":["END"],"temperature":0,"top_p":0.5}`
	if string(got) != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// What needs more goes to the chat.
func TestInferChat(t *testing.T) {
	svc := newService(t)
	s, root := newTestServer(t, svc)
	var img bytes.Buffer
	if err := png.Encode(&img, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "chart.png"), img.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	mustText(t, s, ToolInfer, `{"prompt":"what?","system":"be brief","model":"qwen-32b","options":{"seed":7},`+
		`"images":["chart.png","https://example.com/b.png"],"schema":"{\"type\":\"object\"}"}`)
	body := sentBody(t, svc, "/v1/chat/completions")
	if body["model"] != "qwen-32b" || body["seed"] != 7.0 {
		t.Errorf("sent %v, want model qwen-32b and seed 7", body)
	}
	text, _ := json.Marshal(body)
	for _, want := range []string{`"role":"system"`, "data:image/png;base64,", "https://example.com/b.png",
		`"response_format":{"json_schema"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("sent %s, want %s in it", text, want)
		}
	}
}

func TestInferTellsThatTheAnswerIsCut(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	text := mustText(t, s, ToolInfer, `{"prompt":"hi","max_tokens":1}`)
	if !strings.HasPrefix(text, "echo: hi\n\n[babyapi: cut at the token limit of qwen-8b") ||
		!strings.Contains(text, "larger max_tokens") {
		t.Errorf("got %q, want the answer and that it was cut", text)
	}
}

// A very long answer is read on like a document.
func TestInferLongAnswer(t *testing.T) {
	s, _ := newTestServer(t, newService(t))
	prompt := strings.TrimSpace(strings.Repeat("word ", 20_000))
	body, note := splitNote(t, mustText(t, s, ToolInfer, `{"prompt":"`+prompt+`"}`))
	m := continues.FindStringSubmatch(note)
	if m == nil {
		t.Fatalf("note %q", note)
	}
	rest, _ := readAll(t, s, m[1])
	if body+rest != "echo: "+prompt {
		t.Error("the parts joined are not the answer")
	}
}

func TestInferRefuses(t *testing.T) {
	svc := newService(t)
	s, root := newTestServer(t, svc)
	write(t, root, "a.png")
	wantError(t, s, ToolInfer, `{"prompt":" "}`, "prompt is blank")
	wantError(t, s, ToolInfer, `{"question":"x"}`, `Did you mean "prompt"?`)
	wantError(t, s, ToolInfer, `{"prompt":"x","stop":"y"}`, `Did you mean "options"?`)
	wantError(t, s, ToolInfer, `{"prompt":"x","options":{"messages":[]}}`, `options holds "messages"`)
	wantError(t, s, ToolInfer, `{"prompt":"x","options":{"top_p":"high"}}`, "top_p")
	wantError(t, s, ToolInfer, `{"prompt":"x","images":["/etc/passwd"]}`, root)
	wantError(t, s, ToolInfer, `{"prompt":"x","images":["a.png"]}`, "is not a PNG")
	wantError(t, s, ToolInfer, `{"prompt":"x","images":["data:image/png;base64,AA=="]}`, "is not taken")
	wantError(t, s, ToolInfer, `{"prompt":"x","model":"qwen-9b"}`, `no model "qwen-9b"`, "Nearest: qwen-8b, qwen-32b")
	svc.answers["/v1/models"] = answered{404, nil, `{}`}
	wantError(t, s, ToolInfer, `{"prompt":"x","model":"qwen-9b"}`, "not found (404)", "does not exist")
	const chat = `{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":%q},` +
		`"finish_reason":"stop"}]}`
	svc.answers["/v1/chat/completions"] = answered{200, nil, fmt.Sprintf(chat, "no json")}
	wantError(t, s, ToolInfer, `{"prompt":"x","schema":{"type":"object"}}`, "did not answer in JSON", "no json")
	svc.answers["/v1/chat/completions"] = answered{200, nil, fmt.Sprintf(chat, "")}
	if text := mustText(t, s, ToolInfer, `{"prompt":"x","system":"y"}`); !strings.Contains(text, "answered nothing") {
		t.Errorf("an empty answer: %q", text)
	}
	t.Setenv("BABYAPI_DEFAULT_MODEL", "")
	bare, err := NewServer(mustClient(t, svc), WithRoots(root))
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	wantError(t, bare, ToolInfer, `{"prompt":"x"}`, "no model", "--model")
	wrong, err := NewServer(mustClient(t, svc, babyclient.WithDefaultModel("missing")), WithRoots(root))
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	delete(svc.answers, "/v1/models")
	wantError(t, wrong, ToolInfer, `{"prompt":"x"}`, "default model", "such as one of")
}
