package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"github.com/babyapi-org/babyapi-go/interop/bench/calls"
	"github.com/babyapi-org/babyapi-go/interop/bench/calls/stdlib"
)

// discarded is an answer that was read and thrown away: its size in bytes.
type discarded int

// dialFloor does the least that any client must: it reads the answer, the lines of a stream one by
// one, and decodes base64 without looking at it. Its requests are written beforehand.
func dialFloor(base string, hc *http.Client, in *calls.Input) (calls.Client, error) {
	hc = cmp.Or(hc, http.DefaultClient)
	// post makes a call whose answer is read by the function.
	post := func(path string, request any, read func(body io.Reader, length int64) (int, error)) calls.Call {
		body := mustJSON(request)
		return func(func(string)) (any, error) {
			resp, err := stdlib.Post(hc, base+path, body)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			n, err := read(resp.Body, resp.ContentLength)
			return discarded(n), err
		}
	}
	embed := func(format string) map[string]any {
		return map[string]any{"model": calls.Model, "input": in.Texts, "encoding_format": format}
	}
	chat := func(stream bool, tools ...any) map[string]any {
		m := map[string]any{"model": calls.Model, "stream": stream,
			"messages": []any{map[string]any{"role": "user", "content": calls.Prompt}}}
		if len(tools) > 0 {
			m["tools"] = tools
		}
		return m
	}
	rerank := map[string]any{"model": calls.Model, "query": calls.Query, "documents": in.Documents}
	convert := map[string]any{"sources": []any{map[string]any{"kind": "http", "url": calls.URL}}}
	const completions = "/v1/chat/completions"
	return calls.Client{
		calls.EmbedDefault: post("/v1/embeddings", embed("base64"), decodeVectors()),
		calls.EmbedBase64:  post("/v1/embeddings", embed("base64"), decodeVectors()),
		calls.EmbedFloat:   post("/v1/embeddings", embed("float"), discard()),
		calls.Stream:       post(completions, chat(true), scanLines),
		calls.Collect:      post(completions, chat(true), scanLines),
		calls.ToolStream:   post(completions, chat(true, calls.ToolSchema), scanLines),
		calls.Chat:         post(completions, chat(false), discard()),
		calls.Rerank:       post("/v1/rerank", rerank, discard()),
		calls.Docling:      post("/docling/v1/convert/source", convert, discard()),
	}, nil
}

func discard() func(io.Reader, int64) (int, error) {
	buffer := make([]byte, 64<<10)
	return func(body io.Reader, _ int64) (total int, err error) {
		for {
			n, err := body.Read(buffer)
			total += n
			if err == io.EOF {
				return total, nil
			}
			if err != nil {
				return 0, err
			}
		}
	}
}

func scanLines(body io.Reader, _ int64) (total int, err error) {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		total += len(lines.Bytes()) + 1
	}
	return total, lines.Err()
}

// decodeVectors decodes each vector of an answer into the same memory.
func decodeVectors() func(io.Reader, int64) (int, error) {
	var vectors []byte
	return func(r io.Reader, length int64) (int, error) {
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return 0, err
		}
		vectors = vectors[:0]
		for rest := body; ; {
			_, after, ok := bytes.Cut(rest, []byte(`"embedding":"`))
			if !ok {
				break
			}
			text, after, ok := bytes.Cut(after, []byte(`"`))
			if !ok {
				return 0, fmt.Errorf("a vector does not end: %.100q", text)
			}
			var err error
			if vectors, err = base64.StdEncoding.AppendDecode(vectors, text); err != nil {
				return 0, err
			}
			rest = after
		}
		if len(vectors) == 0 {
			return 0, fmt.Errorf("no vectors in %.100q", body)
		}
		return len(body), nil
	}
}
