// Package stdlib makes the calls with net/http and encoding/json alone, as a program writes them
// that uses no client.
package stdlib

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatRequest struct {
	Model    string    `json:"model"`
	Messages []message `json:"messages"`
	Stream   bool      `json:"stream,omitempty"`
	Tools    any       `json:"tools,omitempty"`
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
		Index        int     `json:"index"`
		Message      message `json:"message"`
		Delta        delta   `json:"delta"` // in place of the message, in a chunk of a stream
		FinishReason string  `json:"finish_reason"`
	} `json:"choices"`
	Usage usage `json:"usage"`
}

type delta struct {
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

type embedRequest struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	EncodingFormat string   `json:"encoding_format,omitempty"`
}

type embedAnswer[T any] struct {
	Data []struct {
		Index     int `json:"index"`
		Embedding T   `json:"embedding"`
	} `json:"data"`
}

type doclingAnswer struct {
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

// client is the service's address and the connections to it.
type client struct {
	base string
	http *http.Client
}

// Dial is a calls.Dial.
func Dial(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	c := &client{base, cmp.Or(hc, http.DefaultClient)}
	floats := func(func(string)) (any, error) {
		var r embedAnswer[[]float32]
		if err := c.call("/v1/embeddings", embedRequest{calls.Model, in.Texts, ""}, &r); err != nil {
			return nil, err
		}
		vectors := make([][]float32, len(r.Data))
		for i := range r.Data {
			vectors[r.Data[i].Index] = r.Data[i].Embedding
		}
		return vectors, nil
	}
	messages := []message{{"user", calls.Prompt}}
	tool := map[string]any{
		"type": "function", "function": map[string]any{"name": calls.ToolName, "parameters": calls.ToolSchema},
	}
	return calls.Client{
		calls.EmbedDefault: floats,
		calls.EmbedFloat:   floats,
		calls.EmbedBase64: func(func(string)) (any, error) {
			var r embedAnswer[string]
			if err := c.call("/v1/embeddings", embedRequest{calls.Model, in.Texts, "base64"}, &r); err != nil {
				return nil, err
			}
			vectors := make([][]float32, len(r.Data))
			for i := range r.Data {
				var err error
				if vectors[r.Data[i].Index], err = calls.DecodeBase64(r.Data[i].Embedding); err != nil {
					return nil, err
				}
			}
			return vectors, nil
		},
		calls.Stream: func(piece func(string)) (any, error) {
			return nil, c.eachDelta(nil, func(d *delta) { piece(d.Content) })
		},
		calls.Collect: func(func(string)) (any, error) {
			var text strings.Builder
			err := c.eachDelta(nil, func(d *delta) { text.WriteString(d.Content) })
			return text.String(), err
		},
		calls.ToolStream: func(func(string)) (any, error) {
			var arguments strings.Builder
			err := c.eachDelta([]any{tool}, func(d *delta) {
				for i := range d.ToolCalls {
					arguments.WriteString(d.ToolCalls[i].Function.Arguments)
				}
			})
			return arguments.String(), err
		},
		calls.Chat: func(func(string)) (any, error) {
			var r chatAnswer
			req := chatRequest{Model: calls.Model, Messages: messages}
			if err := c.call("/v1/chat/completions", req, &r); err != nil {
				return nil, err
			}
			return r.Choices[0].Message.Content, nil
		},
		calls.Rerank: func(func(string)) (any, error) {
			var r calls.RerankAnswer
			req := map[string]any{"model": calls.Model, "query": calls.Query, "documents": in.Documents}
			err := c.call("/v1/rerank", req, &r)
			return r.Order(), err
		},
		calls.Docling: func(func(string)) (any, error) {
			var r doclingAnswer
			req := map[string]any{"sources": []any{map[string]any{"kind": "http", "url": calls.URL}}}
			err := c.call("/docling/v1/convert/source", req, &r)
			return r.Document.Markdown, err
		},
		calls.Upload: func(func(string)) (any, error) { return c.upload(in.File) },
	}, nil
}

func (c *client) call(path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	resp, err := Post(c.http, c.base+path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

// Post sends JSON. The body of the answer is the caller's to close.
func Post(hc *http.Client, url string, body []byte) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // as a short program does
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return send(hc, req)
}

func send(hc *http.Client, req *http.Request) (*http.Response, error) {
	req.Header.Set("Authorization", "Bearer "+calls.Key)
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

// eachDelta gives f each piece of a stream.
func (c *client) eachDelta(tools any, f func(*delta)) error {
	messages := []message{{"user", calls.Prompt}}
	body, err := json.Marshal(chatRequest{Model: calls.Model, Messages: messages, Stream: true, Tools: tools})
	if err != nil {
		return err
	}
	resp, err := Post(c.http, c.base+"/v1/chat/completions", body)
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
		var chunk chatAnswer
		if err := json.Unmarshal(data, &chunk); err != nil {
			return err
		}
		for i := range chunk.Choices {
			f(&chunk.Choices[i].Delta)
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// upload is a bare copy: the file between the two ends of a form whose length is known.
func (c *client) upload(path string) (any, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	if _, err := form.CreateFormFile("files", filepath.Base(path)); err != nil {
		return nil, err
	}
	head := bytes.Clone(frame.Bytes())
	if err := form.Close(); err != nil {
		return nil, err
	}
	tail := frame.Bytes()[len(head):]
	body := io.MultiReader(bytes.NewReader(head), f, bytes.NewReader(tail))
	req, err := http.NewRequest(http.MethodPost, c.base+"/docling/v1/convert/file", body) //nolint:noctx // as above
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(frame.Len()) + info.Size()
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := send(c.http, req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var r doclingAnswer
	err = json.NewDecoder(resp.Body).Decode(&r)
	return r.Document.Markdown, err
}
