import functools

import numpy as np
import pytest

import golden
import keras
from keras import config, dtype_policies, losses, metrics, ops
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array


def value(x):
    return get_engine().to_numpy(get_engine().convert(x))


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'metrics'))
def test_golden(version, name, entry):
    arrays = golden.arrays('functions', version, 'metrics/' + name)
    if 'function' in entry:
        with golden.generation(version):
            result = getattr(metrics, entry['function'])(arrays['y_true'], arrays['y_pred'], **entry['arguments'])
        golden.assert_close(value(result), arrays['value'])
        return
    with golden.generation(version):
        metric = metrics.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
    for batch in ('@0', '@1'):
        given = [arrays[key + batch] for key in ('values', 'y_true', 'y_pred') if key + batch in arrays]
        metric.update_state(*given, sample_weight=arrays.get('sample_weight' + batch))
        golden.assert_close(value(metric.result()), arrays['result' + batch])


@pytest.mark.parametrize('version, name, entry', golden.entries('functions', 'metrics'))
def test_config_is_upstreams(version, name, entry):
    if version != '2.3.1' or 'function' in entry:
        pytest.skip('configs are Keras 2\'s')
    metric = metrics.deserialize({'class_name': entry['class_name'], 'config': entry['config']})
    assert metric.get_config() == entry['config']


def test_mean_and_its_contribution():
    metric = metrics.Mean(name='average')
    metric.update_state(np.array([1.0, 2.0, 6.0], 'float32'))
    metric.update_state(np.array([5.0], 'float32'), sample_weight=np.array([3.0], 'float32'))
    assert float(value(metric.result())) == pytest.approx((9 + 15) / 6)
    total, count = metric.contribution(np.array([1.0, 2.0], 'float32'))
    assert float(value(total)) == 3.0 and count == 2
    assert float(value(metric.result())) == pytest.approx(4.0)
    metric.reset_states()
    assert float(value(metric.result())) == 0.0


def test_wrapper_contribution_counts_samples():
    total, count = metrics.MeanSquaredError().contribution(np.zeros((4, 3), 'float32'), np.ones((4, 3), 'float32'))
    assert float(value(total)) == 4.0 and count == 4
    total, count = metrics.CategoricalAccuracy().contribution(np.eye(2), np.eye(2),
                                                              sample_weight=np.array([1.0, 0.5], 'float32'))
    assert float(value(total)) == 1.5 and float(value(count)) == 1.5


def test_one_column_targets():
    metric = metrics.BinaryAccuracy()
    metric.update_state(np.array([1, 0, 1]), np.array([[0.9], [0.2], [0.4]], 'float32'))
    assert float(value(metric.result())) == pytest.approx(2 / 3)


def test_update_in_a_step():
    metric = metrics.Precision(thresholds=[0.7, 0.3])

    def fn(y_true, y_pred):
        metric.update_state(y_true, y_pred)
        return y_pred
    step = get_engine().step(fn, metric.variables, metric.variables)
    y_true, y_pred = np.array([0, 1, 1, 0], 'float32'), np.array([0.4, 0.5, 0.9, 0.1], 'float32')
    step(y_true, y_pred)
    step(y_true, 1 - y_pred)
    # above 0.7: {0.9 right}, {0.9 wrong}; above 0.3: {0.4 wrong, 0.5, 0.9}, {0.6 wrong, 0.5 right, 0.9 wrong}
    np.testing.assert_allclose(value(metric.result()), [1 / 2, 3 / 6], rtol=1e-6)


def test_auc_is_the_probability_of_the_right_order():
    generator = np.random.RandomState(0)
    y_true = generator.randint(0, 2, 300)
    y_pred = (generator.rand(300) * 0.6 + y_true * 0.3).astype('float32')
    pairs = y_pred[y_true == 1][:, None] - y_pred[y_true == 0]
    metric = metrics.AUC(num_thresholds=2000)
    metric.update_state(y_true, y_pred)
    assert float(value(metric.result())) == pytest.approx((pairs > 0).mean(), abs=2e-3)


def test_counts_at_thresholds_in_any_order():
    y_true, y_pred = np.array([0, 1, 1, 0]), np.array([0.2, 0.4, 0.8, 0.6], 'float32')
    for thresholds in ([0.1, 0.5, 0.7], [0.7, 0.1, 0.5]):
        metric = metrics.FalsePositives(thresholds)
        metric.update_state(y_true, y_pred)
        expected = [((y_pred > threshold) & (y_true == 0)).sum() for threshold in thresholds]
        np.testing.assert_array_equal(value(metric.result()), expected)


def test_nan_predictions_are_not_right():
    nan = np.full((2, 3), np.nan, 'float32')
    assert value(metrics.top_k_categorical_accuracy(np.eye(3)[:2], nan, k=1)).sum() == 0


def test_clones_share_no_state():
    metric = metrics.Mean(name='m')
    metric.update_state([1.0])
    clone = metrics.clone_metric(metric)
    assert clone.name == 'm' and float(value(clone.result())) == 0.0
    assert metrics.clone_metrics(None) is None
    assert [type(m) for m in metrics.clone_metrics([metric, metrics.mse])] == [metrics.Mean, type(metrics.mse)]


def test_custom_metric():
    class Largest(metrics.Metric):
        def __init__(self, name='largest', **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_weight(name='largest', initializer='zeros')

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.largest.assign(ops.maximum(self.largest, ops.max(y_pred)))

        def result(self):
            return self.largest.value
    metric = Largest()
    assert float(value(metric([0.0], [3.0]))) == 3.0
    assert metric.variables == [metric.largest]
    metric.reset_state()
    assert float(value(metric.result())) == 0.0
    state = metric.stateless_update_state([np.zeros((), 'float32')], [0.0], [7.0])
    assert float(value(state[0])) == 7.0 and float(value(metric.result())) == 0.0


def test_names_count_up():
    first, second = metrics.AUC(), metrics.AUC()
    assert first.name[:4] == 'auc_' and int(second.name[4:]) == int(first.name[4:]) + 1
    assert metrics.Mean().name == 'mean'


def test_get_and_errors():
    assert metrics.get('mse') is metrics.mean_squared_error
    assert isinstance(metrics.get('AUC'), metrics.AUC)
    assert metrics.get(None) is None
    with pytest.raises(ValueError, match="Unknown metric function: 'binary_acuracy'.*'binary_accuracy'"):
        metrics.get('binary_acuracy')
    with pytest.raises(ValueError, match='Could not interpret metric function: 3'):
        metrics.get(3)
    with pytest.raises(ValueError, match=r'Threshold values must be in \[0, 1\]'):
        metrics.Precision(thresholds=1.5)
    with pytest.raises(ValueError, match='Invalid AUC curve value: "roc curve"'):
        metrics.AUC(curve='roc curve')
    with pytest.raises(TypeError, match='Metric does not take the arguments shape'):
        metrics.Metric(shape=3)


@pytest.mark.parametrize('name', ['Precision', 'Recall'])
def test_of_equal_predictions_the_first_are_the_top_ones(name):
    """0 with upstream's three generations: the true classes stand behind others that are as probable."""
    tied = np.array([[0.3, 0.3, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25]], 'float32')
    for top_k, expected in ((1, 0.0), (2, 0.0), (4, 0.25 if name == 'Precision' else 1.0)):
        metric = getattr(metrics, name)(top_k=top_k)
        metric.update_state(np.array([[0, 0, 1, 0], [0, 0, 0, 1]], 'float32'), tied)
        assert float(value(metric.result())) == expected


def test_names_that_scripts_of_keras_2_compare():
    """Measured with Keras 2.3.1: `true_positives:0`; and the curve of an AUC equals a member of `AUCCurve`."""
    from keras.utils import metrics_utils
    assert [weight.name for weight in metrics.Precision().weights] == ['true_positives:0', 'false_positives:0']
    with config.generation(3):
        assert [weight.name for weight in metrics.Precision().variables] == ['true_positives', 'false_positives']
    for curve in ('PR', metrics_utils.AUCCurve.PR):
        auc = metrics.AUC(curve=curve, summation_method='majoring')
        assert auc.curve == metrics_utils.AUCCurve.PR != metrics_utils.AUCCurve.ROC
        assert auc.summation_method == metrics_utils.AUCSummationMethod.MAJORING
        assert metrics.AUC.from_config(auc.get_config()).curve == 'PR'


def test_weights_of_ignored_classes_do_not_count():
    metric = metrics.SparseCategoricalCrossentropy(ignore_class=0)
    predictions = np.array([[0.8, 0.1, 0.1], [0.05, 0.95, 0], [0.1, 0.8, 0.1]], 'float32')
    found = metric(np.array([0, 1, 2]), predictions, sample_weight=np.array([0.5, 1.5, 2.0], 'float32'))
    expected = (1.5 * -np.log(0.95) + 2.0 * -np.log(0.1)) / 3.5
    np.testing.assert_allclose(float(found), expected, rtol=1e-4)


def test_gains_where_nothing_is_found():
    """Flach and Kull (2015): without a positive prediction the precision gain is 1; two trapezoids."""
    targets = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1])
    predictions = np.array([0.1, 0.2, 0.3, 0.3, 0.4, 0.4, 0.6, 0.6, 0.8, 0.9])
    found = metrics.AUC(3, curve='PRGAIN')(targets, predictions)
    np.testing.assert_allclose(float(found), 2 / 3 * (0 + 2 / 3) / 2 + 1 / 3 * (2 / 3 + 1) / 2, atol=1e-3)


@pytest.mark.parametrize('make,words', [
    (lambda: metrics.FBetaScore(beta=1), 'It should be a Python float'),
    (lambda: metrics.FBetaScore(threshold='0.5'), 'It should be a Python float'),
    (lambda: metrics.PrecisionAtRecall(-1), '`recall` must be in the range'),
    (lambda: metrics.SensitivityAtSpecificity(0.4, num_thresholds=-1), '`num_thresholds` must be an integer > 0'),
    (lambda: metrics.R2Score(num_regressors=-1), 'Invalid value for argument `num_regressors`'),
    (lambda: metrics.Precision(class_id=2)([0, 1], [0.2, 0.8]), 'When class_id is provided')])
def test_refused_arguments(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_names_stand_for_classes_in_keras_3():
    assert metrics.get('precision') is metrics.precision
    with config.generation(3):
        for name, expected in (('mse', 'MeanSquaredError'), ('MAE', 'MeanAbsoluteError'), ('bce', 'BinaryCrossentropy'),
                               ('binary_accuracy', 'BinaryAccuracy'), ('precision', 'Precision'),
                               ('r2_score', 'R2Score'), ('root_mean_squared_error', 'RootMeanSquaredError'),
                               ('kl_divergence', 'KLDivergence'), ('AUC', 'AUC')):
            assert type(metrics.get(name)).__name__ == expected
        wrapper = metrics.MeanMetricWrapper(metrics.mean_squared_error, name='error')
        assert type(wrapper).from_config(wrapper.get_config()).get_config() == wrapper.get_config()

        def mse(y_true, y_pred):
            return y_pred
        with keras.utils.custom_object_scope({'mse': mse}):
            assert metrics.get('mse') is mse


def test_metrics_by_name_in_keras_3_are_called_so_and_gather():
    with config.generation(3):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer='ones')])
        model.compile('sgd', 'mse', metrics=['MAE', 'precision', 'AUC'])
        # Of those that are found, 1 of 2 and 1 of 1 are right in the two batches: 2 of 3 in all.
        x, y = np.array([[.9], [.8], [.4], [.6]], 'float32'), np.array([[1.], [0.], [1.], [1.]], 'float32')
        found = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
        assert list(found) == ['AUC', 'MAE', 'loss', 'precision']
        assert found['precision'] == pytest.approx(2 / 3) and found['MAE'] == pytest.approx(.475)


@pytest.mark.parametrize('cls', (metrics.PearsonCorrelation, metrics.ConcordanceCorrelation))
def test_configs_of_correlations_have_the_axis(cls):
    assert cls().get_config()['axis'] == -1
    assert cls.from_config(cls(axis=0).get_config()).get_config()['axis'] == 0


@pytest.mark.parametrize('make', [metrics.R2Score, metrics.F1Score, metrics.FBetaScore])
@pytest.mark.on('numpy')
def test_scores_of_columns_refuse_other_shapes(make):
    for shape in [(2,), (2, 3, 4)]:
        with pytest.raises(ValueError, match='expects 2D inputs with shape'):
            make().update_state(np.ones(shape), np.ones(shape))


def test_a_state_begins_with_a_tensor():
    metric = metrics.Mean()
    start = keras.ops.convert_to_tensor(np.arange(4.0).reshape(2, 2))
    variable = metric.add_variable(shape=(2, 2), initializer=start, dtype='int', name='start')
    assert variable.dtype == 'int32' and variable.numpy().tolist() == [[0, 1], [2, 3]]


def test_pixels_beyond_two_to_the_24th_are_counted():
    """Floats of 32 bits would stay where they are: 2 ** 24 + 1 is 2 ** 24 in them."""
    with config.generation(3):
        metric = metrics.MeanIoU(2)
        metric.total_cm.assign([[2 ** 24, 0], [0, 2 ** 24]])
        metric.update_state([0, 1, 1], [0, 1, 0])
        np.testing.assert_array_equal(metric.total_cm.numpy(), [[2 ** 24 + 1, 0], [1, 2 ** 24 + 1]])
        assert metric.dtype == metric.get_config()['dtype'] == 'int32'
        with pytest.warns(UserWarning, match='passing weight as `float`, but dtype is `int`'):
            metric.update_state([0], [0], sample_weight=[1.5])
        metric = metrics.MeanIoU(2, dtype='float32')
        metric.update_state([0, 1], [0, 1], sample_weight=[0.5, 1.5])
        np.testing.assert_array_equal(metric.total_cm.numpy(), [[0.5, 0], [0, 1.5]])
    assert metrics.MeanIoU(2).dtype == 'float32'


@pytest.mark.needs_gradients
def test_integer_counts_in_training():
    with config.generation(3):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Activation('linear')])
        model.compile('sgd', 'mse', metrics=[metrics.OneHotMeanIoU(2, name='iou')])
        x, y = np.eye(2)[[0, 1, 1, 0, 1]], np.eye(2)[[0, 1, 0, 0, 1]]
        # Intersections 2 and 2, unions 3 and 3.
        assert model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)['iou'] == pytest.approx(2 / 3)


@pytest.mark.on('numpy')
def test_nested_lists_of_another_rank_are_not_broadcast():
    metric = metrics.BinaryAccuracy()
    metric.update_state([[1], [1]], [[[1]], [[0]]])
    assert float(metric.result()) == 0.5 and [float(weight.numpy()) for weight in metric.weights] == [1, 2]


@pytest.mark.on('numpy')
def test_dtypes_in_keras_3():
    with config.generation(3):
        metric = metrics.Mean(dtype=dtype_policies.DTypePolicy('mixed_float16'))
        loss = losses.MeanSquaredError(dtype='float16')
        mine = metrics.Metric(dtype='float16')
        assert (metric.dtype, metric.variables[0].dtype) == ('float16', 'float16')
        assert mine.add_variable((), 'zeros').dtype == 'float32'  # what is added without a dtype is not so narrow
        for each in (metric, loss):
            with pytest.raises(AttributeError, match='dtype'):
                each.dtype = 'bfloat16'
    with config.generation(2):
        metric = metrics.Mean(dtype=dtype_policies.DTypePolicy('mixed_float16'))
        assert metric.dtype == 'float32'
        metric.dtype = 'float64'
        assert metric.dtype == 'float64'


def test_mean_tensor():
    metric = metrics.MeanTensor()
    with pytest.raises(ValueError, match='does not have any value yet'):
        metric.result()
    metric.update_state([[0.0, 1.0], [2.0, 3.0]])
    metric.update_state([[4.0, 5.0], [6.0, 7.0]], sample_weight=[[0.0], [0.2]])
    expected = [[0, 1], [(2 + 0.2 * 6) / 1.2, (3 + 0.2 * 7) / 1.2]]
    np.testing.assert_allclose(to_array(metric.result()), expected, rtol=1e-6)
    with pytest.raises(ValueError, match='must always have the same shape'):
        metric.update_state([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(to_array(metrics.MeanTensor(shape=(2,)).result()), [0.0, 0.0])


def test_mean_relative_error():
    metric = metrics.MeanRelativeError([1.0, 3.0, 2.0, 0.0])
    errors = np.array([1, 1 / 3, 2, 0])
    metric.update_state([1.0, 3.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0])
    assert float(metric.result()) == pytest.approx(errors.mean())
    weights = np.array([1.0, 0.0, 0.0, 2.0])
    metric.update_state([1.0, 3.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0], sample_weight=weights)
    assert float(metric.result()) == pytest.approx((errors.sum() + (errors * weights).sum()) / (4 + weights.sum()))
    assert metrics.deserialize(metrics.serialize(metric)).get_config() == metric.get_config()


@pytest.mark.on('numpy')
def test_states_are_merged():
    first, second = metrics.Mean(), metrics.Mean()
    first.update_state([1.0, 2.0])
    second.update_state([6.0])
    first.merge_state([second])
    assert float(first.result()) == 3.0
    with pytest.raises(ValueError, match='not compatible'):
        first.merge_state([metrics.AUC()])


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('weights, expected', [(None, 19.75), ([0.5, 1.0, 1.0], 25.5)])
def test_a_mask_of_predictions_leaves_values_out(weights, expected):
    with config.generation(3):
        predictions = ops.convert_to_tensor(np.array([[1, 2], [3, 4], [5, 7]], 'float32'))
        keras.utils.internals.set_keras_mask(predictions, ops.convert_to_tensor(np.array([True, False, True])))
        metric = metrics.MeanSquaredError()
        metric.update_state(np.zeros((3, 2), 'float32'), predictions, weights)
    # (1 + 4) / 2 and (25 + 49) / 2
    assert float(to_array(metric.result())) == pytest.approx(expected)


@pytest.mark.on('numpy')
def test_a_score_calls_its_weights_as_keras_3():
    with config.generation(3):
        metric = metrics.F1Score()
        metric.update_state(np.eye(2, dtype='float32'), np.eye(2, dtype='float32'))
    assert [variable.name for variable in metric.variables] == [
        'true_positives', 'false_positives', 'false_negatives', 'intermediate_weights']


@pytest.mark.on('numpy')
def test_users_classes_of_wrapped_functions_are_made_again():
    """Keras 3 writes the function into their configs; classes that know theirs do not get it."""
    class Passing(keras.metrics.MeanMetricWrapper):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    class Knowing(keras.metrics.MeanMetricWrapper):
        def __init__(self, name='knowing', dtype=None):
            super().__init__(functools.partial(keras.losses.mean_squared_error), name=name, dtype=dtype)

    class KnowingLoss(keras.losses.LossFunctionWrapper):
        def __init__(self, name='own', **kwargs):
            super().__init__(keras.losses.mean_squared_error, name=name, **kwargs)
    y, predicted = np.array([[1., 2.]]), np.array([[2., 5.]])
    with keras.config.generation(3):
        for metric in (Passing(keras.losses.mean_squared_error, name='p'), Knowing()):
            again = type(metric).from_config(metric.get_config())
            again.update_state(y, predicted)
            assert float(again.result()) == 5.0
        loss = KnowingLoss()
        assert float(KnowingLoss.from_config(loss.get_config())(y, predicted)) == 5.0
