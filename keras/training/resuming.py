"""How a training keeps its state, and goes on from it."""
import warnings

from keras.backend.state.seeds import random_state, set_random_state
from keras.saving import plain


class Keeper:
    """Keeps the state of a training by a `BackupAndRestore`, and brings back what that has.

    What is kept is where the training stands (epoch, batches of it that are done), where the feeds were when the epoch
    began, the random state, what the metrics have gathered, and the callbacks. A training that goes on inside an
    epoch takes the last batch that was done once more, to make its step, and does not train on it.

    Args:
        backup: the `BackupAndRestore`. model: the model. hooks: the `CallbackList`. feeds: the `Feed` of the training,
            and that of the validation or None; which batches of the first callbacks want, `begin` is told.

    Attributes:
        epoch, batches: where to go on; None and 0 where nothing was kept. is_over: whether the training had ended.
    """

    def __init__(self, backup, model, hooks, feeds):
        self._backup, self._model, self._hooks, self._feeds = backup, model, hooks, feeds
        self._saved = backup.read()
        self.epoch = self._saved and self._saved['epoch']
        self.batches = self._saved['batches'] if self._saved else 0
        self.is_over = bool(self._saved) and self._saved['is_over']
        self._begins, self._since = False, 0

    def begin(self, epoch, feed):
        """After `on_train_begin`, before the first epoch, the one numbered `epoch`, of `feed`."""
        self._feeds[0] = feed
        self._callbacks = [_Memory(callback) for callback in self._hooks]
        self._begins = self._saved is None
        if self._saved is not None and not self.batches:
            self._restore_callbacks()
            self._go_to(0)
            set_random_state(self._saved['random'])
        self._note(epoch)

    def begin_epoch(self, epoch):
        """After `on_epoch_begin`; returns how many batches of the epoch are done."""
        self._at = epoch
        if self._saved is not None and self.batches:
            self._restore_callbacks()
            self._positions = self._saved['positions']
            self._go_to(self.batches - 1)
            return self.batches
        self._positions = self._now()
        return 0

    def first_step(self, found):
        """A step was made for the first batch, nothing is trained yet; `found` are the `Results`, with the step."""
        if self._saved is not None:
            self.restore_model()
            if self.batches:
                found.go_on(self._saved['results'])
                set_random_state(self._saved['random'])
            self._saved, self.batches = None, 0
        elif self._begins:
            self._write(self._at, 0, self._random, None)
        self._begins = False

    def restore_model(self):
        """Give the model the state that was kept."""
        self._backup.read(self._model)

    def after_batch(self, done, found):
        """All hooks of a batch were called; `done` batches of the epoch are."""
        self._since += 1
        if self._since == self._backup.save_freq:
            self._since = 0
            self._write(self._at, done, random_state(), found.state())

    def after_epoch(self, epoch, is_over):
        """All hooks of an epoch were called; `is_over`: no other one follows."""
        self._note(epoch + 1)
        if self._backup.save_freq == 'epoch':
            self._write(epoch + 1, 0, self._random, None, is_over)

    def finish(self):
        """The training ended as planned."""
        self._backup.finish()

    def _note(self, epoch):
        """Remember how things are before the epoch begins."""
        self._at, self._random, self._positions = epoch, random_state(), self._now()

    def _now(self):
        return [None if feed is None else feed.position() for feed in self._feeds]

    def _go_to(self, batches):
        training, validation = self._feeds
        for feed, position, done in ((validation, self._saved['positions'][1], 0),
                                     (training, self._saved['positions'][0], batches)):
            if feed is not None and position is not None:
                feed.go_to(position, done)

    def _write(self, epoch, batches, random, results, is_over=False):
        self._backup.write(self._model, {
            'epoch': epoch, 'batches': batches, 'is_over': is_over, 'random': random, 'results': results,
            'positions': self._positions, 'callbacks': [memory.state() for memory in self._callbacks]})

    def _restore_callbacks(self):
        states = list(self._saved['callbacks'])
        for memory in self._callbacks:
            found = next((state for state in states if state[0] == memory.name), None)
            if found is not None:
                states.remove(found)
                memory.restore(found[1])
        if states:
            warnings.warn('The training that was kept had callbacks that this one has not: %s. Their state is lost.'
                          % ', '.join(name for name, _ in states), stacklevel=6)


class _Memory:
    """The state of a callback: what it says by `get_state`, or which of its plain attributes have changed."""
    _NOT_STATE = ('params', 'validation_data', 'model')

    def __init__(self, callback):
        self._callback, self.name = callback, type(callback).__name__
        self._changes = plain.Changes(callback)

    def state(self):
        """(the name of its class, the state)."""
        if hasattr(self._callback, 'get_state'):
            return self.name, self._callback.get_state()
        return self.name, {name: value for name, value in self._changes.now().items() if name not in self._NOT_STATE}

    def restore(self, state):
        if hasattr(self._callback, 'set_state'):
            self._callback.set_state(state)
        elif not hasattr(self._callback, 'get_state'):
            self._changes.restore(state)
