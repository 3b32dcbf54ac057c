package provider_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/textsplitter"

	"github.com/babyapi-org/babyapi-go/babyclient"
	"github.com/babyapi-org/babyapi-go/babyclient/babytest"
	"github.com/babyapi-org/babyapi-go/provider"
)

// splitterFunc is a splitter.
type splitterFunc func(text string) []string

func (f splitterFunc) SplitText(text string) ([]string, error) { return f(text), nil }

// cutAt cuts a text before each of the words, in the order of the text.
func cutAt(words ...string) splitterFunc {
	return func(text string) []string {
		var out []string
		for _, w := range words {
			i := 1 + strings.Index(text[1:], w)
			out, text = append(out, text[:i]), text[i:]
		}
		return append(out, text)
	}
}

// byteSplitter cuts after n bytes, also inside of a character, as a splitter by tokens does, and
// repeats the last ones.
func byteSplitter(n, overlap int) splitterFunc {
	return func(text string) (out []string) {
		for i := 0; i < len(text); i += n - overlap {
			out = append(out, text[i:min(i+n, len(text))])
		}
		return out
	}
}

// splitMarkdown loads a document of that Markdown and splits it.
func splitMarkdown(t testing.TB, markdown string, splitter textsplitter.TextSplitter) []schema.Document {
	t.Helper()
	srv := newServer(t, "POST /docling/v1/convert/file/async",
		babytest.JSON(200, `{"task_id":"t","task_status":"pending"}`))
	srv.On("GET /docling/v1/status/poll/t", babytest.JSON(200, `{"task_id":"t","task_status":"success"}`))
	srv.On("GET /docling/v1/result/t", babytest.JSON(200, `{"document":{"filename":"a.md","md_content":`+
		jsonOf(t, markdown)+`},"status":"success"}`))
	docs, err := newLoader(t, srv, provider.WithSources(babyclient.FromBytes("a.md", []byte("x")))).
		LoadAndSplit(t.Context(), splitter)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

const prices = "# Prices\n\nOf today.\n\n" +
	"| name   |   price | note         |\n" +
	"|--------|--------:|--------------|\n" +
	"| tea    |       3 | hot          |\n" +
	"| cake   |       5 | with cream   |\n" +
	"| bread  |      -4 | of the day   |\n\nThank you."

const header = "| name | price | note |\n|---|---:|---|\n"

func TestSplitTables(t *testing.T) {
	between := func(first, last string) string {
		return prices[strings.Index(prices, first):strings.Index(prices, last)]
	}
	tea, rest := between("| tea", "| cake"), prices[strings.Index(prices, "| cake"):]
	long := strings.Repeat("long ", 100)
	for name, test := range map[string]struct {
		text     string
		splitter textsplitter.TextSplitter
		want     []string // the pieces but the first
	}{
		"between rows": {prices, cutAt("| cake"), []string{header + rest}},
		"inside a row": {prices, cutAt("5 | with"),
			[]string{header + "| cake | 5 | with cream   |\n| bread  |      -4 | of the day   |\n\nThank you."}},
		"inside a cell": {prices, cutAt("cream"),
			[]string{header + "| cake | 5 | with cream   |\n| bread  |      -4 | of the day   |\n\nThank you."}},
		"inside a word": {prices, cutAt("eam"),
			[]string{header + "| cake | 5 | with cream   |\n| bread  |      -4 | of the day   |\n\nThank you."}},
		"before a minus": {prices, cutAt("-4"),
			[]string{header + "| bread | -4 | of the day   |\n\nThank you."}},
		"before the last pipe of a row": {prices, cutAt("|\n| bread"),
			[]string{header + "| cake | 5 | with cream |\n| bread  |      -4 | of the day   |\n\nThank you."}},
		"several cuts": {prices, cutAt("| tea", "3 | hot", "| bread", "day", "Thank"), []string{
			header + "| tea    |       ",
			header + "| tea | 3 | hot          |\n| cake   |       5 | with cream   |\n",
			header + "| bread  |      -4 | of the ",
			header + "| bread | -4 | of the day   |\n\n",
			"Thank you."}},
		"before the table": {prices, cutAt("| name", "Thank"), []string{between("| name", "Thank"), "Thank you."}},
		"inside the header": {prices, cutAt("price |", "| cake"),
			[]string{"| name | " + between("price |", "| cake"), header + rest}},
		"before the line of dashes": {prices, cutAt("|---", "| cake"), []string{header + tea, header + rest}},
		"inside the line of dashes": {prices, cutAt("-:|", "| cake"), []string{header + tea, header + rest}},
		"the line of dashes in pieces of its own": {prices, cutAt("|---", "-:|", "| tea"),
			[]string{header + prices[strings.Index(prices, "| tea"):]}},
		"table at the end": {"| a |\n|---|\n| 1 |\n| 2 |", cutAt("| 2"), []string{"| a |\n|---|\n| 2 |"}},
		"same header, same rows": {"| a |\n|---|\n| 1 |\n| 2 |\n\nThen\n\n| a |\n|---|\n| 1 |\n| 2 |",
			cutAt("| 2", "Then", "| a", "| 2"), []string{"| a |\n|---|\n| 2 |\n\n", "Then\n\n",
				"| a |\n|---|\n| 1 |\n", "| a |\n|---|\n| 2 |"}},
		"same rows, other header": {"| a |\n|---|\n| 1 |\n| 1 |\n\n| b |\n|---|\n| 1 |\n| 1 |\n\nThen 1",
			cutAt("| 1", "| 1", "| b", "| 1", "| 1", "Then"), []string{"| a |\n|---|\n| 1 |\n",
				"| a |\n|---|\n| 1 |\n\n", "| b |\n|---|\n", "| b |\n|---|\n| 1 |\n",
				"| b |\n|---|\n| 1 |\n\n", "Then 1"}},
		"in a list": {"- item\n\n    | a | b |\n    |---|---|\n    | 1 | 2 |\n    | 3 | 4 |\n- next", cutAt("| 3", "- next"),
			[]string{"    | a | b |\n    |---|---|\n    | 3 | 4 |\n", "- next"}},
		"first line of a list item": {"- | a | b |\n  |---|---|\n  | 1 | 2 |\n  | 3 | 4 |", cutAt("  | 3"),
			[]string{"  | a | b |\n  |---|---|\n  | 3 | 4 |"}},
		"escaped pipes": {"| a | b |\n|---|---|\n| x \\| y | 2 |\n| p &#124; q | 4 |", cutAt("| y", "4 |"),
			[]string{"| a | b |\n|---|---|\n| x \\| y | 2 |\n| p &#124; q | ",
				"| a | b |\n|---|---|\n| p &#124; q | 4 |"}},
		"empty header": {"|  |  |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |", cutAt("| 3"),
			[]string{"|  |  |\n|---|---|\n| 3 | 4 |"}},
		"rows without a header": {"| 1 | 2 |\n| 3 | 4 |", cutAt("| 3"), []string{"| 3 | 4 |"}},
		"a row like the line of dashes": {"| a | b |\n|---|---|\n| - | - |\n| 3 | 4 |\n| - | - |\n| 5 | 6 |", cutAt("| 3", "| - | - |\n| 5"),
			[]string{"| a | b |\n|---|---|\n| 3 | 4 |\n", "| a | b |\n|---|---|\n| - | - |\n| 5 | 6 |"}},
		"in code": {"```\n| a |\n|---|\n| 1 |\n| 2 |\n```", cutAt("| 2"), []string{"| 2 |\n```"}},
		"long cells": {"| " + long + " | b |\n|---|---|\n| " + long + " | 2 |\n", cutAt("2 |"),
			[]string{"| " + long[:100] + "… | b |\n|---|---|\n| " + long[:100] + "… | 2 |\n"}},
		"a cell like a heading": {"| a | b |\n|---|---|\n| 1 | # 2 |\n| 3 | #4 |", cutAt("# 2"),
			[]string{"| a | b |\n|---|---|\n| 1 | # 2 |\n| 3 | #4 |"}},
		"headings repeated": {prices, splitterFunc(func(text string) []string {
			pieces, _ := cutAt("| cake", "cream").SplitText(text)
			return []string{pieces[0], "# Prices\n" + pieces[1], "# Prices\n" + pieces[2]}
		}), []string{
			"# Prices\n" + header + "| cake   |       5 | with ",
			"# Prices\n" + header + "| cake | 5 | with cream   |\n| bread  |      -4 | of the day   |\n\nThank you."}},
		"header repeated by the splitter": {prices, splitterFunc(func(text string) []string {
			return []string{"first", "| name | price | note |\n| --- | --- | --- |\n| tea | 3 | hot |",
				"| name | price | note |\n| --- | --- | --- |\n| cake | 5 |", "with cream |", "Thank you."}
		}), []string{"| name | price | note |\n| --- | --- | --- |\n| tea | 3 | hot |",
			"| name | price | note |\n| --- | --- | --- |\n| cake | 5 |",
			header + "| cake | 5 | with cream |", "Thank you."}},
		"header repeated by the splitter and cut before the line of dashes": {prices, splitterFunc(func(string) []string {
			return []string{"first", "# Prices\n| name | price | note |",
				"# Prices\n| --- | --- | --- |\n| cake | 5 | with cream |"}
		}), []string{"# Prices\n| name | price | note |", "# Prices\n" + header + "| cake | 5 | with cream |"}},
		"header repeated by the splitter and cut inside": {prices, splitterFunc(func(string) []string {
			return []string{"first", "| note |\n| --- | --- | --- |\n| cake | 5 | with cream |",
				"price | note |\n| --- | --- | --- |\n| bread | -4 | of the day |", "| --- |\n| bread | -4 |"}
		}), []string{header + "| cake | 5 | with cream |",
			"| name | price | note |\n| --- | --- | --- |\n| bread | -4 | of the day |", header + "| bread | -4 |"}},
		"rewritten": {prices, splitterFunc(func(string) []string { return []string{"x", "cake: 5", "bread: -4"} }),
			[]string{"cake: 5", "bread: -4"}},
		"in another order": {prices, splitterFunc(func(string) []string { return []string{"Thank you.", "| cake   |", "# Prices"} }),
			[]string{header + "| cake   |", "# Prices"}},
	} {
		t.Run(name, func(t *testing.T) {
			docs := splitMarkdown(t, test.text, test.splitter)
			var got []string
			for _, d := range docs[1:] {
				got = append(got, d.PageContent)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

// Whatever langchaingo's splitters do with a document, each row stands in a piece under its header,
// and each piece with a cell begins with a header.
func TestSplittersKeepColumnNames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	var rows []string
	for table := range 6 {
		fmt.Fprintf(&text, "## Section %d\n\nSome words before table %d, and a few more of them.\n\n", table, table)
		header := fmt.Sprintf("| key %d  | häder %d | last %d    |\n", table%3, table%3, table%3)
		text.WriteString(header + "|--------|---------|-----------|\n")
		for row := range 1 + random.IntN(12) {
			cells := fmt.Sprintf("| k%d-%d   | wérte %d and more | %s end |\n", table, row, random.IntN(3),
				strings.Repeat("w ", random.IntN(20)))
			text.WriteString(cells)
			rows = append(rows, fmt.Sprintf("k%d-%d", table, row))
		}
		text.WriteString("\n")
	}
	splitters := map[string]textsplitter.TextSplitter{}
	for _, size := range []int{20, 50, 120, 400} {
		for _, overlap := range []int{0, size / 4} {
			options := []textsplitter.Option{textsplitter.WithChunkSize(size), textsplitter.WithChunkOverlap(overlap)}
			name := fmt.Sprintf(" %d, %d", size, overlap)
			splitters["recursive"+name] = textsplitter.NewRecursiveCharacter(options...)
			splitters["kept separators"+name] = textsplitter.NewRecursiveCharacter(
				append(options, textsplitter.WithKeepSeparator(true))...)
			splitters["bytes"+name] = byteSplitter(size, overlap)
			splitters["markdown"+name] = textsplitter.NewMarkdownTextSplitter(options...)
			splitters["markdown rows"+name] = textsplitter.NewMarkdownTextSplitter(
				append(options, textsplitter.WithJoinTableRows(true), textsplitter.WithHeadingHierarchy(true))...)
		}
	}
	for name, splitter := range splitters {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, d := range splitMarkdown(t, text.String(), splitter) {
				names := "" // of the columns, in this piece
				for line := range strings.Lines(d.PageContent) {
					for _, row := range rows {
						if !strings.Contains(line, "| "+row+" ") {
							continue
						}
						seen[row] = true
						if want := fmt.Sprintf("key %d", int(row[1]-'0')%3); names != want {
							t.Errorf("row %s stands under %q, want %q, in\n%s", row, names, want, d.PageContent)
						}
					}
					if i := strings.Index(line, "key "); i >= 0 {
						names = line[i : i+5]
					}
				}
				if strings.Contains(d.PageContent, "end |") && names == "" {
					t.Errorf("the end of a row stands without a header in\n%s", d.PageContent)
				}
			}
			for _, row := range rows {
				if !seen[row] {
					t.Errorf("no piece has the start of row %s", row)
				}
			}
		})
	}
}

// langchaingo's Markdown splitter repeats headers, and cuts a piece that is a little too long. The
// line of dashes fits into the overlap, the names do not: they stay in another piece.
func TestRepeatedHeadersThatAreCut(t *testing.T) {
	var text strings.Builder
	text.WriteString("## Versions\n\n| first column | second column |\n|---|---|\n")
	for row := range 60 {
		fmt.Fprintf(&text, "| v%d%s | and%s |\n", row, strings.Repeat(" w", row*7%40), strings.Repeat(" w", row*5%23))
	}
	for size := 60; size < 140; size += 5 {
		splitter := textsplitter.NewMarkdownTextSplitter(
			textsplitter.WithChunkSize(size), textsplitter.WithChunkOverlap(14))
		for _, d := range splitMarkdown(t, text.String(), splitter) {
			names, row := strings.Index(d.PageContent, "second column"), strings.Index(d.PageContent, "| v")
			if row >= 0 && (names < 0 || names > row) {
				t.Errorf("size %d: a row without names:\n%s", size, d.PageContent)
			}
		}
	}
}

// Pieces of a table of 20,000 columns stay as they are, because its names are longer than they.
func TestSplitWideTables(t *testing.T) {
	row := strings.Repeat("| name ", 20_000) + "|\n"
	text := row + strings.Repeat("|---", 20_000) + "|\n" + row
	splitters := map[string]textsplitter.TextSplitter{"bytes": byteSplitter(50, 0),
		"words": textsplitter.NewRecursiveCharacter(textsplitter.WithChunkSize(50), textsplitter.WithChunkOverlap(0))}
	for name, splitter := range splitters {
		start, size := time.Now(), 0
		for _, d := range splitMarkdown(t, text, splitter) {
			size += len(d.PageContent)
		}
		if took := time.Since(start); size > 25*len(text) || took > 30*time.Second {
			t.Errorf("%s: the pieces of %d bytes have %d, in %v; want at most 25 times as many, in a second or so",
				name, len(text), size, took)
		}
	}
}

// Tables that only arrange a page have whole pages in a cell, and a splitter may rewrite all of a
// long table: pieces stay small, and the time short.
func TestSplitLongTables(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 20_000)
	rows := "| key | value |\n|---|---|\n" + strings.Repeat("| k | some words |\n", 20_000)
	splitter := textsplitter.NewRecursiveCharacter(textsplitter.WithChunkSize(500), textsplitter.WithChunkOverlap(50))
	rewriter := splitterFunc(func(text string) []string {
		pieces, _ := splitter.SplitText(text)
		for i, piece := range pieces {
			pieces[i] = strings.ReplaceAll(piece, "o", "0")
		}
		return pieces
	})
	start := time.Now()
	for name, text := range map[string]string{
		"long cells": "| a | b |\n|---|---|\n| " + long + " | " + long + " |\n", "many rows": rows} {
		for _, s := range []textsplitter.TextSplitter{splitter, rewriter} {
			for _, d := range splitMarkdown(t, text, s) {
				if len(d.PageContent) > 500+300 {
					t.Fatalf("%s, %T: a piece has %d bytes, want at most 800", name, s, len(d.PageContent))
				}
			}
		}
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v, want a few seconds", took)
	}
}
