"""Models, weights and optimizer states that upstream wrote must be read and give upstream's numbers."""
import warnings

import golden_files as golden
import numpy as np
import pytest

from keras.backend.engine import get_engine
from keras.models import load_model, model_from_json

GENERATIONS = ('k2.3.1', 'k2.3.1-theano', 'k2.3.1-cntk', 'tfkeras2.4')

# What cannot be read yet, and why. A model that starts to work fails the run until it is taken from here.
NOT_YET = {
    'tfkeras2.4-attention': 'the layer MultiHeadAttention is not there yet',
    'tfkeras2.4-functional_tf': 'the layers Rescaling and of TensorFlow operations are not there yet',
    'tfkeras2.4-conv_all': 'UpSampling2D(interpolation="bilinear") samples at pixel centres in tf.keras, at corners in '
                           'Keras 2.3.1, and the config does not say which',
}

# Predictions are right, but training goes on differently, since the generations disagree.
_VARIANCE = 'tf.keras keeps another estimate of the variance in BatchNormalization than Keras 2.3.1, which we follow'
NOT_YET_TRAINED = {
    'k2.3.1-nested_bn_frozen': 'a frozen BatchNormalization normalises with the batch in Keras 2.3.1; ours, as that of '
                               'tf.keras and Keras 3, with the moving statistics',
    'tfkeras2.4-bn_sync_free': _VARIANCE,
    'tfkeras2.4-conv_train': _VARIANCE,
    'tfkeras2.4-nested_bn_frozen': _VARIANCE,
    'tfkeras2.4-regularized_constrained': 'tf.keras divides the loss of an activity regularizer by the batch size, '
                                          'Keras 2.3.1 does not',
}


def entries(wanted, not_yet=NOT_YET):
    found = []
    for generation in GENERATIONS:
        for name, entry in sorted(golden.models(generation).items()):
            if wanted(entry):
                key = '%s-%s' % (generation, name)
                marks = [pytest.mark.xfail(strict=True, reason=not_yet[key])] if key in not_yet else []
                found.append(pytest.param(entry, id=key, marks=marks))
    return found or [pytest.param(None, marks=pytest.mark.skip(reason='no golden files beside the repository'))]


@pytest.fixture(autouse=True)
def one_generation_where_compiling_takes_long(request):
    """Files are read the same way on every engine, so engines that compile each model read one generation."""
    entry = request.getfixturevalue('entry')
    if get_engine().capabilities.compiled and entry['generation'] != 'k2.3.1':
        pytest.skip('read by the engines that do not compile')


def weights_in_upstreams_order(model, entry):
    if entry['generation'] != 'tfkeras2.4':
        return model.get_weights()
    # tf.keras lists the weights of nested models layer by layer too.
    found = []
    for layer in model.layers:
        found += weights_in_upstreams_order(layer, entry) if hasattr(layer, 'layers') else layer.get_weights()
    return found


def assert_same_weights(model, recorded, entry):
    weights, theirs = weights_in_upstreams_order(model, entry), golden.numbered(recorded, 'w')
    assert len(weights) == len(theirs)
    for ours, array in zip(weights, theirs):
        if entry['engine'].startswith('theano') and array.ndim >= 3:
            array = array[(slice(None, None, -1),) * (array.ndim - 2)]  # Theano turns kernels over
        np.testing.assert_array_equal(ours, array)


@pytest.mark.parametrize('entry', entries(lambda entry: entry['files']))
def test_model_predicts_what_upstream_predicted(entry):
    recorded = golden.arrays(entry)
    for file in entry['files']:
        model = load_model(golden.path(file), compile=False)
        assert_same_weights(model, recorded, entry)
        inputs = golden.numbered(recorded, 'in')
        for call in range(entry.get('predict_calls', 0)):
            outputs = model.predict(golden.one_or_list(inputs), batch_size=len(inputs[0]))
            assert golden.largest_error(outputs, recorded['out0@%d' % call]) < 1e-5
        if 'predict_calls' not in entry:
            outputs = model.predict(golden.one_or_list(inputs))
            outputs = outputs if isinstance(outputs, list) else [outputs]
            for ours, theirs in zip(outputs, golden.numbered(recorded, 'out')):
                assert golden.largest_error(ours, theirs) < 1e-5


@pytest.mark.parametrize('entry', entries(lambda entry: 'json' in entry and 'weights_file' in entry))
def test_architecture_from_json_and_weights_from_their_own_file(entry):
    recorded = golden.arrays(entry)
    with open(golden.path(entry['json'])) as file:
        model = model_from_json(file.read())
    if 'by_name_source' in entry:
        model.set_weights(golden.numbered(recorded, 'before'))
        model.load_weights(golden.path(entry['by_name_source']), by_name=True)
    else:
        model.load_weights(golden.path(entry['weights_file']))
    assert_same_weights(model, recorded, entry)


def can_go_on(entry):
    return 'train' in entry and not any('train_difference' in reload and reload['train_difference'] > 1e-5
                                        for reload in entry.get('upstream_reload', {}).values()
                                        if isinstance(reload, dict))


@pytest.mark.needs_gradients
@pytest.mark.parametrize('entry', entries(can_go_on, NOT_YET_TRAINED))
def test_training_goes_on_where_upstream_stopped(entry):
    recorded = golden.arrays(entry)
    x = golden.one_or_list([recorded[key] for key in sorted(recorded) if key.startswith('train_x')])
    y = golden.one_or_list([recorded[key] for key in sorted(recorded) if key.startswith('train_y')])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        model = load_model(golden.path(entry['files'][0]))
    assert model.metrics_names == entry['train']['metrics_names']
    for step in range(entry['train']['steps_after']):
        losses = np.atleast_1d(model.train_on_batch(x, y))
        assert golden.largest_error(losses, np.atleast_1d(recorded['train_loss'][step])) < 1e-4
    for ours, theirs in zip(weights_in_upstreams_order(model, entry), golden.numbered(recorded, 'train_w')):
        assert golden.largest_error(ours, theirs) < 1e-4
