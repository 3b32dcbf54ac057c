package docling

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file has what docling-core's texts owe to Python and to its package tabulate.

// pythonStrip is str.strip.
func pythonStrip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// columnType is how tabulate sorts values: a column is as general as its most general value.
type columnType int

const (
	typeEmpty columnType = iota
	typeBool
	typeInt
	typeFloat
	typeText
)

// ansiCodes are the escape sequences that tabulate does not count as characters: colours, and
// links, of which only the text counts.
var ansiCodes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|` +
	`\x1b\]8;(?:\w+=\w+:?)*;[^\x1b]+\x1b\\([^\x1b]+)\x1b\]8;;\x1b\\`)

func visible(s string) string {
	if strings.IndexByte(s, 0x1b) < 0 {
		return s
	}
	return ansiCodes.ReplaceAllString(s, "$1")
}

// thousands is tabulate's pattern of a number with separators of thousands, as "1,234.5".
var thousands = regexp.MustCompile(`^(?:[+-]?[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]*)?|\.[0-9]+)$`)

func typeOf(s string) columnType {
	s = visible(s)
	switch {
	case s == "":
		return typeEmpty
	case s == "True" || s == "False":
		return typeBool
	case isPythonInt(s) || !strings.Contains(s, ".") && thousands.MatchString(s):
		return typeInt
	case isPythonFloat(s) || thousands.MatchString(s):
		return typeFloat
	}
	return typeText
}

// asciiDigits replaces the decimal digits of any script by those of ASCII, strips blanks, and
// removes the underscores that Python allows between two digits. ok is false if others are there.
func asciiDigits(s string) (_ string, ok bool) {
	var out strings.Builder
	previous := rune(0)
	for _, r := range pythonStrip(s) {
		if unicode.Is(unicode.Nd, r) {
			r = '0' + digitValue(r)
		}
		if r == '_' && !isDigit(previous) || previous == '_' && !isDigit(r) || r >= utf8.RuneSelf {
			return "", false
		}
		if r != '_' {
			out.WriteRune(r)
		}
		previous = r
	}
	return out.String(), previous != '_'
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// digitValue is the value of a decimal digit. Unicode has those of a script in one run of ten, that
// begins with zero; a few runs follow another at once.
func digitValue(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) {
			return (r - lo) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) { //nolint:gosec // a code point
			return (r - lo) % 10
		}
	}
	return 0
}

var integer = regexp.MustCompile(`^[+-]?[0-9]+$`)

// maxIntDigits is Python's limit on the digits of a text that is read as an int.
const maxIntDigits = 4300

func isPythonInt(s string) bool {
	s, ok := asciiDigits(s)
	return ok && integer.MatchString(s) && len(strings.TrimLeft(s, "+-")) <= maxIntDigits
}

var decimal = regexp.MustCompile(`^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$`)

// isPythonFloat is tabulate's _isnumber: what float reads, but no number too large for it.
func isPythonFloat(s string) bool {
	switch strings.ToLower(s) {
	case "inf", "-inf", "nan":
		return true
	}
	s, ok := asciiDigits(s)
	if !ok || !decimal.MatchString(s) {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// humanize is how docling-core writes a class: "bar_chart" as "Bar chart".
func humanize(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "__", "_"), "_", " ")
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToTitle(s[:size]) + strings.ToLower(s[size:])
}
