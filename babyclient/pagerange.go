package babyclient

import (
	"encoding/json"
	"fmt"
	"math"
)

// PageRange is a range of pages, counted from 1, both ends included. Its JSON is the two numbers
// that the service takes.
type PageRange struct {
	First int
	// Last is the last page; 0 means the last one of the document.
	Last int
}

// lastOfDocument stands for the last page of a document on the wire. It is docling-serve's default.
const lastOfDocument = math.MaxInt64

// MarshalJSON encodes the range as [first, last].
func (r PageRange) MarshalJSON() ([]byte, error) {
	last := int64(r.Last)
	if last == 0 {
		last = lastOfDocument
	}
	return fmt.Appendf(nil, "[%d,%d]", r.First, last), nil
}

// UnmarshalJSON decodes what MarshalJSON encodes.
func (r *PageRange) UnmarshalJSON(data []byte) error {
	var ends []int64
	if err := json.Unmarshal(data, &ends); err != nil || ends == nil {
		return err
	}
	if len(ends) != 2 {
		return fmt.Errorf("a page range has %d numbers: want [first, last]", len(ends))
	}
	if ends[1] == lastOfDocument {
		ends[1] = 0
	}
	*r = PageRange{First: int(ends[0]), Last: int(ends[1])}
	return nil
}

// check accepts nil, which is the whole document.
func (r *PageRange) check() error {
	if r == nil || r.First >= 1 && (r.Last == 0 || r.Last >= r.First) {
		return nil
	}
	return invalid(CodeInvalidRequest,
		"pages %d to %d: want a first page of 1 or more and a last one not before it", r.First, r.Last)
}
