// Package web_test drives the page of examples/web in a real browser.
package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/interop/stack"
)

func TestMain(m *testing.M) { stack.Main(m) }

// browser is a tab of a headless Chromium that ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := os.Getenv("BABYAPI_TEST_BROWSER")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("needs a browser: install Chromium (Debian: apt-get install chromium), " +
			"or set BABYAPI_TEST_BROWSER to the program of one")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		// Root in a container, as CI often is, has no sandbox; the page is ours.
		chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(2*time.Minute),
	)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// program starts examples/web in front of the service and returns its address.
func program(t *testing.T, base, model string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "web.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./examples/web")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-addr", "127.0.0.1:0", "-model", model)
	cmd.Env = append(os.Environ(), "BABYAPI_BASE_URL="+base, "BABYAPI_API_KEY="+babytest.Key)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the program printed %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

// What a hostile model and document say is shown and does not run, and a stream is shown as it
// comes.
func TestScriptedService(t *testing.T) {
	const hostile = `<img src="x" onerror="document.title='owned'">`
	shown := make(chan struct{})
	service := babytest.NewServer()
	defer service.Close()
	service.On("POST /v1/chat/completions", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":%q}}]}\n\n", hostile)
		_ = http.NewResponseController(w).Flush()
		select { // the rest comes when the page shows the first piece
		case <-shown:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" the end\"}}]}\n\ndata: [DONE]\n\n")
	}))
	service.On("POST /docling/v1/convert/file", babytest.JSON(http.StatusOK, map[string]any{
		"document": map[string]any{"filename": "a.html", "md_content": "# Title " + hostile}, "status": "success"}))
	file := filepath.Join(t.TempDir(), "a.html")
	if err := os.WriteFile(file, []byte("<h1>Title</h1>"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	do(ctx, t,
		chromedp.Navigate(program(t, service.URL, "m")),
		chromedp.SendKeys("#question", "Why?\n"),
		wait(`document.querySelector("#conversation .assistant")?.textContent.includes("owned")`),
	)
	close(shown)
	do(ctx, t, wait(answered))
	if got := text(ctx, t, "#conversation .assistant"); got != hostile+" the end" {
		t.Errorf("the answer is %q", got)
	}
	do(ctx, t, convert(file))
	if got := text(ctx, t, "#document"); got != "# Title "+hostile {
		t.Errorf("the document is %q", got)
	}
	if got := text(ctx, t, "title"); got != "BabyAPI" {
		t.Errorf("the title is %q: what was shown has run", got)
	}
}

// A streamed answer and a converted document of the real engines appear.
func TestRealEngines(t *testing.T) {
	file, err := filepath.Abs("../../examples/rag/documents/travel-policy.docx")
	if err != nil {
		t.Fatal(err)
	}
	base := stack.URL(t)
	ctx := browser(t)
	do(ctx, t,
		chromedp.Navigate(program(t, base, "smollm2-135m-instruct")),
		chromedp.SendKeys("#question", "The capital of France is Paris. What is the capital of France?\n"),
		wait(answered),
	)
	if got := text(ctx, t, "#conversation .assistant"); !strings.Contains(got, "Paris") {
		t.Errorf("the answer is %q", got)
	}
	do(ctx, t, convert(file))
	if got := text(ctx, t, "#document"); !strings.HasPrefix(got, "# Travel and Expense Policy") ||
		!strings.Contains(got, "Oslo") {
		t.Errorf("the document is %q", got)
	}
}

const (
	answered  = `document.querySelector("#conversation .assistant.done") !== null`
	converted = `document.querySelector("#document.done, #document.error") !== null`
)

// wait waits for an expression of the page to be true, as long as the test may run: engines can be
// slow.
func wait(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(0),
		chromedp.WithPollingInterval(50*time.Millisecond))
}

func convert(file string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.SetUploadFiles("#file", []string{file}),
		chromedp.Click("#upload button"),
		wait(converted),
	)
}

func do(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func text(ctx context.Context, t *testing.T, selector string) string {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.TextContent(selector))
	if err != nil {
		t.Fatal(err)
	}
	return got
}
