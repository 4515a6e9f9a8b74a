"""Several callbacks as one: what the training loop calls."""
import inspect
import warnings

from keras import generations
from keras.backend.contract import tree
from keras.callbacks.base import Callback, History
from keras.callbacks.progress import ProgbarLogger

_BATCH_HOOKS = tuple('on_%s_batch_%s' % (mode, moment) for mode in ('train', 'test', 'predict')
                     for moment in ('begin', 'end'))
_HOOKS = _BATCH_HOOKS + ('on_epoch_begin', 'on_epoch_end') + tuple(
    'on_%s_%s' % (mode, moment) for mode in ('train', 'test', 'predict') for moment in ('begin', 'end'))
_OLDER_NAMES = {'on_train_batch_begin': 'on_batch_begin', 'on_train_batch_end': 'on_batch_end'}
_NO_CALLS = {name: () for name in _HOOKS}


def _overridden(callback, name):
    """The bound hook `name` of `callback`, or None where it does nothing."""
    hook = getattr(callback, name, None)
    function = getattr(hook, '__func__', hook)
    return None if function is getattr(Callback, name) or function in getattr(callback, 'idle_hooks', ()) else hook


def _calls(callbacks, name):
    found = []
    for callback in callbacks:
        hook = _overridden(callback, name)
        if hook is None and name in _OLDER_NAMES:
            hook = _overridden(callback, _OLDER_NAMES[name])
        if hook is not None:
            found.append(hook)
    return tuple(found)


def _hook_with_index(name):
    def hook(self, index, logs=None):
        for call in self._calls[name]:
            call(index, {} if logs is None else logs)
    return hook


def _hook(name):
    def hook(self, logs=None):
        for call in self._calls[name]:
            call({} if logs is None else logs)
    return hook


def _listed(given):
    """A callback or nested lists of them as one list.

    Raises:
        TypeError: for what is no callback.
    """
    found = [] if given is None else tree.flatten(given)
    for callback in found:
        if isinstance(callback, type) or not hasattr(callback, 'set_model') or not hasattr(callback, 'set_params'):
            raise TypeError('callbacks: expected objects of Callback. Received: %r.%s' % (
                callback, ' The usual cause: a class given without parentheses.' if isinstance(callback, type) else ''))
    return found


def _is_own(hook):
    """Whether a hook is a method that Keras itself defines."""
    return (getattr(inspect.unwrap(getattr(hook, '__func__', hook)), '__module__', None) or '').startswith('keras.')


class CallbackList:
    """Several callbacks as one. Hooks that a callback does not override are not called.

    Args:
        callbacks: a `Callback`, or a list of them, which may be nested. queue_length: without effect, with a
            warning for another number than Keras 2's.
        add_history, add_progbar: put a `History` behind the others, a `ProgbarLogger` before them.
        model: the model, if known already. params: what the training loop says about itself.

    Raises:
        TypeError: for what is no callback.

    Attributes:
        has_batch_hooks: whether anything is called around single batches. looks_at_beginnings: whether code of users
            runs when an epoch begins, which may look at metrics.

    Example:
        >>> callbacks = keras.callbacks.CallbackList([keras.callbacks.History()])
        >>> callbacks.has_batch_hooks
        False
    """

    def __init__(self, callbacks=None, queue_length=10, add_history=False, add_progbar=False, model=None, **params):
        if queue_length != 10:
            warnings.warn('CallbackList: queue_length has no effect; the time that callbacks take is not watched.',
                          stacklevel=2)
        self.callbacks = _listed(callbacks)
        self.params, self.model = {}, None
        if add_progbar:
            self.callbacks.insert(0, ProgbarLogger())
        if add_history:
            self.callbacks.append(History())
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)
        self._collect()

    def _collect(self):
        """Find out once which hooks there are; the batch loop then only walks tuples of bound methods."""
        if not self.callbacks:
            self._calls, self.has_batch_hooks, self.looks_at_beginnings = _NO_CALLS, False, False
            return
        self._calls = {name: _calls(self.callbacks, name) for name in _HOOKS}
        self.has_batch_hooks = any(self._calls[name] for name in _BATCH_HOOKS)
        self.looks_at_beginnings = any(
            not type(callback).__module__.startswith('keras.') or type(callback).__name__ == 'LambdaCallback'
            for callback in self.callbacks)

    def append(self, callback):
        """Put a callback behind the others."""
        self._add(len(self.callbacks), callback)

    def prepend(self, callback):
        """Put a callback before the others."""
        self._add(0, callback)

    def history(self):
        """The first `History` among the callbacks; one is put behind them where there is none."""
        if not any(isinstance(callback, History) for callback in self.callbacks):
            self.append(History())
        return next(callback for callback in self.callbacks if isinstance(callback, History))

    def _add(self, place, callback):
        self.callbacks.insert(place, callback)
        if self.model is not None:
            callback.set_model(self.model)
        if self.params:
            callback.set_params(self.params)
        self._collect()

    def set_params(self, params):
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_validation_data(self, arrays):
        """Show the callbacks what `fit` validates on: inputs, targets and weights as one list of arrays, or None."""
        for callback in self.callbacks:
            callback.validation_data = arrays

    def set_model(self, model):
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
        self._collect()

    def on_train_begin(self, logs=None):
        self._collect()
        for call in self._calls['on_train_begin']:
            call({} if logs is None else logs)

    def end_after_failure(self):
        """`on_train_end` where an error or an interrupt ended the training; it is that which is to be seen."""
        for call in self._calls['on_train_end']:
            if not generations.value('failures_end_callbacks') and not _is_own(call):
                continue
            try:
                call({})
            except Exception as error:
                warnings.warn('%s.on_train_end failed after the training had: %s: %s' % (
                    type(getattr(call, '__self__', call)).__name__, type(error).__name__, error), stacklevel=3)

    on_batch_begin = on_train_batch_begin = _hook_with_index('on_train_batch_begin')
    on_batch_end = on_train_batch_end = _hook_with_index('on_train_batch_end')
    on_test_batch_begin = _hook_with_index('on_test_batch_begin')
    on_test_batch_end = _hook_with_index('on_test_batch_end')
    on_predict_batch_begin = _hook_with_index('on_predict_batch_begin')
    on_predict_batch_end = _hook_with_index('on_predict_batch_end')
    on_epoch_begin = _hook_with_index('on_epoch_begin')
    on_epoch_end = _hook_with_index('on_epoch_end')
    on_train_end = _hook('on_train_end')
    on_test_begin = _hook('on_test_begin')
    on_test_end = _hook('on_test_end')
    on_predict_begin = _hook('on_predict_begin')
    on_predict_end = _hook('on_predict_end')

    def __iter__(self):
        return iter(self.callbacks)

    def __len__(self):
        return len(self.callbacks)
