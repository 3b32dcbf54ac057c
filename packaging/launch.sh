#!/bin/sh
# Starts the program for this system. Unpacking a bundle can lose the permission to run it.
dir=$(dirname "$0")
case "$(uname -s)-$(uname -m)" in
Darwin-arm64) system=darwin-arm64 ;;
Darwin-x86_64) system=darwin-amd64 ;;
Linux-aarch64 | Linux-arm64) system=linux-arm64 ;;
Linux-x86_64) system=linux-amd64 ;;
*)
	echo "babyapi-mcp: this bundle has no program for $(uname -s) on $(uname -m)" >&2
	exit 1
	;;
esac
program=$dir/babyapi-mcp-$system
[ -x "$program" ] || chmod +x "$program" || exit 1
exec "$program" "$@"
