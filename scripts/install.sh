#!/bin/sh
# Install a locked requirements file into the environment of $PYTHON. Every download must match its hash in the lock.
set -eu
echo "Installing what chatd needs ($1, once) ..." >&2
if [ -n "${UV:-}" ]; then
    exec "$UV" pip install --quiet --compile-bytecode --python "$PYTHON" --require-hashes -r "$1"
fi
exec "$PYTHON" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"
