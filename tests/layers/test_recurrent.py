"""Recurrent layers: values by NumPy loops, masks, states, dropout, cells of one's own, wrappers."""
import numpy as np
import pytest

from keras import config, layers, ops, tree
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.backend.table.composites.shape import static_shape
from keras.layers.base import Layer
from keras.models import Model, Sequential


def normal(*shape):
    return np.random.RandomState(sum(shape)).normal(size=shape).astype('float32')


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_lstm(x, kernel, recurrent, bias):
    units = recurrent.shape[0]
    h = c = np.zeros((x.shape[0], units))
    outputs = []
    for step in range(x.shape[1]):
        i, f, g, o = np.split(x[:, step] @ kernel + h @ recurrent + bias, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def test_lstm_is_the_loop_of_the_paper():
    layer, x = layers.LSTM(3, return_sequences=True, return_state=True), normal(2, 5, 4)
    outputs = [to_array(output) for output in layer(x)]
    for ours, expected in zip(outputs, numpy_lstm(x, *layer.get_weights())):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 3 + [1] * 3 + [0] * 6)


@pytest.mark.parametrize('layer_class, cell_class, arguments', [
    (layers.SimpleRNN, layers.SimpleRNNCell, {}), (layers.GRU, layers.GRUCell, {}),
    (layers.GRU, layers.GRUCell, {'reset_after': True}), (layers.LSTM, layers.LSTMCell, {})])
@pytest.mark.parametrize('loop', [{}, {'go_backwards': True}, {'unroll': True}, {'return_sequences': True}])
def test_layers_equal_the_general_loop_over_their_cells(layer_class, cell_class, arguments, loop):
    layer, general = layer_class(3, **arguments, **loop), layers.RNN(cell_class(3, **arguments), **loop)
    x, mask = normal(2, 5, 4), np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool)
    layer(x), general(x)
    general.set_weights(layer.get_weights())
    np.testing.assert_allclose(to_array(layer(x)), to_array(general(x)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(to_array(layer(x, mask=mask)), to_array(general(x, mask=mask)), rtol=1e-4, atol=1e-6)


def test_masked_steps_keep_state_and_output():
    layer, x = layers.SimpleRNN(3, return_sequences=True, return_state=True), normal(1, 4, 2)
    y, h = [to_array(part) for part in layer(x, mask=np.array([[True, True, False, False]]))]
    np.testing.assert_allclose(y[0, 2], y[0, 1])
    np.testing.assert_allclose(y[0, 3], y[0, 1])
    np.testing.assert_allclose(h[0], y[0, 1])
    np.testing.assert_allclose(to_array(layer(x[:, :2])[1]), h, rtol=1e-5)


def test_initial_state_continues_a_sequence():
    layer, x = layers.LSTM(3, return_state=True), normal(2, 6, 4)
    whole = [to_array(part) for part in layer(x)]
    _, h, c = layer(x[:, :3])
    rest = [to_array(part) for part in layer(x[:, 3:], initial_state=[h, c])]
    as_list = [to_array(part) for part in layer([x[:, 3:], h, c])]
    for expected, ours, listed in zip(whole, rest, as_list):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(listed, expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match='has 2 states, but it was called with 1'):
        layer(x, initial_state=[h])


def test_initial_state_on_the_graph_is_an_input():
    x, h = layers.Input((4, 5)), layers.Input((3,))
    layer = layers.GRU(3, return_sequences=True)
    y = layer(x, initial_state=h)
    assert y.shape == (None, 4, 3)
    assert layer.input == [x, h]


@pytest.mark.parametrize('kind', [layers.SimpleRNN, layers.GRU, layers.LSTM, layers.CuDNNLSTM, layers.ConvLSTM2D])
def test_states_of_another_batch_are_refused_with_the_name_and_both_sizes(kind):
    convolutional = kind is layers.ConvLSTM2D
    arguments = {'kernel_size': 1} if convolutional else {}
    shape = (5, 2, 2, 4) if convolutional else (5, 4)
    model = Sequential([kind(3, stateful=True, batch_input_shape=(2,) + shape, name='memory', **arguments)])
    with pytest.raises(ValueError, match=r'memory.*batch size of 3, but its states are for 2.*stateful'):
        model.layers[0](np.zeros((3,) + shape, 'float32'))
    layer = kind(3, name='begun', **arguments)
    states = np.zeros((2, 2, 2, 3) if convolutional else (2, 3), 'float32')
    count = 1 if kind in (layers.SimpleRNN, layers.GRU) else 2
    with pytest.raises(ValueError, match=r'begun.*batch size of 6, but its states are for 2.*initial_state'):
        layer(ops.zeros((6,) + shape), initial_state=[ops.convert_to_tensor(states)] * count)


def test_a_stateful_model_refuses_batches_of_another_size():
    model = Sequential([layers.LSTM(4, stateful=True, batch_input_shape=(2, 5, 4))])
    with pytest.raises(Exception, match='3'):
        model.predict(np.zeros((3, 5, 4), 'float32'), batch_size=3)
    assert model.predict(np.zeros((2, 5, 4), 'float32'), batch_size=2).shape == (2, 4)
    with pytest.raises(Exception, match='3'):
        model.predict(np.zeros((3, 5, 4), 'float32'), batch_size=3)


def test_stateful_layers_remember_until_reset():
    stateful, plain = layers.LSTM(3, stateful=True), layers.LSTM(3)
    x = normal(2, 6, 4)
    plain(x)
    stateful(x[:, :3])
    stateful.set_weights(plain.get_weights())
    assert len(stateful.weights) == 3
    stateful.reset_states()
    stateful(x[:, :3])
    np.testing.assert_allclose(to_array(stateful(x[:, 3:])), to_array(plain(x)), rtol=1e-4, atol=1e-6)
    stateful.reset_states()
    assert not any(state.numpy().any() for state in stateful.states)
    stateful.reset_states([np.ones((2, 3)), np.zeros((2, 3))])
    np.testing.assert_array_equal(stateful.states[0].numpy(), 1)
    with pytest.raises(AttributeError, match='must be stateful'):
        plain.reset_states()
    with pytest.raises(ValueError, match='batch size must be known'):
        layers.LSTM(3, stateful=True)(layers.Input((4, 2)))


def test_states_move_within_a_compiled_step():
    layer, x = layers.GRU(3, stateful=True), normal(2, 4, 5)
    expected = [to_array(layer(x)), to_array(layer(x))]
    layer.reset_states()
    step = get_engine().step(lambda batch: layer(batch, training=False), [], [])
    np.testing.assert_allclose(to_array(step(x)), expected[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(to_array(step(x)), expected[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('implementation', [1, 2])
def test_dropout_is_the_same_at_all_steps(implementation):
    # Without recurrence every step is a function of its own input: equal steps must give equal outputs.
    layer = layers.LSTM(8, dropout=0.5, recurrent_dropout=0.5, implementation=implementation, return_sequences=True)
    x = np.repeat(normal(3, 1, 6), 4, 1)
    layer(x)
    weights = layer.get_weights()
    layer.set_weights([weights[0], np.zeros_like(weights[1]), weights[2] - 100 * np.repeat([0, 1, 0, 0], 8)])
    y, inference = to_array(layer(x, training=True)), to_array(layer(x))
    np.testing.assert_allclose(y, np.repeat(y[:, :1], 4, 1), rtol=1e-5)
    assert np.abs(y - inference).max() > 1e-3
    assert np.abs(y - to_array(layer(x, training=True))).max() > 1e-3


def test_dropout_in_a_compiled_step_changes_from_call_to_call():
    layer = layers.GRU(4, recurrent_dropout=0.5, return_sequences=True)
    x = normal(2, 5, 3)
    step = get_engine().step(lambda batch: layer(batch, training=True), [], [])
    first, second = to_array(step(x)), to_array(step(x))
    assert first.shape == (2, 5, 4) and np.abs(first - second).max() > 1e-4


class Minimal(Layer):
    """A cell of one's own: h = tanh(x) + h, or plus a constant."""
    state_size = 4

    def call(self, inputs, states, constants=None):
        h = ops.add(ops.tanh(inputs), states[0])
        if constants is not None:
            h = ops.add(h, constants[0])
        return h, [h]


def test_cells_of_ones_own_and_constants():
    x, constant = normal(2, 3, 4), normal(2, 4)
    layer = layers.RNN(Minimal(), return_sequences=True)
    np.testing.assert_allclose(to_array(layer(x)), np.tanh(x).cumsum(1), rtol=1e-5, atol=1e-6)
    y = to_array(layer(x, constants=[constant]))
    np.testing.assert_allclose(y, (np.tanh(x) + constant[:, None]).cumsum(1), rtol=1e-5, atol=1e-6)
    assert layer.get_config()['num_constants'] == 1
    symbolic = layers.RNN(Minimal())(layers.Input((3, 4)), constants=layers.Input((4,)))
    assert symbolic.shape == (None, 4)
    again = layers.RNN.from_config(layers.RNN(Minimal()).get_config(), custom_objects={'Minimal': Minimal})
    assert isinstance(again.cell, Minimal)


def test_stacked_cells_equal_layers_one_behind_the_other():
    stacked = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)])
    first, second, x = layers.LSTM(3, return_sequences=True), layers.GRU(2), normal(2, 4, 5)
    expected = to_array(second(first(x)))
    stacked(x)
    stacked.set_weights(first.get_weights() + second.get_weights())
    np.testing.assert_allclose(to_array(stacked(x)), expected, rtol=1e-4, atol=1e-6)
    assert stacked.cell.state_size == (3, 3, 2)


def test_cudnn_layers_equal_the_plain_ones():
    x = normal(2, 4, 5)
    lstm, cudnn = layers.LSTM(3), layers.CuDNNLSTM(3)
    lstm(x), cudnn(x)
    kernel, recurrent, bias = lstm.get_weights()
    cudnn.set_weights([kernel, recurrent, np.concatenate([bias * 0.25, bias * 0.75])])
    np.testing.assert_allclose(to_array(cudnn(x)), to_array(lstm(x)), rtol=1e-4, atol=1e-6)
    gru, cudnn = layers.GRU(3, reset_after=True), layers.CuDNNGRU(3)
    gru(x), cudnn(x)
    kernel, recurrent, bias = gru.get_weights()
    bias = normal(*bias.shape)
    gru.set_weights([kernel, recurrent, bias])
    cudnn.set_weights([kernel, recurrent, bias.ravel()])
    np.testing.assert_allclose(to_array(cudnn(x)), to_array(gru(x)), rtol=1e-4, atol=1e-6)


def test_bidirectional_runs_both_ways():
    layer, x = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode=None), normal(2, 4, 5)
    forward, backward = [to_array(part) for part in layer(x)]
    single = layers.GRU(3, return_sequences=True)
    single(x)
    weights = layer.get_weights()
    single.set_weights(weights[:3])
    np.testing.assert_allclose(forward, to_array(single(x)), rtol=1e-4, atol=1e-6)
    single.set_weights(weights[3:])
    np.testing.assert_allclose(backward, to_array(single(x[:, ::-1].copy()))[:, ::-1], rtol=1e-4, atol=1e-6)
    assert [inner.name for inner in (layer.forward_layer, layer.backward_layer)] == [
        'forward_' + layer.get_config()['layer']['config']['name'],
        'backward_' + layer.get_config()['layer']['config']['name']]
    assert not layer.forward_layer.go_backwards and layer.backward_layer.go_backwards
    with pytest.raises(ValueError, match='`merge_mode` must be'):
        layers.Bidirectional(layers.GRU(3), merge_mode='mean')
    with pytest.raises(ValueError, match='must be recurrent'):
        layers.Bidirectional(layers.Dense(3))


def test_bidirectional_states_and_initial_states():
    layer, x = layers.Bidirectional(layers.LSTM(3, return_state=True)), normal(2, 4, 5)
    outputs = layer(x)
    assert [static_shape(output) for output in outputs] == [(2, 6)] + [(2, 3)] * 4
    again = layer(x, initial_state=outputs[1:])
    assert np.abs(to_array(again[0]) - to_array(outputs[0])).max() > 1e-4
    symbolic = layer(layers.Input((4, 5)))
    assert [output.shape for output in symbolic] == [(None, 6)] + [(None, 3)] * 4


def test_time_distributed_applies_the_layer_to_every_step():
    inner = layers.Conv2D(2, 3)
    layer, x = layers.TimeDistributed(inner), normal(2, 3, 5, 5, 1)
    y = to_array(layer(x))
    for step in range(3):
        np.testing.assert_allclose(y[:, step], to_array(inner(x[:, step].copy())), rtol=1e-4, atol=1e-5)
    assert layers.TimeDistributed(layers.Dense(3))(layers.Input((None, 4))).shape == (None, None, 3)
    assert layers.TimeDistributed(layers.LSTM(3))(layers.Input((7, 6, 4))).shape == (None, 7, 3)
    with pytest.raises(ValueError, match='ensure wrapped layer is a valid Keras layer'):
        layers.TimeDistributed(lambda x: x)


def test_masks_travel_through_the_graph():
    x = layers.Input((4,), dtype='int32')
    embedded = layers.Embedding(5, 3, mask_zero=True)(x)
    assert embedded.mask is not None
    sequence = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(embedded)
    assert sequence.mask is embedded.mask
    distributed = layers.TimeDistributed(layers.Dense(2))(sequence)
    assert distributed.mask is not None
    assert layers.LSTM(2)(distributed).mask is None


@pytest.mark.on('numpy')
def test_the_states_of_stacked_cells_are_lists_in_keras_3():
    x = np.ones((1, 2, 3), 'float32')
    for generation, shapes in [(2, [(1, 4), (1, 2), (1, 2), (1, 4)]), (3, [(1, 4), [(1, 2), (1, 2)], [(1, 4)]])]:
        with config.generation(generation):
            layer = layers.RNN([layers.LSTMCell(2), layers.GRUCell(4)], return_state=True)
        found = layer(x)
        assert [[tuple(state.shape) for state in part] if isinstance(part, list) else tuple(part.shape)
                for part in found] == shapes
        assert np.allclose(layer(x, initial_state=found[1:])[0], layer(x, initial_state=tree.flatten(found[1:]))[0])


@pytest.mark.parametrize('make', [
    lambda: layers.LSTM(3), lambda: layers.SimpleRNN(3), lambda: layers.RNN(layers.GRUCell(2)),
    lambda: layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)])], ids=['LSTM', 'SimpleRNN', 'RNN', 'stacked'])
def test_zeros_to_begin_with_on_the_graph(make):
    """`get_initial_state` of symbolic inputs has as many rows as the batch that runs."""
    x, layer = layers.Input((None, 4)), make()
    states = layer.get_initial_state(x)
    assert [static_shape(state)[0] for state in states] == [None] * len(states)
    model = Model(x, [layer(x), layer(x, initial_state=states)] + states)
    for batch in (1, 5):
        found = model.predict(normal(batch, 3, 4))
        np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
        assert all(state.shape[0] == batch and not state.any() for state in found[2:])


def test_zeros_of_images_to_begin_with_on_the_graph():
    x, layer = layers.Input((2, 6, 5, 1)), layers.ConvLSTM2D(3, 2)
    states = layer.get_initial_state(x)
    assert [static_shape(state) for state in states] == [(None, 5, 4, 3)] * 2


def test_initial_states_of_a_number_of_samples():
    cells = layers.StackedRNNCells([layers.LSTMCell(2), layers.SimpleRNNCell(3)])
    (h, c), rest = cells.get_initial_state(batch_size=4)
    assert to_array(h).shape == to_array(c).shape == (4, 2)
    states = layers.RNN(cells).get_initial_state(4)
    assert [to_array(state).shape for state in states] == [(4, 2), (4, 2), (4, 3)]
    assert [to_array(state).shape for state in layers.LSTM(2).get_initial_state(batch_size=5)] == [(5, 2), (5, 2)]
    x = np.random.RandomState(0).normal(size=(4, 3, 5)).astype('float32')
    first, layer = to_array(layers.RNN(cells)(x)), layers.RNN(cells)
    nested = [np.zeros((4, 2), 'float32'), np.zeros((4, 2), 'float32'), np.zeros((4, 3), 'float32')]
    np.testing.assert_allclose(to_array(layer(x, initial_state=nested)), first, rtol=1e-5)


@pytest.mark.parametrize('make', [lambda: layers.SimpleRNNCell(3), lambda: layers.GRUCell(3),
                                  lambda: layers.GRUCell(3, reset_after=True)])
def test_the_one_state_of_a_cell_comes_with_or_without_a_list(make):
    """By itself its first row once counted as the state of all samples."""
    cell, x, state = make(), normal(2, 5), normal(2, 3)
    cell.build((2, 5))
    cell.set_weights([normal(*w.shape) for w in cell.weights])
    output, states = cell(x, [state])
    alone, new_state = cell(x, state)
    each = np.concatenate([to_array(cell(x[i:i + 1], [state[i:i + 1]])[0]) for i in range(2)])
    assert isinstance(states, list) and static_shape(new_state) == (2, 3)
    for found in (output, alone, new_state, states[0]):
        np.testing.assert_allclose(to_array(found), each, atol=1e-5)
