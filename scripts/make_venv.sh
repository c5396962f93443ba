#!/bin/sh
# Create the virtual environment $1, with uv or with Python's venv module. An error names what is missing.
set -eu
venv=$1

command -v "$PYTHON" >/dev/null || {
    echo "chatd needs Python 3.11 to 3.15, and there is no $PYTHON here (Debian: apt-get install python3-venv)." >&2
    exit 1
}
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 16))' || {
    echo "chatd needs Python 3.11 to 3.15; $PYTHON is $("$PYTHON" --version 2>&1). Try: make PYTHON=python3.12 …" >&2
    exit 1
}
rm -rf "$venv"
if [ -n "${UV:-}" ]; then
    exec "$UV" venv --quiet --python "$PYTHON" "$venv"
fi
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || {
    echo "$PYTHON has no venv or ensurepip: install them (Debian: apt-get install python3-venv), or install uv." >&2
    exit 1
}
exec "$PYTHON" -m venv "$venv"
