"""`value_and_grad`, `grad` and `GradientTape` in scripts, outside of steps."""
import numpy as np
import pytest

import keras
from keras import ops

pytestmark = pytest.mark.needs_gradients


def eager(x):
    return np.asarray(keras.backend.eval(x))


def test_value_and_grad_by_variables_and_tensors():
    v, w = keras.Variable([1.0, 2.0]), keras.Variable([3.0])
    x = ops.convert_to_tensor(np.array([2.0, 0.5], 'float32'))
    value, (by_x, by_rest) = keras.value_and_grad(lambda x: ops.sum(v.value * x * x) + 0.0 * ops.sum(w.value),
                                                  (x, {'v': v, 'w': w}))
    np.testing.assert_allclose(eager(value), 1 * 4 + 2 * 0.25)
    np.testing.assert_allclose(eager(by_x), [2 * 1 * 2, 2 * 2 * 0.5])
    np.testing.assert_allclose(eager(by_rest['v']), [4, 0.25])
    np.testing.assert_allclose(eager(by_rest['w']), [0])


def test_grad_gives_none_for_what_does_not_count_and_hands_on_more():
    v, w = keras.Variable([1.0, 2.0]), keras.Variable([3.0])
    found, aux = keras.grad(lambda: (ops.sum(v.value ** 3), v.value * 2), [v, w], has_aux=True)
    np.testing.assert_allclose(eager(found[0]), [3, 12])
    assert found[1] is None
    np.testing.assert_allclose(eager(aux), [2, 4])


def test_a_function_that_assigns_keeps_what_it_assigned():
    v, count = keras.Variable([2.0]), keras.Variable(0.0, trainable=False)

    def square():
        count.assign(count.value + 1)
        return ops.sum(v.value ** 2)
    np.testing.assert_allclose(eager(keras.grad(square, v)), [4])
    assert float(count.numpy()) == 1


@pytest.mark.on('tensorflow', 'torch', 'theano')
def test_a_tape_outside_of_steps():
    v = keras.Variable([1.0, 2.0])
    x = ops.convert_to_tensor(np.array([3.0, 4.0], 'float32'))
    with keras.GradientTape(persistent=True) as tape:
        tape.watch(x)
        cubes, products = v.value ** 3, v.value * x
    np.testing.assert_allclose(eager(tape.gradient(cubes, v)), [3, 12])
    np.testing.assert_allclose(eager(tape.gradient(products, [v])[0]), [3, 4])
    np.testing.assert_allclose(eager(tape.gradient(products, v, output_gradients=x)), [9, 16])
    np.testing.assert_allclose(eager(tape.gradient([cubes, products], v)), [6, 16])


@pytest.mark.on('tensorflow', 'torch')
def test_a_tape_that_is_not_persistent_gives_one_gradient():
    v = keras.Variable([1.0, 2.0])
    with keras.GradientTape() as tape:
        square = v.value ** 2
    np.testing.assert_allclose(eager(tape.gradient(square, v)), [2, 4])
    with pytest.raises(RuntimeError, match='persistent'):
        tape.gradient(square, v)


@pytest.mark.on('jax', 'mxnet', 'cntk')
def test_a_tape_outside_of_steps_is_refused_in_words():
    with pytest.raises(NotImplementedError, match='value_and_grad'):
        with keras.GradientTape():
            pass
