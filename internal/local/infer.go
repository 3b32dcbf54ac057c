package local

import (
	"encoding/json"
	"net/http"
	"strings"
)

// inferOptions are the fields that /infer takes besides model and prompt. All others are dropped,
// as the hosted service does.
var inferOptions = []string{"max_tokens", "temperature", "top_p", "top_k", "stop",
	"presence_penalty", "frequency_penalty"}

// infer answers a prompt with text: a chat completion of one user message.
func (g *gateway) infer(w http.ResponseWriter, r *http.Request) {
	body := readBodyFor(w, r, g.chat)
	if body == nil {
		return
	}
	prompt, err := body.text("prompt")
	if err != nil {
		badRequest(w, "prompt", err.Error())
		return
	}
	if prompt = strings.TrimSpace(prompt); prompt == "" {
		empty := badRequestBody("prompt", "prompt must not be empty")
		empty.Code = "PROMPT_REQUIRED"
		writeErrorBody(w, http.StatusBadRequest, empty)
		return
	}
	var options requestBody
	if raw, ok := body["options"]; ok {
		if err := json.Unmarshal(raw, &options); err != nil {
			badRequest(w, "options", "options must be an object: "+err.Error())
			return
		}
	}
	request := map[string]any{"messages": []map[string]string{{"role": "user", "content": prompt}}}
	if model, ok := body["model"]; ok {
		request["model"] = model
	}
	for _, name := range inferOptions {
		if value, ok := options[name]; ok { // one in "options" wins, as in the SDK
			request[name] = value
		} else if value, ok := body[name]; ok {
			request[name] = value
		}
	}
	var answer struct {
		Model   string          `json:"model"`
		Usage   json.RawMessage `json:"usage"`
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
	}
	if err := g.chat.call(r.Context(), "/v1/chat/completions", r.Header, request, &answer); err != nil {
		g.chat.failCall(r.Context(), w, err)
		return
	}
	if len(answer.Choices) == 0 {
		writeError(w, http.StatusBadGateway, "the chat engine answered without a choice")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"model": answer.Model, "output": answer.Choices[0].Message.Content,
		"usage": answer.Usage, "finish_reason": answer.Choices[0].FinishReason})
}
