package provider

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// loaderReader is a reader of the caller's. It can be loaded again if nothing was read of it, or if
// it can be rewound.
type loaderReader struct {
	r     io.Reader
	start int64 // where it stood, -1 if it cannot be rewound

	mu      sync.Mutex
	inUse   bool // by a load
	wasRead bool
}

func newLoaderReader(r io.Reader) *loaderReader {
	start := int64(-1)
	if s, ok := r.(io.Seeker); ok {
		if position, err := s.Seek(0, io.SeekCurrent); err == nil {
			start = position
		}
	}
	return &loaderReader{r: r, start: start}
}

// claim takes the reader for one load. It fails if another load has it, or if it is spent. keep
// says that [sendAgain] may be called.
func (l *loaderReader) claim(s babyclient.Source, keep bool) (babyclient.Source, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inUse {
		return s, invalid("%s: the reader is being loaded by another call", sourceName(s))
	}
	if err := l.rewind(); err != nil {
		return s, invalid("%s: the reader is spent, it was loaded before: "+
			"give the bytes (babyclient.FromBytes) or a file to load it again", sourceName(s)).WithCause(err)
	}
	l.inUse = true
	return l.upload(s, nil, keep), nil
}

func (l *loaderReader) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inUse = false
}

var errSpent = errors.New("it was read, and cannot be rewound")

// rewind makes the reader begin where it stood when the loader got it.
func (l *loaderReader) rewind() error {
	if !l.wasRead {
		return nil
	}
	if l.start < 0 {
		return errSpent
	}
	if _, err := l.r.(io.Seeker).Seek(l.start, io.SeekStart); err != nil {
		return err
	}
	l.wasRead = false
	return nil
}

// upload is the source with a reader that notes what is read. It begins with the given bytes.
func (l *loaderReader) upload(s babyclient.Source, begin []byte, keep bool) babyclient.Source {
	if size := l.size(); s.Size == 0 && size > 0 {
		s.Size = size + int64(len(begin))
	}
	s.Reader = &uploadReader{reader: l, begin: begin, keeps: keep && l.start < 0}
	return s
}

// size is how many bytes are left, as far as the reader tells it: babyclient cannot ask an
// uploadReader, and would send the upload without a length.
func (l *loaderReader) size() int64 {
	switch r := l.r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case *os.File:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() && l.start >= 0 {
			return info.Size() - l.start
		}
	}
	return 0
}

// uploadReader reads a loaderReader for one upload. It keeps what was read if that may have to be
// sent again: a service that has no endpoint for it is asked at another.
type uploadReader struct {
	reader *loaderReader
	begin  []byte // read before, at another endpoint
	keeps  bool
	kept   []byte
	ended  bool // the transport may still read for an upload that was refused
}

func (u *uploadReader) Read(p []byte) (int, error) {
	u.reader.mu.Lock()
	defer u.reader.mu.Unlock()
	if u.ended {
		return 0, errors.New("the upload has ended")
	}
	if len(u.begin) > 0 {
		n := copy(p, u.begin)
		u.begin = u.begin[n:]
		return n, nil
	}
	u.reader.wasRead = true
	n, err := u.reader.r.Read(p)
	if u.keeps {
		u.kept = append(u.kept, p[:n]...)
	}
	return n, err
}

// sendAgain is the source for another upload of the same bytes, after the service refused this one.
// A source without a reader is as it was.
func sendAgain(s babyclient.Source) (babyclient.Source, error) {
	u, ok := s.Reader.(*uploadReader)
	if !ok {
		return s, nil
	}
	u.reader.mu.Lock()
	defer u.reader.mu.Unlock()
	u.ended = true
	s.Size = 0
	if u.keeps {
		return u.reader.upload(s, u.kept, false), nil
	}
	err := u.reader.rewind()
	return u.reader.upload(s, nil, false), err
}
