"""The interface of callbacks, the list that calls them, and those that only keep what they see.

The `logs` of a batch are a mapping whose numbers are fetched from the device when they are read. A callback that does
not need them on every batch must not read them on every batch.
"""


class Callback:
    """Something that a training loop calls. Subclass it and override the hooks that are needed.

    Attributes:
        model: the model that is trained. params: a dict with `batch_size`, `epochs`, `steps`, `samples`, `verbose`,
            `do_validation` and `metrics` (their names), as far as the loop knows them.

    A hook that is not overridden costs nothing. `logs` of a batch hold `batch`, `size` and the metrics so far; `logs`
    of an epoch the metrics, those on validation data with `val_` before the name.

    Example:
        >>> class Losses(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, logs['loss'])
        >>> model.fit(x, y, epochs=2, verbose=0, callbacks=[Losses()])
    """

    def __init__(self):
        self.validation_data = None
        self.model = None
        self.params = {}

    def set_params(self, params):
        self.params = params

    def set_model(self, model):
        self.model = model

    def on_batch_begin(self, batch, logs=None):
        """Before a training batch; `batch` counts from 0 in every epoch."""

    def on_batch_end(self, batch, logs=None):
        """After a training batch."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch; `epoch` counts from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a training batch: the same as `on_batch_begin`."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a training batch: the same as `on_batch_end`."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of `evaluate`, or of the validation in `fit`."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of `evaluate`, or of the validation in `fit`."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of `predict`."""

    def on_train_begin(self, logs=None):
        """Before the first epoch."""

    def on_train_end(self, logs=None):
        """After the last epoch."""

    def on_test_begin(self, logs=None):
        """Before `evaluate`, or the validation in `fit`."""

    def on_test_end(self, logs=None):
        """After `evaluate`, or the validation in `fit`."""

    def on_predict_begin(self, logs=None):
        """Before `predict`."""

    def on_predict_end(self, logs=None):
        """After `predict`."""


_BATCH_HOOKS = tuple('on_%s_batch_%s' % (mode, moment) for mode in ('train', 'test', 'predict')
                     for moment in ('begin', 'end'))
_HOOKS = _BATCH_HOOKS + ('on_epoch_begin', 'on_epoch_end') + tuple(
    'on_%s_%s' % (mode, moment) for mode in ('train', 'test', 'predict') for moment in ('begin', 'end'))
_OLDER_NAMES = {'on_train_batch_begin': 'on_batch_begin', 'on_train_batch_end': 'on_batch_end'}
_NO_CALLS = {name: () for name in _HOOKS}


def _overridden(callback, name):
    """The bound hook `name` of `callback`, or None where it is still the one that does nothing."""
    hook = getattr(callback, name, None)
    return None if getattr(hook, '__func__', hook) is getattr(Callback, name) else hook


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


class CallbackList:
    """Several callbacks as one. Hooks that a callback does not override are not called.

    Args:
        callbacks: list of `Callback`s. queue_length: accepted for older scripts, without effect.
        add_history, add_progbar: put a `History` behind the others, a `ProgbarLogger` before them.
        model: the model, if known already. params: what the training loop says about itself.

    Attributes:
        has_batch_hooks: whether anything is called around single batches.

    Example:
        >>> callbacks = keras.callbacks.CallbackList([keras.callbacks.History()])
        >>> callbacks.has_batch_hooks
        False
    """

    def __init__(self, callbacks=None, queue_length=10, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = list(callbacks) if callbacks else []
        self.params, self.model = {}, None
        if add_progbar:
            from keras.callbacks.progress import ProgbarLogger
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
            self._calls, self.has_batch_hooks = _NO_CALLS, False
            return
        self._calls = {name: _calls(self.callbacks, name) for name in _HOOKS}
        self.has_batch_hooks = any(self._calls[name] for name in _BATCH_HOOKS)

    def append(self, callback):
        self.callbacks.append(callback)
        if self.model is not None:
            callback.set_model(self.model)
        if self.params:
            callback.set_params(self.params)
        self._collect()

    def set_params(self, params):
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model):
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
        self._collect()

    def on_train_begin(self, logs=None):
        self._collect()
        for call in self._calls['on_train_begin']:
            call({} if logs is None else logs)

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


class BaseLogger(Callback):
    """Put the averages of the batches' metrics over the epoch into the epoch's logs.

    Args:
        stateful_metrics: names of metrics that are averages already; their last value is taken.

    It reads the logs of every batch, so every batch waits for the device. `fit` accumulates on the device instead and
    does not need it.
    """

    def __init__(self, stateful_metrics=None):
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen, self.totals = 0, {}

    def on_epoch_begin(self, epoch, logs=None):
        self.seen, self.totals = 0, {}

    def on_batch_end(self, batch, logs=None):
        logs = logs or {}
        size = logs.get('size', 0)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0) + value * size

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        for name in self.params['metrics']:
            if name in self.totals:
                stateful = name in self.stateful_metrics
                logs[name] = self.totals[name] if stateful else self.totals[name] / max(self.seen, 1)


class History(Callback):
    """Keep the logs of every epoch; `fit` returns one.

    Attributes:
        epoch: list of the epochs' numbers. history: {metric: list of one float per epoch}.

    Example:
        >>> model.fit(x, y, epochs=2, verbose=0).history['loss']
        [0.69, 0.52]
    """

    def __init__(self):
        super().__init__()
        self.epoch, self.history = [], {}

    def on_train_begin(self, logs=None):
        self.epoch, self.history = [], {}

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin, on_epoch_end: functions `f(epoch, logs)`. on_batch_begin, on_batch_end: `f(batch, logs)`.
        on_train_begin, on_train_end: `f(logs)`. Further hooks and attributes may be given by name.

    Example:
        >>> shout = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs['loss']))
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_batch_begin=None, on_batch_end=None,
                 on_train_begin=None, on_train_end=None, **kwargs):
        super().__init__()
        given = dict(kwargs, on_epoch_begin=on_epoch_begin, on_epoch_end=on_epoch_end, on_batch_begin=on_batch_begin,
                     on_batch_end=on_batch_end, on_train_begin=on_train_begin, on_train_end=on_train_end)
        for name, function in given.items():
            if function is not None:
                setattr(self, name, function)
