"""The files that upstream wrote, with its predictions; see shared/golden/README.md. Absent: the tests are skipped."""
import json
import os

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', 'shared', 'golden', 'files')


def path(name):
    return os.path.join(FOLDER, name)


def models(generation):
    """{name: description} of the models of one generation, empty where the files are not there."""
    index = path('index-%s.json' % generation)
    if not os.path.exists(index):
        return {}
    with open(index) as file:
        return json.load(file)['models']


def arrays(entry):
    return dict(np.load(path(entry['arrays'])))


def numbered(found, prefix):
    """[found['in0'], found['in1'], ...]."""
    result = []
    while '%s%d' % (prefix, len(result)) in found:
        result.append(found['%s%d' % (prefix, len(result))])
    return result


def one_or_list(items):
    return items[0] if len(items) == 1 else items


def largest_error(actual, expected):
    """max |actual - expected| / (1 + |expected|), the measure of the golden files."""
    actual, expected = np.asarray(actual, 'float64'), np.asarray(expected, 'float64')
    assert actual.shape == expected.shape
    return float(np.max(np.abs(actual - expected) / (1 + np.abs(expected)))) if actual.size else 0.0
