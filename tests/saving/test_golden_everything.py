"""Every golden file, on one engine: read, predicted from, trained on; see golden_files.

The engines that do not compile read four generations besides, in test_golden_files.
"""
import os
import warnings
import zipfile

import golden_files as golden
import numpy as np
import pytest

import keras
from keras import ops
from keras.models import load_model, model_from_json, model_from_yaml

pytestmark = pytest.mark.on('torch')

GENERATIONS = ('k1.2.2-tensorflow-th', 'k1.2.2-tensorflow-tf', 'k1.2.2-theano-th', 'k1.2.2-theano-tf', 'k2.3.1',
               'k2.3.1-theano', 'k2.3.1-cntk', 'tfkeras2.1', 'tfkeras2.4', 'tfkeras2.4b', 'tfkeras2.9', 'tfkeras2.12',
               'tfkeras2.15', 'k3.15.1')
RAGGED = 'ragged tensors are TensorFlow\'s; see test_golden_ragged'
STRINGS = 'the engine has no strings; see test_golden_strings'
LAMBDA = 'byte code of another Python, which is refused by default; see test_lambdas_are_refused'
# What does not give upstream's numbers, and why. Nothing is here that upstream could read and we cannot.
DIFFERENT = {
    'k1.2.2-theano-th/old_activations': 'on Theano SReLU cut off what is left of the thresholds, too; here, as on '
                                        'TensorFlow, it does not',
    'k3.15.1/stateful': 'upstream forgets the states between two calls of predict, on JAX',
    'tfkeras2.4b/ops_einsum': 'the file names an equation but not its operands; upstream cannot read it either',
    'tfkeras2.1/ragged': RAGGED, 'tfkeras2.4b/ragged': RAGGED, 'tfkeras2.9/ragged': RAGGED,
    'tfkeras2.15/ragged': RAGGED,
    'tfkeras2.1/lambdas': LAMBDA, 'tfkeras2.4b/lambdas': LAMBDA, 'tfkeras2.9/lambdas': LAMBDA,
    'tfkeras2.12/lambdas': LAMBDA,
    'tfkeras2.4b/prep_text': STRINGS, 'tfkeras2.12/prep_text': STRINGS, 'tfkeras2.15/prep_text': STRINGS,
    'k3.15.1/opt_muon': 'the optimizer Muon is not there yet',
}


@keras.saving.register_keras_serializable('golden')
class PlainCell(keras.layers.Layer):
    """The cell that the files of custom_cell describe."""

    def __init__(self, units, gain=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units, self.gain = units, gain
        self.state_size = self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight('kernel', (input_shape[-1], self.units))
        self.recurrent_kernel = self.add_weight('recurrent_kernel', (self.units, self.units))
        self.built = True

    def call(self, inputs, states):
        products = self.gain * ops.matmul(inputs, self.kernel)
        output = ops.tanh(products + ops.matmul(states[0], self.recurrent_kernel))
        return output, [output]

    def get_config(self):
        return dict(super().get_config(), units=self.units, gain=self.gain)


def cases(wanted):
    found = []
    for generation in GENERATIONS:
        for name, entry in sorted(golden.models(generation).items()):
            key = '%s/%s' % (generation, name)
            for file in wanted(entry):
                reason = DIFFERENT.get(key)
                if reason in (None, LAMBDA) or file.endswith('.json'):
                    found.append(pytest.param(entry, file, id='%s:%s' % (key, file)))
    return found or [pytest.param(None, None, marks=pytest.mark.skip(reason='no golden files beside the repository'))]


@pytest.fixture(scope='module')
def unpacked(tmp_path_factory):
    """A function of the name of a golden file that gives its path, unpacked where it is the zip of a folder."""
    folder = tmp_path_factory.mktemp('golden')

    def path(name):
        if not name.endswith('.zip'):
            return golden.path(name)
        target = os.path.join(str(folder), name)
        if not os.path.exists(target):
            with zipfile.ZipFile(golden.path(name)) as archive:
                archive.extractall(target)
        return target if 'checkpoint' not in name else os.path.join(target, 'cp.ckpt')
    return path


def in_order(arrays, keys):
    return dict(zip(keys, arrays)) if keys else golden.one_or_list(arrays)


def assert_predicts(model, entry, recorded):
    tolerance = entry.get('tolerance', 1e-2 if 'compare with 1e-2' in entry.get('note', '') else 1e-5)
    given = golden.numbered(recorded, 'in')
    inputs = in_order(given, entry.get('input_keys'))
    for call in range(entry.get('predict_calls', 0)):
        found = model.predict(inputs, batch_size=len(given[0]), verbose=0)
        assert golden.largest_error(found, recorded['out0@%d' % call]) < tolerance
    if 'predict_calls' not in entry:
        found = model.predict(inputs, batch_size=len(given[0]), verbose=0)
        found = [found[key] for key in entry.get('output_keys', sorted(found))] if isinstance(found, dict) else found
        for ours, theirs in zip(found if isinstance(found, list) else [found], golden.numbered(recorded, 'out')):
            assert golden.largest_error(ours, theirs) < tolerance


def assert_goes_on(model, entry, recorded):
    x = in_order([recorded[key] for key in sorted(recorded) if key.startswith('train_x')], entry.get('input_keys'))
    y = in_order([recorded[key] for key in sorted(recorded) if key.startswith('train_y')],
                 entry['train'].get('target_keys'))
    tolerance = 3 * entry['tolerance'] if 'tolerance' in entry else 1e-4
    for step in range(entry['train']['steps_after']):
        losses = np.atleast_1d(model.train_on_batch(x, y))
        assert golden.largest_error(losses, np.atleast_1d(recorded['train_loss'][step])) < tolerance


def goes_on(entry, file):
    """Whether upstream itself goes on from the file with the losses that it had."""
    reloaded = entry.get('upstream_reload', {}).get(file, {})
    return 'train' in entry and 'fails' not in reloaded and reloaded.get('train_difference', 0) < 1e-5


def whole_models(entry):
    # A SavedModel of a class holds its graph alone, which is code; it is read below.
    folders = [] if 'subclassed' in entry else [entry.get('savedmodel')]
    return [file for file in entry['files'] + folders if file]


@pytest.mark.parametrize('entry, file', cases(lambda entry: [] if entry.get('unsafe') else whole_models(entry)))
def test_models_predict_and_go_on(entry, file, unpacked):
    recorded = golden.arrays(entry)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        model = load_model(unpacked(file), compile='train' in entry)
    assert_predicts(model, entry, recorded)
    if goes_on(entry, file):
        assert_goes_on(model, entry, recorded)


class Two(keras.Model):
    """The subclassed model that the files of subclassed describe."""

    def __init__(self, recorded):
        super().__init__()
        self.first = keras.layers.Dense(recorded['w0'].shape[1], activation='relu')
        self.second = keras.layers.Dense(recorded['out0'].shape[1])
        self.norm = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        return self.second(self.norm(self.first(x), training=training)) + 1


def architecture(entry, recorded):
    if 'subclassed' in entry:
        model = Two(recorded)
        model(recorded['in0'][:1])
    elif 'json' in entry:
        with open(golden.path(entry['json'])) as file:
            model = model_from_json(file.read())
    else:
        model = load_model(golden.path(entry['files'][0]), compile=False)
        model.set_weights([0 * weight for weight in model.get_weights()])
    return model


class SizedTwo(Two):
    """The same by its own config, which SavedModels have from 2.15 on."""

    def __init__(self, units=4, out=2):
        super().__init__({'w0': np.zeros((5, units)), 'out0': np.zeros((4, out))})


@pytest.mark.parametrize('generation', ['tfkeras2.9', 'tfkeras2.15'])
def test_saved_models_of_a_class(generation, unpacked):
    if not golden.models(generation):
        pytest.skip('no golden files beside the repository')
    entry = golden.models(generation)['subclassed']
    model = load_model(unpacked(entry['savedmodel']), custom_objects={'Two': SizedTwo})
    assert_predicts(model, entry, golden.arrays(entry))


def weight_files(entry):
    return [entry[key] for key in ('weights_file', 'legacy_weights_file', 'checkpoint', 'savedmodel')
            if key in entry and 'by_name_source' not in entry and (key != 'savedmodel' or 'subclassed' in entry)]


@pytest.mark.parametrize('entry, file', cases(weight_files))
def test_weights_alone(entry, file, unpacked):
    recorded = golden.arrays(entry)
    model = architecture(entry, recorded)
    model.load_weights(unpacked(file))
    assert_predicts(model, entry, recorded)


@pytest.mark.parametrize('entry, file', cases(lambda entry: [entry['yaml']] if 'yaml' in entry else []))
def test_architectures_in_yaml(entry, file):
    with open(golden.path(file)) as text:
        model = model_from_yaml(text.read())
    assert [weight.shape for weight in model.weights] or model.layers


@pytest.mark.parametrize('entry, file', cases(lambda entry: whole_models(entry) if entry.get('unsafe') else []))
def test_lambdas_are_refused(entry, file):
    with pytest.raises(ValueError, match='safe_mode'):
        load_model(golden.path(file))
