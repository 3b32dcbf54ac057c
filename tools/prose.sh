#!/bin/sh
# Prints each line of prose that is longer than 100 columns and could be broken, and ends with 1 if
# there is one. Prose is a comment line of Go and a paragraph of Markdown; a table, a block of code,
# the part of BENCHMARKS.md that make bench writes and a line without a space to break at are exempt.
# Code has its limit of 120 columns from the linter lll, see .golangci.yml.
set -u
cd "$(dirname "$0")/.." || exit 1
# The C locale and the removal of UTF-8's continuation bytes make every awk count characters.
git ls-files -co --exclude-standard '*.go' '*.md' | grep -v /testdata/ | LC_ALL=C xargs awk '
	FNR == 1 { code = written = 0; go = FILENAME ~ /\.go$/ }
	!go && /^ *```/ { code = !code }
	!go && /^<!-- what follows is written by/ { written = 1 }
	!go && /^<!-- end of what is written by/ { written = 0 }
	go && !/^\t*\/\/ / { next }              # neither code nor a block of code in a comment
	go && /^\t*\/\/ Output: / { next }       # what an example prints, compared to the letter
	!go && (code || written || /^ *\|/ || /^!\[/) { next } # a table, or a picture with its words
	{
		line = $0
		gsub(/[\200-\277]/, "", line)
		gsub(/\t/, "    ", line)
		if (length(line) <= 100) next
		start = line
		sub(/^ *(\/\/|[-*]|[0-9]+\.|>)? */, "", start) # indentation and the mark of a comment or list
		if (index(start, " ") == 0) next
		printf "%s:%d: %d columns, want at most 100\n", FILENAME, FNR, length(line)
		long++
	}
	END { exit long > 0 }'
