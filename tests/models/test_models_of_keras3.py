"""Where models of Keras 3 do other things than those before: inputs that are fitted, clones, summaries, logs."""
import copy

import numpy as np
import pytest

import keras
from keras import Input, Model, Sequential, layers, ops
from keras.models import clone_model

X = np.arange(6, dtype='float32').reshape(2, 3)


@pytest.fixture(autouse=True, params=[3])
def generation(request):
    with keras.config.generation(request.param):
        yield


def array(x):
    return keras.ops.convert_to_numpy(x)


def dense(shape=(3,), **arguments):
    x = Input(shape, **arguments)
    return Model(x, layers.Dense(2, kernel_initializer='ones')(x))


def test_inputs_get_the_axes_and_the_dtype_of_their_input():
    assert array(dense(batch_size=3)(X)).shape == (2, 2)
    model = dense()
    expected = X.sum(axis=1)[:, None].repeat(2, 1)
    for x in (X, X[..., None], X.astype('int32'), X, X[..., None]):
        np.testing.assert_allclose(array(model(x)), expected)
    np.testing.assert_allclose(array(dense((3, 1))(X)), np.stack([X, X], axis=-1))
    x, y = Input((3,), dtype='int32'), Input((3,), dtype='float16')
    whole, half = Model([x, y], [x + 1, y + 1])([X + 0.5, X])
    assert (keras.backend.standardize_dtype(whole.dtype), keras.backend.standardize_dtype(half.dtype)) == (
        'int32', 'float16')
    np.testing.assert_array_equal(array(whole), X + 1)


def test_inputs_of_other_shapes_are_refused():
    for x in (X[:, :2], X[None], X[..., None].repeat(2, -1)):
        with pytest.raises(ValueError, match=r"name 'mine' .* expected shape=\(None, 3\), found shape="):
            dense(name='mine')(x)
    # An operation that would broadcast does not say so.
    x = Input((3,))
    with pytest.raises(ValueError, match='expected shape'):
        Model(x, x + 1)(X[:, :1])
    a, b = Input((3,), name='a'), Input((3,), name='b')
    with pytest.raises(ValueError, match='b is not optional'):
        Model([a, b], layers.add([a, b]))([X, None])


@pytest.mark.parametrize('generation', [2], indirect=True)
def test_before_they_are_taken_as_they_are():
    x = Input((3,))
    np.testing.assert_allclose(array(Model(x, x + 1)(X[:, :1])), X[:, :1] + 1)


def test_a_list_does_not_say_which_of_unsorted_keys_is_meant():
    a, b = Input((3,), name='a'), Input((3,), name='b')
    model = Model({'b': b, 'a': a}, a - b)
    np.testing.assert_allclose(array(model({'a': X, 'b': 2 * X})), -X)
    for call in (model, lambda inputs: model.predict(inputs, verbose=0)):
        with pytest.raises(ValueError, match="structure of `inputs` doesn't match the expected structure"):
            call([X, X])
    if keras.backend.backend() != 'numpy':
        model.compile('sgd', 'mse')
        assert model.evaluate({'a': X, 'b': 2 * X}, -X, verbose=0) == 0
        assert model.fit({'a': X, 'b': 2 * X}, -X, verbose=0).history['loss'] == [0]
    model = Model({'a': a, 'b': b}, a - b)
    with pytest.warns(UserWarning, match="doesn't match the expected structure"):
        np.testing.assert_allclose(array(model([X, 2 * X])), -X)


def test_clones_by_functions_of_ones_own():
    inner_input = Input((4,))
    inner = Model(inner_input, layers.Dense(4, name='inside')(inner_input), name='inner')
    x = Input((3,))
    model = Model(x, layers.Dense(2, name='last')(inner(layers.Dense(4, name='first')(x))))

    def renamed(layer):
        return type(layer).from_config(dict(layer.get_config(), name=layer.name + '_again'))

    def with_dropout(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        return layers.Dropout(0.5)(outputs) if isinstance(layer, layers.Dense) else outputs
    clone = clone_model(model, clone_function=renamed, recursive=True)
    assert [layer.name for layer in clone.layers[1:]] == ['first_again', 'inner', 'last_again']
    assert clone.layers[2].layers[1].name == 'inside_again'
    clone = clone_model(model, clone_function=lambda layer: layer, call_function=with_dropout)
    assert [type(layer).__name__ for layer in clone.layers[1:]] == ['Dense', 'Dropout', 'Model', 'Dense', 'Dropout']
    np.testing.assert_allclose(array(clone(X)), array(model(X)), rtol=1e-6)
    with pytest.raises(ValueError, match='call_function'):
        clone_model(Sequential([layers.Dense(2)]), call_function=with_dropout)
    named = Model({'a': x}, x + 1)
    assert list(clone_model(named, input_tensors={'a': Input((3,))}).input) == ['a']
    with pytest.raises(ValueError, match='same structure as model.input'):
        clone_model(named, input_tensors=[Input((3,))])


class Own(Model):
    def __init__(self, units=2, **kwargs):
        super(Own, self).__init__(**kwargs)
        self.dense = layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)


class WithRate(Model):
    def __init__(self, *args, **kwargs):
        self.rate = kwargs.pop('rate', 1)
        super(WithRate, self).__init__(*args, **kwargs)

    def get_config(self):
        return dict(super(WithRate, self).get_config(), rate=self.rate)


def test_clones_of_other_classes_and_compiled_ones():
    assert clone_model(Own(3)).dense.units == 3
    with pytest.raises(ValueError, match='only supported for Sequential and functional models'):
        clone_model(Own(3), clone_function=lambda layer: layer)
    x = Input((3,))
    model = WithRate(inputs=x, outputs=layers.Dense(2)(x), rate=5)
    assert WithRate.from_config(model.get_config()).rate == 5
    stack = Sequential([Input((3,)), layers.Dense(2)])
    stack.compile('adam', 'mse')
    assert clone_model(stack).compiled


def test_names_that_may_not_be_set():
    for model, words in ((Model(), '`Model.layers` attribute is reserved'), (Sequential(), r'Use `add\(\)` and `pop')):
        with pytest.raises(AttributeError, match=words):
            model.layers = []
    stack = Sequential([Input((3,))])
    for added, words in (({}, 'Only instances of'), (Input((3,)), 'already been configured')):
        with pytest.raises(ValueError, match=words):
            stack.add(added)


def summary_of(model):
    lines = []
    model.summary(print_fn=lines.append)
    return '\n'.join(lines)


def test_summaries():
    assert '?' in summary_of(Sequential([layers.Dense(2)]))
    x = Input((3,))
    model = Model(x, ops.mean(layers.Dense(2)(x)))
    row = next(line for line in summary_of(model).splitlines() if line.startswith('mean'))
    assert row.split()[:3] == ['mean', '(operation)', '()']
    assert [getattr(each, 'name', None) for each in model.operations][-1] == 'mean'
    own = Own(4)
    own(X)
    assert '(2, 4)' in summary_of(own)


@pytest.mark.needs_gradients
def test_the_variables_of_the_optimizer_count():
    model = dense()
    model.compile('adam', 'mse')
    model.fit(X, np.zeros((2, 2)), verbose=0)
    # 3 * 2 + 2 weights, two moments for each, the rate and the counter.
    assert 'Total params: 26 ' in summary_of(model) and 'Optimizer params: 18 ' in summary_of(model)


def test_weighted_metrics_and_keys_that_no_output_has():
    model = dense()
    model.compile('sgd', 'mse', metrics=['mae'], weighted_metrics=['mae'])
    assert set(model.evaluate(X, np.zeros((2, 2)), return_dict=True, verbose=0)) == {'loss', 'mae', 'weighted_mae'}
    x = Input((3,))
    both = Model(x, {'a': layers.Dense(1)(x), 'b': layers.Dense(1)(x)})
    targets = {'a': np.zeros((2, 1)), 'b': np.zeros((2, 1))}
    for error in (KeyError, ValueError):
        both.compile('sgd', {'a': 'mse', 'c': 'mse'})
        with pytest.raises(error, match="in the `loss` argument, can't be found in either the model's output"):
            both.evaluate(X, targets, verbose=0)
    both.compile('sgd', 'mse', metrics={'c': ['mae']})
    with pytest.raises(ValueError, match='Invalid `metrics`.*c'):
        both.evaluate(X, targets, verbose=0)


class _Sum(keras.layers.Layer):
    def call(self, z, a=None):
        return z + a


@pytest.mark.parametrize('generation, order', [(2, ['z', 'a']), (3, ['a', 'z'])])
def test_layers_before_arguments_by_name_stand_in_the_order_of_the_names(generation, order):
    """Keras 3.15.1 flattens the keyword arguments of a call by name; tf.keras has the first argument first."""
    with keras.config.generation(generation):
        x = keras.Input((2,))
        z, a = keras.layers.Dense(2, name='z')(x), keras.layers.Dense(2, name='a')(x)
        model = keras.Model(x, _Sum(name='sum')(z=z, a=a))
    assert [layer.name for layer in model.layers[1:]] == order + ['sum']


def test_weights_are_called_as_in_keras_3():
    with keras.config.generation(3):
        keras.utils.clear_session()
        layer = keras.layers.DepthwiseConv2D(3)
        layer.build((None, 8, 8, 2))
        paths = [weight.path for weight in layer.weights]
        seeds = [keras.random.SeedGenerator(1).state.path for _ in range(2)]
        named = keras.random.SeedGenerator(1, name='mine').state.path
        grouped = keras.layers.GroupQueryAttention(2, 2, 1).name
    assert paths == ['depthwise_conv2d/kernel', 'depthwise_conv2d/bias']
    assert seeds == ['seed_generator/seed_generator_state', 'seed_generator_1/seed_generator_state']
    assert named == 'mine/seed_generator_state' and grouped == 'grouped_query_attention'


def test_a_model_of_a_graph_warns_of_arguments_that_it_does_not_know():
    x = keras.Input((2,))
    with pytest.warns(UserWarning, match='pooling are unknown'):
        keras.Model(x, x, pooling='avg')
    with keras.config.generation(2), pytest.raises(TypeError, match="unknown keyword argument 'pooling'"):
        keras.Model(x, x, pooling='avg')


@pytest.mark.on('torch')
def test_parts_of_a_layer_that_only_runs_on_tensors_have_its_path():
    class Outer(keras.layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.part = keras.layers.LayerNormalization(name='part')

        def call(self, x):
            return self.part(x.mul(1))  # a method that only PyTorch's tensors have

    layer = Outer(name='outer')
    layer(keras.Input((3,), batch_size=2))
    assert [weight.path for weight in layer.weights] == ['outer/part/gamma', 'outer/part/beta']


def test_a_symbolic_tensor_cannot_be_written_into():
    with pytest.raises(TypeError, match='slice_update'):
        keras.Input((3,))[:, 0] = 1.


@pytest.mark.on('torch')
def test_calls_may_write_into_tensors_that_they_make():
    class Marked(keras.layers.Layer):
        def call(self, x):
            out = keras.ops.zeros((2, 3))
            out[:, 1:2] = x
            return out

    x = keras.Input((1,), batch_size=2)
    model = keras.Model(x, Marked()(x))
    assert model.predict(np.array([[5.], [7.]]), verbose=0).tolist() == [[0, 5, 0], [0, 7, 0]]


@pytest.mark.parametrize('says_built_first', [True, False])
def test_build_may_say_that_it_is_done_before_it_is(says_built_first):
    class Inner(keras.layers.Layer):
        def build(self, input_shape):
            if says_built_first:
                self.built = True
            else:
                super().build(input_shape)
            self.scale = self.add_weight(shape=(3,), initializer='ones', name='scale')

        def call(self, x):
            return x * self.scale

    class Outer(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, x):
            return self.inner(x)

    assert array(Outer()(X)).tolist() == X.tolist()
    assert len(keras.Sequential([keras.Input((3,)), Outer()]).weights) == 1


def test_operators_in_call_have_the_dtype_that_they_have_when_they_run():
    class Plus(keras.layers.Layer):
        def call(self, x):
            return x + 300

    x = keras.Input((3,), dtype='uint8')
    assert Plus(dtype='uint8')(x).dtype == 'uint8'
    assert keras.layers.Lambda(lambda x: x - 1, dtype='uint8')(x).dtype == 'uint8'


def test_configs_of_attention_leave_out_what_is_not_given():
    assert 'flash_attention' not in layers.GroupQueryAttention(2, 2, 1).get_config()


class Halves(keras.layers.Layer):
    def call(self, x):
        return x[:, :2], x[:, 2:]

    def compute_output_shape(self, shape):
        return [(shape[0], 2), (shape[0], shape[1] - 2)]


@pytest.mark.parametrize('known', [True, False])
def test_layers_of_a_stack_pass_on_what_they_give(known):
    x = np.arange(10, dtype='float32').reshape(2, 5)
    with keras.config.generation(3):
        begin = [keras.Input((5,))] if known else []
        model = keras.Sequential(begin + [Halves()])
        left, right = model(x)
        model.add(keras.layers.Lambda(lambda pair: pair[1] * 2.0, output_shape=(3,)))
        copied = copy.deepcopy(model)
        np.testing.assert_array_equal(array(left), x[:, :2])
        np.testing.assert_array_equal(array(right), x[:, 2:])
        for each in (model, copied):
            np.testing.assert_array_equal(each.predict(x, verbose=0), x[:, 2:] * 2.0)
    with keras.config.generation(2), pytest.raises(ValueError, match='2 outputs; a stack passes on one'):
        keras.Sequential([keras.Input((5,)), Halves()])


@pytest.mark.on('torch', 'jax', 'tensorflow')
def test_predictions_come_in_their_own_dtype():
    bfloat16 = pytest.importorskip('ml_dtypes').bfloat16
    model = Sequential([Input((3,)), layers.Dense(2, kernel_initializer='ones', dtype='mixed_bfloat16')])
    sums = X.sum(axis=1)[:, None].repeat(2, 1)
    for found in (model.predict(X, verbose=0), model.predict(X, batch_size=1, verbose=0), model.predict_on_batch(X)):
        assert found.dtype == bfloat16
        np.testing.assert_array_equal(found.astype('float32'), sums)
    with keras.config.generation(2):
        assert model.predict(X, verbose=0).dtype == np.float32


@pytest.mark.on('numpy')
def test_graphs_take_arguments_that_nothing_uses_and_say_so():
    expected = X.sum(axis=1)[:, None].repeat(2, 1)
    for model in (dense(), Sequential([layers.Dense(2, kernel_initializer='ones')])):
        for _ in range(2):
            with pytest.warns(UserWarning, match='batch_size, which has no effect'):
                np.testing.assert_allclose(array(model(X, batch_size=4, training=False)), expected)

    class Mine(Model):
        def call(self, x):
            return x
    with pytest.raises(TypeError, match='batch_size'):
        Mine()(X, batch_size=4)


def test_stacks_that_end_in_a_structure_go_on_after_a_copy():
    class Parts(layers.Layer):
        def call(self, x):
            return {'a': x, 'b': 2.0 * x}

    class Join(layers.Layer):
        def call(self, parts):
            return parts['a'] + parts['b']
    model = copy.deepcopy(Sequential([Input((3,)), Parts()]))
    model.add(Join())
    np.testing.assert_allclose(model.predict(X, verbose=0), 3.0 * X)


def test_a_model_has_no_optimizer_before_it_is_compiled(tmp_path):
    model = dense()
    with pytest.raises(AttributeError, match='not compiled'):
        model.optimizer
    assert not hasattr(model, 'optimizer') and model.get_compile_config() is None
    array(model(X)), model.get_state_tree(), clone_model(model), copy.deepcopy(model)
    model.save(str(tmp_path / 'm.keras'))
    loaded = keras.saving.load_model(str(tmp_path / 'm.keras'))
    assert not hasattr(loaded, 'optimizer')
    loaded.compile('sgd', 'mse')
    assert isinstance(loaded.optimizer, keras.optimizers.SGD)
    with keras.config.generation(2):
        assert dense().optimizer is None


class Branches(Model):
    def call(self, x):
        return x * 2 if x[0, 0] > 0 else x


def test_a_model_without_layers_branches_on_values():
    np.testing.assert_array_equal(array(Branches()(ops.convert_to_tensor(X + 1))), 2 * (X + 1))
    np.testing.assert_array_equal(array(Branches()(ops.convert_to_tensor(X - 1))), X - 1)


@pytest.mark.on('numpy')
def test_a_part_of_an_input_has_one_config_before_and_after_json():
    x = Input((2,))
    model = Model(x, x[:, 1])
    config = keras.saving.serialize_keras_object(model)
    again = keras.saving.serialize_keras_object(keras.saving.deserialize_keras_object(config))
    squeeze, = [each['config'] for each in config['config']['layers'] if each['class_name'] == 'Squeeze']
    assert squeeze['axis'] == 1
    assert [each['config'] for each in again['config']['layers'] if each['class_name'] == 'Squeeze'] == [squeeze]
