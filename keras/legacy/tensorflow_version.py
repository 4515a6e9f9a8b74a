"""The version of the TensorFlow that is installed, which `K` told in Keras 1. TensorFlow itself is not imported."""
import os
import re
import sys

_FOLDER = re.compile(r'(tensorflow(?:_cpu|_gpu|_intel|_rocm|_macos)?|tf_nightly(?:_cpu|_gpu)?)-'
                     r'(\d+)\.(\d+)[^-]*\.dist-info$')


def _installed():
    """(major, minor), or (None, None) where there is no TensorFlow."""
    for folder in filter(os.path.isdir, sys.path):
        for name in sorted(os.listdir(folder)):
            found = _FOLDER.match(name)
            if found:
                return int(found.group(2)), int(found.group(3))
    return None, None


tf_major_version, tf_minor_version = _installed()
