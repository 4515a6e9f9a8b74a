"""The promotion table against what JAX documents, written out by hand, and the engine against the table.

https://docs.jax.dev/en/latest/type_promotion.html: rows and columns in the order of `NAMES`. Where that page
has a weakly typed f*, the joint type of uint64 with a signed integer, we have floatx.
"""
import numpy as np
import pytest

from keras import config
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor, float_dtype, result_dtype, sum_dtype
from keras.backend.table import primitives as p

SHORT = {'b1': 'bool', 'u1': 'uint8', 'u2': 'uint16', 'u4': 'uint32', 'u8': 'uint64', 'i1': 'int8', 'i2': 'int16',
         'i4': 'int32', 'i8': 'int64', 'bf': 'bfloat16', 'f2': 'float16', 'f4': 'float32', 'f8': 'float64',
         'f*': 'float32'}
NAMES = 'b1 u1 u2 u4 u8 i1 i2 i4 i8 bf f2 f4 f8'.split()
TABLE = """
b1 u1 u2 u4 u8 i1 i2 i4 i8 bf f2 f4 f8
u1 u1 u2 u4 u8 i2 i2 i4 i8 bf f2 f4 f8
u2 u2 u2 u4 u8 i4 i4 i4 i8 bf f2 f4 f8
u4 u4 u4 u4 u8 i8 i8 i8 i8 bf f2 f4 f8
u8 u8 u8 u8 u8 f* f* f* f* bf f2 f4 f8
i1 i2 i4 i8 f* i1 i2 i4 i8 bf f2 f4 f8
i2 i2 i4 i8 f* i2 i2 i4 i8 bf f2 f4 f8
i4 i4 i4 i8 f* i4 i4 i4 i8 bf f2 f4 f8
i8 i8 i8 i8 f* i8 i8 i8 i8 bf f2 f4 f8
bf bf bf bf bf bf bf bf bf bf f4 f4 f8
f2 f2 f2 f2 f2 f2 f2 f2 f2 f4 f2 f4 f8
f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f4 f8
f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8 f8
"""
PAIRS = {(a, b): cell for a, row in zip(NAMES, TABLE.split('\n')[1:]) for b, cell in zip(NAMES, row.split())}


def test_the_table_has_all_pairs():
    assert len(PAIRS) == len(NAMES) ** 2


@pytest.mark.parametrize('first', NAMES)
def test_pairs(first):
    found = {second: result_dtype(SHORT[first], SHORT[second]) for second in NAMES}
    assert found == {second: SHORT[PAIRS[first, second]] for second in NAMES}


@pytest.mark.parametrize('dtype, with_bool, with_int, with_float', [
    ('bool', 'bool', 'int32', 'float32'), ('uint8', 'uint8', 'uint8', 'float32'), ('int8', 'int8', 'int8', 'float32'),
    ('int64', 'int64', 'int64', 'float32'), ('bfloat16', 'bfloat16', 'bfloat16', 'bfloat16'),
    ('float16', 'float16', 'float16', 'float16'), ('float64', 'float64', 'float64', 'float64')])
def test_python_scalars_are_weak(dtype, with_bool, with_int, with_float):
    assert result_dtype(dtype, 'bool') == with_bool
    assert result_dtype(dtype, int) == with_int
    assert result_dtype(dtype, float) == with_float


def test_scalars_alone_and_several_dtypes():
    assert result_dtype(int, int) == 'int32'
    assert result_dtype(int, float) == 'float32'
    assert result_dtype('int8', 'uint8', 'float16') == 'float16'
    assert result_dtype('bfloat16', 'float16', int) == 'float32'


def test_floatx_decides_where_integers_become_floats():
    try:
        config.set_floatx('float64')
        assert float_dtype('int32') == 'float64' and result_dtype('int32', float) == 'float64'
        assert float_dtype('float16') == 'float16'
    finally:
        config.set_floatx('float32')


def test_sums_of_small_integers_are_wider():
    assert [sum_dtype(name) for name in ('bool', 'int8', 'int16')] == ['int32'] * 3
    # PyTorch can do little with uint32.
    unsigned = 'int32' if get_engine().name == 'torch' else 'uint32'
    assert [sum_dtype(name) for name in ('uint8', 'uint16')] == [unsigned] * 2
    names = ['int32', 'int64', 'float16', 'float32']
    assert [sum_dtype(name) for name in names] == names


def test_unknown_dtypes_are_refused():
    with pytest.raises(TypeError, match="unknown dtype 'float33'"):
        result_dtype('float32', 'float33')


# --- the engine -------------------------------------------------------------------------------------------------

def tensor(engine, short, values=(1, 2, 3)):
    """A tensor of the dtype, or None where the engine does not have it as such (JAX without 64 bits)."""
    if SHORT[short] not in engine.capabilities.dtypes:
        return None
    result = engine.convert(np.array(values), SHORT[short])
    return result if engine.dtype_of(result) == SHORT[short] else None


BINARY = {'add': p.add, 'multiply': p.multiply, 'maximum': p.maximum, 'divide': p.divide,
          'where': lambda x, y: p.where(np.array([True, False, True]), x, y),
          'concatenate': lambda x, y: p.concatenate([x, y], 0)}
PROMOTED = ['b1', 'u1', 'u4', 'i1', 'i4', 'i8', 'bf', 'f2', 'f4', 'f8']


@pytest.mark.parametrize('name', sorted(BINARY))
def test_operations_promote_as_the_table_says(engine, name):
    wrong = {}
    for a in PROMOTED:
        for b in PROMOTED:
            x, y = tensor(engine, a), tensor(engine, b)
            if x is None or y is None or (a, b) == ('b1', 'b1') or tensor(engine, PAIRS[a, b]) is None:
                continue
            result = BINARY[name](x, y)
            promised = BINARY[name](*[AbstractTensor((3,), SHORT[s]) for s in (a, b)]).dtype
            expected = SHORT[PAIRS[a, b]]
            expected = float_dtype(expected) if name == 'divide' else expected
            found = engine.dtype_of(result)
            if not found == promised == expected:
                wrong[a, b] = (found, promised, expected)
    assert not wrong


UNARY = {'sum': (p.sum, sum_dtype), 'cumsum': (p.cumsum, sum_dtype), 'exp': (p.exp, float_dtype),
         'max': (p.max, lambda d: d), 'argmax': (p.argmax, lambda d: 'int32'), 'sqrt': (p.sqrt, float_dtype),
         'negative': (p.negative, lambda d: d), 'equal': (lambda x: p.equal(x, x), lambda d: 'bool'),
         'flip': (lambda x: p.flip(x, (0,)), lambda d: d), 'sort': (p.sort, lambda d: d),
         'pad': (lambda x: p.pad(x, ((1, 1),), 0), lambda d: d), 'prod': (p.prod, sum_dtype)}
TAKEN = {'negative': ['i1', 'i4', 'i8', 'bf', 'f2', 'f4', 'f8']}


@pytest.mark.parametrize('name', sorted(UNARY))
def test_operations_keep_or_widen_dtypes(engine, name):
    function, rule = UNARY[name]
    wrong = {}
    for short in TAKEN.get(name, ['u1', 'u4', 'i1', 'i2', 'i4', 'i8', 'bf', 'f2', 'f4', 'f8']):
        x = tensor(engine, short)
        if x is None:
            continue
        found, expected = engine.dtype_of(function(x)), rule(SHORT[short])
        if expected not in engine.capabilities.dtypes:
            # What stands for a dtype that the engine does not have.
            expected = engine.dtype_of(engine.convert(np.zeros(1), expected))
        if found != expected:
            wrong[short] = (found, expected)
    assert not wrong


@pytest.mark.parametrize('scalar', [2, 2.5, True])
def test_python_scalars_beside_tensors(engine, scalar):
    for short in ('i4', 'f2', 'bf', 'f4', 'u1'):
        x = tensor(engine, short)
        if x is None:
            continue
        kind = 'bool' if isinstance(scalar, bool) else type(scalar)
        expected = result_dtype(SHORT[short], kind)
        for result in (p.add(x, scalar), p.multiply(scalar, x), p.where(np.array([True, False, False]), x, scalar)):
            assert engine.dtype_of(result) == expected
        assert np.allclose(engine.to_numpy(p.add(x, scalar)).astype('float64'), np.array([1, 2, 3]) + scalar)


def test_float64_arrays_of_the_host_count_as_floatx(engine):
    result = p.add(engine.convert(np.ones(2, 'float32')), np.array([0.5, 0.25]) if engine.name != 'numpy' else
                   np.array([0.5, 0.25], 'float32'))
    assert engine.dtype_of(result) == 'float32'
