package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// realStack starts the real engines, or skips.
func realStack(t *testing.T, c Config) *Stack {
	t.Helper()
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: set BABYAPI_TEST_ENGINES=1 or run make test (the first time it installs them)")
	}
	c.Addr = "127.0.0.1:0"
	c.Messages = t.Output()
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the stack: %v", err)
		}
	})
	return s
}

func post(t *testing.T, url, body string, out any) {
	t.Helper()
	resp, text := send(t, http.MethodPost, url, body, "Content-Type", "application/json")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: %d %s, want 200", url, resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%s: %v in %s", url, err, text)
	}
}

// upload posts a file of testdata, or a text under a name, and returns the answer.
func upload(t *testing.T, url, name, text string, headers ...string) (*http.Response, string) {
	t.Helper()
	if text == "" {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("files", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(part, text)
	_ = form.Close()
	return send(t, http.MethodPost, url, body.String(), append(headers, "Content-Type", form.FormDataContentType())...)
}

type converted struct {
	Document struct {
		Markdown string `json:"md_content"`
	} `json:"document"`
	Status string `json:"status"`
	Errors []struct {
		Message string `json:"error_message"`
		Page    int    `json:"page_no"`
	} `json:"errors"`
}

func convert(t *testing.T, s *Stack, name, text string) converted {
	t.Helper()
	resp, body := upload(t, s.BaseURL()+"/docling/v1/convert/file", name, text)
	var c converted
	if err := json.Unmarshal([]byte(body), &c); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("converting %s: %d %s, want 200 and a document", name, resp.StatusCode, body)
	}
	return c
}

// The default models and one docling node: what a person gets who types one command.
func TestEnginesByDefault(t *testing.T) {
	s := realStack(t, Config{})
	base := s.BaseURL()

	t.Run("models", func(t *testing.T) {
		_, body := send(t, http.MethodGet, base+"/v1/models", "")
		for _, want := range []string{`"id":"smollm2-135m-instruct"`, `"max_model_len":4096`, `"id":"all-minilm-l6-v2"`,
			`"max_model_len":512`} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in %s", want, body)
			}
		}
	})
	t.Run("chat", func(t *testing.T) {
		var a struct {
			Choices []struct {
				Message struct{ Content string }
			}
		}
		post(t, base+"/v1/chat/completions",
			`{"model":"smollm2-135m-instruct","max_tokens":20,"temperature":0,"messages":[{"role":"user",`+
				`"content":"Answer the question from the passage.\n\n`+
				`Passage: The Alpha project had a budget of 250,000 euros.\n\n`+
				`Question: What was the budget of the Alpha project?"}]}`, &a)
		if len(a.Choices) != 1 || !strings.Contains(a.Choices[0].Message.Content, "250,000") {
			t.Errorf("answer %+v, want one choice that says 250,000", a)
		}
	})
	t.Run("infer", func(t *testing.T) {
		var a struct {
			Model, Output string
			Usage         struct {
				Completion int `json:"completion_tokens"`
			}
			FinishReason string `json:"finish_reason"`
		}
		post(t, base+"/infer", `{"prompt":"Name a colour.","max_tokens":4}`, &a)
		if a.Output == "" || a.Model != ChatModel || a.Usage.Completion != 4 || a.FinishReason != "length" {
			t.Errorf("answer %+v, want four tokens of %s", a, ChatModel)
		}
	})
	t.Run("embeddings", func(t *testing.T) {
		var a struct {
			Data []struct {
				Embedding []float64
			}
		}
		post(t, base+"/v1/embeddings", `{"model":"all-minilm-l6-v2","input":["a","b"],"dimensions":384}`, &a)
		if len(a.Data) != 2 || len(a.Data[0].Embedding) != 384 {
			t.Errorf("%d vectors", len(a.Data))
		}
		long := strings.Repeat("fox ", 700)
		for _, text := range []string{long, strings.Repeat(long, 10)} { // more than a slot, more than a batch
			resp, body := send(t, http.MethodPost, base+"/v1/embeddings", `{"input":"`+text+`"}`)
			if resp.StatusCode != http.StatusBadRequest ||
				!strings.Contains(body, "maximum context length is 512 tokens") {
				t.Errorf("too long: %d %s", resp.StatusCode, body)
			}
		}
		var cut struct {
			Usage struct {
				Prompt int `json:"prompt_tokens"`
			}
		}
		post(t, base+"/v1/embeddings", `{"input":"`+long+`","truncate_prompt_tokens":-1}`, &cut)
		if cut.Usage.Prompt != 512 {
			t.Errorf("cut to %d tokens", cut.Usage.Prompt)
		}
	})
	t.Run("rerank", func(t *testing.T) {
		var a rerankResponse
		post(t, base+"/v1/rerank", `{"model":"all-minilm-l6-v2","query":"Who pays for a broken window?","top_n":1,
			"documents":["The garden has three apple trees.","The tenant bears the cost of damaged glass.",`+
			`"Trains leave at noon."]}`, &a)
		if len(a.Results) != 1 || a.Results[0].Index != 1 || a.Model != "all-minilm-l6-v2 (cosine)" {
			t.Errorf("answer %+v, want the document about glass, by cosine", a)
		}
	})
	t.Run("convert", func(t *testing.T) {
		for name, text := range map[string]string{
			"a.md": "# Title\n\nThe text.", "a.html": "<h1>Title</h1><p>The text.</p>", "a.csv": "Title,x\nThe " +
				"text.,1", "text.pdf": "",
		} {
			want := []string{"Title", "The text."}
			if text == "" {
				want = []string{"## Quarterly report", "Revenue rose by 12 percent."}
			}
			c := convert(t, s, name, text)
			for _, w := range want {
				if c.Status != "success" || !strings.Contains(c.Document.Markdown, w) {
					t.Errorf("conversion of %s: %+v, want success and %q", name, c, w)
				}
			}
		}
	})
	t.Run("a scan", func(t *testing.T) {
		c := convert(t, s, "scan.pdf", "")
		if c.Status != "partial_success" || len(c.Errors) != 1 ||
			!strings.Contains(c.Errors[0].Message, "no text was found in the document; a scan needs OCR") {
			t.Errorf("conversion of a scan: %+v, want partial success and a hint to OCR", c)
		}
	})
	t.Run("a scan among other pages", func(t *testing.T) { // of which one is blank
		c := convert(t, s, "mixed.pdf", "")
		if c.Status != "partial_success" || len(c.Errors) != 1 || c.Errors[0].Page != 3 ||
			!strings.Contains(c.Document.Markdown, "Revenue") {
			t.Errorf("conversion of mixed.pdf: %+v, want partial success, and an error of page 3", c)
		}
	})
	t.Run("chunk", func(t *testing.T) {
		for _, kind := range []string{"hybrid", "hierarchical"} {
			resp, body := upload(t, base+"/docling/v1/chunk/"+kind+"/file", "a.md", "# Title\n\nThe text.")
			if resp.StatusCode != http.StatusOK || !strings.Contains(body, `"headings":["Title"]`) {
				t.Errorf("chunks (%s): %d %s, want the heading Title", kind, resp.StatusCode, body)
			}
		}
	})
	t.Run("four at a time, and none when the clients have left", func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		var started, ended sync.WaitGroup
		for range 4 {
			started.Add(1)
			ended.Go(func() { stream(ctx, t, base, started.Done) })
		}
		started.Wait() // so all four are being worked on
		leave()
		ended.Wait()
		for range 4 { // which would wait for the others if these had not been stopped
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/chat/completions",
				strings.NewReader(`{"max_tokens":1,"messages":[{"role":"user","content":"hi"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	})
	t.Run("an engine is killed", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("finds the engine in /proc: run this test on Linux")
		}
		engine, err := os.FindProcess(childWith(t, "llama.py\x00chat"))
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Kill(); err != nil {
			t.Fatal(err)
		}
		failed := false
		for {
			resp, body := send(t, http.MethodPost, base+"/infer", `{"prompt":"hi","max_tokens":1}`)
			if resp.StatusCode == http.StatusOK && failed {
				break
			}
			failed = failed || resp.StatusCode == http.StatusServiceUnavailable ||
				resp.StatusCode == http.StatusBadGateway
			if resp.StatusCode != http.StatusOK && !strings.Contains(body, "the chat engine") {
				t.Fatalf("while the engine is down: %d %s, want an error that names it", resp.StatusCode, body)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// childWith is the process of ours whose command line holds the text.
func childWith(t *testing.T, text string) int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(text)) {
			continue
		}
		dir := filepath.Dir(path)
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(after); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no child of this process has %q in its command line", text)
	return 0
}

// Model files of the user's, a rerank model, and two docling nodes.
func TestEnginesOfTheUser(t *testing.T) {
	model := func(name string) string { return filepath.Join("testdata", "models", name) }
	s := realStack(t, Config{ChatModel: model("tiny-chat.gguf"), EmbedModel: model("tiny-embed.gguf"),
		RerankModel: model("tiny-rerank.gguf"), DoclingNodes: 2, APIKey: "k"})
	base := s.BaseURL()
	auth := []string{"Authorization", "Bearer k"}

	t.Run("rerank", func(t *testing.T) {
		resp, body := send(t, http.MethodPost, base+"/v1/rerank",
			`{"model":"tiny-rerank","query":"fox","documents":["a","The quick brown fox"],"top_n":0}`, auth...)
		var a rerankResponse
		if err := json.Unmarshal([]byte(body), &a); err != nil || resp.StatusCode != http.StatusOK ||
			len(a.Results) != 2 {
			t.Fatalf("rerank: %d %s, want two results", resp.StatusCode, body)
		}
		for _, r := range a.Results { // after the activation
			if r.RelevanceScore <= 0 || r.RelevanceScore >= 1 {
				t.Errorf("result %+v, want a score between 0 and 1", r)
			}
		}
	})
	t.Run("reasoning and tools", func(t *testing.T) {
		_, body := send(t, http.MethodPost, base+"/v1/chat/completions",
			`{"model":"tiny-chat","temperature":0,"messages":[{"role":"user","content":"Think: what is 2+2?"}]}`,
			auth...)
		if !strings.Contains(body, `"reasoning_content":"2 plus 2 is 4.`) {
			t.Error(body)
		}
	})
	t.Run("documents as jobs on two nodes", func(t *testing.T) {
		for _, node := range []string{"docling-0", "docling-1"} {
			resp, body := upload(t, base+"/docling/v1/convert/file/async", "a.md", "# Title", auth...)
			var task struct {
				ID string `json:"task_id"`
			}
			if err := json.Unmarshal([]byte(body), &task); err != nil ||
				resp.Header.Get("x-babyapi-docling-id") != node {
				t.Fatalf("%d %s on %q, want %s", resp.StatusCode, body, resp.Header.Get("x-babyapi-docling-id"), node)
			}
			pin := append([]string{"x-babyapi-docling-id", node}, auth...)
			for status := "pending"; status != "success"; {
				_, body := send(t, http.MethodGet, base+"/docling/v1/status/poll/"+task.ID, "", pin...)
				var poll struct {
					Status string `json:"task_status"`
				}
				if err := json.Unmarshal([]byte(body), &poll); err != nil || poll.Status == "failure" {
					t.Fatal(body)
				}
				status = poll.Status
			}
			if _, body := send(t, http.MethodGet, base+"/docling/v1/result/"+task.ID, "",
				pin...); !strings.Contains(body, "# Title") {
				t.Error(body)
			}
			other := map[string]string{"docling-0": "docling-1", "docling-1": "docling-0"}[node]
			if resp, body := send(t, http.MethodGet, base+"/docling/v1/status/poll/"+task.ID, "",
				append([]string{"x-babyapi-docling-id", other}, auth...)...); resp.StatusCode != http.StatusNotFound {
				t.Errorf("the other node: %d %s", resp.StatusCode, body)
			}
			if resp, body := send(t, http.MethodPost, base+"/docling/v1/cancel/"+task.ID, "{}",
				pin...); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"cancelled"`) {
				t.Errorf("cancel: %d %s", resp.StatusCode, body)
			}
			if _, body := send(t, http.MethodGet, base+"/docling/v1/status/poll/"+task.ID, "",
				pin...); !strings.Contains(body, `"task_status":"cancelled"`) {
				t.Error(body)
			}
		}
	})
}

// stream asks for text without end and reads it until ctx ends; first is
// called at the first piece of text.
func stream(ctx context.Context, t *testing.T, base string, first func()) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/completions",
		strings.NewReader(`{"stream":true,"ignore_eos":true,"max_tokens":100000,"prompt":"Once upon a time"}`))
	if err != nil {
		t.Errorf("making the request of a stream: %v", err)
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Errorf("sending the request of a stream: %v", err)
		first()
		return
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	var once sync.Once
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data: {") {
			once.Do(first)
		}
	}
	if ctx.Err() == nil {
		t.Errorf("the stream ended by itself: %v", lines.Err())
		once.Do(first)
	}
}

// With --ocr, scans are read.
func TestEnginesWithOCR(t *testing.T) {
	u := newUpstream(t, answer(http.StatusOK, `{}`))
	s := realStack(t, Config{ChatURL: u.URL, EmbedURL: u.URL, OCR: true})
	for _, name := range []string{"scan.pdf", "mixed.pdf"} {
		if c := convert(t, s, name, ""); c.Status != "success" || !strings.Contains(c.Document.Markdown, "4711") ||
			!strings.Contains(c.Document.Markdown, "250 euros") {
			t.Errorf("conversion of %s with OCR: %+v, want its text", name, c)
		}
	}
}
