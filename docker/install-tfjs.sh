#!/bin/sh
# TensorFlow.js for the tests of exports to it, one file of its package: sh docker/install-tfjs.sh FOLDER
# Where npm or its registry is missing it says so and succeeds: those tests are then skipped.
set -u
folder=$1
package=@tensorflow/tfjs@4.22.0

[ ! -f "$folder/tf.min.js" ] || exit 0
mkdir -p "$folder"
cd "$folder" || exit 1
if command -v npm >/dev/null && npm pack --silent "$package" >/dev/null
then
    tar xzf tensorflow-tfjs-*.tgz --strip-components=2 package/dist/tf.min.js && rm tensorflow-tfjs-*.tgz
else
    echo "MISSING: $package, for want of npm or its registry; the tests that run exports to it are SKIPPED." >&2
fi
