#!/bin/sh
# TensorFlow, JAX, PyTorch and PyTensor on a current Python: sh docker/install-modern.sh PYTHON [what else to install]
# KERAS_CUDA=1 takes the builds for CUDA 12.
# Give this package among the rest (`.` or `-e .`): TensorFlow depends on a distribution `keras`, and pip takes ours for it
# only where it sees both in one call.
set -eu
python=$1; shift

if [ "${KERAS_CUDA:-0}" = 1 ]; then
    tensorflow='tensorflow[and-cuda]==2.21.*' jax='jax[cuda12]==0.10.*'
else
    tensorflow='tensorflow-cpu==2.21.*' jax='jax==0.10.*'
fi
# By itself first: where a CPU build of PyTorch is at hand, the version picks it.
"$python" -m pip install -q torch==2.13.0
"$python" -m pip install -q "$tensorflow" "$jax" 'pytensor==3.*' "$@"
