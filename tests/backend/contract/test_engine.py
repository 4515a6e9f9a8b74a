"""The contract of an engine: what a subclass leaves out."""
import numpy as np
import pytest

from keras.backend.contract.engine import Capabilities, Engine, UnsupportedOperation
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.variables import Variable
from keras.backend.table.entries import Entry, TABLE


class Bare(Engine):
    """An engine without operations."""
    name = 'bare'
    capabilities = Capabilities(unsupported={'exp': 'it counts on its fingers; use an engine with tables'})


def bound(name, engine):
    """What a table entry like the one called `name` runs on `engine`."""
    entry = Entry(TABLE[name].body, 'primitive', 'x', None, None, '', (), None, rule=TABLE[name].rule)
    entry.bind(engine)
    return entry.impl


@pytest.mark.parametrize('name', ['dataformat', 'to_nunpy', 'convert_', 'tanH', '_sums'])
def test_a_misspelt_flag_or_method_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=name):
        getattr(get_engine(), name)
    with pytest.raises(AttributeError, match=name):
        getattr(Bare(), name)


@pytest.mark.refusals_are_errors
def test_a_primitive_that_an_engine_leaves_out_is_refused_by_name_and_reason():
    engine = Bare()
    for name, reason in (('exp', 'it counts on its fingers'), ('tanh', 'use another engine')):
        for function in (bound(name, engine), getattr(engine, name)):
            with pytest.raises(UnsupportedOperation, match="bare engine does not offer '%s': %s" % (name, reason)):
                function(None)


@pytest.mark.refusals_are_errors
def test_gradients_are_refused_by_default():
    with pytest.raises(UnsupportedOperation, match='value_and_grad'):
        Bare().value_and_grad(lambda: (0, None), [])


def host(x):
    return np.array(get_engine().to_numpy(x))


@pytest.mark.parametrize('x, dtype, kind', [
    ([[1, 2]], None, 'int32'), ([1.5], None, 'float32'), (True, None, 'bool'), (np.ones(2, 'int8'), None, 'int8'),
    (np.arange(4, dtype='>i4'), None, 'int32'), (np.ones(2, '>f4'), 'int32', 'int32'), (2, 'float32', 'float32')])
def test_what_comes_from_the_host(x, dtype, kind):
    engine = get_engine()
    found = engine.convert(x, dtype)
    assert engine.is_native(found) and engine.dtype_of(found) == kind
    np.testing.assert_array_equal(host(found), np.asarray(x))


def test_lists_of_tensors_variables_and_numbers():
    engine = get_engine()
    v, x = Variable(np.array([1.0, 2.0], 'float32')), engine.convert(np.array([3.0, 4.0], 'float32'))
    np.testing.assert_array_equal(host(engine.convert([v, x, [5.0, 6.0]])), [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(host(engine.convert(v, 'int32')), [1, 2])
    array = np.ones(2, 'float32')
    copy = engine.convert(array) if engine.name != 'numpy' else np.ones(2)
    array[:] = 7
    np.testing.assert_array_equal(host(copy), [1, 1])


def test_what_has_no_value_or_is_no_array_is_refused():
    engine = get_engine()
    with pytest.raises(TypeError, match='has no value'):
        engine.convert(AbstractTensor((2,), 'float32'))
    for x in (np.array([{}, 1], object), np.array([None, 1.0], object)):
        with pytest.raises(TypeError, match='rectangular array'):
            engine.convert(x)


def test_a_step_within_a_step_is_a_part_of_it():
    """What the inner one assigns is kept when the outer one ends."""
    v = Variable(np.zeros(2, 'float32'))
    inner = get_engine().step(lambda x: v.assign(v.value + x), [v], [v])

    def twice(x):
        inner(x)
        return inner(np.ones(2, 'float32'))
    result = get_engine().step(twice, [v], [v])(np.full(2, 2.0, 'float32'))
    np.testing.assert_array_equal(host(result), [3, 3])
    np.testing.assert_array_equal(v.numpy(), [3, 3])
