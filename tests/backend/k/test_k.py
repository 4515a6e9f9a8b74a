"""K: Keras 2's backend functions, where they are more than an operation's other name."""
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.backend.contract.loading import get_engine
from keras.backend.graph.plans import Plan

GENERATOR = np.random.RandomState(13)


def run(inputs, outputs, values):
    plan = Plan(inputs, outputs, lambda node: node.operation.plan_function(node, False))
    return [K.eval(x) for x in plan([K.constant(value) for value in values])]


def test_importing_it_loads_no_engine():
    code = ('import sys, keras.backend; '
            'print([name for name in ("tensorflow", "torch", "jax", "mxnet", "theano", "cntk") '
            'if name in sys.modules])')
    assert subprocess.check_output([sys.executable, '-W', 'ignore', '-c', code]).strip() == b'[]'


def test_variables():
    x = K.variable([[1, 2], [3, 4]], name='x')
    assert K.dtype(x) == 'float32' and K.int_shape(x) == (2, 2) and K.ndim(x) == 2 and K.count_params(x) == 4
    assert K.is_variable(x) and not K.is_keras_tensor(x) and not K.is_sparse(x)
    K.set_value(x, np.ones((2, 2)))
    update = K.update_add(x, np.full((2, 2), 2.0))
    assert K.get_value(x)[0, 0] == 1.0
    K.eval(update)
    K.eval(K.update_sub(x, [[0, 1], [0, 1]]))
    np.testing.assert_array_equal(K.get_value(x), [[3, 2], [3, 2]])
    K.eval(K.moving_average_update(x, K.constant([[0.0, 0.0], [1.0, 1.0]]), 0.5))
    np.testing.assert_array_equal(K.eval(x), [[1.5, 1.0], [2.0, 1.5]])
    K.batch_set_value([(x, np.zeros((2, 2)))])
    assert not K.batch_get_value([x])[0].any()
    np.testing.assert_array_equal(K.eval(K.dot(x, K.eye(2)) + 1.0), np.ones((2, 2)))
    np.testing.assert_array_equal(K.eval(K.zeros((2,))), [0, 0])
    assert K.random_uniform_variable((3,), 1.0, 2.0).numpy().min() >= 1.0


def test_variables_made_while_a_step_runs():
    def loss(y_true, y_pred):
        weights = K.variable([2.0]) * K.ones((1,)) + K.eye(1)[0] + K.zeros_like(y_pred)
        return K.mean(weights * K.square(y_pred - y_true), axis=-1)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,), kernel_initializer='ones')])
    model.compile('sgd', loss)
    for batch in (2, 3):
        assert model.test_on_batch(np.ones((batch, 2)), np.zeros((batch, 1))) == pytest.approx(12.0)


def test_dtypes_of_other_kinds_than_names():
    x = get_engine().convert(np.ones(2, 'float32'))
    assert K.dtype(K.cast(x > 0.5, x.dtype)) == 'float32'
    for dtype in (np.dtype('int32'), np.int32, 'int32'):
        assert K.dtype(K.cast(x, dtype)) == K.dtype(K.cast(K.placeholder((2,)), dtype)) == 'int32'


def test_only_variables_can_be_set():
    with pytest.raises(TypeError, match='set_value.*0.9.*before compile'):
        K.set_value(keras.optimizers.SGD(momentum=0.9).momentum, 0.5)


def test_constants():
    np.testing.assert_array_equal(K.eval(K.constant(2, shape=(2, 2))), np.full((2, 2), 2.0))
    np.testing.assert_array_equal(K.eval(K.constant([1, 2, 3, 4, 5, 6], shape=(2, 3))), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(K.eval(K.constant([[1, 2], [3, 4]], shape=[4])), [1, 2, 3, 4])
    np.testing.assert_array_equal(K.eval(K.constant([7], shape=(2, 1))), [[7], [7]])
    np.testing.assert_array_equal(keras.Variable([1.0, 2.0], shape=(2, 1)).numpy(), [[1], [2]])
    with pytest.raises(ValueError, match='3 values'):
        K.constant([1, 2, 3], shape=(2, 2))
    assert K.dtype(K.constant(2, dtype='int32')) == 'int32'


def test_shapes_of_symbolic_tensors_can_be_computed_with():
    x = K.placeholder((None, 3, 4))
    batch = K.shape(x)[0]
    y = K.reshape(x, (batch * 3, 4))
    noise = K.random_normal((batch, 2))
    assert y.shape == (None, 4) and noise.shape == (None, 2)
    value = GENERATOR.randn(5, 3, 4)
    found = run([x], [y, noise], [value])
    np.testing.assert_allclose(found[0], value.reshape(15, 4), rtol=1e-6)
    assert found[1].shape == (5, 2)


def test_evaluating_a_placeholder_says_what_is_missing():
    x = K.placeholder(ndim=2)
    assert K.is_placeholder(x) and x.shape == (None, None)
    with pytest.raises(ValueError, match='disconnected'):
        K.eval(x + 1.0)


def test_is_keras_tensor():
    assert K.is_keras_tensor(keras.Input((3,)))
    assert not K.is_keras_tensor(K.constant([1.0]))
    with pytest.raises(ValueError, match='instance of type'):
        K.is_keras_tensor('text')


def test_learning_phase():
    assert K.learning_phase() == 0
    assert K.in_train_phase('train', lambda: 'test') == 'test'
    assert K.in_train_phase(lambda: 'train', 'test', training=True) == 'train'
    assert K.in_test_phase('test', 'train', training=True) == 'train'
    try:
        K.set_learning_phase(1)
        assert K.learning_phase() == 1 and K.in_train_phase('train', 'test') == 'train'
    finally:
        K.clear_session()
    assert K.learning_phase() == 0
    with pytest.raises(ValueError, match='0 or 1'):
        K.set_learning_phase(2)


def test_learning_phase_follows_the_running_call():
    seen = []

    class Spy(keras.layers.Layer):
        def call(self, inputs, training=None):
            seen.append(K.learning_phase())
            return inputs
    layer = Spy()
    layer(K.constant([1.0]), training=True)
    layer(K.constant([1.0]))
    assert seen[-2:] == [1, 0]


def test_names_count_up():
    K.reset_uids()
    assert (K.get_uid('a'), K.get_uid('a'), K.get_uid('b')) == (1, 2, 1)


def test_switch():
    a, b = K.constant(np.ones((2, 3))), K.constant(np.zeros((2, 3)))
    condition = K.constant([True, False], dtype='bool')
    np.testing.assert_array_equal(K.eval(K.switch(condition, a, b)), [[1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(K.eval(K.switch(K.constant(0.0), lambda: a, lambda: b)), np.zeros((2, 3)))
    np.testing.assert_array_equal(K.eval(K.switch(True, a, lambda: b)), np.ones((2, 3)))
    with pytest.raises(ValueError, match='rank'):
        K.switch(K.constant(np.ones((2, 3, 4)), dtype='bool'), a, b)


def test_folds_and_maps():
    x = K.constant([1.0, 2.0, 4.0])
    assert K.eval(K.foldl(lambda a, b: a - b, x)) == -5.0
    assert K.eval(K.foldr(lambda a, b: a - b, x)) == 1.0
    assert K.eval(K.foldl(lambda a, b: a - b, x, K.constant(10.0))) == 3.0
    np.testing.assert_array_equal(K.eval(K.map_fn(lambda a: a * a, x)), [1.0, 4.0, 16.0])


def test_rnn_with_mask_repeats_the_output():
    x = K.constant(np.arange(1.0, 5.0).reshape(1, 4, 1))
    mask = K.constant([[True, False, True, True]], dtype='bool')
    last, outputs, states = K.rnn(lambda i, s: (i + s[0], [i + s[0]]), x, [K.constant(np.zeros((1, 1)))], mask=mask)
    np.testing.assert_array_equal(K.eval(outputs)[0, :, 0], [1.0, 1.0, 4.0, 8.0])
    assert K.eval(last)[0, 0] == 8.0 and K.eval(states[0])[0, 0] == 8.0


def test_batch_dot():
    x, y = GENERATOR.randn(4, 3).astype('float32'), GENERATOR.randn(4, 3).astype('float32')
    np.testing.assert_allclose(K.eval(K.batch_dot(x, y, 1)), (x * y).sum(1, keepdims=True), rtol=1e-5, atol=1e-6)
    a, b = GENERATOR.randn(4, 2, 3).astype('float32'), GENERATOR.randn(4, 3, 5).astype('float32')
    np.testing.assert_allclose(K.eval(K.batch_dot(a, b)), np.matmul(a, b), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(K.eval(K.batch_dot(a, b, (2, 1))), np.matmul(a, b), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(K.eval(K.batch_dot(x, a, (1, 2))), np.einsum('bi,bji->bj', x, a), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match='batch axis 0'):
        K.batch_dot(x, y, 0)


def test_bias_add():
    x = GENERATOR.randn(2, 3, 4, 5).astype('float32')
    np.testing.assert_allclose(K.eval(K.bias_add(x, np.arange(5.0, dtype='float32'))), x + np.arange(5.0), rtol=1e-6)
    found = K.eval(K.bias_add(x, np.arange(3.0, dtype='float32'), 'channels_first'))
    np.testing.assert_allclose(found, x + np.arange(3.0)[:, None, None], rtol=1e-6)
    bias = GENERATOR.randn(3, 4, 5).astype('float32')
    np.testing.assert_allclose(K.eval(K.bias_add(x, bias)), x + bias, rtol=1e-6)
    with pytest.raises(ValueError, match='rank 1 or 3'):
        K.bias_add(x, bias[0])


def test_normalize_batch_in_training():
    x = GENERATOR.randn(4, 3).astype('float32')
    output, mean, variance = K.normalize_batch_in_training(x, np.full(3, 2.0, 'float32'), np.ones(3, 'float32'), [0])
    np.testing.assert_allclose(K.eval(mean), x.mean(0), atol=1e-6)
    np.testing.assert_allclose(K.eval(variance), x.var(0), atol=1e-6)
    np.testing.assert_allclose(K.eval(output), 2 * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3) + 1, atol=1e-5)


def test_conv2d_transpose_takes_the_output_shape():
    x, kernel = GENERATOR.randn(1, 3, 3, 2).astype('float32'), GENERATOR.randn(3, 3, 4, 2).astype('float32')
    for rows in (5, 6):
        found = K.eval(K.conv2d_transpose(x, kernel, (1, rows, rows, 4), (2, 2), 'same'))
        assert found.shape == (1, rows, rows, 4)
        first = K.conv2d_transpose(x.transpose(0, 3, 1, 2), kernel, (1, 4, rows, rows), (2, 2), 'same',
                                   'channels_first')
        np.testing.assert_allclose(K.eval(first).transpose(0, 2, 3, 1), found, atol=1e-5)


def test_pool2d():
    x = GENERATOR.randn(1, 4, 4, 2).astype('float32')
    blocks = x.reshape(1, 2, 2, 2, 2, 2)
    np.testing.assert_allclose(K.eval(K.pool2d(x, (2, 2), (2, 2))), blocks.max((2, 4)), rtol=1e-6)
    np.testing.assert_allclose(K.eval(K.pool2d(x, (2, 2), (2, 2), pool_mode='avg')), blocks.mean((2, 4)), rtol=1e-4,
                               atol=1e-6)
    with pytest.raises(ValueError, match="'max' or 'avg'"):
        K.pool2d(x, (2, 2), pool_mode='min')


def test_small_functions():
    x = GENERATOR.randn(2, 3).astype('float32')
    np.testing.assert_array_equal(K.eval(K.slice(x, [0, 1], [2, -1])), x[:, 1:])
    np.testing.assert_array_equal(K.eval(K.repeat(x, 4)), np.repeat(x[:, None], 4, 1))
    np.testing.assert_array_equal(K.eval(K.repeat_elements(x, 2, 1)), np.repeat(x, 2, 1))
    np.testing.assert_array_equal(K.eval(K.reverse(x, 1)), x[:, ::-1])
    np.testing.assert_array_equal(K.eval(K.temporal_padding(x[None], (1, 2))), np.pad(x[None], ((0, 0), (1, 2), (0, 0)),
                                                                                    mode='constant'))
    np.testing.assert_array_equal(K.eval(K.clip(x, 0.5, -0.5)), np.full((2, 3), 0.5, 'float32'))
    np.testing.assert_array_equal(K.eval(K.gather(x, np.array([1, 0]))), x[[1, 0]])
    np.testing.assert_array_equal(K.eval(K.in_top_k(x, np.argmax(x, -1), 1)), [True, True])
    np.testing.assert_allclose(K.eval(K.hard_sigmoid(x)), np.clip(0.2 * x + 0.5, 0, 1), rtol=1e-6)
    np.testing.assert_array_equal(K.eval(K.resize_images(x[None, :, :, None], 2, 1, 'channels_last'))[0, :, :, 0],
                                  np.repeat(x, 2, 0))
    assert K.cast_to_floatx(np.zeros(2)).dtype == 'float32' and K.eval(K.identity(x)).shape == (2, 3)
    assert set(K.eval(K.random_binomial((100,), 0.5))) == {0.0, 1.0}


def test_what_things_are():
    x, place, v = keras.Input((3,)), K.placeholder((2,)), K.variable([1.0])
    native = get_engine().convert(np.ones(2, 'float32'))
    output = keras.layers.Dense(2)(x)
    for thing, kinds in ((x, 'tensor keras placeholder'), (place, 'tensor placeholder'), (v, 'tensor variable'),
                         (output, 'tensor keras'), (K.sum(output), 'tensor'), (native, 'tensor')):
        found = [name for name, question in (('tensor', K.is_tensor), ('keras', K.is_keras_tensor),
                                             ('placeholder', K.is_placeholder), ('variable', K.is_variable))
                 if question(thing)]
        assert ' '.join(found) == kinds, thing
    assert not K.is_tensor([1.0]) and not K.is_variable(1.0) and not K.is_placeholder('x')


def test_shapes_as_tensorflow_1_gives_them():
    assert K.placeholder((None, 3)).get_shape().as_list() == [None, 3]
    assert K.variable(np.ones((2, 3))).get_shape().ndims == 2


def test_arrays_beside_variables_make_graph():
    v = K.variable([1.0, 2.0])
    total = np.array([10.0, 10.0]) * v
    K.set_value(v, [3.0, 4.0])
    np.testing.assert_array_equal(K.eval(total), [30, 40])


X = np.array([[1.0, -2.0], [3.0, 4.0]], 'float32')


@pytest.mark.parametrize('function, expected', [
    (lambda x: x * 2.0 + 1.0, X * 2 + 1), (lambda x: K.sum(x), 6.0), (lambda x: K.mean(x, axis=-1), [-0.5, 3.5]),
    (lambda x: K.square(x) - K.relu(x), X ** 2 - np.maximum(X, 0)), (lambda x: K.softmax(K.zeros_like(x)), X * 0 + 0.5),
    (lambda x: K.reshape(x, (4,)), X.reshape(4)), (lambda x: K.dot(x, K.eye(2)), X), (lambda x: -x / 2.0, -X / 2),
    (lambda x: K.clip(x, 0.0, 1.0), np.clip(X, 0, 1)), (lambda x: K.cast(x > 0.0, 'int32'), X > 0),
    (lambda x: K.concatenate([x, x], axis=0), np.concatenate([X, X])), (lambda x: K.argmax(x), [0, 1]),
    (lambda x: K.expand_dims(x, 0), X[None]), (lambda x: K.batch_flatten(x), X), (lambda x: K.max(x, axis=0), [3, 4])])
def test_placeholders_of_any_rank(function, expected):
    for x in (K.placeholder(None), K.placeholder()):
        assert K.int_shape(x) is None and K.ndim(x) is None and K.dtype(x) == 'float32'
        np.testing.assert_allclose(K.function([x], [function(x)])([X])[0], expected)


def test_a_placeholder_of_any_rank_takes_any_rank():
    x = K.placeholder(None)
    double = K.function([x], [x * 2.0, K.sum(x)])
    for value in (np.float32(3.0), [1.0, 2.0], X, np.ones((2, 1, 3))):
        found = double([value])
        np.testing.assert_allclose(found[0], np.asarray(value) * 2)
        assert found[1] == np.sum(value)
    assert K.dtype(x > 0.0) == 'bool' and K.int_shape(x > 0.0) is None
    with pytest.raises(ValueError, match='not even the rank'):
        K.shape(x)


@pytest.mark.needs_gradients
def test_gradients_by_a_placeholder_of_any_rank():
    x = K.placeholder(None)
    np.testing.assert_allclose(K.function([x], K.gradients(K.sum(x * x), x))([X])[0], 2 * X)
