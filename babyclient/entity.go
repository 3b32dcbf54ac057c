package babyclient

import (
	"strconv"
	"strings"
)

// The entities that servers write in place of the characters that HTML gives a meaning. Package
// html knows two thousand more, which would be a tenth of a program that uses only this package.
var namedEntities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'", "nbsp": " "}

// entity is what an entity of HTML stands for, and its length in bytes: 0 if text begins with none.
func entity(text string) (decoded string, length int) {
	const longest = 10
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 2 || text[0] != '&' {
		return "", 0
	}
	name := text[1:end]
	if decoded, ok := namedEntities[name]; ok {
		return decoded, end + 1
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	base := 10
	if hex := strings.TrimLeft(digits, "xX"); hex != digits {
		digits, base = hex, 16
	}
	code, err := strconv.ParseInt(digits, base, 32)
	if !isNumber || err != nil {
		return "", 0
	}
	return string(rune(code)), end + 1
}

// withoutEntities is a text with the characters that its entities stand for.
func withoutEntities(text string) string {
	var out strings.Builder
	for text != "" {
		i := strings.IndexByte(text, '&')
		if i < 0 {
			break
		}
		out.WriteString(text[:i])
		decoded, length := entity(text[i:])
		if length == 0 {
			decoded, length = "&", 1
		}
		out.WriteString(decoded)
		text = text[i+length:]
	}
	return out.String() + text
}
