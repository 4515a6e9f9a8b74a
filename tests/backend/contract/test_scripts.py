"""Functions of scripts with `if` and `for` on tensors, in the graphs that TensorFlow makes of them."""
import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('tensorflow')
tf = pytest.importorskip('tensorflow')
X = np.array([[1, 2], [3, 4]], 'float32')


class TwiceOrNegative(layers.Layer):
    """2x where the sum of x is positive, else -x; then 1 is added three times."""

    def call(self, x):
        self.add_loss(tf.reduce_sum(x))
        if tf.reduce_sum(x) > 0:
            y = x * 2
        else:
            y = -x
        for _ in tf.range(3):
            y = y + 1
        return y


def test_branches_and_loops_of_a_layer():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, TwiceOrNegative()(inputs))
    np.testing.assert_allclose(model.predict(X, verbose=0), X * 2 + 3)
    np.testing.assert_allclose(model.predict(-X, verbose=0), X + 3)
    np.testing.assert_allclose(model(-X), X + 3)


def test_what_was_added_before_the_branch_counts_once():
    inputs = keras.Input((2,))
    model = keras.Model(inputs, TwiceOrNegative()(inputs))
    model.compile('sgd', 'mse')
    # (2x + 3 - x) ** 2 for x of 1, 2, 3, 4: 16, 25, 36, 49; and the sum of x, 10.
    assert model.evaluate(X, X, batch_size=2, verbose=0) == pytest.approx((16 + 25 + 36 + 49) / 4 + 10)


def test_losses_metrics_and_steps():
    def loss(y_true, y_pred):
        if tf.reduce_mean(y_true) > 0:
            found = tf.reduce_mean((y_true - y_pred) ** 2)
        else:
            found = tf.reduce_mean(tf.abs(y_true - y_pred))
        return found

    class Halved(keras.Model):
        def __init__(self):
            super().__init__()
            self.branch = TwiceOrNegative()

        def call(self, x):
            return self.branch(x)

        def test_step(self, data):
            x, y = data
            found = loss(y, self(x))
            if found > 1:
                found = found / 2
            return {'found': found}
    plain = keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: 2 * x)])
    plain.compile('sgd', loss, metrics=[lambda y_true, y_pred: loss(y_true, y_pred)])
    assert plain.evaluate(X, X, verbose=0) == pytest.approx([7.5, 7.5])  # 1, 4, 9, 16
    assert plain.evaluate(-X, -X, verbose=0) == pytest.approx([2.5, 2.5])  # 1, 2, 3, 4
    model = Halved()
    model.compile('sgd')
    assert model.evaluate(X, X, verbose=0) == pytest.approx((16 + 25 + 36 + 49) / 8)


def test_other_errors_are_left_alone():
    class Fails(layers.Layer):
        calls = 0

        def call(self, x):
            Fails.calls += 1
            raise ValueError('mine')
    model = keras.Sequential([Fails()])
    with pytest.raises(ValueError, match='mine'):
        model(X)
    assert Fails.calls < 5


def test_what_tensorflow_takes_for_tensors():
    variable = keras.Variable([1.0, 2.0])
    assert tf.is_tensor(variable) and tf.is_tensor(keras.Input((2,))) and not tf.is_tensor([1.0])

    @tf.function
    def twice(x):
        return x * 2

    np.testing.assert_allclose(twice(variable), [2, 4])


class Counts(layers.Layer):
    """Counts its calls in a variable before it asks a tensor."""
    def build(self, input_shape):
        self.count = self.add_weight(shape=(), initializer='zeros', trainable=False, name='count')
        self.built = True

    def call(self, x):
        self.count.assign(self.count + 1.0)
        if tf.reduce_sum(x) < 0:
            x = x * -1.0
        return x


def test_updates_before_a_branch_are_made_once():
    layer = Counts()
    model = keras.Sequential([keras.Input((2,)), layer, layers.Dense(1, kernel_initializer='ones')])
    model.compile('sgd', 'mse')
    model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=2, verbose=0)
    assert float(layer.count) == 4.0
    before = model.predict(np.ones((1, 2)), verbose=0)
    np.testing.assert_allclose(model.predict(-np.ones((1, 2)), verbose=0), before)
    assert float(layer.count) == 6.0


def test_a_call_that_fails_inside_of_others_is_tried_twice_at_most():
    class Fails(layers.Layer):
        calls = 0

        def call(self, x):
            Fails.calls += 1
            return [1, 2, 3][x[0, 0]]  # AutoGraph cannot help here

    class Around(layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    @tf.function
    def traced(x):
        return layer(x)
    layer = Around(Around(Around(Fails())))
    layer.built = True
    with pytest.raises(Exception):  # noqa: B017  (TensorFlow's own, in the words of its version)
        traced(tf.ones((1, 2), 'int32'))
    assert Fails.calls <= 2
