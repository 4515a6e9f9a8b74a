"""Models, training and custom layers in the words of Keras 1."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras import layers as L
from keras.engine.saving import preprocess_weights_for_loading
from keras.engine.topology import InputSpec, Layer
from keras.models import Model, Sequential, model_from_yaml

X, Y = np.arange(150.0, dtype='float32').reshape(50, 3) / 150, np.ones((50, 2), 'float32')


class Source:
    """Batches of ten; counts them."""

    def __init__(self, rows=10):
        self.count, self.rows = 0, rows

    def __iter__(self):
        return self

    def __next__(self):
        self.count += 1
        return X[:self.rows], Y[:self.rows]


@pytest.fixture
def model():
    model = Sequential([L.Dense(2, input_dim=3)])
    model.compile('sgd', 'mse')
    return model


@pytest.mark.needs_gradients
def test_samples_become_batches(model):
    source, validation = Source(), Source()
    with pytest.warns(DeprecationWarning, match=r'steps_per_epoch=5, epochs=2, verbose=0.*validation_steps=2'):
        history = model.fit_generator(source, samples_per_epoch=45, nb_epoch=2, verbose=0, validation_data=validation,
                                      nb_val_samples=20, max_q_size=2, nb_worker=1, pickle_safe=False)
    assert (source.count, validation.count) == (10, 4) and len(history.history['val_loss']) == 2


@pytest.mark.on('torch')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
@pytest.mark.parametrize('generation, batches', [(1, 10), (2, 90), (3, 90)])
def test_what_the_number_behind_a_generator_counts(model, generation, batches):
    source = Source()
    with keras.config.generation(generation):
        model.fit_generator(source, 45, 2, 0)
    assert source.count == batches


@pytest.mark.on('numpy')
def test_evaluate_and_predict(model):
    with pytest.warns(DeprecationWarning, match=r'steps=3'):
        assert model.predict_generator(Source(), val_samples=25).shape == (30, 2)
    with pytest.warns(DeprecationWarning, match=r'steps=3'):
        loss = model.evaluate_generator(Source(), val_samples=30)
    assert loss == pytest.approx(model.evaluate(X[:10], Y[:10], verbose=0), rel=1e-5)
    source = Source()
    source.batch_size = 5
    with pytest.warns(DeprecationWarning, match=r'steps=2'):
        model.predict_generator(source, val_samples=10)
    assert source.count == 2


@pytest.mark.on('torch')
def test_fit(model):
    with pytest.warns(DeprecationWarning, match=r'Write fit\(x=x, y=y, epochs=3, verbose=0\)'):
        assert len(model.fit(X, Y, nb_epoch=3, verbose=0).history['loss']) == 3
    with pytest.raises(TypeError, match='nb_epochs'):
        model.fit(X, Y, nb_epochs=3)


@pytest.mark.on('numpy')
def test_models_and_yaml():
    pytest.importorskip('yaml')
    a = keras.Input((3,))
    with pytest.warns(DeprecationWarning, match=r'Model\(inputs=inputs, outputs=outputs\)'):
        model = Model(input=a, output=L.Dense(2)(a))
    copy = model_from_yaml(model.to_yaml())
    assert copy.get_config() == model.get_config()
    text = """
        class_name: Sequential
        config:
        - class_name: Dense
          config: {output_dim: 2, init: zero, batch_input_shape: !!python/tuple [null, 3], name: d}
        keras_version: 1.2.2"""
    assert model_from_yaml(text).output_shape == (None, 2)
    with pytest.raises(ValueError, match='no YAML|YAML'):
        model_from_yaml('!!python/object/apply:os.system ["true"]')


# --- layers of one's own ----------------------------------------------------------------------------------------------

class Scaled(Layer):
    """As the documentation of Keras 1 has it."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super(Scaled, self).__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[1], self.output_dim), initializer='one', trainable=True)
        super(Scaled, self).build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W)

    def get_output_shape_for(self, input_shape):
        return input_shape[0], self.output_dim


class Attention(Layer):
    """As it went round in 2016: no `super().build`, weights of K, constraints in a dictionary."""

    def __init__(self, **kwargs):
        self.init = keras.initializations.get('one')
        self.W_constraint = keras.constraints.get('maxnorm')
        self.supports_masking = True
        super(Attention, self).__init__(**kwargs)

    def build(self, input_shape):
        self.input_spec = [InputSpec(shape=input_shape)]
        self.W = self.init((input_shape[-1], 1), name='{}_W'.format(self.name))
        self.b = K.zeros((1,), name='{}_b'.format(self.name))
        self.trainable_weights = [self.W, self.b]
        self.constraints[self.W] = self.W_constraint
        self.regularizers.append(None)

    def call(self, x, mask=None):
        weights = K.exp(K.dot(x, self.W) + self.b)
        return K.sum(x * weights / K.sum(weights, axis=1, keepdims=True), axis=1)

    def get_output_shape_for(self, input_shape):
        return input_shape[0], input_shape[-1]

    def compute_mask(self, x, mask=None):
        return None


class Wider(L.Dense):
    def get_output_shape_for(self, input_shape):
        shape = super(Wider, self).get_output_shape_for(input_shape)
        return shape


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_layers_as_keras_1_documents_them():
    model = Sequential([Scaled(4, input_dim=3), Wider(2)])
    assert model.output_shape == (None, 2) and model.layers[0].compute_output_shape((5, 3)) == (5, 4)
    np.testing.assert_allclose(Model(model.input, model.layers[0].output).predict(X), X.sum(1, keepdims=True) *
                               np.ones((1, 4)), rtol=1e-5)
    assert model.layers[1].get_output_shape_for((7, 4)) == (7, 2) == L.Dense(2).get_output_shape_for((7, 4))


@pytest.mark.needs_gradients
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_attention_of_2016():
    model = Sequential([L.Masking(input_shape=(4, 3)), Attention(), L.Dense(1)])
    layer, x = model.layers[1], np.random.RandomState(0).rand(2, 4, 3).astype('float32')
    weights = np.exp(x.sum(-1, keepdims=True))
    np.testing.assert_allclose(Model(model.input, layer.output).predict(x),
                               (x * weights / weights.sum(1, keepdims=True)).sum(1), rtol=1e-5)
    assert isinstance(layer.W.constraint, keras.constraints.MaxNorm) and len(model.trainable_weights) == 4
    model.compile('sgd', 'mse')
    before = layer.get_weights()
    model.fit(x, np.ones((2, 1)), verbose=0)
    assert np.abs(before[0] - layer.get_weights()[0]).max() > 0


@pytest.mark.on('numpy')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_functions_of_shape_and_name_as_initializers():
    def threes(shape, name=None):
        return K.variable(3 * np.ones(shape), name=name)
    model = Sequential([L.Dense(2, init=threes, input_dim=3), L.Dense(2, weights=[np.ones((2, 2)), np.zeros(2)])])
    assert model.get_weights()[0].tolist() == [[3, 3]] * 3 and model.get_weights()[2].tolist() == [[1, 1]] * 2


@pytest.mark.on('numpy')
def test_attributes_of_layers():
    layer = L.Dense(3, input_dim=2)
    Sequential([layer])
    with pytest.warns(DeprecationWarning, match='Dense.W is the spelling of Keras 1. Write kernel'):
        assert layer.W is layer.kernel
    with pytest.warns(DeprecationWarning):
        assert layer.b is layer.bias and layer.output_dim == 3 and L.Dropout(0.2).p == 0.2
    conv = L.Conv2D(4, (3, 2), data_format='channels_first')
    with pytest.warns(DeprecationWarning):
        assert (conv.nb_filter, conv.nb_row, conv.nb_col, conv.dim_ordering, conv.border_mode, conv.subsample) == (
            4, 3, 2, 'th', 'valid', (1, 1))
        assert L.MaxPooling1D(3).pool_length == 3 and L.Embedding(4, 2).init is not None
    normalization = L.BatchNormalization(input_shape=(3,))
    Sequential([normalization])
    with pytest.warns(DeprecationWarning):
        assert normalization.running_std is normalization.moving_variance
    for missing in ('nb_row', 'U', 'x'):
        with pytest.raises(AttributeError, match='no attribute %r' % missing):
            getattr(layer, missing)


@pytest.mark.on('numpy')
def test_names_of_layers():
    with keras.config.generation(1):
        assert L.MaxPooling2D().name.startswith('maxpooling2d_')


@pytest.mark.on('numpy')
def test_the_dtype_of_the_input():
    model = Sequential([L.Embedding(4, 2, input_length=3, input_dtype='int32')])
    assert model.inputs[0].dtype == 'int32'


# --- numbers of Keras 1.2.2 -------------------------------------------------------------------------------------------

TRUE, FOUND = np.array([[2.0], [0.3], [1.0], [0.0]]), np.array([[1.8], [0.2], [0.9], [0.4]])


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, accuracy, cosine', [
    # Printed by Keras 1.2.2: predictions are rounded (2 for 1.8), products averaged over the axis.
    (1, 0.75, -0.4867086), (2, 0.5, 0.9734172)])
def test_metrics_by_generation(generation, accuracy, cosine):
    with keras.config.generation(generation):
        assert K.eval(keras.metrics.binary_accuracy(TRUE, FOUND)).mean() == accuracy
        pair = np.array([[1.0, 2.0]]), np.array([[1.5, 1.8]])
        assert K.eval(keras.metrics.cosine_proximity(*pair)).mean() == pytest.approx(cosine, abs=1e-6)


@pytest.mark.on('torch')
def test_metrics_of_keras_1_do_not_see_masks():
    x = np.ones((2, 4, 1), 'float32')
    x[:, 2:] = 0
    y = np.where(x > 0, [0.0, 1.0], [1.0, 0.0])
    for generation, accuracy in ((1, 0.5), (2, 1.0)):
        with keras.config.generation(generation):
            model = Sequential([L.Masking(input_shape=(4, 1)), L.TimeDistributed(L.Dense(2, weights=[
                np.zeros((1, 2)), np.array([0.0, 1.0])]))])
            model.compile('sgd', 'mse', metrics=['categorical_accuracy'])
            assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(accuracy)


# --- Graph ------------------------------------------------------------------------------------------------------------

def named_graph():
    with pytest.warns(DeprecationWarning, match=r'Write Model\(inputs, outputs\)'):
        graph = keras.models.Graph()
    graph.add_input('a', input_shape=(4,))
    graph.add_input('b', batch_input_shape=(None, 4))
    graph.add_node(L.Dense(3, kernel_initializer='ones'), name='d', input='a')
    graph.add_node(L.Dense(3, kernel_initializer='ones'), name='e', inputs=['a', 'b'], merge_mode='sum')
    graph.add_shared_node(L.Dense(2, kernel_initializer='ones'), name='s', inputs=['d', 'e'], merge_mode='ave')
    graph.add_output('o', inputs=['d', 'e'], merge_mode='concat')
    graph.add_node(L.Dense(1, kernel_initializer='ones'), name='p', input='s', create_output=True)
    return graph


DATA = {'a': np.ones((6, 4)), 'b': 2 * np.ones((6, 4))}


def test_a_graph_of_names():
    graph = named_graph()
    found = graph.predict(DATA)
    np.testing.assert_allclose(found['o'], [[4] * 3 + [12] * 3] * 6)
    np.testing.assert_allclose(found['p'], [[48]] * 6)
    copy = keras.models.model_from_json(graph.to_json())
    assert sorted(copy.predict_on_batch(DATA)) == ['o', 'p'] and isinstance(copy, keras.models.Graph)


@pytest.mark.on('torch')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_a_graph_is_trained_on_dictionaries(tmpdir):
    graph, data = named_graph(), dict(DATA, o=np.zeros((6, 6)), p=np.zeros((6, 1)))
    graph.compile('sgd', {'o': 'mse', 'p': 'mae'}, loss_weights={'o': 0.0, 'p': 0.5})
    assert graph.evaluate(data) == pytest.approx([24.0, 80.0, 48.0])
    assert graph.test_on_batch(data) == pytest.approx([24.0, 80.0, 48.0])
    history = graph.fit(data, nb_epoch=2, verbose=0, validation_data=data).history
    assert history['loss'][0] == pytest.approx(24.0) and 'val_p_loss' in history
    graph.train_on_batch(data)
    graph.fit_generator(iter([data] * 3), samples_per_epoch=6, nb_epoch=2, verbose=0, validation_data=data)
    assert len(graph.evaluate_generator(iter([data]), val_samples=6)) == 3
    graph.save(str(tmpdir.join('graph.h5')))
    again = keras.models.load_model(str(tmpdir.join('graph.h5')))
    np.testing.assert_allclose(again.predict(DATA)['p'], graph.predict(DATA)['p'], rtol=1e-6)
    assert len(again.fit(data, nb_epoch=1, verbose=0).history['loss']) == 1


@pytest.mark.on('numpy')
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_a_graph_says_what_is_wrong():
    graph = named_graph()
    for call, words in ((lambda: graph.add_node(L.Dense(2), name='d', input='a'), "called 'd' already"),
                        (lambda: graph.add_node(L.Dense(2), name='x', input='y'), "nothing called 'y'. Known: a, b"),
                        (lambda: graph.add_node(L.Dense(2), name='x'), 'either `input` or `inputs`'),
                        (lambda: graph.add_output('o', input='d'), "output called 'o' already"),
                        (lambda: graph.add_shared_node(L.Dense(2), 'x', ['d', 'e']), 'need a merge_mode'),
                        (lambda: graph.predict({'c': 1}), 'no input or output is called c. Inputs: a, b')):
        with pytest.raises(ValueError, match=words):
            call()


def test_arrays_of_keras_1_in_the_order_of_layers():
    """One array for each gate, input, forget, candidate, output behind one another; kernels by `dim_ordering`."""
    model = Sequential([L.LSTM(2, input_shape=(3, 4))])
    gates = [[np.full((rows, 2), gate) for rows in (4, 2)] + [np.full((2,), gate)] for gate in range(4)]
    given = [array.astype('float32') for gate in gates for array in gate]
    kernel, recurrent, bias = preprocess_weights_for_loading(model, given, '1.2.2')
    # Keras 1 had input, candidate, forget, output, Keras 2 has input, forget, candidate, output.
    np.testing.assert_array_equal(bias, [0, 0, 2, 2, 1, 1, 3, 3])
    assert kernel.shape == (4, 8) and recurrent.shape == (2, 8)
    convolution = Sequential([L.Conv2D(5, (2, 3), data_format='channels_first', input_shape=(4, 6, 7))])
    kernel = np.arange(5 * 4 * 2 * 3, dtype='float32').reshape(5, 4, 2, 3)
    found, _ = preprocess_weights_for_loading(convolution, [kernel, np.zeros(5)], '1.2.2', 'theano')
    np.testing.assert_array_equal(found, kernel.transpose(2, 3, 1, 0)[::-1, ::-1])
    with pytest.raises(ValueError, match='2 weights, but 1 arrays'):
        preprocess_weights_for_loading(convolution, [kernel], '1.2.2')
    with pytest.raises(ValueError, match='bias.*shape .5,., an array of shape .4,.'):
        preprocess_weights_for_loading(convolution, [kernel.transpose(2, 3, 1, 0), np.zeros(4)])
