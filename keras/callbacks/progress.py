"""The progress bar, and the callback that draws it."""
import sys
import time

from keras.callbacks.base import Callback

# Where the output is no terminal (a file, a batch system's log), every redraw is a line of its own.
SECONDS_BETWEEN_LINES = 10.0


def _is_interactive(stream):
    return (hasattr(stream, 'isatty') and stream.isatty()) or 'ipykernel' in sys.modules


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

    Args:
        target: number of steps, or None where it is unknown. width: characters of the bar itself.
        verbose: 0 nothing, 1 the bar, 2 one line at the end. interval: least seconds between two redraws. Where the
            output is no terminal, each redraw is a line and they are ten seconds apart.
        stateful_metrics: names of the values to show as they are. Others are averaged over the steps.
        unit_name: what a step is called.

    Example:
        >>> bar = keras.utils.Progbar(3)
        >>> for step in range(3):
        ...     bar.add(1, [('loss', 1.0 / (step + 1))])
    """

    def __init__(self, target, width=30, verbose=1, interval=0.05, stateful_metrics=None, unit_name='step'):
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics or ())
        self.unit_name = unit_name
        self._interactive = _is_interactive(sys.stdout)
        self._values = {}
        self._seen = 0
        self._start = time.time()
        self._last_update = 0 if self._interactive else self._start
        self._drawn_width = 0

    def update(self, current, values=None, finalize=None):
        """Show that `current` steps are done.

        Args:
            current: number of steps. values: list of (name, value). finalize: whether this is the last time; default:
                when `current` reaches the target.
        """
        self._accumulate(current, values or ())
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        now = time.time()
        least = self.interval if self._interactive else max(self.interval, SECONDS_BETWEEN_LINES)
        if self.verbose == 1 and (finalize or now - self._last_update >= least):
            self._draw(self._bar(current) + self._timing(current, now, finalize) + self._metrics(), finalize)
            self._last_update = now
        elif self.verbose == 2 and finalize:
            sys.stdout.write(self._count(current) + self._timing(current, now, True) + self._metrics() + '\n')
            sys.stdout.flush()

    def add(self, n, values=None):
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _accumulate(self, current, values):
        steps = max(current - self._seen, 1)
        for name, value in values:
            if name in self.stateful_metrics:
                self._values[name] = (value, 1)
            else:
                total, count = self._values.get(name, (0, 0))
                self._values[name] = (total + value * steps, count + steps)
        self._seen = current

    def _count(self, current):
        if self.target is None:
            return '%7d/Unknown' % current
        return '%*d/%d' % (len(str(self.target)), current, self.target)

    def _bar(self, current):
        if self.target is None:
            return self._count(current)
        filled = int(self.width * min(current / max(self.target, 1), 1))
        arrow = '=' * (filled - 1) + ('>' if current < self.target else '=') if filled else ''
        return '%s [%s%s]' % (self._count(current), arrow, '.' * (self.width - filled))

    def _timing(self, current, now, finalize):
        elapsed = now - self._start
        per_step = elapsed / current if current else 0
        if self.target is not None and not finalize:
            return ' - ETA: ' + _duration(per_step * (self.target - current))
        return ' - %s %s/%s' % (_duration(elapsed), _per_step(per_step), self.unit_name)

    def _metrics(self):
        return ''.join(' - %s: %s' % (name, _number(total / count)) for name, (total, count) in self._values.items())

    def _draw(self, text, finalize):
        if not self._interactive:
            sys.stdout.write(text + '\n')
        else:
            sys.stdout.write('\r' + text.ljust(self._drawn_width) + ('\n' if finalize else ''))
            self._drawn_width = len(text)
        sys.stdout.flush()


class ProgbarLogger(Callback):
    """Draw the progress of `fit`, `evaluate` and `predict` on the terminal.

    Args:
        count_mode: 'samples' or 'steps', what the bar counts. With 'samples', steps are counted where the number of
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
        self.progbar = None
        self._training = False
        self._next_draw = 0.0

    def set_params(self, params):
        super().set_params(params)
        self.verbose = params.get('verbose', 1)
        self.epochs = params.get('epochs', 1)

    def _begin(self):
        samples = self.params.get('samples') if self.count_mode == 'samples' else None
        self._samples_per_batch = self.params.get('batch_size') if samples else None
        self._batch_target = self.params.get('steps')
        target = samples if self._samples_per_batch else self._batch_target
        self.progbar = Progbar(target, verbose=self.verbose)
        self._batches = 0
        waits = self.verbose != 1 or not self.progbar._interactive
        self._interval = SECONDS_BETWEEN_LINES if waits else self.progbar.interval
        self._next_draw = time.time() + (self._interval if waits else 0)

    def _done(self):
        """How much is done, in what the bar counts."""
        if self._samples_per_batch is None:
            return self._batches
        return min(self._batches * self._samples_per_batch, self.progbar.target)

    def _update(self, logs, finalize):
        values = [(name, value) for name, value in logs.items() if name not in ('batch', 'size')]
        self.progbar.stateful_metrics.update(name for name, _ in values)
        self.progbar.update(self._done(), values, finalize)

    def _batch_end(self, batch, logs):
        self._batches = batch + 1
        now = time.time()
        if now >= self._next_draw and self.verbose == 1:
            self._update(logs or {}, False)
            self._next_draw = now + self._interval

    def _end(self, logs):
        if self.progbar.target is None:
            self.progbar.target = self._done()
        self._update(logs or {}, True)

    def on_train_begin(self, logs=None):
        self._training = True

    def on_train_end(self, logs=None):
        self._training = False

    def on_epoch_begin(self, epoch, logs=None):
        if self.verbose:
            sys.stdout.write('Epoch %d/%d\n' % (epoch + 1, self.epochs))
        self._begin()

    def on_batch_end(self, batch, logs=None):
        self._batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self._end(logs)

    def on_test_begin(self, logs=None):
        if not self._training:
            self._begin()

    def on_test_batch_end(self, batch, logs=None):
        if not self._training:
            self._batch_end(batch, logs)

    def on_test_end(self, logs=None):
        if not self._training:
            self._end(logs)

    def on_predict_begin(self, logs=None):
        self._begin()

    def on_predict_batch_end(self, batch, logs=None):
        # The logs of predict hold outputs, which nobody wants to read on a progress bar.
        self._batch_end(batch, None)

    def on_predict_end(self, logs=None):
        self._end(None)
