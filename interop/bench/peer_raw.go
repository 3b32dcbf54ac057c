package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
)

// post is a call with nothing but net/http. The body of the answer is the caller's to close.
func post(hc *http.Client, url string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // what a short program would write
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer benchmark-key")
	resp, err := hc.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	return resp, nil
}

type embedAnswer[T any] struct {
	Data []struct {
		Index     int `json:"index"`
		Embedding T   `json:"embedding"`
	} `json:"data"`
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatRequest struct {
	Model    string        `json:"model"`
	Messages []chatMessage `json:"messages"`
	Stream   bool          `json:"stream,omitempty"`
	Tools    any           `json:"tools,omitempty"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

type chatAnswer struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index        int         `json:"index"`
		Message      chatMessage `json:"message"`
		FinishReason string      `json:"finish_reason"`
	} `json:"choices"`
	Usage usage `json:"usage"`
}

type chunkAnswer struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Choices []struct {
		Index        int        `json:"index"`
		Delta        chunkDelta `json:"delta"`
		FinishReason string     `json:"finish_reason"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type chunkDelta struct {
	Role      string `json:"role"`
	Content   string `json:"content"`
	ToolCalls []struct {
		Index    int    `json:"index"`
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

type rerankAnswer struct {
	Model   string `json:"model"`
	Results []struct {
		Index          int     `json:"index"`
		RelevanceScore float64 `json:"relevance_score"`
		Document       struct {
			Text string `json:"text"`
		} `json:"document"`
	} `json:"results"`
}

func (r *rerankAnswer) order() []int {
	var order []int
	for i := range r.Results {
		order = append(order, r.Results[i].Index)
	}
	return order
}

type doclingResult struct {
	Document struct {
		Filename string          `json:"filename"`
		Markdown string          `json:"md_content"`
		HTML     string          `json:"html_content"`
		Text     string          `json:"text_content"`
		JSON     json.RawMessage `json:"json_content"`
	} `json:"document"`
	Status string            `json:"status"`
	Errors []json.RawMessage `json:"errors"`
}

// dialRaw is what a program without a client writes.
func dialRaw(a *answers, base string, hc *http.Client) (client, error) {
	if hc == nil {
		hc = http.DefaultClient
	}
	texts, documents := a.inputs(), a.documents()
	call := func(path string, in, out any) error {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		resp, err := post(hc, base+path, body)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(out)
	}
	each := func(tools any, f func(*chunkDelta)) error {
		body, err := json.Marshal(chatRequest{Model: model, Messages: []chatMessage{{"user", prompt}}, Stream: true, Tools: tools})
		if err != nil {
			return err
		}
		resp, err := post(hc, base+"/v1/chat/completions", body)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok {
				continue
			}
			if string(data) == "[DONE]" {
				return nil
			}
			var chunk chunkAnswer
			if err := json.Unmarshal(data, &chunk); err != nil {
				return err
			}
			for i := range chunk.Choices {
				f(&chunk.Choices[i].Delta)
			}
		}
		return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
	}
	floats := func(func(string)) (any, error) {
		var r embedAnswer[[]float32]
		if err := call("/v1/embeddings", map[string]any{"model": model, "input": texts}, &r); err != nil {
			return nil, err
		}
		vectors := make([][]float32, len(r.Data))
		for i := range r.Data {
			vectors[r.Data[i].Index] = r.Data[i].Embedding
		}
		return vectors, nil
	}
	return client{
		embedDefault: floats, embedFloat: floats,
		embedBase64: func(func(string)) (any, error) {
			var r embedAnswer[string]
			if err := call("/v1/embeddings", map[string]any{"model": model, "input": texts, "encoding_format": "base64"}, &r); err != nil {
				return nil, err
			}
			vectors := make([][]float32, len(r.Data))
			for i := range r.Data {
				var err error
				if vectors[r.Data[i].Index], err = decodeBase64(r.Data[i].Embedding); err != nil {
					return nil, err
				}
			}
			return vectors, nil
		},
		stream: func(sink func(string)) (any, error) { return nil, each(nil, func(d *chunkDelta) { sink(d.Content) }) },
		collect: func(func(string)) (any, error) {
			var text strings.Builder
			err := each(nil, func(d *chunkDelta) { text.WriteString(d.Content) })
			return text.String(), err
		},
		toolStream: func(func(string)) (any, error) {
			var arguments strings.Builder
			tools := []any{map[string]any{"type": "function", "function": map[string]any{"name": toolName, "parameters": toolSchema}}}
			err := each(tools, func(d *chunkDelta) {
				for i := range d.ToolCalls {
					arguments.WriteString(d.ToolCalls[i].Function.Arguments)
				}
			})
			return arguments.String(), err
		},
		chat: func(func(string)) (any, error) {
			var r chatAnswer
			if err := call("/v1/chat/completions", chatRequest{Model: model, Messages: []chatMessage{{"user", prompt}}}, &r); err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
		rerank: func(func(string)) (any, error) {
			var r rerankAnswer
			if err := call("/v1/rerank", map[string]any{"model": model, "query": query, "documents": documents}, &r); err != nil {
				return nil, err
			}
			return r.order(), nil
		},
		docling: func(func(string)) (any, error) {
			var r doclingResult
			in := map[string]any{"sources": []any{map[string]any{"kind": "http", "url": "https://example.com/report.pdf"}}}
			if err := call("/docling/v1/convert/source", in, &r); err != nil {
				return nil, err
			}
			return r.Document.Markdown, nil
		},
	}, nil
}

func decodeBase64(text string) ([]float32, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// discarded is an answer that was read and thrown away: its size in bytes.
type discarded int64

// dialFloor does the least that any client must: it reads the answer, the lines of a stream one by one, and
// decodes base64 without looking at it. Its requests are written beforehand.
func dialFloor(a *answers, base string, hc *http.Client) (client, error) {
	if hc == nil {
		hc = http.DefaultClient
	}
	embedRequest := func(format string) []byte {
		return mustJSON(map[string]any{"model": model, "input": a.inputs(), "encoding_format": format})
	}
	discard := func(path string, request []byte) func(func(string)) (any, error) {
		buf := make([]byte, 64<<10)
		return func(func(string)) (any, error) {
			resp, err := post(hc, base+path, request)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			var total discarded
			for {
				n, err := resp.Body.Read(buf)
				total += discarded(n)
				if err == io.EOF {
					return total, nil
				}
				if err != nil {
					return nil, err
				}
			}
		}
	}
	scan := func(request []byte) func(func(string)) (any, error) {
		return func(func(string)) (any, error) {
			resp, err := post(hc, base+"/v1/chat/completions", request)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			var total discarded
			lines := bufio.NewScanner(resp.Body)
			for lines.Scan() {
				total += discarded(len(lines.Bytes()) + 1)
			}
			return total, lines.Err()
		}
	}
	decode := func() func(func(string)) (any, error) {
		request := embedRequest("base64")
		key := []byte(`"embedding":"`)
		vectors := make([]byte, 0, 4*a.sizes.Texts*a.sizes.Dimensions)
		return func(func(string)) (any, error) {
			resp, err := post(hc, base+"/v1/embeddings", request)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			body := make([]byte, resp.ContentLength)
			if _, err := io.ReadFull(resp.Body, body); err != nil {
				return nil, err
			}
			out := vectors[:0]
			for rest := body; ; {
				_, after, ok := bytes.Cut(rest, key)
				if !ok {
					break
				}
				end := bytes.IndexByte(after, '"')
				if out, err = base64.StdEncoding.AppendDecode(out, after[:end]); err != nil {
					return nil, err
				}
				rest = after[end:]
			}
			if len(out) != cap(vectors) {
				return nil, fmt.Errorf("%d bytes of vectors, want %d", len(out), cap(vectors))
			}
			return discarded(len(body)), nil
		}
	}
	chatBody := mustJSON(chatRequest{Model: model, Messages: []chatMessage{{"user", prompt}}})
	streamBody := mustJSON(chatRequest{Model: model, Messages: []chatMessage{{"user", prompt}}, Stream: true})
	toolBody := mustJSON(chatRequest{Model: model, Messages: []chatMessage{{"user", prompt}}, Stream: true, Tools: []any{toolSchema}})
	return client{
		embedDefault: decode(), embedBase64: decode(),
		embedFloat: discard("/v1/embeddings", embedRequest("float")),
		stream:     scan(streamBody), collect: scan(streamBody), toolStream: scan(toolBody),
		chat:    discard("/v1/chat/completions", chatBody),
		rerank:  discard("/v1/rerank", mustJSON(map[string]any{"model": model, "query": query, "documents": a.documents()})),
		docling: discard("/docling/v1/convert/source", []byte(`{"sources":[{"kind":"http","url":"https://example.com/report.pdf"}]}`)),
	}, nil
}
