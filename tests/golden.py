"""The golden numbers of upstream Keras, for tests: where they are, and their entries as test parameters."""
import json
import os

import numpy as np
import pytest

from keras import config, generations

FOLDER = os.environ.get('KERAS_GOLDEN') or os.path.join(os.path.dirname(__file__), '..', '..', 'shared', 'golden')


def entries(file, section):
    """`pytest.param(version, name, entry)` for every entry of a section of `FILE-2.3.1` and `FILE-3.15.1`."""
    found = []
    for version in ('2.3.1', '3.15.1'):
        path = os.path.join(FOLDER, '%s-%s.json' % (file, version))
        if os.path.exists(path):
            with open(path) as stream:
                found.extend(pytest.param(version, name, entry, id='%s-%s' % (version, name))
                             for name, entry in sorted(json.load(stream)[section].items()))
    reason = 'no golden numbers at %s; set KERAS_GOLDEN' % FOLDER
    return found or [pytest.param(None, None, None, marks=pytest.mark.skip(reason=reason))]


def generation(version):
    """A `with` block under the generation that made the golden numbers."""
    return config.generation(2 if version is None else generations.of_version(version))


_archives = {}


def arrays(file, version, prefix):
    """{key: array} of the arrays called `PREFIX/KEY`."""
    name = '%s-%s.npz' % (file, version)
    if name not in _archives:
        archive = np.load(os.path.join(FOLDER, name))
        _archives[name] = {key: archive[key] for key in archive.files}
    return {key[len(prefix) + 1:]: value for key, value in _archives[name].items() if key.startswith(prefix + '/')}


def numbered(arrays, prefix, suffix=''):
    """The arrays prefix0, prefix1, ... in order."""
    found = []
    while '%s%d%s' % (prefix, len(found), suffix) in arrays:
        found.append(arrays['%s%d%s' % (prefix, len(found), suffix)])
    return found


def pick(inputs, numbers):
    """The inputs that `args` or `kwargs` of a case name."""
    if isinstance(numbers, list):
        return [pick(inputs, number) for number in numbers]
    return None if numbers is None else inputs[numbers]


def assert_close(ours, golden, tolerance=1e-5):
    """Hold `|ours - golden| / (1 + |golden|)` to the tolerance."""
    golden = np.asarray(golden)
    assert np.shape(ours) == golden.shape
    error = np.abs(np.asarray(ours, 'float64') - golden) / (1 + np.abs(golden))
    assert np.max(error, initial=0) < tolerance, 'off by %g' % np.max(error)


def top_level(file, version):
    """{key: array} of the arrays without a prefix."""
    arrays(file, version, '')
    return {key: value for key, value in _archives['%s-%s.npz' % (file, version)].items() if '/' not in key}
