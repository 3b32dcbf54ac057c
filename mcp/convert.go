package mcp

import (
	"context"
	"errors"

	mcpgo "github.com/mark3labs/mcp-go/mcp"
)

// Limits that stand in the tags of convertArguments too.
const (
	maxMaxChars    = 200_000
	maxWaitSeconds = 600
)

// convertArguments are read by planConversion alone.
type convertArguments struct {
	Source     string `json:"source,omitempty" jsonschema_description:"What to read: the path of a local file or an http(s) URL, e.g. report.pdf"`
	DocumentID string `json:"document_id,omitempty" jsonschema_description:"Instead of source: a document that an earlier call converted, e.g. d_7f3a. Reading on costs nothing"`
	JobID      string `json:"job_id,omitempty" jsonschema_description:"Instead of source: a conversion that was still running, e.g. j_7f3a. Waits for it again"`
	Format     string `json:"format,omitempty" jsonschema:"enum=md,enum=text,enum=html,enum=json,enum=doctags" jsonschema_description:"Output format. Default md, the only one with pages, outline and search by heading"`
	Pages      string `json:"pages,omitempty" jsonschema_description:"Only these pages, counted from 1, e.g. 1-5,8"`
	Outline    bool   `json:"outline,omitempty" jsonschema_description:"Return only the headings with offsets and pages. Best first look at a long document, e.g. true"`
	Search     string `json:"search,omitempty" jsonschema_description:"Return only the places where this text occurs, with offsets and pages, e.g. net revenue"`
	Offset     int    `json:"offset,omitempty" jsonschema:"minimum=0" jsonschema_description:"Start at this character, as an earlier answer gave it, e.g. 31876"`
	MaxChars   int    `json:"max_chars,omitempty" jsonschema:"minimum=500,maximum=200000" jsonschema_description:"The most characters to return, e.g. 8000. Default 32000"`
	OCR        string `json:"ocr,omitempty" jsonschema:"enum=auto,enum=force,enum=off" jsonschema_description:"Text recognition: auto (default), force (also over existing text, e.g. when that is garbled), off (faster)"`
	Wait       int    `json:"wait_seconds,omitempty" jsonschema:"minimum=1,maximum=600" jsonschema_description:"How long to wait before a running conversion is answered with a job_id, e.g. 30. Default 45"`
}

// convertTool reads documents.
type convertTool struct{ documents *documents }

func (t convertTool) addTo(s toolServer) {
	addTool(s, tool{
		name:  ToolConvert,
		title: "Convert a document",
		description: "Read a PDF, Word, PowerPoint, Excel, HTML, e-mail, image or scan: a local file or a URL, " +
			"as Markdown with tables. Give exactly one of source, document_id, job_id. " +
			"Returns the text and, as last line, [babyapi: ...] with the document_id. " +
			"A long document is cut at max_chars: that line then holds the exact call that continues; " +
			"all parts joined are the whole document. " +
			"For a long document start with outline or search and read from an offset. " +
			"A slow conversion returns a job_id instead; call again with it, nothing is lost. " +
			"Converting a source is billed; reading on by document_id is free.",
		idempotent:     true,
		maxResultChars: maxMaxChars,
		aliases: map[string]string{
			"source":       "path file filename filepath url uri document input",
			"document_id":  "id docid documentkey",
			"job_id":       "job taskid task",
			"format":       "toformat outputformat output",
			"pages":        "page pagerange range",
			"search":       "query find q",
			"offset":       "start from cursor",
			"outline":      "toc headings",
			"max_chars":    "limit maxsize maxlength",
			"ocr":          "doocr",
			"wait_seconds": "timeout wait",
		},
	}, t.run)
}

func (t convertTool) run(ctx context.Context, p *progress, a convertArguments) (*mcpgo.CallToolResult, error) {
	plan, err := planConversion(a)
	if err != nil {
		return nil, err
	}
	doc, err := t.documents.obtain(ctx, p, plan)
	if unfinished, ok := errors.AsType[*unfinishedError](err); ok {
		return textResult(unfinished.Error()), nil // no failure: it goes on
	}
	if err != nil {
		return nil, err
	}
	text, err := plan.view.render(doc)
	if err != nil {
		return nil, err
	}
	return textResult(text), nil
}
