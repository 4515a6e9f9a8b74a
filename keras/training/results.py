"""What a run gathers over its batches. It is the logs of the callbacks, too, and fetched only when it is read."""
import itertools

import numpy as np

from keras import generations
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array
from keras.layers.rows import ragged_of_marked
from keras.training.data.layout import are_alike
from keras.training.steps import MetricsFound, can_repeat

# How many predicted batches may be on their way to the host before the oldest is fetched.
_IN_FLIGHT = 8


class Number(np.float64):
    """A float of NumPy, with `item` and `dtype`, that is shown like Python's in lists, by NumPy 2, too."""

    __slots__ = ()
    __repr__ = float.__repr__

    def __reduce__(self):
        return np.float64, (float(self),)


class Results(dict):
    """The logs of a batch: `batch`, `size`, and what `found` gives, which the first read after a batch fetches.

    A subclass defines `use` (a step), `run` (a batch) and `found` (a dictionary). `samples` counts those so far.

    Args:
        numbered: whether the logs have `batch` and `size`.

    Attributes:
        by_name: whether the values stand in the logs by the alphabet.
    """

    by_name = False

    def __init__(self, numbered):
        super().__init__()
        self._numbered = numbered
        self.batch = self.size = self.samples = 0
        self._is_stale = False

    def take(self, number, batch):
        """Run the step on a `Batch`, the `number`th one."""
        self.run(batch)
        self.samples += batch.size
        self.batch, self.size, self._is_stale = number, batch.size, True

    def take_all(self, number, batches):
        """Run the step on all `batches`, which the callbacks see as one; the last has the `number`."""
        self.run_all(batches)
        self.size = sum(batch.size for batch in batches)
        self.samples += self.size
        self.batch, self._is_stale = number, True

    def run_all(self, batches):
        for batch in batches:
            self.run(batch)

    def take_quietly(self, batches):
        """`take` all batches, which are of one layout; nothing runs between them that could change anything."""
        for number, batch in enumerate(batches, self.batch + 1 if self.samples else 0):
            self.take(number, batch)

    def _fill(self):
        if self._is_stale:
            self._is_stale = False
            dict.clear(self)
            if self._numbered:
                dict.update(self, batch=self.batch, size=self.size)
            found = self.found()
            dict.update(self, sorted(found.items()) if self.by_name else found)
        return self

    def state(self):
        """What was gathered so far, as plain values."""
        return {'samples': self.samples, 'batch': self.batch, 'size': self.size,
                'metrics': [variable.numpy() for variable in self.variables()]}

    def go_on(self, state):
        """Go on from what another one gave as `state`; a step is in use already."""
        self.samples, self.batch, self.size = state['samples'], state['batch'], state['size']
        for variable, value in zip(self.variables(), state['metrics']):
            variable.assign(value)

    def variables(self):
        """The variables of metrics that steps update."""
        return []

    def __bool__(self):
        return True


def _reading(name):
    plain = getattr(dict, name)

    def read(self, *args):
        return plain(self._fill(), *args)
    read.__name__ = name
    return read


for _name in ('__getitem__', '__iter__', '__len__', '__contains__', '__repr__', 'get', 'items', 'keys', 'values',
              'copy', '__eq__'):
    setattr(Results, _name, _reading(_name))


class Averages(Results):
    """The loss and the metrics over the samples so far, of training and test steps.

    Args:
        program: the `Program`.
        own_loss: whether the loss in the logs of a batch is that of the batch alone. numbered: as in `Results`.
    """

    def __init__(self, program, own_loss, numbered):
        super().__init__(numbered)
        self._program = program
        self._own_loss = own_loss
        # Another thread may ask for the model's metrics during a step: it would take the totals from under it.
        self._lock = program.turns.steps
        self._step = None
        # The totals that were fetched, and those on the device since then; those before the last batch and after it.
        self._fetched = self._totals = self._before = self._last = None
        self._is_kept = True

    def use(self, step, reset=True):
        """Go on with `step`. `reset`: whether the metrics start anew where this is the first one."""
        if self._step is None:
            if reset:
                step.tally.reset()
        elif step.tally.names != self._step.tally.names:
            step.expect(self._step.tally.added)
        self._step, self._run = step, step.run

    def take_quietly(self, batches):
        self.take(0, next(batches))
        quiet = getattr(self._step.run, 'quiet', None)
        if quiet is None:
            self._take_rest(self._run, batches)
        else:
            with quiet() as run:
                self._take_rest(run, batches)

    def _take_rest(self, run, batches):
        lock, totals, count = self._lock, None, 0
        try:
            for batch in batches:
                with lock:
                    before = self._step.tally.zeros if self._totals is None else self._totals
                    totals = self._totals = run(before, batch.xs, batch.ys, batch.weights)
                    self.samples += batch.size
                count += 1
        finally:
            if totals is not None:
                self._before, self._last, self._is_kept = before, totals, False
                self.batch, self.size, self._is_stale = self.batch + count, batch.size, True

    def run(self, batch):
        with self._lock:
            self._before = self._step.tally.zeros if self._totals is None else self._totals
            try:
                self._totals = self._run(self._before, batch.xs, batch.ys, batch.weights)
            except MetricsFound as found:
                self._meet(found.names)
                self._totals = self._run(self._before, batch.xs, batch.ys, batch.weights)
            self._last, self._is_kept = self._totals, False

    def _meet(self, names):
        """Make room for metrics that the first batch adds."""
        if self.samples:
            raise ValueError('The batches of a run must add the same metrics. Met so far: %s, now: %s.'
                             % (self._step.tally.added, names))
        self._step.expect(names)
        self._before = self._step.tally.zeros

    def run_all(self, batches):
        with self._lock:
            before = self._totals
            if self.samples and can_repeat(self._program) and are_alike(batches):
                self._before = self._step.tally.zeros if before is None else before
                self._last = self._totals = self._step.several(self._before, batches)
                self._is_kept = False
                return
            for batch in batches:
                self.run(batch)
            self._before = self._step.tally.zeros if before is None else before

    def _fetch(self):
        """The totals of all batches, on the host."""
        with self._lock:
            if self._totals is not None:
                fetched = to_array(self._totals)
                self._fetched = fetched if self._fetched is None else self._fetched.astype('float64') + fetched
                self._totals = None
            return self._fetched

    def variables(self):
        return self._step.tally.variables

    def state(self):
        return dict(super().state(), totals=self._fetch(), added=list(self._step.tally.added))

    def go_on(self, state):
        super().go_on(state)
        self._fetched, self._is_kept = state['totals'], False
        self._step.expect(state['added'])

    def found(self):
        logs = self.metrics()
        if self._own_loss and self.samples != self.size:
            logs['loss'] = float(to_array(self._last)[0] - to_array(self._before)[0]) / self.size
        return logs

    def metrics(self):
        """{name: value} over all samples so far."""
        return self._step.tally.logs(self._fetch(), self.samples)

    def keep(self):
        """Let the metric objects say what the logs say."""
        if not self._is_kept:
            self._is_kept, tally = True, self._step.tally
            tally.keep(self._fetch(), self.samples, {name: self._program.added_metric(name) for name in tally.added},
                       self._program.mean_losses())


class Predictions(Results):
    """The outputs of all batches, of prediction steps. In logs `outputs` are those of the last batch.

    Args:
        turns: the `Turns` of the model. numbered: as in `Results`.
    """

    def __init__(self, turns, numbered):
        super().__init__(numbered)
        self._turns = turns
        self._step = self._run = self._last = None
        self._waiting, self._fetched = [], []

    def use(self, step, reset=True):
        self._step = self._run = step

    def take_quietly(self, batches):
        self.take(0, next(batches))
        quiet = getattr(self._step, 'quiet', None)
        if quiet is None:
            super().take_quietly(batches)
        else:
            with quiet() as run:
                self._take_rest(run, batches)

    def _take_rest(self, run, batches):
        read, waiting, count = self._turns.read, self._waiting, 0
        try:
            for batch in batches:
                self._last = last = read(run, batch.xs)
                waiting.append(last)
                count += 1
                self.samples += batch.size
                if len(waiting) > _IN_FLIGHT:
                    self._fetched.append(on_host(waiting.pop(0)))
        finally:
            if count:
                self._shown = [self._last]
                self.batch, self.size, self._is_stale = self.batch + count, batch.size, True

    def run(self, batch):
        self._last = self._turns.read(self._run, batch.xs)
        self._shown = [self._last]
        self._waiting.append(self._last)
        if len(self._waiting) > _IN_FLIGHT:
            self._fetched.append(on_host(self._waiting.pop(0)))

    def run_all(self, batches):
        shown = []
        for batch in batches:
            self.run(batch)
            shown.append(self._last)
        self._shown = shown

    def found(self):
        parts = list(map(on_host, self._shown))
        return {'outputs': parts[0] if len(parts) == 1 else [np.concatenate(part) for part in zip(*parts)]}

    def joined(self):
        """The outputs for all samples, in the structure of the model's outputs."""
        parts = self._fetched + [on_host(leaves) for leaves in self._waiting]
        ragged = getattr(self._step, 'rows', None) or itertools.repeat(False)
        return self._step.packed(parts[0] if len(parts) == 1 else [
            ragged_of_marked(part) if is_one else _end_to_end(part) for part, is_one in zip(zip(*parts), ragged)])


def _end_to_end(arrays):
    """Arrays one behind the other; where they differ in other sizes a ragged tensor, if the engine's library has any.
    """
    ragged = None if len({array.shape[1:] for array in arrays}) == 1 else get_engine().ragged_of(arrays)
    return np.concatenate(arrays) if ragged is None else ragged


def on_host(leaves):
    """What was predicted, as arrays."""
    make = _in_own_dtype if generations.value('predictions_in_bfloat16') else to_array
    return [leaf if type(leaf) is np.ndarray else make(leaf) for leaf in leaves]


def _in_own_dtype(leaf):
    """An array of a tensor; of bfloat16 where NumPy knows that, which it learns from the package `ml_dtypes`."""
    array = to_array(leaf)
    if array.dtype != np.float32 or get_engine().dtype_of(leaf) != 'bfloat16':
        return array
    try:
        from ml_dtypes import bfloat16
    except ImportError:
        return array
    return array.astype(bfloat16)
