#!/bin/sh
# Locks the Python packages of the engines again: the newest that fit the .in files, for CPython 3.11 to 3.14.
# Needs uv on the PATH. Look at the difference before you commit it, and run the engine tests.
set -eu
cd "$(dirname "$0")"
lock() { # IN OUT [OPTION...]
	in=$1 out=$2
	shift 2
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --only-binary :all: \
		--no-emit-index-url --no-header --no-annotate "$@" "$in" -o "$out"
}
lock requirements.in requirements.txt
lock requirements-nodeps.in requirements-nodeps.txt --no-deps
lock requirements-uv.in requirements-uv.txt
lock requirements-ocr.in requirements-ocr.txt --constraint requirements.txt
# --ocr installs beside the rest, so it needs only what is not there
python3 - <<'PY'
import re

def packages(path):
    blocks = re.split(r"^(?=\S)", open(path).read(), flags=re.M)
    return {re.match(r"[\w.-]+", b).group(0): b for b in blocks if b}

there, ocr = packages("requirements.txt"), packages("requirements-ocr.txt")
open("requirements-ocr.txt", "w").write("".join(b for name, b in ocr.items() if name not in there))
PY
