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

// refusal is an error whose text is written for the model already.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// errorResult answers a call that failed. It has no structured content, so that no client
// shows that instead of the text.
func errorResult(text string) *mcpgo.CallToolResult {
	text = redact(text)
	if utf8.RuneCountInString(text) > maxErrorChars {
		text = string([]rune(text)[:maxErrorChars-1]) + "…"
	}
	return mcpgo.NewToolResultError(text)
}

var secretLike = regexp.MustCompile(`(?i)\b(sk-[a-z0-9_-]{6,}|bearer\s+[a-z0-9._~+/=-]{6,})`)

// redact blanks what looks like a key. The client blanks its own; a service can echo another's.
func redact(text string) string { return secretLike.ReplaceAllString(text, "[redacted]") }

const (
	mayHaveRun = " The request may have run and been billed: do not repeat it by yourself, ask the user."
	askToWait  = " Wait before you call again."
)

// explain says to a model what failed and what to do.
func (s *Server) explain(ctx context.Context, err error) string {
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
	said := strings.TrimRight(strings.TrimSpace(e.Message), ".")
	switch {
	case errors.Is(e, babyclient.ErrAPIKeyRequired):
		return "the MCP server has no API key. Ask the user to set BABYAPI_API_KEY in the MCP server's env and restart it; retrying will not help."
	case e.Code == babyclient.CodeModelRequired:
		return "no model. Give model, or ask the user to start the MCP server with --model."
	case errors.Is(e, babyclient.ErrQuotaExceeded):
		return withID(e, "the BabyAPI account has no quota left: %s. Tell the user; retrying will not help.", said)
	case errors.Is(e, babyclient.ErrUnauthorized):
		return withID(e, "BabyAPI rejected the API key (%d: %s). Ask the user to set BABYAPI_API_KEY in the MCP server's env and restart it; retrying will not help.", e.StatusCode, said)
	case errors.Is(e, babyclient.ErrRateLimited):
		if e.RetryAfter > 0 {
			return withID(e, "BabyAPI limits the rate of calls: %s. Wait %s before you call again.", said, e.RetryAfter.Round(time.Second))
		}
		return withID(e, "BabyAPI limits the rate of calls: %s."+askToWait, said)
	case errors.Is(e, babyclient.ErrTaskLost):
		return withID(e, "the service has forgotten this conversion (it may have restarted). Call convert with source again.")
	case errors.Is(e, babyclient.ErrDocumentFailed):
		return withID(e, "%s. The same call will fail again: check that the file is whole and of the type that its name says, or try another source.", said)
	case errors.Is(e, babyclient.ErrTaskFailed):
		return withID(e, "the service could not convert the document: %s. Try once with ocr \"off\"; else tell the user.", said)
	case errors.Is(e, babyclient.ErrNotFound):
		return withID(e, "not found (404): %s.", said)
	case errors.Is(e, babyclient.ErrInvalidRequest):
		return withID(e, "refused: %s. Change the call.", said)
	case errors.Is(e, babyclient.ErrTimeout):
		return withID(e, "no answer in time: %s."+mayHaveRun, said)
	case errors.Is(e, babyclient.ErrConnection):
		return withID(e, "cannot reach %s: %s. Tell the user to check that the service is up and BABYAPI_BASE_URL is right.", s.client.BaseURL(), said)
	case errors.Is(e, babyclient.ErrInvalidResponse), errors.Is(e, babyclient.ErrResponseTooLarge):
		return withID(e, "%s did not answer as BabyAPI does: %s."+mayHaveRun, s.client.BaseURL(), said)
	case e.StatusCode >= 500:
		return withID(e, "the service failed (%d): %s."+mayHaveRun, e.StatusCode, said)
	}
	return withID(e, "%s.", said)
}

func withID(e *babyclient.Error, format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	if e.RequestID != "" {
		text += " (request id " + e.RequestID + ")"
	}
	return text
}

// suggestModels adds to a 404 the models whose names are near, should the service list any.
func (s *Server) suggestModels(ctx context.Context, model string, err error) error {
	if !errors.Is(err, babyclient.ErrNotFound) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	list, listErr := s.client.Models(ctx, babyclient.WithMaxRetries(0))
	if listErr != nil || len(list.Data) == 0 {
		return err
	}
	var ids []string
	for _, m := range list.Data {
		ids = append(ids, m.ID)
	}
	if slices.Contains(ids, model) {
		return err // it exists: something else was not found
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		return distance(strings.ToLower(model), strings.ToLower(a)) - distance(strings.ToLower(model), strings.ToLower(b))
	})
	near := strings.Join(ids[:min(3, len(ids))], ", ")
	if model == "" {
		return refuse("BabyAPI does not have the server's default model. Give model, such as one of: %s.", near)
	}
	return refuse("BabyAPI has no model %q. Nearest: %s.", clip(model), near)
}
