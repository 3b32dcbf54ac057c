package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/internal/local"
)

// textPDF is a PDF of pages of text lines; a page without lines is empty.
func textPDF(pages [][]string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	b.WriteString("%PDF-1.4\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	object(fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", len(pages), kids.String()))
	object("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	for i, lines := range pages {
		object(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>"+
			"/Contents %d 0 R>>", 5+2*i))
		var content strings.Builder
		for j, line := range lines {
			fmt.Fprintf(&content, "BT /F 11 Tf 60 %d Td (%s) Tj ET\n", 780-24*j, line)
		}
		object(fmt.Sprintf("<</Length %d>>stream\n%sendstream", content.Len(), content.String()))
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

// The tools on the real engines: docling-serve, and llama.cpp with a tiny chat model.
func TestEngines(t *testing.T) {
	if os.Getenv("BABYAPI_TEST_ENGINES") != "1" {
		t.Skip("needs the real engines: run make test, or set BABYAPI_TEST_ENGINES=1 " +
			"(the first run installs them, as go run ./cmd/babyapi-local setup does)")
	}
	stack, err := local.Start(t.Context(),
		local.Config{Addr: "127.0.0.1:0", Messages: t.Output(),
			ChatModel: filepath.Join("..", "internal", "local", "testdata", "models", "tiny-chat.gguf")})
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close() //nolint:errcheck // its own tests are about how it ends
	client, err := babyclient.New(babyclient.WithBaseURL(stack.BaseURL()), babyclient.WithAPIKey(testKey),
		babyclient.WithDefaultModel("tiny-chat"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	root := t.TempDir()
	s, err := NewServer(client, WithRoots(root, filepath.Join("..", "examples", "rag", "documents")),
		WithEmbeddingModel("all-minilm-l6-v2"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	t.Run("a document of 300 pages in parts is the document",
		func(t *testing.T) { testLongDocument(t, s, client, root) })
	t.Run("what is on which page", func(t *testing.T) {
		text := mustText(t, s, ToolConvert, `{"source":"t90-service-manual.pdf","pages":"2-3"}`)
		if !strings.HasPrefix(text, "## Replacing the desiccant") ||
			!strings.Contains(text, "<!-- page 3 -->\n\n## E12") {
			t.Errorf("pages 2-3 of the manual: got %q", text)
		}
		wantError(t, s, ToolConvert, `{"source":"t90-service-manual.pdf","pages":"9"}`, "t90-service-manual.pdf")
	})
	t.Run("a corrupt PDF", func(t *testing.T) {
		write(t, root, "corrupt.pdf")
		wantError(t, s, ToolConvert, `{"source":"corrupt.pdf"}`, "corrupt.pdf", "check that the file is whole")
	})
	t.Run("formats", func(t *testing.T) {
		for format, want := range map[string]string{"html": "<h2>", "text": "Travel and Expense Policy",
			"json": `"schema_name"`, "doctags": "<doctag>"} {
			text := mustText(t, s, ToolConvert, `{"source":"travel-policy.docx","format":"`+format+`"}`)
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in %q", format, want, text[:min(len(text), 300)])
			}
		}
	})
	t.Run("rerank", func(t *testing.T) {
		id := documentID(t, mustText(t, s, ToolConvert, `{"source":"t90-service-manual.pdf"}`))
		arguments, err := json.Marshal(
			map[string]any{"query": "How often must the desiccant be replaced?", "document_id": id, "top_n": 1})
		if err != nil {
			t.Fatal(err)
		}
		out := rerankOf(t, s, string(arguments))
		if len(out.Results) != 1 || !strings.Contains(out.Results[0].Text, "every 18 months") ||
			out.Results[0].Page != 2 {
			t.Errorf("passages of the manual: got %+v, want the one on page 2 alone", out)
		}
		animals := rerankOf(t, s, `{"query":"feline","texts":["a dog","a cat"]}`)
		if len(animals.Results) != 2 || animals.Results[0].Index != 1 {
			t.Errorf("texts: got %+v, want the cat before the dog", animals)
		}
	})
	t.Run("infer", func(t *testing.T) {
		if text := mustText(t, s, ToolInfer, `{"prompt":"Hello","max_tokens":3}`); strings.TrimSpace(text) == "" {
			t.Error("no answer")
		}
		wantError(t, s, ToolInfer, `{"prompt":"Hello","model":"tiny-cat"}`, "Nearest: tiny-chat")
	})
}

func testLongDocument(t *testing.T, s *Server, client *babyclient.Client, root string) {
	pages := make([][]string, 300)
	for i := range pages {
		if i == 149 {
			continue // an empty page: docling makes one break for two
		}
		for j := range 10 {
			pages[i] = append(pages[i],
				fmt.Sprintf("This is line %d of page %d of a document that is too long to read at once.", j+1, i+1))
		}
	}
	if err := os.WriteFile(filepath.Join(root, "long.pdf"), textPDF(pages), 0o600); err != nil {
		t.Fatal(err)
	}
	joined, parts := readAll(t, s, `{"source":"long.pdf","wait_seconds":600,"max_chars":9000}`)
	job, err := client.Docling.StartConvert(t.Context(),
		&babyclient.ConvertRequest{Sources: []babyclient.Source{babyclient.FromFile(filepath.Join(root, "long.pdf"))},
			Options: babyclient.ConvertOptions{ToFormats: []string{"md"}, MDPageBreakPlaceholder: pageBreak,
				ImageExportMode: "placeholder"}})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`<!-- page \d+ -->`)
	if got := number.ReplaceAllString(joined, pageBreak); got != whole.Document().Markdown || parts < 10 {
		t.Errorf("%d parts joined have %d bytes and are not the document, which has %d", parts, len(got),
			len(whole.Document().Markdown))
	}
	for _, page := range []int{2, 149, 151, 300} {
		i := strings.Index(joined, fmt.Sprintf("<!-- page %d -->", page))
		if i < 0 ||
			!strings.HasPrefix(strings.TrimSpace(strings.SplitN(joined[i:], "-->", 2)[1]),
				fmt.Sprintf("This is line 1 of page %d ", page)) {
			t.Errorf("page %d is not where it is said to be", page)
		}
	}
}
