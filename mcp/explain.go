package mcp

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	mcpgo "github.com/mark3labs/mcp-go/mcp"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// maxErrorChars is the length of an error that every client passes on whole.
const maxErrorChars = 8000

// errorResult answers a call that failed. It has no structured content, because some clients show
// that instead of the text.
func errorResult(text string) *mcpgo.CallToolResult {
	text = redact(text)
	if utf8.RuneCountInString(text) > maxErrorChars {
		text = string([]rune(text)[:maxErrorChars-1]) + "…"
	}
	return mcpgo.NewToolResultError(babyclient.Printable(text))
}

var secretLike = regexp.MustCompile(`(?i)\b(sk-[a-z0-9_-]{6,}|bearer\s+[a-z0-9._~+/=-]{6,})`)

// redact blanks what looks like a key. The client blanks its own key; a service can echo another's.
func redact(text string) string { return secretLike.ReplaceAllString(text, "[redacted]") }

const (
	mayHaveRun = " The request may have run and been billed: do not repeat it by yourself, ask the user."
	setTheKey  = "Ask the user to set BABYAPI_API_KEY in the MCP server's env and restart it; retrying will not help."
)

// explain tells a model what failed and what to do about it.
func explain(ctx context.Context, err error, baseURL string) string {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.Error()
	}
	if ctx.Err() != nil {
		return "the call was cancelled."
	}
	e, ok := errors.AsType[*babyclient.Error](err)
	if !ok {
		return err.Error() + "."
	}
	return explainService(e, baseURL)
}

// explainService does the same for an error of the service or of the way to it.
func explainService(e *babyclient.Error, baseURL string) string {
	message := strings.TrimRight(strings.TrimSpace(e.Message), ".")
	text := message + "."
	switch {
	case errors.Is(e, babyclient.ErrAPIKeyRequired):
		return "the MCP server has no API key. " + setTheKey
	case e.Code == babyclient.CodeModelRequired:
		return "no model. Give model, or ask the user to start the MCP server with --model."
	case errors.Is(e, babyclient.ErrQuotaExceeded):
		text = "the BabyAPI account has no quota left: " + text + " Tell the user; retrying will not help."
	case errors.Is(e, babyclient.ErrUnauthorized):
		text = fmt.Sprintf("BabyAPI rejected the API key (%d: %s). ", e.StatusCode, message) + setTheKey
	case errors.Is(e, babyclient.ErrRateLimited):
		wait := ""
		if e.RetryAfter > 0 {
			wait = e.RetryAfter.Round(time.Second).String() + " "
		}
		text = "BabyAPI limits the rate of calls: " + text + " Wait " + wait + "before you call again."
	case errors.Is(e, babyclient.ErrTaskLost):
		text = "the service has forgotten this conversion (it may have restarted). Call convert with source again."
	case errors.Is(e, babyclient.ErrDocumentFailed):
		text += " The same call will fail again: check that the file is whole and of the type that its name says, " +
			"or try another source."
	case errors.Is(e, babyclient.ErrTaskFailed):
		text = "the service could not convert the document: " + text + ` Try once with ocr "off"; else tell the user.`
	case errors.Is(e, babyclient.ErrNotFound):
		text = "not found (404): " + text
	case errors.Is(e, babyclient.ErrInvalidRequest):
		text = "refused: " + text + " Change the call."
	case errors.Is(e, babyclient.ErrTimeout):
		text = "no answer in time: " + text + mayHaveRun
	case errors.Is(e, babyclient.ErrConnection):
		text = "cannot reach " + baseURL + ": " + text +
			" Tell the user to check that the service is up and BABYAPI_BASE_URL is right."
	case errors.Is(e, babyclient.ErrInvalidResponse), errors.Is(e, babyclient.ErrResponseTooLarge):
		text = baseURL + " did not answer as BabyAPI does: " + text + mayHaveRun
	case e.StatusCode >= 500:
		text = fmt.Sprintf("the service failed (%d): ", e.StatusCode) + text + mayHaveRun
	}
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// suggestModels turns a 404 for an unknown model into a refusal that names the nearest models, if
// the service lists its models. Any other error it returns as it is.
func suggestModels(ctx context.Context, client *babyclient.Client, model string, err error) error {
	if !errors.Is(err, babyclient.ErrNotFound) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	list, listErr := client.Models(ctx, babyclient.WithMaxRetries(0))
	if listErr != nil || len(list.Data) == 0 {
		return err
	}
	var ids []string
	for _, m := range list.Data {
		ids = append(ids, m.ID)
	}
	if slices.Contains(ids, model) {
		return err // the model exists, so something else was not found
	}
	wanted := strings.ToLower(model)
	slices.SortStableFunc(ids, func(a, b string) int {
		return distance(wanted, strings.ToLower(a)) - distance(wanted, strings.ToLower(b))
	})
	near := strings.Join(ids[:min(3, len(ids))], ", ")
	if model == "" {
		return refuse("BabyAPI does not have the server's default model. Give model, such as one of: %s.", near)
	}
	return refuse("BabyAPI has no model %q. Nearest: %s.", clip(model), near)
}
