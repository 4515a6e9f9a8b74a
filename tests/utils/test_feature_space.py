"""The columns of a table as numbers: the values are those of Keras 3.15.1 on the same table."""
import sys

import numpy as np
import pytest

import keras
from keras.utils import FeatureSpace

pytestmark = pytest.mark.on('numpy', 'tensorflow')

TABLE = {'zf': np.arange(8.) / 4, 'fn': np.arange(8.) ** 2, 'fd': np.arange(8.) * 3, 's': np.array(list('aabbccdd')),
         'sh': np.array(list('abcdefgh')), 'i': np.arange(8), 'ih': np.arange(8) * 7, 'r': np.arange(8.)}
ROWS = {'zf': [0., .25, .5], 'fn': [0., 1., 4.], 'fd': [0., 3., 6.], 's': ['a', 'z', 'd'], 'sh': ['a', 'b', 'c'],
        'i': [3, 100, 101], 'ih': [0, 7, 14], 'r': [0., 1., 2.]}
# Where the features have their numbers, by name; then the crosses.
FD, FN, INT, IH, R, S, SH, ZF = slice(0, 3), 3, slice(4, 14), slice(14, 18), 18, slice(19, 24), slice(24, 29), 29
CROSSES = slice(30, 38), slice(38, 44)


def space(**options):
    return FeatureSpace(
        {'zf': 'float', 'fn': 'float_normalized', 'fd': FeatureSpace.float_discretized(num_bins=3),
         's': 'string_categorical', 'sh': FeatureSpace.string_hashed(num_bins=5),
         'i': FeatureSpace.integer_categorical(num_oov_indices=2), 'ih': FeatureSpace.integer_hashed(num_bins=4),
         'r': FeatureSpace.float_rescaled(.5, 1.)},
        crosses=[('fd', 's'), FeatureSpace.cross(('sh', 'ih'), crossing_dim=6)], crossing_dim=8, **options)


def check(found):
    found = np.asarray(found)
    assert found.shape == (3, 44) and found.dtype == 'float32'
    places = [found[:, part].argmax(axis=1).tolist() for part in (FD, INT, IH, S, SH) + CROSSES]
    assert places == [[0, 0, 1], [6, 0, 1], [3, 0, 1], [4, 0, 1], [4, 2, 2], [6, 0, 1], [2, 5, 0]]
    np.testing.assert_allclose(found[:, [FN, R, ZF]], [[-1.0491, 1, 0], [-.9892, 1.5, .25], [-.8093, 2, .5]], atol=1e-4)


def test_on_arrays():
    features = space()
    with pytest.raises(ValueError, match='You need to call `.adapt'):
        features(ROWS)
    features.adapt(TABLE)
    check(features(ROWS))
    single = np.asarray(features({name: values[1] for name, values in ROWS.items()}))
    np.testing.assert_array_equal(single, np.asarray(features(ROWS))[1])
    found = space(output_mode='dict')
    found.adapt([{name: values[start:start + 3] for name, values in TABLE.items()} for start in (0, 3, 6)])
    rows = found(ROWS)
    assert list(rows) == ['fd', 'fn', 'i', 'ih', 'r', 's', 'sh', 'zf', 'fd_X_s', 'sh_X_ih']
    assert np.asarray(rows['sh_X_ih']).shape == (3, 6)


def test_the_rows_of_few_samples_are_as_long_as_was_said():
    features = FeatureSpace({'a': 'float_discretized'}, num_discretization_bins=32)
    features.adapt({'a': np.arange(10.)})
    found = np.asarray(features({'a': [3., 20.]}))
    assert found.shape == (2, 32) and found.argmax(axis=1).tolist() == [4, 9]


@pytest.mark.skipif(sys.version_info < (3, 7), reason='an old TensorFlow would keep MXNet from being loaded')
def test_in_pipelines():
    tf = pytest.importorskip('tensorflow')
    features = space()
    features.adapt(tf.data.Dataset.from_tensor_slices(TABLE))
    rows = tf.data.Dataset.from_tensor_slices({name: np.array(values) for name, values in ROWS.items()})
    check(next(iter(rows.batch(3).map(features))).numpy())
    assert next(iter(rows.map(features))).shape == (44,)


def test_in_models_and_files(tmp_path):
    features = space()
    features.adapt(TABLE)
    model = keras.Model(features.get_inputs(), keras.layers.Dense(2)(features.get_encoded_features()))
    rows = {name: np.array(values) for name, values in ROWS.items()}
    encoded = np.asarray(features(rows))
    kernel, bias = model.get_weights()[-2:]
    np.testing.assert_allclose(model.predict(rows), encoded @ kernel + bias, atol=1e-5)
    path = str(tmp_path / 'space.keras')
    features.save(path)
    np.testing.assert_array_equal(np.asarray(keras.models.load_model(path)(rows)), encoded)


@pytest.mark.parametrize('make, message', [
    (lambda: FeatureSpace({}), 'cannot be None or empty'),
    (lambda: FeatureSpace({'a': 'float'}, output_mode='other'), 'for argument `output_mode`'),
    (lambda: FeatureSpace({'a': 'other'}), "Invalid feature 'other' for 'a'"),
    (lambda: FeatureSpace({'a': 'integer_categorical', 'b': 'float'}, crosses=[('a', 'c')]), 'should be present in'),
    (lambda: FeatureSpace({'a': 'float', 'b': 'float'}, crosses=[('a', 'b')], crossing_dim=None), '`crossing_dim`'),
    (lambda: FeatureSpace({'a': 'float'})({'b': [1]}), r"no values for the features \['a'\]"),
    (lambda: FeatureSpace({'a': 'float'})([1]), 'can only be called with a dict'),
    (lambda: FeatureSpace({'a': FeatureSpace.integer_hashed(3, output_mode='int')})({'a': [1]}), 'output_mode="int"')])
def test_what_does_not_fit_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()
