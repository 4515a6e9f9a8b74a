"""The dtypes of results of `keras.ops`, held against those of Keras 3.15.1 (where its own engines agree)."""
import json
import os

import numpy as np
import pytest

import keras
from keras import ops  # noqa: F401  (the recorded calls name it)

NAMES = {'?': 'bool', 'u': 'uint8', 'b': 'int8', 'h': 'int16', 'i': 'int32', 'l': 'int64', 'e': 'float16',
         'v': 'bfloat16', 'f': 'float32', 'd': 'float64', 'I': 'uint32'}
ALONE = '?ubhilevfd'
TOGETHER = '?ubilevf'

# Where ours differ on purpose: these give fractions, of integers as well; numbers below 32 bits stay what they are.
DIFFERENT = {'ops.layer_normalization(x0)': '?ubhil', 'ops.rms_normalization(x0)': '?ubhil',
             'ops.hard_tanh(x0)': 'bhil',
             'ops.heaviside(x0, x1)': ('??',), 'ops.psnr(x0, x1, 2)': [x + y for x in 'ubil' for y in 'ev']}

with open(os.path.join(os.path.dirname(__file__), 'dtypes-3.15.1.json')) as file:
    RECORDED = json.load(file)


def wrong(code, given, wanted):
    shape = (3, 3) if code in RECORDED['one matrix'] else (4,)
    call = eval('lambda x0, x1=None: ' + code)
    found = call(*[keras.KerasTensor(shape, dtype=NAMES[letter]) for letter in given])
    while isinstance(found, (list, tuple)):
        found = found[0]
    found = found if isinstance(found, str) else found.dtype
    return [] if found == NAMES[wanted] else ['%s %s: %s, not %s' % (
        code, ' '.join(NAMES[letter] for letter in given), found, NAMES[wanted])]


@pytest.mark.on('numpy')
@pytest.mark.parametrize('part', sorted(RECORDED))
def test_dtypes_of_results(part):
    """Each string has a letter for each dtype (or pair) of the arguments, a point where there is no answer."""
    orders = list(ALONE) if part != 'two vectors' else [a + b for a in TOGETHER for b in TOGETHER]
    differences = []
    for code, answers in sorted(RECORDED[part].items()):
        for given, wanted in zip(orders, answers):
            if wanted != '.' and given not in DIFFERENT.get(code, ()):
                differences += wrong(code, given, wanted)
    assert not differences, '\n'.join(differences)


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_what_the_engine_has_no_kernel_for():
    """Booleans, bytes and halves count in wider numbers where the library of the engine cannot."""
    flags, small = ops.convert_to_tensor([True, False]), ops.convert_to_tensor([3, 1], 'uint8')
    for found, values, dtype in [(ops.abs(flags), [True, False], 'bool'), (ops.matmul(flags, flags), True, 'bool'),
                                 (ops.argmax(flags), 0, 'int32'), (ops.abs(small), [3, 1], 'uint8'),
                                 (ops.matmul(small, small), 10, 'uint8'), (ops.sort(small), [1, 3], 'uint8'),
                                 (ops.arange(small[1], small[0]), [1, 2], 'uint8'), (ops.diff(flags), [True], 'bool'),
                                 (ops.erfinv(ops.zeros(2, 'float16')), [0, 0], 'float16')]:
        assert ops.dtype(found) == dtype and ops.convert_to_numpy(found).tolist() == values
    with pytest.raises(ValueError, match='matmul'):
        ops.matmul(small, ops.zeros(3, 'uint8'))


@pytest.mark.on('numpy', 'torch')
def test_updates_take_the_dtype_of_what_they_change():
    small = ops.convert_to_tensor([5, 5, 4], 'uint8')
    for reduction, wanted in [(None, [5, 0, 9]), ('min', [5, 0, 4]), ('mul', [5, 0, 36]), ('max', [5, 5, 9])]:
        found = ops.scatter_update(small, [[1], [2]], ops.convert_to_tensor([0.0, 9.0]), reduction)
        assert ops.dtype(found) == 'uint8' and ops.convert_to_numpy(found).tolist() == wanted
    assert ops.convert_to_numpy(ops.arange(ops.convert_to_tensor(0.5), 3)).tolist() == [0.5, 1.5, 2.5]
    assert ops.dtype(ops.copy(ops.zeros(2, 'float64'))) == 'float64'


@pytest.mark.on('tensorflow', 'torch')
def test_sizes_that_are_known_late():
    x = keras.Input(shape=(None,), batch_size=2)
    model = keras.Model(x, [ops.median(x, 1), ops.kron(x, x), ops.stft(x, 4, 2, 4)[0], ops.pad(x, 2, 'symmetric')])
    for size in (4, 7):
        values = np.arange(2.0 * size, dtype='float32').reshape(2, size)
        median, product, transform, padded = model(values)
        assert np.allclose(ops.convert_to_numpy(median), np.median(values, 1))
        assert np.allclose(ops.convert_to_numpy(product), np.kron(values, values))
        assert np.allclose(ops.convert_to_numpy(transform), ops.convert_to_numpy(ops.stft(values, 4, 2, 4)[0]))
        assert np.allclose(ops.convert_to_numpy(padded), np.pad(values, 2, 'symmetric'))
