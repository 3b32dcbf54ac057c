package local

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
)

var (
	tooLong  = regexp.MustCompile(`input \((\d+) tokens\) is (?:too large to process|larger than the max context size)`)
	noVision = regexp.MustCompile(`(?:image|audio|video) input is not supported`)
)

// clarify turns answers in which llama.cpp blames itself for a request that asks too much into a
// 400 that says what to do. Other answers stay as they are.
func clarify(engine string, status int, body []byte, maxTokens int) (int, []byte) {
	var answer struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	mayBlame := status == http.StatusInternalServerError || status == http.StatusBadRequest
	if !mayBlame || json.Unmarshal(body, &answer) != nil {
		return status, body
	}
	var clearer errorBody
	if found := tooLong.FindStringSubmatch(answer.Error.Message); found != nil {
		clearer = badRequestBody("input", fmt.Sprintf("This model's maximum context length is %d tokens. "+
			"However, an input has %s tokens: send less", maxTokens, found[1]))
		if engine == "embed" {
			clearer.Message += ", or have it cut with truncate_prompt_tokens -1"
		}
	} else if noVision.MatchString(answer.Error.Message) {
		clearer = badRequestBody("messages", "The model of this engine reads only text: "+answer.Error.Message)
	} else {
		return status, body
	}
	text, err := json.Marshal(map[string]errorBody{"error": clearer})
	if err != nil {
		return status, body
	}
	return http.StatusBadRequest, text
}
