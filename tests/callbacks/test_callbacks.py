"""Callbacks against a small stand-in for a model, hook by hook; `fit` itself is tested in tests/training."""
import copy
import csv
import http.server
import json
import math
import os
import pickle
import sys
import threading
import urllib.parse

import numpy as np
import pytest

import keras
from keras import callbacks as C
from keras import config


class Rate:
    def __init__(self, value):
        self.value = value

    def assign(self, value):
        self.value = value

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.value, dtype=dtype)


class Optimizer:
    def __init__(self, rate):
        self.learning_rate = Rate(rate)


class StandIn:
    """What callbacks need of a model."""

    def __init__(self, rate=0.1):
        self.optimizer = Optimizer(rate)
        self.stop_training = False
        self.weights = [np.zeros(1)]
        self.saved = []

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path, overwrite):
        self.saved.append(('model', path))

    def save_weights(self, path, overwrite):
        self.saved.append(('weights', path))


class NotToBeRead(dict):
    """Logs whose values wait for the device."""

    def _refuse(self, *_):
        raise AssertionError('the logs were read')

    __getitem__ = get = items = values = _refuse


def run_epochs(callback, rows, model=None, **params):
    """Call the hooks of an epoch for each dict of logs; weights count the epochs. Stops where `fit` would."""
    model = model or StandIn()
    calls = C.CallbackList([callback])
    calls.set_params(dict(params))
    calls.set_model(model)
    calls.on_train_begin()
    for epoch, row in enumerate(rows):
        calls.on_epoch_begin(epoch)
        model.weights = [np.full(1, float(epoch))]
        logs = dict(row)
        calls.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    calls.on_train_end()
    return model


def losses(*values):
    return [{'loss': value} for value in values]


# --- the list ---------------------------------------------------------------------------------------------------

def test_list_calls_only_overridden_hooks():
    class Epochs(C.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, logs))

    callback = Epochs()
    calls = C.CallbackList([callback, C.History()])
    assert not calls.has_batch_hooks
    calls.on_train_batch_end(0, NotToBeRead())
    calls.on_epoch_end(3)
    assert callback.seen == [(3, {})]


def test_what_the_list_of_tensorflow_asks():
    class Batches(C.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

        def on_predict_batch_begin(self, batch, logs=None):
            pass

    for callback, expected in ((Batches(), (True, False, True)), (C.History(), (False,) * 3)):
        assert tuple(getattr(callback, '_implements_%s_batch_hooks' % mode)()
                     for mode in ('train', 'test', 'predict')) == expected


def test_on_batch_end_and_on_train_batch_end_are_one():
    seen = []

    class Older(C.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(('older', batch))

    class Newer(C.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(('newer', batch))

    calls = C.CallbackList([Older(), Newer()])
    assert calls.has_batch_hooks
    calls.on_batch_end(1)
    calls.on_train_batch_end(2)
    assert seen == [('older', 1), ('newer', 1), ('older', 2), ('newer', 2)]


def test_hook_set_after_construction_is_found_when_training_begins():
    callback, seen = C.Callback(), []
    calls = C.CallbackList([callback])
    callback.on_batch_begin = lambda batch, logs: seen.append(batch)
    calls.on_train_begin()
    calls.on_batch_begin(7)
    assert seen == [7]


def test_list_gives_model_and_params_to_appended_callback():
    calls = C.CallbackList([], add_history=True, model='model', epochs=3)
    late = C.Callback()
    calls.append(late)
    assert late.model == 'model' and late.params == {'epochs': 3}
    assert isinstance(calls.callbacks[0], C.History) and calls.callbacks[0].model == 'model'


# --- keeping logs -----------------------------------------------------------------------------------------------

def test_history_starts_anew_with_each_training():
    history = C.History()
    run_epochs(history, losses(3.0, 2.0))
    run_epochs(history, [{'loss': 1.0, 'val_loss': 4.0}])
    assert history.epoch == [0] and history.history == {'loss': [1.0], 'val_loss': [4.0]}


def test_base_logger_weighs_batches_by_their_size():
    logger, logs = C.BaseLogger(stateful_metrics=['acc']), {}
    logger.set_params({'metrics': ['loss', 'acc', 'val_loss']})
    logger.on_epoch_begin(0)
    logger.on_batch_end(0, {'size': 3, 'loss': 1.0, 'acc': 0.5})
    logger.on_batch_end(1, {'size': 1, 'loss': 5.0, 'acc': 0.7})
    logger.on_epoch_end(0, logs)
    assert logs == {'loss': 2.0, 'acc': 0.7}


def test_lambda_callback_has_only_the_given_hooks():
    seen = []
    callback = C.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs['loss'])))
    assert not C.CallbackList([callback]).has_batch_hooks
    run_epochs(callback, losses(1.0, 0.5))
    assert seen == [(0, 1.0), (1, 0.5)]


# --- steering ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, values, stopped, best_epoch', [
    (dict(patience=0), (3.0, 2.0, 2.5, 1.0), 2, 1),
    (dict(patience=2), (3.0, 2.0, 2.5, 2.4, 1.0), 3, 1),
    (dict(patience=2), (3.0, 2.0, 2.5, 1.9, 2.0, 2.0, 1.0), 5, 3),
    (dict(patience=1, min_delta=0.5), (3.0, 2.9, 2.0), 1, 0),
    (dict(patience=1, mode='max'), (1.0, 2.0, 1.5, 3.0), 2, 1),
    (dict(patience=2, baseline=1.0), (3.0, 2.0, 0.5), 1, 1),
])
def test_early_stopping(arguments, values, stopped, best_epoch):
    callback = C.EarlyStopping(monitor='loss', restore_best_weights=True, **arguments)
    model = run_epochs(callback, losses(*values))
    assert callback.stopped_epoch == stopped and model.stop_training
    assert model.weights[0][0] == best_epoch


def test_early_stopping_without_a_stop():
    callback = C.EarlyStopping(monitor='loss', patience=3)
    model = run_epochs(callback, losses(3.0, 2.0, 1.0))
    assert not model.stop_training and callback.stopped_epoch == 0 and model.weights[0][0] == 2


# What 2.3.1, tf.keras 2.15 and the source of Keras 3 say.
@pytest.mark.parametrize('generation, kept', [(1, 2), (2, 2), ('tf', 2), (3, 1)])
def test_weights_are_restored_without_a_stop_in_keras_3_only(generation, kept):
    with config.generation(generation):
        callback = C.EarlyStopping(monitor='loss', patience=2, restore_best_weights=True)
    model = run_epochs(callback, losses(1.0, 0.5, 3.0))
    assert not model.stop_training and model.weights[0][0] == kept


@pytest.mark.parametrize('rate', [0.1, Rate(0.1)])
def test_an_optimizer_that_has_only_lr(rate):
    model = StandIn()
    model.optimizer = type('Old', (), {'lr': rate})()
    run_epochs(C.ReduceLROnPlateau(monitor='loss', patience=1, factor=0.5), losses(1.0, 1.0), model)
    assert float(np.asarray(model.optimizer.lr)) == 0.05
    run_epochs(C.LearningRateScheduler(lambda epoch, rate: rate / 2), losses(1.0), model)
    assert float(np.asarray(model.optimizer.lr)) == 0.025


def test_early_stopping_ignores_epochs_before_the_start():
    callback = C.EarlyStopping(monitor='loss', start_from_epoch=2)
    run_epochs(callback, losses(1.0, 5.0, 4.0, 3.0, 3.5))
    assert callback.stopped_epoch == 4


def test_auto_mode_goes_by_the_name():
    callback = C.EarlyStopping(monitor='val_accuracy')
    run_epochs(callback, [{'val_accuracy': value} for value in (0.5, 0.7, 0.6)])
    assert callback.stopped_epoch == 2


def test_missing_monitor_names_what_there_is():
    with pytest.warns(RuntimeWarning, match="'val_loss' is not available.*Available are: acc, loss"):
        run_epochs(C.EarlyStopping(), [{'loss': 1.0, 'acc': 0.5}])


def test_learning_rate_scheduler_with_and_without_the_current_rate():
    model = run_epochs(C.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1)), losses(1, 1, 1, 1))
    assert model.optimizer.learning_rate.value == pytest.approx(0.025)
    history = C.History()
    callback = C.LearningRateScheduler(lambda epoch, rate: rate / 2)
    calls = C.CallbackList([callback, history], model=StandIn(0.8))
    for epoch in range(3):
        calls.on_epoch_begin(epoch)
        calls.on_epoch_end(epoch, {})
    assert history.history['lr'] == pytest.approx([0.4, 0.2, 0.1])


def test_learning_rate_scheduler_refuses_what_is_no_number():
    with pytest.raises(ValueError, match="schedule must give a float. It gave '0.1' for epoch 0"):
        run_epochs(C.LearningRateScheduler(lambda epoch: '0.1'), losses(1.0))


def test_optimizer_with_a_schedule_is_refused():
    model = StandIn()
    model.optimizer.learning_rate = lambda step: 0.1
    with pytest.raises(ValueError, match='no learning rate that a callback can set'):
        run_epochs(C.LearningRateScheduler(lambda epoch: 0.1), losses(1.0), model)


@pytest.mark.parametrize('arguments, values, rates', [
    (dict(patience=1), (3, 3, 3), [0.1, 0.05, 0.025]),
    (dict(patience=2), (3, 3, 3, 3), [0.1, 0.1, 0.05, 0.05]),
    (dict(patience=1, cooldown=1), (3, 3, 3, 3), [0.1, 0.05, 0.025, 0.0125]),
    (dict(patience=1, cooldown=2), (3, 3, 3, 3, 3), [0.1, 0.05, 0.05, 0.025, 0.025]),
    (dict(patience=1, min_lr=0.04), (3, 3, 3, 3), [0.1, 0.05, 0.04, 0.04]),
    (dict(patience=1, min_delta=0.5), (3, 2.8, 2.0), [0.1, 0.05, 0.05]),
])
def test_reduce_lr_on_plateau(arguments, values, rates):
    callback, model, seen = C.ReduceLROnPlateau(monitor='loss', factor=0.5, **arguments), StandIn(), []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {'loss': value})
        seen.append(model.optimizer.learning_rate.value)
    assert seen == pytest.approx(rates)


def test_a_learning_rate_that_has_reached_its_bound_is_not_reduced_again(capsys):
    callback = C.ReduceLROnPlateau(monitor='loss', patience=1, min_lr=0.003, verbose=1)
    callback.set_model(StandIn())
    callback.on_train_begin()
    for epoch in range(5):
        callback.on_epoch_end(epoch, {'loss': 1.0})
    assert capsys.readouterr().out.count('reducing learning rate to 0.003.') == 1


def test_reduce_lr_arguments():
    with pytest.raises(ValueError, match='factor must be below 1. Received: 1.0'):
        C.ReduceLROnPlateau(factor=1.0)
    with pytest.warns(DeprecationWarning, match='min_delta'):
        assert C.ReduceLROnPlateau(epsilon=0.3).min_delta == 0.3
    with pytest.raises(TypeError, match='patiense'):
        C.ReduceLROnPlateau(patiense=3)


@pytest.mark.parametrize('loss', [math.nan, math.inf, np.float32('nan')])
def test_terminate_on_nan(loss, capsys):
    callback = C.TerminateOnNaN()
    callback.set_model(StandIn())
    callback.on_batch_end(0, {'loss': 1.0})
    assert not callback.model.stop_training
    callback.on_batch_end(4, {'loss': loss})
    assert callback.model.stop_training
    assert 'Batch 4: Invalid loss' in capsys.readouterr().out
    with pytest.raises(RuntimeError, match='NaN or Inf loss encountered in batch 4.*learning rate'):
        C.TerminateOnNaN(raise_error=True).on_batch_end(4, {'loss': loss})


# --- writing ----------------------------------------------------------------------------------------------------

def test_checkpoint_every_period():
    callback = C.ModelCheckpoint('m-{epoch:02d}-{loss:.1f}.h5', period=2)
    assert run_epochs(callback, losses(4, 3, 2, 1)).saved == [('model', 'm-02-3.0.h5'), ('model', 'm-04-1.0.h5')]
    assert not C.CallbackList([callback]).has_batch_hooks


def test_checkpoint_of_the_best():
    callback = C.ModelCheckpoint('{epoch}.h5', monitor='loss', save_best_only=True, save_weights_only=True)
    model = run_epochs(callback, losses(3, 4, 2, 2))
    assert model.saved == [('weights', '1.h5'), ('weights', '3.h5')]
    threshold = C.ModelCheckpoint('{epoch}.h5', monitor='loss', save_best_only=True, initial_value_threshold=2.5)
    assert run_epochs(threshold, losses(3, 4, 2)).saved == [('model', '3.h5')]


def test_checkpoint_every_few_batches():
    callback = C.ModelCheckpoint('{epoch}.h5', save_freq=2)
    model, calls = StandIn(), C.CallbackList([callback])
    calls.set_model(model)
    calls.on_epoch_begin(0)
    for batch in range(5):
        calls.on_batch_end(batch, {'loss': 1.0})
    calls.on_epoch_end(0, {'loss': 1.0})
    assert model.saved == [('model', '1.h5')] * 2


def test_checkpoint_errors():
    with pytest.raises(KeyError, match="asks for 'val_loss', which is not in the logs. Available are: loss"):
        run_epochs(C.ModelCheckpoint('{val_loss}.h5'), losses(1.0))
    with pytest.raises(ValueError, match='Unrecognized save_freq: save_freq must be "epoch" or a number'):
        C.ModelCheckpoint('a.h5', save_freq='batch')


def test_csv_logger(tmp_path):
    path = tmp_path / 'log.csv'
    run_epochs(C.CSVLogger(str(path), separator=';'), [{'loss': 1.5, 'acc': 0.5}, {'loss': 1.0}])
    # The lines and the quotes of lists are those of Python's csv module and of Keras.
    assert path.read_bytes() == b'epoch;acc;loss\r\n0;0.5;1.5\r\n1;NA;1.0\r\n'
    run_epochs(C.CSVLogger(str(path), separator=';', append=True), [{'acc': np.float64(0.75), 'loss': [1, 2]}])
    with path.open(newline='') as file:
        rows = list(csv.reader(file, delimiter=';'))
    assert rows[0] == ['epoch', 'acc', 'loss'] and rows[3] == ['0', '0.75', '"[1, 2]"'] and len(rows) == 4


@pytest.mark.skipif(sys.platform == 'win32', reason='limits are those of Unix')
def test_csv_logger_leaves_no_half_line(tmp_path):
    """A limit of the process stands for a full disk."""
    import resource
    path, limits = tmp_path / 'log.csv', resource.getrlimit(resource.RLIMIT_FSIZE)
    log = C.CSVLogger(str(path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (30, limits[1]))
    try:
        with pytest.raises(OSError, match=r'log\.csv could not be saved: .*It has the lines from before'):
            run_epochs(log, losses(1.25, 2.5, 3.125, 4.0625))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == 'epoch,loss\n0,1.25\n1,2.5\n'
    log.on_train_end()
    assert path.read_text() == 'epoch,loss\n0,1.25\n1,2.5\n'


@pytest.fixture
def server():
    class Handler(http.server.BaseHTTPRequestHandler):
        received = []

        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length'])).decode()
            self.received.append((self.path, self.headers['Content-Type'], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    listening = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield 'http://127.0.0.1:%d' % listening.server_port, Handler.received
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_remote_monitor(server):
    root, received = server
    run_epochs(C.RemoteMonitor(root, path='/here/'), [{'loss': np.float32(0.5)}])
    run_epochs(C.RemoteMonitor(root, send_as_json=True), [{'loss': 0.25}])
    assert received[0][0] == '/here/'
    assert json.loads(urllib.parse.parse_qs(received[0][2])['data'][0]) == {'epoch': 0, 'loss': 0.5}
    assert urllib.parse.parse_qs(received[0][2])['data'][0].startswith('{"epoch": 0, ')
    assert received[1][1] == 'application/json' and json.loads(received[1][2]) == {'epoch': 0, 'loss': 0.25}


def test_remote_monitor_without_a_server():
    with pytest.warns(RuntimeWarning, match='Could not reach RemoteMonitor root server'):
        run_epochs(C.RemoteMonitor('http://127.0.0.1:9'), losses(1.0))


# --- copies -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('duplicate', [copy.deepcopy, lambda callback: pickle.loads(pickle.dumps(callback))])
@pytest.mark.parametrize('make', [
    lambda folder: C.EarlyStopping(monitor='loss'), lambda folder: C.ReduceLROnPlateau(monitor='loss'),
    lambda folder: C.CSVLogger(str(folder / 'log.csv'), append=True), lambda folder: C.History(),
    lambda folder: C.ModelCheckpoint(str(folder / 'model.h5'), save_freq=2), lambda folder: C.TerminateOnNaN(),
    lambda folder: C.ProgbarLogger(), lambda folder: C.BaseLogger()])
def test_callbacks_that_were_used_can_be_copied(make, duplicate, tmp_path):
    callback = make(tmp_path)
    run_epochs(callback, losses(2.0, 1.0), verbose=0, metrics=['loss'])
    twin = duplicate(callback)
    assert type(twin) is type(callback) and twin is not callback
    run_epochs(twin, losses(2.0, 1.0), verbose=0, metrics=['loss'])


def test_the_hooks_of_a_copy_are_its_own(tmp_path):
    callback = C.ModelCheckpoint(str(tmp_path / 'model.h5'), save_freq=2)
    model, twin = StandIn(), copy.deepcopy(callback)
    twin.set_model(model)
    for batch in range(4):
        twin.on_batch_end(batch, {})
    assert len(model.saved) == 2


# --- what ends a run ---------------------------------------------------------------------------------------------

class Broken(Exception):
    pass


@pytest.mark.needs_gradients
@pytest.mark.parametrize('error', [Broken, KeyboardInterrupt])
def test_on_train_end_is_called_when_an_error_ends_fit_and_files_are_closed(error, tmp_path):
    ended = []

    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise error()

    class Ending(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            ended.append(True)
    logger = keras.callbacks.CSVLogger(str(tmp_path / 'log.csv'))
    model = small_model()
    with pytest.raises(error):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=4, verbose=0, callbacks=[logger, Failing(), Ending()])
    assert ended == [True]
    assert not [value for value in vars(logger).values() if getattr(value, 'closed', True) is False]
    assert len((tmp_path / 'log.csv').read_text().splitlines()) == 3


@pytest.mark.needs_gradients
def test_in_keras_3_an_error_ends_the_callbacks_of_keras_alone(tmp_path):
    ended = []

    class Own(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            ended.append(True)

        def on_epoch_end(self, epoch, logs=None):
            raise Broken()
    logger = keras.callbacks.CSVLogger(str(tmp_path / 'log.csv'))
    with config.generation(3), pytest.raises(Broken):
        small_model().fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[logger, Own()])
    assert not ended
    assert not [value for value in vars(logger).values() if getattr(value, 'closed', True) is False]


@pytest.mark.needs_gradients
def test_an_error_in_on_train_end_does_not_hide_what_ended_fit():
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise Broken('first')

        def on_train_end(self, logs=None):
            raise ValueError('second')
    with pytest.warns(UserWarning, match='on_train_end failed.*second'), pytest.raises(Broken, match='first'):
        small_model().fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[Failing()])


def test_callbacks_end_evaluate_and_predict_on_endless_sources():
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 2

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 2

    def endless():
        while True:
            yield np.ones((4, 2), 'float32'), np.ones((4, 1), 'float32')
    model = small_model()
    assert np.isfinite(model.evaluate(endless(), verbose=0, callbacks=[Stop()]))
    assert model.predict(endless(), callbacks=[Stop()]).shape == (12, 1)


def small_model():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile('sgd', 'mse')
    return model


# --- what single callbacks do besides -------------------------------------------------------------------------------

def test_csv_has_a_column_for_a_validation_that_is_not_due_yet(tmp_path):
    log = C.CSVLogger(str(tmp_path / 'log.csv'))
    run_epochs(log, [{'loss': 2.0}, {'loss': 1.0, 'val_loss': 3.0}], do_validation=True, metrics=['loss', 'val_loss'])
    with open(str(tmp_path / 'log.csv')) as file:
        assert list(csv.reader(file)) == [['epoch', 'loss', 'val_loss'], ['0', '2.0', 'NA'], ['1', '1.0', '3.0']]


def test_csv_of_what_stands_in_logs(tmp_path):
    """The fields are those of Keras 2.3.1 and 3.15.1."""
    log = C.CSVLogger(str(tmp_path / 'log.csv'))
    run_epochs(log, [{'a': np.array([1.0, 2.0]), 'b': np.float32(0.1), 'c': [1, 2.5], 'd': np.array(2.5), 'e': True,
                      'f': np.arange(4).reshape(2, 2), 'g': 'say "x", y', 'h': float('nan')}])
    with open(str(tmp_path / 'log.csv'), newline='') as file:
        assert file.read() == ('epoch,a,b,c,d,e,f,g,h\r\n0,"""[1.0, 2.0]""",0.1,"""[1, 2.5]""",2.5,True,'
                               '"""[[0 1], [2 3]]""","say ""x"", y",nan\r\n')


def test_csv_in_keras_3_has_columns_for_any_validation(tmp_path):
    with config.generation(3):
        log = C.CSVLogger(str(tmp_path / 'log.csv'))
    run_epochs(log, [{'loss': 2.0, 'acc': 1.0}])
    with open(str(tmp_path / 'log.csv')) as file:
        assert list(csv.reader(file)) == [['epoch', 'acc', 'loss', 'val_acc', 'val_loss'],
                                          ['0', '1.0', '2.0', 'NA', 'NA']]


@pytest.mark.parametrize('generation, names', [(2, ['01-1', '01-3']), (3, ['01-2', '01-4'])])
def test_checkpoint_names_batches(generation, names):
    with config.generation(generation):
        callback = C.ModelCheckpoint('{epoch:02d}-{batch}', save_freq=2)
    model = StandIn()
    callback.set_model(model)
    callback.on_epoch_begin(0)
    for batch in range(4):
        callback.on_batch_end(batch, {'loss': 1.0})
    assert [path for _, path in model.saved] == names


def test_checkpoint_betters_a_threshold_first():
    callback = C.ModelCheckpoint('x', monitor='loss', save_best_only=True, initial_value_threshold=0.5)
    model = run_epochs(callback, losses(0.9, 0.6, 0.4, 0.45))
    assert len(model.saved) == 1 and callback.best == 0.4


@pytest.mark.parametrize('kind', [RuntimeWarning, UserWarning])
def test_missing_value_warns_in_both_classes(kind):
    with pytest.warns(kind, match='acc'):
        run_epochs(C.EarlyStopping(monitor='acc'), losses(1.0))


def test_comparison_of_keras_2_is_there():
    assert C.EarlyStopping(monitor='loss').monitor_op is np.less
    assert C.ModelCheckpoint('x', monitor='val_acc').monitor_op is np.greater
    better = C.ReduceLROnPlateau(monitor='loss', min_delta=0.1).monitor_op
    assert better(0.5, 0.7) and not better(0.65, 0.7)


@pytest.mark.on('numpy', 'torch')
def test_tensors_in_logs(tmp_path):
    path = str(tmp_path / 'log.csv')
    logger, stopping = keras.callbacks.CSVLogger(path), keras.callbacks.EarlyStopping('a', mode='max')
    logger.set_params({})
    stopping.set_model(keras.Sequential([keras.layers.Dense(1, input_shape=(1,))]))
    logger.on_train_begin()
    stopping.on_train_begin()
    os.rename(path, path + '2')
    for epoch in range(2):
        logs = {'a': keras.ops.ones((1,)), 'b': keras.ops.convert_to_tensor(2.0)}
        logger.on_epoch_end(epoch, logs)
        stopping.on_epoch_end(epoch, logs)
    logger.on_train_end()
    with open(path + '2') as file:
        assert file.read().split() == ['epoch,a,b', '0,"""[1.0]""",2.0', '1,"""[1.0]""",2.0']
