"""`K.function` and `K.gradients`: what runs, when, and with what values."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine

GENERATOR = np.random.RandomState(3)
needs_gradients = pytest.mark.needs_gradients


def small_model():
    return keras.Sequential([keras.layers.Dense(4, activation='tanh', input_shape=(3,), name='hidden'),
                             keras.layers.Dropout(0.5), keras.layers.Dense(2, name='top')])


# --- values -----------------------------------------------------------------------------------------------------

def test_lists_of_inputs_and_outputs():
    x, y = K.placeholder((None, 2)), K.placeholder(ndim=2)
    f = K.function([x, y], [x + y, K.sum(x * y)])
    for batch in (1, 4, 3):
        a, b = GENERATOR.randn(batch, 2), GENERATOR.randn(batch, 2)
        total, product = f([a, b])
        np.testing.assert_allclose(total, a + b, rtol=1e-5)
        np.testing.assert_allclose(product, (a * b).sum(), rtol=1e-4, atol=1e-5)
        assert total.dtype == 'float32' and isinstance(product, np.ndarray)


def test_nested_structures():
    x, y = K.placeholder((2,)), K.placeholder((2,))
    f = K.function({'a': x, 'b': [y]}, {'sum': x + y, 'both': [x * 2.0, (y,)]})
    found = f({'a': np.ones(2), 'b': [np.zeros(2)]})
    assert sorted(found) == ['both', 'sum'] and isinstance(found['both'][1], tuple)
    np.testing.assert_array_equal(found['sum'], [1, 1])
    np.testing.assert_array_equal(found['both'][0], [2, 2])
    assert K.function(x, x * 3.0)(np.ones(2)).tolist() == [3, 3]


def test_lists_in_the_place_of_arrays():
    x, y = K.placeholder((2,)), K.placeholder(())
    np.testing.assert_array_equal(K.function([x, y], [x * y])([[1.0, 2.0], 3])[0], [3, 6])


def test_native_values_are_taken():
    x = K.placeholder((2,))
    np.testing.assert_array_equal(K.function([x], [x * 2.0])([get_engine().convert(np.ones(2, 'float32'))])[0], [2, 2])


def test_variables_and_inputs_among_the_outputs():
    x, v = K.placeholder((2,)), K.variable([1.0, 5.0])
    found = K.function([x], [v, x, v * x])([[2.0, 3.0]])
    for one, expected in zip(found, ([1, 5], [2, 3], [2, 15])):
        np.testing.assert_array_equal(one, expected)
    K.set_value(v, [0.0, 1.0])
    np.testing.assert_array_equal(K.function([x], [v * x])([[2.0, 3.0]])[0], [0, 3])


def test_an_intermediate_tensor_may_be_fed():
    x = K.placeholder((2,))
    middle = K.square(x)
    np.testing.assert_array_equal(K.function([middle], [middle + 1.0])([[3.0, 4.0]])[0], [4, 5])


def test_no_inputs_and_no_outputs():
    v = K.variable(2.0)
    assert K.function([], [v * 3.0])([])[0] == 6.0
    assert K.function([], [], [K.update(v, v * 3.0)])([]) == []
    assert K.get_value(v) == 6.0


def test_layers_of_a_model():
    model = small_model()
    x = GENERATOR.randn(5, 3).astype('float32')
    hidden, output = K.function([model.input], [model.get_layer('hidden').output, model.output])([x])
    kernel, bias = model.get_layer('hidden').get_weights()
    np.testing.assert_allclose(hidden, np.tanh(x @ kernel + bias), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(output, model.predict(x), rtol=1e-4, atol=1e-5)


def test_the_learning_phase_is_fed():
    model = small_model()
    f = K.function([model.input, K.learning_phase()], [model.layers[1].output, K.in_train_phase(model.input, 0.0)])
    x = np.ones((50, 3))
    calm, zeros = f([x, 0])
    dropped, same = f([x, 1])
    assert (calm != 0).all() and 0.2 < (dropped == 0).mean() < 0.8
    assert not zeros.any() and (same == 1).all()


def test_random_numbers_are_new_in_every_call():
    x = K.placeholder((None, 3))
    noise = K.random_normal(K.shape(x))
    f = K.function([x], [noise, noise])
    first, again = f([np.ones((4, 3))])
    np.testing.assert_array_equal(first, again)
    assert first.shape == (4, 3) and (f([np.ones((4, 3))])[0] != first).all()


# --- updates ----------------------------------------------------------------------------------------------------

def test_updates_come_after_the_outputs():
    x, v = K.placeholder((2,)), K.variable([1.0, 2.0])
    f = K.function([x], [v * 1.0, K.sum(x)], updates=[K.update_add(v, x)])
    for expected in ([1, 2], [2, 3], [3, 4]):
        np.testing.assert_array_equal(f([np.ones(2)])[0], expected)
    np.testing.assert_array_equal(K.get_value(v), [4, 5])


def test_updates_use_the_old_values():
    a, b = K.variable(1.0), K.variable(2.0)
    K.function([], [], updates=[(a, b * 1.0), (b, a * 1.0)])([])
    assert K.get_value(a) == 2.0 and K.get_value(b) == 1.0


def test_kinds_of_updates():
    a, b, c = K.variable(4.0), K.variable(4.0), K.variable(4.0)
    updates = [K.update_sub(a, 1.0), K.moving_average_update(b, K.constant(2.0), 0.5), K.update(c, K.square(c))]
    assert K.get_value(a) == 4.0
    K.function([], [], updates)([])
    assert [float(value) for value in K.batch_get_value([a, b, c])] == [3.0, 3.0, 16.0]


def test_evaluating_an_update_carries_it_out():
    v = K.variable(1.0)
    assert K.eval(K.update_add(v, 2.0)) == 3.0 and K.get_value(v) == 3.0


def test_control_dependencies_run_first():
    v, x = K.variable(1.0), K.placeholder(())
    with K.control_dependencies([K.update_add(v, 1.0)]):
        y = x * v
    assert K.function([x], [y])([3.0])[0] == 6.0 and K.get_value(v) == 2.0
    assert K.function([x], [x * v])([3.0])[0] == 6.0 and K.get_value(v) == 2.0
    if get_engine().capabilities.gradients:
        assert K.gradients(y, [x])[0] is not None


def test_printing_happens_whenever_the_tensor_is_computed(capfd):
    x = K.placeholder((None,))
    f = K.function([x], [K.print_tensor(x, 'the value is') * 2.0])
    for value in (1.5, 2.5):
        np.testing.assert_array_equal(f([[value]])[0], [2 * value])
    K.eval(K.print_tensor(get_engine().convert(np.ones(2, 'float32')) * 7.0, 'native'))
    printed = capfd.readouterr().out
    for part in ('the value is', '1.5', '2.5', 'native', '7'):
        assert part in printed


@needs_gradients
def test_printing_lets_gradients_through(capfd):
    x = K.placeholder((2,))
    found = K.function([x], K.gradients(K.sum(K.square(K.print_tensor(x))), x))([[1.0, 2.0]])
    np.testing.assert_array_equal(found[0], [2, 4])
    assert '2' in capfd.readouterr().out


# --- gradients --------------------------------------------------------------------------------------------------

@needs_gradients
def test_gradients_of_inputs_weights_and_activations():
    x = K.placeholder((None, 3))
    w = K.variable(GENERATOR.randn(3, 2))
    hidden = K.dot(x, w)
    loss = K.sum(K.square(hidden))
    value, weights = GENERATOR.randn(4, 3), K.get_value(w)
    by_x, by_w, by_hidden = K.function([x], K.gradients(loss, [x, w, hidden]))([value])
    np.testing.assert_allclose(by_hidden, 2 * value @ weights, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_x, 2 * value @ weights @ weights.T, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(by_w, 2 * value.T @ value @ weights, rtol=1e-4, atol=1e-4)


@needs_gradients
def test_gradients_in_a_model():
    model = small_model()
    loss = K.sum(model.output[:, 0])
    hidden = model.get_layer('hidden')
    wanted = [model.input, hidden.output] + model.trainable_weights
    x = GENERATOR.randn(2, 3).astype('float32')
    found = K.function([model.input], K.gradients(loss, wanted))([x])
    top = model.get_layer('top').get_weights()[0][:, 0]
    kernel, bias = hidden.get_weights()
    slope = (1 - np.tanh(x @ kernel + bias) ** 2) * top
    np.testing.assert_allclose(found[1], np.tile(top, (2, 1)), rtol=1e-4)
    np.testing.assert_allclose(found[0], slope @ kernel.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[2], x.T @ slope, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[5], [2, 0])


@needs_gradients
def test_gradients_are_parts_of_larger_graphs():
    x = K.placeholder((3,))
    gradient = K.gradients(K.sum(x ** 3), x)[0]
    scaled = gradient / (K.sqrt(K.mean(K.square(gradient))) + 1e-5)
    value = np.array([1.0, -2.0, 3.0])
    expected = 3 * value ** 2
    np.testing.assert_allclose(K.function([x], [scaled])([value])[0], expected / np.sqrt((expected ** 2).mean()),
                               rtol=1e-4)


@needs_gradients
def test_gradients_twice():
    x, w = K.placeholder((None, 2)), K.variable([[1.0], [2.0]])
    score = K.dot(K.square(x), w)
    slope = K.gradients(K.sum(score), x)[0]
    penalty = K.mean(K.square(K.sqrt(K.sum(K.square(slope), axis=1)) - 1.0))
    value = np.array([[0.5, 0.5]])
    try:
        found = K.function([x], [penalty] + K.gradients(penalty, [w, x]))([value])
    except UnsupportedOperation as refusal:
        assert refusal.operation == 'gradients of gradients'
        assert refusal.operation in get_engine().capabilities.unsupported
        raise
    # slope = 2 x w = (1, 2), its norm r = sqrt(5); d penalty / d w = 2 (r - 1) / r * slope * 2 x
    r = np.sqrt(5.0)
    np.testing.assert_allclose(found[0], (r - 1) ** 2, rtol=1e-4)
    np.testing.assert_allclose(found[1][:, 0], 2 * (r - 1) / r * np.array([1.0, 2.0]), rtol=1e-4)
    np.testing.assert_allclose(found[2][0], 2 * (r - 1) / r * np.array([1.0, 2.0]) * np.array([2.0, 4.0]), rtol=1e-4)


@needs_gradients
def test_the_sum_of_several_losses_counts():
    x = K.placeholder((2,))
    np.testing.assert_allclose(K.function([x], K.gradients([K.sum(x * x), K.sum(3.0 * x)], x))([[1.0, 2.0]])[0], [5, 7])


@needs_gradients
def test_a_loss_that_is_not_a_scalar_is_summed():
    x = K.placeholder((2,))
    np.testing.assert_allclose(K.function([x], K.gradients(x * x, [x]))([[1.0, 2.0]])[0], [2, 4])


def test_gradients_that_do_not_exist_are_none():
    x, y, v, w = K.placeholder((2,)), K.placeholder((2,)), K.variable([1.0, 2.0]), K.variable([0.0, 0.0])
    loss = K.sum(x * v)
    found = K.gradients(loss, [y, w, K.square(x)])
    assert found == [None, None, None]
    assert K.gradients(K.sum(K.stop_gradient(x)), x) == [None]


@needs_gradients
def test_stop_gradient_stops_only_its_own_way():
    x = K.placeholder((2,))
    np.testing.assert_allclose(K.function([x], K.gradients(K.sum(x * K.stop_gradient(x)), x))([[3.0, 4.0]])[0], [3, 4])


@needs_gradients
def test_the_loss_beside_its_gradients_is_computed_once():
    draws = K.random_normal((3,))
    x = K.placeholder((3,))
    loss = K.sum(x * draws)
    found = K.function([x], [loss, draws] + K.gradients(loss, x))([np.ones(3)])
    np.testing.assert_allclose(found[2], found[1], rtol=1e-5)
    np.testing.assert_allclose(found[0], found[1].sum(), rtol=1e-4, atol=1e-5)


@needs_gradients
def test_gradients_through_functions_inside_the_graph():
    x, y = K.placeholder((3, 2)), K.placeholder((2,))
    mapped = K.map_fn(lambda row: row * y, x)
    folded = K.foldl(lambda total, row: total + row * K.sum(y), x)
    switched = K.switch(K.sum(y) > 0.0, lambda: y * 2.0, lambda: y * 3.0)
    loss = K.sum(mapped) + K.sum(folded) + K.sum(switched)
    value, other = GENERATOR.randn(3, 2), np.array([1.0, 2.0])
    by_x, by_y = K.function([x, y], K.gradients(loss, [x, y]))([value, other])
    np.testing.assert_allclose(by_x, np.tile(other, (3, 1)) + [[1.0, 1.0], [3.0, 3.0], [3.0, 3.0]], rtol=1e-5)
    np.testing.assert_allclose(by_y, value.sum(0) + value[1:].sum() + 2.0, rtol=1e-4)


def test_sizes_that_follow_from_the_data():
    n, v, x = K.placeholder((), dtype='int32'), K.variable(3, dtype='int32'), K.placeholder((None, 2))
    counts = K.function([n], [K.arange(n), K.arange(1, n), K.arange(0, n * 2, 4), K.zeros((n, 2)) + 1.0])
    for number in (5, 2):
        found = counts([number])
        assert [list(part) for part in found[:3]] == [list(range(number)), list(range(1, number)),
                                                      list(range(0, 2 * number, 4))]
        assert found[3].shape == (number, 2)
    assert K.function([], [K.arange(v)])([])[0].tolist() == K.eval(K.arange(v)).tolist() == [0, 1, 2]
    assert K.function([x], [K.arange(K.shape(x)[0] * 2)])([np.ones((2, 2))])[0].tolist() == [0, 1, 2, 3]


# --- optimizers by hand -----------------------------------------------------------------------------------------

@needs_gradients
def test_get_updates_by_hand():
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, input_shape=(2,), kernel_initializer='ones')])
    target = K.placeholder((None, 1))
    loss = K.mean(K.square(model.output - target))
    optimizer = keras.optimizers.SGD(lr=0.1)
    train = K.function([model.input, target], [loss], updates=optimizer.get_updates(loss, model.trainable_weights))
    x, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[0.0], [0.0]])
    assert train([x, y])[0] == pytest.approx(2.5)
    # d loss / d w = (w0, 4 w1)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [0.9, 0.6], rtol=1e-5)
    assert train([x, y])[0] < 2.5


@needs_gradients
def test_get_gradients_explains_what_is_missing():
    v, w = K.variable([1.0]), K.variable([1.0], name='unconnected')
    with pytest.raises(ValueError, match='unconnected'):
        keras.optimizers.SGD().get_gradients(K.sum(v * v), [v, w])


# --- errors -----------------------------------------------------------------------------------------------------

def test_an_input_that_is_missing():
    x, y = K.placeholder((2,), name='x'), K.placeholder((2,), name='forgotten')
    with pytest.raises(ValueError, match='forgotten'):
        K.function([x], [x + y])


@pytest.mark.parametrize('given, message', [
    ([np.ones(2)], 'expects 2 inputs'), ([np.ones(2), np.ones(2), 1], 'expects 2 inputs'),
    ([np.ones((1, 2)), np.ones((2, 2))], r'shape \(2,\).*shape \(1, 2\)'),
    ([np.ones(3), np.ones((2, 2))], 'left.*shape'), ([None, np.ones((2, 2))], 'no value for the input')])
def test_values_that_do_not_fit(given, message):
    f = K.function([K.placeholder((2,), name='left'), K.placeholder((None, 2))], [K.constant(1.0)])
    with pytest.raises(ValueError, match=message):
        f(given)


def test_arguments_that_are_wrong():
    x = K.placeholder((2,))
    with pytest.raises(TypeError, match='updates'):
        K.function([x], [x], updates=K.update(K.variable(1.0), 2.0))
    with pytest.raises(TypeError, match='inputs must be placeholders'):
        K.function([np.ones(2)], [x])
    with pytest.raises(ValueError, match='givens'):
        K.function([x], [x], givens={})
    with pytest.raises(TypeError, match='loss must be a symbolic'):
        K.gradients(3.0, x)
    with pytest.raises(TypeError, match='by symbolic tensors and variables'):
        K.gradients(K.sum(x), [np.ones(2)])


def test_gradients_are_refused_where_there_are_none():
    if get_engine().capabilities.gradients:
        pytest.skip('this engine has gradients')
    x = K.placeholder((2,))
    with pytest.raises(UnsupportedOperation):
        K.function([x], K.gradients(K.sum(x), x))([np.ones(2)])


def test_the_learning_phase_may_be_left_out_where_it_is_the_last_input():
    x = K.placeholder((None, 2))
    f = K.function([x, K.learning_phase()], [K.in_train_phase(x, 0.0)])
    assert not f([np.ones((1, 2))])[0].any()
    K.set_learning_phase(1)
    try:
        assert f([np.ones((1, 2))])[0].all()
    finally:
        K.clear_session()
    with pytest.raises(ValueError, match='expects 2 inputs'):
        K.function([K.learning_phase(), x], [x])([1])
