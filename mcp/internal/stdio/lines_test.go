package stdio

import (
	"bufio"
	"strings"
	"testing"
)

// A line over the limit is dropped whole, without losing the one before or after it.
func TestReadLine(t *testing.T) {
	const limit = 100
	for _, size := range []int{1, limit - 1, limit, 10 * limit, 100_000} {
		r := bufio.NewReaderSize(strings.NewReader("before\n"+strings.Repeat("x", size)+"\r\nafter"), 16)
		var got []line
		for len(got) == 0 || got[len(got)-1].err == nil {
			got = append(got, readLine(r, limit))
		}
		if len(got) != 3 || string(got[0].text) != "before" || string(got[2].text) != "after" {
			t.Errorf("size %d: got %d lines, want before, the long one, after: %+v", size, len(got), got)
			continue
		}
		fits := size+len("\r\n") <= limit
		if got[1].tooLong == fits || fits && len(got[1].text) != size {
			t.Errorf("size %d: got %d bytes, too long %v, want too long %v", size, len(got[1].text), got[1].tooLong,
				!fits)
		}
	}
}
