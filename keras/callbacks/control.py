"""Callbacks that steer training: when to stop, with which learning rate to go on."""
import inspect
import math
import re
import warnings

import numpy as np

from keras import generations, ops
from keras.callbacks.base import Callback
from keras.callbacks.saying import say, say_of_epoch
from keras.metrics.base import better_of

# Metrics of which more is better, by a piece of their names.
_LARGER_IS_BETTER = ('acc', 'auc', 'precision', 'recall', 'fmeasure', 'f1')


class ValueMissing(RuntimeWarning, UserWarning):
    """The warning that a monitored value is not in the logs; the generations of Keras have it in two classes."""


class Monitor:
    """Whether a monitored value got better.

    Args:
        owner: the callback, for messages. name: of the value in an epoch's logs. mode: 'min', 'max' or 'auto' (what the
            metric of this name says, else by the name). min_delta: by how much it has to be better, at least.
    """

    def __init__(self, owner, name, mode, min_delta=0.0):
        self.owner, self.name = type(owner).__name__, name
        if mode not in ('auto', 'min', 'max'):
            warnings.warn('%s mode %r is unknown, expected "auto", "min" or "max". "auto" is used.'
                          % (self.owner, mode), stacklevel=3)
            mode = 'auto'
        self.min_delta = abs(min_delta)
        self._is_open, self._needs_metric = mode == 'auto', generations.value('auto_needs_a_metric')
        if mode == 'auto':
            mode = 'max' if any(piece in name for piece in _LARGER_IS_BETTER) else 'min'
        self._take(mode)

    def _take(self, mode):
        self.mode = mode
        self.worst = -math.inf if mode == 'max' else math.inf
        # What stands for the best value before there is one.
        self.none_yet = None if generations.value('best_is_none_at_first') else self.worst
        # By which subclasses compare.
        functions = ops if generations.value('monitors_compare_by_ops') else np
        self.op = functions.greater if mode == 'max' else functions.less

    def settle(self, callback):
        """For mode 'auto', ask the metrics of the model, which are known when a batch has run.

        Args:
            callback: the owner; its `monitor_op` and a `best` without a value yet are those of the mode.

        Raises:
            ValueError: in Keras 3 where no metric says what is better.
        """
        if not self._is_open:
            return
        self._is_open, worst, operation = False, self.worst, self.op
        found = _better_by_metric(self.name, callback.model)
        if found is None and self._needs_metric:
            raise ValueError('%s: mode is "auto", but no metric of the model says whether a larger or a smaller %r is '
                             "better. Give mode='max' or mode='min'." % (self.owner, self.name))
        if found not in (None, self.mode):
            self._take(found)
            if getattr(callback, 'monitor_op', None) is operation:
                callback.monitor_op = self.op
            if callback.best == worst:
                callback.best = self.worst

    def is_better(self, value, best):
        if best is None:
            if self.none_yet is None:
                # The first value is the best one so far, NaN and infinities too.
                return True
            best = self.worst
        return value - self.min_delta > best if self.mode == 'max' else value + self.min_delta < best

    def read(self, logs):
        """The value in `logs` as a float; None, with a warning, where it is not there.

        Raises:
            ValueError: for an array of several numbers, such as a metric by class gives.
        """
        value = (logs or {}).get(self.name)
        if value is None:
            warnings.warn('%s: the monitored value %r is not available. Available are: %s. The usual '
                          'cause: no validation data, or another name of the metric.'
                          % (self.owner, self.name, ', '.join(sorted(logs or {})) or 'none'), ValueMissing,
                          stacklevel=4)
            return None
        if getattr(value, 'shape', ()) and np.prod(tuple(value.shape)) != 1:
            raise ValueError('%s: the monitored value %r is an array of shape %s: of one number it could be said '
                             'whether it got better.' % (self.owner, self.name, tuple(value.shape)))
        return float(value.reshape(()) if getattr(value, 'shape', ()) else value)


def _better_by_metric(name, model):
    """'max' or 'min' for a value in the logs, by the metric of the model that gives it; None where none says."""
    name = name[len('val_'):] if name.startswith('val_') else name
    if name.endswith('loss'):
        return 'min'
    metrics = [one for metric in getattr(model, 'metrics', None) or ()
               for one in getattr(metric, 'metrics', [metric])]
    plain = re.sub('_[0-9]+$', '', name)
    for fits in (lambda own: own == name, lambda own: own == plain or plain.endswith('_' + own)):
        for metric in metrics:
            if fits(metric.name) and better_of(metric) is not None:
                return better_of(metric)
    return None


class NoLearningRate(TypeError, ValueError):
    """Raised where a callback cannot set a learning rate; the generations of Keras raise one or the other."""


def optimizers_of(model):
    """The optimizers of a model: several where it has a `MultiOptimizer`."""
    return getattr(model.optimizer, 'optimizers', None) or [model.optimizer]


def learning_rate_of(optimizer):
    """The learning rate of an optimizer, as a float.

    Raises:
        NoLearningRate: where the optimizer has none.
    """
    return float(np.asarray(_learning_rate(optimizer)[1]))


def set_learning_rate(optimizer, value):
    name, rate = _learning_rate(optimizer)
    if hasattr(rate, 'assign'):
        rate.assign(float(value))
    else:
        setattr(optimizer, name, float(value))


def _learning_rate(optimizer):
    """(the name of the optimizer's attribute, the variable or number in it); optimizers of old scripts have `lr` only.
    """
    for name in ('learning_rate', 'lr'):
        rate = getattr(optimizer, name, None)
        if hasattr(rate, 'assign') or isinstance(rate, (int, float)):
            return name, rate
    raise NoLearningRate('%s has no learning rate that a callback can set: its `learning_rate` is %r. The usual cause: '
                         'This optimizer was created with a `LearningRateSchedule`; give it a number instead.'
                         % (type(optimizer).__name__, getattr(optimizer, 'learning_rate', None)))


class EarlyStopping(Callback):
    """Stop training when a value has stopped getting better.

    Args:
        monitor: name of the value in the epoch's logs. min_delta: a change below it does not count. patience: number
            of epochs without getting better to wait. verbose: 1 says when it stops. mode: 'min', 'max', or 'auto' by
            the metric of this name. baseline: a value that has to be bettered first; default none.
        restore_best_weights: give the model the weights of its best epoch when the callback stops the training; in
            Keras 3 at the end of every training.
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
        self.monitor_op = self._monitor.op
        self._restores_at_end = generations.value('best_weights_at_end')
        self._reset()

    def _reset(self):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self._monitor.none_yet if self.baseline is None or self._monitor.none_yet is None else self.baseline
        self.best_epoch = 0
        self.best_weights = None
        self._best_kept = None

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        self._monitor.settle(self)
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self._monitor.is_better(current, self._best_kept):
            self._best_kept, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        if self._monitor.is_better(current, self.best):
            self.best = current
            if self.baseline is None or self._monitor.is_better(current, self.baseline):
                self.wait = 0
                return
            if self._monitor.none_yet is None:
                # Keras 3 does not stop while it gets better, though still behind the baseline.
                self.wait += 1
                return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if not self._restores_at_end:
                self._restore()

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            say_of_epoch(self.stopped_epoch, 'early stopping', blank=False)
        if self._restores_at_end:
            self._restore()

    def _restore(self):
        if self.best_weights is not None:
            if self.verbose:
                say('Restoring model weights from the end of the best epoch: %d.' % (self.best_epoch + 1))
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs):
        """The monitored value in `logs`, or None with a warning."""
        return self._monitor.read(logs)


class LearningRateScheduler(Callback):
    """Set the learning rate before each epoch.

    Args:
        schedule: `f(epoch)` or `f(epoch, learning_rate)` giving the learning rate; epochs count from 0.
        verbose: 1 says what was set.

    The epoch's logs get an entry `lr`, in Keras 3 `learning_rate`.

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
        for optimizer in optimizers_of(self.model):
            arguments = (epoch, learning_rate_of(optimizer)) if self._takes_rate() else (epoch,)
            rate = self.schedule(*arguments)
            if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
                raise ValueError('LearningRateScheduler: the schedule must give a float. It gave %r for epoch %d.'
                                 % (rate, epoch))
            set_learning_rate(optimizer, rate)
            if self.verbose:
                say_of_epoch(epoch, 'LearningRateScheduler setting learning rate to %s.' % rate)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs[generations.value('rate_in_logs')] = learning_rate_of(optimizers_of(self.model)[-1])


class ReduceLROnPlateau(Callback):
    """Lower the learning rate when a value has stopped getting better.

    Args:
        monitor: name of the value in the epoch's logs. factor: what the learning rate is multiplied with, below 1.
            patience: number of epochs without getting better to wait. verbose: 1 says when it is lowered.
            mode: 'min', 'max', or 'auto' by the metric of this name. min_delta: a change below it does not count.
            cooldown: epochs after a reduction that do not count. min_lr: the learning rate never goes below it.

    The epoch's logs get an entry `lr`, in Keras 3 `learning_rate`.

    Raises:
        ValueError: for a factor of 1 or more.

    Example:
        >>> reduce = keras.callbacks.ReduceLROnPlateau(factor=0.2, patience=5, min_lr=1e-4)
    """

    def __init__(self, monitor='val_loss', factor=0.1, patience=10, verbose=0, mode='auto', min_delta=1e-4,
                 cooldown=0, min_lr=generations.Default('ReduceLROnPlateau.min_lr'), **kwargs):
        super().__init__()
        if factor >= 1.0:
            raise ValueError('ReduceLROnPlateau: the factor must be below 1. Received: %r' % (factor,))
        if 'epsilon' in kwargs:
            min_delta = kwargs.pop('epsilon')
            warnings.warn('ReduceLROnPlateau: `epsilon` argument is deprecated, since Keras 2 it is `min_delta`.',
                          DeprecationWarning, stacklevel=2)
        if kwargs:
            raise TypeError('ReduceLROnPlateau: unknown arguments: %s' % ', '.join(sorted(kwargs)))
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = generations.settled(min_lr)
        self._monitor = Monitor(self, monitor, mode, min_delta)
        self.monitor_op = self._monitor.is_better
        self._reset()

    def _reset(self):
        self.best = self._monitor.none_yet
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs[generations.value('rate_in_logs')] = learning_rate_of(optimizers_of(self.model)[-1])
        self._monitor.settle(self)
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
                self._reduce(epoch)

    def _reduce(self, epoch):
        # A learning rate that was set to the lower bound is that as a float of 32 bits.
        bound = max(self.min_lr, float(np.float32(self.min_lr)))
        fast = [optimizer for optimizer in optimizers_of(self.model) if learning_rate_of(optimizer) > bound]
        if not fast:
            return
        for optimizer in fast:
            reduced = max(learning_rate_of(optimizer) * self.factor, self.min_lr)
            set_learning_rate(optimizer, reduced)
            if self.verbose:
                say_of_epoch(epoch, 'ReduceLROnPlateau reducing learning rate to %s.' % reduced)
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
        message = ('NaN or Inf loss encountered in batch %d (%s). The usual causes: a learning rate that '
                   'is too large, NaN in the data, or targets that do not fit the loss.' % (batch, float(loss)))
        if self.raise_error:
            raise RuntimeError(message)
        say('Batch %d: Invalid loss, terminating training' % batch)
        self.model.stop_training = True


class SwapEMAWeights(Callback):
    """Test, and predict, with the moving averages of the weights that the optimizer keeps (`use_ema=True`).

    Args:
        swap_on_epoch: have the averages in the model from the end of an epoch to the beginning of the next one, so that
            what is saved there holds them.

    Raises:
        ValueError: where the optimizer keeps no averages.

    Example:
        >>> model.compile(keras.optimizers.SGD(0.1, use_ema=True), 'mse')
        >>> history = model.fit(x, y, validation_split=0.5, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def _swap(self, into_model):
        found = [optimizer for optimizer in self._optimizers() if getattr(optimizer, 'use_ema', False)]
        if not found:
            raise ValueError('SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. Received: '
                             'use_ema=False, of %s.' % type(self.model.optimizer).__name__)
        for optimizer in found:
            if optimizer.averages_in_place != into_model:
                optimizer.exchange_averages()

    def _optimizers(self):
        return [getattr(optimizer, 'inner_optimizer', optimizer) for optimizer in optimizers_of(self.model)]

    def get_state(self):
        """Whether the averages are in the model."""
        return {'in_model': [getattr(optimizer, 'averages_in_place', False) for optimizer in self._optimizers()]}

    def set_state(self, state):
        for optimizer, is_in_model in zip(self._optimizers(), state['in_model']):
            optimizer.averages_in_place = is_in_model

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._swap(True)

    def on_train_end(self, logs=None):
        # Of a training that was broken off.
        self._swap(False)

    def on_test_begin(self, logs=None):
        self._swap(True)

    def on_test_end(self, logs=None):
        self._swap(False)

    def on_predict_begin(self, logs=None):
        self._swap(True)

    def on_predict_end(self, logs=None):
        self._swap(False)
