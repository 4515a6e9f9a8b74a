"""Mode 'auto' of callbacks: which values are the better ones."""
import numpy as np
import pytest

import keras
from keras import callbacks as C
from keras.metrics.base import better_of

x, y = np.ones((4, 3), 'float32'), np.array([[0.0], [1.0], [1.0], [1.0]], 'float32')


class Fixed(keras.metrics.Metric):
    """A metric of one's own that gives 0.5, then more and more, or less and less."""

    def __init__(self, step, name='own', direction=None):
        super().__init__(name=name)
        self._step, self._count = step, self.add_weight(name='count', initializer='zeros')
        if direction is not None:
            self._direction = direction

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._count.assign(self._count + 1.0)

    def reset_state(self):
        """It goes on."""

    def result(self):
        return 0.5 + self._step * self._count.value


def stopped(monitor, metric, generation=3, loss='mse', **arguments):
    """(after how many epochs EarlyStopping ended the training, the callback)."""
    with keras.config.generation(generation):
        model = keras.Sequential([keras.layers.Dense(1, kernel_initializer='zeros', input_shape=(3,))])
        model.compile(keras.optimizers.SGD(0.0), loss, metrics=[metric])
        stop = C.EarlyStopping(monitor, patience=1, **arguments)
        history = model.fit(x, y, epochs=6, verbose=0, callbacks=[stop])
    return len(history.epoch), stop


@pytest.mark.on('numpy', 'torch')
@pytest.mark.parametrize('generation', [1, 2, 'tf', 3])
def test_a_metric_says_what_is_better(generation):
    growing = Fixed(0.1, direction='up')
    assert stopped('own', growing, generation)[0] == 6
    count, stop = stopped('own', Fixed(-0.1, direction='up'), generation)
    assert count == 2 and stop.best == pytest.approx(0.4)
    assert stop.monitor_op is (keras.ops if generation == 3 else np).greater
    assert stopped('own', Fixed(-0.1, direction='down'), generation)[0] == 6


@pytest.mark.on('numpy')
def test_metrics_of_keras_say_what_is_better():
    metrics = keras.metrics
    larger = [metrics.MeanIoU(2), metrics.R2Score(), metrics.CosineSimilarity(), metrics.AUC(),
              metrics.BinaryAccuracy(), metrics.SpecificityAtSensitivity(0.5), metrics.F1Score(),
              metrics.MeanMetricWrapper(metrics.cosine_similarity)]
    smaller = [metrics.FalsePositives(), metrics.MeanSquaredError(), metrics.KLDivergence(),
               metrics.MeanMetricWrapper(keras.losses.cosine_similarity), metrics.MeanMetricWrapper(metrics.mse)]
    assert set(map(better_of, larger)) == {'max'} and set(map(better_of, smaller)) == {'min'}
    assert better_of(metrics.Mean()) is None


@pytest.mark.on('numpy', 'jax')
def test_names_of_metrics_in_logs():
    with keras.config.generation(3):
        inputs = keras.Input((3,))
        model = keras.Model(inputs, [keras.layers.Dense(1, name=name)(inputs) for name in ('left', 'right')])
        model.compile('sgd', 'mse', metrics=[['accuracy'], [Fixed(0.1, direction='up')]])
        # Keras 3.15.1 compares by functions of `keras.ops`.
        for monitor, operation in (('val_left_accuracy', keras.ops.greater), ('right_own', keras.ops.greater),
                                   ('right_loss', keras.ops.less)):
            stop = C.EarlyStopping(monitor)
            model.fit(x, [y, y], epochs=1, verbose=0, callbacks=[stop], validation_data=(x, [y, y]))
            assert stop.monitor_op is operation


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make', [C.EarlyStopping, C.ReduceLROnPlateau, lambda name, **keywords: C.ModelCheckpoint(
    'x.keras', name, save_best_only=True, **keywords)])
def test_in_keras_3_auto_is_refused_where_nobody_says(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with keras.config.generation(3):
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        model.compile('sgd', 'mse', metrics=[Fixed(0.1)])
        with pytest.raises(ValueError, match="mode='max'"):
            model.fit(x, y, verbose=0, callbacks=[make('own')])
        model.fit(x, y, verbose=0, callbacks=[make('own', mode='max')])


@pytest.mark.on('numpy')
def test_the_model_under_the_name_of_keras_3():
    class Own(C.Callback):
        def set_model(self, model):
            self._model = model

        def on_epoch_end(self, epoch, logs=None):
            seen.append((self.model, self._model))
    seen = []
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    model.compile('sgd', 'mse')
    model.fit(x, y, verbose=0, callbacks=[Own()])
    assert seen == [(model, model)]


@pytest.mark.on('numpy')
@pytest.mark.parametrize('generation, epochs', [(2, 2), (3, 5)])
def test_getting_better_behind_the_baseline(generation, epochs):
    # 0.6, 0.7, 0.8, 0.9 get better, though not than 2; Keras 3 goes on, the others count them as epochs without.
    metric = Fixed(0.1, direction='up')
    with keras.config.generation(generation):
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
        model.compile(keras.optimizers.SGD(0.0), 'mse', metrics=[metric])
        stop = C.EarlyStopping('own', patience=2, baseline=2.0)
        assert len(model.fit(x, y, epochs=5, verbose=0, callbacks=[stop]).epoch) == epochs


@pytest.mark.on('numpy', 'torch')
def test_metrics_that_give_arrays():
    """`F1Score` gives one number for each class; of a single one it can be said whether it got better."""
    callback = C.EarlyStopping('val_f1', mode='max')
    assert callback.get_monitor_value({'val_f1': np.array([0.5], 'float32')}) == 0.5
    assert callback.get_monitor_value({'val_f1': 0.5}) == 0.5
    with pytest.raises(ValueError, match="monitored value 'val_f1' is an array of shape .3,.: of one number"):
        callback.get_monitor_value({'val_f1': np.ones(3, 'float32')})
