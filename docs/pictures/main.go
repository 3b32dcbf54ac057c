// Command pictures draws what a program printed as a terminal window, in SVG. The pictures of
// the README are made of real runs:
//
//	make demo |
//		go run ./docs/pictures -command "make demo" -bold "^(Question|Answer|The|step)" > docs/pictures/demo.svg
//	go run ./examples/mcp-client |
//		go run ./docs/pictures -command "go run ./examples/mcp-client" -lines 36 -bold "^offset" \
//		> docs/pictures/mcp.svg
package main

import (
	"bufio"
	"flag"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	charWidth  = 7.85 // of the font at 13 px, a little more than most have, so that no line is cut
	lineHeight = 18
	margin     = 16
	fonts      = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)

func main() {
	command := flag.String("command", "", "the `command` that printed it")
	lines := flag.Int("lines", 60, "the most `lines` to draw; an ellipsis stands for the rest")
	width := flag.Int("width", 110, "the most `characters` of a line")
	bold := flag.String("bold", "^$", "a `pattern` of the lines to draw in bold")
	flag.Parse()
	if err := draw(*command, *lines, *width, *bold); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func draw(command string, lines, width int, bold string) error {
	strong, err := regexp.Compile(bold)
	if err != nil {
		return err
	}
	text := []string{"$ " + command}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if len(text) == lines {
			text = append(text, "…")
			break
		}
		text = append(text, shorten(in.Text(), width))
	}
	if err := in.Err(); err != nil {
		return err
	}
	columns := 0
	for _, l := range text {
		columns = max(columns, utf8.RuneCountInString(l))
	}
	w, h := int(float64(columns)*charWidth)+2*margin, len(text)*lineHeight+2*margin
	line := func(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }
	line(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" role="img" aria-label="%s">`,
		w, h, w, html.EscapeString("output of "+command))
	line(`<rect width="%d" height="%d" rx="8" fill="#16191d"/>`, w, h)
	line(`<g font-family="%s" font-size="13" fill="#d7dce2">`, fonts)
	for i, l := range text {
		style := ""
		switch {
		case i == 0:
			style = ` fill="#7ee787" font-weight="bold"`
		case strong.MatchString(l):
			style = ` fill="#79c0ff" font-weight="bold"`
		}
		y := margin + (i+1)*lineHeight - 5
		line(`<text x="%d" y="%d"%s>%s</text>`, margin, y, style, html.EscapeString(l))
	}
	line("</g>\n</svg>")
	return nil
}

func shorten(line string, width int) string {
	// Spaces that SVG would run together.
	line = strings.NewReplacer("\t", "    ", " ", "\u00a0").Replace(line)
	if runes := []rune(line); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return line
}
