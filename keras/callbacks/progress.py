"""The progress bar, and the callback that draws it."""
import time

import numpy as np

from keras import config, generations
from keras.callbacks import screens
from keras.callbacks.base import Callback
from keras.callbacks.saying import say
from keras.generations import Default, settled

# Where the output is no terminal (a file, a batch system's log), every redraw is a line of its own.
SECONDS_BETWEEN_LINES = 10.0


def _duration(seconds):
    seconds = int(seconds)
    if seconds >= 3600:
        return '%d:%02d:%02d' % (seconds // 3600, seconds % 3600 // 60, seconds % 60)
    return '%d:%02d' % (seconds // 60, seconds % 60) if seconds >= 60 else '%ds' % seconds


def _per_step(seconds):
    if seconds >= 1 or seconds == 0:
        return '%.0fs' % seconds
    return '%.0fms' % (seconds * 1e3) if seconds >= 1e-3 else '%.0fus' % (seconds * 1e6)


def _number(value):
    value = float(value)
    return '%.4f' % value if abs(value) > 1e-3 or value == 0 else '%.4e' % value


class Progbar:
    """A progress bar: `32/100 [========>.....................] - ETA: 0s - loss: 0.1000`.

    On a terminal it keeps to one line, in a notebook to one output. In files and pipes each redraw is a line, and they
    are ten seconds apart.

    Args:
        target: number of steps, or None where it is unknown. width: characters of the bar itself, fewer where the
            terminal is too narrow. verbose: 0 nothing, 1 the bar, 2 one line at the end.
        interval: least seconds between two redraws; 0 draws in every call, in files and pipes, too.
        stateful_metrics: names of the values to show as they are; others are averaged over the steps.
            stateless_metrics: names of those to average instead; others are shown as they are.
        unit_name: what a step is called.

    Raises:
        ValueError: where both lists of names are given.

    Example:
        >>> bar = keras.utils.Progbar(3)
        >>> for step in range(3):
        ...     bar.add(1, [('loss', 1.0 / (step + 1))])
    """

    def __init__(self, target, width=Default('Progbar.width'), verbose=1, interval=0.05, stateful_metrics=None,
                 unit_name='step', stateless_metrics=None):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError('Progbar: Only one of `stateful_metrics` or `stateless_metrics` can be given: the names '
                             'of those that are shown as they are, or of those that are averaged.')
        self.target = target
        self.width = settled(width)
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.unit_name = unit_name
        self.title = ''
        self._screen = screens.screen(say, config.is_interactive_logging_enabled())
        self.redraws_after = interval if self._screen.is_live or not interval \
            else max(interval, SECONDS_BETWEEN_LINES)
        self.is_live, self.shows_title = self._screen.is_live, self._screen.shows_title
        self._values = {}
        self._seen = 0
        self._start = time.time()
        self._last_update = 0 if self.is_live else self._start

    def update(self, current, values=None, finalize=None, inner=None):
        """Show that `current` steps are done.

        Args:
            current: number of steps. values: list of (name, value), of an array or list its mean.
            finalize: whether this is the last time; default: when `current` reaches the target.
            inner: a `Progbar` of what runs inside of a step, shown behind this.
        """
        self._accumulate(current, values or ())
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        now = time.time()
        if self.verbose == 1 and (finalize or now - self._last_update >= self.redraws_after):
            line = self._line(current, now, finalize)
            line.inner = None if inner is None else inner._line(inner._seen, now, False)
            self._screen.draw(line, finalize)
            self._last_update = now
        elif self.verbose == 2 and finalize:
            say(self._line(current, now, True).text(0))

    def add(self, n, values=None):
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def count_to(self, current):
        """Note that `current` steps are done, without showing it."""
        self._seen = current

    def _is_stateful(self, name):
        if self.stateless_metrics is not None:
            return name not in self.stateless_metrics
        return name in self.stateful_metrics

    def _accumulate(self, current, values):
        steps = max(current - self._seen, 1)
        for name, value in values:
            value = np.mean(value) if isinstance(value, (list, tuple, np.ndarray)) else value
            if self._is_stateful(name):
                self._values[name] = (value, 1)
            else:
                total, count = self._values.get(name, (0, 0))
                self._values[name] = (total + value * steps, count + steps)
        self._seen = current

    def _line(self, current, now, finalize):
        known = self.target is not None
        count = '%*d/%d' % (len(str(self.target)), current, self.target) if known else '%7d/Unknown' % current
        return screens.Line(count, current / max(self.target, 1) if known else None, self.width,
                            self._timing(current, now, finalize) + self._metrics(), title=self.title)

    def _timing(self, current, now, finalize):
        elapsed = now - self._start
        per_step = elapsed / current if current else 0
        if self.verbose == 2:
            # The seconds stand alone, as in every Keras: programs read these lines.
            return ' - %.0fs - %s/%s' % (elapsed, _per_step(per_step), self.unit_name)
        if self.target is not None and not finalize:
            return ' - ETA: ' + _duration(per_step * (self.target - current))
        return ' - %s %s/%s' % (_duration(elapsed), _per_step(per_step), self.unit_name)

    def _metrics(self):
        return ''.join(' - %s: %s' % (name, _number(total / count)) for name, (total, count) in self._values.items())


class ProgbarLogger(Callback):
    """Draw the progress of `fit`, `evaluate` and `predict`: batches, time, the averages of the metrics so far.

    While `fit` validates, the progress of that stands behind the bar.

    Args:
        count_mode: 'steps' or 'samples', what the bar counts. With 'samples', steps are counted where the number of
            samples is not known. stateful_metrics: accepted for older scripts; the values in the logs of a batch are
            averages over the epoch so far and shown as they are.

    Between two redraws, at most one every 50 ms, the logs are not read, so that the device is never waited for.

    Raises:
        ValueError: for another `count_mode`.
    """

    def __init__(self, count_mode='samples', stateful_metrics=None):
        super().__init__()
        if count_mode not in ('samples', 'steps'):
            raise ValueError('ProgbarLogger: count_mode must be "samples" or "steps". Received: %r' % (count_mode,))
        self.count_mode = count_mode
        self.stateful_metrics = set(stateful_metrics or ())
        self.verbose, self.epochs = 1, 1
        self.progbar = self._validation = None
        self._training = False
        self._next_draw = 0.0
        self._by_name = generations.value('logs_are_sorted')

    def get_state(self):
        """Nothing that a training that goes on would need."""
        return {}

    def set_params(self, params):
        super().set_params(params)
        self.verbose = params.get('verbose', 1)
        self.epochs = params.get('epochs', 1)

    def _begin(self, title=''):
        samples = self.params.get('samples') if self.count_mode == 'samples' else None
        self._samples_per_batch = self.params.get('batch_size') if samples else None
        self.progbar = Progbar(samples if self._samples_per_batch else self.params.get('steps'), verbose=self.verbose,
                               unit_name='sample' if self._samples_per_batch else 'step')
        self.progbar.title = title
        self._batches = 0
        self._next_draw = time.time() + (0 if self.progbar.is_live else self.progbar.redraws_after)

    def _done(self):
        """How much is done, in what the bar counts."""
        if self._samples_per_batch is None:
            return self._batches
        return min(self._batches * self._samples_per_batch, self.progbar.target)

    def _update(self, logs, finalize):
        # The bar shows averages, also where the logs of a batch have its own loss.
        logs = logs.metrics() if hasattr(logs, 'metrics') else logs
        values = [(name, value) for name, value in logs.items() if name not in ('batch', 'size')]
        if self._by_name:
            values.sort(key=lambda pair: pair[0])
        values.sort(key=lambda pair: pair[0].startswith('val_'))
        self.progbar.stateful_metrics.update(name for name, _ in values)
        self.progbar.update(self._done(), values, finalize, inner=self._validation)

    def _is_time(self):
        now = time.time()
        if now < self._next_draw or self.verbose != 1:
            return False
        self._next_draw = now + self.progbar.redraws_after
        return True

    def _batch_end(self, batch, logs):
        self._batches = batch + 1
        if self._is_time():
            self._update(logs or {}, False)

    def _end(self, logs):
        if self.progbar.target is None:
            self.progbar.target = self._done()
        self._update(logs or {}, True)

    def on_train_begin(self, logs=None):
        self._training = True

    def on_train_end(self, logs=None):
        self._training = False

    def on_epoch_begin(self, epoch, logs=None):
        title = 'Epoch %d/%d' % (epoch + 1, self.epochs)
        self._begin(title)
        if self.verbose and not self.progbar.shows_title:
            say(title)

    def on_batch_end(self, batch, logs=None):
        self._batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._end(logs)

    def on_test_begin(self, logs=None):
        if not self._training:
            self._begin()
        elif self.progbar is not None:
            self._validation = Progbar(self.params.get('validation_steps'), verbose=0)

    def on_test_batch_end(self, batch, logs=None):
        if not self._training:
            self._batch_end(batch, logs)
        elif self._validation is not None:
            self._validation.count_to(batch + 1)
            if self.progbar.is_live and self._is_time():
                self._update({}, False)

    def on_test_end(self, logs=None):
        if not self._training:
            self._end(logs)
        self._validation = None

    def on_predict_begin(self, logs=None):
        self._begin()

    def on_predict_batch_end(self, batch, logs=None):
        # The logs of predict hold outputs, which nobody wants to read on a progress bar.
        self._batch_end(batch, None)

    def on_predict_end(self, logs=None):
        self._end(None)
