// Command raw makes one call with net/http and encoding/json: raw chat|stream|embed|upload URL [TEXT... or FILE].
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
)

func main() {
	said, err := run(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(said)
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type request struct {
	Model    string    `json:"model"`
	Messages []message `json:"messages,omitempty"`
	Input    []string  `json:"input,omitempty"`
	Stream   bool      `json:"stream,omitempty"`
}

func run(op, url string, args []string) (any, error) {
	messages := []message{{"user", "What is the capital of France?"}}
	switch op {
	case "chat":
		var r struct {
			Choices []struct {
				Message message `json:"message"`
			} `json:"choices"`
		}
		if err := call(url+"/v1/chat/completions", request{Model: "m", Messages: messages}, &r); err != nil {
			return nil, err
		}
		return len(r.Choices[0].Message.Content), nil
	case "stream":
		resp, err := post(url+"/v1/chat/completions", request{Model: "m", Messages: messages, Stream: true})
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		n := 0
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
			if !ok || string(data) == "[DONE]" {
				continue
			}
			var chunk struct {
				Choices []struct {
					Delta message `json:"delta"`
				} `json:"choices"`
			}
			if err := json.Unmarshal(data, &chunk); err != nil {
				return nil, err
			}
			n += len(chunk.Choices[0].Delta.Content)
		}
		return n, lines.Err()
	case "embed":
		var r struct {
			Data []struct {
				Embedding []float32 `json:"embedding"`
			} `json:"data"`
		}
		if err := call(url+"/v1/embeddings", request{Model: "m", Input: args}, &r); err != nil {
			return nil, err
		}
		return len(r.Data) * len(r.Data[0].Embedding), nil
	case "upload":
		return upload(url+"/docling/v1/convert/file", args[0])
	}
	return nil, fmt.Errorf("no operation %q", op)
}

func post(url string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // what a short program would write
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer benchmark-key")
	return http.DefaultClient.Do(req)
}

func call(url string, in, out any) error {
	resp, err := post(url, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

// upload is a bare copy: the file between the two ends of a form whose length is known.
func upload(url, path string) (any, error) {
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
	req, err := http.NewRequest(http.MethodPost, url, io.MultiReader(bytes.NewReader(head), f, bytes.NewReader(tail))) //nolint:noctx // as above
	if err != nil {
		return nil, err
	}
	req.ContentLength = int64(frame.Len()) + info.Size()
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var r struct {
		Document struct {
			Markdown string `json:"md_content"`
		} `json:"document"`
	}
	err = json.NewDecoder(resp.Body).Decode(&r)
	return r.Document.Markdown, err
}
