package local

import (
	"encoding/json"
	"errors"
	"fmt"
)

// rerankRequest is what a request asks for, checked.
type rerankRequest struct {
	model         string
	query         string
	documents     []string
	topN          int // 0: all
	useActivation bool
}

func readRerankRequest(body requestBody) (*rerankRequest, error) {
	var req rerankRequest
	var err error
	if req.model, err = body.text("model"); err != nil {
		return nil, err
	}
	if _, ok := body["query"]; !ok {
		return nil, errors.New("query is missing")
	}
	if req.query, err = body.text("query"); err != nil {
		return nil, err
	}
	if req.topN, _, err = body.number("top_n"); err != nil {
		return nil, err
	}
	if req.topN < 0 {
		return nil, fmt.Errorf("top_n must be 0 (all) or more, not %d", req.topN)
	}
	req.useActivation = string(body["use_activation"]) != "false"
	req.documents, err = readDocuments(body)
	return &req, err
}

// readDocuments reads a text, or a list of documents.
func readDocuments(body requestBody) ([]string, error) {
	raw, ok := body["documents"]
	if !ok {
		return nil, errors.New("documents is missing")
	}
	var single string
	if json.Unmarshal(raw, &single) == nil {
		return []string{single}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("documents must be a text or a list of texts")
	}
	if len(list) == 0 {
		return nil, errors.New("documents is empty: at least one is needed")
	}
	documents := make([]string, len(list))
	for i, raw := range list {
		var err error
		if documents[i], err = documentText(raw); err != nil {
			return nil, fmt.Errorf("documents[%d] %w", i, err)
		}
	}
	return documents, nil
}

// documentText is the text of a document: a string, or vLLM's object of content parts.
func documentText(raw json.RawMessage) (string, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts.Content) == 0 {
		return "", fmt.Errorf(`is %.60s: give a text, or {"content":[{"type":"text","text":"..."}]}`, raw)
	}
	for _, part := range parts.Content {
		if part.Type != "text" {
			return "", fmt.Errorf("has a part of type %q, and the local models read only text", part.Type)
		}
		text += part.Text
	}
	return text, nil
}
