"""Every layer by its descriptor: configuration, symbolic against actual shape, gradients of all its weights."""
import numpy as np
import pytest

from keras import layers
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array
from keras.backend.table.composites.shape import static_shape
from keras.backend.table.primitives import multiply, sum as total

# Layer, arguments, input shapes with the batch; shapes of integers are lists.
DESCRIPTORS = [
    ('Dense', dict(units=4, activation='tanh', kernel_regularizer='l2', bias_constraint='non_neg'), (3, 5)),
    ('Dense', dict(units=2, use_bias=False), (2, 3, 4)),
    ('Activation', dict(activation='tanh'), (2, 3)),
    ('ActivityRegularization', dict(l1=0.1), (2, 3)),
    ('Dropout', dict(rate=0.5, noise_shape=(None, 1), seed=3), (4, 5)),
    ('SpatialDropout1D', dict(rate=0.5), (2, 3, 4)),
    ('SpatialDropout2D', dict(rate=0.5, data_format='channels_first'), (2, 3, 4, 4)),
    ('SpatialDropout3D', dict(rate=0.5), (2, 3, 2, 2, 4)),
    ('Flatten', dict(), (2, 3, 4)),
    ('Flatten', dict(data_format='channels_first'), (2, 3, 4, 5)),
    ('Reshape', dict(target_shape=(2, -1)), (3, 4, 5)),
    ('Permute', dict(dims=(2, 1)), (2, 3, 4)),
    ('RepeatVector', dict(n=3), (2, 4)),
    ('Masking', dict(mask_value=1.0), (2, 3, 4)),
    ('Embedding', dict(input_dim=8, output_dim=3, mask_zero=True), [2, 5]),
    ('Conv1D', dict(filters=4, kernel_size=3, padding='causal', dilation_rate=2), (2, 8, 3)),
    ('Conv1D', dict(filters=4, kernel_size=2, data_format='channels_first'), (2, 3, 8)),
    ('Conv2D', dict(filters=4, kernel_size=3, strides=2, padding='same', activation='relu'), (2, 7, 6, 3)),
    ('Conv2D', dict(filters=4, kernel_size=2, groups=2, data_format='channels_first'), (2, 4, 5, 5)),
    ('Conv3D', dict(filters=2, kernel_size=2), (1, 4, 4, 4, 2)),
    ('Conv1DTranspose', dict(filters=2, kernel_size=3, strides=2), (2, 4, 3)),
    ('Conv2DTranspose', dict(filters=2, kernel_size=3, strides=2, padding='same', output_padding=1), (2, 4, 3, 2)),
    ('Conv3DTranspose', dict(filters=2, kernel_size=2, strides=2), (1, 2, 3, 2, 2)),
    ('DepthwiseConv1D', dict(kernel_size=2, depth_multiplier=2), (2, 6, 3)),
    ('DepthwiseConv2D', dict(kernel_size=2, depth_multiplier=2), (2, 4, 4, 3)),
    ('SeparableConv1D', dict(filters=4, kernel_size=3, depth_multiplier=2), (2, 6, 3)),
    ('SeparableConv2D', dict(filters=4, kernel_size=2, data_format='channels_first'), (2, 3, 5, 5)),
    ('LocallyConnected1D', dict(filters=3, kernel_size=2), (2, 5, 2)),
    ('LocallyConnected2D', dict(filters=3, kernel_size=2, strides=2), (2, 5, 4, 2)),
    ('ZeroPadding1D', dict(padding=(1, 2)), (2, 3, 2)),
    ('ZeroPadding2D', dict(padding=((1, 0), (2, 3))), (2, 3, 4, 2)),
    ('ZeroPadding3D', dict(padding=1), (1, 2, 2, 2, 2)),
    ('Cropping1D', dict(cropping=1), (2, 5, 2)),
    ('Cropping2D', dict(cropping=((1, 0), (2, 1))), (2, 4, 5, 2)),
    ('Cropping3D', dict(cropping=((1, 0), (0, 1), (1, 1))), (1, 3, 3, 4, 2)),
    ('UpSampling1D', dict(size=3), (2, 3, 2)),
    ('UpSampling2D', dict(size=(2, 3), interpolation='bilinear'), (2, 3, 4, 2)),
    ('UpSampling3D', dict(size=2), (1, 2, 2, 2, 2)),
    ('MaxPooling1D', dict(pool_size=3, strides=2, padding='same'), (2, 7, 2)),
    ('MaxPooling2D', dict(), (2, 5, 4, 2)),
    ('MaxPooling3D', dict(), (1, 4, 4, 4, 2)),
    ('AveragePooling1D', dict(), (2, 6, 2)),
    ('AveragePooling2D', dict(padding='same', data_format='channels_first'), (2, 2, 5, 5)),
    ('AveragePooling3D', dict(), (1, 4, 4, 4, 2)),
    ('GlobalMaxPooling1D', dict(), (2, 5, 3)),
    ('GlobalMaxPooling2D', dict(keepdims=True), (2, 4, 4, 3)),
    ('GlobalMaxPooling3D', dict(), (1, 3, 3, 3, 2)),
    ('GlobalAveragePooling1D', dict(data_format='channels_first'), (2, 5, 3)),
    ('GlobalAveragePooling2D', dict(data_format='channels_first', keepdims=True), (2, 4, 4, 3)),
    ('GlobalAveragePooling3D', dict(), (1, 3, 3, 3, 2)),
    ('BatchNormalization', dict(momentum=0.9), (6, 4)),
    ('BatchNormalization', dict(axis=1, scale=False), (3, 2, 4, 4)),
    ('LayerNormalization', dict(), (3, 4, 5)),
    ('LayerNormalization', dict(axis=(1, 2), center=False), (3, 4, 5)),
    ('LeakyReLU', dict(alpha=0.2), (2, 3)),
    ('PReLU', dict(shared_axes=[1], alpha_initializer='ones'), (2, 3, 4)),
    ('ELU', dict(alpha=0.5), (2, 3)),
    ('ThresholdedReLU', dict(theta=0.5), (2, 3)),
    ('Softmax', dict(axis=1), (2, 3, 4)),
    ('ReLU', dict(max_value=1.0, negative_slope=0.1, threshold=0.2), (2, 3)),
    ('GaussianNoise', dict(stddev=0.1, seed=1), (2, 3)),
    ('GaussianDropout', dict(rate=0.5), (2, 3)),
    ('AlphaDropout', dict(rate=0.5), (2, 3)),
    ('SimpleRNN', dict(units=3, return_sequences=True), (2, 4, 5)),
    ('GRU', dict(units=3, reset_after=True, go_backwards=True), (2, 4, 5)),
    ('GRU', dict(units=3, implementation=1, dropout=0.2, recurrent_dropout=0.2, return_state=True), (2, 4, 5)),
    ('LSTM', dict(units=3, return_sequences=True, return_state=True), (2, 4, 5)),
    ('LSTM', dict(units=3, dropout=0.5, unroll=True), (2, 4, 5)),
    ('LSTM', dict(units=3, recurrent_dropout=0.5, recurrent_activation='hard_sigmoid'), (2, 4, 5)),
    ('CuDNNGRU', dict(units=3), (2, 4, 5)),
    ('CuDNNLSTM', dict(units=3, return_sequences=True), (2, 4, 5)),
    ('ConvLSTM2D', dict(filters=2, kernel_size=2, dropout=0.2, recurrent_dropout=0.2, return_sequences=True),
     (2, 3, 4, 4, 2)),
]
MERGES = [('Add', {}), ('Subtract', {}), ('Multiply', {}), ('Average', {}), ('Maximum', {}), ('Minimum', {}),
          ('Concatenate', {'axis': 1}), ('Dot', {'axes': 2, 'normalize': True})]
IDS = ['%s%d' % (name, index) for index, (name, _, _) in enumerate(DESCRIPTORS)]

with_descriptors = pytest.mark.parametrize('name, arguments, shape', DESCRIPTORS, ids=IDS)


def data(shape):
    generator = np.random.RandomState(7)
    if isinstance(shape, list):
        return generator.randint(1, 8, size=shape).astype('int32')
    return generator.normal(size=shape).astype('float32')


def make(name, arguments):
    return getattr(layers, name)(**arguments)


@with_descriptors
def test_config_round_trip(name, arguments, shape):
    layer = make(name, arguments)
    config = layer.get_config()
    for key, value in arguments.items():
        assert key in config, '%s is not in the configuration' % key
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == config
    layer(data(shape))
    again(data(shape))
    again.set_weights(layer.get_weights())
    for ours, theirs in zip(tree.flatten(layer(data(shape))), tree.flatten(again(data(shape)))):
        np.testing.assert_allclose(to_array(ours), to_array(theirs), rtol=1e-6)


@with_descriptors
def test_symbolic_shape_is_the_actual_one(name, arguments, shape):
    layer = make(name, arguments)
    dtype = 'int32' if isinstance(shape, list) else 'float32'
    symbolic = tree.flatten(layer(layers.Input(tuple(shape[1:]), dtype=dtype)))
    assert all(isinstance(output, KerasTensor) for output in symbolic)
    actual = tree.flatten(layer(data(shape)))
    assert [output.shape[1:] for output in symbolic] == [static_shape(output)[1:] for output in actual]
    assert all(output.shape[0] is None for output in symbolic)
    for training in (False, True):
        assert [static_shape(x) for x in tree.flatten(layer(data(shape), training=training))] == [
            static_shape(x) for x in actual]


@with_descriptors
@pytest.mark.needs_gradients
def test_training_step_reaches_all_weights(name, arguments, shape):
    layer = make(name, arguments)
    x = get_engine().convert(data(shape))
    layer(x)
    if not layer.trainable_weights:
        pytest.skip('no weights')

    def loss():
        result = 0.0
        for output in tree.flatten(layer(x, training=True)):
            factors = np.random.RandomState(3).normal(size=static_shape(output)).astype('float32')
            result = result + total(multiply(multiply(output, output), factors))
        return result, None
    (value, _), gradients = get_engine().value_and_grad(loss, layer.trainable_weights)
    assert np.isfinite(to_array(value))
    for weight, gradient in zip(layer.trainable_weights, gradients):
        assert np.any(to_array(gradient) != 0), '%s gets no gradient' % weight.name
        before = weight.numpy()
        weight.assign(before - 0.1 * to_array(gradient))
        assert np.any(weight.numpy() != before)


@pytest.mark.parametrize('name, arguments', MERGES)
def test_merges(name, arguments):
    layer = make(name, arguments)
    x, y = data((2, 3, 4)), data((2, 3, 4))[:, ::-1].copy()
    symbolic = layer([layers.Input((3, 4)), layers.Input((3, 4))])
    actual = layer([x, y])
    assert symbolic.shape[1:] == static_shape(actual)[1:]
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    np.testing.assert_allclose(to_array(again([x, y])), to_array(actual), rtol=1e-6)
    # The function of the same name in lower case applies such a layer.
    function = getattr(layers, name.lower())
    np.testing.assert_allclose(to_array(function([x, y], **arguments)), to_array(actual), rtol=1e-6)
