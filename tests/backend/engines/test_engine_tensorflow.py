"""What only the TensorFlow engine promises: tapes over our variables, traces, commits, `tf.keras`."""
import os
import subprocess
import sys

import numpy as np
import pytest

import keras
from keras import backend as K
from keras.backend.contract import loading as engines
from keras.backend.contract.rules import AbstractTensor
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable
from keras.backend.table import primitives as p
from keras.backend.table.composites import nn, optimizers, rnn

if engines.engine_name() != 'tensorflow':
    pytest.skip('tests of the tensorflow engine', allow_module_level=True)
tf = pytest.importorskip('tensorflow')


@pytest.fixture(autouse=True)
def tensorflow_engine():
    with engines.use('tensorflow') as engine:
        yield engine


# --- TensorFlow's own tools on our variables -------------------------------------------------------------------

@pytest.mark.parametrize('read', [lambda variable: variable.value, tf.convert_to_tensor, lambda variable: variable])
def test_a_tape_takes_variables_as_sources(read):
    weight, other = Variable([[2.0, 3.0]]), Variable([1.0])
    x = tf.constant([[1.0], [4.0]])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.matmul(x, read(weight)) ** 2)
    gradients = tape.gradient(loss, [weight, other])
    # d/dw sum((x w)^2) = 2 w sum(x^2)
    np.testing.assert_allclose(gradients[0].numpy(), [[2 * 2 * 17, 2 * 3 * 17]], rtol=1e-6)
    assert gradients[1] is None


def test_a_tape_in_a_function_takes_variables_as_sources():
    weight = Variable([3.0])

    @tf.function(autograph=False)
    def descend(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(x * weight.value * weight.value)
        gradient, = tape.gradient(loss, [weight])
        weight.assign(weight.value - 0.1 * gradient)
        return loss

    assert float(descend(tf.constant([1.0, 1.0]))) == 18.0
    np.testing.assert_allclose(weight.numpy(), [3.0 - 0.1 * 2 * 3 * 2], rtol=1e-6)


def test_frozen_variables_can_be_differentiated_by():
    frozen = Variable([2.0], trainable=False)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(frozen.value ** 2)
    np.testing.assert_array_equal(tape.gradient(loss, [frozen])[0].numpy(), [4.0])


def test_arrays_and_variables_are_not_shared_with_the_caller(tensorflow_engine):
    array = np.ones(1000, 'float32')
    tensor, variable = tensorflow_engine.convert(array), Variable(array)
    before = tensorflow_engine.to_numpy(variable.value)
    array[:] = 7
    variable.assign_add(np.ones(1000, 'float32'))
    assert tensor.numpy()[0] == 1 and before[0] == 1 and variable.numpy()[0] == 2


# --- steps -----------------------------------------------------------------------------------------------------

def test_sizes_are_left_open_from_the_third_batch_size_on(tensorflow_engine):
    """Not from the second: a training that goes on may meet its short batch first, and is to run the same graphs."""
    shapes = []

    def double(x):
        shapes.append(tensorflow_engine.shape_of(x))
        return p.multiply(x, 2.0)

    step = tensorflow_engine.step(double, [], [])
    for batch in (4, 4, 3, 5, 7, 4, 1):
        np.testing.assert_array_equal(step(np.ones((batch, 2), 'float32')).numpy(), np.full((batch, 2), 2.0))
    assert shapes == [(4, 2), (3, 2), (None, 2)]


def test_a_static_batch_is_traced_for_every_size(tensorflow_engine):
    shapes = []

    def double(x):
        shapes.append(tensorflow_engine.shape_of(x))
        return p.multiply(x, 2.0)

    step = tensorflow_engine.step(double, [], [], static_batch=True)
    for batch in (4, 3, 5, 4):
        step(np.ones((batch, 2), 'float32'))
    assert shapes == [(4, 2), (3, 2), (5, 2)]


def test_structures_of_arguments_and_results(tensorflow_engine):
    calls = []

    def run(xs, y, options):
        calls.append(y)
        return {'sum': p.add(xs[0], xs[1]), 'rest': (y, [options['a']]), 'none': None}

    step = tensorflow_engine.step(run, [], [])
    one, two = np.float32(1.0), np.ones(2, 'float32')
    for array in (two, tf.constant(two)):
        result = step([array, array], None, {'a': one})
        np.testing.assert_array_equal(result['sum'].numpy(), [2.0, 2.0])
        assert result['none'] is None and result['rest'][0] is None and float(result['rest'][1][0]) == 1.0
    step([two, two], two, {'a': one})
    assert len(calls) == 2


def test_outputs_are_fixed_before_the_writes(tensorflow_engine):
    first, second = Variable([1.0, 2.0]), Variable([10.0, 20.0])

    def swap():
        before = first.value
        first.assign(second.value)
        second.assign(before)
        return before, first.value

    step = tensorflow_engine.step(swap, [first, second], [first, second])
    before, after = step()
    np.testing.assert_array_equal(before.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(after.numpy(), [10.0, 20.0])
    np.testing.assert_array_equal(first.numpy(), [10.0, 20.0])
    np.testing.assert_array_equal(second.numpy(), [1.0, 2.0])
    step()
    np.testing.assert_array_equal(before.numpy(), [1.0, 2.0])


def test_reads_inside_loops_and_branches_are_shared(tensorflow_engine):
    weight, total = Variable([2.0]), Variable([0.0])

    def run(xs):
        carry, outputs = p.scan(lambda c, x: ([p.add(p.multiply(c[0], weight.value), x[0])], [c[0]]),
                                [weight.value], [xs])
        chosen = p.cond(tf.reduce_sum(xs) > 0.0, lambda c: p.add(c, weight.value), lambda c: c, [carry[0]])
        total.assign(p.add(total.value, chosen))
        return chosen, outputs[0]

    step = tensorflow_engine.step(run, [weight], [total])
    expected = [((2.0 * 2 + 1) * 2 + 3) + 2]
    chosen, outputs = step(np.array([[1.0], [3.0]], 'float32'))
    np.testing.assert_array_equal(chosen.numpy(), expected)
    np.testing.assert_array_equal(outputs.numpy(), [[2.0], [5.0]])
    np.testing.assert_array_equal(total.numpy(), expected)
    reads = [op for trace in step.compiled._traces for op in trace._concrete.graph.get_operations()
             if op.type == 'ReadVariableOp']
    assert len(reads) == 2


def test_a_step_follows_its_variables_to_another_engine_and_back(tensorflow_engine):
    weight = Variable([1.0])
    step = tensorflow_engine.step(lambda: weight.value, [weight], [])
    assert float(step()[0]) == 1.0
    with engines.use('numpy'):
        weight.assign([5.0])
    assert float(step()[0]) == 5.0


def test_a_step_inside_a_step_is_part_of_it(tensorflow_engine):
    count = Variable([1.0])
    inner = tensorflow_engine.step(lambda x: count.assign(p.add(count.value, x)), [count], [count])
    outer = tensorflow_engine.step(lambda x: p.add(inner(x), inner(x)), [count], [count])
    assert float(outer(np.float32([2.0]))[0]) == 3.0 + 5.0
    assert float(count.numpy()[0]) == 5.0


def test_gradients_in_a_step_share_the_reads(tensorflow_engine):
    kernel, bias, unused = Variable(np.ones((3, 2))), Variable([0.5, -0.5]), Variable([1.0])
    variables = [kernel, bias, unused]

    def run(x):
        def loss():
            y = nn.linear(x, kernel.value, bias.value)
            return p.sum(p.multiply(y, y)), y
        (value, _), gradients = tensorflow_engine.value_and_grad(loss, variables)
        for variable, gradient in zip(variables[:2], gradients):
            variable.assign(p.subtract(variable.value, p.multiply(gradient, 0.1)))
        return value, gradients

    x = np.arange(6, dtype='float32').reshape(2, 3)
    y = x.sum(1, keepdims=True) + [0.5, -0.5]
    step = tensorflow_engine.step(run, variables, variables[:2])
    value, gradients = step(x)
    assert gradients[2] is None
    np.testing.assert_allclose(float(value), (y ** 2).sum(), rtol=1e-6)
    np.testing.assert_allclose(gradients[0].numpy(), 2 * x.T.dot(y), rtol=1e-6)
    np.testing.assert_allclose(bias.numpy(), [0.5, -0.5] - 0.1 * 2 * y.sum(0), rtol=1e-5)
    operations = [op.type for op in step.compiled._traces[0]._concrete.graph.get_operations()]
    assert operations.count('ReadVariableOp') == 3 and operations.count('AssignVariableOp') == 2


def test_gradients_by_an_embedding_are_dense(tensorflow_engine):
    table = Variable(np.ones((4, 2)))
    rows = tf.constant([1, 3, 1])
    (_, _), (gradient,) = tensorflow_engine.value_and_grad(
        lambda: (p.sum(p.gather(table.value, rows, 0)), None), [table])
    np.testing.assert_array_equal(gradient.numpy(), [[0, 0], [2, 2], [0, 0], [1, 1]])


# --- optimizer kernels ------------------------------------------------------------------------------------------

def _slots(count):
    return [[Variable(np.full(shape, 0.3)) for shape in ((2, 3), (4,))] for _ in range(count)]


_UPDATES = [
    ('sgd_update', 0, lambda s: (None, 0.1)), ('sgd_update', 1, lambda s: (s[0], 0.1, 0.9)),
    ('sgd_update', 1, lambda s: (s[0], 0.1, 0.9, True)), ('adagrad_update', 1, lambda s: (s[0], 0.1, 1e-3)),
    ('adadelta_update', 2, lambda s: (s[0], s[1], 0.1, 0.9, 1e-3)),
    ('adam_update', 2, lambda s: (s[0], s[1], np.float32(3), 0.1, 0.9, 0.99, 1e-3)),
    ('adam_update', 3, lambda s: (s[0], s[1], np.float32(3), 0.1, 0.9, 0.99, 1e-3, s[2])),
    ('adamax_update', 2, lambda s: (s[0], s[1], np.float32(3), 0.1, 0.9, 0.99, 1e-3)),
]


@pytest.mark.parametrize('compiled', [False, True])
@pytest.mark.parametrize('name,count,arguments', _UPDATES)
def test_kernels_of_optimizers_agree_with_the_composites(tensorflow_engine, name, count, arguments, compiled):
    generator = np.random.RandomState(1)
    gradients = [generator.randn(2, 3).astype('float32'), generator.randn(4).astype('float32')]
    variables, = _slots(1)
    slots = _slots(count)

    def update():
        before = variables[0].value
        arguments_now = [tf.constant(a) if isinstance(a, np.floating) else a for a in arguments(slots)]
        getattr(optimizers, name)(variables, [tf.constant(g) for g in gradients], *arguments_now)
        return before, variables[0].value

    if compiled:
        before, after = tensorflow_engine.step(update, [], variables + [v for slot in slots for v in slot])()
    else:
        before, after = update()
    assert np.all(before.numpy() == np.float32(0.3))
    np.testing.assert_array_equal(after.numpy(), variables[0].numpy())
    actual = [v.numpy() for v in variables + [v for slot in slots for v in slot]]
    with engines.use('numpy'):
        variables, = _slots(1)
        slots = _slots(count)
        getattr(optimizers, name)(variables, gradients, *arguments(slots))
        expected = [v.numpy() for v in variables + [v for slot in slots for v in slot]]
    for a, b in zip(actual, expected):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def _lstm(x, h, c, kernel, recurrent_kernel, bias, go_backwards, return_sequences):
    """The equations of Hochreiter and Schmidhuber in NumPy: [output, h, c]."""
    outputs = []
    for index in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        i, f, g, o = np.split(x[:, index] @ kernel + h @ recurrent_kernel + bias, 4, 1)
        i, f, o = [1 / (1 + np.exp(-gate)) for gate in (i, f, o)]
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        outputs.append(h)
    return [np.stack(outputs, 1) if return_sequences else h, h, c]


@pytest.mark.parametrize('sizes', [(2, 4), (None, None)])
@pytest.mark.parametrize('go_backwards', [False, True])
@pytest.mark.parametrize('return_sequences', [False, True])
def test_gradients_of_the_lstm_of_first_and_second_order_are_slopes(sizes, go_backwards, return_sequences):
    generator = np.random.RandomState(0)
    shapes = [(2, 4, 3), (2, 5), (2, 5), (3, 20), (5, 20), (20,)]
    arrays, direction = [[0.3 * generator.randn(*shape) for shape in shapes] for _ in range(2)]
    open_shapes = [sizes + (3,), sizes[:1] + (5,), sizes[:1] + (5,)] + shapes[3:]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec(shape, tf.float64) for shape in open_shapes])
    def derivatives(*tensors):
        with tf.GradientTape() as outer:
            outer.watch(tensors)
            with tf.GradientTape() as inner:
                inner.watch(tensors)
                results = rnn.lstm_sequence(*tensors, None, go_backwards, return_sequences)
                value = sum(tf.reduce_sum(tf.cos(k * result)) for k, result in enumerate(results, 2))
            slope = sum(tf.reduce_sum(g * way) for g, way in zip(inner.gradient(value, tensors), direction))
        curvature = sum(tf.reduce_sum(g * way) for g, way in zip(outer.gradient(slope, tensors), direction))
        return value, slope, curvature

    def expected(step):
        moved = [array + step * way for array, way in zip(arrays, direction)]
        results = _lstm(*moved, go_backwards, return_sequences)
        return sum(np.cos(k * result).sum() for k, result in enumerate(results, 2))

    before, here, after = [expected(step) for step in (-1e-4, 0.0, 1e-4)]
    value, slope, curvature = [result.numpy() for result in derivatives(*[tf.constant(array) for array in arrays])]
    np.testing.assert_allclose(value, here, rtol=1e-9)
    np.testing.assert_allclose(slope, (after - before) / 2e-4, rtol=1e-5)
    np.testing.assert_allclose(curvature, (after - 2 * here + before) / 1e-8, rtol=1e-4)


# --- the rest --------------------------------------------------------------------------------------------------

def test_seeds_give_new_numbers_each_time_and_the_same_again():
    draws = []
    for _ in range(2):
        generator = SeedGenerator(7)
        draws.append([p.random_uniform(generator.next(), (3,), 'float32').numpy() for _ in range(3)])
    np.testing.assert_array_equal(draws[0], draws[1])
    assert len(np.unique(draws[0])) == 9
    permuted = p.random_permutation(SeedGenerator(3).next(), 100).numpy()
    assert sorted(permuted) == list(range(100)) and list(permuted) != list(range(100))


def test_abstract_evaluation_of_functions_that_call_tensorflow(tensorflow_engine):
    weight = Variable(np.ones((3, 2)))
    result = tensorflow_engine.eval_shape(lambda x: [tf.nn.relu(tf.matmul(x, weight.value)), tf.shape(x)],
                                          (AbstractTensor((None, 3), 'float32'),))
    assert [(r.shape, r.dtype) for r in result] == [((None, 2), 'float32'), ((2,), 'int32')]


def test_transposed_convolution_of_any_output_size(tensorflow_engine):
    generator = np.random.RandomState(0)
    x, kernel = generator.randn(2, 3, 4).astype('float32'), generator.randn(3, 2, 4).astype('float32')
    reference = engines.load_engine('numpy')
    for padding in ('valid', 'same'):
        for dilation in (1, 2):
            for size in range(3, 14):
                actual = tensorflow_engine.conv_transpose(tf.constant(x), tf.constant(kernel), (2,), padding,
                                                          (dilation,), (size,))
                expected = reference.conv_transpose(x, kernel, (2,), padding, (dilation,), (size,))
                np.testing.assert_allclose(actual.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize('order', ['import tensorflow, keras', 'import keras, tensorflow'])
def test_import_orders_and_tf_keras(order):
    code = order + """
import sys, tensorflow as tf
if int(tf.__version__.split('.')[1]) >= 16:
    from tensorflow.keras.layers import Dense
    import tensorflow.keras.models
    assert tf.keras.layers.Dense is Dense is keras.layers.Dense, tf.keras
    assert sys.modules['tensorflow.keras.models'] is keras.models
    assert keras.layers.__spec__.name == 'keras.layers'
"""
    subprocess.run([sys.executable, '-c', code], check=True)


@pytest.mark.skipif(tuple(map(int, tf.__version__.split('.')[:2])) < (2, 16), reason='brings its own tf.keras')
@pytest.mark.parametrize('code, generation', [
    ('import tensorflow as tf; tf.keras.layers.Dense(1); import keras', 3),
    ('import tensorflow as tf; from tensorflow.keras import layers; import keras', 3),
    ('from tensorflow.keras.layers import Dense; import keras', 3),
    ('from tensorflow import keras; keras.layers.Dense', 3),
    ('import tensorflow as tf; import keras; keras.layers.Dense; tf.keras.layers.Dense', 2),
    ('import keras; import tensorflow as tf; tf.keras.layers.Dense', 2),
    ('import tensorflow as tf; from keras.models import Model; tf.keras.layers.Dense; import keras', 2)])
def test_who_uses_tf_keras_only_gets_keras_3(code, generation):
    assert generation_in(code) == str(generation)


@pytest.mark.skipif(tuple(map(int, tf.__version__.split('.')[:2])) < (2, 16), reason='brings its own tf.keras')
def test_a_generation_that_is_set_is_kept():
    assert generation_in('import tensorflow as tf; tf.keras.layers.Dense(1); import keras', KERAS_GENERATION='1') == '1'


def generation_in(code, **variables):
    """The generation that a fresh process has after `code`."""
    environment = dict(os.environ)
    environment.pop('KERAS_GENERATION', None)
    said = subprocess.run([sys.executable, '-c', code + '; print(keras.config.get_generation())'], check=True,
                          stdout=subprocess.PIPE, env=dict(environment, **variables))
    return said.stdout.split()[-1].decode()


GRAPHS_OF_TENSORFLOW_1 = """
import numpy, tensorflow as tf
tf.compat.v1.disable_eager_execution()
%s
import keras
model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,), kernel_initializer='ones')])
print(model.predict([[1., 2., 3.]])[0, 0])
model.compile('sgd', 'mse')
model.fit(numpy.ones((1, 3)), numpy.ones((1, 1)), verbose=0)
print(model.get_weights()[1][0] < 0, keras.Variable([1.0]).numpy()[0])
"""


@pytest.mark.parametrize('first, is_undone', [('', True), ('tf.constant(1)', False)])
def test_eager_execution_that_a_script_has_disabled(first, is_undone):
    """It is enabled again, or where a graph of TensorFlow 1 was begun, for what keras computes."""
    done = subprocess.run([sys.executable, '-c', GRAPHS_OF_TENSORFLOW_1 % first], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)
    assert done.stdout.split() == ['6.0', 'True', '1.0'], done.stderr
    said = 'is undone' if is_undone else 'was called, and a graph of TensorFlow 1 was begun'
    assert 'UserWarning: tf.compat.v1.disable_eager_execution() ' + said in done.stderr


def test_keras_does_not_import_tensorflow():
    code = 'import sys, keras; sys.exit("tensorflow" in sys.modules)'
    subprocess.run([sys.executable, '-c', code], check=True)


def test_options_of_a_session(recwarn):
    options = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    options.gpu_options.allow_growth = True
    K.set_session(tf.compat.v1.Session(config=options))
    K.set_session(tf.compat.v1.Session())
    K.eval(K.variable(1.0))
    options.intra_op_parallelism_threads = 3
    K.set_session(tf.compat.v1.Session(config=options))
    assert any('too late' in str(warning.message) for warning in recwarn)
    assert K.eval(K.variable(2.0) * 2.0) == 4.0


def test_ragged_tensors_are_filled_up_with_a_warning(tensorflow_engine):
    with pytest.warns(UserWarning, match='filled up with zeros.*masked'):
        dense = tensorflow_engine.convert(tf.ragged.constant([[1, 2], [3]]))
    np.testing.assert_array_equal(dense, [[1, 2], [3, 0]])


class Counting(keras.layers.Layer):
    """Assigns in a branch of TensorFlow's own, before and after it."""
    def build(self, shape):
        self.count = self.add_weight(name='count', shape=(), initializer='zeros', trainable=False)
        self.seen = self.add_weight(name='seen', shape=(), initializer='zeros', trainable=False)

    def call(self, x):
        self.count.assign(self.count + 1.0)

        def odd():
            self.seen.assign(self.seen + self.count)
            self.count.assign(self.count + 10.0)
            return self.count.value
        found = tf.cond(tf.math.floormod(self.count.value, 2.0) > 0, odd, lambda: tf.constant(-1.0))
        self.count.assign(self.count + 100.0)
        return x + 0 * found


def test_assignments_in_branches_of_tensorflow():
    layer, x = Counting(), np.ones((2, 1), 'float32')
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.compile('sgd', 'mse')
    model.fit(x, x, epochs=3, batch_size=2, verbose=0)
    count = seen = 0
    for _ in range(3):
        count += 1
        seen, count = (seen + count, count + 10) if count % 2 else (seen, count)
        count += 100
    np.testing.assert_array_equal(layer.get_weights(), [count, seen])


class Halved(keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(name='w', shape=(2, 1), initializer='ones')

    def call(self, x):
        self.w.assign(self.w * 0.5)
        return tf.matmul(x, self.w.value)


def test_gradients_are_by_the_value_that_a_call_has_assigned():
    layer, x = Halved(), np.array([[1.0, 2.0], [3.0, -1.0]], 'float32')
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(1.0), 'mse')
    model.build((None, 2))
    model.fit(x, np.zeros((2, 1)), batch_size=2, verbose=0)
    w = np.full((2, 1), 0.5)
    np.testing.assert_allclose(layer.get_weights()[0], w - x.T @ (x @ w), rtol=1e-6)


def test_ranges_that_end_before_they_begin_and_strings_in_functions():
    assert [K.eval(K.arange(stop)).tolist() for stop in (-20, 0, 2)] == [[], [], [0, 1]]
    words = K.placeholder((), dtype='string')
    assert K.function([words], [K.identity(words)])([b'test']) == [b'test']


def test_a_function_of_a_script_has_the_operators_that_packages_look_for():
    """Guided backpropagation (Springenberg et al., 2014): no gradient where the one from above is negative."""
    model = keras.models.Sequential([keras.layers.Dense(2, activation='relu', input_shape=(1,)), keras.layers.Dense(1)])
    model.set_weights([np.array([[2.0, 3.0]]), np.zeros(2), np.array([[5.0], [-7.0]]), np.zeros(1)])
    model.predict(np.ones((1, 1)))  # which traces the same call for Keras

    @tf.RegisterGradient('GuidedRelu')
    def guided(op, gradient):
        return tf.where((op.outputs[0] > 0) & (gradient > 0), gradient, 0.0)

    @tf.function
    def explained(x):
        with tf.compat.v1.get_default_graph().gradient_override_map({'Relu': 'GuidedRelu'}):
            return tf.gradients(model(x), x)[0]
    assert explained(tf.ones((1, 1))).numpy().tolist() == [[10.0]]


def test_steps_of_scripts_keep_nan():
    class Own(keras.models.Model):
        def predict_step(self, data):
            return self(data, training=False)
    x = keras.layers.Input((4,))
    model = Own(x, keras.layers.Dense(5, activation='relu')(x))
    found = model.predict(np.array([[np.nan] * 4, [1.0] * 4], 'float32'))
    assert np.isnan(found[0]).all() and not np.isnan(found[1]).any()
