#!/bin/sh
# Asks for each web address in the Markdown files of the repository. Where none can be reached, nothing can be checked:
# then it says so and ends 0, or 1 with LINKS=strict, as in CI.
set -u
cd "$(dirname "$0")/.." || exit 1
addresses=$(git ls-files '*.md' | xargs grep -hoE 'https?://[^][ <>()"`]+' | sed 's/[.,;:]*$//' | sort -u |
	grep -vE '^https?://(127\.|localhost|\[?::1|api\.babyapi\.org|HOST|[^/]*(example|invalid)(\.|/|:|$|\.com))')
checked=0
bad=0
for address in $addresses; do
	status=$(curl -sS -o /dev/null -L --max-time 20 --retry 2 -A 'link check' -w '%{http_code}' "$address" 2>/dev/null)
	case $status in
	000) echo "cannot be reached: $address" ;;
	# 403 and 429: a site that does not like programs, which says nothing about the page
	[23]?? | 403 | 429) checked=$((checked + 1)); continue ;;
	*) checked=$((checked + 1)); echo "$status: $address" ;;
	esac
	bad=$((bad + 1))
done
if [ "$checked" -eq 0 ] && [ "${LINKS:-}" != strict ]; then
	echo "SKIPPED: no link was checked, because none can be reached from here."
	exit 0
fi
echo "links: $checked checked, $bad bad"
[ "$bad" -eq 0 ]
