"""Layers that write `x -= 1` change no tensor that others have, nor the data of the user."""
import numpy as np
import pytest

from keras import backend as K
from keras import layers
from keras.models import Model, Sequential


class Centred(layers.Layer):
    def call(self, x):
        x -= K.mean(x, axis=1, keepdims=True)
        x *= 2.0
        x /= 4.0
        x += 1.0
        return x


def centred(x):
    x -= K.mean(x, axis=1, keepdims=True)
    x *= 0.5
    x += 1.0
    return x


def expected(x):
    return (x - x.mean(1, keepdims=True)) / 2 + 1


DATA = np.array([[1.0, 2.0, 6.0], [0.0, 3.0, 3.0]], 'float32')


@pytest.mark.parametrize('make', [Centred, lambda: layers.Lambda(centred, output_shape=(3,))])
@pytest.mark.parametrize('begin', [lambda: layers.Activation('linear'),
                                   lambda: layers.Dense(3, kernel_initializer='identity')])
def test_what_other_layers_get(make, begin):
    x, given = layers.Input((3,)), DATA.copy()
    first = begin()(x)
    model = Model(x, [layers.add([first, make()(first)]), layers.Activation('linear')(x), make()(x)])
    for _ in range(3):
        one, same, both = model.predict(given)
        np.testing.assert_allclose(one, DATA + expected(DATA), rtol=1e-6)
        np.testing.assert_allclose(both, expected(DATA), rtol=1e-6)
        assert np.array_equal(same, DATA) and np.array_equal(given, DATA)
    np.testing.assert_allclose(model.predict_on_batch(given)[2], expected(DATA), rtol=1e-6)
    assert np.array_equal(given, DATA)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('make', [Centred, lambda: layers.Lambda(centred, output_shape=(3,))])
def test_training(make):
    x, given = layers.Input((3,)), DATA.copy()
    first = layers.Dense(3, kernel_initializer='identity')(x)
    model = Model(x, layers.add([first, make()(first)]))
    model.compile('sgd', 'mse')
    losses = [model.train_on_batch(given, 0 * DATA) for _ in range(3)] + model.fit(
        given, 0 * DATA, epochs=2, verbose=0).history['loss']
    assert losses[0] == pytest.approx(np.mean((DATA + expected(DATA)) ** 2), rel=1e-5)
    assert losses == sorted(losses, reverse=True) and np.array_equal(given, DATA)


def test_masks_go_along():
    class Kept(layers.Layer):
        supports_masking = True

        def call(self, x, mask=None):
            x += 1.0
            return x * K.expand_dims(K.cast(mask, 'float32'))
    model = Sequential([layers.Masking(input_shape=(3, 1)), Kept()])
    given = np.array([[[1.0], [0.0], [2.0]]], 'float32')
    for _ in range(2):
        assert model.predict(given).ravel().tolist() == [2.0, 0.0, 3.0]
    assert given.ravel().tolist() == [1.0, 0.0, 2.0]


def test_data_of_a_model_with_a_call_of_its_own():
    class Shifted(Model):
        def call(self, x):
            x -= 1.0
            return 2 * x
    model, given = Shifted(), DATA.copy()
    for predict in (model.predict, model.predict_on_batch):
        np.testing.assert_allclose(predict(given), 2 * DATA - 2)
        assert np.array_equal(given, DATA)
    model.compile('sgd', 'mae')
    model.evaluate(given, DATA, verbose=0)
    assert np.array_equal(given, DATA)


def test_a_call_that_leaves_its_inputs_alone_gets_no_copies_later(engine, monkeypatch):
    """Whether it writes is found out in the first run, and not asked in each batch."""
    class Doubled(Model):
        def call(self, x):
            return 2 * x
    asked, original = [], engine.out_of_place
    monkeypatch.setattr(engine, 'out_of_place', lambda function: asked.append(function) or original(function))
    model = Doubled()
    model.compile('sgd', 'mae')
    for _ in range(3):
        np.testing.assert_allclose(model.predict(DATA, batch_size=1), 2 * DATA)
        model.evaluate(DATA, DATA, verbose=0)
    assert asked == [model]


@pytest.mark.on('numpy', 'torch')
def test_a_layer_that_writes_in_a_later_call_only():
    class Late(layers.Layer):
        calls = 0

        def call(self, x):
            self.calls += 1
            if self.calls > 4:
                x += 1.0
            return x * 1.0

    x = layers.Input((3,))
    doubled = layers.Lambda(lambda x: x * 2.0)(x)
    model = Model(x, [Late()(doubled), doubled])
    for _ in range(9):
        try:
            values = model.predict_on_batch(DATA)
        except RuntimeError as error:
            assert 'Late.call has written into a tensor that it was given' in str(error)
        else:
            np.testing.assert_array_equal(values[1], DATA * 2)
    np.testing.assert_array_equal(values[0], DATA * 2 + 1)
