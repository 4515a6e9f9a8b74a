"""`Trainer`: compile, fit, evaluate, predict and their single-batch relatives, once for all engines.

Everything that runs on a batch is one `engine.step` (see steps.py). The loop around it cuts batches on the
host, never waits for the device, and reads numbers only when somebody asks for them.
"""

import numpy as np

from keras import callbacks as callbacks_module
from keras import config, metrics as metrics_module, optimizers
from keras.backend import tree
from keras.backend.engine import get_engine
from keras.backend.rules import AbstractTensor, is_float
from keras.backend.state import to_array
from keras.layers.calls import signature_of
from keras.training.compiled import CompiledLoss, CompiledMetrics, is_loss, per_output
from keras.training.data import (ArrayData, BatchSource, class_weights_of, dense_rows, flat_arrays, is_batch_source,
                                 is_number_list)
from keras.training.graph import GraphOfTraining
from keras.training.logs import RunningLogs
from keras.training.steps import PredictStep, TrainOrTestStep

DEFAULT_BATCH_SIZE = 32
# How many predicted batches may be on their way to the host before the oldest is fetched.
_PREDICTIONS_IN_FLIGHT = 8


class Trainer(GraphOfTraining):
    """Training and inference of a model; a base of `Model`."""

    optimizer = None
    stop_training = False
    _compiled = None
    history = None

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
            jit_compile, run_eagerly, steps_per_execution, auto_scale_loss: accepted; the engine decides.

        Which weights are trained is settled here, by `trainable` of the layers: compile again after changing it.

        Raises:
            ValueError: for an unknown optimizer, loss or metric, with near matches; for outputs that do not exist.
        """
        if kwargs:
            raise TypeError('compile: unknown argument %s.' % ', '.join(map(repr, kwargs)))
        if target_tensors is not None:
            raise ValueError('compile: target_tensors is not supported; pass the targets to fit.')
        self.optimizer = optimizers.get(optimizer)
        self.loss, self.loss_weights = loss, loss_weights
        self.sample_weight_mode = sample_weight_mode
        self._compile_arguments = {'optimizer': self.optimizer, 'loss': loss, 'metrics': metrics,
                                   'loss_weights': loss_weights, 'sample_weight_mode': sample_weight_mode,
                                   'weighted_metrics': weighted_metrics}
        self._compile_metrics = (metrics, weighted_metrics)
        self._compiled, self._trained_weights = None, None
        self._forget_steps()
        if self.built and self.outputs is not None:
            self._finish_compile(self.output_names, [tensor.shape for tensor in self.outputs])

    def _finish_compile(self, output_names, output_shapes):
        """Set up losses and metrics, once the outputs are known."""
        self._output_names = list(output_names)
        losses = CompiledLoss(self.loss, self.loss_weights, self._output_names)
        metrics = CompiledMetrics(self._compile_metrics[0], self._compile_metrics[1], losses, self._output_names,
                                  output_shapes)
        self._compiled = (losses, metrics)
        self._trained_weights = list(self.trainable_weights)

    def _forget_steps(self):
        self._steps = {}
        self._added_metrics, self._metric_objects = None, {}
        self._training_graph = self.train_function = self.test_function = self.predict_function = None
        # Steps for predicting one small array, by its dtype, row shape and engine.
        self._small_predictions = {}

    def _require_compiled(self, method):
        if self.optimizer is None:
            raise RuntimeError('Model %s must be compiled before %s is called. Call model.compile(optimizer, loss) '
                               'first.' % (self.name, method))

    @property
    def metrics(self):
        """The compiled metrics and those of `add_metric`, as objects."""
        compiled = self._compiled[1].metrics if self._compiled else []
        return compiled + [self._added_metric(name) for name in self._names_of_added()]

    def _names_of_added(self):
        """The names given to `add_metric`: those that the last step met, before the first one those in the graph."""
        return list(self._added_metrics if self._added_metrics is not None
                    else [name for name, _ in self.additions().metrics])

    def _added_metric(self, name):
        if name not in self._metric_objects:
            self._metric_objects[name] = metrics_module.Mean(name=name)
        return self._metric_objects[name]

    @property
    def metrics_names(self):
        """The names of what `evaluate` and `train_on_batch` return."""
        if not self._compiled:
            return ['loss']
        losses, compiled = self._compiled
        trained = losses.trained_outputs
        several = len(losses.losses) > 1 and len(trained) > 1
        return ['loss'] + (['%s_loss' % self._output_names[i] for i in trained] if several else []) \
            + compiled.names + self._names_of_added()

    def reset_metrics(self):
        for metric in self.metrics:
            metric.reset_state()

    # --- data --------------------------------------------------------------------------------------------------

    def _input_layout(self, x):
        """(names, ranks, dtypes, template): what the model's inputs are, and how to lay out x for `call`."""
        if self._graph is not None:
            inputs = self._graph.inputs
            names = self._graph.input_names
            return names, [len(t.shape) for t in inputs], [t.dtype for t in inputs], None
        return None, None, None, x if tree.is_nested(x) and not is_number_list(x) else None

    def _arrays(self, x, y, sample_weight, class_weight=None):
        """(xs, ys, weights, casts, template) as lists of host arrays."""
        names, ranks, dtypes, template = self._input_layout(x)
        if names is not None and isinstance(x, dict) and isinstance(self._graph.input_structure, dict):
            x = self._graph.flat_inputs(x)
        xs = flat_arrays(x, names, 'input', self.name, ranks)
        self._build_from(xs, template)
        self._check_inputs(xs)
        ys = self._targets(y)
        weights = self._weights(sample_weight, class_weight, ys)
        dtypes = dtypes or [None] * len(xs)
        casts = [_input_cast(array, dtype) for array, dtype in zip(xs, dtypes)]
        casts += [_target_cast(array) for array in ys + weights]
        return xs, ys, weights, casts, template

    def _check_inputs(self, xs):
        if self._graph is None:
            return
        for array, tensor, name in zip(xs, self._graph.inputs, self._graph.input_names):
            shape = tensor.shape
            fits = array.ndim == len(shape) and all(
                size is None or size == own for size, own in zip(shape[1:], array.shape[1:]))
            if not fits:
                raise ValueError('Model %s: input %s expects arrays of shape %s, but it received an array of shape %s. '
                                 'The first size is the batch.' % (self.name, name, shape, array.shape))

    def _build_from(self, xs, template):
        """Build a model that has not seen its input yet, and settle losses and metrics."""
        if not self.built or (self.optimizer is not None and self._compiled is None):
            shapes = [(None,) + array.shape[1:] for array in xs]
            dtypes = [_input_cast(array, None) or array.dtype.name for array in xs]
            outputs = self._build_symbolically(shapes, dtypes, template)
            if self.optimizer is not None and self._compiled is None:
                leaves = tree.flatten(outputs)
                names = self._graph.output_names if self._graph is not None else \
                    ['output_%d' % (i + 1) for i in range(len(leaves))]
                self._finish_compile(names, [leaf.shape for leaf in leaves])

    def _build_symbolically(self, shapes, dtypes, template):
        leaves = [AbstractTensor(shape, dtype) for shape, dtype in zip(shapes, dtypes)]
        inputs = leaves[0] if template is None and len(leaves) == 1 else \
            leaves if template is None else tree.pack_as(template, leaves)
        if not self.built:
            self._ensure_built_for(signature_of(type(self)), [inputs], {})
        if self._graph is not None:
            return self._graph.outputs
        return self._abstract_outputs([inputs], {})

    def _targets(self, y):
        if y is None or self._compiled is None:
            return [] if y is None else flat_arrays(y, None, 'target', self.name)
        losses = self._compiled[0]
        names = [self._output_names[index] for index in losses.trained_outputs]
        return flat_arrays(y, names, 'target', self.name, self._target_ranks())

    def _target_ranks(self):
        if self._graph is None:
            return None
        losses = self._compiled[0]
        # Class numbers stay a vector: as a column the loss would only squeeze them again, in every step.
        return [None if is_loss(losses.losses[index], 'sparse_categorical_crossentropy')
                else len(self._graph.outputs[index].shape) for index in losses.trained_outputs]

    def _weights(self, sample_weight, class_weight, ys):
        """One array or None per output of the model."""
        count = len(self._output_names) if self._compiled else 1
        names = self._output_names if self._compiled else ['output_1']
        if sample_weight is None:
            weights = [None] * count
        elif isinstance(sample_weight, dict) or isinstance(sample_weight, (list, tuple)) and count > 1:
            weights = per_output(sample_weight, names, 'sample_weight')
        else:
            weights = [sample_weight] * count
        weights = [None if weight is None else np.asarray(to_array(weight)) for weight in weights]
        if class_weight:
            by_output = [class_weight]
            if any(isinstance(value, (dict, list)) for value in
                   (class_weight.values() if isinstance(class_weight, dict) else class_weight)):
                by_output = per_output(class_weight, names, 'class_weight')
            for index, table in enumerate(by_output):
                if table:
                    factors = class_weights_of(ys[index], table)
                    weights[index] = factors if weights[index] is None else weights[index] * factors
        for index, weight in enumerate(weights):
            if weight is not None and ys and len(weight) != len(ys[0]):
                raise ValueError('sample_weight holds %d weights for %d samples.' % (len(weight), len(ys[0])))
        return weights

    def _array_data(self, x, y, sample_weight, class_weight=None):
        xs, ys, weights, casts, template = self._arrays(x, y, sample_weight, class_weight)
        data = ArrayData(xs, ys, weights, casts)
        data.template = template
        return data

    def _source(self, source, class_weight=None):
        """A `BatchSource` over a generator or data set."""
        data = BatchSource(source, None)
        data.template = None

        def prepare(batch):
            batch = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
            if not 1 <= len(batch) <= 3:
                raise ValueError('A generator must yield x, (x, y) or (x, y, sample_weight). It yielded a tuple of %d.'
                                 % len(batch))
            x, y, weight = batch + (None,) * (3 - len(batch))
            xs, ys, weights, casts, data.template = self._arrays(x, y, weight, class_weight)
            parts = [array if array is None or cast is None or array.dtype == cast else array.astype(cast)
                     for array, cast in zip([dense_rows(array) for array in xs] + ys + weights, casts)]
            return parts[:len(xs)], parts[len(xs):len(xs) + len(ys)], parts[len(xs) + len(ys):]
        data._prepare = prepare
        return data

    def _data(self, x, y, sample_weight, class_weight=None):
        if is_batch_source(x):
            if y is not None:
                raise ValueError('A generator yields its targets itself: leave out `y` when `x` is %s.'
                                 % type(x).__name__)
            return self._source(x, class_weight)
        return self._array_data(x, y, sample_weight, class_weight)

    # --- steps -------------------------------------------------------------------------------------------------

    def _step(self, kind, weights=(), template=None):
        """The compiled step for a kind of run; made once per kind, engine and presence of weights."""
        engine = get_engine()
        key = (kind, engine.name, tuple(weight is not None for weight in weights), template is None)
        step = self._steps.get(key)
        if step is None:
            if kind == 'predict':
                step = PredictStep(self, template)
            else:
                step = TrainOrTestStep(self, kind == 'train', key[2], template)
            self._steps[key] = step
        return step

    # --- fit ---------------------------------------------------------------------------------------------------

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose=1, callbacks=None, validation_split=0.,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
            steps_per_epoch=None, validation_steps=None, validation_freq=1, max_queue_size=10, workers=1,
            use_multiprocessing=False, validation_batch_size=None, **kwargs):
        """Train for a number of epochs.

        Args:
            x: array, list or dictionary of arrays, or something that yields batches (x, y[, sample_weight]).
            y: targets likewise; left out where x yields them. batch_size: samples per update, default 32.
            epochs: the number of the epoch to stop after. initial_epoch: the number to begin with.
            verbose: 0 silent, 1 a progress bar, 2 one line per epoch.
            callbacks: list of `Callback`s. validation_split: the last fraction of the arrays is held out.
            validation_data: (x, y) or (x, y, sample_weight), or a source of batches.
            shuffle: draw the samples in a new order in every epoch ('batch': shuffle batches).
            class_weight: {class: factor}. sample_weight: one factor per sample (or per sample and step).
            steps_per_epoch, validation_steps: number of batches, for endless sources.
            validation_freq: validate every so many epochs, or a list of epochs (from 1).

        Returns:
            A `History`: `history.history['loss']` has one float per epoch.

        Raises:
            RuntimeError: if the model is not compiled. ValueError: if the data does not fit the model.
        """
        epochs = kwargs.pop('nb_epoch', epochs)
        if kwargs:
            raise TypeError('fit: unknown argument %s.' % ', '.join(map(repr, kwargs)))
        self._require_compiled('fit')
        data = self._data(x, y, sample_weight, class_weight)
        validation = None
        if validation_data is not None:
            validation = self._validation_data(validation_data)
        elif validation_split:
            if not isinstance(data, ArrayData):
                raise ValueError('validation_split needs arrays; a generator cannot be split. Give validation_data.')
            data, validation = data.split(validation_split)
        batch_size = _batch_size(batch_size)
        steps = steps_per_epoch or _steps_of(data, batch_size)
        hooks = self._callbacks(callbacks, verbose, batch_size=batch_size, epochs=epochs, steps=steps,
                                samples=data.length if steps_per_epoch is None else None, validation=validation)
        self.stop_training = False
        hooks.on_train_begin()
        logs = None
        for epoch in range(initial_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            batches = _batches(data, batch_size, steps_per_epoch, shuffle)
            logs = self._run_epoch(data, batches, hooks, True)
            if validation is not None and _is_due(epoch, validation_freq):
                found = self._evaluate_data(validation, validation_batch_size or batch_size, validation_steps, hooks)
                logs.update(('val_' + name, value) for name, value in found.items())
            hooks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        hooks.on_train_end(logs)
        return self.history

    def _validation_data(self, given):
        if is_batch_source(given):
            return self._source(given)
        if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
            raise ValueError('validation_data must be (x, y) or (x, y, sample_weight). Received: %s of length %s.'
                             % (type(given).__name__, len(given) if hasattr(given, '__len__') else '?'))
        return self._data(given[0], given[1], given[2] if len(given) == 3 else None)

    def _callbacks(self, given, verbose, validation, **params):
        if isinstance(given, callbacks_module.CallbackList):
            return given
        verbose = 1 if verbose == 'auto' else verbose
        own = [callbacks_module.ProgbarLogger('samples' if params.get('samples') else 'steps')] if verbose else []
        self.history = callbacks_module.History()
        hooks = callbacks_module.CallbackList(own + list(given or ()) + [self.history])
        hooks.set_model(self)
        names = self.metrics_names
        params.update(verbose=int(verbose), do_validation=validation is not None,
                      metrics=names + ['val_' + name for name in names])
        hooks.set_params(params)
        return hooks

    def _run_epoch(self, data, batches, hooks, training):
        """Run all `batches`; returns the metrics as a dictionary."""
        begin, end = (hooks.on_train_batch_begin, hooks.on_train_batch_end) if training else \
            (hooks.on_test_batch_begin, hooks.on_test_batch_end)
        watched = hooks.has_batch_hooks
        step = logs = None
        number = samples = 0
        for xs, ys, weights, size in batches:
            if step is None:
                step = self._step('train' if training else 'test', weights, data.template)
                step.check_targets(ys)
                logs = RunningLogs(step.tally)
                totals = step.begin()
            if watched:
                begin(number, {'batch': number, 'size': size})
            totals = step(totals, xs, ys, weights)
            samples += size
            logs.totals, logs.samples, logs.batch, logs.size = totals, samples, number, size
            if watched:
                end(number, logs)
            number += 1
            if self.stop_training and training:
                break
        if logs is None:
            raise ValueError('The data yielded no batch. The usual cause: a generator that is exhausted, because it '
                             'was used for an earlier epoch.')
        metrics = logs.metrics()
        step.keep_metrics(totals, samples)
        return metrics

    # --- evaluate ----------------------------------------------------------------------------------------------

    def evaluate(self, x=None, y=None, batch_size=None, verbose=1, sample_weight=None, steps=None, callbacks=None,
                 max_queue_size=10, workers=1, use_multiprocessing=False, return_dict=False):
        """The loss and the metrics on data, averaged over the samples.

        Args:
            x, y, sample_weight, batch_size: as for `fit`. verbose: 0 silent, 1 a progress bar.
            steps: number of batches, for endless sources. return_dict: return {name: value}.

        Returns:
            The loss, or a list of the numbers named by `metrics_names`.
        """
        self._require_compiled('evaluate')
        data = self._data(x, y, sample_weight)
        batch_size = _batch_size(batch_size)
        hooks = self._test_callbacks(callbacks, verbose, batch_size, steps or _steps_of(data, batch_size),
                                     data.length if steps is None else None)
        logs = self._evaluate_data(data, batch_size, steps, hooks)
        return _returned(logs, return_dict)

    def _test_callbacks(self, given, verbose, batch_size, steps, samples):
        if isinstance(given, callbacks_module.CallbackList):
            return given
        verbose = 1 if verbose == 'auto' else verbose
        own = [callbacks_module.ProgbarLogger('samples' if samples else 'steps')] if verbose else []
        hooks = callbacks_module.CallbackList(own + list(given or ()))
        if len(hooks):
            hooks.set_model(self)
            hooks.set_params({'verbose': int(verbose), 'steps': steps, 'samples': samples, 'batch_size': batch_size,
                              'epochs': 1, 'metrics': self.metrics_names})
        return hooks

    def _evaluate_data(self, data, batch_size, steps, hooks):
        hooks.on_test_begin()
        logs = self._run_epoch(data, _batches(data, batch_size, steps, False), hooks, False)
        hooks.on_test_end(logs)
        return logs

    # --- predict -----------------------------------------------------------------------------------------------

    def predict(self, x, batch_size=None, verbose=0, steps=None, callbacks=None, max_queue_size=10, workers=1,
                use_multiprocessing=False):
        """The outputs for data, in inference mode, as NumPy arrays.

        Args:
            x: arrays as for `fit`, or something that yields batches. batch_size: samples at a time, default 32.
            steps: number of batches, for endless sources.

        Returns:
            An array, or the model's structure of arrays, with one row per sample.
        """
        batch_size = _batch_size(batch_size)
        if type(x) is np.ndarray and not verbose and not callbacks and 0 < len(x) <= batch_size:
            step = self._small_predictions.get((x.dtype, x.shape[1:], get_engine()))
            if step is not None:
                return step.packed([to_array(leaf) for leaf in step([x])])
        data = self._data(x, None, None)
        if isinstance(data, ArrayData) and data.length <= batch_size and not verbose and not callbacks:
            xs = next(data.batches(data.length))[0]
            step = self._step('predict', (), data.template)
            # Nothing had to be converted: the next small array goes straight in.
            if type(x) is np.ndarray and len(xs) == 1 and xs[0].shape == x.shape and xs[0].dtype == x.dtype:
                self._small_predictions[x.dtype, x.shape[1:], get_engine()] = step
            return step.packed([to_array(leaf) for leaf in step(xs)])
        return self._predict_batches(data, batch_size, steps, verbose, callbacks)

    def _predict_batches(self, data, batch_size, steps, verbose, callbacks):
        count = steps or _steps_of(data, batch_size)
        hooks = self._test_callbacks(callbacks, verbose, batch_size, count, data.length if steps is None else None)
        hooks.on_predict_begin()
        waiting, fetched, step = [], [], None
        for number, (xs, _, _, size) in enumerate(_batches(data, batch_size, steps, False)):
            step = step or self._step('predict', (), data.template)
            hooks.on_predict_batch_begin(number, {'batch': number, 'size': size})
            waiting.append(step(xs))
            if len(waiting) > _PREDICTIONS_IN_FLIGHT:
                fetched.append([to_array(leaf) for leaf in waiting.pop(0)])
            hooks.on_predict_batch_end(number, {'batch': number, 'size': size})
        fetched.extend([to_array(leaf) for leaf in leaves] for leaves in waiting)
        hooks.on_predict_end()
        return step.packed([np.concatenate(parts) for parts in zip(*fetched)])

    # --- single batches ----------------------------------------------------------------------------------------

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
        """One update on one batch.

        Returns:
            The loss before the update, or a list of the numbers named by `metrics_names`.
        """
        self._require_compiled('train_on_batch')
        return self._on_batch('train', x, y, sample_weight, class_weight, reset_metrics, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
        """The loss and the metrics of one batch."""
        self._require_compiled('test_on_batch')
        return self._on_batch('test', x, y, sample_weight, None, reset_metrics, return_dict)

    def _on_batch(self, kind, x, y, sample_weight, class_weight, reset_metrics, return_dict):
        data = self._array_data(x, y, sample_weight, class_weight)
        xs, ys, weights, size = next(data.batches(data.length))
        step = self._step(kind, weights, data.template)
        step.check_targets(ys)
        totals = step(step.begin(reset_metrics), xs, ys, weights)
        return _returned(step.tally.logs(to_array(totals), size), return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch, as NumPy arrays."""
        data = self._array_data(x, None, None)
        step = self._step('predict', (), data.template)
        return step.packed([to_array(leaf) for leaf in step(next(data.batches(data.length))[0])])

    # --- generators, Keras 2's names ---------------------------------------------------------------------------

    def fit_generator(self, generator, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None,
                      validation_data=None, validation_steps=None, validation_freq=1, class_weight=None,
                      max_queue_size=10, workers=1, use_multiprocessing=False, shuffle=True, initial_epoch=0):
        """`fit` on something that yields batches."""
        return self.fit(generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose,
                        callbacks=callbacks, validation_data=validation_data, validation_steps=validation_steps,
                        validation_freq=validation_freq, class_weight=class_weight, shuffle=shuffle,
                        initial_epoch=initial_epoch)

    def evaluate_generator(self, generator, steps=None, callbacks=None, max_queue_size=10, workers=1,
                           use_multiprocessing=False, verbose=0):
        """`evaluate` on something that yields batches."""
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_generator(self, generator, steps=None, callbacks=None, max_queue_size=10, workers=1,
                          use_multiprocessing=False, verbose=0):
        """`predict` on something that yields batches."""
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)


# --- helpers ------------------------------------------------------------------------------------------------------

def _input_cast(array, dtype):
    """The dtype to cast input batches to, or None: the model's own, else `floatx` for float64."""
    if array is None:
        return None
    if dtype is not None:
        return None if dtype == 'string' else dtype
    return config.floatx() if array.dtype == np.float64 else None


def _target_cast(array):
    return config.floatx() if array is not None and array.dtype == np.float64 and is_float(config.floatx()) else None


def _batch_size(batch_size):
    if batch_size is None:
        return DEFAULT_BATCH_SIZE
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise ValueError('batch_size must be a positive whole number. Received: %r' % (batch_size,))
    return int(batch_size)


def _steps_of(data, batch_size):
    return data.steps(batch_size) if isinstance(data, ArrayData) else data.known_steps


def _batches(data, batch_size, steps, shuffle):
    if isinstance(data, BatchSource):
        return data.batches(steps if steps is not None else None, bool(shuffle))
    if shuffle == 'batch':
        starts = np.random.permutation(data.steps(batch_size))
        order = np.concatenate([np.arange(s * batch_size, min((s + 1) * batch_size, data.length)) for s in starts])
        return _limited(data.batches(batch_size, order), steps)
    order = np.random.permutation(data.length) if shuffle else None
    return _limited(data.batches(batch_size, order), steps)


def _limited(batches, steps):
    if steps is None:
        return batches
    return (batch for batch, _ in zip(batches, range(steps)))


def _is_due(epoch, frequency):
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    return (epoch + 1) % frequency == 0


def _returned(logs, return_dict):
    if return_dict:
        return dict(logs)
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
