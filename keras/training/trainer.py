"""`Trainer`: compile, fit, evaluate, predict and their single-batch relatives, once for all engines.

It holds the public methods and their arguments. `Program` is what `compile` makes, `Loop` runs it, `Intake` makes the
feeds that the loop takes its batches from.
"""
import math

import numpy as np

from keras import callbacks as callbacks_module
from keras import generations, optimizers
from keras.backend.contract.loading import active, get_engine
from keras.generations import Default
from keras.layers.weights import parts_in
from keras.layers.yielding import yielding
from keras.legacy import calls
from keras.training.data.arrays import ArrayFeed
from keras.training.data.intake import ahead_for, is_source, takes_workers
from keras.training.loop import Loop, Validation
from keras.training.program import Program
from keras.training.results import Number
from keras.training.step_methods import Steps

DEFAULT_BATCH_SIZE = 32


def _of_program(name, doc):
    """A property for an argument of `compile`; setting it is compiling again with another one.

    Layers and variables that a subclass keeps under the name are its own, and so is what it sets before it is compiled
    where that compiles nothing.
    """
    def get(self):
        if name in vars(self):
            return vars(self)[name]
        if name == 'optimizer' and not self._training.is_compiled and self.ruled('no_optimizer_before_compile'):
            raise AttributeError('%r object has no attribute %r: it is not compiled.' % (type(self).__name__, name))
        return self._training.argument(name)

    def put(self, value):
        variables, layers = parts_in(value)
        if layers or not self._training.is_compiled and (variables or name not in ('optimizer', 'loss')):
            vars(self)[name] = value
        else:
            vars(self).pop(name, None)
            self._training = Program(self._training.forward, dict(self._training.given or _GIVEN, **{name: value}))
    return property(get, put, doc=doc)


def _setting(name, doc, settled=lambda value: value):
    """A property for how steps run; setting it makes them anew."""
    def get(self):
        return settled(self._training.argument(name))

    def put(self, value):
        program = self._training
        if program.is_compiled:
            self._training = Program(program.forward, dict(program.given, **{name: value}))
        else:
            self._training = Program(program.forward, None, dict(program.settings, **{name: value}))
    return property(get, put, doc=doc)


def _function_of_graph(kind):
    """A property for a function of K that `_make_..._function` makes; setting it to None has it made anew."""
    def get(self):
        return self._training.functions[kind]

    def put(self, function):
        self._training.functions[kind] = function
    return property(get, put)


# Arguments of `compile` that are attributes, too.
_ARGUMENTS = ('optimizer', 'loss', 'loss_weights', 'sample_weight_mode', 'weighted_metrics')

_GIVEN = {'optimizer': None, 'loss': None, 'metrics': None, 'loss_weights': None, 'sample_weight_mode': None,
          'weighted_metrics': None, 'run_eagerly': False, 'target_tensors': None}


class Trainer(Steps):
    """Training and inference of a model; a base of `Model`, which hands its `Forward` to `use_forward`.

    It answers for the public methods and their arguments. What is compiled belongs to the `Program`, feeds are made by
    its `Intake`, and epochs, batches and callbacks are run by the `Loop`.
    """

    stop_training = stop_evaluating = stop_predicting = False
    history = None
    _training = None

    optimizer = _of_program('optimizer', 'The `Optimizer` that the model was compiled with, or None.')
    loss = _of_program('loss', 'What `compile` was given as `loss`.')
    loss_weights = _of_program('loss_weights', 'What `compile` was given as `loss_weights`.')
    sample_weight_mode = _of_program('sample_weight_mode', 'What `compile` was given as `sample_weight_mode`.')
    weighted_metrics = _of_program('weighted_metrics', 'What `compile` was given as `weighted_metrics`.')
    run_eagerly = _setting('run_eagerly', 'Whether steps run as plain Python.', bool)
    steps_per_execution = _setting('steps_per_execution', 'How many batches callbacks see as one.',
                                   lambda value: value or 1)
    jit_compile = _setting('jit_compile', 'Whether steps go through a compiler that joins operations.',
                           lambda value: get_engine().joins_operations if value in (None, 'auto') else bool(value))

    def use_forward(self, forward):
        """Take the `Forward` of the model, at first and whenever its layers have changed."""
        if self._training is None:
            self._training = Program(forward)
        else:
            self._training.retarget(forward)

    def use_forward_of_copy(self, forward):
        """Take the `Forward` of a model that is a copy: it is compiled as the original is."""
        self._training = self._training.for_copy(forward)

    # --- compile -----------------------------------------------------------------------------------------------

    def compile(self, optimizer='rmsprop', loss=None, metrics=None, loss_weights=None, sample_weight_mode=None,
                weighted_metrics=None, target_tensors=None, run_eagerly=False, steps_per_execution=1,
                jit_compile='auto', auto_scale_loss=True, **kwargs):
        """Choose the optimizer, the loss and the metrics.

        Args:
            optimizer: name or `Optimizer`. loss: name, function or `Loss`; a list or dictionary for several outputs.
            metrics: list of names, functions or `Metric`s, computed without sample weights; for several outputs a
                dictionary by output name or a list of lists. weighted_metrics: the same, with sample weights.
            loss_weights: factors of the outputs' losses. sample_weight_mode: 'temporal' or None; weights of any rank
                are taken, so it is kept for configs only.
            steps_per_execution: how many batches run between two looks of the callbacks, in one call where the engine
                compiles (JAX, TensorFlow); 'auto' chooses where no callback looks at single batches.
            jit_compile: True has a compiler join operations (XLA on TensorFlow; `torch.compile` on PyTorch, once a
                step has run; JAX does it anyway), False runs the steps on JAX one operation at a time, 'auto' leaves it
                to the engine. Where a step cannot be compiled a warning says why.
            auto_scale_loss: whether the optimizer of a model whose policy is 'mixed_float16' is put into a
                `LossScaleOptimizer`.
            target_tensors: a tensor, or a list or dictionary of tensors, one per output or None: variables, constants
                and what is computed from the inputs are the targets themselves, so that `fit` takes none for these
                outputs; a placeholder stands for targets that are fed.
            run_eagerly: True runs the steps as plain Python, not compiled, so that a debugger stops in layers.

        Which weights are trained is settled here, by `trainable` of the layers: compile again after changing it.

        Raises:
            ValueError: for an unknown optimizer, loss or metric, with near matches; for outputs that do not exist.
        """
        if kwargs:
            raise TypeError('compile: unknown argument %s.' % ', '.join(map(repr, kwargs)))
        if run_eagerly and jit_compile is True:
            raise ValueError('compile: with run_eagerly=True nothing is compiled, so jit_compile cannot be True.')
        optimizer = optimizers.get(optimizer)
        if auto_scale_loss and self.dtype_policy.name == 'mixed_float16' \
                and not isinstance(optimizer, optimizers.LossScaleOptimizer):
            optimizer = optimizers.LossScaleOptimizer(optimizer, name='loss_scale_optimizer')
        self._training = Program(self._training.forward, dict(
            optimizer=optimizer, loss=loss, metrics=metrics, loss_weights=loss_weights,
            sample_weight_mode=sample_weight_mode, weighted_metrics=weighted_metrics, run_eagerly=bool(run_eagerly),
            steps_per_execution=_executions(steps_per_execution), jit_compile=jit_compile,
            target_tensors=target_tensors))
        if active.engine is not None:
            active.engine.note_compiled(self.name)
        for name in _ARGUMENTS:  # what was set before gives way, but for parts of the model
            if name in vars(self) and self._training.given[name] is not None and parts_in(vars(self)[name]) == ([], []):
                del vars(self)[name]

    @yielding
    def compiled(self):
        """Whether the model was compiled."""
        return self._training.is_compiled

    @property
    def _is_compiled(self):
        return self._training.is_compiled

    @yielding
    def compile_generation(self):
        """The generation of Keras that the steps run under: the one in force when the model was compiled."""
        return generations.of(self._training)

    @yielding
    def compile_arguments(self):
        """What `compile` was given, as a dictionary; None before."""
        return self._training.given

    @yielding
    def output_names(self):
        """The names of the outputs: those of the layers that make them; before Keras 3 the keys of a dictionary."""
        graph = self._training.forward.graph
        if graph is not None and isinstance(graph.output_structure, dict) and self.ruled('output_names_are_of_layers'):
            return graph.names_of(graph.outputs)
        return self._training.output_names if graph is None else graph.output_names

    @property
    def metrics(self):
        """The compiled metrics and those of `add_metric`, as objects."""
        return self._training.metric_objects()

    @property
    def _compile_metrics(self):
        if self._training.ruled('compiled_metrics_are_one'):
            return self._training.compiled_metrics if self._is_compiled else None
        return [entry.metric for entry in self._training.metric_entries()]

    @property
    def _loss_tracker(self):
        return self._training.compiled.tracker if self._is_compiled else None

    @property
    def metrics_names(self):
        """The names of what `evaluate` and `train_on_batch` return."""
        return self._training.metrics_names()

    def watch_gradients(self, watch):
        """Have training steps show their gradients to `watch`, see `keras.callbacks.GradientNorms`; None: to nobody."""
        self._training.watch_gradients(watch)

    def warn_of_trainable_change(self):
        """Warn where `trainable` was changed after compiling."""
        self._training.warn_of_change(stacklevel=4)

    def reset_metrics(self):
        """Start all metrics anew."""
        self._training.reset_metrics()

    # --- fit ---------------------------------------------------------------------------------------------------

    def fit(self, x=None, y=None, batch_size=None, epochs=Default('fit.epochs'), verbose=1, callbacks=None,
            validation_split=0., validation_data=None, shuffle=True, class_weight=None, sample_weight=None,
            initial_epoch=0, steps_per_epoch=None, validation_steps=None, validation_freq=1, max_queue_size=10,
            workers=1, use_multiprocessing=False, validation_batch_size=None, resume=None):
        """Train for a number of epochs.

        Args:
            x: array, list or dictionary of arrays, or something that yields batches (x, y[, sample_weight]).
            y: targets likewise; left out where x yields them. batch_size: samples per update, default 32.
            epochs: the number of the epoch to stop after; 10 by default in Keras 1. initial_epoch: the number to begin
                with.
            verbose: 0 silent, 1 or 'auto' a progress bar (in files and pipes a line every ten seconds), 2 one line per
                epoch.
            callbacks: list of `Callback`s. validation_split: the last fraction of the arrays is held out.
            validation_data: (x, y) or (x, y, sample_weight), or a source of batches.
            shuffle: draw the samples in a new order in every epoch ('batch': the batches; in Keras 3 inside of each).
            class_weight: {class: factor}. sample_weight: one factor per sample (or per sample and step).
            steps_per_epoch, validation_steps: number of batches, for endless sources.
            validation_freq: validate every so many epochs, or a list of epochs (from 1).
            workers: how many threads make the batches of a `Sequence` or generator ahead of time; with 0 and 1 they are
                made between the steps. use_multiprocessing: whether workers are processes. max_queue_size: how many
                batches may be ready.
            resume: a folder where the state of the training is kept after every epoch. Where there is one already, the
                training goes on from it, exactly as if it had not been ended, see `keras.callbacks.BackupAndRestore`.

        Returns:
            A `History`: `history.history['loss']` has one float per epoch.

        Raises:
            RuntimeError: if the model is not compiled. ValueError: if the data does not fit the model.
        """
        epochs, initial_epoch = _epoch(generations.settled(epochs), 'epochs'), _epoch(initial_epoch, 'initial_epoch')
        if shuffle not in (True, False, None, 'batch'):
            raise ValueError("shuffle must be True, False or 'batch'. Received: %r" % (shuffle,))
        ahead = ahead_for(workers, use_multiprocessing, max_queue_size)
        steps = _steps(steps_per_epoch, 'steps_per_epoch')
        validation_steps = _steps(validation_steps, 'validation_steps')
        program = self._compiled_for('fit')
        batch_size = _batch_size(batch_size)
        feed = program.intake('train').feed(x, y, sample_weight, class_weight, batch_size, shuffle, ahead=ahead)
        validation = None
        if validation_data is not None:
            validation = self._validation_feed(validation_data, validation_batch_size or batch_size, ahead)
        elif validation_split:
            if not isinstance(feed, ArrayFeed):
                raise ValueError('validation_split needs arrays; a generator cannot be split. Give validation_data.')
            feed, validation = feed.split(validation_split, validation_batch_size or batch_size)
            if class_weight is not None and not program.ruled('class_weights_of_validation'):
                unweighted = program.intake('train').feed(x, y, sample_weight, None, batch_size, shuffle)
                validation = unweighted.split(validation_split, validation_batch_size or batch_size)[1]
        loop = self._loop(callbacks, verbose, feed, steps, batch_size, epochs, validation, trains=True, resume=resume)
        return loop.train(feed, initial_epoch, epochs, steps, None if validation is None else Validation(
            validation, validation_steps, validation_freq))

    def _compiled_for(self, method):
        self._training.require_compiled(method)
        return self._training

    def _validation_feed(self, given, batch_size, ahead):
        intake = self._training.intake('test')
        if is_source(given):
            return intake.feed(given, ahead=ahead if takes_workers(given) else None)
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ValueError('validation_data must be (x, y) or (x, y, sample_weight). Received: %s of length %s.'
                             % (type(given).__name__, len(given) if hasattr(given, '__len__') else '?'))
        return intake.feed(given[0], given[1], given[2] if len(given) == 3 else None, batch_size=batch_size)

    def _loop(self, given, verbose, feed, steps, batch_size, epochs=1, validation=None, trains=False, resume=None):
        """The `Loop` of a run, with a progress bar, the callbacks `given`, and the history where it trains."""
        samples = feed.samples if steps is None else None
        verbose = _verbosity(verbose)
        hooks = given
        if not isinstance(given, callbacks_module.CallbackList):
            hooks = callbacks_module.CallbackList(given)
            if verbose:
                hooks.prepend(callbacks_module.ProgbarLogger('steps'))
        if trains:
            if validation is not None and given:
                hooks.set_validation_data(validation.flat_arrays())
            hooks.history()
            if resume is not None:
                hooks.append(callbacks_module.BackupAndRestore(resume, delete_checkpoint=False))
        names = self.metrics_names if len(hooks) else []
        return Loop(self, self._training, hooks, {
            'batch_size': batch_size, 'epochs': epochs, 'steps': feed.steps() if steps is None else steps,
            'samples': samples, 'verbose': verbose, 'do_validation': validation is not None,
            'validation_steps': None if validation is None else validation.steps(),
            'metrics': names + ['val_' + name for name in names] if trains else names})

    # --- evaluate ----------------------------------------------------------------------------------------------

    def evaluate(self, x=None, y=None, batch_size=None, verbose=1, sample_weight=None, steps=None, callbacks=None,
                 max_queue_size=10, workers=1, use_multiprocessing=False, return_dict=False):
        """The loss and the metrics on data, averaged over the samples.

        Args:
            x, y, sample_weight, batch_size: as for `fit`. verbose: 0 silent, 1 a progress bar.
            steps: number of batches, for endless sources. return_dict: return {name: value}.
            workers, use_multiprocessing, max_queue_size: as for `fit`.

        Returns:
            The loss, or a list of the numbers named by `metrics_names`; as in Keras 2 they are floats of NumPy,
            which are Python's too.
        """
        program = self._compiled_for('evaluate')
        batch_size = _batch_size(batch_size)
        feed = program.intake('test').feed(x, y, sample_weight, batch_size=batch_size,
                                   ahead=ahead_for(workers, use_multiprocessing, max_queue_size))
        steps = _steps(steps, 'steps')
        logs = self._loop(callbacks, verbose, feed, steps, batch_size).test(feed, steps)
        return self._returned(logs, return_dict)

    def _returned(self, logs, return_dict):
        """What `evaluate` and its kin return of {name: value}."""
        if return_dict:
            return dict(sorted(logs.items()) if self._training.ruled('logs_are_sorted') else logs)
        values = list(logs.values())
        if self._training.ruled('numbers_of_numpy'):
            values = [Number(value) if type(value) is float else value for value in values]
        return values[0] if len(values) == 1 else values

    # --- predict -----------------------------------------------------------------------------------------------

    def predict(self, x, batch_size=None, verbose=Default('predict.verbose'), steps=None, callbacks=None,
                max_queue_size=10, workers=1, use_multiprocessing=False):
        """The outputs for data, in inference mode, as NumPy arrays.

        Args:
            x: arrays as for `fit`, or something that yields batches. batch_size: samples at a time, default 32.
            steps: number of batches, for endless sources. workers, use_multiprocessing, max_queue_size: as for `fit`.

        Returns:
            An array, or the model's structure of arrays, with one row per sample.
        """
        program, batch_size = self._training, _batch_size(batch_size)
        if type(verbose) is not int:
            verbose = generations.settled(verbose)
        at_once = steps is None and not verbose and not callbacks
        if at_once and type(x) is np.ndarray and 0 < len(x) <= batch_size:
            found = program.predict_like_before(x)
            if found is not None:
                return found
        feed = program.intake('predict').feed(x, batch_size=batch_size, targets=False,
                                   ahead=ahead_for(workers, use_multiprocessing, max_queue_size))
        if at_once and isinstance(feed, ArrayFeed) and feed.samples <= batch_size:
            return program.predict_at_once(x, feed.whole())
        steps = _steps(steps, 'steps')
        return self._loop(callbacks, verbose, feed, steps, batch_size).predict(feed, steps)

    # --- single batches ----------------------------------------------------------------------------------------

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
        """One update on one batch.

        Args:
            x, y, sample_weight, class_weight: as for `fit`. reset_metrics: False gives the metrics over this batch and
                those before it. return_dict: return {name: value}.

        Returns:
            The loss before the update, or a list of the numbers named by `metrics_names`.
        """
        batch = self._compiled_for('train_on_batch').intake('train').whole(x, y, sample_weight, class_weight)
        return self._returned(self._training.on_batch('train', batch, reset_metrics), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
        """The loss and the metrics of one batch; the arguments are those of `train_on_batch`."""
        batch = self._compiled_for('test_on_batch').intake('test').whole(x, y, sample_weight)
        return self._returned(self._training.on_batch('test', batch, reset_metrics), return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays. Several inputs may differ in their first size."""
        return self._training.predict_at_once(x, self._training.intake('predict').arrays(x, uneven=True).whole())

    # --- generators, Keras 2's names ---------------------------------------------------------------------------

    def fit_generator(self, generator, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None,
                      validation_data=None, validation_steps=None, validation_freq=1, class_weight=None,
                      max_queue_size=10, workers=1, use_multiprocessing=False, shuffle=True, initial_epoch=0):
        """`fit` on something that yields batches."""
        return self.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose,
                        callbacks=callbacks, validation_data=validation_data, validation_steps=validation_steps,
                        validation_freq=validation_freq, class_weight=class_weight, shuffle=shuffle,
                        initial_epoch=initial_epoch, workers=workers, use_multiprocessing=use_multiprocessing,
                        max_queue_size=max_queue_size)

    def evaluate_generator(self, generator, steps=None, callbacks=None, max_queue_size=10, workers=1,
                           use_multiprocessing=False, verbose=0):
        """`evaluate` on something that yields batches."""
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose, workers=workers,
                             use_multiprocessing=use_multiprocessing, max_queue_size=max_queue_size)

    def predict_generator(self, generator, steps=None, callbacks=None, max_queue_size=10, workers=1,
                          use_multiprocessing=False, verbose=0):
        """`predict` on something that yields batches."""
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose, workers=workers,
                            use_multiprocessing=use_multiprocessing, max_queue_size=max_queue_size)

    # --- the training as a part of the graph of K ----------------------------------------------------------------

    def _graph_of_losses(self):
        return self._compiled_for('total_loss').graph

    @yielding
    def targets(self):
        """Placeholders for the targets of the outputs that have a loss."""
        return self._graph_of_losses().targets

    @yielding
    def sample_weights(self):
        """Placeholders for the sample weights of these outputs."""
        return self._graph_of_losses().sample_weights

    @yielding
    def total_loss(self):
        """The loss that `fit` minimises as a symbolic tensor of the inputs, `targets` and `sample_weights`."""
        return self._graph_of_losses().total_loss

    @property
    def _feed_inputs(self):
        return self._training.forward.graph.fed

    @property
    def _feed_targets(self):
        return self._graph_of_losses().targets

    @property
    def _feed_sample_weights(self):
        return self._graph_of_losses().sample_weights

    def _make_train_function(self):
        """Set `train_function`: [inputs, targets, sample weights, learning phase] -> [loss], updating the weights."""
        self._compiled_for('train_function').make_function('train')

    def _make_test_function(self):
        """Set `test_function`: [inputs, targets, sample weights, learning phase] -> [loss]."""
        self._compiled_for('test_function').make_function('test')

    def _make_predict_function(self):
        """Set `predict_function`: [inputs, learning phase] -> list of outputs."""
        self._training.make_function('predict')

    train_function = _function_of_graph('train')
    test_function = _function_of_graph('test')
    predict_function = _function_of_graph('predict')


calls.install(Trainer, calls.TRAINING)


def _executions(given):
    if given in (None, 'auto'):
        return given
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 1:
        raise ValueError("steps_per_execution must be a whole number from 1 on, or 'auto'. Received: %r" % (given,))
    return int(given)


def _steps(steps, name):
    """A number of batches as an int, None for as many as there are; scripts give quotients, which count as begun."""
    if steps is None:
        return None
    if isinstance(steps, bool) or not isinstance(steps, (int, float, np.number)) or not steps > 0:
        raise ValueError('%s must be a positive number of batches. Received: %r' % (name, steps))
    return int(math.ceil(steps))


def _epoch(number, name):
    if isinstance(number, bool) or not isinstance(number, (int, float, np.number)) or number < 0 \
            or int(number) != number:
        raise ValueError('%s must be a whole number, not below 0. Received: %r' % (name, number))
    return int(number)


def _verbosity(verbose):
    if verbose == 'auto':
        return 1
    if not isinstance(verbose, (int, np.integer, np.bool_)) or not 0 <= verbose <= 2:
        raise ValueError("verbose must be 0 (silent), 1 (a progress bar), 2 (a line per epoch) or 'auto'. Received: %r"
                         % (verbose,))
    return int(verbose)


def _batch_size(batch_size):
    if batch_size is None:
        return DEFAULT_BATCH_SIZE
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise ValueError('batch_size must be a positive whole number. Received: %r' % (batch_size,))
    return int(batch_size)
