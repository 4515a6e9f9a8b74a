"""The callback that keeps the state of a training, so that it goes on after its process was killed."""
import os
import warnings

from keras import lazy
from keras.callbacks.base import Callback
from keras.saving.opening import in_words, open_hdf5
from keras.saving.plain import read_plain, write_plain
from keras.saving.writing import writing_hdf5

shutil = lazy.Later('shutil')

_STATE = 'training_state'


class BackupAndRestore(Callback):
    """Keep the whole state of a training in a folder, and go on from there where `fit` finds such a state.

    A training that was killed, at whatever point, and is started again ends with the same weights, bit for bit on the
    same engine, as one that was not: the file holds the weights, the optimizer, the state of all random generators,
    which batches of the data come next, the totals of the metrics and what has changed in the callbacks. The program
    that is started again has to be the same: model, data, callbacks.

    Args:
        backup_dir: the folder. The state is one file in it, `latest.weights.h5`, which is always whole; its weights can
            be loaded as those of any file of Keras 3.
        save_freq: 'epoch', or after how many batches the state is kept. It is also kept before the first batch.
        double_checkpoint: keep the state before the last one as well, for where the file is damaged later on.
        delete_checkpoint: remove the folder when the training has ended as planned. With False, `fit` with more epochs
            goes on where it ended; this is what `fit(resume=folder)` does.

    A callback may say itself what its state is, as plain values (numbers, texts, arrays, containers), by `get_state()`,
    and take it by `set_state(state)`, which is called after `on_train_begin`; otherwise it is its attributes that have
    changed. A `Sequence` goes on likewise; a generator is made to yield again, and to drop, what was used before.

    Raises:
        ValueError: for an empty `backup_dir` or another `save_freq`; in `fit`, for the state of another model.

    Example:
        >>> backup = keras.callbacks.BackupAndRestore('backup')                   # doctest: +SKIP
        >>> model.fit(x, y, epochs=100, callbacks=[backup])                       # doctest: +SKIP
    """

    def __init__(self, backup_dir, save_freq='epoch', double_checkpoint=False, delete_checkpoint=True):
        super().__init__()
        if not backup_dir:
            raise ValueError('BackupAndRestore: Empty `backup_dir` argument passed: the name of a folder is needed. '
                             'Received: %r' % (backup_dir,))
        if save_freq != 'epoch' and (type(save_freq) is not int or save_freq < 1):
            raise ValueError('BackupAndRestore: Invalid value for save_freq: expected "epoch" or a number of batches. '
                             'Received: %r' % (save_freq,))
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint

    def get_state(self):
        return {}

    def _path(self, which='latest'):
        return os.path.join(self.backup_dir, which + '.weights.h5')

    def read(self, model=None):
        """The state of the training that is kept, None where there is none.

        Args:
            model: a model to give the weights and the optimizer's state that are kept, or None.

        Raises:
            OSError: where the files are damaged. ValueError: where the state is that of another model.
        """
        paths = [path for path in map(self._path, ('latest', 'previous')) if os.path.exists(path)]
        for path in paths:
            try:
                with in_words(path), open_hdf5(path) as file:
                    if model is not None:
                        model.read_state(file)
                    return read_plain(file, _STATE)
            except (OSError, KeyError) as error:
                if path == paths[-1]:
                    raise OSError('BackupAndRestore: the state in %s cannot be read, so the training cannot go on from '
                                  'it: %s. Remove the folder to begin anew.' % (path, error)) from error
                warnings.warn('BackupAndRestore: %s is damaged (%s); the state before it is used.' % (path, error))
        return None

    def write(self, model, state):
        """Keep the state of a training: of its model, and `state`, plain values."""
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path()):
            os.replace(self._path(), self._path('previous'))
        with writing_hdf5(self._path()) as file:
            model.write_state(file)
            write_plain(file, _STATE, state)

    def finish(self):
        """The training has ended as planned."""
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
