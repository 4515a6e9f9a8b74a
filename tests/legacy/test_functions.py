"""Functions and classes of Keras 1 outside of layers: their numbers are those that Keras 1.2.2 printed, or NumPy's."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras import constraints, initializations, metrics, objectives, optimizers, regularizers
from keras.utils import io_utils, layer_utils, np_utils

pytestmark = pytest.mark.on('numpy')
rng = np.random.RandomState(0)
TRUE, FOUND = (rng.rand(6, 1) > .5).astype('float32'), rng.rand(6, 1).astype('float32')
WEIGHTS = rng.rand(4, 3).astype('float32')


@pytest.mark.parametrize('name, expected', [
    ('precision', 0.75), ('recall', 0.6), ('fmeasure', 0.6666666), ('f1score', 0.6666666), ('fscore', 0.6666666),
    ('matthews_correlation', -0.31622776)])
def test_metrics(name, expected):
    assert K.eval(metrics.get(name)(TRUE, FOUND)) == pytest.approx(expected, abs=1e-6)


def test_fbeta_score():
    assert K.eval(metrics.fbeta_score(TRUE, FOUND, beta=2)) == pytest.approx(0.625, abs=1e-6)
    assert K.eval(metrics.fbeta_score(0 * TRUE, FOUND, beta=2)) == 0
    with pytest.raises(ValueError, match='at least 0'):
        metrics.fbeta_score(TRUE, FOUND, beta=-1)


def test_regularizers():
    assert K.eval(regularizers.EigenvalueRegularizer(.1)(WEIGHTS)) == pytest.approx(0.21926239, abs=1e-6)
    with pytest.raises(ValueError, match='matrices only'):
        regularizers.EigenvalueRegularizer(.1)(WEIGHTS[0])
    for old, now in (('l1l2(0.1, 0.2)', (0.1, 0.2)), ('activity_l1(0.1)', (0.1, 0)), ('activity_l2(0.2)', (0, 0.2)),
                     ('activity_l1l2()', (0.01, 0.01))):
        with pytest.warns(DeprecationWarning, match='Write l1'if 'l1' in old else 'Write l2'):
            made = eval('regularizers.' + old)
        assert (made.l1, made.l2) == now
    assert isinstance(regularizers.WeightRegularizer(0.1), regularizers.ActivityRegularizer)


def test_configs_as_keras_1_wrote_them():
    made = regularizers.get({'name': 'L1L2Regularizer', 'l1': 0.0, 'l2': 0.5})
    assert (made.l1, made.l2) == (0.0, 0.5)
    with pytest.warns(DeprecationWarning, match='MaxNorm.max_value=3'):
        assert constraints.get({'name': 'MaxNorm', 'm': 3, 'axis': 1}).max_value == 3


def test_names_with_arguments():
    assert regularizers.get('L1L2', {'l1': 0.5}).l1 == 0.5
    assert constraints.get('UnitNorm', kwargs={'axis': 1}).axis == 1
    assert optimizers.get('sgd', {'momentum': 0.5}).momentum == 0.5
    assert optimizers.optimizer_from_config({'class_name': 'SGD', 'config': {'momentum': 0.5}}).momentum == 0.5
    assert objectives.get('mse') is objectives.mse
    found = {'twice': lambda x: 2 * x, 'Norm': constraints.UnitNorm}
    for module in (metrics, objectives, keras.activations, keras.layers):
        assert module.get_from_module('twice', found, 'function')(2) == 4
    get = regularizers.get_from_module
    assert get('Norm', found, 'norm', instantiate=True, kwargs={'axis': 1}).axis == 1
    assert get({'name': 'Norm', 'axis': 1}, found, 'norm').axis == 1 and get(None, found, 'norm') is None
    with pytest.raises(ValueError, match="Invalid norm: 'Nrm'. Known: Norm, twice"):
        get('Nrm', found, 'norm')


def test_constraints():
    with pytest.warns(DeprecationWarning, match=r'MaxNorm\(max_value=3\)'):
        assert constraints.maxnorm(m=3).max_value == 3
    with pytest.warns(DeprecationWarning, match=r'MinMaxNorm\(min_value=1, max_value=2\)'):
        made = constraints.MinMaxNorm(low=1, high=2)
    assert (made.min_value, made.max_value) == (1, 2)


# (name, shape, dim_ordering, standard deviation, bound) by Keras 1.2.2, where a bound is that of the distribution
@pytest.mark.parametrize('name, shape, dim_ordering, deviation, bound', [
    ('glorot_uniform', (30, 20, 3, 3), 'th', 0.06667, 0.11548),
    ('glorot_uniform', (3, 3, 20, 30), 'tf', 0.06667, 0.11548),
    ('he_normal', (30, 20, 3, 3), 'th', 0.10541, None), ('lecun_uniform', (300, 200), 'th', 0.05774, 0.1),
    ('uniform', (300, 200), 'th', 0.02887, 0.05), ('normal', (300, 200), 'th', 0.05, None),
    ('orthogonal', (300, 200), 'th', 0.06351, None)])
def test_initializations(name, shape, dim_ordering, deviation, bound):
    made = initializations.get(name)(shape, name='w', dim_ordering=dim_ordering)
    values = K.get_value(made)
    assert values.shape == shape and abs(values.std() / deviation - 1) < 0.05
    assert bound is None or 0.97 * bound < np.abs(values).max() <= bound * 1.001
    if name == 'he_normal':  # not cut off at two deviations
        assert np.abs(values).max() > 2.5 * deviation


def test_initializations_say_what_is_wrong():
    assert K.get_value(initializations.get('identity', scale=2)((2, 2))).tolist() == [[2, 0], [0, 2]]
    with pytest.raises(ValueError, match='Unknown initialization'):
        initializations.get('glorot')


def test_arrays():
    with pytest.warns(DeprecationWarning, match='num_classes=3'):
        assert np_utils.to_categorical([1], nb_classes=3).tolist() == [[0, 1, 0]]
    with pytest.warns(DeprecationWarning, match='x=x'):
        assert np_utils.normalize(a=np.array([[3.0, 4.0]])).tolist() == [[0.6, 0.8]]
    rows = np.array([[0.2, 0.8], [0.6, 0.4]])
    assert np_utils.probas_to_classes(rows).tolist() == [1, 0] == np_utils.categorical_probas_to_classes(rows).tolist()
    assert np_utils.probas_to_classes(rows[:, :1]).tolist() == [0, 1]
    assert np_utils.accuracy(np.array([1, 2]), np.array([1, 3])) == 0.5
    assert np_utils.multiclass_logloss(rows, [1, 0]) == pytest.approx(-np.log([0.8, 0.6]).mean())
    assert np_utils.binary_logloss(rows[:, 0], [1, 0]) == pytest.approx(-np.log([0.2, 0.4]).mean())
    kernel = np.arange(24).reshape(2, 3, 2, 2)
    assert (np_utils.convert_kernel(kernel, 'th') == kernel[:, :, ::-1, ::-1]).all()
    assert (layer_utils.convert_kernel(kernel) == kernel[::-1, ::-1]).all()


def test_arrays_in_files(tmpdir):
    io_utils.save_array(WEIGHTS, str(tmpdir.join('w.h5')))
    assert (io_utils.load_array(str(tmpdir.join('w.h5'))) == WEIGHTS).all()


def test_layers_from_configs():
    layer = layer_utils.layer_from_config({'class_name': 'Dense', 'config': {'output_dim': 3, 'name': 'd'}})
    layer.build((None, 2))
    normalization = keras.layers.BatchNormalization()
    normalization.build((None, 2))
    seen = set()
    assert layer_utils.count_total_params([layer, normalization, layer], seen) == (9 + 4, 4)
    assert layer_utils.count_total_params([layer], seen) == (0, 0)


def test_pictures():
    from keras.preprocessing import image
    with pytest.warns(DeprecationWarning, match="data_format='channels_first'"):
        generator = image.ImageDataGenerator(rotation_range=3, dim_ordering='th')
    assert generator.data_format == 'channels_first'
    with pytest.warns(DeprecationWarning, match="data_format='channels_first'"):
        assert image.img_to_array(np.zeros((4, 5, 3)), dim_ordering='th').shape in ((4, 5, 3), (3, 4, 5))
    generator.flow(np.zeros((2, 3, 4, 4)))
