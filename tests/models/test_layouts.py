"""Plans of engines that want the channels first: the same numbers, and transposes only where a chain begins or ends."""
import numpy as np
import pytest

from keras import config, layers, ops
from keras.models import Model, Sequential
from keras.models.layouts import ChannelsFirst


@pytest.fixture(params=['channels_last', 'channels_first'])
def preferred(request, engine, monkeypatch):
    """Let the engine of the run declare either order; what it does not do itself, the composites do."""
    monkeypatch.setattr(type(engine), 'data_format', request.param)
    return request.param


def operations(model, training=False):
    return [node.operation for node in model.layer_graph.plan(training).nodes]


def transposes(model):
    return sum(operation.name == 'transpose' for operation in operations(model))


def chain():
    return Sequential([
        layers.Conv2D(4, 3, padding='same', activation='relu', input_shape=(9, 8, 3)), layers.BatchNormalization(),
        layers.LeakyReLU(0.1), layers.MaxPooling2D(), layers.Dropout(0.5), layers.SpatialDropout2D(0.2),
        layers.ZeroPadding2D(((1, 0), (0, 1))), layers.Cropping2D(((0, 1), (1, 0))), layers.UpSampling2D((2, 1)),
        layers.SeparableConv2D(5, 2), layers.DepthwiseConv2D(2, depth_multiplier=2), layers.Conv2DTranspose(3, 2),
        layers.Activation('tanh'), layers.AveragePooling2D((2, 1)), layers.Flatten(), layers.Dense(3)])


def residual():
    """Branches that are added and concatenated, and operations on symbolic tensors."""
    x = layers.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding='same')(x)
    y = layers.add([x, y])
    z = layers.Conv2D(2, 1)(y)
    y = layers.concatenate([y, z, ops.relu(z) * 2.0])
    weights = layers.GlobalAveragePooling2D(keepdims=True)(y)
    y = layers.multiply([y, layers.Conv2D(8, 1, activation='sigmoid')(weights)])
    return Model(x, [layers.GlobalMaxPooling2D()(y), y])


def with_outsiders():
    """Layers that need the channels last inside: softmax, a dense layer, PReLU, a Lambda, a reshape."""
    x = layers.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, activation='softmax')(x)
    y = layers.PReLU()(layers.Conv2D(4, 2, padding='same')(y))
    y = layers.Dense(3)(layers.MaxPooling2D(2, 1)(y))
    y = layers.Lambda(lambda v: v[..., :2])(layers.Conv2D(3, 1)(y))
    y = layers.Conv2D(3, 1)(y)
    return Model(x, layers.Reshape((-1, 3))(layers.Softmax()(y)))


def volumes_and_lines():
    x, line = layers.Input((4, 5, 4, 2)), layers.Input((10, 2))
    y = layers.MaxPooling3D((1, 2, 1))(layers.Conv3D(3, 2, activation='elu')(x))
    z = layers.GlobalAveragePooling1D()(layers.Conv1D(3, 2, padding='causal')(layers.Conv1D(4, 3, strides=2)(line)))
    return Model([x, line], [layers.GlobalAveragePooling3D()(y), z])


BUILDERS = {'chain': (chain, [(9, 8, 3)]), 'residual': (residual, [(8, 8, 4)]),
            'with_outsiders': (with_outsiders, [(6, 6, 2)]),
            'volumes_and_lines': (volumes_and_lines, [(4, 5, 4, 2), (10, 2)])}


def by_hand(model, values):
    """The outputs by calling the layers one by one, as they are."""
    found = {id(tensor): ops.convert_to_tensor(value) for tensor, value in zip(model.inputs, values)}
    for node in model.layer_graph.nodes:
        args = [[found[id(x)] for x in arg] if isinstance(arg, list) else found.get(id(arg), arg) for arg in node.args]
        result = node.operation.call(*args)
        found[id(node.outputs[0])] = result
    return [ops.convert_to_numpy(found[id(tensor)]) for tensor in model.outputs]


@pytest.mark.parametrize('name', sorted(BUILDERS))
def test_the_outputs_are_those_of_the_layers(name, preferred):
    build, shapes = BUILDERS[name]
    model = build()
    values = [np.random.randn(2, *shape).astype('float32') for shape in shapes]
    found = model.predict(values if len(values) > 1 else values[0])
    found = found if isinstance(found, list) else [found]
    for ours, expected in zip(found, by_hand(model, values)):
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


def test_a_chain_is_transposed_once(preferred):
    model = chain()
    moved = sum(isinstance(operation, ChannelsFirst) for operation in operations(model))
    # From the first convolution to the flattening all layers run with the channels first.
    assert (transposes(model), moved) == ((1, 15) if preferred == 'channels_first' else (0, 0))


def test_nothing_is_moved_where_there_are_no_images(preferred):
    model = Sequential([layers.Dense(4, input_shape=(5, 3)), layers.BatchNormalization(), layers.Flatten()])
    assert transposes(model) == 0


def test_a_channels_first_model_is_left_alone(preferred):
    model = Sequential([layers.Conv2D(4, 3, data_format='channels_first', input_shape=(3, 8, 8)),
                        layers.BatchNormalization(axis=1), layers.GlobalAveragePooling2D('channels_first')])
    assert transposes(model) == 0
    assert not any(isinstance(operation, ChannelsFirst) for operation in operations(model))


def test_layers_of_others_see_their_own_layout(preferred):
    seen = []

    class Watch(layers.Conv2D):
        def call(self, inputs):
            seen.append(tuple(ops.shape(inputs)))
            return super().call(inputs)

    model = Sequential([layers.Conv2D(4, 1, input_shape=(5, 6, 3)), Watch(2, 1), layers.Conv2D(2, 1)])
    model.predict(np.zeros((2, 5, 6, 3), 'float32'))
    assert all(shape[1:] == (5, 6, 4) for shape in seen) and seen


@pytest.mark.needs_gradients
def test_training_and_moving_averages_are_the_same(engine, monkeypatch):
    def trained(data_format):
        monkeypatch.setattr(type(engine), 'data_format', data_format)
        model = Sequential([layers.Conv2D(4, 3, use_bias=False, input_shape=(6, 6, 2)), layers.BatchNormalization(),
                            layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2)])
        model.set_weights(start or model.get_weights())
        weights = model.get_weights()
        model.compile('sgd', 'mse')
        for _ in range(2):
            model.train_on_batch(x, y)
        return weights, model.get_weights()

    x, y = np.random.randn(4, 6, 6, 2).astype('float32'), np.random.randn(4, 2).astype('float32')
    start = None
    start, expected = trained('channels_last')
    _, found = trained('channels_first')
    for ours, wanted in zip(found, expected):
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5)


def test_freezing_a_layer_after_the_plan_was_made_counts(preferred):
    with config.generation(3):
        model = Sequential([layers.Conv2D(2, 1, input_shape=(4, 4, 2)), layers.BatchNormalization()])
    x = np.random.randn(3, 4, 4, 2).astype('float32')
    plan = model.layer_graph.plan(True)
    model.layers[-1].trainable = False
    ones = plan([ops.convert_to_tensor(x)])[0]
    np.testing.assert_allclose(ops.convert_to_numpy(ones), model.predict(x), rtol=1e-4, atol=1e-5)
