#!/bin/sh
# Debian packages that the engines need: sh docker/install-system.sh legacy|modern|mxnet
# Installs what is missing where that is possible (root on a Debian); otherwise says loudly what is missing and what that
# costs, and succeeds: tests/run_engines.py then skips the engines that do not run.
set -eu

case ${1:-} in
    # Theano compiles with g++ and links a BLAS; CNTK is linked to Open MPI; MXNet to the runtime libraries of gcc.
    legacy) packages='g++ libopenblas-dev libopenmpi3 libgomp1 libquadmath0'; engines='theano, cntk, mxnet' ;;
    modern) packages='g++ libopenblas-dev'; engines='theano (PyTensor)' ;;
    mxnet) packages='libgomp1 libquadmath0'; engines='mxnet' ;;
    *) echo "usage: $0 legacy|modern|mxnet" >&2; exit 2 ;;
esac

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing the Debian packages$missing for $1."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "==============================================================================" >&2
    echo "MISSING for the environment '$1': the system packages$missing" >&2
    echo "They need root and apt-get; elsewhere install what corresponds to them." >&2
    echo "Of the engines $engines, those that do not run without them are SKIPPED." >&2
    echo "==============================================================================" >&2
fi
