"""Functional and subclassed models: structure, calls, nesting, masks, configuration, errors."""
import json
import warnings

import numpy as np
import pytest

import keras
from keras import backend as K, config, layers, ops
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential, clone_model, model_from_json


def dense_values(x, layer):
    kernel, bias = layer.get_weights()
    return x.dot(kernel) + bias


def test_functional_model_computes_its_graph():
    x = layers.Input((4,))
    first, second = layers.Dense(3), layers.Dense(2)
    hidden = first(x)
    model = Model(x, [second(hidden), hidden])
    data = np.random.RandomState(0).randn(5, 4).astype('float32')
    out, middle = model.predict(data)
    np.testing.assert_allclose(middle, dense_values(data, first), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out, dense_values(middle, second), rtol=1e-5, atol=1e-6)
    assert model.output_shape == [(None, 2), (None, 3)]
    assert [layer.name for layer in model.layers] == [model.layers[0].name, first.name, second.name]


def test_shared_layer_has_one_set_of_weights_and_two_nodes():
    a, b = layers.Input((3,)), layers.Input((3,))
    shared = layers.Dense(2)
    model = Model([a, b], layers.Subtract()([shared(a), shared(b)]))
    data = np.random.RandomState(0).randn(4, 3).astype('float32')
    np.testing.assert_allclose(model.predict([data, data]), np.zeros((4, 2)), atol=1e-6)
    assert len(model.get_weights()) == 2
    assert shared.get_output_at(0) is not shared.get_output_at(1)
    with pytest.raises(AttributeError, match='called 2 times'):
        shared.output


def test_inputs_by_name_and_nested_outputs():
    a, b = layers.Input((3,), name='left'), layers.Input((3,), name='right')
    model = Model({'left': a, 'right': b}, {'sum': layers.add([a, b]), 'pair': [a, b]})
    left, right = np.ones((2, 3), 'float32'), np.full((2, 3), 2, 'float32')
    found = model.predict({'right': right, 'left': left})
    np.testing.assert_array_equal(found['sum'], left + right)
    np.testing.assert_array_equal(found['pair'][1], right)
    with pytest.raises(ValueError, match='right'):
        model.predict({'left': left})


def test_nested_models_run_and_own_their_weights():
    inner = Sequential([layers.Dense(3, activation='tanh', input_shape=(4,)), layers.Dense(2)])
    x = layers.Input((5, 4))
    outer = Model(x, layers.TimeDistributed(inner)(x))
    data = np.random.RandomState(0).randn(2, 5, 4).astype('float32')
    expected = np.tanh(dense_values(data, inner.layers[0]))
    np.testing.assert_allclose(outer.predict(data), dense_values(expected, inner.layers[1]), rtol=1e-5, atol=1e-6)
    assert len(outer.weights) == 4


def test_mask_goes_through_a_nested_model():
    """The mean over the unmasked steps, computed by layers inside a nested model."""
    class MaskedMean(layers.Layer):
        def call(self, inputs, mask=None):
            weight = ops.expand_dims(ops.cast(mask, 'float32'), -1)
            return ops.sum(inputs * weight, axis=1) / ops.sum(weight, axis=1)

        def compute_output_shape(self, input_shape):
            return input_shape[0], input_shape[2]

        def compute_mask(self, inputs, mask=None):
            return None

    steps = layers.Input((4, 3))
    inner = Model(steps, MaskedMean()(layers.Masking(9.0)(steps)))
    passing = Model(steps, layers.Activation('linear')(steps))
    x = layers.Input((4, 3))
    model = Model(x, [inner(x), MaskedMean()(passing(layers.Masking(5.0)(x)))])
    data = np.random.RandomState(0).randn(2, 4, 3).astype('float32')
    data[0, 2], data[1, 3] = 9.0, 5.0
    first, second = model.predict(data)
    np.testing.assert_allclose(first[0], data[0, [0, 1, 3]].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(second[1], data[1, :3].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(second[0], data[0].mean(axis=0), rtol=1e-5)


class Twice(layers.Layer):
    """A custom layer with another one inside, in a list."""

    def __init__(self, units, **kwargs):
        super(Twice, self).__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units), {'second': layers.Dense(units)}]

    def build(self, input_shape):
        self.scale = self.add_weight(name='scale', shape=(self.units,), initializer='ones')
        super(Twice, self).build(input_shape)

    def call(self, inputs):
        return self.parts[1]['second'](self.parts[0](inputs)) * self.scale

    def get_config(self):
        return dict(super(Twice, self).get_config(), units=self.units)


def test_custom_layer_with_nested_layers_is_tracked_and_inferred():
    model = Sequential([Twice(4, input_shape=(3,)), layers.Dense(1)])
    assert model.output_shape == (None, 1)
    assert len(model.layers[0].weights) == 5
    again = Sequential.from_config(json.loads(json.dumps(model.get_config())), custom_objects={'Twice': Twice})
    again.set_weights(model.get_weights())
    data = np.random.RandomState(0).randn(6, 3).astype('float32')
    np.testing.assert_allclose(again.predict(data), model.predict(data), rtol=1e-6)


class Residual(Model):
    def __init__(self):
        super(Residual, self).__init__()
        self.inner = layers.Dense(3, activation='relu')
        self.drop = layers.Dropout(0.5)
        self.head = layers.Dense(1)

    def call(self, inputs, training=None):
        return self.head(self.drop(self.inner(inputs), training=training) + inputs)


def test_subclassed_model_builds_on_data_and_predicts():
    model = Residual()
    data = np.random.RandomState(0).randn(6, 3).astype('float32')
    hidden = np.maximum(0, dense_values(data, model.inner)) if model.inner.built else None
    assert hidden is None
    found = model.predict(data)
    hidden = np.maximum(0, dense_values(data, model.inner)) + data
    np.testing.assert_allclose(found, dense_values(hidden, model.head), rtol=1e-5, atol=1e-6)
    assert len(model.weights) == 4
    with pytest.raises(NotImplementedError, match='get_config'):
        model.get_config()


def test_layers_called_on_native_tensors_give_native_tensors(engine):
    layer = layers.Dense(2)
    data = np.random.RandomState(0).randn(5, 3).astype('float32')
    tensor = engine.convert(data)
    for _ in range(2):  # the second call takes the short way
        out = layer(tensor)
        assert engine.is_native(out)
        np.testing.assert_allclose(to_array(out), dense_values(data, layer), rtol=1e-5, atol=1e-6)
    model = Sequential([layers.Dense(4, input_shape=(3,)), layers.Dropout(0.5), layers.Dense(1)])
    np.testing.assert_allclose(to_array(model(tensor)), model.predict(data), rtol=1e-5, atol=1e-6)


def test_config_round_trip_keeps_wiring_and_arguments():
    a, b = layers.Input((4, 3), name='a'), layers.Input((6,), name='b')
    shared = layers.Dense(3, name='shared')
    merged = layers.Concatenate(name='both')([layers.LSTM(5, name='lstm')(shared(a)), b])
    raised = merged * 2.0 + 1.0
    model = Model([a, b], [layers.Dense(2, name='out')(raised), layers.LSTM(3, name='second')(shared(shared(a)))])
    again = Model.from_config(json.loads(model.to_json())['config'])
    again.set_weights(model.get_weights())
    data = [np.random.RandomState(0).randn(2, 4, 3).astype('float32'), np.ones((2, 6), 'float32')]
    for ours, theirs in zip(model.predict(data), again.predict(data)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert model_from_json(model.to_json()).to_json() == model.to_json()


def test_clone_model_has_fresh_layers():
    x = layers.Input((3,))
    model = Model(x, layers.Dense(2, kernel_initializer='ones')(x))
    copy = clone_model(model)
    assert copy.layers[1] is not model.layers[1]
    np.testing.assert_allclose(copy.predict(np.ones((1, 3))), [[3.0, 3.0]])


def test_trainable_is_respected_through_nesting():
    inner = Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization()])
    model = Sequential([inner, layers.Dense(1)])
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (6, 2)
    inner.trainable = False
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 6)
    model.trainable = False
    assert model.trainable_weights == []


# What 2.3.1 and tf.keras 2.15 gave.
@pytest.mark.parametrize('generation, left, inside', [(2, 4, [False, True]), ('tf', 6, [True, True]),
                                                      (3, 6, [True, True])])
def test_what_was_frozen_inside_stays_frozen_when_the_model_is_made_trainable(generation, left, inside):
    with config.generation(generation):
        inner = Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization()])
        model = Sequential([inner, layers.Dense(1)])
    inner.layers[0].trainable = False
    model.trainable = True
    assert [layer.trainable for layer in inner.layers] == inside and len(model.trainable_weights) == left
    model.trainable = False
    assert model.trainable_weights == [] and inner.trainable == (generation == 2)
    model.trainable = True
    assert len(model.trainable_weights) == left


@pytest.mark.parametrize('wrapper', [layers.TimeDistributed, layers.Bidirectional])
def test_wrappers_freeze_and_free_what_is_inside(wrapper):
    layer = wrapper(layers.LSTM(2) if wrapper is layers.Bidirectional else layers.Dense(2))
    layer.build((None, 3, 2))
    layer.trainable = False
    assert layer.trainable_weights == [] and not layer.layer.trainable
    layer.trainable = True
    assert layer.layer.trainable and layer.non_trainable_weights == []


def test_set_weights_refuses_wrong_shapes_and_changes_nothing():
    model = Sequential([layers.Dense(3, input_shape=(4,))])
    before = model.get_weights()
    with pytest.raises(ValueError, match=r'shape \(4, 3\).*\(4, 2\)'):
        model.set_weights([np.zeros((4, 2)), np.zeros(3)])
    with pytest.raises(ValueError, match='1 arrays, the model has 2'):
        model.set_weights([np.zeros((4, 3))])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_summary_counts_parameters():
    model = Sequential([layers.Dense(3, input_shape=(4,)), layers.BatchNormalization()])
    lines = []
    model.summary(print_fn=lines.append)
    text = '\n'.join(lines)
    assert '(None, 3)' in text and 'Total params: 27' in text and 'Non-trainable params: 6' in text


@pytest.mark.parametrize('make, error, message', [
    (lambda: Model(layers.Input((3,)), layers.Dense(2)(layers.Input((4,)))), ValueError, 'Graph disconnected'),
    (lambda: layers.LSTM(2)(layers.Input((3,))), ValueError, 'expected ndim=3, found ndim=2'),
    (lambda: layers.Dense(2)(layers.Input((None,))), ValueError, 'last size'),
    (lambda: Sequential([layers.Dense]), TypeError, 'without parentheses'),
    (lambda: Sequential([layers.Dense(2)]).summary(), ValueError, 'not built'),
    (lambda: layers.Dense(2).count_params(), RuntimeError, 'no weights yet'),
    (lambda: layers.Dense(2).kernel, AttributeError, 'when the layer is built'),
    (lambda: layers.Input(), ValueError, 'shape'),
    (lambda: layers.Input(3), ValueError, r'\(3,\)'),
    (lambda: layers.Dense(3, unitss=4), TypeError, 'unitss'),
    (lambda: Sequential([layers.Dense(2, name='a', input_shape=(2,)), layers.Dense(2, name='a')]), ValueError, "'a'"),
    (lambda: Sequential([layers.Dense(2, input_shape=(2,))]).get_layer('dens'), ValueError, 'no layer'),
    (lambda: Sequential([layers.Dense(2, input_shape=(2,))]).predict(np.ones((2, 3))), ValueError, r'\(None, 2\)'),
    (lambda: Model([layers.Input((2,)), layers.Input((2,))][0:1] * 2, layers.Input((2,))), ValueError, 'twice'),
])
def test_errors_say_what_came_and_what_was_expected(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_wrong_width_is_refused_on_native_tensors_and_names_the_layer(engine):
    layer = layers.Dense(2, name='head')
    layer(engine.convert(np.ones((2, 3), 'float32')))
    with pytest.raises(ValueError, match='head.*to have value 3, found 4'):
        layer(engine.convert(np.ones((2, 4), 'float32')))


def test_building_summary_and_config_need_no_engine():
    import subprocess
    import sys
    code = ('import sys, keras; from keras import layers, models\n'
            'm = models.Sequential([layers.Conv2D(4, 3, input_shape=(8, 8, 3)), layers.BatchNormalization(),'
            ' layers.Flatten(), layers.Dense(2), layers.Reshape((2, 1)), layers.LSTM(3)])\n'
            'm.summary(); m.to_json()\n'
            'x = layers.Input((3,)); models.Model(x, x * 2 + 1)\n'
            'engines = [n for n in ("tensorflow", "jax", "torch", "theano", "mxnet", "cntk") if n in sys.modules]\n'
            'from keras.backend.contract.loading import active\n'
            'assert not engines and active.engine is None, (engines, active.engine)')
    subprocess.check_call([sys.executable, '-c', code], stdout=subprocess.DEVNULL)


def test_compiling_does_not_change_the_order_of_weights():
    model = Sequential([layers.BatchNormalization(input_shape=(3,)), layers.Dense(2)])
    before = [id(weight) for weight in model.weights]
    model.compile('sgd', 'mse')
    model.layers[1].trainable = False
    model.layers[1].trainable = True
    assert [id(weight) for weight in model.weights] == before


def test_classes_and_probabilities():
    x = np.array([[0.1, 0.7, 0.2], [0.9, 0.0, 0.1]], 'float32')
    model = Sequential([layers.Activation('linear', input_shape=(3,))])
    np.testing.assert_array_equal(model.predict_classes(x), [1, 0])
    np.testing.assert_array_equal(model.predict_proba(x, batch_size=1), x)
    with pytest.warns(UserWarning, match='outside of .0, 1., from 0 to 2'):
        model.predict_proba(np.array([[2.0, 0.0, 0.0]], 'float32'))
    single = Sequential([layers.Activation('linear', input_shape=(1,))])
    classes = single.predict_classes(np.array([[0.2], [0.8]], 'float32'))
    np.testing.assert_array_equal(classes, [[0], [1]])
    assert classes.dtype == 'int32'


def test_the_summary_says_where_trainable_was_changed():
    model = Sequential([layers.Dense(1, input_shape=(3,))])
    model.compile('sgd', 'mse')
    model.trainable = False
    for _ in range(2):
        with pytest.warns(UserWarning, match='`trainable` was changed after compile'):
            model.summary(print_fn=lambda line: None)
    model.compile('sgd', 'mse')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        model.summary(print_fn=lambda line: None)


class OfWeight(layers.Layer):
    """Gives one of its weights, whatever comes in."""

    def build(self, input_shape):
        self.weight = self.add_weight(name='weight', shape=(2, 3), initializer='ones')
        super().build(input_shape)

    def call(self, x):
        return self.weight

    def compute_output_shape(self, input_shape):
        return (2, 3)


def test_layers_that_give_a_variable():
    for layer in (OfWeight(), layers.Lambda(lambda x: K.ones((2, 3))),
                  layers.Lambda(lambda x: K.eye((2, 3)) * 0.0 + 1.0)):
        x = layers.Input((4,))
        y = layer(x)
        np.testing.assert_array_equal(Model(x, y).predict(np.ones((2, 4))), np.ones((2, 3)))
        np.testing.assert_array_equal(K.function([x], [y])([np.ones((2, 4))])[0], np.ones((2, 3)))
        doubled = Model(x, layers.Lambda(lambda y: y * 2.0)(y))
        np.testing.assert_array_equal(doubled.predict(np.ones((2, 4))), np.full((2, 3), 2.0))


@pytest.mark.on('numpy')
def test_a_stack_in_a_class_is_built_by_the_shape():
    class Outer(Model):
        def __init__(self):
            super().__init__()
            self.stack = Sequential([layers.Dense(3), layers.Dense(2)])

        def call(self, inputs):
            return self.stack(inputs)

    model = Outer()
    model.build((None, 4))
    assert [weight.shape for weight in model.weights] == [(4, 3), (3,), (3, 2), (2,)]


@pytest.mark.on('numpy')
def test_methods_may_call_their_object_otherwise():
    class Scaled(layers.Layer):
        def build(this, input_shape):
            this.scale = this.add_weight('scale', input_shape[-1:], initializer='ones')

        def call(this, inputs):
            return inputs * this.scale

    assert Sequential([layers.Input((4,)), Scaled()]).count_params() == 4


@pytest.mark.on('numpy')
@pytest.mark.parametrize('old, new, message', [
    ('["a", 0, 0, {}]', '["gone", 0, 0, {}]', "'gone', 0, 0"),
    ('"output_layers": [["b", 0, 0]]', '"output_layers": [["gone", 0, 0]]', "the layer 'gone'"),
    ('"output_layers": [["b", 0, 0]]', '"output_layers": [["b", 0, 3]]', "output 3 of call 0 of the layer 'b'")])
def test_configs_that_name_a_missing_layer(old, new, message):
    inputs = layers.Input((2,))
    text = Model(inputs, layers.Dense(2, name='b')(layers.Dense(2, name='a')(inputs))).to_json()
    assert old in text
    with pytest.raises(ValueError, match=message):
        model_from_json(text.replace(old, new))


def test_a_stack_says_what_it_was_built_for():
    """As KerasTuner asks, to make the weights of another one for a file."""
    model, again = (Sequential([layers.Dense(2)]) for _ in range(2))
    assert model.get_build_config() is None
    model.predict(np.ones((4, 3)))
    again.build_from_config(model.get_build_config())
    assert [weight.shape for weight in again.weights] == [(3, 2), (2,)]


class OfUnits(Model):
    def __init__(self, units, *args, **kwargs):
        super(OfUnits, self).__init__(*args, **kwargs)
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)


class OfGraph(Model):
    def __init__(self, units=2, **kwargs):
        inputs = layers.Input((3,))
        super(OfGraph, self).__init__(inputs, layers.Dense(units)(inputs), **kwargs)


class Doubled(OfUnits):
    def get_config(self):
        return dict(super(Doubled, self).get_config(), units=self.dense.units)


@pytest.mark.parametrize('generation', ['tf', 3])
@pytest.mark.parametrize('cls', [OfUnits, OfGraph, Doubled])
def test_configs_of_subclasses_are_the_arguments_of_their_constructors(cls, generation, tmp_path):
    x = np.ones((2, 3), 'float32')
    with keras.config.generation(generation):
        model = cls(4, name='mine')
        expected = model.predict(x)
        config = model.get_config()
        assert (config['units'], config['name']) == (4, 'mine') and 'layers' not in config
        assert cls.from_config(config).predict(x).shape == (2, 4)
        model.save(str(tmp_path / 'model.keras'))
        again = keras.models.load_model(str(tmp_path / 'model.keras'), custom_objects={cls.__name__: cls})
    np.testing.assert_allclose(again.predict(x), expected, rtol=1e-5)


def test_a_config_that_would_lose_arguments_is_refused():
    class Taking(Model):
        def __init__(self, function, *others):
            super(Taking, self).__init__()

    with keras.config.generation(3):
        assert Taking('sum').get_config()['function'] == 'sum'
        for given in ([object()], ['sum', 'surplus']):
            with pytest.raises(NotImplementedError, match='get_config'):
                Taking(*given).get_config()


@pytest.mark.on('numpy', 'jax')
@pytest.mark.parametrize('name', ['loss', 'optimizer', 'loss_weights', 'weighted_metrics', 'input_names',
                                  'output_names', 'compiled', 'nodes_by_depth', 'output_layers', 'state_updates'])
def test_layers_may_have_names_that_models_have_for_other_things(name):
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(2)
            setattr(self, name, [layers.Dense(3)])

        def call(self, x):
            return self.first(getattr(self, name)[0](x))

    model = Own()
    model.compile('sgd', 'mse', loss_weights=[1.0])
    assert model.predict(np.ones((2, 4)), verbose=0).shape == (2, 2)
    assert len(model.trainable_weights) == 4
    assert isinstance(getattr(model, name)[0], layers.Dense)


@pytest.mark.on('numpy')
def test_numbers_set_before_compile_stay_until_it_is_given_others():
    class Own(Model):
        def call(self, x):
            return x

    model = Own()
    model.loss_weights = [0.5]
    model.compile('sgd', 'mse')
    assert model.loss_weights == [0.5]
    model.compile('sgd', 'mse', loss_weights=[2.0])
    assert model.loss_weights == [2.0]


@pytest.mark.on('numpy')
@pytest.mark.parametrize('file', ['model.h5', 'model.keras'])
def test_a_model_of_the_end_of_a_graph_has_an_input_of_its_own(tmp_path, file):
    """As in Keras 3; it could be neither cloned nor saved."""
    x = layers.Input((3,))
    hidden = layers.Dense(4, name='before')(x)
    after = layers.Dense(5, name='after')(hidden)
    model = Model(hidden, layers.Concatenate(name='both')([after, hidden]))
    assert [type(layer).__name__ for layer in model.layers] == ['InputLayer', 'Dense', 'Concatenate']
    data = np.arange(8.0).reshape(2, 4).astype('float32')
    wanted = np.concatenate([dense_values(data, model.layers[1]), data], axis=1)
    np.testing.assert_allclose(model.predict(data), wanted, rtol=1e-5)
    model.save(str(tmp_path / file))
    loaded = keras.models.load_model(str(tmp_path / file), compile=False)
    np.testing.assert_allclose(loaded.predict(data), wanted, rtol=1e-5)
    assert model.get_layer('after').output is after
    clone_model(model)
