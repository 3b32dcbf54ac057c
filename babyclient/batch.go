package babyclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
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
	BatchOptions
}

// BatchOptions are how a batch runs.
type BatchOptions struct {
	// Concurrency is how many documents are under way at once. 0: [DefaultBatchConcurrency].
	Concurrency int
	// Progress is told of each document that has ended, one call at a time, in order of their end.
	Progress func(BatchProgress)
	// OnSubmit is told of each job as soon as it has an id, one call at a time. Who keeps index, id and
	// node can collect the job later, even in another process, should this one be stopped.
	OnSubmit func(BatchJob)
	// Wait are options of waiting for each job.
	Wait []WaitOption
}

// BatchProgress tells how far a batch is.
type BatchProgress struct {
	// Index of the document that has just ended, and its name.
	Index int
	Name  string
	// Err is why it failed, nil if it did not.
	Err error
	// Done, Failed and Total count documents; Failed ones are among those Done.
	Done, Failed, Total int
	// Pages are those of the converted documents, as far as docling told (JSON format only).
	Pages int
	// Elapsed is the time since the batch began.
	Elapsed time.Duration
}

// BatchJob is the job of one document of a batch.
type BatchJob struct {
	// Index of the document in Sources, and its name.
	Index int
	Name  string
	// ID and Node are those of the job: see [Docling.ConvertJob] and [Docling.ChunkJob].
	ID, Node string
}

// BatchError is the error of one document of a batch. It wraps the cause.
type BatchError struct {
	// BatchJob tells the document, and the job if it was submitted: its ID is empty if not.
	BatchJob
	Err error
}

// Error names the document, and the job that may still run.
func (e *BatchError) Error() string {
	if e.ID != "" && (errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded)) {
		return fmt.Sprintf("sources[%d] %s: stopped while job %s (node %q) was under way, which goes on and can be collected: %v", e.Index, e.Name, e.ID, e.Node, e.Err)
	}
	return fmt.Sprintf("sources[%d] %s: %v", e.Index, e.Name, e.Err)
}

// Unwrap is the cause.
func (e *BatchError) Unwrap() error { return e.Err }

// ConvertAll converts documents side by side and yields them in the order of Sources. A
// document that fails yields a [*BatchError] (with the document, if it was converted in part) and the
// others go on. When the context ends, or the loop is left, nothing more is submitted; jobs under way are
// named by their BatchError and by OnSubmit. No job is ever submitted twice.
//
// The work begins when the range does. Memory does not grow with the number of documents.
func (d *Docling) ConvertAll(ctx context.Context, req *ConvertAllRequest, opts ...CallOption) iter.Seq2[*Converted, error] {
	if req == nil {
		return failedBatch[Converted](invalid(CodeInvalidDoclingBody, "the ConvertAllRequest is nil"))
	}
	return batch(ctx, req.Sources, req.BatchOptions,
		func(ctx context.Context, s Source) (*ConvertJob, error) {
			return d.StartConvert(ctx, &ConvertRequest{Sources: []Source{s}, Options: req.Options}, opts...)
		},
		func(r *ConvertResponse) (*Converted, int) {
			if r == nil {
				return nil, 0
			}
			return r.Document(), r.Document().pages()
		})
}

// ChunkAll chunks documents side by side. See [Docling.ConvertAll] for the rules.
func (d *Docling) ChunkAll(ctx context.Context, req *ChunkAllRequest, opts ...CallOption) iter.Seq2[*ChunkResponse, error] {
	if req == nil {
		return failedBatch[ChunkResponse](invalid(CodeInvalidDoclingBody, "the ChunkAllRequest is nil"))
	}
	return batch(ctx, req.Sources, req.BatchOptions,
		func(ctx context.Context, s Source) (*ChunkJob, error) {
			return d.StartChunk(ctx, &ChunkRequest{Sources: []Source{s}, Chunker: req.Chunker, Convert: req.Convert, Options: req.Options,
				IncludeConvertedDoc: req.IncludeConvertedDoc}, opts...)
		},
		func(r *ChunkResponse) (*ChunkResponse, int) {
			pages := 0
			if r != nil {
				for _, c := range r.Chunks {
					for _, p := range c.Pages {
						pages = max(pages, p)
					}
				}
			}
			return r, pages
		})
}

func failedBatch[T any](err error) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) { yield(nil, err) }
}

// batch runs one job per source: start submits it, open takes the item and its number of pages out of its result.
func batch[R, T any](ctx context.Context, sources []Source, o BatchOptions, start func(context.Context, Source) (*DoclingJob[R], error),
	open func(*R) (*T, int)) iter.Seq2[*T, error] {
	if o.Concurrency < 0 {
		return failedBatch[T](invalid(CodeInvalidRequest, "concurrency is %d: want 1 or more, or 0 for %d", o.Concurrency, DefaultBatchConcurrency))
	}
	if o.Concurrency == 0 {
		o.Concurrency = DefaultBatchConcurrency
	}
	return func(yield func(*T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait() // no goroutine outlives the loop
		defer cancel()

		type result struct {
			item *T
			err  error
		}
		var (
			began    = time.Now()
			hooks    sync.Mutex // one call of a hook at a time
			progress = BatchProgress{Total: len(sources)}
			slots    = make(chan struct{}, o.Concurrency)
			// What has ended waits here for its turn, so a slow document does not hold up the next
			// ones, and a few results at most are held.
			results = make([]chan result, min(len(sources), 2*o.Concurrency))
		)
		turn := make(chan struct{}) // closed when the next one launched may ask for a slot: they begin in input order
		close(turn)
		run := func(i int, mine <-chan struct{}, pass func()) (item *T, pages int, err error) {
			job := BatchJob{Index: i, Name: sources[i].String()}
			fail := func(err error) (*T, int, error) { return item, pages, &BatchError{BatchJob: job, Err: err} }
			defer pass()
			<-mine
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				return fail(ctx.Err())
			}
			pass()
			j, err := start(ctx, sources[i])
			if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return fail(fmt.Errorf("stopped while it was submitted, so the service may work on it under an id that is not known here: %w", err))
			}
			if err != nil {
				return fail(err)
			}
			job.ID, job.Node = j.ID, j.Node
			if o.OnSubmit != nil {
				hooks.Lock()
				o.OnSubmit(job)
				hooks.Unlock()
			}
			r, err := j.Wait(ctx, o.Wait...)
			item, pages = open(r)
			if err != nil {
				return fail(err)
			}
			return item, pages, nil
		}
		launch := func(i int) {
			done := make(chan result, 1)
			results[i%len(results)] = done
			mine, next := turn, make(chan struct{})
			turn = next
			running.Go(func() {
				item, pages, err := run(i, mine, sync.OnceFunc(func() { close(next) }))
				hooks.Lock()
				progress.Index, progress.Name, progress.Err = i, sources[i].String(), err
				progress.Done++
				if err != nil {
					progress.Failed++
				}
				progress.Pages += pages
				progress.Elapsed = time.Since(began)
				if o.Progress != nil {
					o.Progress(progress)
				}
				hooks.Unlock()
				done <- result{item, err}
			})
		}
		for i := range results {
			launch(i)
		}
		for i := range sources {
			r := <-results[i%len(results)]
			if next := i + len(results); next < len(sources) {
				launch(next)
			}
			if !yield(r.item, r.err) {
				return
			}
		}
	}
}

// pages counts the pages of a document that came as JSON, 0 where it does not tell.
func (c *Converted) pages() int {
	var doc struct {
		Pages map[string]struct{} `json:"pages"`
	}
	if len(c.JSON) == 0 || json.Unmarshal(c.JSON, &doc) != nil {
		return 0
	}
	return len(doc.Pages)
}
