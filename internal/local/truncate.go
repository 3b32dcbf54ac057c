package local

import (
	"context"
	"encoding/json"
	"fmt"
)

// inputError is the error of a text that cannot be embedded or ranked.
type inputError string

func (e inputError) Error() string { return string(e) }

// truncation is the number of tokens at key to cut inputs to; -1 there means all that the model
// takes.
func truncation(body requestBody, key string, maxTokens int) (limit int, isSet bool, err error) {
	limit, isSet, err = body.number(key)
	switch {
	case err != nil || !isSet:
		return 0, false, err
	case limit == -1:
		return maxTokens, true, nil
	case limit < -1 || limit == 0:
		return 0, false, fmt.Errorf("%s must be a positive number or -1, not %d", key, limit)
	case limit > maxTokens:
		return 0, false, fmt.Errorf("%s value (%d) is greater than max_model_len (%d); request a smaller one",
			key, limit, maxTokens)
	}
	return limit, true, nil
}

// truncateInput cuts each text of the request's input to limit tokens.
func (g *gateway) truncateInput(ctx context.Context, body requestBody, limit int) error {
	var texts []any
	var single string
	if json.Unmarshal(body["input"], &single) == nil {
		texts = []any{single}
	} else if err := json.Unmarshal(body["input"], &texts); err != nil {
		return inputError("input must be a text, a list of texts or token ids")
	}
	if len(texts) > 0 {
		if _, ok := texts[0].(float64); ok { // token ids of a single input
			texts = []any{texts}
		}
	}
	for i, text := range texts {
		switch text := text.(type) {
		case string:
			var err error
			if texts[i], err = g.truncate(ctx, text, limit); err != nil {
				return err
			}
		case []any:
			texts[i] = text[:min(len(text), limit)]
		default:
			return inputError(fmt.Sprintf("input %d is neither a text nor a list of token ids", i))
		}
	}
	input, err := json.Marshal(texts)
	body["input"] = input
	return err
}

// truncate returns the text, or if it has more than limit tokens, its first tokens: limit of them,
// the first and the last of which are those that the model puts around a text.
func (g *gateway) truncate(ctx context.Context, text string, limit int) (any, error) {
	if len(text)+2 <= limit { // a token is at least one byte
		return text, nil
	}
	var answer struct {
		Tokens []int `json:"tokens"`
	}
	request := map[string]any{"content": text, "add_special": true}
	err := g.embed.call(ctx, "/tokenize", nil, request, &answer)
	tokens := answer.Tokens
	if err != nil || len(tokens) <= limit {
		return text, err
	}
	return append(tokens[:limit-1], tokens[len(tokens)-1]), nil
}
