package mcp

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/babyapi-org/babyapi-go/babyclient"
)

// Reading a document in parts, with whatever budget, by the offsets that the view gives, is
// reading it whole.
func TestPartsJoinedAreTheDocument(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := &document{id: "d_x", name: "x", format: babyclient.FormatMarkdown, text: randomMarkdown(r, 40)}
		budget := 1 + r.IntN(3000)
		var joined strings.Builder
		for offset := 0; offset >= 0; {
			pieces, next := d.nextPart([]span{{0, len(d.text)}}, offset, budget)
			for _, p := range pieces {
				joined.WriteString(d.text[p.from:p.to])
			}
			if next >= 0 {
				// What the model is told is in characters, and leads back to the same place.
				back, ok := d.byteOffset(d.charOffset(next))
				if !ok || back != next || next <= offset {
					t.Fatalf("seed %d: offset %d after %d comes back as %d", seed, next, offset, back)
				}
			}
			offset = next
		}
		if joined.String() != d.text {
			t.Fatalf("seed %d, budget %d: the parts joined are not the document", seed, budget)
		}
	}
}
