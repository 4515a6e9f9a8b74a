#!/bin/sh
# MXNet on a current Python, in an environment of its own: sh docker/install-mxnet.sh PYTHON [what else to install]
# MXNet 1.9.1 is the last release, and was made for NumPy 1.
set -eu
python=$1; shift
"$python" -m pip install -q mxnet==1.9.1 'numpy<2' "$@"
