// Package babyclient is a client for the BabyAPI service, and for anything that speaks its
// wire: chat, completions, embeddings and rerank as vLLM has them, /infer, OCR, and document
// conversion and chunking as docling-serve has them. It uses the standard library alone.
//
//	c, err := babyclient.New() // the key from BABYAPI_API_KEY
//	resp, err := c.Chat(ctx, &babyclient.ChatRequest{
//		Model:       "Qwen/Qwen3-8B",
//		Messages:    []babyclient.Message{babyclient.User("Why is the sky blue?")},
//		Temperature: new(0.2),
//	})
//	fmt.Println(resp.Text())
//
// # Requests
//
// A field that is not set is not sent. Where zero means something, the field is a pointer, which
// tells zero from not set: new(0.0). Extra is merged into the body last, so that every field of the
// engine can be sent. Bad input is refused before anything is sent, with an error that names the
// field and its value. A request encodes as the JSON that is sent, Extra included, and decodes from
// it.
//
// # Answers
//
// Every answer embeds [Meta]: its header, the id of the request and the raw JSON, so that every
// field of the engine can be read. An answer that is not what it must be (a vector that is missing,
// a document that failed, a stream cut before its end) is an error, never a result.
//
// # Streams
//
// A stream is an iterator. The request goes out when the range starts; an error is the last
// thing that it yields; leaving the loop closes the connection and so ends the generation.
//
//	for chunk, err := range c.ChatStream(ctx, req) {
//		if err != nil {
//			return err
//		}
//		if chunk.Err() != nil {
//			return chunk.Err() // or go on without what could not be decoded
//		}
//		fmt.Print(chunk.Text())
//	}
//
// An event that could not be decoded comes as a chunk too, whose Err says so. [Collect] turns a
// stream into the answer that the plain call would have given.
//
// # Errors and retries
//
// The error of a call is an [*Error]. In a batch, the error of one document is a [*BatchError],
// with an [*Error] in its chain. All match the sentinels of this package with [errors.Is]. A
// request that may have run is billed, so it is not sent again: see [DefaultRetryPolicy]. The key
// appears in no error and no log.
//
// # Concurrency
//
// A [Client] is safe for concurrent use, and is meant to be made once. Only [Docling.ConvertAll]
// and [Docling.ChunkAll] start goroutines, and end them.
package babyclient
