"""The callback that saves by Orbax."""
import os

import numpy as np

from keras.callbacks.base import Callback
from keras.callbacks.control import Monitor
from keras.callbacks.saying import say


def _orbax():
    """The package `orbax.checkpoint`.

    Raises:
        ImportError: where it is missing, with the command that installs it.
    """
    try:
        import orbax.checkpoint
    except ImportError as error:
        raise ImportError('The callback OrbaxCheckpoint needs the package orbax-checkpoint (pip install '
                          'orbax-checkpoint), which needs JAX: %s' % error) from error
    return orbax.checkpoint


class OrbaxCheckpoint(Callback):
    """Save the variables of the model by Orbax, in the background, on any engine; needs `orbax-checkpoint` and JAX.

    Args:
        directory: the folder; each checkpoint is a folder in it, named by the epoch (from 0) or the number of batches.
        monitor: the value that says what best is. verbose: 1 says what is saved.
        save_best_only: save only when `monitor` got better. mode: 'min', 'max', or 'auto' by the name.
        save_freq: 'epoch', or a number of batches. initial_value_threshold: the value that has to be bettered first.
        max_to_keep: how many checkpoints stay, the latest ones; None: all. save_on_background: whether the training
            goes on meanwhile. save_weights_only: leave out the optimizer, the metrics and the model's config.

    A checkpoint holds the variables as a tree by their paths (`trainable_variables`, `non_trainable_variables`,
    `optimizer_variables`, `metrics_variables`), and the model as JSON.

    Raises:
        ImportError: where `orbax-checkpoint` is missing. ValueError: for another `save_freq`.

    Example:
        >>> checkpoint = keras.callbacks.OrbaxCheckpoint('/tmp/checkpoints')      # doctest: +SKIP
        >>> model.fit(x, y, epochs=3, callbacks=[checkpoint])                     # doctest: +SKIP
        >>> checkpoint.restore()                                                  # doctest: +SKIP
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
        self._orbax, self._manager, self._batches = _orbax(), None, 0
        if save_freq == 'epoch':
            self.idle_hooks = (OrbaxCheckpoint.on_train_batch_end,)

    @property
    def manager(self):
        """The `CheckpointManager` of Orbax."""
        if self._manager is None:
            options = self._orbax.CheckpointManagerOptions(
                max_to_keep=self.max_to_keep, enable_async_checkpointing=self.save_on_background)
            self._manager = self._orbax.CheckpointManager(self.directory, options=options)
        return self._manager

    def is_multihost_enabled(self):
        """Whether several processes save together: never."""
        return False

    def is_primary_host(self):
        """Whether this is the process that saves: always."""
        return True

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq != 'epoch':
            self._batches += 1
            if self._batches % self.save_freq == 0:
                self._save(self._batches, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == 'epoch':
            self._save(epoch, logs)

    def on_train_end(self, logs=None):
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def wait_until_finished(self):
        """Wait until what is being saved is saved."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def _save(self, step, logs):
        if self.save_best_only:
            self._monitor.settle(self)
            current = self._monitor.read(logs)
            if current is None or not self._monitor.is_better(current, self.best):
                return
            self.best = current
        items = {'pytree': self._orbax.args.StandardSave(_tree(self._variables()))}
        if not self.save_weights_only:
            items['model_config'] = self._orbax.args.JsonSave({'config': self.model.to_json()})
        # A step that is there already, of an earlier training, makes room.
        if step in self.manager.all_steps():
            self.manager.delete(step)
        self.manager.save(step, args=self._orbax.args.Composite(**items), force=True)
        if self.verbose:
            say('\nStep %d: saving the model to %s' % (step, self.directory))

    def _variables(self):
        """{kind: list of variables}."""
        model = self.model
        found = {'trainable_variables': model.trainable_variables,
                 'non_trainable_variables': model.non_trainable_variables}
        if not self.save_weights_only:
            optimizer = getattr(model, 'optimizer', None)
            found['optimizer_variables'] = [] if optimizer is None else list(optimizer.variables)
            found['metrics_variables'] = list(model.metrics_variables)
        return {kind: variables for kind, variables in found.items() if variables}

    def restore(self, step=None):
        """Give the model the variables of a checkpoint.

        Args:
            step: its number; None for the latest.

        Raises:
            FileNotFoundError: where there is none. ValueError: where it is that of another model.
        """
        variables = self._variables()
        step = self.manager.latest_step() if step is None else step
        if step is None or step not in self.manager.all_steps():
            raise FileNotFoundError('OrbaxCheckpoint: %s holds no checkpoint%s.' % (
                self.directory, '' if step is None else ' of step %d' % step))
        arguments = self._orbax.args.Composite(pytree=self._orbax.args.StandardRestore(_tree(variables)))
        found = self.manager.restore(step, args=arguments)['pytree']
        for kind, several in variables.items():
            for name, variable in zip(_names(several), several):
                part = found[kind]
                for piece in name:
                    part = part[piece]
                variable.assign(np.asarray(part))

    def __getstate__(self):
        return dict(self.__dict__, _manager=None, _orbax=None)

    def __setstate__(self, state):
        self.__dict__.update(state, _orbax=_orbax())


def _names(variables):
    """For each variable the pieces of its path, which no other one has."""
    found = []
    for variable in variables:
        pieces = tuple(getattr(variable, 'path', variable.name).split('/'))
        while pieces in found:
            pieces = pieces[:-1] + (pieces[-1] + '_',)
        found.append(pieces)
    return found


def _tree(variables):
    """{kind: nested dictionaries of arrays by the pieces of their paths}."""
    tree = {}
    for kind, several in variables.items():
        for pieces, variable in zip(_names(several), several):
            part = tree.setdefault(kind, {})
            for piece in pieces[:-1]:
                part = part.setdefault(piece, {})
            part[pieces[-1]] = np.array(variable.numpy())
    return tree
