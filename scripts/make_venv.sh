#!/bin/sh
# Make the virtual environment that is named, with uv or with Python's own venv; say plainly what is missing.
set -eu
venv=$1

"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || {
    echo "chatd needs Python 3.11, 3.12 or 3.13; $PYTHON is $("$PYTHON" --version 2>&1). Try: make PYTHON=python3.12 …" >&2
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
