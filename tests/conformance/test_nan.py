"""What is not a number stays so: a mistake in the data must reach the loss, where callbacks look for it."""
import numpy as np
import pytest

from keras import activations, layers, losses, models
from keras.backend.contract.loading import get_engine
from keras.backend.table.entries import TABLE

X = np.array([[np.nan, 1.0, -2.0, 0.5], [1.0, 2.0, -3.0, 0.0]], 'float32')
ARGUMENTS = {'threshold': (0.5, -1.0)}
ACTIVATIONS = """celu elu gelu hard_shrink hard_sigmoid hard_sigmoid_keras2 hard_silu hard_tanh leaky_relu log_sigmoid
                 log_softmax relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus
                 sparse_sigmoid sparsemax squareplus tanh tanh_shrink threshold""".split()
RELUS = [(0.1,), (0.0, 6.0), (0.0, 2.0), (0.1, 6.0), (0.0, None, 0.5), (0.1, 2.0, 0.5)]


def check(function):
    engine = get_engine()
    for run in (function, engine.step(function, [], [])):
        result = engine.to_numpy(run(engine.convert(X)))
        assert np.isnan(result[0, 0]), result
        assert not np.isnan(result[1]).any(), result


@pytest.mark.parametrize('name', ACTIVATIONS)
def test_activations_keep_nan(name):
    check(lambda x: TABLE[name].call(x, *ARGUMENTS.get(name, ())))


@pytest.mark.parametrize('arguments', RELUS, ids=str)
def test_rectifiers_keep_nan(arguments):
    check(lambda x: activations.relu(x, *arguments))


@pytest.mark.parametrize('activation', 'relu elu selu tanh sigmoid hard_sigmoid softplus softsign'.split())
def test_a_compiled_model_keeps_nan(activation):
    """Compilers merge a product with the activation behind it."""
    model = models.Sequential([layers.Dense(5, activation=activation, input_shape=(4,)),
                               layers.Dense(3, activation=activation)])
    found = model.predict(X)
    assert np.isnan(found[0]).all() and not np.isnan(found[1]).any()


@pytest.mark.parametrize('layer', [
    lambda: layers.Conv2D(5, 3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.Conv2D(5, 3, activation='relu6', padding='same', bias_initializer='ones'),
    lambda: layers.DepthwiseConv2D(3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.Conv3D(5, 3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.Conv1D(5, 3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.Conv2DTranspose(5, 3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.SeparableConv2D(5, 3, activation='relu', padding='same', bias_initializer='ones'),
    lambda: layers.Dense(5, activation='relu', bias_initializer='ones')],
    ids=['conv2d', 'relu6', 'depthwise', 'conv3d', 'conv1d', 'transposed', 'separable', 'dense by step'])
def test_products_with_many_axes_keep_nan(layer):
    layer = layer()
    sizes = {layers.Conv3D: (4, 5, 6), layers.Conv1D: (4,), layers.Dense: (4,)}.get(type(layer), (4, 5))
    x = np.ones((2,) + sizes + (2,), 'float32')
    x[0] = np.nan
    found = models.Sequential([layers.Input(x.shape[1:]), layer]).predict(x)
    assert np.isnan(found[0]).all() and not np.isnan(found[1]).any()


def test_normalization_behind_a_convolution_keeps_nan():
    x = np.ones((2, 4, 5, 2), 'float32')
    x[0] = np.nan
    model = models.Sequential([layers.Conv2D(5, 3, input_shape=x.shape[1:], use_bias=False),
                               layers.BatchNormalization(), layers.Activation('relu')])
    found = model.predict(x)
    assert np.isnan(found[0]).all() and not np.isnan(found[1]).any()


@pytest.mark.needs_gradients
def test_gradients_of_rectifiers_behind_a_product():
    """At, below and above the corners: 0, 0, 1 and 0, as where nothing is merged."""
    model = models.Sequential([layers.Dense(1, activation='relu6', input_shape=(1,), kernel_initializer='ones',
                                            bias_initializer='zeros')])
    model.compile('sgd', lambda target, output: output)
    for value, slope in [(0.0, 0.0), (-1.0, 0.0), (2.0, 1.0), (7.0, 0.0)]:
        model.set_weights([np.ones((1, 1)), np.zeros(1)])
        model.optimizer.learning_rate = 1.0
        model.train_on_batch(np.full((1, 1), value), np.zeros((1, 1)))
        np.testing.assert_allclose(model.get_weights()[1], [-slope])


@pytest.mark.needs_gradients
def test_nan_in_the_data_is_seen_in_the_loss():
    model = models.Sequential([layers.Dense(5, activation='relu', input_shape=(4,)), layers.Dense(1)])
    model.compile('sgd', 'mse')
    assert np.isnan(model.train_on_batch(X, np.zeros((2, 1), 'float32')))


@pytest.mark.parametrize('loss', ['mse', 'mae', 'mape', 'msle', 'binary_crossentropy', 'categorical_crossentropy',
                                  'kld', 'poisson', 'hinge', 'squared_hinge', 'logcosh'])
def test_losses_keep_nan(loss):
    engine = get_engine()
    found = engine.to_numpy(losses.get(loss)(engine.convert(np.ones_like(X)), engine.convert(X)))
    assert np.isnan(found[0])
