package babyclient

import (
	"encoding/json"
	"testing"
)

// sameDocument compares the fast way to a document's text with encoding/json.
func sameDocument(t *testing.T, data []byte) {
	t.Helper()
	got, ok := textOfDocument(data)
	if !ok {
		return
	}
	var want struct {
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(data, &want); err != nil || want.Text == nil || got != *want.Text {
		t.Fatalf("%q: %q, encoding/json %v (%v)", data, got, want.Text, err)
	}
}

var documentSeeds = []string{
	`{"text":"a \"b\" é \n","multi_modal":null}`, `{"multi_modal":null,"text":"a"}`, `{"text":"a"}`, `{"text":""}`,
	`{"text":"}`, `{"text":""`,
	`{"text":"a","text":"b"}`, `{"text":"a","Text":"b"}`, `{"text":"a","x":{"y":"b"}}`,
	`{"text":"a","multi_modal":null,"multi_modal":null}`,
	"{\"text\":\"\xff\"}", "{\"text\":\"\n\"}", `{"text":"\ud800"}`, `{"text":null}`, `{ "text": "a" }`, `"a"`,
}

func TestDocumentTextEqualsEncodingJSON(t *testing.T) {
	for _, data := range documentSeeds {
		sameDocument(t, []byte(data))
	}
	for _, data := range documentSeeds[:3] { // as vLLM writes them
		if _, ok := textOfDocument([]byte(data)); !ok {
			t.Errorf("%s takes the long way", data)
		}
	}
}

func FuzzDocumentText(f *testing.F) {
	for _, data := range documentSeeds {
		f.Add([]byte(data))
	}
	f.Fuzz(sameDocument)
}
