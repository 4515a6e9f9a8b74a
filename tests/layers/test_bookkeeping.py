"""What layers and models know of their losses and updates, as Keras 2 has it.

The numbers were printed by Keras 2.3.1 on TensorFlow 1.15, for these very calls.
"""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras import layers
from keras.backend.state.variables import to_array
from keras.models import Model

DATA = np.arange(15, dtype='float32').reshape(5, 3)


def normalized():
    x, layer = layers.Input((3,)), layers.BatchNormalization(momentum=0.5)
    return x, layer, Model(x, layer(x))


def test_updates_of_batch_normalization():
    x, layer, model = normalized()
    assert [update.variable for update in layer.updates] == [layer.moving_mean, layer.moving_variance]
    assert len(model.updates) == 2 and layer.updates[0] is layer.updates[0]
    for one in (layer, model):
        assert len(one.get_updates_for(x)) == 2 and one.get_updates_for(None) == []
    layer.trainable = False
    assert layer.updates == model.updates == []
    layer.trainable = True
    z = layers.Input((3,))
    layer(z)
    assert len(layer.updates) == 4 and len(model.updates) == 2 and len(layer.get_updates_for(z)) == 2
    outer = Model(z, model(z))
    assert len(outer.get_updates_for(z)) == 2 and len(model.updates) == 2
    model.trainable = False
    assert model.updates == outer.updates == []


def test_functions_of_k_update_by_their_updates_alone():
    x, layer, model = normalized()
    plain = K.function([x, K.learning_phase()], model.outputs)
    plain([DATA, 1])
    np.testing.assert_array_equal(K.get_value(layer.moving_mean), np.zeros(3))
    updating = K.function([x, K.learning_phase()], model.outputs, updates=model.updates)
    updating([DATA, 1])
    np.testing.assert_allclose(K.get_value(layer.moving_mean), [3.0, 3.5, 4.0], rtol=1e-6)
    updating([DATA, 0])
    np.testing.assert_allclose(K.get_value(layer.moving_mean), [4.5, 5.25, 6.0], rtol=1e-6)


def test_states_are_updates_of_the_graph():
    x = layers.Input(batch_shape=(5, 3, 2))
    layer = layers.SimpleRNN(2, stateful=True, kernel_initializer='ones')
    model = Model(x, layer(x))
    assert model.stateful and [len(updates) for updates in (
        layer.updates, model.updates, model.state_updates, layer.get_updates_for(x))] == [1] * 4
    data = np.full((5, 3, 2), 0.1, 'float32')
    plain = K.function([x], model.outputs)
    first = plain([data])[0]
    np.testing.assert_allclose(plain([data])[0], first, rtol=1e-6)
    moving = K.function([x], model.outputs, updates=model.state_updates)
    np.testing.assert_allclose(moving([data])[0], first, rtol=1e-6)
    assert not np.allclose(moving([data])[0], first)
    layer.reset_states()
    np.testing.assert_allclose(model.predict(data, batch_size=5), first, rtol=1e-5)
    assert not normalized()[2].stateful


def test_losses_belong_to_the_inputs_they_were_added_with():
    x = layers.Input((3,))
    layer = layers.Dense(2, kernel_regularizer='l2', activity_regularizer='l2', bias_regularizer='l1')
    model = Model(x, layer(x))
    counts = [len(found) for one in (layer, model) for found in (
        one.losses, one.get_losses_for(x), one.get_losses_for(None))]
    assert counts == [3, 1, 2] * 2
    z = layers.Input((3,))
    layer(z)
    assert len(layer.losses) == 4 and len(layer.get_losses_for(z)) == 1 and len(model.losses) == 3
    layer.trainable = False
    assert len(layer.losses) == 4 and len(model.losses) == 3


def test_frozen_weights_of_keras_3_add_no_losses():
    with keras.config.generation(3):
        x = layers.Input((3,))
        layer = layers.Dense(2, kernel_regularizer='l2')
        model = Model(x, layer(x))
    layer.trainable = False
    assert model.losses == [] and layer.losses == []


@pytest.mark.needs_gradients
@pytest.mark.parametrize('generation, expected', [(2, 0.5 * 6), ('tf', 0.5 * 6), (3, 0.0)])
def test_the_loss_of_frozen_weights_in_training(generation, expected):
    with keras.config.generation(generation):
        model = keras.Sequential([layers.Dense(2, kernel_initializer='ones', trainable=False, input_shape=(3,),
                                               kernel_regularizer=keras.regularizers.l2(0.5)), layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.0), 'mse')
        target = model.predict(DATA)
        assert model.train_on_batch(DATA, target) == pytest.approx(expected, abs=1e-4)
        assert model.evaluate(DATA, target, verbose=0) == pytest.approx(expected, abs=1e-4)


def test_added_losses_and_updates():
    x, layer = layers.Input((3,)), layers.Dense(2, kernel_initializer='ones')
    y = layer(x)
    model = Model(x, y)
    layer.add_loss([K.sum(layer.kernel), K.sum(y)], inputs=None)
    layer.add_loss(K.sum(y), inputs=[x])
    assert [len(found) for found in (layer.losses, layer.get_losses_for(x), layer.get_losses_for(None))] == [3, 1, 2]
    assert len(model.losses) == 3
    layer.add_loss(2, inputs=x)
    assert len(layer.get_losses_for(x)) == 2
    values = K.function([x], layer.losses)([np.ones((1, 3), 'float32')])
    assert values == [6.0, 6.0, 6.0, 2.0]
    apart = layers.Dense(1)
    apart.add_loss(3, inputs=x)
    apart.add_loss(4)
    assert (apart.losses, apart.get_losses_for(x), apart.get_losses_for(None)) == ([3, 4], [3], [4])
    apart.add_update(0, inputs=x)
    assert (apart.get_updates_for(x), apart.get_updates_for(None)) == ([0], [])
    layer.add_update(K.update(layer.bias, layer.bias * 2))
    layer.add_update([K.update(layer.bias, K.sum(y, 0))], inputs=x)
    layer.add_update((layer.bias, layer.bias + 1), x)
    assert [len(found) for found in (layer.updates, layer.get_updates_for(x), layer.get_updates_for(None),
                                     model.updates)] == [3, 2, 1, 3]


@pytest.mark.needs_gradients
def test_what_a_layer_of_ones_own_assigns_in_call():
    class Counting(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(name='count', shape=(), initializer='zeros', trainable=False)

        def call(self, inputs):
            self.add_update([(self.count, self.count + 1)], inputs)
            return inputs
    x, layer = layers.Input((3,)), Counting()
    model = Model(x, layers.Dense(1)(layer(x)))
    assert [update.variable for update in layer.updates] == [layer.count]
    model.compile('sgd', 'mse')
    model.train_on_batch(DATA, DATA[:, :1])
    model.test_on_batch(DATA, DATA[:, :1])
    assert K.get_value(layer.count) == 1
    K.function([x], model.outputs, updates=layer.updates)([DATA])
    assert K.get_value(layer.count) == 2


def test_a_call_below_the_class_of_the_shape_rule_is_asked():
    class Doubled(layers.Dense):
        def call(self, inputs):
            outputs = super().call(inputs)
            return K.concatenate([outputs, outputs])

    class Told(Doubled):
        def compute_output_shape(self, input_shape):
            return input_shape[:-1] + (None,)

    class Numbers(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) if float(inputs[0, 0]) else None
    x = keras.Input((3,))
    assert Doubled(2)(x).shape == (None, 4) and Told(2)(x).shape == (None, None) and Numbers(2)(x).shape == (None, 2)


def test_a_rule_that_goes_on_from_the_default():
    class Shorter(layers.Layer):
        def call(self, inputs):
            return K.sum(inputs, -1)

        def compute_output_shape(self, input_shape):
            return super(Shorter, self).compute_output_shape(input_shape)[:-1]
    assert Shorter()(layers.Input((4, 3))).shape == (None, 4)

    class Longer(layers.Layer):
        def call(self, inputs):
            return K.concatenate([inputs, inputs])
    with keras.config.generation(3):
        assert Longer().compute_output_shape((None, 3)) == (None, 6)


@pytest.mark.parametrize('layer_class, gates', [(layers.LSTM, 4), (layers.GRU, 3), (layers.SimpleRNN, 1)])
def test_the_identity_is_that_of_each_gate(layer_class, gates):
    layer = layer_class(2, recurrent_initializer='identity')
    layer.build((None, 4, 3))
    np.testing.assert_array_equal(layer.get_weights()[1], np.concatenate([np.eye(2)] * gates, axis=1))


def test_states_of_stacked_cells_in_either_order():
    def cells():
        return [layers.LSTMCell(2, kernel_initializer='ones', recurrent_initializer='ones'),
                layers.GRUCell(3, kernel_initializer='ones', recurrent_initializer='ones')]
    plain = layers.StackedRNNCells(cells())
    reverse = layers.StackedRNNCells(cells(), reverse_state_order=True)
    assert plain.state_size == (2, 2, 3) and reverse.state_size == (3, 2, 2)
    x = layers.Input((4, 3))
    model = Model(x, layers.RNN(plain, return_state=True)(x) + layers.RNN(reverse, return_state=True)(x))
    out, h, c, s, out2, s2, h2, c2 = model.predict(np.random.RandomState(0).rand(2, 4, 3) / 10)
    for one, other in ((out, out2), (h, h2), (c, c2), (s, s2)):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    again = layers.deserialize(layers.serialize(reverse))
    assert again.state_size == (3, 2, 2) and 'reverse_state_order' not in plain.get_config()


class AddsConstant(layers.Layer):
    """A cell that takes a constant."""
    state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight(name='kernel', shape=(input_shape[0][-1], 2), initializer='ones')
        self.built = True

    def call(self, inputs, states, constants=None):
        output = K.dot(inputs, self.kernel) + constants[0] + states[0]
        return output, [output]


def test_bidirectional_keeps_the_number_of_its_constants():
    with keras.utils.CustomObjectScope({'AddsConstant': AddsConstant}):
        x, constant = layers.Input((4, 3)), layers.Input((2,))
        layer = layers.Bidirectional(layers.RNN(AddsConstant()))
        model = Model([x, constant], layer(x, constants=constant))
        config = layer.get_config()
        assert config['num_constants'] == 1
        for again in (layers.Bidirectional.from_config(config),
                      layers.Bidirectional.from_config(dict(config, num_constants=None))):
            assert again.forward_layer.num_constants == again.backward_layer.num_constants == 1
            assert again([x, constant]).shape == (None, 4)
        copy = Model.from_config(model.get_config())
        data = [np.ones((1, 4, 3)), np.ones((1, 2))]
        np.testing.assert_allclose(copy.predict(data), [[16.0] * 4])
        np.testing.assert_allclose(model.predict(data), [[16.0] * 4])


def test_an_input_without_a_way_to_the_outputs_stands_before_the_last_layer():
    first, second = layers.Input((3,), name='first'), layers.Input((3,), name='second')
    idle = layers.Input((2,), name='idle')
    parts = [layers.Dense(2, name='left')(first), layers.Dense(2, name='right')(second)]
    model = Model([first, second, idle], layers.Add(name='sum')(parts))
    # As Keras 3.15.1 orders them.
    assert [layer.name for layer in model.layers] == ['first', 'second', 'left', 'right', 'idle', 'sum']


def test_methods_of_ones_own_named_like_inner_ones():
    class Own(layers.Layer):
        def call(self, inputs):
            return self._call(inputs, 2.0) + self._run(inputs)

        def _call(self, inputs, factor):
            return inputs * factor

        def _run(self, inputs):
            return inputs
    x = layers.Input((3,))
    np.testing.assert_allclose(Model(x, Own()(x)).predict(DATA), DATA * 3)
    np.testing.assert_allclose(to_array(Own()(DATA)), DATA * 3)


def test_tensors_of_unknown_length_have_none():
    x = layers.Input((3,))
    assert not hasattr(x, '__len__') and len(layers.Input(batch_shape=(4, 3))) == 4 and len(K.variable([1.0, 2.0])) == 2
    with pytest.raises(TypeError, match='no length'):
        len(x)


def test_functions_give_the_values_of_a_dictionary():
    x = layers.Input((3,))
    wanted = {'twice': x * 2.0, 'same': K.identity(x)}
    found = K.function([x], wanted.values())([DATA])
    np.testing.assert_allclose(found[0], DATA * 2)
    np.testing.assert_allclose(found[1], DATA)


def test_the_functional_model_of_a_stack():
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    whole = model._functional
    assert [type(layer).__name__ for layer in whole.layers] == ['InputLayer', 'Dense']
    np.testing.assert_allclose(whole.predict(DATA), model.predict(DATA))


def test_attention_of_ones_own_with_keys_kept_by_it():
    class Cached(layers.MultiHeadAttention):
        def call(self, query, value, key=None):
            heads = self._query_dense(query), self._key_dense(value), self._value_dense(value)
            result, self.seen = self._compute_attention(*heads)
            return self._output_dense(result)
    x = np.random.RandomState(0).normal(size=(2, 4, 6)).astype('float32')
    own, plain = Cached(2, 3), layers.MultiHeadAttention(2, 3)
    plain(x, x)
    own(x, x)
    own.set_weights(plain.get_weights())
    np.testing.assert_allclose(to_array(own(x, x)), to_array(plain(x, x)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(to_array(own.seen).sum(-1), np.ones((2, 2, 4)), rtol=1e-5)


def test_a_rule_that_describes_more_outputs_than_there_are_is_not_heeded():
    class First(layers.Layer):
        def call(self, inputs):
            return inputs[0]

        def compute_output_shape(self, input_shape):
            return input_shape
    outputs = First()([layers.Input((3,), dtype='int32'), layers.Input((2,), dtype='int32')])
    assert outputs.shape == (None, 3)
