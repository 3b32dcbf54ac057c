package babyclient

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// However a text is cut into events, between the halves of a character too, its pieces together are
// the text.
func FuzzHalves(f *testing.F) {
	f.Add("a😀b", uint64(0b10))
	f.Add("😀😁", uint64(0b101))
	f.Add("한국", uint64(1))
	f.Fuzz(func(t *testing.T, text string, cuts uint64) {
		units := utf16.Encode([]rune(text))
		var d completeDecoder
		var got, piece strings.Builder
		send := func() {
			chunk, err := d.decode([]byte(`{"choices":[{"index":0,"text":"` + piece.String() + `"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			got.WriteString(chunk.Text())
			piece.Reset()
		}
		for i, unit := range units {
			if unit >= 0xdbf0 && unit <= 0xdbff {
				t.Skip("a private character: its halves are not joined")
			}
			fmt.Fprintf(&piece, `\u%04x`, unit)
			if cuts>>(i%64)&1 == 1 {
				send()
			}
		}
		send()
		if rest := d.rest(); rest != nil {
			got.WriteString(rest.Text())
		}
		if want := string(utf16.Decode(units)); got.String() != want {
			t.Errorf("got %q, want %q", got.String(), want)
		}
	})
}
