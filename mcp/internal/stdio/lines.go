package stdio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// maxLine is the longest message that is read, in bytes. A longer one is refused and skipped, so
// that a client without an end of line cannot fill the memory.
const maxLine = 64 << 20

// line is one line of the input, without the white space around it. The last one has err set, and
// can have a text too: the last message need not end with a line break.
type line struct {
	text    []byte
	tooLong bool
	err     error
}

func readLines(ctx context.Context, in io.Reader, lines chan<- line) {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		l := readLine(r, maxLine)
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
		if l.err != nil {
			return
		}
	}
}

// readLine reads up to a line break or the end of the input. Of a line of more than limit bytes it
// keeps nothing.
func readLine(r *bufio.Reader, limit int) line {
	var l line
	for {
		part, err := r.ReadSlice('\n')
		if len(l.text)+len(part) > limit {
			l.tooLong, l.text = true, nil
		}
		if !l.tooLong {
			l.text = append(l.text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		l.text, l.err = bytes.TrimSpace(l.text), err
		return l
	}
}
