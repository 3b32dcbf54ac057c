package babyclient

import "fmt"

// What an item of a list takes in memory, at most, once it is decoded. A choice written as {} takes
// three bytes on the wire and hundreds here, so an answer within its limit in bytes could take the
// memory of the machine. An honest item takes at least half as many bytes on the wire.
const (
	bytesOfItem       = 512 // of a list of the answer itself: a choice, a chunk, a model, an error
	bytesOfNestedItem = 128 // of a list within a choice: a tool call, a token with its log probability
)

// checkItems refuses an answer whose lists have more items than an honest answer of that limit in
// bytes could hold.
func checkItems(raw []byte, limit int64) error {
	if int64(len(raw))/2*bytesOfItem <= limit { // an item takes two bytes at least
		return nil
	}
	items, nested := countItems(raw)
	if items*bytesOfItem <= limit && nested*bytesOfNestedItem <= limit {
		return nil
	}
	return fmt.Errorf("its lists have %d items, more than an answer of %d bytes may hold: %w",
		items+nested, limit, errTooLarge)
}

// countItems counts the items of the lists that an answer is or has as a field, and those of the
// lists within "choices", in one pass.
func countItems(raw []byte) (items, nested int64) {
	var isList [4]bool // the kinds of the outermost values around
	level := 0
	inChoices := false
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			if level >= 0 && level < len(isList) {
				isList[level] = raw[i] == '['
			}
			level++
			if raw[i] == '[' { // its first item has no comma before it
				switch {
				case level <= 2:
					items++
				case inChoices:
					nested++
				}
			}
		case '}', ']':
			level--
		case ',':
			switch {
			case level >= 1 && level <= 2 && isList[level-1]: //nolint:gosec // of two kinds
				items++
			case level > 2 && inChoices:
				nested++
			}
		case '"':
			end := stringEnd(raw, i)
			if level == 1 && !isList[0] {
				if after := skipSpace(raw, end); after < len(raw) && raw[after] == ':' {
					inChoices = string(raw[i:end]) == `"choices"`
				}
			}
			i = end - 1
		}
	}
	return items, nested
}
