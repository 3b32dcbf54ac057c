#!/bin/sh
# Runs each fuzz test of the modules given for FUZZTIME (a minute), one at a time, and says how many inputs it tried.
# An input is minimised by ten tries at most: go test fails a run whose time ends while it minimises.
# A failing input is kept under testdata/fuzz of its package, where go test finds it from then on.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
time=${FUZZTIME:-60s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tests=0
failed=0
inputs=0

for module in "$@"; do
	cd "$root/$module" || exit 1
	for package in $(go list ./...); do
		# "|| true": a package without tests, and a line such as "ok ...", match nothing
		for name in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
			tests=$((tests + 1))
			printf '%s %s: ' "$package" "$name"
			if go test ${RACE:-} -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x -parallel 2 "$package" >"$log" 2>&1; then
				n=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$log" | tail -1)
				inputs=$((inputs + ${n:-0}))
				echo "${n:-0} inputs"
			else
				failed=$((failed + 1))
				echo FAILED
				cat "$log"
			fi
		done
	done
done
echo "fuzz: $tests tests, $inputs inputs, $failed failed"
[ "$tests" -gt 0 ] && [ "$failed" -eq 0 ]
