package babyclient_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
)

// The captures in testdata/captures are requests to real engines (vLLM, llama.cpp, docling-serve)
// and their answers, as they were on the wire. Each is played to the client.

// capture is one of testdata/captures/llm.
type capture struct {
	name   string // engine/case
	method string
	path   string
	in     map[string]any // the JSON request, nil for none
	wire   []byte         // the response as it was on the wire
	status int
	body   []byte // its body without chunk framing
}

// field is a field of the request, or something in its place where it was left out on purpose.
func (c *capture) field(name string) any {
	if v := c.in[name]; v != nil {
		return v
	}
	return "x"
}

func (c *capture) stream() bool { return c.in["stream"] == true }

func llmCaptures(t testing.TB) []*capture {
	t.Helper()
	files, err := filepath.Glob("testdata/captures/llm/*/*.resp")
	if err != nil || len(files) < 200 {
		t.Fatalf("%d captures, %v", len(files), err)
	}
	var out []*capture
	for _, f := range files {
		c := &capture{name: filepath.Base(filepath.Dir(f)) + "/" + strings.TrimSuffix(filepath.Base(f), ".resp")}
		if c.wire, err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
		reqBytes, err := os.ReadFile(strings.TrimSuffix(f, "resp") + "req")
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(reqBytes)))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		c.method, c.path = req.Method, req.URL.Path
		in, _ := io.ReadAll(req.Body) // some were sent broken on purpose
		_ = json.Unmarshal(in, &c.in)
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.wire)), req)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		c.status = resp.StatusCode
		if c.body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out = append(out, c)
	}
	return out
}

// play is a client whose every call is answered with the capture.
func play(t *testing.T, c *capture) *babyclient.Client {
	t.Helper()
	srv := server(t)
	srv.On("/", babytest.Recorded(c.wire))
	return client(srv, babyclient.WithMaxRetries(0))
}

// onlyRaw are the fields of answers that have no name in this package and are read from Raw:
// debugging aids and fields that have never held a value here. A new one must be looked at.
var onlyRaw = []string{
	".data[].meta.*",     // llama.cpp's file facts of a model
	".data[].permission", // an old field of OpenAI's
	".data[].tags", ".data[].aliases", ".data[].architecture.*", ".data[].status.*", ".data[].parent",
	".models",                    // llama.cpp repeats the models in Ollama's form
	".timings.*", ".__verbose.*", // llama.cpp
	".choices[].prompt_token_ids", ".prompt_token_ids", ".choices[].token_ids", // vLLM, with return_token_ids
	".choices[].message.annotations", ".choices[].message.audio", ".choices[].message.function_call",
	".tokens_evaluated", ".truncated", ".stop_type", ".stopping_word",
	".data[].object", ".data[].encoding_format", ".object", // constants of a list
}

func isOnlyRaw(path string) bool {
	return slices.ContainsFunc(onlyRaw, func(p string) bool {
		prefix, all := strings.CutSuffix(p, ".*")
		return path == prefix || all && (strings.HasPrefix(path, prefix+".") || strings.HasPrefix(path, prefix+"[]"))
	})
}

// lost lists the paths of raw whose values are not in typed, the JSON of the decoded value. A value
// that is null or zero may be absent: that is what its field holds then.
func lost(raw, typed any, path string) []string {
	if isOnlyRaw(path) {
		return nil
	}
	switch raw := raw.(type) {
	case map[string]any:
		have, _ := typed.(map[string]any)
		if have == nil && len(raw) > 0 {
			have = map[string]any{}
		}
		var out []string
		for _, name := range slices.Sorted(maps.Keys(raw)) {
			value, ok := have[name]
			if !ok && name == "reasoning_content" { // its other name
				value = have["reasoning"]
			}
			out = append(out, lost(raw[name], value, path+"."+name)...)
		}
		return out
	case []any:
		have, _ := typed.([]any)
		if len(have) != len(raw) {
			return []string{fmt.Sprintf("%s: %d elements became %d", path, len(raw), len(have))}
		}
		var out []string
		for i := range raw {
			out = append(out, lost(raw[i], have[i], path+"[]")...)
		}
		return out
	case nil:
		return nil
	}
	if typed == nil && (raw == "" || raw == false || raw == json.Number("0")) || equalJSON(raw, typed) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %v became %v", path, raw, typed)}
}

func equalJSON(a, b any) bool {
	na, ok := a.(json.Number)
	nb, ok2 := b.(json.Number)
	if !ok || !ok2 || na == nb {
		return reflect.DeepEqual(a, b)
	}
	fa, err := na.Float64()
	fb, err2 := nb.Float64()
	return err == nil && err2 == nil && fa == fb && strings.ContainsAny(na.String()+nb.String(), ".eE")
}

// parse decodes JSON with its numbers as they are.
func parse(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
	return v
}

func encode(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, b)
}

// call makes the call of a capture with the client, and returns what was decoded, and the raw JSON
// of the whole answer.
func (c *capture) call(t *testing.T, cl *babyclient.Client) (typed any, meta babyclient.Meta, err error) {
	t.Helper()
	chat := &babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("hi")}}
	complete := &babyclient.CompleteRequest{Prompt: "hi"}
	switch {
	case c.path == "/v1/chat/completions" && c.stream():
		return decoded(babyclient.Collect(cl.ChatStream(t.Context(), chat)))
	case c.path == "/v1/chat/completions":
		return decoded(cl.Chat(t.Context(), chat))
	case c.path == "/v1/completions" && c.stream():
		return decoded(babyclient.CollectCompletion(cl.CompleteStream(t.Context(), complete)))
	case c.path == "/v1/completions":
		return decoded(cl.Complete(t.Context(), complete))
	case c.path == "/v1/models":
		return decoded(cl.Models(t.Context()))
	case c.path == "/v1/embeddings":
		resp, err := cl.Embed(
			t.Context(),
			&babyclient.EmbedRequest{
				Model:          "m",
				EncodingFormat: "base64",
				Input:          []string{""},
				Extra:          map[string]any{"input": c.field("input")},
			},
		)
		if err != nil {
			return nil, meta, err
		}
		data := make([]any, len(resp.Vectors))
		for i, v := range resp.Vectors {
			data[i] = map[string]any{"index": i, "embedding": v}
		}
		return struct {
			*babyclient.EmbedResponse
			Data []any `json:"data"`
		}{resp, data}, resp.Meta, nil
	case strings.HasSuffix(c.path, "rerank"):
		return decoded(
			cl.Rerank(
				t.Context(),
				&babyclient.RerankRequest{
					Model: "m",
					Query: "q",
					Extra: map[string]any{"documents": c.field("documents")},
				},
			),
		)
	}
	var raw json.RawMessage
	err = cl.Do(t.Context(), c.method, c.path, nil, &raw)
	return nil, babyclient.Meta{Raw: raw}, err
}

// decoded is an answer with its Meta, nil for none.
func decoded[T any](resp *T, err error) (any, babyclient.Meta, error) {
	if resp == nil {
		return nil, babyclient.Meta{}, err
	}
	return resp, reflect.ValueOf(resp).Elem().FieldByName("Meta").Interface().(babyclient.Meta), err
}

// Every plain answer decodes, and every field of it is in the typed value or, reviewed, in Raw.
func TestCapturesLoseNothing(t *testing.T) {
	decoded := 0
	for _, c := range llmCaptures(t) {
		if c.status != 200 || c.stream() || len(c.body) == 0 || c.body[0] != '{' ||
			strings.HasSuffix(c.name, "rr-texts") ||
			c.path == "/health" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			raw := parse(t, c.body)
			typed, meta, err := c.call(t, play(t, c))
			if strings.Contains(c.name, "/err-rr-embeddings") { // uninitialised memory, refused or not as it comes
				t.Skip("llama.cpp answers noise here")
			}
			if err != nil {
				t.Fatal(err)
			}
			if typed == nil {
				return
			}
			decoded++
			if !bytes.Equal(meta.Raw, c.body) {
				t.Errorf("Raw is not the body: %s", meta.Raw)
			}
			if meta.StatusCode != 200 || meta.Header.Get("Content-Type") == "" {
				t.Errorf("meta %+v", meta)
			}
			if c.path == "/v1/embeddings" {
				asFloats(t, raw)
				delete(raw.(map[string]any), "created") // only in Raw
			}
			if l := lost(raw, encode(t, typed), ""); len(l) > 0 {
				t.Errorf("lost:\n%s\nin %s", strings.Join(l, "\n"), c.body)
			}
		})
	}
	if decoded < 100 {
		t.Errorf("only %d answers were decoded", decoded)
	}
}

// asFloats turns the vectors of an answer in either form into numbers of float32 precision.
func asFloats(t *testing.T, answer any) {
	t.Helper()
	for _, d := range answer.(map[string]any)["data"].([]any) {
		d := d.(map[string]any)
		var vector []float32
		switch e := d["embedding"].(type) {
		case string:
			b, err := base64.StdEncoding.DecodeString(e)
			if err != nil {
				t.Fatal(err)
			}
			vector = make([]float32, len(b)/4)
			if _, err := binary.Decode(b, binary.LittleEndian, vector); err != nil {
				t.Fatal(err)
			}
		case []any:
			for _, n := range e {
				f, err := strconv.ParseFloat(string(n.(json.Number)), 32)
				if err != nil {
					t.Fatal(err)
				}
				vector = append(vector, float32(f))
			}
		}
		d["embedding"] = encode(t, vector)
	}
}

// assemble puts the events of a stream together with as little knowledge as it takes: texts are
// joined, lists appended, tool calls found by index, anything else is the last that was said.
func assemble(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var out map[string]any
	for _, data := range dataOf(body) {
		if data == babytest.Done {
			continue
		}
		chunk := parse(t, []byte(data)).(map[string]any)
		if out == nil {
			out = map[string]any{
				"id":      chunk["id"],
				"model":   chunk["model"],
				"created": chunk["created"],
				"choices": []any{},
			}
		}
		for _, name := range []string{"usage", "system_fingerprint"} {
			if chunk[name] != nil {
				out[name] = chunk[name]
			}
		}
		choices := out["choices"].([]any)
		for _, piece := range chunk["choices"].([]any) {
			piece := piece.(map[string]any)
			if delta, ok := piece["delta"]; ok {
				piece["message"] = delta
				delete(piece, "delta")
			}
			choices = mergeByIndex(choices, piece)
		}
		out["choices"] = choices
	}
	slices.SortFunc(out["choices"].([]any), func(a, b any) int { return cmp.Compare(indexOf(a), indexOf(b)) })
	return out
}

func indexOf(v any) string { return string(v.(map[string]any)["index"].(json.Number)) }

func mergeByIndex(list []any, piece map[string]any) []any {
	for _, have := range list {
		if indexOf(have) == indexOf(piece) {
			merge(have.(map[string]any), piece)
			return list
		}
	}
	whole := map[string]any{}
	merge(whole, piece)
	return append(list, whole)
}

func merge(into, piece map[string]any) {
	for name, v := range piece {
		switch v := v.(type) {
		case nil:
		case string:
			switch have, _ := into[name].(string); name {
			case "content", "reasoning", "reasoning_content", "arguments", "text", "refusal":
				into[name] = have + v
			default:
				into[name] = v
			}
		case map[string]any:
			have, _ := into[name].(map[string]any)
			if have == nil {
				have = map[string]any{}
				into[name] = have
			}
			merge(have, v)
		case []any:
			have, _ := into[name].([]any)
			if name != "tool_calls" {
				into[name] = append(have, v...)
				continue
			}
			for _, call := range v {
				have = mergeByIndex(have, call.(map[string]any))
			}
			into[name] = have
		default:
			into[name] = v
		}
	}
}

// dataOf are the data of the events of a stream whose events have one line each, as all captured
// ones have.
func dataOf(body []byte) []string {
	var out []string
	for line := range strings.Lines(string(body)) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			out = append(out, strings.TrimRight(data, "\r\n"))
		}
	}
	return out
}

// Every stream gives its events one by one, nothing of them lost, and collects to what they
// say together.
func TestCapturedStreams(t *testing.T) {
	streams := 0
	for _, c := range llmCaptures(t) {
		if c.status != 200 || !c.stream() {
			continue
		}
		streams++
		t.Run(c.name, func(t *testing.T) {
			var chunks []any
			var raws []json.RawMessage
			cl := play(t, c)
			if c.path == "/v1/completions" {
				for chunk, err := range cl.CompleteStream(t.Context(), &babyclient.CompleteRequest{Prompt: "hi"}) {
					if err != nil {
						t.Fatal(err)
					}
					chunks, raws = append(chunks, chunk), append(raws, chunk.Raw)
				}
			} else {
				for chunk, err := range cl.ChatStream(t.Context(),
					&babyclient.ChatRequest{Messages: []babyclient.Message{babyclient.User("hi")}}) {
					if err != nil {
						t.Fatal(err)
					}
					chunks, raws = append(chunks, chunk), append(raws, chunk.Raw)
				}
			}
			events := dataOf(c.body)
			if events[len(events)-1] != babytest.Done || len(chunks) != len(events)-1 {
				t.Fatalf("%d chunks of %d events", len(chunks), len(events))
			}
			for i, chunk := range chunks {
				if string(raws[i]) != events[i] {
					t.Errorf("Raw of chunk %d is %s, want %s", i, raws[i], events[i])
				}
				if l := lost(parse(t, raws[i]), encode(t, chunk), ""); len(l) > 0 {
					t.Errorf("lost of chunk %d:\n%s", i, strings.Join(l, "\n"))
				}
			}
			typed, _, err := c.call(t, play(t, c))
			if err != nil {
				t.Fatal(err)
			}
			want := assemble(t, c.body)
			for _, ch := range want["choices"].([]any) { // in a whole answer calls are told by their place
				message, _ := ch.(map[string]any)["message"].(map[string]any)
				calls, _ := message["tool_calls"].([]any)
				for _, call := range calls {
					delete(call.(map[string]any), "index")
				}
			}
			got := encode(t, typed)
			if l := append(lost(want, got, ""), lost(got, withObject(want, c), "")...); len(l) > 0 {
				t.Errorf("collected:\n%s", strings.Join(l, "\n"))
			}
		})
	}
	if streams < 50 {
		t.Errorf("only %d streams", streams)
	}
}

// withObject fills in what a whole answer has and no chunk.
func withObject(answer map[string]any, c *capture) map[string]any {
	out := maps.Clone(answer)
	out["object"] = "chat.completion"
	if c.path == "/v1/completions" {
		out["object"] = "text_completion"
	}
	return out
}

// Where both were captured at temperature 0, the collected stream is the plain answer.
func TestCapturedStreamsEqualPlain(t *testing.T) {
	byName := map[string]*capture{}
	for _, c := range llmCaptures(t) {
		byName[c.name] = c
	}
	pairs := 0
	for name, c := range byName {
		plain := byName[strings.TrimSuffix(name, "-stream")]
		if !c.stream() || c.status != 200 || plain == nil || plain == c || plain.status != 200 ||
			!sameRequest(c, plain) ||
			slices.Contains(unequal, name) {
			continue
		}
		pairs++
		t.Run(name, func(t *testing.T) {
			a, _, err := plain.call(t, play(t, plain))
			if err != nil {
				t.Fatal(err)
			}
			b, _, err := c.call(t, play(t, c))
			if err != nil {
				t.Fatal(err)
			}
			want, got := choicesOf(t, a), choicesOf(t, b)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("the stream gave\n%v\nthe plain call\n%v", got, want)
			}
		})
	}
	if pairs < 30 {
		t.Errorf("only %d pairs", pairs)
	}
}

// sameRequest reports whether only the stream was asked for in another way. The schemas are the
// same for each pair, but one is called strict.
func sameRequest(a, b *capture) bool {
	x, y := maps.Clone(a.in), maps.Clone(b.in)
	for _, name := range []string{"stream", "stream_options", "response_format"} {
		delete(x, name)
		delete(y, name)
	}
	return reflect.DeepEqual(x, y)
}

// unequal are pairs in which the engine itself says different things: vLLM gives a call that was
// cut as plain text, and keeps the blank lines before a call only in a stream.
var unequal = []string{
	"vllm-chat/x-tool-cut-stream",
	"vllm-reasoning/x-tool-cut-stream",
	"vllm-reasoning/x-think-tool-stream",
}

// choicesOf are the choices without the ids, which differ from call to call.
func choicesOf(t *testing.T, resp any) any {
	t.Helper()
	choices := encode(t, resp).(map[string]any)["choices"]
	for _, ch := range choices.([]any) {
		message, _ := ch.(map[string]any)["message"].(map[string]any)
		calls, _ := message["tool_calls"].([]any)
		for _, call := range calls {
			delete(call.(map[string]any), "id")
		}
	}
	return choices
}

// The errors of the engines, in all their shapes: the golden file is what a user reads.
func TestCapturedErrors(t *testing.T) {
	var lines []string
	for _, c := range llmCaptures(t) {
		if c.status == 200 {
			continue
		}
		_, _, err := c.call(t, play(t, c))
		e := fails(t, err)
		if e.StatusCode != c.status || e.Details != string(c.body) {
			t.Errorf("%s: status %d, details %q", c.name, e.StatusCode, e.Details)
		}
		if !strings.Contains(string(c.body), strings.Trim(strconv.Quote(e.Message), `"`)) && c.method == "POST" {
			t.Errorf("%s: message %q is not the engine's: %s", c.name, e.Message, c.body)
		}
		lines = append(lines, fmt.Sprintf("%s: code=%s type=%s\n\t%s\n", c.name, e.Code, e.Type, err))
	}
	if len(lines) < 100 {
		t.Errorf("only %d errors", len(lines))
	}
	golden(t, "captured_errors.golden", strings.Join(lines, ""))
}
