"""Callbacks that find settings before a training, and rehearse it."""
import math
import time

import numpy as np

from keras.callbacks.base import Callback
from keras.callbacks.control import optimizers_of, set_learning_rate


class _Rehearsal(Callback):
    """A run of `fit` after which the model and its optimizer are as they were."""

    def __init__(self):
        super().__init__()
        self._state = None

    def on_train_begin(self, logs=None):
        self._state = None

    def _variables(self):
        optimizer = self.model.optimizer
        found = list(self.model.variables) + list(optimizer.state_variables) + list(optimizer.read_variables)
        return list({id(variable): variable for variable in found}.values())

    def _remember(self):
        if self._state is None:
            self._state = [(variable, np.array(variable.numpy())) for variable in self._variables()]

    def _restore(self):
        for variable, value in self._state or ():
            variable.assign(value)


class LearningRateFinder(_Rehearsal):
    """Find a learning rate by raising it from batch to batch until the loss explodes.

    `fit` with this callback ends after `num_steps` batches, or before, and leaves the model as it was.

    Args:
        min_lr, max_lr: the first and the last learning rate; between them they grow by the same factor each time.
        num_steps: number of batches. smoothing: how much of the smoothed loss is kept from batch to batch.
        early_stop_threshold: end when the smoothed loss is this many times the least one; None: never.

    Attributes:
        learning_rates, losses: what was tried, and the smoothed losses. suggestion: the learning rate at which the loss
            fell most steeply over the logarithm of the rate; None before `fit`, or after too few batches.

    Source: Smith, Cyclical Learning Rates for Training Neural Networks (2017).

    Example:
        >>> finder = keras.callbacks.LearningRateFinder(num_steps=20)
        >>> history = model.fit(x, y, batch_size=2, epochs=100, verbose=0, callbacks=[finder])
        >>> model.optimizer.learning_rate = finder.suggestion
    """

    def __init__(self, min_lr=1e-7, max_lr=10.0, num_steps=100, smoothing=0.9, early_stop_threshold=4.0):
        super().__init__()
        if not 0 < min_lr < max_lr or num_steps < 2 or not 0 <= smoothing < 1:
            raise ValueError('LearningRateFinder: 0 < min_lr < max_lr, num_steps > 1 and 0 <= smoothing < 1 are '
                             'needed. Received: %r, %r, %r, %r' % (min_lr, max_lr, num_steps, smoothing))
        self.min_lr, self.max_lr, self.num_steps = min_lr, max_lr, num_steps
        self.smoothing, self.early_stop_threshold = smoothing, early_stop_threshold
        self.learning_rates, self.losses = [], []
        self.suggestion = None

    def on_train_begin(self, logs=None):
        super().on_train_begin()
        self.learning_rates, self.losses, self._average, self._sum = [], [], 0.0, 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._sum, self._in_epoch = 0.0, 0

    def on_train_batch_begin(self, batch, logs=None):
        self._remember()
        factor = (self.max_lr / self.min_lr) ** (len(self.learning_rates) / (self.num_steps - 1.0))
        self.learning_rates.append(self.min_lr * factor)
        for optimizer in optimizers_of(self.model):
            set_learning_rate(optimizer, self.learning_rates[-1])

    def on_train_batch_end(self, batch, logs=None):
        count = len(self.learning_rates)
        self._average = self.smoothing * self._average + (1 - self.smoothing) * self._own_loss(logs)
        self.losses.append(self._average / (1 - self.smoothing ** count))
        limit = self.early_stop_threshold
        exploded = not math.isfinite(self.losses[-1]) or limit is not None and count > 1 and \
            self.losses[-1] > limit * min(self.losses)
        if exploded or count >= self.num_steps:
            self.model.stop_training = True

    def _own_loss(self, logs):
        """The loss of the batch alone, whatever the logs of a batch hold."""
        mean = logs.metrics()['loss'] if hasattr(logs, 'metrics') else logs['loss']
        self._in_epoch += 1
        before, self._sum = self._sum, float(mean) * self._in_epoch
        return self._sum - before

    def on_train_end(self, logs=None):
        self._restore()
        finite = [(rate, loss) for rate, loss in zip(self.learning_rates, self.losses) if math.isfinite(loss)]
        if len(finite) > 2:
            rates, losses = np.array(finite).T
            self.suggestion = float(rates[np.argmin(np.gradient(losses, np.log(rates)))])

    def plot(self, path=None):
        """Draw the losses over the learning rates; needs matplotlib.

        Args:
            path: a file to write the picture to, or None.

        Returns:
            The figure.

        Raises:
            ImportError: where matplotlib is not installed.
        """
        pyplot = matplotlib_pyplot('LearningRateFinder.plot')
        figure, axes = pyplot.subplots()
        axes.semilogx(self.learning_rates[:len(self.losses)], self.losses)
        if self.suggestion is not None:
            axes.axvline(self.suggestion, linestyle='--', color='gray')
            axes.set_title('suggestion: %.2g' % self.suggestion)
        axes.set_xlabel('learning rate')
        axes.set_ylabel('loss (smoothed)')
        if path is not None:
            figure.savefig(path)
        return figure


def matplotlib_pyplot(who):
    """`matplotlib.pyplot`.

    Raises:
        ImportError: where it is not installed, with the command that installs it.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError('%s needs the package matplotlib (pip install matplotlib): %s' % (who, error)) from error
    return pyplot


class BatchSizeFinder(_Rehearsal):
    """Find the largest batch that the memory holds, and how fast batches of each size are.

    Sizes are doubled, from `init_val` on, until a step runs out of memory, `max_size` is reached or the data is one
    batch. The model is left as it was.

    Args:
        init_val: the first size. max_size: the largest one. steps_per_trial: steps that are timed with each size.

    Attributes:
        optimal_batch_size: the largest size that ran. samples_per_second: {size: speed}.

    Example:
        >>> finder = keras.callbacks.BatchSizeFinder(max_size=4)
        >>> finder.find(model, x, y) <= 4                                         # doctest: +SKIP
        True
    """

    # What the engines' libraries say where there is no memory left.
    _WORDS = ('out of memory', 'resource_exhausted', 'resource exhausted', 'oom', 'memory allocation', "can't allocate",
              'bad_alloc')

    def __init__(self, init_val=2, max_size=8192, steps_per_trial=3):
        super().__init__()
        self.init_val, self.max_size, self.steps_per_trial = init_val, max_size, steps_per_trial
        self.optimal_batch_size, self.samples_per_second = None, {}

    def find(self, model, x, y=None, sample_weight=None):
        """The largest batch size for training a compiled model on such arrays, an int.

        Raises:
            MemoryError: where not even `init_val` samples fit.
        """
        self.set_model(model)
        self._state, self.samples_per_second, self.optimal_batch_size = None, {}, None
        count = _length(x)
        size = min(self.init_val, count)
        while size <= min(self.max_size, count):
            try:
                self._try(size, x, y, sample_weight)
            except Exception as error:
                if not isinstance(error, MemoryError) and not any(word in str(error).lower() for word in self._WORDS):
                    raise
                break
            finally:
                self._restore()
            self.optimal_batch_size = size
            size *= 2
        if self.optimal_batch_size is None:
            raise MemoryError('BatchSizeFinder: the memory does not hold a batch of %d samples.' % self.init_val)
        return self.optimal_batch_size

    def _try(self, size, x, y, sample_weight):
        parts = [_first(part, size) for part in (x, y, sample_weight)]
        # The first step compiles.
        if self._state is None:
            self.model.test_on_batch(*parts)
            self.model.optimizer.build(self.model.trainable_variables)
            self._remember()
        self.model.train_on_batch(*parts)
        begin = time.time()
        for _ in range(self.steps_per_trial):
            self.model.train_on_batch(*parts)
        self.samples_per_second[size] = size * self.steps_per_trial / max(time.time() - begin, 1e-9)


def _length(x):
    while isinstance(x, (list, tuple, dict)):
        x = next(iter(x.values() if isinstance(x, dict) else x))
    return len(x)


def _first(x, count):
    """The first `count` rows of arrays in a structure."""
    if isinstance(x, dict):
        return {name: _first(part, count) for name, part in x.items()}
    if isinstance(x, (list, tuple)):
        return type(x)([_first(part, count) for part in x])
    return None if x is None else x[:count]


class SanityCheckValidation(Callback):
    """Run some batches of the validation before the first epoch, so that an error in it does not wait for an hour.

    Args:
        num_steps: number of batches. A generator's are gone afterwards.

    Attributes:
        logs: what the validation gave.

    Example:
        >>> check = keras.callbacks.SanityCheckValidation()
        >>> history = model.fit(x, y, validation_split=0.5, verbose=0, callbacks=[check])
        >>> sorted(check.logs)
        ['loss']
    """

    def __init__(self, num_steps=2):
        super().__init__()
        self.num_steps, self.logs = num_steps, None


class OverfitBatches(Callback):
    """Train on the same few batches again and again: a model that cannot learn them by heart has a fault.

    The epochs have as many batches as without it.

    Args:
        num_batches: how many of the first batches are used.

    Attributes:
        losses: the loss of every epoch.

    Example:
        >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[keras.callbacks.OverfitBatches()])
    """

    def __init__(self, num_batches=1):
        super().__init__()
        self.num_batches, self.losses = num_batches, []

    def on_train_begin(self, logs=None):
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(float((logs or {}).get('loss', math.nan)))
