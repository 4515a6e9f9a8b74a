#!/bin/sh
# The four original engines on Python 3.6: sh docker/install-legacy.sh PYTHON [what else to install]
set -eu
python=$1; shift

# The last versions that run on Python 3.6 and know the formats of the packages below.
"$python" -m pip install -q 'pip==21.3.1' 'setuptools<60' 'wheel<0.38'
"$python" -m pip install -q tensorflow==2.4.4 theano==1.0.5 cntk==2.7 mxnet==1.9.1 "$@"

# CNTK asks for Open MPI 1.10 under that release's names, and gets on with the one that Debian has: links in CNTK's own
# folder, so that nothing outside this Python changes.
libraries=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/cntk/libs
for names in libmpi.so.40:libmpi.so.12 libmpi_cxx.so.40:libmpi_cxx.so.1; do
    found=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p | awk -v name="${names%:*}" '$1 == name {print $NF; exit}')
    if [ -n "$found" ]; then
        ln -sf "$found" "$libraries/${names#*:}"
    else
        echo "MISSING: ${names%:*} (Debian: libopenmpi3). The engine cntk will not load and is SKIPPED." >&2
    fi
done
