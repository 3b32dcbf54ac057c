package babyclient

import (
	"errors"
	"io"
)

// MaxEventSize is the longest event of a stream that is read, in bytes.
const MaxEventSize = 64 << 20

var errTooLarge = errors.New("more bytes than allowed")

// limitedReader fails where io.LimitReader would end, if there is more than the limit.
type limitedReader struct {
	r     io.Reader
	n     int64 // bytes read
	limit int64 // bytes, -1 for none
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += int64(n)
	if l.limit >= 0 && l.n > l.limit {
		return 0, errTooLarge
	}
	return n, err
}
