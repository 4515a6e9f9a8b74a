"""Functions, metrics, losses and optimizers: what upstream gives beside what ours gives.

    KERAS_BACKEND=torch python golden_calls.py record FILE [WORD...]      # where Keras 3.15.1 is, from another folder
    KERAS_BACKEND=torch KERAS_GENERATION=3 python golden_calls.py compare FILE [WORD...]    # with ours on the path

Both run the same calls, those of `golden_call_cases.py` (a case is a name and a function of nothing that uses
`keras`), and a result is whatever the function returns: arrays with their types, words and numbers inside lists and
dictionaries. What upstream refuses is recorded as a refusal; where ours takes it, that is no difference. FILE is a
pickle of our own making. `compare` prints each difference and ends with their number.
"""
import os
import pickle
import sys
import warnings

import keras
import numpy as np

import golden_call_cases

TOLERANCES = {'float16': 4e-3, 'bfloat16': 3e-2, 'float64': 2e-5, 'complex64': 2e-4, 'complex128': 2e-4}


class Refused(str):
    """What a refused call said."""


def plain(x):
    """Arrays as (dtype, NumPy array), anything else as it is."""
    if isinstance(x, dict):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    if x is None or isinstance(x, (bool, int, float, str)):
        return x
    if isinstance(x, keras.Variable):
        x = x.value
    dtype = keras.backend.standardize_dtype(x.dtype)
    if not isinstance(x, (np.ndarray, np.generic)):
        x = keras.ops.convert_to_numpy(keras.ops.cast(x, 'float32') if dtype == 'bfloat16' else x)
    elif dtype == 'bfloat16':
        x = x.astype('float32')
    return (dtype, np.array(x))


def results(words):
    for name, function in golden_call_cases.cases():
        if not words or any(word in name for word in words):
            keras.utils.set_random_seed(1)
            try:
                yield name, plain(function())
            except Exception as error:  # a refusal is an answer, too
                yield name, Refused('%s: %s' % (type(error).__name__, str(error).strip().split('\n')[0][:160]))


def differences(ours, theirs, path=''):
    """What differs, in words."""
    if isinstance(theirs, tuple):
        if not isinstance(ours, tuple):
            return ['%s is %r instead of an array' % (path, ours)]
        if ours[0].replace('64', '32') != theirs[0].replace('64', '32') if LOOSE else ours[0] != theirs[0]:
            return ['%s has type %s, not %s' % (path, ours[0], theirs[0])]
        return array_differences(ours[1], theirs[1], TOLERANCES.get(theirs[0], 2e-5), path)
    if isinstance(theirs, dict):
        if not isinstance(ours, dict) or set(ours) != set(theirs):
            return ['%s has keys %s, not %s' % (path, sorted(ours) if isinstance(ours, dict) else ours, sorted(theirs))]
        return [found for key in theirs for found in differences(ours[key], theirs[key], '%s.%s' % (path, key))]
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return ['%s is %.100r, not %.100r' % (path, ours, theirs)]
        return [found for index in range(len(theirs))
                for found in differences(ours[index], theirs[index], '%s[%d]' % (path, index))]
    if isinstance(theirs, float) and isinstance(ours, (int, float)):
        return [] if np.allclose(ours, theirs, 1e-5, 1e-6, True) else ['%s is %r, not %r' % (path, ours, theirs)]
    return [] if type(ours) is type(theirs) and ours == theirs else ['%s is %.120r, not %.120r' % (path, ours, theirs)]


def array_differences(ours, theirs, tolerance, path):
    if ours.shape != theirs.shape:
        return ['%s has shape %s, not %s' % (path, ours.shape, theirs.shape)]
    if theirs.dtype.kind in 'fc':
        # Of the size of the largest number: what is left of a difference of large ones is not to be compared alone.
        finite = np.abs(theirs[np.isfinite(theirs)])
        scale = tolerance * max(1e-3, finite.max() if finite.size else 1.0)
        same = np.allclose(ours, theirs, tolerance, scale, True)
    else:
        same = np.array_equal(ours, theirs)
    return [] if same else ['%s is %s, not %s' % (path, str(ours.ravel()[:6]), str(theirs.ravel()[:6]))]


LOOSE = os.environ.get('GOLDEN_LOOSE') == '1'


def main(what, file, words):
    warnings.simplefilter('ignore')
    np.seterr(all='ignore')
    if what == 'record':
        found = dict(results(words))
        with open(file, 'wb') as stream:
            pickle.dump(found, stream, protocol=4)
        refused = [value for value in found.values() if isinstance(value, Refused)]
        print('%d cases, %d that upstream refuses' % (len(found), len(refused)))
        return
    with open(file, 'rb') as stream:
        expected = pickle.load(stream)
    count = number = 0
    for name, ours in results(words):
        theirs = expected.get(name)
        if isinstance(theirs, Refused) or name not in expected:
            continue
        number += 1
        found = ['refused: ' + ours] if isinstance(ours, Refused) else differences(ours, theirs)
        count += bool(found)
        if found:
            print('%s: %s%s' % (name, '; '.join(found[:2]), ' (%d)' % len(found) if len(found) > 2 else ''), flush=True)
    print('%d of %d cases differ' % (count, number))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
