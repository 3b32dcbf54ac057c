#!/bin/sh
# Shows how what the packages export differs from a commit, by default the newest tag. From v1 on, an incompatible
# difference ends with 1; before, it is shown for the reviewer.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
base=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
if [ -z "$base" ]; then
	echo "apidiff: there is no tag to compare with; name a commit: tools/apidiff.sh COMMIT"
	exit 0
fi
old=$(mktemp -d)
trap 'git worktree remove --force "$old/tree" 2>/dev/null; rm -rf "$old"' EXIT
git worktree add --quiet --detach "$old/tree" "$base"
incompatible=
for folder in babyclient babyclient/docling babyclient/babytest provider mcp; do
	package=github.com/babyapi-org/babyapi-go/$folder
	[ -d "$old/tree/$folder" ] || continue
	(cd "$old/tree" && "$root/bin/apidiff" -w "$old/api" "$package")
	echo "$package, against $base:"
	bin/apidiff "$old/api" "$package"
	incompatible=$incompatible$(bin/apidiff -incompatible "$old/api" "$package")
done
[ -z "$incompatible" ] || grep -q '^const Version = "0\.' babyclient/*.go
