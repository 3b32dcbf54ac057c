package babyclient

import (
	"net/http"
	"strings"
)

const taskResultNotFound = "Task result not found"

// explainLostResult says what docling-serve means by some answers to a request that waits for its
// result.
func explainLostResult(e Error) Error {
	switch {
	case e.StatusCode == http.StatusNotFound && strings.Contains(e.Message, taskResultNotFound):
		e.Code = CodeDoclingTaskFailed
		e.Message = "docling-serve failed at the request as a whole and dropped the reason, which only its " +
			"log holds. Known causes: OCR settings that its engine cannot take, a pipeline that it does not have, " +
			"bad base64, a target that cannot be reached, AbortOnError with a bad document"
	case e.StatusCode == http.StatusGatewayTimeout:
		e.Message += " (docling-serve goes on converting, and its result cannot be fetched: " +
			"use StartConvert or StartChunk for documents that take long)"
	}
	return e
}
