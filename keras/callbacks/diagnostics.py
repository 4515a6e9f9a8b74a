"""Callbacks that look into a training: speed, norms, numbers that are none, the time of each layer."""
import contextlib
import functools
import time

import numpy as np

from keras import backend as K
from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import running
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import is_float
from keras.backend.state.variables import Variable, to_array
from keras.callbacks.base import Callback
from keras.layers.weights import change_adapters


class Throughput(Callback):
    """Measure how fast a training is, and how much of its time it waits for data.

    The logs of an epoch get `samples_per_second`, `data_wait` (the share of the time between two batches, in which data
    is made, from 0 to 1) and, where it is known how many tokens a sample has, `tokens_per_second`.

    Args:
        tokens_per_sample: a number; by default the length of the first input (of the shape samples, steps) where that
            holds ints, or the model has an Embedding.

    Steps of engines that run while Python goes on are counted when the epoch has ended.

    Example:
        >>> speed = keras.callbacks.Throughput()
        >>> history = model.fit(x, y, verbose=0, callbacks=[speed])
        >>> 'samples_per_second' in history.history
        True
    """

    def __init__(self, tokens_per_sample=None):
        super().__init__()
        self.tokens_per_sample = tokens_per_sample

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = self._end = time.time()
        self._waited, self._samples, self._tokens = 0.0, 0, 0

    def see_batch(self, batch):
        """Take the next batch, which has just come."""
        self._waited += time.time() - self._end
        self._samples += batch.size
        first = batch.xs[0] if batch.xs else None
        if self.tokens_per_sample is not None:
            self._tokens += batch.size * self.tokens_per_sample
        elif first is not None and len(first.shape) == 2 and self._holds_tokens(first):
            self._tokens += batch.size * int(first.shape[1])

    def _holds_tokens(self, array):
        return 'int' in str(array.dtype) or any(type(layer).__name__ == 'Embedding'
                                                for layer in self.model.walk_layers())

    def on_train_batch_end(self, batch, logs=None):
        self._end = time.time()

    def on_test_begin(self, logs=None):
        self._paused = time.time()

    def on_test_end(self, logs=None):
        self._begin += time.time() - getattr(self, '_paused', time.time())

    def on_epoch_end(self, epoch, logs=None):
        seconds = max(time.time() - self._begin, 1e-9)
        if logs is not None:
            logs['samples_per_second'] = self._samples / seconds
            logs['data_wait'] = min(self._waited / seconds, 1.0)
            if self._tokens:
                logs['tokens_per_second'] = self._tokens / seconds


class GradientNorms(Callback):
    """Log the norms of the gradients and of the weights: `gradient_norm` and `weight_norm` of all together, per epoch.

    The norms of the gradients are those of the step itself, computed along with it.

    Args:
        frequency: every so many batches the norms are fetched, and noted in `history`; 'epoch': at its last batch.

    Attributes:
        history: a list of {'batch': number over all epochs, from 1, 'gradients': {path of weight: norm},
            'weights': {path: norm}}.

    Raises:
        NotImplementedError: for a model that defines its `train_step` itself.

    Example:
        >>> norms = keras.callbacks.GradientNorms()
        >>> history = model.fit(x, y, verbose=0, callbacks=[norms])               # doctest: +SKIP
        >>> norms.history[-1]['gradients']                                        # doctest: +SKIP
        {'sequential/dense/kernel': 0.3, 'sequential/dense/bias': 0.1}
    """

    def __init__(self, frequency='epoch'):
        super().__init__()
        if frequency != 'epoch' and (not isinstance(frequency, int) or frequency < 1):
            raise ValueError('GradientNorms: frequency must be "epoch" or a number of batches. Received: %r'
                             % (frequency,))
        self.frequency, self.history = frequency, []
        self._norms = self._variables = None
        self._batches = 0
        if frequency == 'epoch':
            self.idle_hooks = (GradientNorms.on_train_batch_end,)

    def on_train_begin(self, logs=None):
        self.model.watch_gradients(self)
        self.history, self._batches = [], 0

    def on_train_end(self, logs=None):
        self.model.watch_gradients(None)

    # --- what the step calls

    def build(self, variables):
        """Take the list of the variables that a step trains; returns those that `see` assigns."""
        if self._variables is None or list(map(id, variables)) != list(map(id, self._variables)):
            self._variables = list(variables)
            self._norms = Variable(np.zeros(len(variables)), dtype='float32', trainable=False, name='gradient_norms')
        return [self._norms]

    def see(self, gradients):
        """Take the gradients of a step, while it runs."""
        self._norms.assign(ops.stack([ops.cast(ops.sqrt(ops.sum(ops.square(gradient))), 'float32')
                                      for gradient in gradients]))

    # --- the hooks

    def on_train_batch_end(self, batch, logs=None):
        self._batches += 1
        if self._batches % self.frequency == 0:
            self._note()

    def _note(self):
        paths = [variable.path for variable in self._variables]
        found = {'batch': self._batches, 'gradients': dict(zip(paths, map(float, self._norms.numpy()))),
                 'weights': {variable.path: float(np.linalg.norm(np.asarray(variable.numpy(), 'float64')))
                             for variable in self._variables}}
        self.history.append(found)
        return found

    def on_epoch_end(self, epoch, logs=None):
        if self.frequency == 'epoch':
            self._batches = int(np.asarray(self.model.optimizer.iterations))
            self._note()
        if logs is not None and self.history:
            for name in ('gradient', 'weight'):
                norms = list(self.history[-1][name + 's'].values())
                logs[name + '_norm'] = float(np.linalg.norm(norms))


class NaNDetector(Callback):
    """End the training at the first loss that is NaN or infinite, and say which layer and tensor it began with.

    The model gets back the weights that it had before that batch. For finding a fault: it keeps a copy of the weights
    and reads the loss at every batch, so every batch waits for the device.

    Raises (in `fit`):
        FloatingPointError: naming the first of these that is not finite: an input, a weight, the output of a layer (the
        innermost, inside of other layers and models, too), the loss, or else the gradients.

    Example:
        >>> history = model.fit(x, y, verbose=0, callbacks=[keras.callbacks.NaNDetector()])
    """

    def __init__(self):
        super().__init__()
        self._batch = self._before = None

    def see_batch(self, batch):
        """Take the next batch, which has just come."""
        self._batch = batch
        if not self.model.built and self.model.defines_own('train'):
            # Their weights would first be seen after the step that makes them.
            with contextlib.suppress(NotImplementedError):
                self.model.build_for(_inputs_of(self.model, batch))
        self._before = [(weight, np.array(weight.numpy())) for weight in self.model.weights]

    def on_train_batch_end(self, batch, logs=None):
        loss = _loss_in(logs.metrics() if hasattr(logs, 'metrics') else logs or {})
        weights = [weight for weight, _ in self._before if not _is_finite(weight.numpy())]
        if (loss is None or _is_finite(loss)) and not weights:
            return
        for weight, value in self._before:
            weight.assign(value)
        raise FloatingPointError('Batch %d: the loss is %s after it. The first that is not finite is %s. The model has '
                                 'the weights from before this batch.' % (batch, loss, self._first(loss, weights)))

    def _first(self, loss, weights):
        for number, array in enumerate(self._batch.xs):
            if array is not None and not _is_finite(array):
                return 'input %d of the batch: %s' % (number, _described(array))
        for weight, value in self._before:
            if not _is_finite(value):
                return 'the weight %s, before the batch: %s' % (weight.path, _described(value))
        runs, outputs = _outputs_by_layer(self.model, self._batch)
        for layer, number, array in outputs:
            if not _is_finite(array):
                return 'output %d of the layer %s (%s): %s' % (number, layer.name, type(layer).__name__,
                                                               _described(array))
        for number, array in enumerate(self._batch.ys):
            if array is not None and not _is_finite(array):
                return 'target %d of the batch: %s' % (number, _described(array))
        if not _is_finite(loss):
            return 'the loss: all layers give finite outputs, so it is the loss function that does not' if runs else \
                'the loss, or what a layer gives: the model has no `call` that could say which'
        return 'the gradient of %s: the loss is finite' % weights[0].path


def _is_finite(array):
    array = np.asarray(to_array(array) if not isinstance(array, (int, float, np.ndarray)) else array)
    return array.dtype.kind not in 'fc' or bool(np.isfinite(array).all())


def _described(array):
    array = np.asarray(to_array(array) if not isinstance(array, np.ndarray) else array)
    return 'shape %s, %d of %d numbers are NaN, %d infinite' % (
        array.shape, np.isnan(array).sum(), array.size, np.isinf(array).sum())


def _loss_in(logs):
    """The loss in the logs; of those that a model of one's own gives under other names, one that is not finite."""
    losses = [logs['loss']] if 'loss' in logs else [value for name, value in logs.items() if 'loss' in name]
    return next((value for value in losses if not _is_finite(value)), losses[0] if losses else None)


def _inputs_of(model, batch):
    """The inputs of a batch as the model takes them."""
    data = batch.layout.inputs([array if array is None else ops.convert_to_tensor(array) for array in batch.xs])
    # A step of the model's own gets the targets, too.
    return data[0] if model.defines_own('train') and isinstance(data, tuple) else data


def _outputs_by_layer(model, batch):
    """Run a model on a batch once more, for what the layers in it give.

    Returns:
        Whether the model runs by itself, and (layer, number of the output, array) for every call of a layer in the
        order in which they end. What layers give inside of loops of the engine is left out.
    """
    found = []
    with contextlib.ExitStack() as watches:
        for layer in model.walk_layers():
            if layer is not model:
                watches.enter_context(_watched(layer, found))
        change_adapters()  # so that graphs of layers run by what they are now
        try:
            # What this run assigns is dropped.
            with Ledger(outer=None), running(True):
                model(_inputs_of(model, batch), training=True)
        except NotImplementedError:
            return False, []
    change_adapters()
    return True, [(layer, number, np.asarray(to_array(leaf))) for layer, number, leaf in found if _has_value(leaf)]


@contextlib.contextmanager
def _watched(layer, found):
    """Have `layer` note what it gives in `found` within the block."""
    call, own = layer.call, vars(layer).get('call')

    @functools.wraps(call)
    def noting(*args, **kwargs):
        outputs = call(*args, **kwargs)
        found.extend((layer, number, leaf) for number, leaf in enumerate(tree.flatten(outputs)) if leaf is not None)
        return outputs
    layer.call = noting
    try:
        yield
    finally:
        del layer.call
        if own is not None:
            layer.call = own


def _has_value(leaf):
    try:
        to_array(leaf)
    except Exception:  # each engine has an error of its own for what is inside of a loop
        return False
    return True


class LayerProfiler(Callback):
    """Time every layer forward and backward, each by itself, on the first batch of a training.

    Args:
        repetitions: how often each layer runs; the least time counts. verbose: 1 prints the table.

    Attributes:
        table: a list of (name of the layer, its class, output shape, seconds), in the order in which they run. It is
            the layers alone: an engine that fuses them takes less for all together.
        backward: {name of the layer: seconds that its gradients take besides: by its weights, and by its inputs unless
            these are the data}, the sum of its calls; without layers that have none.

    Raises:
        ValueError: in `fit`, for a model that is no graph of layers.

    Example:
        >>> profiler = keras.callbacks.LayerProfiler(verbose=0)
        >>> history = model.fit(x, y, verbose=0, callbacks=[profiler])
        >>> [row[1] for row in profiler.table]
        ['Dense']
    """

    def __init__(self, repetitions=5, verbose=1):
        super().__init__()
        self.repetitions, self.verbose, self.table, self.backward = repetitions, verbose, [], {}

    def on_train_begin(self, logs=None):
        self.table, self.backward = [], {}

    def see_batch(self, batch):
        """Take the next batch, which has just come."""
        if self.table:
            return
        if self.model.layer_graph is None:
            raise ValueError('LayerProfiler: model %s is no graph of layers, so its layers cannot run by themselves.'
                             % self.model.name)
        inputs = dict(zip(map(id, self.model.inputs), map(to_array, batch.xs)))
        for node in self.model.layer_graph.layer_nodes:
            if getattr(node.operation, 'is_input', False):
                continue
            arrays = [inputs[id(tensor)] for tensor in node.input_tensors] + [1]
            outputs, seconds = self._timed(node, node.outputs, arrays)
            inputs.update(zip(map(id, node.outputs), outputs))
            name = node.operation.name
            self.table.append((name, type(node.operation).__name__, np.shape(outputs[0]), seconds))
            gradients = _gradients(node, self.model.inputs)
            if gradients:
                both = self._timed(node, gradients, arrays)[1]
                self.backward[name] = self.backward.get(name, 0.0) + max(both - seconds, 0.0)
        if self.verbose:
            print(self.report())

    def _timed(self, node, results, arrays):
        """(the values of `results`, symbolic tensors, for the inputs of a node; the least seconds that they take)."""
        function = K.function(list(node.input_tensors) + [K.learning_phase()], list(results))
        values, times = function(arrays), []
        for _ in range(self.repetitions):
            begin = time.time()
            function(arrays)
            times.append(time.time() - begin)
        return values, min(times)

    def report(self):
        """The table as text, the layers that are slowest forward first."""
        total = sum(row[3] for row in self.table) or 1.0
        rows = sorted(self.table, key=lambda row: -row[3])
        backward = {name: '%.3f' % (1e3 * seconds) for name, seconds in self.backward.items()}
        return '\n'.join(['%10s %6s %11s  %s' % ('ms', 'share', 'backward ms', 'layer (class) output')] + [
            '%10.3f %5.1f%% %11s  %s (%s) %s' % (1e3 * seconds, 100 * seconds / total, backward.get(name, ''), name,
                                                 kind, shape)
            for name, kind, shape, seconds in rows])


def _gradients(node, data):
    """What training takes of the gradients of a layer's node: by weights, and by inputs unless they are the `data`."""
    outputs = [tensor for tensor in node.outputs if is_float(tensor.dtype)]
    given = set(map(id, data))
    by = [tensor for tensor in node.input_tensors if is_float(tensor.dtype) and id(tensor) not in given]
    by += getattr(node.operation, 'trainable_weights', ())
    if not get_engine().capabilities.gradients or not outputs or not by:
        return []
    return [gradient for gradient in K.gradients(outputs, by) if gradient is not None]
