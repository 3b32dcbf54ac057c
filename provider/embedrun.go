package provider

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// embedRun is one EmbedDocuments or Resume: it sends the texts in batches, several at once, and
// puts the vectors in place.
type embedRun struct {
	*Embedder
	texts   []string
	vectors [][]float32 // one for each text; nil until it has one

	mu     sync.Mutex // of the fields below, and of writing to vectors
	done   int        // texts that have a vector
	failed *EmbedError
}

// embedBatch is the inputs of one request.
type embedBatch struct {
	inputs []string
	places []int // of the texts, in embedRun.texts
}

// run returns when all texts have a vector, or with the first failure.
func (r *embedRun) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	batches := make(chan embedBatch)
	for range min(r.concurrency, len(r.vectors)) {
		workers.Go(func() {
			for b := range batches {
				if !r.send(ctx, b) {
					cancel()
				}
			}
		})
	}
	for b := range r.batches() {
		if ctx.Err() != nil {
			break
		}
		select {
		case batches <- b:
		case <-ctx.Done():
		}
	}
	close(batches)
	workers.Wait()
	if r.failed != nil {
		return r.failed
	}
	if r.done < len(r.vectors) { // the caller's context ended between two requests
		first := slices.IndexFunc(r.vectors, func(v []float32) bool { return v == nil })
		return &EmbedError{From: first, To: len(r.vectors), Vectors: r.vectors, Err: ctx.Err()}
	}
	return nil
}

// batches yields the texts that have no vector, as many together as fit into one request. A batch
// is made only when a worker can take it, so that a million texts are not held a second time, with
// their prefixes. The workers write to r.vectors meanwhile; that is no data race, because each text
// is looked at before its batch is sent, so before its vector can come.
func (r *embedRun) batches() iter.Seq[embedBatch] {
	return func(yield func(embedBatch) bool) {
		var b embedBatch
		bytes := 0
		for i, text := range r.texts {
			if r.vectors[i] != nil {
				continue
			}
			input := r.input(r.prefixes.Document, text)
			isFull := len(b.inputs) == r.batchSize || bytes+len(input) > r.batchBytes
			if isFull && len(b.inputs) > 0 {
				if !yield(b) {
					return
				}
				b, bytes = embedBatch{}, 0
			}
			b.inputs, b.places = append(b.inputs, input), append(b.places, i)
			bytes += len(input)
		}
		if len(b.inputs) > 0 {
			yield(b)
		}
	}
}

// send embeds a batch and reports whether that succeeded.
func (r *embedRun) send(ctx context.Context, b embedBatch) bool {
	vectors, err := r.embed(ctx, b.inputs)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.checkDimensions(len(vectors[0]))
	}
	if err != nil {
		if r.failed == nil { // later requests fail because the first failure cancels them
			r.failed = &EmbedError{From: b.places[0], To: b.places[len(b.places)-1] + 1, Vectors: r.vectors, Err: err}
		}
		return false
	}
	for i, place := range b.places {
		r.vectors[place] = vectors[i]
	}
	r.done += len(b.places)
	if r.onProgress != nil {
		r.onProgress(r.done, len(r.vectors))
	}
	return true
}

// checkDimensions makes sure that the vectors of different requests fit into one index.
func (r *embedRun) checkDimensions(n int) error {
	i := slices.IndexFunc(r.vectors, func(v []float32) bool { return v != nil })
	if i < 0 || len(r.vectors[i]) == n {
		return nil
	}
	return &babyclient.Error{Code: babyclient.CodeInvalidResponse,
		Message: fmt.Sprintf("the vectors have %d dimensions, that of texts[%d] has %d", n, i, len(r.vectors[i]))}
}

func countVectors(vectors [][]float32) (n int) {
	for _, v := range vectors {
		if v != nil {
			n++
		}
	}
	return n
}
