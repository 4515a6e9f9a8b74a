"""The interface of callbacks, and those that only keep what they see.

The `logs` of a batch are a mapping whose numbers are fetched from the device when they are read. A callback that does
not need them on every batch must not read them on every batch.
"""


class Callback:
    """Something that a training loop calls. Subclass it and override the hooks that are needed.

    Attributes:
        model: the model that is trained. params: a dict with `batch_size`, `epochs`, `steps`, `samples`, `verbose`,
            `do_validation` and `metrics` (their names), as far as the loop knows them. validation_data: the arrays
            that `fit` validates on, one list of inputs, targets and sample weights; None where there are none.

    A hook that is not overridden costs nothing. `logs` of a batch hold `batch`, `size` and the metrics so far; `logs`
    of an epoch the metrics, those on validation data with `val_` before the name.

    Example:
        >>> class Losses(keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, logs['loss'])
        >>> model.fit(x, y, epochs=2, verbose=0, callbacks=[Losses()])
    """

    # Functions of a subclass that an object, as it was made, has no use for: `fit` does not call them.
    idle_hooks = ()

    def __init__(self):
        self.validation_data = None
        self.model = None
        self.params = {}

    @property
    def _model(self):
        return self.model

    @_model.setter
    def _model(self, model):
        # Callbacks written for Keras 3 keep the model under this name where they override `set_model`.
        self.model = model

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

    def _overrides(self, *names):
        return any(getattr(type(self), name) is not getattr(Callback, name) for name in names)

    # What the list of callbacks that TensorFlow's own package has asks of each of them.

    def _implements_train_batch_hooks(self):
        return self._overrides('on_batch_begin', 'on_batch_end', 'on_train_batch_begin', 'on_train_batch_end')

    def _implements_test_batch_hooks(self):
        return self._overrides('on_test_batch_begin', 'on_test_batch_end')

    def _implements_predict_batch_hooks(self):
        return self._overrides('on_predict_batch_begin', 'on_predict_batch_end')


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
        >>> len(model.fit(x, y, epochs=2, verbose=0).history['loss'])
        2
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
