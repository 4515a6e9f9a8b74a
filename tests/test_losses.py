import numpy as np
import pytest

import golden
import keras
from keras import config, losses, metrics, ops
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable

def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'losses'))
def test_golden(version, name, entry):
    arrays = golden.arrays('functions', version, 'losses/' + name)
    function = entry.get('function')
    if function:
        with golden.generation(version):
            result = getattr(losses, function)(arrays['y_true'], arrays['y_pred'], **entry['arguments'])
    else:
        with golden.generation(version):
            loss = losses.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
        if version == '2.3.1':
            assert loss.get_config() == entry['config']
        result = loss(arrays['y_true'], arrays['y_pred'], arrays.get('sample_weight'))
    golden.assert_close(value(result), arrays['value'])


Y_TRUE = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], 'float32')
Y_PRED = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]], 'float32')


def test_reductions():
    each = np.square(Y_TRUE - Y_PRED).mean(-1)
    weights = np.array([1.0, 3.0], 'float32')
    for reduction, expected in (('sum_over_batch_size', each.mean()), ('sum', each.sum()), ('none', each), (None, each),
                                ('mean', each.mean())):
        result = losses.MeanSquaredError(reduction=reduction)(Y_TRUE, Y_PRED)
        np.testing.assert_allclose(value(result), expected, rtol=1e-6)
    weighted = losses.MeanSquaredError()(Y_TRUE, Y_PRED, weights)
    np.testing.assert_allclose(value(weighted), (each * weights).sum() / 2, rtol=1e-6)
    weighted = losses.MeanSquaredError('mean_with_sample_weight')(Y_TRUE, Y_PRED, weights)
    np.testing.assert_allclose(value(weighted), (each * weights).sum() / 4, rtol=1e-6)


def test_weights_of_every_shape_that_fits():
    y_true, y_pred = np.zeros((2, 3, 4), 'float32'), np.arange(24, dtype='float32').reshape(2, 3, 4)
    each = np.square(y_pred).mean(-1)
    for weights in (2.0, np.array([1.0, 2.0]), np.array([[1.0], [2.0]]), np.arange(6.0).reshape(2, 3),
                    np.arange(6.0).reshape(2, 3, 1)):
        broadcast = np.asarray(weights).reshape(np.shape(weights)[:2] + (1,) * (2 - np.ndim(weights)))
        expected = (each * broadcast).sum() / 6
        result = losses.MeanSquaredError()(y_true, y_pred, np.asarray(weights, 'float32'))
        np.testing.assert_allclose(value(result), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r'sample_weight of shape \(3,\) does not fit .* shape \(2, 3\)'):
        losses.MeanSquaredError()(y_true, y_pred, np.ones(3, 'float32'))


def test_targets_without_the_last_axis_do_not_broadcast_into_a_square():
    result = losses.MeanSquaredError()(np.array([1.0, 2.0], 'float32'), np.array([[1.0], [4.0]], 'float32'))
    np.testing.assert_allclose(value(result), 2.0)


def test_integer_targets_and_lists():
    np.testing.assert_allclose(value(losses.mean_squared_error([[0, 2]], [[1.0, 2.0]])), [0.5])
    result = losses.sparse_categorical_crossentropy(np.array([[1], [0]]), Y_PRED)
    np.testing.assert_allclose(value(result), -np.log([0.5, 0.6]), rtol=1e-5)


def test_ignored_class_counts_zero():
    result = losses.sparse_categorical_crossentropy(np.array([1, -1]), Y_PRED, ignore_class=-1)
    np.testing.assert_allclose(value(result), [-np.log(0.5), 0], rtol=1e-5, atol=1e-7)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('function', [
    'mean_squared_error', 'categorical_crossentropy', 'binary_crossentropy', 'poisson', 'kullback_leibler_divergence',
    'logcosh', 'cosine_similarity', 'categorical_hinge'])
def test_gradients_against_central_differences(function):
    fn = getattr(losses, function)
    variable = Variable(Y_PRED)
    _, (gradient,) = get_engine().value_and_grad(lambda: (ops.sum(fn(Y_TRUE, variable.value)), None), [variable])
    numeric = np.zeros_like(Y_PRED)
    for place in np.ndindex(*Y_PRED.shape):
        change = np.zeros_like(Y_PRED)
        change[place] = 1e-2
        numeric[place] = (value(fn(Y_TRUE, Y_PRED + change)).sum() - value(fn(Y_TRUE, Y_PRED - change)).sum()) / 2e-2
    np.testing.assert_allclose(value(gradient), numeric, rtol=2e-2, atol=2e-3)


def test_ctc_of_a_single_path():
    # With as many steps as labels there is one alignment: the product of the probabilities.
    logits = np.log(np.array([[[0.1, 0.7, 0.2], [0.3, 0.1, 0.6]]], 'float32'))
    np.testing.assert_allclose(value(losses.ctc(np.array([[1, 2]]), logits)), [-np.log(0.7 * 0.6)], rtol=1e-4)


def test_get_serialize_and_errors():
    assert losses.get('mse') is losses.get('MSE') is losses.mean_squared_error
    assert losses.get(None) is None
    assert isinstance(losses.get('Huber'), losses.Huber)
    assert losses.serialize(losses.mean_absolute_error) == 'mean_absolute_error'
    again = losses.deserialize(losses.serialize(losses.CategoricalCrossentropy(label_smoothing=0.1)))
    assert again.get_config()['label_smoothing'] == 0.1
    with pytest.raises(ValueError, match="Unknown loss function: 'mean_square_error'.*'mean_squared_error'"):
        losses.get('mean_square_error')
    with pytest.raises(ValueError, match="argument `reduction`.*reduction='average'"):
        losses.MeanSquaredError(reduction='average')
    with pytest.raises(ValueError, match='Could not interpret loss function: 3'):
        losses.get(3)


def test_is_categorical_crossentropy():
    yes = ('categorical_crossentropy', losses.categorical_crossentropy, losses.CategoricalCrossentropy())
    assert all(losses.is_categorical_crossentropy(loss) for loss in yes)
    assert not any(losses.is_categorical_crossentropy(loss) for loss in ('mse', losses.mse, losses.Huber()))


def test_custom_loss_class_and_wrapper():
    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.max(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)
    np.testing.assert_allclose(value(Largest()(Y_TRUE, Y_PRED)), 0.45, rtol=1e-6)
    wrapper = losses.LossFunctionWrapper(losses.huber_loss, delta=0.1)
    again = losses.LossFunctionWrapper.from_config(wrapper.get_config())
    np.testing.assert_allclose(value(again(Y_TRUE, Y_PRED)), value(wrapper(Y_TRUE, Y_PRED)))


def test_losses_of_symbolic_tensors():
    from keras.backend.graph.tensors import KerasTensor
    y_true, y_pred = KerasTensor((None, 3)), KerasTensor((None, 3))
    for function in ('mean_squared_error', 'categorical_crossentropy', 'binary_crossentropy', 'cosine_similarity'):
        assert getattr(losses, function)(y_true, y_pred).shape == (None,)


# What Keras 2.3.1, tf.keras 2.15 and Keras 3.15.1 print, alike unless it says otherwise; labels of 0 and 1 are mapped.
LABELS, SATURATED = [[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]], [[0.0, 1.0, 0.3], [0.2, 1.0, 0.0]]


@pytest.mark.parametrize('name, arguments, expected', [
    ('hinge', {1: [0.56667, 0.93333]}, [0.56667, 1.26667]),
    ('squared_hinge', {1: [0.49667, 0.88]}, [0.49667, 1.88]),
    ('binary_crossentropy', {1: [0.40132, 11.22331], 3: [0.40132, 11.22331]}, [0.40132, 10.78921])])
def test_losses_of_saturated_predictions_by_generation(name, arguments, expected):
    y_true, y_pred = np.array(LABELS, 'float32'), np.array(SATURATED, 'float32')
    for generation in config.GENERATIONS:
        with config.generation(generation):
            each = value(getattr(losses, name)(y_true, y_pred))
            loss = losses.LossFunctionWrapper(getattr(losses, name))
        np.testing.assert_allclose(each, arguments.get(generation, expected), rtol=1e-4)
        assert float(value(loss(y_true, y_pred))) == pytest.approx(np.mean(arguments.get(generation, expected)), 1e-4)


def test_hinge_of_integers_and_booleans():
    for labels in (np.array([[0, 1]]), np.array([[False, True]])):
        np.testing.assert_allclose(value(losses.hinge(labels, np.array([[0.5, -0.5]], 'float32'))), [1.5])
    np.testing.assert_allclose(value(losses.hinge(np.array([[-1, 1, 0]]), np.ones((1, 3), 'float32'))), [1.0])


def test_sparse_crossentropy_clips_before_it_scales_until_keras_3():
    for generation, expected in ((2, [0.26236, 16.30042]), ('tf', [0.26236, 16.30042]), (3, [0.26236, 16.1181])):
        with config.generation(generation):
            each = losses.sparse_categorical_crossentropy(np.array([1, 2]), np.array(SATURATED, 'float32'))
        np.testing.assert_allclose(value(each), expected, rtol=1e-4)


@pytest.mark.on('numpy', 'torch')
def test_losses_of_keras_3():
    """One value per sample of Huber, sums of half precision in float32, means over what is counted."""
    errors = np.array([[0.0, 3.0], [1.0, 0.5]], 'float32')
    assert np.allclose(ops.convert_to_numpy(losses.Huber(reduction='none')(np.zeros((2, 2)), errors)).ravel(),
                       [0.0, 2.5, 0.5, 0.125])
    with config.generation(3):
        found = losses.Huber(reduction='none')(np.zeros((2, 2), 'float32'), errors)
        assert np.allclose(ops.convert_to_numpy(found), [1.25, 0.3125])
        large = ops.convert_to_tensor(np.full((1, 4), 300.0), 'float16')
        assert float(losses.MeanSquaredError()(ops.zeros((1, 4), 'float16'), large)) == 90000.0
        dice = losses.Dice(reduction='mean_with_sample_weight')
        ones = np.ones((2, 2), 'float32')
        assert np.isclose(float(dice(ones, errors, 0.5)), 0.5 * float(dice(ones, errors)))
    embeddings = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], 'float32')
    values = ops.convert_to_numpy(losses.Circle(reduction='none')(np.array([0, 0, 1]), embeddings))
    weighted = losses.Circle(reduction='mean_with_sample_weight')(np.array([0, 0, 1]), embeddings, [1, 0.5, 2])
    assert np.isclose(float(weighted), (values[0] + 0.5 * values[1]) / 1.5)


def test_arguments_are_attributes():
    """As in Keras 3, where scikeras' users read them."""
    loss = losses.BinaryCrossentropy(from_logits=True)
    assert (loss.from_logits, loss.label_smoothing, loss.axis) == (True, 0, -1)
    assert metrics.TopKCategoricalAccuracy(k=3).k == 3
    with pytest.raises(AttributeError, match="'BinaryCrossentropy' object has no attribute 'gamma'"):
        loss.gamma


@pytest.mark.on('numpy', 'tensorflow', 'torch')
def test_masks_of_integers_overlap():
    y_true, y_pred = np.array([[1, 2], [1, 2]]), np.array([[4, 1], [6, 1]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(keras.losses.Dice()(y_true, y_pred)), 1 - 28 / 18, rtol=1e-5)
    y_true, y_pred = np.array([[1, 0], [0, 1]]), np.array([[1, 1], [0, 1]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(keras.losses.Tversky()(y_true, y_pred)), 0.2, rtol=1e-5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(keras.losses.LogCosh()(y_true, y_pred)), 0.108445, rtol=1e-4)
    found = keras.losses.Tversky(dtype='float16')(y_true, y_pred)
    assert keras.backend.standardize_dtype(found.dtype) == 'float16'


@pytest.mark.on('numpy', 'torch', 'jax', 'tensorflow', 'mxnet')  # Theano takes numbers of Python for float32
@pytest.mark.parametrize('name', ['binary_focal_crossentropy', 'categorical_focal_crossentropy', 'categorical_hinge',
                                  'kl_divergence', 'cosine_similarity'])
def test_half_precision_beside_integer_targets(name):
    """As Keras 3.15.1 has it; TensorFlow, which mixes no types, raised."""
    if 'float16' not in get_engine().capabilities.dtypes:
        pytest.skip('%s has no float16' % get_engine().name)
    y_true, y_pred = np.array([[1, 0], [0, 1]]), np.array([[0.75, 0.25], [0.5, 0.5]], 'float16')
    function = getattr(losses, name)
    found, expected = function(y_true, y_pred), function(y_true.astype('float32'), y_pred.astype('float32'))
    assert ops.dtype(found) == 'float16'
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), rtol=1e-2, atol=1e-3)


@pytest.mark.on('numpy')
def test_functions_of_keras_3_go_by_the_predictions():
    # Numbers of Keras 3.15.1.
    column, row = np.array([[1.0], [2.0], [4.0]]), np.array([1.0, 1.0, 2.0])
    with config.generation(3):
        for given in ((row, column), (column, row)):
            assert np.allclose(losses.mean_squared_error(*given), [0, 1, 4])
            assert np.allclose(losses.cosine_similarity(*given), -1)
        half = losses.mean_absolute_error(row, ops.convert_to_tensor(row.astype('float16')))
        assert ops.convert_to_tensor(half).dtype == 'float16'
        with pytest.raises(ValueError, match='same shape'):
            losses.binary_crossentropy(np.array([0.0, 1.0]), np.array([[0.5], [0.5]]))
    with config.generation(2):
        assert losses.mean_squared_error(row, column).shape == (3,)
        assert not np.allclose(losses.mean_squared_error(row, column), [0, 1, 4])


@pytest.mark.on('numpy')
def test_weights_of_keras_3_count_once():
    true, predicted = np.zeros((2, 3)), np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    with config.generation(3):
        assert np.allclose(losses.MeanSquaredError(reduction='mean_with_sample_weight')(true, predicted, 2.0), 5)
        found = losses.MeanSquaredError(reduction='none')(true, predicted, np.array([[1.0], [0.5]]))
        assert found.shape == (2, 1) and np.allclose(found, [[1], [2]])
        steps = losses.MeanSquaredError(reduction='mean_with_sample_weight')(
            np.zeros((2, 3, 1)), np.ones((2, 3, 1)), np.array([[1.0], [0.5]]))
        assert np.allclose(steps, 3)
        assert losses.MeanSquaredError(reduction='none')(np.zeros((2, 3)), np.ones((2, 3, 1))).shape == (2,)
    with config.generation(2):
        assert losses.MeanSquaredError(reduction='none')(true, predicted, np.array([[1.0], [0.5]])).shape == (2,)


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('name', ['Dice', 'Tversky'])
def test_a_loss_of_the_whole_batch_takes_a_mask_of_samples(name):
    targets, predictions = np.eye(3, dtype='float32'), np.full((3, 3), 0.5, 'float32')
    with config.generation(3):
        loss = getattr(losses, name)(reduction='sum')
        plain = float(ops.convert_to_numpy(loss(targets, predictions)))
        masked = ops.convert_to_tensor(predictions)
        keras.utils.internals.set_keras_mask(masked, ops.convert_to_tensor(np.array([True, False, True])))
        # One value for each sample that counts, as upstream has it.
        assert float(ops.convert_to_numpy(loss(targets, masked))) == pytest.approx(2 * plain)
