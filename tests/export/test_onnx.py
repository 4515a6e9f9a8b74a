"""ONNX: every entry of the op table and every layer, run by ONNX Runtime."""
import json
import os
import sys

import numpy as np
import pytest

import keras
from keras import layers
from keras.backend.contract import tree
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.entries import TABLE
from keras.export.onnx.converters import CONVERTERS, REFUSED
import golden

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
import harness  # noqa: E402

pytestmark = pytest.mark.on('numpy')
onnx = pytest.importorskip('onnx')
runtime = pytest.importorskip('onnxruntime')


def run(proto, arrays):
    """What ONNX Runtime gives for the model, for arrays in the order of its inputs."""
    onnx.checker.check_model(proto, full_check=True)
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    session = runtime.InferenceSession(proto.SerializeToString(), options)
    names = [given.name for given in session.get_inputs()]
    assert len(names) == len(arrays)
    return session.run(None, dict(zip(names, arrays)))


class Calling(keras.Model):
    """A model that calls an entry of the table."""

    def __init__(self, entry, args):
        super().__init__()
        self.entry, self.given = entry, args
        self.built = True

    def call(self, inputs):
        remaining = iter(inputs)
        return self.entry.call(*tree.map_structure(
            lambda leaf: next(remaining) if harness.is_array(leaf) else leaf, self.given))


def check_entry(case, unknown):
    """Hold the exported entry against the engine; `unknown`: whether the first size of each array is left open."""
    from keras.export.onnx import model_of
    args = case.arguments()
    arrays = [leaf for leaf in tree.flatten(args) if harness.is_array(leaf)]
    weights = [harness.is_array(arg) and case.is_weight(position) for position, arg in enumerate(args)
               for _ in range(len(tree.flatten([arg]))) if harness.is_array(arg) or isinstance(arg, list)]
    signature = [KerasTensor(((None,) if unknown and array.ndim and not fixed else array.shape[:1]) + array.shape[1:],
                             array.dtype.name) for array, fixed in zip(arrays, weights)]
    expected = harness.host(harness.call(case.entry, harness.native(args)))
    found = run(model_of(Calling(case.entry, args), [signature]), arrays)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5)


# They solve equations, for which ONNX has nothing, or are computed on the host.
WITHOUT_FORM = ('perspective_matrix', 'inv', 'cholesky_inverse', 'distinct')
CASES = [case for case in harness.table_cases(tensors=True)
         if case.entry.name not in REFUSED and case.entry.name not in WITHOUT_FORM]


@pytest.mark.parametrize('case', [case for case in CASES if not case.index or not harness.has_arrays(case)],
                         ids=lambda case: case.id)
def test_entry(case):
    check_entry(case, unknown=False)


# They compare sizes in Python; lu_factor goes through the columns of matrices that need not be square.
KNOWN_SIZES = ('ctc_loss', 'correlate', 'lu_factor')


@pytest.mark.parametrize('case', [case for case in CASES if harness.has_arrays(case)
                                  and case.entry.name not in KNOWN_SIZES], ids=lambda case: case.id)
def test_entry_of_unknown_sizes(case):
    check_entry(case, unknown=True)


def test_what_is_computed_on_the_host_is_refused():
    given = keras.Input((4,), dtype='int32')
    with pytest.raises(NotImplementedError, match='cannot be exported to ONNX: it computes on the host'):
        from keras.export.onnx import model_of
        model = keras.Model(given, keras.ops.unique(given, size=4))
        model_of(model, [KerasTensor((None, 4), 'int32')])


def test_every_primitive_has_a_converter_or_a_reason():
    primitives = {name for name, entry in TABLE.items() if entry.kind == 'primitive'}
    loops = {'scan', 'cond', 'while_loop'}
    assert primitives - set(CONVERTERS) - loops == set(REFUSED)
    assert not set(CONVERTERS) & set(REFUSED) and not set(CONVERTERS) - set(TABLE)


# --- layers -----------------------------------------------------------------------------------------------------------

NOT_HERE = {'dense_lora': 'low-rank adaptation', 'activation_sparsemax': 'upstream gives no distribution'}


ON_HOST = ('HashedCrossing', 'Hashing', 'IntegerLookup', 'StringLookup', 'TextVectorization')


def golden_layers(versions):
    for case in golden.entries('layers', 'cases'):
        version, name, content = case.values
        if version not in versions or content['layer']['class_name'] not in dir(layers) + ['Sequential']:
            continue
        if content['training'] or content['kwargs'] or name in NOT_HERE or 'stateful' in name:
            continue
        # What looks up or hashes on the host is refused; without `training`, upstream changes images at random.
        if content['layer']['class_name'] in ON_HOST or name.startswith(('random', 'equalization', 'solarization')):
            continue
        yield pytest.param(version, name, content, id=case.id)


def numbered(arrays, prefix):
    """The arrays prefix0, prefix1, ... in order."""
    found = []
    while '%s%d' % (prefix, len(found)) in arrays:
        found.append(arrays['%s%d' % (prefix, len(found))])
    return found


def picked(inputs, numbers):
    return [picked(inputs, number) for number in numbers] if isinstance(numbers, list) else inputs[numbers]


class CallingLayer(keras.Model):
    """A model that calls a layer with options."""

    def __init__(self, layer, options):
        super().__init__()
        self.layer, self.options = layer, options
        self.built = True

    def call(self, first, *rest):
        return self.layer(first, *rest, **self.options)


@pytest.mark.parametrize('version, name, case', list(golden_layers(('2.3.1', '3.15.1'))))
def test_layer(version, name, case):
    """With batches of any size, against the golden outputs."""
    from keras.export.onnx import model_of
    arrays = golden.arrays('layers', version, name)
    inputs = numbered(arrays, 'in')
    with golden.generation(version):
        layer, options = layers.deserialize(case['layer']), case.get('options') or {}
        args = [picked(inputs, number) for number in case['args']]
        if len(args) > 1 or options:
            layer(*args, **options)
        else:
            layer.ensure_built(tree.map_structure(np.shape, args[0]))
        for weight, array in zip(weights_of(layer), numbered(arrays, 'w')):
            weight.assign(array)
        signature = [tree.map_structure(lambda x: KerasTensor((None,) + x.shape[1:], x.dtype.name), arg)
                     for arg in args]
        model = CallingLayer(layer, options) if len(args) > 1 or options else layer
        found = run(model_of(model, signature), tree.flatten(args))
    expected = numbered(arrays, 'out')
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected):
        golden.assert_close(ours, theirs, 2e-5)


def weights_of(layer):
    """The weights in the order of the golden arrays."""
    if isinstance(layer, keras.Sequential):
        return [weight for inner in layer.layers for weight in inner.weights]
    if isinstance(layer, layers.SpectralNormalization):
        return [layer.kernel, layer.vector_u] + [weight for weight in layer.layer.weights if weight is not layer.kernel]
    return layer.weights


# --- refusals ---------------------------------------------------------------------------------------------------------

def test_what_cannot_be_exported_says_why(tmp_path):
    path = str(tmp_path / 'model.onnx')
    model = keras.Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match='not built yet'):
        model.export(path, format='onnx')
    x = keras.Input((3, 3))
    with pytest.raises(NotImplementedError, match="'cholesky' has no form|operation cholesky has no form in ONNX"):
        keras.Model(x, keras.ops.cholesky(x)).export(path, format='onnx')
    model = keras.Sequential([keras.Input((3, 3)), layers.Lambda(keras.ops.cholesky, name='it')])
    with pytest.raises(NotImplementedError, match="layer 'it'"):
        model.export(path, format='onnx')
    with pytest.raises(NotImplementedError, match='cannot be exported to ONNX: it .*on the host'):
        keras.Sequential([keras.Input((3,), dtype='int32'), layers.Hashing(5)]).export(path, format='onnx')
    assert not (tmp_path / 'model.onnx').exists()


def test_arguments_are_checked(tmp_path):
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    with pytest.raises(ValueError, match="Unrecognized format='onxx'.*onnx"):
        model.export(str(tmp_path / 'a'), format='onxx')
    with pytest.raises(TypeError, match="does not take 'opset'.*opset_version"):
        model.export(str(tmp_path / 'a'), format='onnx', opset=3)

    class Own(keras.Model):
        def call(self, x):
            return x * 2.0
    own = Own()
    own.built = True
    with pytest.raises(ValueError, match='input_signature='):
        own.export(str(tmp_path / 'a'), format='onnx')
    own.export(str(tmp_path / 'b'), format='onnx', input_signature=[keras.InputSpec(shape=(None, 3))])
    own = Own()
    own.predict(np.ones((2, 3)))
    own.export(str(tmp_path / 'a'), format='onnx')
    session = runtime.InferenceSession(str(tmp_path / 'a'))
    np.testing.assert_array_equal(session.run(None, {'input': np.ones((5, 3), 'float32')})[0], np.full((5, 3), 2.0))


def test_an_opset_can_be_asked_for(tmp_path):
    model = keras.Sequential([layers.Conv2D(2, 2, input_shape=(4, 4, 1)), layers.GlobalMaxPooling2D()])
    path = str(tmp_path / 'a.onnx')
    model.export(path, format='onnx', opset_version=20)
    assert onnx.load(path).opset_import[0].version == 20
    x = np.random.RandomState(0).rand(2, 4, 4, 1).astype('float32')
    session = runtime.InferenceSession(path)
    found, = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(found, model.predict(x), rtol=1e-5)


# --- states, random numbers, names, large weights ---------------------------------------------------------------------

def loaded(path):
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    return runtime.InferenceSession(path, options)


class Counting(layers.Layer):
    """Multiplies by how often it has run, and counts after that by `n = 3 n + 1`."""

    def build(self, input_shape):
        self.n = self.add_weight(shape=(), initializer='ones', trainable=False, name='n')
        super().build(input_shape)

    def call(self, inputs):
        outputs = inputs * self.n
        self.n.assign(self.n * 3.0 + 1.0)
        return outputs


def test_states_are_inputs_and_outputs(tmp_path):
    model = keras.Sequential([
        layers.LSTM(3, stateful=True, return_sequences=True, batch_input_shape=(2, 4, 3)),
        layers.Bidirectional(layers.GRU(2, stateful=True)), Counting()])
    x, path = np.random.RandomState(0).rand(2, 4, 3).astype('float32'), str(tmp_path / 'a.onnx')
    model.export(path, format='onnx')
    session = loaded(path)
    pairs = json.loads(session.get_modelmeta().custom_metadata_map['keras_states'])
    names = [one.name for one in session.get_outputs()]
    assert sorted(pairs) == sorted(one.name for one in session.get_overridable_initializers()) and len(pairs) == 5
    feed = {session.get_inputs()[0].name: x}
    for factor in (1, 4, 13):
        found = dict(zip(names, session.run(None, feed)))
        np.testing.assert_allclose(found[names[0]], factor * np.asarray(model.layers[1](model.layers[0](x))),
                                   rtol=1e-4, atol=1e-6)
        feed.update((before, found[after]) for before, after in pairs.items())


def test_states_are_refused_for_openvino(tmp_path):
    pytest.importorskip('openvino')
    model = keras.Sequential([keras.Input((2,)), Counting()])
    with pytest.raises(ValueError, match="states from batch to batch.*'openvino'"):
        model.export(str(tmp_path / 'a.xml'), format='openvino')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('draw, mean, deviation', [
    (lambda: keras.random.uniform((500, 400)), 0.5, 12 ** -0.5), (lambda: keras.random.normal((500, 400)), 0.0, 1.0),
    (lambda: keras.random.randint((500, 400), 2, 7, 'int32'), 4.0, 2 ** 0.5),
    (lambda: keras.random.shuffle(keras.ops.arange(400)), 199.5, (400 ** 2 / 12) ** 0.5)],
    ids=['uniform', 'normal', 'integers', 'shuffle'])
def test_runtimes_draw_numbers(draw, mean, deviation, tmp_path):
    model = keras.Sequential([keras.Input((400,)), layers.Lambda(lambda x: x + keras.ops.cast(draw(), 'float32'))])
    path = str(tmp_path / 'a.onnx')
    with pytest.warns(UserWarning, match='draws random numbers'):
        model.export(path, format='onnx')
    session = loaded(path)
    feed = {session.get_inputs()[0].name: np.zeros((500, 400), 'float32')}
    first, second = [session.run(None, feed)[0] for _ in range(2)]
    assert np.abs(first - second).max() > 0
    np.testing.assert_allclose([first.mean(), first.std()], [mean, deviation], atol=0.01 * max(1, deviation))


def test_names_of_inputs_and_outputs(tmp_path):
    class Own(keras.Model):
        def call(self, x):
            return {'sum': x['p'] + x['q'], 'parts': [x['p'] * 2.0, x['q'] * 3.0]}
    path = str(tmp_path / 'a.onnx')

    def names(model, **options):
        model.export(path, format='onnx', **options)
        return [[one.name for one in side()] for side in (loaded(path).get_inputs, loaded(path).get_outputs)]
    own = Own()
    own({'p': np.ones((2, 3), 'float32'), 'q': np.ones((2, 3), 'float32')})
    assert names(own) == [['p', 'q'], ['parts', 'parts_1', 'sum']]
    signature = [{'p': keras.InputSpec(shape=(None, 3)), 'q': keras.InputSpec(shape=(None, 3), name='mine')}]
    assert names(own, input_signature=signature)[0] == ['p', 'mine']
    model = keras.Sequential([layers.Dense(2, input_shape=(3,), name='top')])
    assert names(model, input_signature=[keras.InputSpec(shape=(None, 3), name='mine')]) == [['mine'], ['top']]


@pytest.mark.parametrize('make', [
    lambda: layers.ConvLSTM2D(3, 2, return_sequences=True), lambda: layers.ConvLSTM2D(3, 3, strides=2, padding='same'),
    lambda: layers.Bidirectional(layers.ConvLSTM2D(2, 2))], ids=['sequences', 'strides', 'both ways'])
def test_convolutions_in_time_over_pictures_of_any_size(make):
    from keras.export.onnx import model_of
    layer, draw = make(), np.random.RandomState(0)
    for shape in ((2, 3, 6, 5, 2), (1, 2, 4, 7, 2)):
        x = draw.rand(*shape).astype('float32')
        expected = np.asarray(layer(x))
        found, = run(model_of(layer, [KerasTensor((None, None, None, None, 2), 'float32')]), [x])
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('make', [layers.AdaptiveAveragePooling2D, layers.AdaptiveMaxPooling2D])
def test_as_many_windows_as_are_wanted_over_pictures_of_any_size(make):
    from keras.export.onnx import model_of
    layer, draw = make((3, 2)), np.random.RandomState(0)
    layer.build((None, None, None, 2))
    proto = model_of(layer, [KerasTensor((None, None, None, 2), 'float32')])
    for shape in ((2, 7, 9, 2), (1, 12, 5, 2), (1, 2, 1, 2)):
        x = draw.rand(*shape).astype('float32')
        np.testing.assert_allclose(run(proto, [x])[0], np.asarray(layer(x)), rtol=1e-6)


def test_large_weights(tmp_path, monkeypatch):
    from keras.export.onnx import files
    model = keras.Sequential([layers.Dense(200, input_shape=(100,)), layers.Reshape((20, 10)), layers.Conv1D(64, 20),
                              layers.Dense(300, dtype='float16')])
    x = np.random.RandomState(0).rand(2, 100).astype('float32')
    expected, path = model.predict(x), str(tmp_path / 'a.onnx')

    def check():
        found, = loaded(path).run(None, {model.input_names[0]: x})
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)
    model.export(path, format='onnx')
    check()
    model.export(path, format='onnx', opset_version=20)
    check()
    monkeypatch.setattr(files, '_LARGEST', 1000)
    model.export(path, format='onnx')
    check()
    assert sorted(one.name for one in tmp_path.iterdir()) == ['a.onnx', 'a.onnx.data']
    assert (tmp_path / 'a.onnx').stat().st_size < 100000 < 80000 + (tmp_path / 'a.onnx.data').stat().st_size
    onnx.checker.check_model(path)


def test_loops_and_branches():
    from keras.export.onnx import model_of

    def run_loop(x):
        count, total = keras.ops.while_loop(lambda i, s: keras.ops.less(i, 4), lambda i, s: (i + 1, s * 2.0 + x),
                                            [keras.ops.full((), 0, 'int32'), keras.ops.zeros_like(x)])
        return keras.ops.cond(keras.ops.sum(x) > 0.0, lambda: total + 1.0, lambda: x - 1.0)
    x = keras.Input((3,))
    model = keras.Model(x, layers.Lambda(run_loop)(x))
    for sign in (1, -1):
        data = sign * np.arange(1, 7, dtype='float32').reshape(2, 3)
        expected = data * 15 + 1 if sign == 1 else data - 1
        np.testing.assert_allclose(run(model_of(model), [data])[0], expected)


def test_addresses_of_keras3(tmp_path):
    from keras.src.export import onnx as module, saved_model, tfsm_layer
    from keras.src.export.openvino import export_openvino
    assert tfsm_layer.TFSMLayer is layers.TFSMLayer and saved_model.ExportArchive is keras.export.ExportArchive
    assert callable(saved_model.export_saved_model) and callable(export_openvino)
    model = keras.Sequential([layers.Dense(2, input_shape=(3,))])
    module.export_onnx(model, str(tmp_path / 'a.onnx'), opset_version=19)
    assert onnx.load(str(tmp_path / 'a.onnx')).opset_import[0].version == 19
