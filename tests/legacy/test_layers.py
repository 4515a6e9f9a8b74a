"""The layers that only Keras 1 had, held against models that Keras 1.2.2 wrote, and in training."""
import json
import os
import pickle
import warnings

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import layers as L
from keras.models import Model, Sequential, model_from_json

FILES = os.path.join(os.environ.get('KERAS_GOLDEN') or os.path.join(
    os.path.dirname(__file__), '..', '..', '..', 'shared', 'golden'), 'files')


@pytest.mark.skipif(not os.path.exists(FILES), reason='no golden files beside the repository')
@pytest.mark.parametrize('name', ['highway_maxout', 'bn_modes', 'merge_dot3', 'merge_modes', 'merge_sequential',
                                  'old_activations', 'td_dense'])
def test_models_of_keras_1(name):
    path = os.path.join(FILES, 'k1.2.2-tensorflow-th-' + name)
    arrays = np.load(path + '.npz')
    with open(path + '.json') as file, warnings.catch_warnings():
        warnings.simplefilter('error', DeprecationWarning)
        model = model_from_json(file.read())
    model.set_weights([arrays['w%d' % number] for number in range(len(model.weights))])
    outputs = model.predict([arrays['in%d' % number] for number in range(len(model.inputs))])
    for number, output in enumerate(outputs if isinstance(outputs, list) else [outputs]):
        np.testing.assert_allclose(output, arrays['out%d' % number], rtol=1e-5, atol=1e-5)


def branches():
    return [Sequential([L.Dense(4, input_dim=4)]), Sequential([L.Dense(4, input_dim=3)])]


X = [np.arange(8.0).reshape(2, 4) / 8, np.ones((2, 3))]


def test_a_merge_that_stands_first():
    model = Sequential([L.Merge(branches(), mode='concat'), L.Dense(2)])
    assert len(model.inputs) == 2 and model.output_shape == (None, 2) and len(model.get_weights()) == 6
    expected = model.predict(X)
    for copy in (model_from_json(model.to_json()), keras.models.clone_model(model), pickle.loads(pickle.dumps(model))):
        copy.set_weights(model.get_weights())
        np.testing.assert_allclose(copy.predict(X), expected, rtol=1e-6)


@pytest.mark.needs_gradients
def test_branches_are_trained():
    model = Sequential([L.Merge(branches(), mode='sum'), L.Dense(2)])
    before = model.get_weights()
    model.compile('sgd', 'mse')
    model.fit(X, np.ones((2, 2)), epochs=1, verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before[::2], model.get_weights()[::2]))


@pytest.mark.on('numpy')
@pytest.mark.parametrize('mode, expected', [
    ('sum', [[5.0, 7.0]]), ('mul', [[6.0, 10.0]]), ('ave', [[2.5, 3.5]]), ('max', [[3.0, 5.0]]),
    ('concat', [[2.0, 2.0, 3.0, 5.0]]), ('dot', [[16.0]]), ('cos', [[[16 / np.sqrt(8 * 34)]]]),
    (lambda pair, factor: pair[1] - factor * pair[0], [[1.0, 3.0]])])
def test_modes_of_merge(mode, expected):
    a, b = keras.Input((2,)), keras.Input((2,))
    arguments = {'factor': 1} if callable(mode) else None
    for function in (L.merge, L.keras1.merge):
        with pytest.warns(DeprecationWarning, match='Lambda' if callable(mode) else r'\w+\(inputs'):
            merged = function([a, b], mode=mode, arguments=arguments)
        model = Model([a, b], merged)
        found = model.predict([np.array([[2.0, 2.0]]), np.array([[3.0, 5.0]])])
        assert found.shape == np.shape(expected) and merged.shape[1:] == found.shape[1:]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.on('numpy')
def test_merge_says_what_is_wrong():
    a, b = keras.Input((2,)), keras.Input((3,))
    with pytest.raises(ValueError, match='needs inputs of one shape'):
        L.Merge(mode='sum')([a, b])
    with pytest.raises(ValueError, match='mode must be'):
        L.Merge(mode='plus')
    with pytest.raises(ValueError, match='at least two'):
        L.Merge(branches()[:1])
    with pytest.raises(ValueError, match='no output yet'):
        L.Merge([L.Dense(2), L.Dense(2)])
    from keras.layers.merge import add
    assert add([a, a]).shape == (None, 2)


@pytest.mark.on('numpy')
def test_masks_of_merge():
    a, b = keras.Input((2, 3)), keras.Input((2, 3))
    merged = L.Merge(mode='sum')([L.Masking()(a), b])
    data = np.array([[[0.0] * 3, [1.0] * 3]])
    found = keras.Model([a, b], merged.mask).predict([data, data])
    assert found.tolist() == [[False, True]]
    assert L.Merge(mode=sum, output_mask=lambda masks: masks[1]).compute_mask([a, b], [None, 'second']) == 'second'


class Leaky(L.Recurrent):
    """The mean of the state and the input times a weight, plus a constant."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[2], self.output_dim), initializer='ones', name='W')
        self.states = [None]

    def get_constants(self, x):
        return [K.ones_like(x[:, 0, :1])]

    def step(self, x, states):
        output = 0.5 * (states[0] + K.dot(x, self.W)) + states[1]
        return output, [output]


def by_hand(x, reverse=False):
    state, found = np.zeros((len(x), 2)), []
    for step in range(x.shape[1])[::-1 if reverse else 1]:
        state = 0.5 * (state + x[:, step].sum(-1, keepdims=True)) + 1
        found.append(state)
    return np.stack(found, 1)


def test_recurrent_layers_of_your_own():
    x = np.arange(12.0, dtype='float32').reshape(2, 3, 2)
    model = Sequential([Leaky(2, return_sequences=True, input_shape=(3, 2))])
    assert model.output_shape == (None, 3, 2)
    np.testing.assert_allclose(model.predict(x), by_hand(x), rtol=1e-5)
    layer = Leaky(2, go_backwards=True, consume_less='mem', input_dim=2, input_length=3)
    np.testing.assert_allclose(Sequential([layer]).predict(x), by_hand(x, reverse=True)[:, -1], rtol=1e-5)
    assert layer.get_config()['go_backwards'] is True


def test_recurrent_layers_that_keep_their_state():
    x = np.arange(12.0, dtype='float32').reshape(2, 3, 2)
    model = Sequential([Leaky(2, stateful=True, batch_input_shape=(2, 3, 2))])
    first, second = model.predict(x, batch_size=2), model.predict(x, batch_size=2)
    np.testing.assert_allclose(first, by_hand(x)[:, -1], rtol=1e-5)
    np.testing.assert_allclose(second, by_hand(np.concatenate([x, x], 1))[:, -1], rtol=1e-5)
    model.reset_states()
    np.testing.assert_allclose(model.predict(x, batch_size=2), first, rtol=1e-5)


@pytest.mark.on('numpy')
def test_lengths_of_convolutions():
    assert [L.conv_output_length(7, 3, mode, 2) for mode in ('valid', 'same', 'full')] == [3, 4, 5]
    assert L.conv_output_length(None, 3, 'same', 1) is None and L.conv_output_length(7, 3, 'valid', 1, 2) == 3
    assert [L.conv_input_length(3, 3, mode, 2) for mode in ('valid', 'same', 'full')] == [7, 5, 3]


@pytest.mark.on('numpy')
def test_configs_hold_the_words_of_keras_1():
    config = L.MaxoutDense(3, nb_feature=2, W_regularizer='l2', input_dim=4).get_config()
    assert config['init'] == 'glorot_uniform' and config['W_regularizer']['class_name'] == 'L1L2'
    assert 'weights' not in config and json.dumps(L.SReLU(shared_axes=[1]).get_config())
