#!/bin/sh
# JAX and PyTorch on the newest Python: sh docker/install-newest.sh PYTHON [what else to install]
set -eu
python=$1; shift
"$python" -m pip install -q torch==2.13.0 'jax==0.10.*' "$@"
