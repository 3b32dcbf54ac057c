package babyclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultBatchConcurrency is how many documents of a batch are under way at once.
const DefaultBatchConcurrency = 4

// ConvertAllRequest converts any number of documents, each as a job of its own.
type ConvertAllRequest struct {
	// Sources are the documents.
	Sources []Source
	// Options of each conversion.
	Options ConvertOptions
	// Callbacks are told of the progress of every job. [TaskProgress] names the job by its ID, as
	// BatchOptions.OnSubmit does.
	Callbacks []Callback
	BatchOptions
}

// ChunkAllRequest chunks any number of documents, each as a job of its own.
type ChunkAllRequest struct {
	// Sources are the documents.
	Sources []Source
	// Chunker, Convert, Options and IncludeConvertedDoc are as in a [ChunkRequest].
	Chunker             string
	Convert             ConvertOptions
	Options             ChunkOptions
	IncludeConvertedDoc *bool
	// Callbacks are told of the progress of every job. Chunking an upload has none: without
	// [Source.Inline] it fails, and is not sent.
	Callbacks []Callback
	BatchOptions
}

// BatchOptions are how a batch runs.
type BatchOptions struct {
	// Concurrency is how many documents are under way at once. 0: [DefaultBatchConcurrency].
	Concurrency int
	// Progress is called for each source that has ended, one call at a time, in the order in which
	// they end.
	Progress func(BatchProgress)
	// OnSubmit is called with each job as soon as it has an id, one call at a time. A program that
	// keeps the index, id and node can collect the job later, even in another process, if this one
	// is stopped.
	OnSubmit func(BatchJob)
	// Wait are options of waiting for each job.
	Wait []WaitOption
}

// BatchProgress tells how far a batch is.
type BatchProgress struct {
	// Index of the source that has just ended, and its name.
	Index int
	Name  string
	// Err is why it failed, nil if it did not.
	Err error
	// Done, Failed and Total count sources; those that Failed are among those Done.
	Done, Failed, Total int
	// Pages counts the pages of the converted documents, as far as docling tells them (JSON format
	// only).
	Pages int
	// Elapsed is the time since the batch began.
	Elapsed time.Duration
}

// BatchJob is the job of one source of a batch.
type BatchJob struct {
	// Index of the source in Sources, and its name.
	Index int
	Name  string
	// ID and Node are those of the job: see [Docling.ConvertJob] and [Docling.ChunkJob].
	ID, Node string
}

// BatchError is the error of one source of a batch. It has an [*Error] in its chain.
type BatchError struct {
	// BatchJob tells the source, and its job. The ID is empty if the job was not submitted.
	BatchJob
	// Err is the cause. It is an [*Error], or wraps one.
	Err error
}

// Error names the source, and the job that may still run.
func (e *BatchError) Error() string {
	if e.ID != "" && (errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded)) {
		return fmt.Sprintf("sources[%d] %s: stopped while job %s (node %q) was under way, "+
			"which goes on and can be collected: %v", e.Index, e.Name, e.ID, e.Node, e.Err)
	}
	return fmt.Sprintf("sources[%d] %s: %v", e.Index, e.Name, e.Err)
}

// Unwrap is the cause.
func (e *BatchError) Unwrap() error { return e.Err }

// ConvertAll converts documents side by side and yields them in the order of Sources. A source that
// holds several documents, such as an archive, yields each of them: see [Converted.SourceIndex].
// One that fails yields a [*BatchError] (together with the document, if that was converted in part)
// and the others go on. When the context ends, or the loop is left, nothing more is submitted. The
// jobs under way then are named by their BatchError and by OnSubmit. No job is ever submitted
// twice.
//
// The work begins when the range does. Memory does not grow with the number of sources.
func (d *Docling) ConvertAll(
	ctx context.Context, req *ConvertAllRequest, opts ...CallOption,
) iter.Seq2[*Converted, error] {
	var ranged atomic.Bool
	return func(yield func(*Converted, error) bool) {
		if req == nil {
			yield(nil, invalid(CodeInvalidDoclingBody, "the ConvertAllRequest is nil"))
			return
		}
		submit := func(ctx context.Context, s Source) (*ConvertJob, error) {
			return d.StartConvert(ctx, &ConvertRequest{Sources: []Source{s}, Options: req.Options,
				Callbacks: req.Callbacks}, opts...)
		}
		b := &batch[ConvertResponse]{client: d.c, sources: req.Sources, options: req.BatchOptions,
			submit: submit, pages: (*ConvertResponse).pages, ranged: &ranged}
		for i, r := range b.run(ctx) {
			if !yieldDocuments(i, r, yield) {
				return
			}
		}
	}
}

// yieldDocuments yields the documents of source i, the last of them together with its error.
func yieldDocuments(i int, r batchResult[ConvertResponse], yield func(*Converted, error) bool) bool {
	if r.response == nil {
		return yield(nil, r.err)
	}
	documents := r.response.Documents
	if len(documents) == 0 { // a zip answer with other files alone
		documents = []*Converted{{}}
	}
	documents[0].Files = r.response.Files
	last := len(documents) - 1
	for _, doc := range documents {
		doc.SourceIndex = i
	}
	for _, doc := range documents[:last] {
		if !yield(doc, nil) {
			return false
		}
	}
	return yield(documents[last], r.err)
}

// ChunkAll chunks documents side by side. See [Docling.ConvertAll] for the rules.
func (d *Docling) ChunkAll(
	ctx context.Context, req *ChunkAllRequest, opts ...CallOption,
) iter.Seq2[*ChunkResponse, error] {
	var ranged atomic.Bool
	return func(yield func(*ChunkResponse, error) bool) {
		if req == nil {
			yield(nil, invalid(CodeInvalidDoclingBody, "the ChunkAllRequest is nil"))
			return
		}
		submit := func(ctx context.Context, s Source) (*ChunkJob, error) {
			return d.StartChunk(ctx, &ChunkRequest{Sources: []Source{s}, Chunker: req.Chunker, Convert: req.Convert,
				Options: req.Options, IncludeConvertedDoc: req.IncludeConvertedDoc, Callbacks: req.Callbacks}, opts...)
		}
		b := &batch[ChunkResponse]{client: d.c, sources: req.Sources, options: req.BatchOptions,
			submit: submit, pages: (*ChunkResponse).pages, ranged: &ranged}
		for _, r := range b.run(ctx) {
			if !yield(r.response, r.err) {
				return
			}
		}
	}
}

// batch runs one job for each source, for one range over their results.
type batch[R any] struct {
	client  *Client
	sources []Source
	options BatchOptions
	submit  func(context.Context, Source) (*DoclingJob[R], error)
	pages   func(*R) int // counts those of a response, as far as it tells them
	ranged  *atomic.Bool

	queue   chan chan batchResult[R] // one for each source that is under way or has ended, in their order
	slots   chan struct{}            // one is taken by each job under way
	loopEnd chan struct{}            // closed when the loop has ended
	running sync.WaitGroup
	began   time.Time

	hooks    sync.Mutex // makes the calls of the caller's functions one at a time
	progress BatchProgress
}

// batchResult is what came of one source. A response together with an error is a part of what was
// asked for.
type batchResult[R any] struct {
	response *R
	err      error
}

// run yields the index and the result of each source, in the order of the sources. One goroutine
// starts the jobs, each job has its own, and none outlives the loop.
//
// The results of later sources wait in a queue for that of a slow one, so that it does not hold up
// the jobs behind it. The queue is short, so that only a few results are held.
func (b *batch[R]) run(ctx context.Context) iter.Seq2[int, batchResult[R]] {
	return func(yield func(int, batchResult[R]) bool) {
		if err := b.check(ctx); err != nil {
			yield(0, batchResult[R]{err: err})
			return
		}
		concurrency := min(cmp.Or(b.options.Concurrency, DefaultBatchConcurrency), max(1, len(b.sources)))
		ctx, cancel := context.WithCancel(ctx)
		b.queue = make(chan chan batchResult[R], 2*concurrency-1) // and the one that the loop waits for
		b.slots = make(chan struct{}, concurrency)
		b.loopEnd = make(chan struct{})
		b.began = time.Now()
		b.progress.Total = len(b.sources)
		defer b.running.Wait()
		defer close(b.loopEnd)
		defer cancel()
		b.running.Go(func() { b.startJobs(ctx) })
		for i := range b.sources {
			result := <-b.queue // of the next source
			if !yield(i, <-result) {
				return
			}
		}
	}
}

func (b *batch[R]) check(ctx context.Context) error {
	switch {
	case ctx == nil:
		return errNilContext
	case b.options.Concurrency < 0:
		return invalid(CodeInvalidRequest, "concurrency is %d: want 1 or more, or 0 for %d",
			b.options.Concurrency, DefaultBatchConcurrency)
	case b.ranged.Swap(true):
		return invalid(CodeInvalidRequest,
			"the batch was ranged over already: a second range would submit, and bill, every document again")
	}
	return nil
}

// startJobs starts the job of each source, in their order. When ctx has ended it starts no more,
// and the sources that are left fail.
func (b *batch[R]) startJobs(ctx context.Context) {
	for i := range b.sources {
		result := make(chan batchResult[R], 1)
		select {
		case b.queue <- result:
		case <-b.loopEnd:
			return
		}
		select {
		case b.slots <- struct{}{}:
			b.running.Go(func() {
				defer func() { <-b.slots }()
				result <- b.report(i, b.runJob(ctx, i))
			})
		case <-ctx.Done():
			result <- b.report(i, b.runJob(ctx, i)) // which submits nothing any more
		}
	}
}

// runJob submits the job of a source and waits for its result.
func (b *batch[R]) runJob(ctx context.Context, i int) batchResult[R] {
	job := BatchJob{Index: i, Name: b.sources[i].String()}
	failed := func(response *R, err error) batchResult[R] {
		return batchResult[R]{response, &BatchError{BatchJob: job, Err: err}}
	}
	if ctx.Err() != nil {
		return failed(nil, b.client.errorsWith("", &b.client.defaults).contextEnded(ctx, Meta{}))
	}
	submitted, err := b.submit(ctx, b.sources[i])
	if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return failed(nil, fmt.Errorf("stopped while it was submitted, so the service may work on it under an id "+
			"that is not known here: %w", err))
	}
	if err != nil {
		return failed(nil, err)
	}
	job.ID, job.Node = submitted.ID, submitted.Node
	if b.options.OnSubmit != nil {
		b.hooks.Lock()
		b.options.OnSubmit(job)
		b.hooks.Unlock()
	}
	response, err := submitted.Wait(ctx, b.options.Wait...)
	if err != nil {
		return failed(response, err)
	}
	return batchResult[R]{response, nil}
}

// report tells the caller that a source has ended, and returns its result.
func (b *batch[R]) report(i int, r batchResult[R]) batchResult[R] {
	b.hooks.Lock()
	defer b.hooks.Unlock()
	p := &b.progress
	p.Index, p.Name, p.Err = i, b.sources[i].String(), r.err
	p.Done++
	if r.err != nil {
		p.Failed++
	}
	if r.response != nil {
		p.Pages += b.pages(r.response)
	}
	p.Elapsed = time.Since(b.began)
	if b.options.Progress != nil {
		b.options.Progress(*p)
	}
	return r
}

// pages counts the pages of the documents, as far as docling tells them.
func (r *ConvertResponse) pages() (pages int) {
	for _, doc := range r.Documents {
		pages += doc.pages()
	}
	return pages
}

// pages counts the pages up to the last one that a chunk is from: a chunking tells no other number.
func (r *ChunkResponse) pages() (pages int) {
	for _, c := range r.Chunks {
		pages = max(pages, slices.Max(append(c.Pages, 0)))
	}
	return pages
}
