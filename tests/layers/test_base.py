"""`Layer` itself: what calls remember, building anew, making weights, and messages."""
import warnings

import numpy as np
import pytest

import keras
from keras import backend as K, constraints, layers, regularizers
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential

DATA = np.arange(6, dtype='float32').reshape(2, 3)


def warmed(layer, engine, data=DATA):
    """`layer` after as many calls as it takes to go the short way."""
    for _ in range(3):
        layer(engine.convert(data))
    return layer


@pytest.mark.parametrize('make, wrong', [
    (lambda: layers.Dense(2), (3,)), (lambda: layers.Dense(2), (2, 4)), (lambda: layers.BatchNormalization(), (2, 1)),
    (lambda: layers.BatchNormalization(), (2, 2, 3)), (lambda: layers.BatchNormalization(), (3,))])
def test_wrong_shapes_are_refused_after_right_ones(make, wrong, engine):
    layer = warmed(make(), engine)
    with pytest.raises(ValueError, match='of layer "%s" is incompatible with the layer' % layer.name):
        layer(engine.convert(np.ones(wrong, 'float32')))
    assert to_array(layer(engine.convert(DATA[:1]))).shape[0] == 1


def test_a_regularizer_set_after_calls_counts(engine):
    layer = warmed(layers.Activation('linear'), engine)
    layer.activity_regularizer = regularizers.l2(1.0)
    layer(engine.convert(DATA))
    np.testing.assert_allclose(to_array(layer.losses[0]), (DATA ** 2).sum())
    layer.activity_regularizer = None
    warmed(layer, engine)
    assert layer.losses == []


def test_a_layer_that_is_no_longer_built_is_built_for_the_next_input(engine):
    layer = warmed(layers.Dense(2), engine)
    kernel = layer.kernel
    layer.built = False
    layer.input_spec = None
    layer(engine.convert(np.ones((2, 5), 'float32')))
    assert layer.kernel is not kernel and layer.kernel.shape == (5, 2)
    assert [weight.shape for weight in layer.weights] == [(5, 2), (2,)]


def test_building_anew_keeps_the_weights_made_elsewhere():
    class Both(layers.Layer):
        def __init__(self):
            super(Both, self).__init__()
            self.first = self.add_weight(name='first', shape=(1,))

        def build(self, input_shape):
            self.second = self.add_weight(name='second', shape=input_shape[-1:])

        def call(self, inputs):
            return inputs * self.second + self.first
    layer = Both()
    layer(DATA)
    layer.built = False
    layer(DATA[:, :2])
    found = [(weight.path.split('/')[-1], weight.shape) for weight in layer.weights]
    assert found == [('first', (1,)), ('second', (2,))]


SHAPE_FIRST = [
    lambda layer, **kw: layer.add_weight((3,), initializer='ones', name='w', **kw),
    lambda layer, **kw: layer.add_weight((3,), 'ones', name='w', **kw),
    lambda layer, **kw: layer.add_weight((3,), 'ones', 'w', **kw),                      # Keras 1 and 2.0
    lambda layer, **kw: layer.add_weight([3], 'ones', 'float32', name='w', **kw),       # Keras 3
    lambda layer, **kw: layer.add_weight(shape=(3,), initializer='ones', name='w', **kw),
    lambda layer, **kw: layer.add_weight('w', (3,), 'float32', 'ones', **kw),           # Keras 2.1 to tf.keras
    lambda layer, **kw: layer.add_weight('w', shape=(3,), initializer='ones', **kw)]


@pytest.mark.parametrize('add', SHAPE_FIRST)
@pytest.mark.parametrize('further', [{}, dict(trainable=False, constraint='nonneg', regularizer='l1')], ids=str)
def test_add_weight_in_the_order_of_every_generation(add, further):
    layer = layers.Layer(name='mine')
    weight = add(layer, **further)
    assert weight.shape == (3,) and weight.dtype == 'float32' and weight.path == 'mine/w'
    assert weight.numpy().tolist() == [1.0] * 3
    assert weight.trainable is (not further)
    assert (weight.constraint is None) is (weight.regularizer is None) is (not further)
    assert layer.weights == [weight]


def test_what_follows_a_shape_is_told_by_its_type():
    layer = layers.Layer()
    one = layer.add_weight((2,), 'zeros', 'i', regularizers.l1(1.0), False, constraints.NonNeg())   # Keras 2.0
    assert one.path.endswith('/i') and one.dtype == 'float32' and not one.trainable
    assert one.regularizer and one.constraint
    two = layer.add_weight((2,), 'zeros', 'k', False, None, constraints.NonNeg())                   # Keras 1
    assert two.path.endswith('/k') and not two.trainable and two.regularizer is None and two.constraint
    three = layer.add_weight((2,), 'zeros', 'int32', False, True, None, None, name='n')             # Keras 3
    assert three.path.endswith('/n') and three.dtype == 'int32' and not three.trainable
    with pytest.raises(TypeError, match='takes further arguments by name. Received: 5'):
        layer.add_weight((2,), 'zeros', 5)


def test_an_error_in_call_names_the_layer():
    class Broken(layers.Layer):
        def call(self, inputs):
            raise KeyError('what')

    class Outer(layers.Layer):
        def __init__(self):
            super(Outer, self).__init__()
            self.inner = Broken(name='inner_one')

        def call(self, inputs):
            return self.inner(inputs)
    for call in (lambda: Outer()(DATA), lambda: Outer()(layers.Input((3,)))):
        with pytest.raises(KeyError, match='what.*Raised in <Broken name=inner_one'):
            call()


@pytest.mark.parametrize('generation, name', [(1, 'named/kernel:0'), (2, 'named/kernel:0'), ('tf', 'named/kernel:0'),
                                              (3, 'kernel')])
def test_names_of_weights(generation, name):
    with keras.config.generation(generation):
        layer = layers.Dense(1, name='named')
    layer.build((None, 2))
    assert layer.kernel.name == name and layer.kernel.path == 'named/kernel'
    layer.set_weights([[[1.0], [2.0]], [3.0]])
    assert K.get_value(layer.kernel).tolist() == [[1], [2]]


def inputs(*shape):
    return layers.Input(shape)


def sparse_layer(body):
    """A layer whose `call` is `body`."""
    return type('Mine', (layers.Layer,), {'call': body})()


@pytest.mark.parametrize('call, error, message', [
    (lambda: layers.Dense(2)({'a': inputs(3)}), ValueError, "one tensor, but it received a dictionary.*'a'"),
    (lambda: layers.Dense(2)(None), TypeError, 'expects a tensor, but it received None'),
    (lambda: layers.Dense(2)('x'), TypeError, "expects a tensor, but it received 'x'"),
    (lambda: layers.Dense(2)(layers.Dense(3)), TypeError, 'expects a tensor, but it received <Dense'),
    (lambda: layers.Dense(2)([inputs(3), inputs(3)]), ValueError, 'expects 1 input.*it received 2 input tensors'),
    (lambda: layers.Dense(2)(inputs(3), scale=1), TypeError, "argument 'scale' that its `call` does not take"),
    (lambda: layers.Conv2D(2, 3)(inputs(8, 3)), ValueError, 'expected ndim=4, found ndim=3'),
    (lambda: layers.LSTM(2)(inputs(8)), ValueError, 'expected ndim=3, found ndim=2'),
    (lambda: layers.PReLU(shared_axes=[5])(inputs(3)), ValueError, 'shared_axes=.5. must name axes behind the batch'),
    (lambda: layers.Softmax(axis=3)(inputs(3)), ValueError, 'axis=3 does not name an axis'),
    (lambda: layers.Lambda(lambda x: None)(inputs(3)), ValueError, 'gave None.*without `return`'),
    (lambda: sparse_layer(lambda self, x: None)(inputs(3)), ValueError, 'gave None.*without `return`')])
def test_wrong_calls_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_training_and_mask_may_be_given_to_any_layer():
    x = inputs(3)
    model = Model(x, layers.Dense(2, kernel_initializer='ones')(x, training=True))
    np.testing.assert_allclose(model.predict(DATA)[:, 0], DATA.sum(1))


class Guarded(layers.Layer):
    weight = None

    def call(self, inputs):
        if self.weight is None:
            self.weight = self.add_weight(name='w', shape=(3,), initializer='ones')
        return inputs * self.weight


@pytest.mark.needs_gradients
def test_weights_made_once_in_call_are_trained():
    model = Sequential([Guarded(input_shape=(3,))])
    model.compile('sgd', 'mse')
    model.fit(DATA, DATA * 2, verbose=0)
    assert [weight.path.split('/')[-1] for weight in model.weights] == ['w']
    assert (model.get_weights()[0] > 1).all()


def test_weights_made_in_every_call_are_refused():
    layer = sparse_layer(lambda self, x: x * self.add_weight(name='w', shape=(3,), initializer='ones'))
    layer(DATA)
    with pytest.raises(ValueError, match="`call` makes the weight 'w' anew in every run"):
        layer(DATA)
    with pytest.raises(ValueError, match="`call` makes the weight 'w' anew in every run"):
        Sequential([sparse_layer(layer.__class__.call), layers.Dense(1)]).predict(DATA)


def test_layers_made_in_call_are_refused():
    class Careless(Model):
        def call(self, inputs):
            return layers.Dense(2)(inputs)
    with pytest.raises(ValueError, match='is built while a step runs.*a layer made in `call`'):
        Careless().predict(DATA)


def test_layers_without_weights_may_be_made_in_call():
    class Careless(Model):
        def call(self, inputs):
            return layers.Activation('relu')(layers.Flatten()(inputs))
    np.testing.assert_array_equal(Careless().predict(DATA), np.maximum(DATA, 0))
    inner = layers.Lambda(lambda x: layers.Reshape((3, 1))(x), input_shape=(3,))
    np.testing.assert_array_equal(Sequential([inner]).predict(DATA), DATA[..., None])


@pytest.mark.parametrize('make', [
    lambda **kw: layers.SeparableConv2D(2, 3, **kw), lambda **kw: layers.SeparableConv1D(2, 3, **kw),
    lambda **kw: layers.DepthwiseConv2D(3, **kw)])
def test_arguments_of_similar_layers_are_taken_with_a_warning(make):
    with pytest.warns(UserWarning, match='`kernel_initializer` has no effect'):
        layer = make(kernel_initializer='ones')
    assert 'kernel_initializer' not in layer.get_config()
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        type(layer).from_config(dict(layer.get_config(), kernel_initializer='ones'))


@pytest.mark.parametrize('dtype', [np.int32, np.dtype('int32'), 'int32', None])
def test_dtypes_of_inputs_go_by_their_names(dtype, engine):
    x = layers.Input((2,), dtype=dtype or engine.convert(np.int32(1)).dtype)
    assert x.dtype == 'int32' and x.get_shape().as_list() == [None, 2]


def test_a_tensor_in_the_place_of_a_weight_reads_like_it(engine):
    model = Sequential([layers.Dense(2, use_bias=False, input_shape=(3,))])
    kernel = np.array([[1., -2.], [-3., 4.], [5., 6.]], 'float32')
    model.set_weights([kernel])
    positive = layers.Dense(2, use_bias=False)
    positive.build((None, 3))
    positive.kernel = positive._trainable_weights[0] = engine.convert(np.maximum(kernel, 0))
    other = Model(model.inputs, positive(model.inputs[0]))
    np.testing.assert_allclose(other.predict(DATA), DATA @ np.maximum(kernel, 0), rtol=1e-5)
    assert other.weights == []
    positive.kernel = engine.convert(kernel)
    np.testing.assert_allclose(engine.to_numpy(positive(engine.convert(DATA))), DATA @ kernel, rtol=1e-5)


@pytest.mark.needs_gradients
def test_gradients_flow_through_a_tensor_in_the_place_of_a_weight():
    class Normalized(layers.Wrapper):
        def build(self, input_shape):
            self.layer.build(input_shape)
            self.layer.trainable = False
            self.scale = self.add_weight(name='scale', shape=(1,), initializer='ones')
            super().build(input_shape)

        def call(self, inputs):
            self.layer.kernel = K.ones((3, 1)) * self.scale
            return self.layer(inputs)

    model = Sequential([layers.InputLayer((3,)), Normalized(layers.Dense(1, use_bias=False))])
    model.compile('sgd', 'mse')
    model.optimizer.lr = 0.1
    model.train_on_batch(np.ones((1, 3)), np.zeros((1, 1)))
    # The loss is (3 s) squared: its slope at 1 is 18.
    scale = [weight for weight in model.weights if 'scale' in weight.name]
    np.testing.assert_allclose(K.get_value(scale[0]), [1 - 1.8], rtol=1e-5)


# Flatten needs two axes behind the batch in Keras 2.
WITHOUT_WEIGHTS = [
    lambda: layers.Lambda(lambda x: x * 2), layers.Flatten, lambda: layers.Reshape((6,)), lambda: layers.Dropout(0.5),
    lambda: layers.Activation('relu'), lambda: layers.Permute((2, 1)), lambda: layers.GaussianNoise(1.0),
    lambda: layers.Masking(0.0), layers.Softmax, layers.GlobalAveragePooling1D, lambda: layers.GaussianDropout(0.5),
    lambda: layers.AlphaDropout(0.5)]


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('dtype', ['float64', 'float16'])
@pytest.mark.parametrize('generation, kept', [(1, True), (2, True), ('tf', False), (3, False)])
def test_layers_without_weights_keep_the_dtype_of_their_inputs(dtype, generation, kept):
    with keras.config.generation(generation):
        inputs = layers.Input((2, 3), dtype=dtype)
        made = [make() for make in WITHOUT_WEIGHTS]
        outputs = [layer(inputs) for layer in made]
        outputs += [layers.Add()([inputs, inputs]), layers.Concatenate()([inputs, inputs])]
        expected = dtype if kept else 'float32'
        assert [K.dtype(output) for output in outputs] == [expected] * len(outputs)
        model = Model(inputs, outputs)
        results = model.predict(np.ones((2, 2, 3), dtype))
        assert [result.dtype for result in results] == [np.dtype(expected)] * len(outputs)
        given = K.cast(inputs, expected)
        assert [K.dtype(layer(given, training=True)) for layer in made if hasattr(layer, 'seed_generator')] \
            == [expected] * 4
        assert K.dtype(layers.Dense(2)(inputs)) == 'float32'


@pytest.mark.parametrize('make', [lambda: layers.Dense(2), lambda: layers.LSTM(2), layers.LayerNormalization])
def test_the_first_call_casts_like_the_others(make):
    layer, given = make(), K.constant(np.ones((1, 3, 2)), dtype='float16')
    assert [K.dtype(layer(given)), K.dtype(layer(given))] == ['float32'] * 2


@pytest.mark.on('numpy', 'torch')
def test_layers_without_weights_that_were_given_a_dtype_compute_in_it():
    inputs = layers.Input((3,), dtype='float64')
    assert K.dtype(layers.Activation('relu', dtype='float16')(inputs)) == 'float16'
    assert K.dtype(layers.Activation('relu', dtype='mixed_float16')(inputs)) == 'float16'
    assert K.dtype(layers.Lambda(lambda x: x + 1.0)(inputs)) == 'float64'


@pytest.mark.needs_gradients
@pytest.mark.parametrize('make', [lambda: layers.Dense(1), lambda: layers.Conv1D(1, 1)])
def test_a_bias_learns_while_its_kernel_is_frozen(make):
    layer = make()
    inputs = layers.Input((1, 2))
    model = Model(inputs, layer(inputs))
    layer.kernel.trainable = False
    layer.set_weights([np.ones_like(w) if w.ndim > 1 else w for w in layer.get_weights()])
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    model.train_on_batch(np.array([[[1.0, 0.0]], [[0.0, 2.0]]]), np.zeros((2, 1, 1)))
    # The outputs are 1 and 2: the slope of the mean of their squares is 3.
    np.testing.assert_allclose(K.get_value(layer.bias), [-0.3], rtol=1e-5)
