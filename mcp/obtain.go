package mcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// cancelTimeout is how long the service may take to hear that a conversion is given up.
const cancelTimeout = 2 * time.Second

// documents is where the tools get documents from: the library, or else the service, which converts
// them.
type documents struct {
	client  *babyclient.Client
	roots   *roots
	library *library
	wait    time.Duration // for a conversion, in a call that does not say how long
	timeout time.Duration // of one conversion
	logger  *slog.Logger
}

// obtain is the document of a plan. It fails with an *unfinishedError if its conversion is still
// under way when the plan's wait is over.
func (d *documents) obtain(ctx context.Context, p *progress, plan plan) (*document, error) {
	conversion, err := d.findOrStart(ctx, plan)
	if err != nil {
		return nil, err
	}
	doc, err := d.await(ctx, p, conversion, cmp.Or(plan.wait, d.wait))
	if err != nil {
		return nil, err
	}
	return doc, plan.check(doc)
}

// findOrStart is the conversion of a plan, started if it is not in the library.
func (d *documents) findOrStart(ctx context.Context, plan plan) (*conversion, error) {
	if plan.source == "" {
		if c := d.library.find(plan.id); c != nil {
			return c, nil
		}
		return nil, refuse("%q is not kept any more: this server keeps the last %d documents, "+
			"and none across a restart. Call convert with source again.", clip(plan.id), maxDocuments)
	}
	src, err := d.roots.openSource(ctx, plan.source)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%s\x00%s", src.identity, mustJSON(plan.options()))
	convert := func(ctx context.Context, report reportFunc) (*document, error) {
		defer src.close()
		return d.convert(ctx, src, plan, report)
	}
	c, isNew, err := d.library.start(newConversion(key, src.name, src.reuseFor), d.timeout, convert)
	if !isNew {
		src.close()
	}
	return c, err
}

// unfinishedError says that a conversion is still under way, and how to get it later.
type unfinishedError struct {
	name, stage, jobID string
	elapsed            time.Duration
}

func (e *unfinishedError) Error() string {
	return fmt.Sprintf("Still converting %s (%s, %s, job %s). Call convert %s to keep waiting; nothing is lost.",
		e.name, seconds(e.elapsed), e.stage, e.jobID, callJSON("job_id", e.jobID))
}

// await waits for a conversion and tells the client how it goes. It fails with an *unfinishedError
// if the wait is over first.
func (d *documents) await(ctx context.Context, p *progress, c *conversion, wait time.Duration) (*document, error) {
	p.say(func(time.Duration) string { return d.library.stageOf(c) + ", " + seconds(time.Since(c.start)) })
	doc, ready, err := d.library.wait(ctx, c, wait)
	if err == nil && !ready {
		err = &unfinishedError{c.name, d.library.stageOf(c), "j_" + c.id, time.Since(c.start)}
	}
	return doc, err
}

// convert converts a source as a job of the service: unlike a plain call, a job has no limit of two
// minutes, says how many are before it in the queue, and can be given up.
func (d *documents) convert(ctx context.Context, src *source, plan plan, report reportFunc) (*document, error) {
	stage := func(text string) { report(func() string { return text }) }
	if src.uploaded != nil {
		report(func() string { return "uploading, " + src.uploaded() })
	}
	req := &babyclient.ConvertRequest{Sources: []babyclient.Source{src.wire}, Options: plan.options()}
	job, err := d.client.Docling.StartConvert(ctx, req, babyclient.WithTimeout(d.timeout))
	var resp *babyclient.ConvertResponse
	if err == nil {
		stage("queued")
		onPoll := func(status *babyclient.JobStatus) {
			switch {
			case status.Position > 1:
				stage(fmt.Sprintf("queued, %d ahead", status.Position-1))
			case status.State != "pending":
				stage("converting")
			}
		}
		resp, err = job.Wait(ctx, babyclient.WithPollInterval(time.Second), babyclient.OnPoll(onPoll))
	}
	if err != nil && ctx.Err() != nil {
		d.cancelJob(ctx, job)
		if errors.Is(context.Cause(ctx), errConversionTimeout) {
			return nil, refuse("the conversion of %s took longer than %s and was given up. "+
				"Try fewer pages, or ask the user to raise BABYAPI_MCP_TIMEOUT.", src.name, d.timeout)
		}
		return nil, refuse("the conversion of %s was cancelled.", src.name)
	}
	if err != nil && !errors.Is(err, babyclient.ErrPartialSuccess) {
		return nil, err
	}
	return newDocument(src.name, plan.format, len(plan.pages) > 0, resp.Document()), nil
}

// cancelJob tells the service that nobody waits for a job any more, although ctx has ended. job is
// nil if it was not even started.
func (d *documents) cancelJob(ctx context.Context, job *babyclient.ConvertJob) {
	if job == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	if _, err := job.Cancel(ctx, babyclient.WithMaxRetries(0)); err != nil {
		d.logger.WarnContext(ctx, "a conversion could not be cancelled", "error", err)
	}
}
