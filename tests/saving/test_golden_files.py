"""Models, weights and optimizer states that upstream wrote must be read and give upstream's numbers."""
import warnings

import golden_files as golden
import numpy as np
import pytest

from keras.backend.contract.loading import get_engine
from keras.models import load_model, model_from_json

GENERATIONS = ('k2.3.1', 'k2.3.1-theano', 'k2.3.1-cntk', 'tfkeras2.4')

# What cannot be read yet, and why. A model that starts to work fails the run until it is taken from here.
NOT_YET = {}


def entries(wanted):
    found = []
    for generation in GENERATIONS:
        for name, entry in sorted(golden.models(generation).items()):
            if wanted(entry):
                key = '%s-%s' % (generation, name)
                marks = [pytest.mark.xfail(strict=True, reason=NOT_YET[key])] if key in NOT_YET else []
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
@pytest.mark.parametrize('entry', entries(can_go_on))
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


# Models of later generations in HDF5 whose training upstream could go on with, and some that it could not.
LATER = {'tfkeras2.9': ['formats', 'opt_adam_decay_clip'],
         'tfkeras2.12': ['formats', 'opt_new_adamw', 'opt_new_sgd_ema_overwrite', 'opt_sgd_cosine'],
         'tfkeras2.15': ['formats', 'h5_extras', 'opt_new_adam_ema', 'opt_new_adamw_cosine', 'opt_new_lion',
                         'opt_rmsprop_inverse'],
         'k3.15.1': ['conv_train', 'multi_io', 'opt_adam', 'opt_sgd', 'rnn_train']}
ONLY_PREDICTING = {'k3.15.1': ['bidirectional', 'conv_all', 'conv_first', 'conv_last', 'gru', 'lstm', 'mlp',
                               'nested_deep', 'shared_siamese']}


def later_entries(wanted):
    found = [pytest.param(golden.models(generation)[name], id='%s-%s' % (generation, name))
             for generation, names in sorted(wanted.items()) for name in names if golden.models(generation)]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason='no golden files beside the repository'))]


def hdf5_of(entry):
    return golden.path(next(name for name in entry['files'] if name.endswith('.h5')))


@pytest.mark.parametrize('entry', later_entries(ONLY_PREDICTING) + later_entries(LATER))
def test_predictions_of_later_generations(entry):
    recorded = golden.arrays(entry)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of files without a training configuration
        model = load_model(hdf5_of(entry))
    found = model.predict(golden.one_or_list(golden.numbered(recorded, 'in')), verbose=0)
    for ours, theirs in zip(found if isinstance(found, list) else [found], golden.numbered(recorded, 'out')):
        assert golden.largest_error(ours, theirs) < 1e-5


@pytest.mark.needs_gradients
@pytest.mark.parametrize('entry', later_entries(LATER))
def test_training_of_later_generations_goes_on(entry):
    recorded = golden.arrays(entry)
    x, y = [golden.one_or_list(golden.numbered(recorded, 'train_' + part)) for part in 'xy']
    model = load_model(hdf5_of(entry))
    for step in range(entry['train']['steps_after']):
        losses = np.atleast_1d(model.train_on_batch(x, y))
        assert golden.largest_error(losses, np.atleast_1d(recorded['train_loss'][step])) < 1e-4
