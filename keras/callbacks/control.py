"""Callbacks that steer training: when to stop, with which learning rate to go on."""
import inspect
import math
import warnings

import numpy as np

from keras.callbacks.base import Callback

# Metrics of which more is better, by a piece of their names.
_LARGER_IS_BETTER = ('acc', 'auc', 'precision', 'recall', 'fmeasure', 'f1')


class Monitor:
    """Whether a monitored value got better.

    Args:
        owner: the callback, for messages. name: of the value in an epoch's logs. mode: 'min', 'max' or 'auto' (by the
            name). min_delta: by how much it has to be better, at least.
    """

    def __init__(self, owner, name, mode, min_delta=0.0):
        self.owner, self.name = type(owner).__name__, name
        if mode not in ('auto', 'min', 'max'):
            warnings.warn('%s: mode is %r, expected "auto", "min" or "max". "auto" is used.' % (self.owner, mode),
                          stacklevel=3)
            mode = 'auto'
        if mode == 'auto':
            mode = 'max' if any(piece in name for piece in _LARGER_IS_BETTER) else 'min'
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.worst = -math.inf if mode == 'max' else math.inf

    def is_better(self, value, best):
        return value - self.min_delta > best if self.mode == 'max' else value + self.min_delta < best

    def read(self, logs):
        """The value in `logs` as a float; None, with a warning, where it is not there."""
        value = (logs or {}).get(self.name)
        if value is None:
            warnings.warn('%s: the monitored value %r is not available, so nothing is done. Available are: %s. The '
                          'usual cause: no validation data, or another name of the metric.'
                          % (self.owner, self.name, ', '.join(sorted(logs or {})) or 'none'), RuntimeWarning,
                          stacklevel=4)
            return None
        return float(value)


def learning_rate_of(model):
    """The learning rate of a model's optimizer, as a float.

    Raises:
        ValueError: where the optimizer has none.
    """
    return float(np.asarray(_learning_rate_variable(model)))


def set_learning_rate(model, value):
    _learning_rate_variable(model).assign(float(value))


def _learning_rate_variable(model):
    variable = getattr(model.optimizer, 'learning_rate', None)
    if not hasattr(variable, 'assign'):
        raise ValueError('The optimizer %r has no learning rate that a callback can set: `optimizer.learning_rate` is '
                         '%r. The usual cause: a learning rate schedule was given to the optimizer.'
                         % (type(model.optimizer).__name__, variable))
    return variable


class EarlyStopping(Callback):
    """Stop training when a value has stopped getting better.

    Args:
        monitor: name of the value in the epoch's logs. min_delta: a change below it does not count. patience: number
            of epochs without getting better to wait. verbose: 1 says when it stops. mode: 'min', 'max', or 'auto' by
            the name. baseline: a value that has to be bettered first; default none.
        restore_best_weights: give the model the weights of its best epoch when training ends.
        start_from_epoch: epochs before this one are not looked at.

    Attributes:
        stopped_epoch: the epoch (from 0) after which it stopped; 0 where it did not.

    Example:
        >>> stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
        >>> model.fit(x, y, validation_split=0.1, epochs=100, callbacks=[stop])
    """

    def __init__(self, monitor='val_loss', min_delta=0, patience=0, verbose=0, mode='auto', baseline=None,
                 restore_best_weights=False, start_from_epoch=0):
        super().__init__()
        self.monitor = monitor
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._monitor = Monitor(self, monitor, mode, min_delta)
        self._reset()

    def _reset(self):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self._monitor.worst if self.baseline is None else self.baseline
        self.best_epoch = 0
        self.best_weights = None
        self._best_kept = self._monitor.worst

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self._monitor.is_better(current, self._best_kept):
            self._best_kept, self.best_epoch = current, epoch
            self.best_weights = self.model.get_weights()
        if self._monitor.is_better(current, self.best):
            self.best, self.wait = current, 0
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print('Epoch %05d: early stopping' % (self.stopped_epoch + 1))
        if self.best_weights is not None:
            if self.verbose:
                print('Restoring the weights of the best epoch: %d' % (self.best_epoch + 1))
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs):
        """The monitored value in `logs`, or None with a warning."""
        return self._monitor.read(logs)


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch.

    Args:
        schedule: `f(epoch)` or `f(epoch, learning_rate)` giving the learning rate; epochs count from 0.
        verbose: 1 says what was set.

    The epoch's logs get an entry `lr`.

    Raises:
        ValueError: if the schedule gives something else than a number.

    Example:
        >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 * 0.5 ** epoch)
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def _takes_rate(self):
        try:
            inspect.signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        except ValueError:
            pass
        return True

    def on_epoch_begin(self, epoch, logs=None):
        arguments = (epoch, learning_rate_of(self.model)) if self._takes_rate() else (epoch,)
        rate = self.schedule(*arguments)
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
            raise ValueError('LearningRateScheduler: the schedule must give a float. It gave %r for epoch %d.'
                             % (rate, epoch))
        set_learning_rate(self.model, rate)
        if self.verbose:
            print('Epoch %05d: LearningRateScheduler setting learning rate to %s.' % (epoch + 1, rate))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs['lr'] = learning_rate_of(self.model)


class ReduceLROnPlateau(Callback):
    """Lower the learning rate when a value has stopped getting better.

    Args:
        monitor: name of the value in the epoch's logs. factor: what the learning rate is multiplied with, below 1.
            patience: number of epochs without getting better to wait. verbose: 1 says when it is lowered.
            mode: 'min', 'max', or 'auto' by the name. min_delta: a change below it does not count.
            cooldown: epochs after a reduction that do not count. min_lr: the learning rate never goes below it.

    The epoch's logs get an entry `lr`.

    Raises:
        ValueError: for a factor of 1 or more.

    Example:
        >>> reduce = keras.callbacks.ReduceLROnPlateau(factor=0.2, patience=5, min_lr=1e-4)
    """

    def __init__(self, monitor='val_loss', factor=0.1, patience=10, verbose=0, mode='auto', min_delta=1e-4,
                 cooldown=0, min_lr=0, **kwargs):
        super().__init__()
        if factor >= 1.0:
            raise ValueError('ReduceLROnPlateau: the factor must be below 1. Received: %r' % (factor,))
        if 'epsilon' in kwargs:
            min_delta = kwargs.pop('epsilon')
            warnings.warn('ReduceLROnPlateau: the argument `epsilon` is called `min_delta` since Keras 2.',
                          DeprecationWarning, stacklevel=2)
        if kwargs:
            raise TypeError('ReduceLROnPlateau: unknown arguments: %s' % ', '.join(sorted(kwargs)))
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._monitor = Monitor(self, monitor, mode, min_delta)
        self._reset()

    def _reset(self):
        self.best = self._monitor.worst
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs['lr'] = learning_rate_of(self.model)
        current = self._monitor.read(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._monitor.is_better(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs['lr'])

    def _reduce(self, epoch, rate):
        if rate <= self.min_lr:
            return
        reduced = max(rate * self.factor, self.min_lr)
        set_learning_rate(self.model, reduced)
        if self.verbose:
            print('Epoch %05d: ReduceLROnPlateau reducing learning rate to %s.' % (epoch + 1, reduced))
        self.cooldown_counter = self.cooldown
        self.wait = 0

    def in_cooldown(self):
        """Whether the last reduction was less than `cooldown` epochs ago."""
        return self.cooldown_counter > 0


class TerminateOnNaN(Callback):
    """Stop training as soon as the loss is not a finite number.

    Args:
        raise_error: raise a `RuntimeError` instead of ending `fit`.

    It reads the loss of every batch, so every batch waits for the device.
    """

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get('loss')
        if loss is None or math.isfinite(loss):
            return
        message = ('Batch %d: Invalid loss (%s), terminating training. The usual causes: a learning rate that is too '
                   'large, NaN in the data, or targets that do not fit the loss.' % (batch, float(loss)))
        if self.raise_error:
            raise RuntimeError(message)
        print(message)
        self.model.stop_training = True
