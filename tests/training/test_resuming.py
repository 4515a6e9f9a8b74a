"""A training that is broken off and started again ends as one that was not: weights, history and files are the same."""
import os

import numpy as np
import pytest

import keras
from keras import layers
from keras.callbacks import BackupAndRestore, CSVLogger

pytestmark = [pytest.mark.on('torch', 'jax', 'mxnet'), pytest.mark.needs_gradients]
COUNT = 30


class Stopped(Exception):
    """What ends a training in the place of a signal."""


class StopAfter(keras.callbacks.Callback):
    """End the training after so many batches in all; None: never."""

    def __init__(self, batches):
        super().__init__()
        self.batches, self.done = batches, 0

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.done == self.batches:
            raise Stopped()


def arrays():
    random = np.random.RandomState(5)
    x = random.normal(size=(COUNT, 4)).astype('float32')
    return x, (x[:, :1] * x[:, 1:2] > 0).astype('float32')


class Shuffling(keras.utils.Sequence):
    """Draws its order itself, and noise."""

    def __init__(self):
        self.order = np.arange(COUNT)

    def __len__(self):
        return 3

    def __getitem__(self, index):
        x, y = arrays()
        rows = self.order[10 * index:10 * index + 10]
        return x[rows] + np.random.normal(size=(10, 4)).astype('float32'), y[rows]

    def on_epoch_end(self):
        np.random.shuffle(self.order)


def drawing():
    x, y = arrays()
    while True:
        rows = np.random.permutation(COUNT)[:10]
        yield x[rows], y[rows]


SOURCES = {
    'arrays': lambda: (arrays(), {'batch_size': 8, 'validation_split': 0.2}),
    'steps': lambda: (arrays(), {'batch_size': 8, 'steps_per_epoch': 3}),
    'sequence': lambda: ((Shuffling(),), {}),
    'generator': lambda: ((drawing(),), {'steps_per_epoch': 3}),
}


def model():
    return keras.Sequential([layers.Dense(5, activation='relu', input_shape=(4,)), layers.BatchNormalization(),
                             layers.Dropout(0.3), layers.Dense(1, activation='sigmoid')])


def run(source, folder, frequency, stop_after=None, epochs=3):
    """(all weights, the history, the text of the CSV file) of a run of the program, as a fresh process would have it.
    """
    keras.utils.set_random_seed(7)
    network = model()
    network.compile(keras.optimizers.Adam(0.05), 'binary_crossentropy',
                    metrics=['accuracy', keras.metrics.AUC(name='auc')])
    data, options = SOURCES[source]()
    plateau = keras.callbacks.ReduceLROnPlateau('loss', patience=1, min_delta=0.5)
    backup = BackupAndRestore(folder, frequency, delete_checkpoint=False)
    history = network.fit(*data, epochs=epochs, verbose=0, callbacks=[
        plateau, CSVLogger(folder + '.csv'), backup, StopAfter(stop_after)], **options)
    with open(folder + '.csv') as file:
        return network.get_weights() + [np.asarray(network.optimizer.learning_rate)], history.history, file.read()


def assert_same(found, expected):
    for array, other in zip(found[0], expected[0]):
        np.testing.assert_array_equal(array, other)
    assert found[1:] == expected[1:]


@pytest.mark.parametrize('source, frequency, stops', [
    ('arrays', 'epoch', (1, 5)), ('arrays', 2, (4, 6)), ('steps', 2, (3, 5)), ('sequence', 2, (2, 5)),
    ('sequence', 'epoch', (4,)), ('generator', 2, (5,)), ('generator', 'epoch', (7,))])
def test_weights_history_and_files_are_those_of_a_run_in_one_go(tmp_path, source, frequency, stops):
    expected = run(source, str(tmp_path / 'whole'), frequency)
    folder = str(tmp_path / 'broken')
    for stop in stops:
        with pytest.raises(Stopped):
            run(source, folder, frequency, stop)
        np.random.seed(0)  # another process begins with another state
    assert_same(run(source, folder, frequency), expected)


on_one = pytest.mark.on('torch', 'mxnet')


@on_one
@pytest.mark.parametrize('source', ['arrays', 'sequence', 'generator'])
@pytest.mark.parametrize('frequency, stop', [(1, 1), (2, 5), ('epoch', 4)])
def test_overfitting_goes_on_with_the_batches_that_it_began_with(tmp_path, source, frequency, stop):
    """Stopped in its first batch, inside of an epoch, and between two kept ones."""
    def train(folder, stop_after=None):
        keras.utils.set_random_seed(7)
        network = model()
        network.compile('adam', 'binary_crossentropy')
        data, options = SOURCES[source]()
        backup = BackupAndRestore(str(tmp_path / folder), frequency, delete_checkpoint=False)
        history = network.fit(*data, epochs=3, verbose=0, callbacks=[
            keras.callbacks.OverfitBatches(2), backup, StopAfter(stop_after)], **options)
        return network.get_weights(), history.history
    expected = train('whole')
    with pytest.raises(Stopped):
        train('broken', stop)
    np.random.seed(0)
    assert_same(train('broken'), expected)


@on_one
def test_fit_with_more_epochs_goes_on_where_it_ended(tmp_path):
    def train(epochs, folder):
        keras.utils.set_random_seed(2)
        network = model()
        network.compile('sgd', 'mse')
        history = network.fit(*arrays(), epochs=epochs, verbose=0, resume=str(tmp_path / folder))
        return network.get_weights(), history.history['loss']
    expected = train(3, 'whole')
    train(1, 'parts')
    again, losses = train(1, 'parts')
    assert len(losses) == 1 and (tmp_path / 'parts' / 'latest.weights.h5').exists()
    weights, losses = train(3, 'parts')
    assert losses == expected[1]
    for array, other in zip(weights, expected[0]):
        np.testing.assert_array_equal(array, other)
    for array, other in zip(again, train(1, 'parts-again')[0]):
        np.testing.assert_array_equal(array, other)


@on_one
def test_early_stopping_counts_on_and_what_ended_stays_ended(tmp_path):
    def train(epochs, folder):
        keras.utils.set_random_seed(2)
        network = model()
        network.compile('sgd', 'mse')
        stop = keras.callbacks.EarlyStopping('loss', patience=2, min_delta=100.0)
        return network.fit(*arrays(), epochs=epochs, verbose=0, callbacks=[stop], resume=str(tmp_path / folder)), stop
    train(2, 'a')
    history, stop = train(9, 'a')
    assert history.epoch == [0, 1, 2] and stop.stopped_epoch == 2
    history, _ = train(9, 'a')
    assert history.epoch == [0, 1, 2]


@on_one
def test_folder_goes_when_the_training_is_done_and_stays_when_it_fails(tmp_path):
    folder = tmp_path / 'backup'
    network = model()
    network.compile('sgd', 'mse')
    backup = BackupAndRestore(folder, save_freq=1, double_checkpoint=True)
    with pytest.raises(Stopped):
        network.fit(*arrays(), batch_size=10, epochs=2, verbose=0, callbacks=[backup, StopAfter(4)])
    assert sorted(os.listdir(str(folder))) == ['latest.weights.h5', 'previous.weights.h5']
    network.fit(*arrays(), batch_size=10, epochs=2, verbose=0, callbacks=[backup])
    assert not folder.exists()


@on_one
def test_damaged_file_falls_back_on_the_one_before_or_is_named(tmp_path):
    def train(stop, double):
        network = model()
        network.compile('sgd', 'mse')
        return network.fit(*arrays(), batch_size=10, epochs=2, verbose=0, callbacks=[
            StopAfter(stop), BackupAndRestore(tmp_path, 1, double_checkpoint=double)])
    with pytest.raises(Stopped):
        train(3, True)
    with open(str(tmp_path / 'latest.weights.h5'), 'wb') as file:
        file.write(b'0')
    with pytest.warns(UserWarning, match='is damaged'):
        history = train(None, True)
    assert history.epoch == [0, 1] and len(history.history['loss']) == 2
    with pytest.raises(Stopped):
        train(3, False)
    with open(str(tmp_path / 'latest.weights.h5'), 'wb') as file:
        file.write(b'0')
    with pytest.raises(OSError, match='Remove the folder'):
        train(None, False)


@on_one
def test_state_of_another_model_is_refused(tmp_path):
    network = model()
    network.compile('sgd', 'mse')
    network.fit(*arrays(), epochs=1, verbose=0, resume=str(tmp_path))
    other = keras.Sequential([layers.Dense(1, input_shape=(4,))])
    other.compile('sgd', 'mse')
    with pytest.raises(ValueError, match='weight'):
        other.fit(*arrays(), epochs=2, verbose=0, resume=str(tmp_path))


@on_one
def test_callback_with_a_state_of_its_own(tmp_path):
    class Counting(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.count = Counting  # no plain value

        def on_train_begin(self, logs=None):
            self.count = iter(range(100))
            self.last = -1

        def on_epoch_end(self, epoch, logs=None):
            self.last = next(self.count)

        def get_state(self):
            return {'last': self.last}

        def set_state(self, state):
            self.last = state['last']
            self.count = iter(range(self.last + 1, 100))

    for epochs in (2, 3):
        network, counting = model(), Counting()
        network.compile('sgd', 'mse')
        network.fit(*arrays(), epochs=epochs, verbose=0, callbacks=[counting], resume=str(tmp_path))
        assert counting.last == epochs - 1


@on_one
def test_arguments(tmp_path):
    for arguments in (('',), (None,), ('a', 'batch'), ('a', 0.5), ('a', 0)):
        with pytest.raises(ValueError, match='backup_dir|save_freq'):
            BackupAndRestore(*arguments)
    network = model()
    network.compile('sgd', 'mse')
    with pytest.raises(ValueError, match='one BackupAndRestore'):
        network.fit(*arrays(), verbose=0, callbacks=[BackupAndRestore(tmp_path / 'a')], resume=tmp_path / 'b')


@pytest.mark.parametrize('stop_after', [1, 2, 3, 4])
def test_several_steps_in_a_call_that_do_not_divide_the_epoch(tmp_path, stop_after):
    # 5 batches are 2, 2 and 1 of them: what follows on the last, short call is the next epoch.
    def weights(folder, stop_after=None):
        keras.utils.set_random_seed(7)
        network = model()
        network.compile('adam', 'binary_crossentropy', steps_per_execution=2)
        callbacks = [BackupAndRestore(folder, save_freq=1)] + [StopAfter(stop_after)] * (stop_after is not None)
        network.fit(*arrays(), batch_size=6, epochs=2, verbose=0, callbacks=callbacks)
        return network.get_weights()
    expected = weights(str(tmp_path / 'whole'))
    with pytest.raises(Stopped):
        weights(str(tmp_path / 'broken'), stop_after)
    for one, other in zip(weights(str(tmp_path / 'broken')), expected):
        np.testing.assert_array_equal(one, other)


@pytest.mark.on('torch', 'mxnet')
@pytest.mark.parametrize('stop_after', [2, 4])
def test_what_worker_processes_draw(tmp_path, stop_after):
    def weights(folder, stop_after=None):
        keras.utils.set_random_seed(7)
        network = model()
        network.compile('adam', 'binary_crossentropy')
        callbacks = [BackupAndRestore(folder, save_freq=1)] + [StopAfter(stop_after)] * (stop_after is not None)
        network.fit(Shuffling(), epochs=2, verbose=0, callbacks=callbacks, workers=2, use_multiprocessing=True)
        return network.get_weights()
    expected = weights(str(tmp_path / 'whole'))
    with pytest.raises(Stopped):
        weights(str(tmp_path / 'broken'), stop_after)
    np.random.seed(99)
    for one, other in zip(weights(str(tmp_path / 'broken')), expected):
        np.testing.assert_array_equal(one, other)
