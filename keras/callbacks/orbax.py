"""The callback that saves by Orbax."""
import importlib
import os

from keras.callbacks.base import Callback
from keras.callbacks.control import Monitor
from keras.callbacks.saying import say


def _files():
    """`saving.orbax`, which stands above the callbacks."""
    return importlib.import_module('keras.saving.orbax')


class OrbaxCheckpoint(Callback):
    """Save the variables of the model by Orbax, in the background, on any engine; needs `orbax-checkpoint` and JAX.

    Args:
        directory: the folder; each checkpoint is a folder in it, named by the epoch (from 0) or the number of batches.
        monitor: the value that says what best is. verbose: 1 says what is saved.
        save_best_only: save only when `monitor` got better. mode: 'min', 'max', or 'auto' by the name.
        save_freq: 'epoch', or a number of batches. initial_value_threshold: the value that has to be bettered first.
        max_to_keep: how many checkpoints stay, the latest ones; None: all. save_on_background: whether the training
            goes on meanwhile. save_weights_only: leave out the optimizer, the metrics and the model's config.

    A checkpoint holds the variables as `Model.get_state_tree` gives them, the model's config, and the files that layers
    write themselves. `keras.saving.load_model` and `Model.load_weights` read the folder, and those that Keras 3 wrote.

    Raises:
        ImportError: where `orbax-checkpoint` is missing. ValueError: for another `save_freq`.

    Example:
        >>> checkpoint = keras.callbacks.OrbaxCheckpoint('/tmp/checkpoints')      # doctest: +SKIP
        >>> model.fit(x, y, epochs=3, callbacks=[checkpoint])                     # doctest: +SKIP
        >>> model = keras.saving.load_model('/tmp/checkpoints')                   # doctest: +SKIP
    """

    def __init__(self, directory, monitor='val_loss', verbose=0, save_best_only=False, mode='auto', save_freq='epoch',
                 initial_value_threshold=None, max_to_keep=1, save_on_background=True, save_weights_only=False):
        super().__init__()
        if save_freq != 'epoch' and (type(save_freq) is not int or save_freq < 1):
            raise ValueError('OrbaxCheckpoint: Unrecognized save_freq: expected "epoch" or a number of batches. '
                             'Received: %r' % (save_freq,))
        self.directory = os.path.abspath(os.fspath(directory))
        self.monitor, self.verbose, self.save_best_only = monitor, verbose, save_best_only
        self.save_freq, self.max_to_keep = save_freq, max_to_keep
        self.save_on_background, self.save_weights_only = save_on_background, save_weights_only
        self._monitor = Monitor(self, monitor, mode)
        self.best = self._monitor.none_yet if initial_value_threshold is None else initial_value_threshold
        self._orbax, self._checkpointer, self._batches = _files().library(), None, 0
        self._since_saved = 0
        if save_freq == 'epoch':
            self.idle_hooks = (OrbaxCheckpoint.on_train_batch_end,)

    @property
    def checkpointer(self):
        """The `Checkpointer` of Orbax."""
        if self._checkpointer is None:
            training = self._orbax.training
            keep = None if self.max_to_keep is None else training.preservation_policies.LatestN(self.max_to_keep)
            self._checkpointer = training.Checkpointer(
                self.directory, preservation_policy=keep,
                save_decision_policy=training.save_decision_policies.FixedIntervalPolicy(1))
        return self._checkpointer

    def set_model(self, model):
        super().set_model(model)
        # The steps of a loaded model go on where it was saved.
        optimizer = getattr(model, 'optimizer', None)
        self._batches = 0 if optimizer is None else int(optimizer.iterations)

    def is_multihost_enabled(self):
        """Whether several processes save together: never."""
        return False

    def is_primary_host(self):
        """Whether this is the process that saves: always."""
        return True

    def on_train_begin(self, logs=None):
        os.makedirs(self.directory, exist_ok=True)

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != 'epoch':
            self._batches += 1
            self._since_saved += 1
            if self._since_saved >= self.save_freq:
                self._since_saved = 0
                self._save_if_better(self._batches, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == 'epoch':
            self._save_if_better(epoch, logs)

    def on_train_end(self, logs=None):
        if self._checkpointer is not None:
            self._checkpointer.close()
            self._checkpointer = None

    def wait_until_finished(self):
        """Wait until what is being saved is saved."""
        if self._checkpointer is not None:
            self._checkpointer.wait()

    def _save_if_better(self, step, logs):
        if self.save_best_only:
            self._monitor.settle(self)
            current = self._monitor.read(logs)
            if current is None or not self._monitor.is_better(current, self.best):
                return
            self.best = current
        self._save_checkpoint(step)

    def _save_checkpoint(self, step, logs=None):
        content = _files().content(self.model, self.save_weights_only)
        # A step that is there already, of an earlier training, makes room.
        if self.save_on_background:
            self.checkpointer.save_checkpointables_async(step, content, force=True, overwrite=True)
        else:
            self.checkpointer.save_checkpointables(step, content, force=True, overwrite=True)
        if self.verbose:
            say('\nStep %d: saving the model to %s' % (step, self.directory))

    def restore(self, step=None):
        """Give the model the variables of a checkpoint.

        Args:
            step: its number; None for the latest.

        Raises:
            FileNotFoundError: where there is none. ValueError: where it is that of another model.
        """
        self.wait_until_finished()
        _files().load_weights(self.model, _files().step_of(self.directory, step))

    def __getstate__(self):
        return dict(self.__dict__, _checkpointer=None, _orbax=None)

    def __setstate__(self, state):
        self.__dict__.update(state, _orbax=_files().library())
