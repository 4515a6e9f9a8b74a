"""What Keras 3 added to layers that were there before: against numbers of 3.15.1, or NumPy's."""
import os

import numpy as np
import pytest

from keras import Input, Model, config, layers, ops, random
from keras.backend.state.variables import to_array

ARRAYS = np.load(os.path.join(os.path.dirname(__file__), 'renormalization-3.15.1.npz'))


@pytest.mark.parametrize('name,options', [
    ('plain', {}), ('clipped', dict(renorm_clipping={'rmax': 1.5, 'rmin': 0.7, 'dmax': 0.5}, renorm_momentum=0.8,
                                    momentum=0.9))])
def test_batch_renormalization(name, options):
    with config.generation(3):
        layer = layers.BatchNormalization(renorm=True, **options)
    for step in range(4):
        outputs = layer(ARRAYS['%s/x%d' % (name, step)], training=True)
        np.testing.assert_allclose(to_array(outputs), ARRAYS['%s/y%d' % (name, step)], rtol=1e-4, atol=2e-5)
        for number, weight in enumerate(layer.get_weights()):
            np.testing.assert_allclose(weight, ARRAYS['%s/w%d_%d' % (name, step, number)], rtol=1e-4, atol=1e-5)


@pytest.mark.on('numpy')
def test_softmax_with_masks():
    with config.generation(3):
        layer = layers.Softmax()
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], 'float32')
    share = 1.0 / (1.0 + np.exp(1.0))
    masked = to_array(layer(x, mask=np.array([[True, True, False], [False] * 3])))
    np.testing.assert_allclose(masked, [[share, 1 - share, 0], [0, 0, 0]], rtol=1e-6)
    masked = to_array(layer(np.ones((2, 2, 3), 'float32'), mask=np.array([True, False, True])))
    np.testing.assert_allclose(masked, np.broadcast_to([0.5, 0.0, 0.5], (2, 2, 3)))
    masked = to_array(layer(np.ones((2, 2, 3), 'float32'), mask=np.array([[True, False], [True, True]])))
    np.testing.assert_allclose(masked[0], [[1 / 3] * 3, [0.0] * 3], rtol=1e-6)


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('make', [
    lambda **options: layers.MultiHeadAttention(2, 3, **options),
    lambda **options: layers.GroupQueryAttention(3, 2, 1, **options)])
def test_sliding_windows_and_gates(make):
    x = np.random.RandomState(0).normal(size=(1, 6, 4)).astype('float32')
    _, weights = make(sliding_window=2)(x, x, return_attention_scores=True)
    places = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    np.testing.assert_array_equal(to_array(weights)[0, 0] > 1e-9, places < 2)
    layer = make(use_gate=True)
    layer(x, x)
    without = make()
    without.ensure_built_for(*_building(without, x))
    gate = layer.gate_dense
    kept = [weight for weight in layer.weights if weight not in gate.weights]
    without.set_weights([weight.numpy() for weight in kept])
    # Gates of which all logits are large let everything through.
    gate.set_weights([np.zeros(gate.kernel.shape), np.full(gate.bias.shape, 40.0)])
    np.testing.assert_allclose(to_array(layer(x, x)), to_array(without(x, x)), atol=1e-5)
    gate.set_weights([np.zeros(gate.kernel.shape), np.full(gate.bias.shape, -40.0)])
    np.testing.assert_allclose(to_array(layer(x, x))[0, 0], layer.output_dense.bias.numpy(), atol=1e-6)
    assert type(layer).from_config(layer.get_config()).use_gate


def _building(layer, x):
    from keras.layers.calls import signature_of
    return signature_of(type(layer)), [x, x], {}


@pytest.mark.on('numpy')
def test_arguments_of_attention_are_checked():
    with pytest.raises(ValueError, match='sliding_window'):
        layers.MultiHeadAttention(2, 3, sliding_window=0)
    with pytest.raises(ValueError, match='flash_attention'):
        layers.GroupQueryAttention(3, 2, 1, flash_attention=True)(*[np.ones((1, 2, 4), 'float32')] * 2)
    with pytest.raises(ValueError, match='rmax'):
        layers.BatchNormalization(renorm=True, renorm_clipping={'most': 1.0})


def heads(options, masks):
    """What attention gives with a kernel of its own, if there is one, and without."""
    x = np.random.RandomState(0).normal(size=(2, 5, 4)).astype('float32')
    layer = layers.MultiHeadAttention(2, 3, value_dim=5, **options)
    fused = layer(x, x, **masks)
    config.disable_flash_attention()
    try:
        plain = layer(x, x, **masks)
    finally:
        config.enable_flash_attention()
    return to_array(fused), to_array(plain), to_array(layer(x, x, return_attention_scores=True, **masks)[0])


@pytest.mark.parametrize('options, masks', [
    ({}, {}), ({}, {'use_causal_mask': True}), ({'sliding_window': 2}, {'use_causal_mask': True}),
    ({}, {'attention_mask': np.arange(50).reshape(2, 5, 5) % 3 > 0, 'use_causal_mask': True}),
    ({}, {'attention_mask': np.zeros((2, 5, 5), bool)})])
def test_attention_with_a_kernel_of_the_engine_gives_the_same(options, masks):
    fused, plain, with_scores = heads(options, masks)
    np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(plain, with_scores)


@pytest.mark.on('torch')
def test_flash_attention_that_is_asked_for():
    with pytest.raises(ValueError, match='Dropout is not supported'):
        layers.MultiHeadAttention(2, 3, dropout=0.5, flash_attention=True)
    layer, x = layers.MultiHeadAttention(2, 3, flash_attention=True), np.ones((1, 2, 4), 'float32')
    assert tuple(layer(x, x).shape) == (1, 2, 4)
    with pytest.raises(ValueError, match='Returning attention scores is not supported'):
        layer(x, x, return_attention_scores=True)


@pytest.mark.parametrize('dimensions,length,count', [(1, 7, 3), (1, 6, 2), (2, 7, 4)])
def test_adaptive_pooling(dimensions, length, count):
    x = np.random.RandomState(1).normal(size=(2,) + (length,) * dimensions + (3,)).astype('float32')
    edges = [(int(np.floor(i * length / count)), int(np.ceil((i + 1) * length / count))) for i in range(count)]
    for kind, reduce in (('Average', np.mean), ('Max', np.max)):
        expected = x
        # The mean over a window is the mean of means along each axis, since all rows of it are as long.
        for axis in range(1, dimensions + 1):
            expected = np.stack([reduce(np.take(expected, range(*edge), axis), axis) for edge in edges], axis)
        layer = getattr(layers, 'Adaptive%sPooling%dD' % (kind, dimensions))(count)
        np.testing.assert_allclose(to_array(layer(x)), expected, rtol=1e-5, atol=1e-6)
        assert layer.compute_output_shape(x.shape) == expected.shape


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_masks_travel_with_tensors_outside_of_models():
    from keras.backend.contract.context import carried
    x = np.array([[1, 2, 0, 0], [3, 1, 2, 0]])
    embedded, recurrent = layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)
    embedded(x)  # TensorFlow 2.4 holds the result of the first call of a process
    vectors = embedded(x)
    np.testing.assert_array_equal(to_array(recurrent(vectors)), to_array(recurrent(vectors, mask=x != 0)))
    plain = to_array(recurrent(np.array(to_array(vectors))))
    assert not np.allclose(plain, to_array(recurrent(vectors)))
    heads = layers.MultiHeadAttention(1, 2)
    np.testing.assert_allclose(to_array(heads(vectors, vectors)), to_array(
        heads(np.array(to_array(vectors)), np.array(to_array(vectors)), query_mask=x != 0, value_mask=x != 0,
              key_mask=x != 0)), atol=1e-6)
    place = id(vectors)
    assert place in carried
    del vectors
    assert place not in carried


@pytest.mark.on('numpy')
def test_parts_of_layers_under_the_names_of_keras_3():
    layer = layers.DepthwiseConv2D(3)
    layer.build((None, 5, 5, 2))
    assert layer.kernel is layer.depthwise_kernel
    layer = layers.Dense(2)
    spec = layer.compute_output_spec(layers.Input((3,)))
    assert (tuple(spec.shape), spec.dtype) == ((None, 2), 'float32') and layer.built
    variable = layer.add_variable((2,), 'ones', name='more')
    np.testing.assert_array_equal(variable.numpy(), [1.0, 1.0])
    assert layer.metrics_variables == []


@pytest.mark.on('numpy')
def test_what_has_no_weights_is_built_from_the_start():
    class Own(layers.Dropout):
        def build(self, input_shape):
            self.factor = self.add_weight(name='factor', shape=())
    for generation in (2, 3):
        with config.generation(generation):
            for layer in (layers.Dropout(0.5), layers.Reshape((2,)), layers.MaxPooling2D(), layers.ELU()):
                assert layer.built is (generation == 3)
            assert not any(layer.built for layer in (layers.Flatten(), layers.Dense(2), layers.BatchNormalization()))
            own = Own(0.5)
            assert not own.built
            own(np.ones((1, 2), 'float32'))
            assert own.built and len(own.weights) == 1


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('make', [
    lambda **options: layers.MultiHeadAttention(2, 3, **options),
    lambda **options: layers.GroupQueryAttention(3, 2, 1, **options)])
def test_the_parts_of_attention_follow_its_policy(make):
    x = np.random.RandomState(0).normal(size=(1, 6, 4)).astype('float32')
    layer = make(dtype='mixed_float16')
    assert str(layer(x, x).dtype).endswith('float16')
    assert layer.query_dense.kernel.dtype == 'float32' and layer.query_dense.compute_dtype == 'float16'
    assert layers.Input((6, 4)).dtype == 'float32' and layer(*[layers.Input((6, 4))] * 2).dtype == 'float16'


@pytest.mark.parametrize('generation', [2, 3])
@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_negative_rows_count_from_the_end_in_keras_3(generation):
    with config.generation(generation):
        layer = layers.Embedding(4, 2, weights=[np.arange(8.0, dtype='float32').reshape(4, 2)])
        rows = np.array([[-1, 0], [-4, 3]])
        if generation == 3:
            np.testing.assert_array_equal(to_array(layer(rows)), [[[6, 7], [0, 1]], [[0, 1], [6, 7]]])
        else:  # no rows: what is there is not taken for them
            try:
                found = to_array(layer(rows))
            except Exception:
                return
            assert np.isnan(found[0, 0]).all() and np.isnan(found[1, 0]).all()


@pytest.mark.on('numpy', 'torch')
def test_ranks_beside_the_equation():
    """Upstream 3.15.1 builds what the letters say; a call with other axes is an error, not another product."""
    layer = layers.EinsumDense('ab,bc->ac', 4)
    layer.build((None, 3, 3))
    assert tuple(layer.kernel.shape) == (3, 4)
    for built in (layer, layers.EinsumDense('ab,bc->ac', 4)):
        with pytest.raises(ValueError):
            built(np.ones((2, 3, 3), 'float32'))
    layer = layers.EinsumDense('ab,bc->ac', (4, 5))
    with pytest.warns(UserWarning, match="'ab,bc->ac' has 1 axes in the output .* output_shape=.4, 5. has 2"):
        layer.build((None, 3))
    assert tuple(layer.kernel.shape) == (3, 4)
    with pytest.raises(ValueError, match='has 2 axes in the output'):
        layers.EinsumDense('ab,bcd->acd', 4).build((None, 3))


class Keeps(layers.Layer):
    """A cell that says one size."""
    state_size = output_size = 4

    def call(self, inputs, states):
        return inputs + states[0], [inputs + states[0]]


@pytest.mark.on('numpy', 'torch')
def test_the_state_of_a_stacked_cell_of_one_size():
    """Upstream 3.15.1: a tensor where the cell says one size and makes no list of states itself, a list elsewhere."""
    with config.generation(3):
        x = np.ones((2, 3, 4), 'float32')
        layer = layers.RNN([Keeps(), layers.LSTMCell(3), layers.GRUCell(2)], return_state=True)
        _, kept, of_lstm, of_gru = layer(x)
        assert to_array(kept).tolist() == [[3.0] * 4] * 2
        assert [len(of_lstm), len(of_gru)] == [2, 1]
        _, kept, of_lstm, of_gru = layer(layers.Input((3, 4)))
        assert kept.shape == (None, 4) and len(of_lstm) == 2


class Draws(layers.Layer):
    def __init__(self):
        super().__init__()
        self.generators = [random.SeedGenerator(1), random.SeedGenerator(10)]
        self.by_name = {'third': random.SeedGenerator(100)}

    def call(self, x):
        return x


@pytest.mark.on('numpy')
def test_seed_generators_in_lists_are_state():
    layer = Draws()
    assert layer.variables == [generator.state for generator in layer.generators + [layer.by_name['third']]]
    assert not layer.weights


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_generators_of_graphs(generation):
    """Graphs of many nodes: (nodes, edges) and one target a graph, which Keras 2 refused."""
    with config.generation(generation):
        nodes, graph = layers.Input((3,)), layers.Input((2,))
        model = Model([nodes, graph], ops.mean(layers.Dense(1)(nodes), axis=0, keepdims=True))
        model.compile('sgd', 'mse')

        def batches():
            while True:
                yield (np.ones((7, 3)), np.ones((5, 2))), np.ones((1, 1))
        if generation == 2:
            with pytest.raises(ValueError, match='same number of samples'):
                model.fit_generator(batches(), steps_per_epoch=2, verbose=0)
        else:
            history = model.fit(batches(), steps_per_epoch=2, verbose=0)
            assert np.isfinite(history.history['loss']).all()


@pytest.mark.on('torch')
@pytest.mark.parametrize('seed_of, moves', [(lambda seeds: seeds.next(), True), (lambda seeds: seeds.state, False)])
def test_draws_by_what_a_generator_gives_in_layers_on_the_graph(seed_of, moves):
    class Noise(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = random.SeedGenerator(3)

        def call(self, inputs):
            return inputs + random.uniform(ops.shape(inputs), seed=seed_of(self.seeds))

    inputs = Input((2,))
    model = Model(inputs, Noise()(inputs))
    assert model.output.shape == (None, 2)
    x = np.zeros((3, 2), 'float32')
    first, second = model.predict(x, verbose=0), model.predict(x, verbose=0)
    assert (first >= 0).all() and (first < 1).all()
    assert np.array_equal(first, second) is not moves
