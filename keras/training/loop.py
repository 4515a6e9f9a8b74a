"""The loop: epochs, batches, callbacks and logs, for training, testing and predicting alike."""
import contextlib
import itertools
import warnings

from keras import config
from keras.backend.contract.loading import get_engine, outside_graphs
from keras.backend.state.seeds import undisturbed
from keras.callbacks.backup import BackupAndRestore
from keras.callbacks.tuning import OverfitBatches, SanityCheckValidation
from keras.training.data.ahead import sent_ahead
from keras.training.data.arrays import ArrayFeed
from keras.training.data.feed import RepeatedFeed
from keras.training.resuming import Keeper

_AS_IT_IS = contextlib.ExitStack()

# The attributes by which callbacks end a run, by its kind.
_STOPS = {'train': 'stop_training', 'test': 'stop_evaluating', 'predict': 'stop_predicting'}


class Loop:
    """Runs a program over feeds, and calls the callbacks at every turn.

    Args:
        model: the model, whose `stop_training`, `stop_evaluating` and `stop_predicting` end a run.
        program: its `Program`. hooks: a `CallbackList`. params: what its callbacks are told about the run.
    """

    def __init__(self, model, program, hooks, params):
        self._model, self._program, self._hooks, self._params = model, program, hooks, params
        if len(hooks):
            hooks.set_model(model)
            hooks.set_params(params)

    def train(self, feed, first, epochs, steps=None, validation=None):
        """Train from the epoch numbered `first` to before `epochs`.

        Args:
            steps: batches in an epoch, None for a pass. validation: a `Validation`, or None.

        With a `BackupAndRestore` among the callbacks that has kept the state of a training, it goes on from there.

        Returns:
            The `History`.
        """
        with self._program.turns.of('fit'):
            self._model.history = self._hooks.history()
            self._train(feed, first, epochs, steps, validation)
            return self._model.history

    def _train(self, feed, first, epochs, steps, validation):
        self._model.stop_training, self._epoch, self._first, self._found = False, first, first, None
        keeper = self._keeper(feed, validation)
        try:
            self._hooks.on_train_begin()
            feed = self._rehearsed(feed, validation)
            if keeper is not None:
                first = first if keeper.epoch is None else keeper.epoch
                keeper.begin(first, feed)
            if keeper is not None and keeper.epoch is not None and (keeper.is_over or first >= epochs):
                self._settle(feed, steps)
                keeper.restore_model()
                logs = None
            else:
                logs = self._epochs(feed, first, epochs, steps, validation, keeper)
                if logs is not None:
                    self._use_averages()
        except BaseException as error:
            # What callbacks hold (files, servers, bars) is let go of whatever ends the training.
            self._say_where(error)
            self._hooks.end_after_failure()
            raise
        self._hooks.on_train_end(logs)
        if keeper is not None:
            keeper.finish()

    def _use_averages(self):
        """Let the model keep the moving averages of its weights, where its optimizer made them."""
        finalize = getattr(self._program.optimizer, 'finalize_variable_values', None)
        if finalize is not None:
            finalize(self._program.trained)

    def _rehearsed(self, feed, validation):
        """The feed to train on, after the rehearsals that callbacks ask for."""
        for callback in self._hooks:
            if isinstance(callback, SanityCheckValidation) and validation is not None:
                callback.logs = self.test(validation.feed, callback.num_steps)
                validation.feed.restart()
            elif isinstance(callback, OverfitBatches):
                feed = RepeatedFeed(feed, callback.num_batches)
        return feed

    def _say_where(self, error):
        """Add to an error or interrupt at which batch it ended the training."""
        is_begun = self._found is not None and self._found.samples
        if not is_begun and self._epoch == self._first:
            return
        text = 'It ended fit in epoch %d, %s. The model keeps what it has learnt.' % (
            self._epoch + 1, 'after batch %d (both from 1)' % (self._found.batch + 1) if is_begun
            else 'before its first batch')
        if hasattr(error, 'add_note'):
            error.add_note(text)
        else:
            warnings.warn('%s: %s' % (type(error).__name__, text), stacklevel=3)

    def _keeper(self, feed, validation):
        """The `Keeper` of the training, None where no callback asks for one."""
        backups = [callback for callback in self._hooks if isinstance(callback, BackupAndRestore)]
        if not backups:
            return None
        if len(backups) > 1:
            raise ValueError('fit: one BackupAndRestore keeps the state of a training. Received %d; fit(resume=...) '
                             'counts as one.' % len(backups))
        keeper = Keeper(backups[0], self._model, self._hooks, [feed, validation and validation.feed])
        self._params = dict(self._params, resumed=keeper.epoch is not None)
        self._hooks.set_params(self._params)
        return keeper

    def _settle(self, feed, steps):
        """Make the step for the first batch, so that all variables are there."""
        for batch in feed.epoch(steps):
            self._program.step('train', batch)
            break

    def _epochs(self, feed, first, epochs, steps, validation, keeper):
        """Run the epochs; returns the logs of the last one."""
        model, hooks, logs = self._model, self._hooks, None
        for epoch in range(first, min(epochs, config.max_epochs() or epochs)):
            if steps is None and epoch > first:
                self._announce(feed.steps())
            self._epoch, self._found = epoch, None
            if keeper is None and hooks.looks_at_beginnings:
                self._program.reset_metrics()
            hooks.on_epoch_begin(epoch)
            found = self._run('train', feed, steps, keeper, 0 if keeper is None else keeper.begin_epoch(epoch))
            if not found.samples:
                self._refuse_nothing(epoch > first)
                break
            logs = self._settled(found)
            if validation is not None and validation.is_due(epoch):
                tested = {'val_' + name: value for name, value in self.test(validation.feed,
                                                                            validation.steps).items()}
                logs = dict(tested, **logs) if self._program.ruled('validation_before_training') \
                    else dict(logs, **tested)
            if self._program.ruled('logs_are_sorted'):
                logs = dict(sorted(logs.items()))
            hooks.on_epoch_end(epoch, logs)
            if feed.ran_out:
                warnings.warn('Your input ran out of data before the end of epoch %d, so training ends here. The '
                              'usual cause: a generator that ends; let it run for ever, or ask for fewer steps.'
                              % (epoch + 1), stacklevel=4)
            is_over = feed.ran_out or model.stop_training
            if keeper is not None:
                keeper.after_epoch(epoch, is_over)
            if is_over:
                break
        return logs

    def test(self, feed, steps=None):
        """{name: value} of the loss and the metrics over a pass of `feed`, or its first `steps` batches."""
        with self._program.turns.of('evaluate'):
            return self._test(feed, steps)

    def _test(self, feed, steps):
        self._model.stop_evaluating = False
        self._hooks.on_test_begin()
        feed.restart()
        found = self._run('test', feed, steps)
        self._look_at_end(feed, found, steps)
        logs = self._settled(found)
        self._hooks.on_test_end(logs)
        return logs

    def predict(self, feed, steps=None):
        """The outputs for a pass of `feed`, or its first `steps` batches."""
        self._model.stop_predicting = False
        self._hooks.on_predict_begin()
        found = self._run('predict', feed, steps)
        self._look_at_end(feed, found, steps)
        self._hooks.on_predict_end()
        return found.joined()

    @outside_graphs
    def _run(self, kind, feed, steps, keeper=None, done=0):
        """Run the batches of an epoch; returns what they gave. `done` of them were, before the training went on."""
        hooks, model, program = self._hooks, self._model, self._program
        begin, end = [getattr(hooks, 'on_%s_batch_%s' % (kind, moment)) for moment in ('begin', 'end')]
        watched, stops = hooks.has_batch_hooks, _STOPS[kind]
        found, layout = program.results(kind), None
        feed.ends_with_pass = program.ruled('epoch_ends_with_pass')
        if kind == 'train':
            self._found = found
        numbered, limit = program.ruled('batch_and_size_in_logs'), config.max_steps_per_epoch()
        viewers = [hook.see_batch for hook in hooks if hasattr(hook, 'see_batch')] if kind == 'train' else ()
        is_quiet = isinstance(feed, ArrayFeed) and not watched and not viewers and keeper is None
        # The last of the batches that are done comes again, so that there is a step.
        again = min(done, 1)
        by_many = program.argument('steps_per_execution') not in (None, 1)
        if steps and by_many:
            steps = program.executed(steps)
        batches = feed.passing() if is_quiet and steps is None and not by_many \
            else feed.epoch(steps and steps - done + again)
        if by_many:
            return self._run_by_many(kind, batches, found, keeper, done)
        if get_engine().sends_ahead and keeper is None and not viewers and kind not in program.own:
            batches = sent_ahead(batches)
        if is_quiet:
            self._run_quietly(kind, itertools.islice(batches, limit), found)
            if steps is None:
                feed.restart()
            return found
        for number, batch in enumerate(batches, done - again):
            if batch.layout is not layout:
                begins, layout = layout is None, batch.layout
                self._use(kind, found, batch, keeper if begins else None)
            if number < done:
                continue
            for see in viewers:
                see(batch)
            if watched:
                begin(number, {'batch': number, 'size': batch.size} if numbered else {})
            found.take(number, batch)
            if watched:
                end(number, found)
            if keeper is not None:
                keeper.after_batch(number + 1, found)
            if watched and getattr(model, stops) or number + 1 == limit:
                break
        return found

    def _run_quietly(self, kind, batches, found):
        """`_run` over batches of arrays where nothing is called between them."""
        for first in batches:
            self._use(kind, found, first, None)
            found.take_quietly(itertools.chain([first], batches))

    def _use(self, kind, found, batch, keeper):
        """Have `found` go on with the step for `batch`. `keeper`: the `Keeper`, where it is the first one."""
        with undisturbed() if keeper is not None and keeper.epoch is not None else _AS_IT_IS:
            found.use(self._program.step(kind, batch))
        if keeper is not None:
            keeper.first_step(found)

    def _run_by_many(self, kind, batches, found, keeper, done):
        """`_run` where callbacks see several batches as one: the first when it begins, what would be the last after it.
        """
        hooks, model, program = self._hooks, self._model, self._program
        begin, end = [getattr(hooks, 'on_%s_batch_%s' % (kind, moment)) for moment in ('begin', 'end')]
        watched, number, numbered = hooks.has_batch_hooks, done, program.ruled('batch_and_size_in_logs')
        first, limit = next(batches, None), config.max_steps_per_epoch()
        if first is None:
            return found
        layout, count = first.layout, program.batches_per_call(kind, first, watched)
        self._use(kind, found, first, keeper)
        batches = itertools.islice(batches if done else itertools.chain([first], batches), limit and limit - done)
        for group in iter(lambda: list(itertools.islice(batches, count)), []):
            if watched:
                begin(number, {'batch': number, 'size': sum(batch.size for batch in group)} if numbered else {})
            for same, part in itertools.groupby(group, lambda batch: batch.layout):
                part = list(part)
                if same is not layout:
                    layout = same
                    self._use(kind, found, part[0], None)
                found.take_all(number + count - 1, part)
            if watched:
                end(number + count - 1, found)
            if keeper is not None:
                keeper.after_batch(number + len(group), found)
            number += count
            if watched and getattr(model, _STOPS[kind]):
                break
        return found

    @staticmethod
    def _settled(found):
        logs = found.metrics()
        found.keep()
        return logs

    def _announce(self, steps):
        """Tell the callbacks how many batches the next epoch has."""
        self._params = dict(self._params, steps=steps)
        if len(self._hooks):
            self._hooks.set_params(self._params)

    def _look_at_end(self, feed, found, steps):
        if not found.samples:
            self._refuse_nothing(False)
        if feed.ran_out:
            warnings.warn('Your input ran out of data before the %d batches that were asked for; the results are those '
                          'of %d samples. The usual cause: a generator that ends, or was used for something else.'
                          % (steps, found.samples), stacklevel=4)

    @staticmethod
    def _refuse_nothing(had_some):
        message = 'The data yielded no batch, and the generator must yield at least one batch. The usual cause: it ' \
            'is exhausted, because it was used for '
        if not had_some:
            raise ValueError(message + 'something else before, or it is a data set without a single batch.')
        warnings.warn(message + 'an earlier epoch. Training ends here; give steps_per_epoch.', stacklevel=5)


class Validation:
    """The data that `fit` validates on.

    Args:
        feed: its `Feed`. steps: number of batches, None for a pass. frequency: validate every so many epochs, or a
            list of epochs (from 1).
    """

    def __init__(self, feed, steps, frequency):
        numbers = frequency if isinstance(frequency, (list, tuple, set)) else [frequency]
        if any(isinstance(number, bool) or int(number) != number or number < 1 for number in numbers):
            raise ValueError('validation_freq must be a whole number of epochs from 1 on, or a list of epochs. '
                             'Received: %r' % (frequency,))
        self.feed, self.steps, self._frequency = feed, steps, frequency

    def is_due(self, epoch):
        if isinstance(self._frequency, (list, tuple, set)):
            return epoch + 1 in self._frequency
        return (epoch + 1) % self._frequency == 0
