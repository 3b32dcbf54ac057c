package python

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/interop/stack"
)

// expectation is what a line of the report of live.py must hold: at each place, a text that
// contains this one.
type expectation struct {
	name string
	at   map[string]string
}

type at = map[string]string

// The last two are not in 0.3.3.
var wanted = []expectation{
	{"chat", at{"result.object": "chat.completion", "result.model": "smollm2-135m-instruct",
		"result.choices.0.message.role":    "assistant",
		"result.choices.0.message.content": "Paris", "result.choices.0.finish_reason": "",
		"result.usage.total_tokens": ""}},
	{"chat stream", at{"result.text": "Paris", "result.done": "true"}},
	{"completions", at{"result.object": "text_completion", "result.choices.0.text": "Paris"}},
	{"completions stream", at{"result.text": "Paris", "result.done": "true"}},
	{"baby.infer", at{"result.output": "Paris", "result.model": "smollm2-135m-instruct",
		"result.usage.completion_tokens": "", "result.finish_reason": ""}},
	{"infer a chat", at{"result.choices.0.message.content": "Paris"}},
	{"infer a completion", at{"result.choices.0.text": "Paris"}},
	{"embeddings", at{"result.data.2.index": "2", "result.data.2.embedding.383": "", "result.usage.prompt_tokens": ""}},
	{"embeddings of a string", at{"result.data.0.embedding.383": ""}},
	{"rerank", at{"result.results.0.index": "1", "result.results.0.document.text": "The stove weighs 7 kg.",
		"result.results.1.relevance_score": ""}},
	{"convert a file", at{"result.status": "success", "result.document.md_content": "# Report",
		"result.document.json_content.schema_name": "DoclingDocument"}},
	{"convert a PDF", at{"result.status": "success", "result.document.md_content": "Revenue rose by 12 percent."}},
	{"convert a source", at{"result.status": "success", "result.document.text_content": "The stove weighs 7 kg."}},
	{"convert an inline source", at{"result.document.md_content": "The stove weighs 7 kg."}},
	{"convert a file as a job", at{"result.node": "", "result.last_poll": "success",
		"result.markdown": "The stove weighs 7 kg."}},
	{"convert a source as a job", at{"result.node": "", "result.last_poll": "success",
		"result.markdown": "The stove weighs 7 kg."}},
	{"chunk a file, hybrid", at{"result.chunks.0.text": "The stove weighs 7 kg.",
		"result.chunks.0.headings.0": "Report", "result.chunks.0.num_tokens": ""}},
	{"chunk a source, hybrid", at{"result.chunks.0.text": "The stove weighs 7 kg.", "result.chunks.0.num_tokens": ""}},
	{"chunk a file, hierarchical", at{"result.chunks.0.text": "The stove weighs 7 kg."}},
	{"chunk a source, hierarchical", at{"result.chunks.0.text": "The stove weighs 7 kg."}},
	{"health", at{"result.status": "ok"}},
	{"ready", at{"result.status": "ok"}},
	{"version", at{"result.docling-serve": "."}},
	{"an unknown model", at{"error.status": "404", "error.message": "no-such-model"}},
	{"an unknown task", at{"error.status": "404"}},
	{"a corrupt file", at{"result.status": "failure", "result.errors.0.error_message": "could not load"}},
	{"cancel", at{"result.task_status": "cancelled"}},
	{"OCR", at{"error.status": "501"}},
}

// The SDK works against the local stack unchanged, with no more than the two variables that
// babyapi-local prints.
func TestPythonSDKOnTheLocalStack(t *testing.T) {
	base := stack.URL(t)
	documents, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(documents)))
	defer web.Close()
	for version, wanted := range map[string][]expectation{"0.4.0": wanted, "0.3.3": wanted[:len(wanted)-2]} {
		t.Run(version, func(t *testing.T) {
			env := []string{"BABYAPI_BASE_URL=" + base, "BABYAPI_API_KEY=local"}
			report := lines[map[string]any](t, run(t, nil, env, sdk(t, version), "-I", "live.py", documents, web.URL))
			if len(report) != len(wanted) {
				t.Fatalf("the report has %d lines, want %d", len(report), len(wanted))
			}
			for i, want := range wanted {
				line := report[i]
				if line["name"] != want.name {
					t.Fatalf("line %d is for %v, want %s", i, line["name"], want.name)
				}
				for place, text := range want.at {
					got, ok := pick(line, place)
					if !ok || !strings.Contains(got, text) {
						whole, _ := json.Marshal(line)
						t.Errorf("%s: %s is %q, want %q; all of it: %s", want.name, place, got, text,
							whole[:min(len(whole), 2000)])
					}
				}
			}
		})
	}
}

// pick is the value at a place such as "choices.0.text", as text; a null is no value.
func pick(v any, place string) (string, bool) {
	for name := range strings.SplitSeq(place, ".") {
		switch container := v.(type) {
		case map[string]any:
			v = container[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(container) {
				return "", false
			}
			v = container[i]
		default:
			return "", false
		}
	}
	return fmt.Sprint(v), v != nil
}
