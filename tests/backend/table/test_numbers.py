"""Variables and symbolic tensors where a number is needed: Python's conversions, NumPy, the engine's own functions."""
import math
import operator
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.backend.contract.loading import get_engine

MAKERS = {'variable of K': lambda value, dtype=None: K.variable(value, dtype),
          'variable': lambda value, dtype=None: keras.Variable(value, dtype=dtype or 'float32'),
          'constant': lambda value, dtype=None: K.constant(value, dtype),
          'graph': lambda value, dtype=None: K.constant(value, dtype) + K.variable(np.zeros_like(value), dtype),
          'operation': lambda value, dtype=None: keras.ops.negative(K.constant(np.negative(value), dtype))}


@pytest.fixture(params=sorted(MAKERS))
def make(request):
    return MAKERS[request.param]


def test_one_element_is_a_number(make):
    x = make(2.5)
    assert (float(x), int(x), complex(x), bool(x), round(x), round(x, 1)) == (2.5, 2, 2.5, True, 2, 2.5)
    assert '%.4f' % x == '2.5000' and '{:.2f}'.format(x) == '2.50' and '%d' % x == '2' and '{}'.format(x) == str(x)
    assert float(make([[2.5]])) == 2.5 and math.sqrt(make(4.0)) == 2.0 and not make(0.0)


def test_comparisons_decide(make):
    assert ('yes' if make(1.0) > 0 else 'no') == 'yes' and ('yes' if make(-1.0) >= make(0.0) else 'no') == 'no'
    assert max(make(3.0), 2) > 2.5 and min([make(3.0), make(1.0)]) < 2


def test_integers_are_indices(make):
    two = make(2, 'int32')
    assert operator.index(two) == 2 and [5, 6, 7][two] == 7 and list(range(two)) == [0, 1] and np.zeros(two).size == 2
    with pytest.raises(TypeError):
        operator.index(make(2.0))


def test_several_elements_are_no_number_but_a_sequence(make):
    x = make([1.0, 2.0])
    assert len(x) == 2 and [float(part) for part in x] == [1.0, 2.0]
    first, second = x
    assert float(second) == 2.0 and float(x[0]) == 1.0
    for convert in (float, int, bool):
        with pytest.raises(TypeError, match='one element'):
            convert(x)
    with pytest.raises(TypeError, match='no length'):
        len(make(1.0))


def test_numpy_takes_them(make):
    x = make([[1.0, 2.0], [3.0, 4.0]])
    value = np.array([[1, 2], [3, 4]], 'float32')
    for found, expected in [(np.asarray(x), value), (np.sin(x), np.sin(value)), (np.sum(x), 10.0),
                            (np.mean(x, 0), [2, 3]),
                            (np.maximum(x, 2), np.maximum(value, 2)), (np.dot(x, x), value.dot(value)),
                            (np.add.reduce(x), [4, 6]), (np.concatenate([x, value]), np.concatenate([value, value])),
                            (np.array([x, x]), [value, value]), (x.numpy(), value)]:
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
    assert np.asarray(x, 'int32').dtype == 'int32' and np.asarray(x).dtype == 'float32'


def test_numpys_operators_leave_the_result_to_ours(make):
    x, array = make([1.0, 2.0]), np.array([3.0, 5.0], 'float32')
    for found, expected in [(array * x, [3, 10]), (x * array, [3, 10]), (array - x, [2, 3]),
                            (np.float32(2) ** x, [2, 4]), (array / x, [3, 2.5]),
                            (array > x, [True, True]), (np.multiply(array, x), [3, 10])]:
        assert K.is_tensor(found)
        np.testing.assert_allclose(K.eval(found), expected)


def test_functions_of_the_engine_take_them(make):
    x = make([1.0, 2.0])
    native = get_engine().convert(np.array([3.0, 4.0], 'float32'))
    for found in (native + x, x + native):
        np.testing.assert_allclose(K.eval(found), [4, 6])
    name = K.backend()
    if name == 'torch':
        torch = sys.modules['torch']
        assert torch.sum(x).item() == 3.0 and torch.add(native, x).tolist() == [4, 6]
    elif name == 'tensorflow':
        tf = sys.modules['tensorflow']
        assert float(tf.reduce_sum(x)) == 3.0 and tf.add(native, x).numpy().tolist() == [4, 6]
    elif name == 'jax':
        # Its compiled functions take nothing that is not JAX's own: `jnp.asarray` is its way in.
        assert sys.modules['jax'].numpy.asarray(x).tolist() == [1, 2]


def test_assigning_them(make):
    for target in (K.variable([0.0, 0.0]), keras.Variable([0.0, 0.0])):
        target.assign(make([1.0, 2.0]))
        assert target.numpy().tolist() == [1, 2]
        target.assign_add(make([1.0, 2.0]) * 2.0)
        target.assign_sub(make([1.0, 1.0]))
        assert target.numpy().tolist() == [2, 5]
        K.set_value(target, make([3.0, 4.0]))
        assert K.get_value(target).tolist() == [3, 4]
    assert keras.Variable(make([1.0, 2.0])).numpy().tolist() == [1, 2]
    np.testing.assert_array_equal(K.eval(K.constant(make([1.0, 2.0]))), [1, 2])


def test_they_are_data(make):
    x = make([[1.0, 2.0]])
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,), kernel_initializer='ones')])
    assert model.predict(x).item() == 3.0 and K.eval(model(x)).item() == 3.0
    model.set_weights([make([[1.0], [1.0]]), make([1.0])])
    assert model.predict(x).item() == 4.0
    metric = keras.metrics.MeanSquaredError()
    metric.update_state(make([[1.0, 2.0]]), make([[0.0, 0.0]]))
    assert float(metric.result()) == 2.5 == float(keras.losses.MeanSquaredError()(x, make([[0.0, 0.0]])))


def test_a_value_follows_the_variables_that_it_is_made_from():
    v = K.variable(1.0)
    twice = v * 2.0
    assert float(twice) == 2.0
    K.set_value(v, 3.0)
    assert float(twice) == 6.0 and twice.numpy() == 6.0


@pytest.mark.parametrize('use', [float, bool, np.asarray, np.sum, len, list, operator.index, lambda x: x.numpy()])
def test_what_waits_for_data_has_no_value(use):
    x = K.sum(K.placeholder((None,))) if use not in (len, list) else K.placeholder((None, 2))
    with pytest.raises(TypeError, match='symbolic|without a value|not known|no length'):
        use(x)


def test_functions_of_numpy_on_symbolic_tensors_say_what_to_use_instead():
    with pytest.raises(TypeError, match=r"NumPy's sin .*keras.ops.sin \(or keras.backend.sin\)"):
        np.sin(K.placeholder((2,)))
    with pytest.raises(TypeError, match='keras.ops'):
        np.linalg.norm(K.placeholder((2,)))
    if K.backend() in ('jax', 'tensorflow', 'torch'):  # functions of NumPy take the tensors of the others
        with pytest.raises(TypeError, match="layer wrong.*NumPy's sin .*keras.ops.sin|NumPy's sin .*keras.ops.sin"):
            keras.layers.Lambda(lambda x: np.sin(x), name='wrong')(keras.Input((2,)))


def test_the_first_operation_of_a_process_is_like_the_second():
    for code in ('print(float(keras.losses.MeanSquaredError()(K.constant([[1., 2.]]), K.constant([[0., 0.]]))))',
                 'v = keras.Variable(1.); v.assign_add(K.constant(0.5) + K.constant(1.)); print(float(v))',
                 'v = K.variable(0.); v.assign(K.constant(0.5) + K.constant(2.)); print(K.eval(v))'):
        done = subprocess.run([sys.executable, '-c', 'import keras; from keras import backend as K; ' + code],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        assert done.stdout.strip() == '2.5', done.stderr


def test_schedules_and_variables_of_optimizers_are_numbers():
    optimizer = keras.optimizers.Adam(0.125)
    assert float(optimizer.learning_rate) == float(optimizer.lr) == 0.125 and int(optimizer.iterations) == 0
    assert '%.3f' % optimizer.lr == '0.125' and optimizer.lr > 0.1
    optimizer.lr = optimizer.lr * 2
    assert float(optimizer.lr) == 0.25
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    assert float(keras.optimizers.SGD(schedule).lr) == 0.5


def test_dtypes_have_names():
    for x in (K.variable(1.0), keras.Variable(1.0), K.constant(1.0), keras.Input((2,)), K.placeholder((2,))):
        assert x.dtype == x.dtype.name == x.dtype.base_dtype == 'float32' and type(x.dtype.name) is str
        assert x.dtype.as_numpy_dtype is np.float32 and x.dtype.size == 4 and np.zeros(1, x.dtype).dtype == 'float32'
        assert x.dtype.is_floating and not (x.dtype.is_integer or x.dtype.is_bool or x.dtype.is_complex)
    assert K.variable(1, dtype='int32').dtype.is_integer and K.placeholder((), dtype='bool').dtype.is_bool
    for dtype in (np.float64, np.dtype('float64'), 'float64'):
        assert K.variable(1.0, dtype=dtype).dtype == K.placeholder((), dtype=dtype).dtype == 'float64'
        assert K.constant(1.0, dtype=dtype).dtype == 'float64'


def test_variables_from_initializers():
    assert keras.Variable(initializer='zeros', shape=(2, 1)).numpy().tolist() == [[0], [0]]
    assert keras.Variable('ones', shape=(2,), dtype='int32').numpy().dtype == 'int32'
    assert keras.Variable(keras.initializers.Constant([1, 2]), shape=(2, 1)).numpy().tolist() == [[1], [2]]
    assert keras.Variable(keras.initializers.Ones, shape=(1,)).numpy().tolist() == [1]
    assert keras.Variable({'class_name': 'Constant', 'config': {'value': 3}}, shape=()).numpy() == 3
    keras.utils.set_random_seed(1)
    first, second = [keras.Variable('glorot_uniform', shape=(2, 3)) for _ in range(2)]
    keras.utils.set_random_seed(1)
    other = keras.Variable('glorot_uniform', shape=(2, 3))
    second.numpy()  # the order in which they are first used does not matter
    np.testing.assert_array_equal(first.numpy(), other.numpy())
    with pytest.raises(ValueError, match='`shape` argument should be specified'):
        keras.Variable('zeros')
    with pytest.raises(ValueError, match='Unknown initializer'):
        keras.Variable('zeroes_', shape=(1,))


def test_several_elements_are_rounded_together(make):
    assert K.eval(round(make([1.24, 2.75]))).tolist() == [1.0, 3.0]
    np.testing.assert_allclose(K.eval(round(make([1.24, 2.76]), 1)), [1.2, 2.8], rtol=1e-6)
    assert K.eval(+make([-1.0, 2.0])).tolist() == [-1.0, 2.0]


def test_no_value_is_an_error_of_either_generation():
    x = keras.KerasTensor((3,))
    for kind in (TypeError, ValueError):
        with pytest.raises(kind, match='any actual numerical value'):
            np.asarray(x)
    with pytest.raises(TypeError, match='cannot be used as a boolean'):
        bool(x)
