#!/usr/bin/env bash
# Pin the environment of a framework: what its .in file asks for together with Shiplap's lab. `runtime` is the base
# install at the oldest versions that it allows. PyTorch and what only its build for graphics cards needs are left out:
# it is installed first, with pip. An .override file says what stands in for what.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1
options=(--python-version 3.11 --no-annotate --no-emit-index-url --custom-compile-command "make lock" -q)
if [ "$name" = runtime ]; then options+=(--resolution lowest-direct); else options+=(--extra lab --upgrade); fi
if [ -f "environments/$name.override" ]; then options+=(--override "environments/$name.override"); fi
.venv/bin/uv pip compile pyproject.toml "environments/$name.in" "${options[@]}" -o "environments/$name.lock"
if [ -f "environments/$name.first" ]; then
  sed -i -E '/^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z0-9-]+)==/d' "environments/$name.lock"
fi
