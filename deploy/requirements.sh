#!/bin/sh
# Pins requirements.txt and requirements-dev.txt anew, with hashes, for every supported Python; needs uv.
# Index and mirror are the caller's own configuration and leave no trace in the files.
set -eu
cd "$(dirname "$0")/.."
pin() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "deploy/requirements.sh" "$@" pyproject.toml
}
pin --output-file requirements.txt
pin --extra dev --constraints requirements.txt --output-file requirements-dev.txt
