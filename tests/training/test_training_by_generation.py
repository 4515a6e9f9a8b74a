"""Training as each generation of Keras does it. The numbers are those that Keras 2.3.1 and tf.keras 2.15 print."""
import contextlib
import copy
import json
import os
import pickle
import re

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import callbacks, config, generations, layers, metrics, optimizers
from keras import losses as losses_of
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential

pytestmark = pytest.mark.needs_gradients


@pytest.fixture(params=config.GENERATIONS)
def generation(request):
    with config.generation(request.param):
        yield request.param


def masked_model(**kwargs):
    """A model that gives 0 for every step, with a mask; its inputs leave 2 of 4 steps and 1 of 4."""
    x = np.ones((2, 4, 1), 'float32')
    x[0, 2:] = x[1, 1:] = 0
    model = Sequential([layers.Masking(input_shape=(4, 1)),
                        layers.SimpleRNN(1, return_sequences=True, kernel_initializer='zeros')])
    model.compile(optimizers.SGD(0.0), 'mse', **kwargs)
    return model, x, np.arange(8, dtype='float32').reshape(2, 4, 1)


def test_losses_and_metrics_under_a_mask(generation):
    model, x, y = masked_model(metrics=['mae'], weighted_metrics=['mae'])
    plain = 2.125 if generation == 2 else 5.66667
    # The metrics of Keras 1.2.2 take in all steps, as it prints.
    error = 3.5 if generation == 1 else 1.66667
    assert model.evaluate(x, y, verbose=0) == pytest.approx([plain, error, error], 1e-5)
    assert model.train_on_batch(x, y) == pytest.approx([plain, error, error], 1e-5)
    weighted = 6.125 if generation == 2 else 16.33333
    found = model.evaluate(x, y, sample_weight=np.array([1.0, 3.0]), verbose=0)
    assert found == pytest.approx([weighted, error, 4.5 if generation == 1 else 2.6], 1e-5)


def test_samples_of_weight_zero(generation):
    """Keras 1 divided by the number of the others: 22 / 2, not 22 / 4."""
    model = Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer='zeros')])
    model.compile(optimizers.SGD(0.0), 'mse')
    y = np.arange(1.0, 5.0).reshape(4, 1)
    loss = model.evaluate(np.ones((4, 3)), y, sample_weight=np.array([0.0, 1.0, 2.0, 0.0]), verbose=0)
    assert loss == pytest.approx(11.0 if generation == 1 else 5.5)


def test_logs_of_batches(generation):
    batches, epochs = [], []

    class Record(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            batches.append(dict(logs))

        def on_epoch_end(self, epoch, logs=None):
            epochs.append(dict(logs))
    model = Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer='zeros')])
    model.compile(optimizers.SGD(0.0), 'mse', metrics=['mae'])
    model.fit(np.ones((4, 3)), np.arange(1.0, 5.0).reshape(4, 1), batch_size=3, epochs=1, shuffle=False, verbose=0,
              callbacks=[Record()])
    later = generation in ('tf', 3)
    assert [logs['loss'] for logs in batches] == pytest.approx([4.66667, 7.5 if later else 16.0], 1e-5)
    name = 'mean_absolute_error' if generation == 1 else 'mae'
    assert [logs[name] for logs in batches] == pytest.approx([2.0, 2.5], 1e-5)
    assert epochs == [{'loss': pytest.approx(7.5), name: pytest.approx(2.5)}]
    assert [set(logs) for logs in batches] == [{'loss', name} if later else {'loss', name, 'batch', 'size'}] * 2


def test_names_and_defaults_of_fit(generation):
    """As the histories of upstream are keyed; Keras 1 trained for ten epochs, and knew 'acc' only."""
    model = Sequential([layers.Dense(1, input_shape=(3,), activation='sigmoid')])
    model.compile('sgd', 'mse', metrics=['accuracy', 'mse'])
    history = model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0,
                        callbacks=[callbacks.ReduceLROnPlateau(monitor='loss')]).history
    names = ['loss', 'acc', 'mean_squared_error'] if generation == 1 else ['loss', 'accuracy', 'mse']
    assert set(history) == set(names + ['learning_rate' if generation == 3 else 'lr'])
    assert len(history['loss']) == (10 if generation == 1 else 1)


def test_predict_says_nothing_unless_the_generation_does(generation, capsys):
    model = Sequential([layers.Dense(1, input_shape=(3,))])
    model.predict(np.ones((2, 3)))
    assert bool(capsys.readouterr().out) == (generation in ('tf', 3))
    model.predict(np.ones((2, 3)), verbose=0)
    assert capsys.readouterr().out == ''


def test_automatic_names(generation):
    K.reset_uids()
    made = [layers.Dense(1), layers.Dense(1), metrics.AUC(), metrics.AUC(), Sequential()]
    inputs = [layers.Input((2,)), layers.Input((2,))]
    names = [one.name for one in made + [Model(inputs[0], inputs[0])]] + [one.name for one in inputs]
    from_one = ['dense_1', 'dense_2', 'auc_1', 'auc_2', 'sequential_1', 'model_1', 'input_1', 'input_2']
    from_zero = ['dense', 'dense_1', 'auc', 'auc_1', 'sequential', 'model', 'input_1', 'input_2']
    of_keras3 = from_zero[:5] + ['functional', 'input_layer', 'input_layer_1']
    assert names == {1: from_one, 2: from_one, 'tf': from_zero, 3: of_keras3}[generation]


def test_a_compiled_model_keeps_the_generation_of_compile():
    with config.generation(3):
        model, x, y = masked_model()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(5.66667, 1e-5)
    seen = []
    model.add(layers.Lambda(lambda x: seen.append(config.get_generation()) or x))
    model.compile('sgd', 'mse')
    seen.clear()
    with config.generation(1):
        model.evaluate(x, y, verbose=0)
    assert set(seen) == {2} and generations.of(model) == 3


@pytest.mark.parametrize('loss, y, of_loss, of_shapes', [
    ('binary_crossentropy', [[1, 0, 1], [1, 1, 0]], 2 / 3, 1.0), ('mse', [[0], [1]], None, 0.5),
    ('mse', [[1, 0, 0], [1, 0, 0]], 1.0, 1.0), ('binary_crossentropy', [[0, 0, 1], [0, 0, 0]], 1 / 6, 0.5)])
def test_which_accuracy_is_meant(generation, loss, y, of_loss, of_shapes):
    model = Sequential([layers.Lambda(lambda x: x, input_shape=(3,))])
    model.compile(optimizers.SGD(0.0), loss, metrics=['accuracy'])
    x = np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.6]])
    expected = of_shapes if generation in ('tf', 3) else of_loss
    if expected is not None:  # Keras 2 refuses targets of this shape
        assert model.evaluate(x, np.array(y, 'float32'), verbose=0)[1] == pytest.approx(expected)


@pytest.mark.on('torch')
def test_an_epoch_of_steps_at_the_end_of_the_data(generation):
    seen = []
    model = Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile('sgd', 'mse')
    counting = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(0),
                                        on_batch_end=lambda batch, logs: seen.append(seen.pop() + 1))
    x = np.zeros((10, 1), 'float32')
    with pytest.warns(UserWarning, match='data after 1 of the 9') if generation == 3 else contextlib.ExitStack():
        model.fit(x, x, batch_size=1, epochs=4, steps_per_epoch=9, callbacks=[counting], verbose=0)
    assert seen == ([9, 1, 9, 1] if generation == 3 else [9, 9, 9, 9])


@pytest.mark.on('torch')
def test_targets_where_no_loss_wants_them(generation):
    inputs = layers.Input((1,))
    model = Model(inputs, layers.Dense(1)(inputs))
    model.add_loss(K.mean(model.output))
    model.compile('sgd')
    x = np.ones((4, 1), 'float32')
    if generation in (1, 2):
        with pytest.raises(ValueError, match='compiled without a loss'):
            model.fit(x, x, verbose=0)
    else:
        assert model.fit(x, x, verbose=0).history['loss']


@pytest.mark.on('torch')
def test_what_the_metrics_of_a_model_are(generation):
    model = Sequential([layers.Dense(1, input_shape=(1,))])
    model.own = metrics.Mean(name='own')
    model.compile('sgd', 'mse', metrics=['mae'])
    x = np.ones((4, 1), 'float32')
    loss = model.evaluate(x, 0 * x, verbose=0)[0]
    names = [metric.name for metric in model.metrics]
    if generation in (1, 2):
        assert names[1:] == ['own'] and 'loss' not in names
    else:
        assert names[0] == 'loss' and names[2:] == ['own'] and len(names) == 3
        assert float(model.metrics[0].result()) == pytest.approx(loss, rel=1e-5)


class UpdatesAll(Model):
    def test_step(self, data):
        x, y, weight = data
        y_pred = self(x, training=False)
        for metric in self.metrics:
            if metric.name == 'loss':
                metric.update_state(self.compute_loss(x, y, y_pred, weight))
            else:
                metric.update_state(y, y_pred, sample_weight=weight)
        return {metric.name: metric.result() for metric in self.metrics}


@pytest.mark.on('torch')
@pytest.mark.parametrize('generation, error', [(3, 1.5), ('tf', 1.75)])
def test_sample_weights_in_the_metrics_of_own_steps(generation, error):
    # In Keras 3 the compiled metrics are one metric, which knows that they are given no weights.
    with config.generation(generation):
        inputs = layers.Input((1,))
        model = UpdatesAll(inputs, layers.Dense(1, kernel_initializer='ones')(inputs))
        model.compile('sgd', 'mse', metrics=['mae'])
        logs = model.evaluate(np.array([[1.0], [2.0]]), np.zeros((2, 1)), sample_weight=np.array([0.5, 1.5]),
                              return_dict=True, verbose=0)
    assert logs == pytest.approx({'loss': (0.5 + 1.5 * 4) / 2, list(logs)[1]: error}, rel=1e-5)


@pytest.mark.on('torch')
def test_a_monitored_value_that_is_missing(generation, tmp_path):
    model = Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile('sgd', 'mse')
    path = str(tmp_path / 'best.h5')
    with pytest.warns(UserWarning, match='not available'):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0,
                  callbacks=[callbacks.ModelCheckpoint(path, monitor='unknown', mode='min', save_best_only=True)])
    assert os.path.exists(path) == (generation == 3)
    checkpoint = callbacks.ModelCheckpoint(path, monitor='unknown', save_best_only=True)
    # Keras 3 asks the metrics of the model for the mode.
    with pytest.raises(ValueError, match='mode is "auto"') if generation == 3 else pytest.warns(UserWarning):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[checkpoint])


def test_classes_that_class_weight_leaves_out():
    from keras.training.data.class_weights import weights_of_classes
    y = np.array([0, 2, 1, 2])
    with config.generation(3):
        np.testing.assert_array_equal(weights_of_classes(y, {0: 3.0, 1: 2.0}), [3, 1, 2, 1])
        np.testing.assert_array_equal(weights_of_classes(np.eye(3)[y], {1: 2.0}), [1, 1, 2, 1])
        np.testing.assert_array_equal(weights_of_classes(y[:, None] - 1e-9, {}), [1, 1, 1, 1])
    with pytest.raises(ValueError, match=r'classes \[2\]'):
        weights_of_classes(y, {0: 3.0, 1: 2.0})


def test_the_first_of_several_inputs_says_how_many_samples_there_are():
    """Keras 2 predicts for as many samples as the first input has, as upstream's cnn_seq2seq.py relies on."""
    def model():
        first, second = layers.Input((1,)), layers.Input((1,))
        return Model([first, second], layers.add([first, second]))
    short, long = np.arange(3.0).reshape(3, 1), np.arange(10.0, 16).reshape(6, 1)
    with pytest.warns(UserWarning, match=r'inputs have \[3, 6\] samples: the first says'):
        assert model().predict([short, long], batch_size=2, verbose=0).ravel().tolist() == [10, 12, 14]
    with pytest.raises(ValueError, match='same number of samples'):
        model().predict([long, short])
    with config.generation(3), pytest.raises(ValueError, match='same number of samples'):
        model().predict([short, long])


def test_numbers_that_single_calls_return(generation):
    """Scripts of Keras 1 and 2 call `loss.item()`, and ask for `dtype`; all print lists of them."""
    model = Sequential([layers.Dense(1, input_shape=(3,), kernel_initializer='zeros')])
    x, y = np.ones((4, 3)), np.full((4, 1), 1.5)
    model.compile(optimizers.SGD(0.0), 'mse')
    for found in [model.train_on_batch(x, y), model.test_on_batch(x, y), model.evaluate(x, y, verbose=0)]:
        assert isinstance(found, float) and json.dumps(found) == '2.25' and repr([found]) == '[2.25]'
        assert isinstance(found, np.floating) == (generation in (1, 2))
        assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == 2.25
        if generation in (1, 2):
            assert found.item() == 2.25 and found.dtype == 'float64' and found.mean() == 2.25
    model.compile(optimizers.SGD(0.0), 'mse', metrics=['mae'])
    assert [type(value) for value in model.train_on_batch(x, y)] == 2 * [type(found)]
    assert type(model.train_on_batch(x, y, return_dict=True)['loss']) is float


def test_metrics_of_one_name_that_call_adds(generation):
    class Noting(Model):
        def __init__(self):
            super().__init__(name='noting')
            self.dense = layers.Dense(1, kernel_initializer='zeros')
            self.first, self.second = metrics.Mean(name='level'), metrics.Mean(name='level')

        def call(self, x):
            self.add_metric(self.first(x), name='level')
            self.add_metric(self.second(3 * x), name='level')
            return self.dense(x)

    model = Noting()
    model.compile('sgd', 'mse')
    if generation in (1, 2, 'tf'):
        with pytest.raises(ValueError, match="layer noting has 2 metrics with the name 'level'"):
            model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    else:
        assert model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history['level'] == [3.0]


class _Measuring(layers.Layer):
    """Four ways in which the same metric of a layer gets into the logs; the value of a batch, 1, 3 and 8."""

    def __init__(self, way):
        super().__init__()
        self.way, self.level = way, metrics.Mean(name='level')
        self.unused = metrics.Mean(name='unused')

    def call(self, x):
        if self.way == 'updated':
            self.level.update_state(x)
        elif self.way == 'under its name':
            self.add_metric(x, name='level', aggregation='mean')
        elif self.way == 'what it gave':
            self.add_metric(self.level(x))
        else:
            self.add_metric(self.level(x), name='another')
        return x


@pytest.mark.parametrize('way', ['updated', 'under its name', 'what it gave', 'what it gave, under another name'])
def test_metrics_of_layers_are_in_the_logs(generation, way):
    """The mean over an epoch of 4, 4 and 2 samples, as tf.keras 2.4.4 gives it; Keras 3.15.1 where it has the way.

    Keras 2.3.1 leaves out what is never updated.
    """
    x = np.repeat([1., 3., 8.], [4, 4, 2])[:, None].astype('float32')
    model = Sequential([_Measuring(way), layers.Dense(1, kernel_initializer='zeros')])
    model.compile(optimizers.SGD(0.), 'mse', metrics=['mae'])
    for history in [model.fit(x, x, batch_size=4, epochs=3, shuffle=False, verbose=0).history,
                    model.fit(x, x, batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x[:4], x[:4]),
                              callbacks=[EachBatch()]).history]:
        np.testing.assert_allclose(history['level'], 3 * [3.2], rtol=1e-6)
        assert history.get('unused') == (None if generation in (1, 2) else 3 * [0.0]) and 'another' not in history
    np.testing.assert_allclose(history['val_level'], 3 * [1.0], rtol=1e-6)
    unused = [] if generation in (1, 2) else [0.0]
    np.testing.assert_allclose(model.evaluate(x, x, batch_size=4, verbose=0), [16.8, 3.2, 3.2] + unused, rtol=1e-6)
    assert model.metrics_names[2:] == ['level', 'unused'][:1 + len(unused)]
    assert [metric.name for metric in model.metrics][-2:] == ['level', 'unused']
    np.testing.assert_allclose(float(to_array(model.metrics[-2].result())), 3.2, rtol=1e-6)


class EachBatch(callbacks.Callback):
    """Keeps a run from being a quiet one."""

    def on_batch_end(self, batch, logs=None):
        assert 'level' in logs


@pytest.mark.needs_gradients
@pytest.mark.on('jax', 'torch')
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_class_weights_in_what_is_held_out(generation):
    """As 2.3.1 (they count), tf.keras 2.4.4 and 3.15.1 (they do not) give it."""
    with config.generation(generation):
        model = Sequential([layers.Dense(1, input_shape=(1,), kernel_initializer='zeros')])
        model.compile(optimizers.SGD(0.0), 'mse', metrics=['mae'])
        logs = model.fit(np.ones((4, 1)), np.array([[1], [1], [0], [1]]), validation_split=0.5, verbose=0,
                         class_weight={0: 1.0, 1: 4.0}).history
    np.testing.assert_allclose(logs['loss'], [4.0])
    np.testing.assert_allclose(logs['val_loss'], [2.0 if generation == 2 else 0.5])
    names = ['loss', 'mae', 'val_loss', 'val_mae']
    assert list(logs) == (names[2:] + names[:2] if generation == 2 else names)


@pytest.mark.needs_gradients
@pytest.mark.on('jax')
@pytest.mark.parametrize('generation, of_batch, of_epoch', [
    (2, ['batch', 'size', 'loss', 'accuracy'], ['val_loss', 'val_accuracy', 'loss', 'accuracy']),
    ('tf', ['loss', 'accuracy'], ['loss', 'accuracy', 'val_loss', 'val_accuracy']),
    (3, ['accuracy', 'loss'], ['accuracy', 'loss', 'val_accuracy', 'val_loss'])])
def test_order_of_logs(generation, of_batch, of_epoch, capsys):
    """As 2.3.1, tf.keras 2.4.4 and 3.15.1 have it."""
    seen, data = [], (np.ones((4, 1)), np.ones((4, 1)))
    with config.generation(generation):
        model = Sequential([layers.Dense(1, input_shape=(1,))])
        model.compile('sgd', 'mse', metrics=['accuracy'])
        logs = model.fit(*data, verbose=2, validation_data=data, callbacks=[callbacks.LambdaCallback(
            on_batch_end=lambda batch, logs: seen.append(list(logs)))]).history
    assert list(logs) == of_epoch and seen == [of_batch]
    # Whatever the order of the logs, the validation stands last where people read it.
    shown = re.findall(r' - (\w+):', capsys.readouterr().out)
    assert shown == [name for name in of_batch if name not in ('batch', 'size')] + [
        name for name in of_epoch if name.startswith('val_')]


class Noting(layers.Layer):
    """Notes what it is told about training."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.told = []

    def call(self, x, training=None):
        self.told.append(training)
        return x


def test_runs_overrule_what_layers_were_called_with(generation):
    # As Keras 3.15.1 has it: `predict` and `fit` overrule the call of a layer, `model(x)` says nothing.
    x = layers.Input((3,))
    for given in (True, False):
        layer = Noting()
        model = Model(x, layers.Dense(1)(layer(x, training=given)))
        model.compile('sgd', 'mse', **({} if generation == 1 else {'run_eagerly': True}))

        def told(run, *args, **kwargs):
            layer.told = []
            run(*args, **kwargs)
            return set(layer.told)
        data = np.ones((2, 3), 'float32')
        overruled = generation == 3
        assert told(model, data) == {given}
        assert told(model, data, training=not given) == {not given if overruled else given}
        assert told(model.predict, data, verbose=0) == {False if overruled else given}
        assert told(model.fit, data, data[:, :1], verbose=0) == {True if overruled else given}
        nested = Model(x, model(x))
        assert told(nested, data) == {given}
        assert told(nested.predict, data, verbose=0) == {False if overruled else given}


def test_dropout_that_was_called_for_training_keeps_all_in_predictions_of_keras_3(generation):
    x = layers.Input((20,))
    model = Model(x, layers.Dropout(0.5, seed=1337)(x, training=True))
    data = np.ones((4, 20), 'float32')
    dropped = [(np.asarray(found) != 1).any() for found in (model.predict(data, verbose=0), K.eval(model(data)))]
    assert dropped == [generation != 3, True]


def test_steps_that_are_no_multiple_of_those_in_one_call(generation):
    seen = []
    x = np.arange(10, dtype='float32').reshape(10, 1)
    model = Sequential([layers.Dense(1, input_shape=(1,), kernel_initializer='zeros')])
    model.compile(optimizers.SGD(1e-3), 'mse', steps_per_execution=2)
    watch = callbacks.LambdaCallback(on_batch_begin=lambda batch, logs: seen.append(batch))
    model.fit(x, x, batch_size=1, steps_per_epoch=5, epochs=1, verbose=0, shuffle=False, callbacks=[watch])
    assert seen == [0, 2, 4]
    # Keras 3.15.1 runs the sixth batch, too.
    assert int(K.get_value(model.optimizer.iterations)) == (6 if generation == 3 else 5)
    assert len(model.predict(x, batch_size=1, steps=5, verbose=0)) == (6 if generation == 3 else 5)


class Two(Model):
    """A model without a graph, of two outputs in a list."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(1), layers.Dense(1)

    def call(self, x):
        return [self.first(x), self.second(x)]


def test_names_in_the_logs_of_outputs_without_names(generation):
    x, y = np.ones((4, 2), 'float32'), np.ones((4, 1), 'float32')
    numbered = {'loss', 'output_1_loss', 'output_2_loss', 'output_1_mae', 'output_2_mse'}
    for losses, expected in ((['mse', 'mae'], {'loss', 'mse_loss', 'mae_loss', 'mae', 'mse'}),
                             ([lambda t, p: K.square(t - p), losses_of.Huber(name='hub')],
                              {'loss', 'lambda_loss', 'hub_loss', 'mae', 'mse'}),
                             (['mse', 'mse'], {'loss', 'mse_loss', 'mse_1_loss', 'mae', 'mse'})):
        model = Two()
        model.compile('sgd', losses, metrics=[['mae'], ['mse']])
        history = model.fit(x, [y, y], verbose=0).history
        expected = expected if generation == 3 else numbered
        if generation == 1:
            expected = {name.replace('mae', 'mean_absolute_error').replace('mse', 'mean_squared_error')
                        for name in expected}
        assert set(history) == expected


class Doubling(Model):
    """A model whose loss is one of its output twice."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x=x, y=y, y_pred=[y_pred, y_pred], sample_weight=sample_weight)


@pytest.mark.parametrize('loss', ['mse', ['mse', 'mae']])
@pytest.mark.parametrize('metrics_given', [None, ['mae']])
def test_a_loss_that_hands_on_more_outputs_than_the_model_has(generation, loss, metrics_given):
    x, y = np.ones((4, 2), 'float32'), np.ones((4, 1), 'float32')
    if isinstance(loss, list) and generation != 3:
        pytest.skip('a loss for each of two outputs is refused where the model says that it has one')
    inputs = layers.Input((2,))
    model = Doubling(inputs, layers.Dense(1, kernel_initializer='zeros', name='a')(inputs))
    model.compile(optimizers.SGD(0.0), loss, metrics=metrics_given)
    for found in (model.fit(x, (y, y), verbose=0).history, model.evaluate(x, (y, y), verbose=0, return_dict=True)):
        assert np.squeeze(found['loss']) == pytest.approx(2.0)
        assert len(found) == 3 + bool(metrics_given)
        if generation == 3:
            assert {'mse_loss', 'mae_loss' if isinstance(loss, list) else 'mse_1_loss'} < set(found)


def test_metrics_nested_as_the_outputs_are(generation):
    class Nested(Model):
        def call(self, x):
            return {'a': x, 'b': {'c': x + 1, 'd': [x + 2, x + 3]}}

        def train_step(self, data):
            return super().train_step(data)

    def one(name):
        return metrics.MeanSquaredError(name=name)
    x = np.zeros((4, 2), 'float32')
    y = {'a': x, 'b': {'c': x, 'd': [x, x]}}
    chosen = {'a': one('first'), 'b': {'c': one('second'), 'd': [one('third'), one('fourth')]}}
    model = Nested()
    model.compile(optimizers.SGD(0.0), 'mse', metrics=chosen)
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    prefixes = [''] * 4 if generation == 3 else ['output_%d_' % number for number in (1, 2, 3, 4)]
    names = [prefix + name for prefix, name in zip(prefixes, ('first', 'second', 'third', 'fourth'))]
    assert [found[name] for name in names] == [0, 1, 4, 9]
    with pytest.raises(ValueError, match="metrics.*can't be found"):
        model = Nested()
        model.compile('sgd', 'mse', metrics={'z': one('z')})
        model.evaluate(x, y, verbose=0)


class Shapes(Model):
    """Notes the shapes of its data."""

    def train_step(self, data):
        self.seen = [tuple(part.shape) for part in data]
        return {'loss': 0.0}


@pytest.mark.on('torch', 'jax', 'tensorflow')  # Theano's sizes are symbolic in `call`
def test_a_series_is_a_column_in_keras_3(generation):
    pandas = pytest.importorskip('pandas')
    column = pandas.Series(np.arange(4.0))
    for data, shape in ((column, (4, 1) if generation == 3 else (4,)), (column.to_numpy(), (4,)),
                        (column.to_frame(), (4, 1))):
        model = Shapes()
        model.compile('sgd', 'mse')
        model.fit(data, data, verbose=0)
        assert model.seen == [shape] * 2
    for wrong in ('a text', object()):
        with pytest.raises(ValueError, match='must be an array of numbers. Unrecognized data type: .* of type'):
            model.fit(wrong, verbose=0)


@pytest.mark.on('torch')
@pytest.mark.parametrize('generation, names', [(2, ['loss']), (3, ['loss', 'spare'])])
def test_metrics_that_are_attributes_and_never_updated(generation, names):
    with config.generation(generation):
        class Own(keras.Model):
            def __init__(self):
                super().__init__()
                self.dense = keras.layers.Dense(1)
                self.unbuilt, self.spare = keras.metrics.F1Score(), keras.metrics.Mean(name='spare')

            def call(self, inputs):
                return self.dense(inputs)
        model, x = Own(), np.ones((4, 3), 'float32')
        model.compile('sgd', 'mse')
        found = model.evaluate(x, x[:, :1], verbose=0)
        assert np.ndim(found) == (0 if names == ['loss'] else 1)
        assert [name for name in model.metrics_names if name != 'compile_metrics'] == names


@pytest.mark.on('torch')
@pytest.mark.parametrize('generation, names', [('tf', ['loss', 'mae', 'acc']), (3, ['acc', 'loss', 'mae'])])
def test_the_order_of_results_by_name(generation, names):
    with config.generation(generation):
        model, x = Sequential([layers.Dense(1, input_shape=(3,))]), np.ones((4, 3), 'float32')
        model.compile('sgd', 'mse', metrics=['mae', 'acc'])
        found = model.evaluate(x, x[:, :1], verbose=0, return_dict=True)
        assert list(found) == names
        assert list(model.test_on_batch(x, x[:, :1], return_dict=True)) == names
        values = model.evaluate(x, x[:, :1], verbose=0)
        np.testing.assert_allclose(values, [found['loss'], found['mae'], found['acc']])


@pytest.mark.on('torch')
def test_metrics_that_say_several_things_are_logged_by_name():
    class Pair(keras.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_pred)

        def result(self):
            return {'one': super().result(), 'two': 2.0 * super().result()}
    made = keras.Sequential([keras.layers.Dense(1, kernel_initializer='ones', input_shape=(2,))])
    made.compile(keras.optimizers.SGD(0.0), 'mse', metrics=[Pair()])
    logs = made.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0).history
    assert np.allclose(logs['one'], 2) and np.allclose(logs['two'], 4)
    assert np.allclose(made.evaluate(np.ones((2, 2)), np.ones((2, 1)), verbose=0), [1, 2, 4])


@pytest.mark.on('torch')
def test_metrics_begin_anew_before_callbacks_hear_of_the_epoch():
    class Told(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.seen = keras.metrics.Mean(name='seen')

        def call(self, x):
            self.seen.update_state(x)
            return x
    told, said = Told(), []
    made = keras.Sequential([keras.layers.InputLayer((2,)), told, keras.layers.Dense(1)])
    made.compile('sgd', 'mse')
    made.fit(np.ones((2, 2)), np.ones((2, 1)), epochs=2, verbose=0, callbacks=[keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: said.append(float(told.seen.result())),
        on_epoch_end=lambda epoch, logs: said.append(float(told.seen.result())))])
    assert said == [0, 1, 0, 1]


@pytest.mark.on('torch')
def test_weights_of_classes_and_of_samples_exclude_each_other_in_keras_3():
    x, y = np.ones((2, 2)), np.array([0, 1])
    with config.generation(3):
        made = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation='softmax')])
        made.compile('sgd', 'sparse_categorical_crossentropy')
        with pytest.raises(ValueError, match='You cannot `class_weight` and `sample_weight` at the same time'):
            made.fit(x, y, class_weight={0: 1.0, 1: 2.0}, sample_weight=np.ones(2), verbose=0)
        inputs = keras.Input((2,))
        one, two = keras.layers.Dense(1, name='one')(inputs), keras.layers.Dense(1, name='two')(inputs)
        assert keras.Model(inputs, {'b': one, 'a': two}).output_names == ['two', 'one']


@pytest.mark.parametrize('generation', [2, 3])
def test_names_of_metrics_that_give_dictionaries(generation):
    class Two(keras.metrics.Metric):
        def __init__(self, name='two', **kwargs):
            super().__init__(name=name, **kwargs)
            self.batches = self.add_weight(name='batches', initializer='zeros')

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.batches.assign_add(1.0)

        def result(self):
            return {'a': self.batches.value, 'b': self.batches.value * 2.0}
    with keras.config.generation(generation):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile('sgd', 'mse', metrics=[Two(), 'mae'])
        x, y = np.ones((8, 3), 'float32'), np.zeros((8, 2), 'float32')
        numbers = model.evaluate(x, y, batch_size=4, verbose=0)
    assert model.metrics_names == ['loss', 'a', 'b', 'mae'] and numbers[1:3] == [2.0, 4.0]


@pytest.mark.parametrize('generation', [2, 3])
def test_hdf5_files_keep_the_scale_of_losses(generation, tmp_path):
    with keras.config.generation(generation):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(2)])
        model.compile(optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=128.0,
                                                    dynamic_growth_steps=5), 'mse')
        x, y = np.ones((8, 3), 'float32'), np.zeros((8, 2), 'float32')
        model.fit(x, y, batch_size=8, epochs=6, verbose=0)
        model.save(str(tmp_path / 'model.h5'))
        loaded = keras.models.load_model(str(tmp_path / 'model.h5'))
        assert float(loaded.optimizer.dynamic_scale.numpy()) == 256.0
        for _ in range(3):
            np.testing.assert_allclose(loaded.train_on_batch(x, y), model.train_on_batch(x, y), rtol=1e-5)
