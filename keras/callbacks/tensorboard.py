"""The callback that writes what TensorBoard shows."""
import functools
import json
import os
import time
import warnings

import numpy as np

from keras import backend as K
from keras import generations
from keras.backend.contract.loading import get_engine
from keras.callbacks.base import Callback
from keras.callbacks.control import optimizers_of
from keras.callbacks.event_files import EventFile

# The arguments in the order of Keras 1 and 3, which agree as far as Keras 1 goes.
_OTHER_ORDER = ('log_dir', 'histogram_freq', 'write_graph', 'write_images', 'write_steps_per_second', 'update_freq',
                'profile_batch', 'embeddings_freq', 'embeddings_metadata')


def _in_either_order(method):
    """`method` for calls with positional arguments in the order of Keras 2, where a number is third, or of the others.
    """
    @functools.wraps(method)
    def called(self, *args, **kwargs):
        if len(args) > 2 and isinstance(args[2], bool):
            kwargs.update(zip(_OTHER_ORDER, args))
            args = ()
        return method(self, *args, **kwargs)
    return called


class TensorBoard(Callback):
    """Write what TensorBoard shows: `tensorboard --logdir logs`. Needs the package `tensorboard`, not TensorFlow.

    Args:
        log_dir: the folder. histogram_freq: every so many epochs, histograms of the weights are written; 0: never.
        batch_size: samples of the validation data that histograms of outputs and gradients are made from, at most.
        write_graph: write the graph of the layers. write_grads: with the histograms those of the gradients of the loss
            on validation data, too. write_images: with the histograms the weights as images.
        embeddings_freq: every so many epochs the weights of the Embedding layers are written for the projector; with
            `embeddings_data` (inputs of the model, a list for several), the outputs of `embeddings_layer_names` on it.
        embeddings_metadata: the name of a file with a label per row, or a dictionary of these by layer.
        update_freq: 'epoch', or how often the metrics are written meanwhile: 'batch', or a number (of batches in
            tf.keras and Keras 3, of samples before).
        profile_batch: number of a batch (from 1), or the first and last one, to profile: by the profiler of the engine,
            where TensorFlow, JAX and PyTorch have one. write_steps_per_second: the speed in batches, too.

    Keras 1 and 2 write all into one file, under the names in the logs, and ask for validation arrays where there are
    histograms, for those of the layers' outputs. tf.keras and Keras 3 write into the folders `train` and `validation`,
    with `epoch_` or `batch_` before the names, the learning rate, and `evaluation_loss_vs_iterations` and its like.

    Attributes:
        writer: the `EventFile` of the training, for values of your own: `writer.scalar(name, value, step)`,
            `histogram`, `image`, `text`. summary: the same under Keras 3's name.

    Raises:
        ImportError: where `tensorboard` is not installed. ValueError: for histograms without the validation arrays, or
        `embeddings_freq` without `embeddings_data` in Keras 1 and 2; for another `update_freq` or `profile_batch`.

    Example:
        >>> board = keras.callbacks.TensorBoard('logs', histogram_freq=1)         # doctest: +SKIP
        >>> model.fit(x, y, validation_split=0.1, callbacks=[board])              # doctest: +SKIP
    """

    @_in_either_order
    def __init__(self, log_dir=generations.Default('TensorBoard.log_dir'), histogram_freq=0, batch_size=32,
                 write_graph=True, write_grads=False,
                 write_images=False, embeddings_freq=0, embeddings_layer_names=None, embeddings_metadata=None,
                 embeddings_data=None, update_freq='epoch', profile_batch=0, write_steps_per_second=False):
        super().__init__()
        self.log_dir = os.fspath(generations.settled(log_dir))
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size or 32
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata
        self.embeddings_data = embeddings_data
        self.update_freq = 1 if update_freq == 'batch' else update_freq
        if self.update_freq != 'epoch' and (isinstance(self.update_freq, (bool, str)) or self.update_freq < 1):
            raise ValueError('TensorBoard: update_freq must be "epoch", "batch" or a positive number. Received: %r'
                             % (update_freq,))
        self._in_folders = generations.value('metrics_in_folders')
        self._profile = _Profile(profile_batch)
        train = os.path.join(self.log_dir, 'train') if self._in_folders else self.log_dir
        self.writer = EventFile(train)
        self._of_validation = EventFile(os.path.join(self.log_dir, 'validation'))
        self._seen = self._written = self._batches = self._tested = 0
        self._is_training = False
        if not (update_freq != 'epoch' or self._profile.last or write_steps_per_second):
            self.idle_hooks = (TensorBoard.on_train_batch_begin, TensorBoard.on_train_batch_end)
        self._batch_begin = self._epoch_begin = None
        self._batches_before = 0
        self._on_data = None

    @property
    def summary(self):
        return self.writer

    # --- the hooks -----------------------------------------------------------------------------------------------

    def set_model(self, model):
        super().set_model(model)
        self._on_data = None
        if self.write_graph:
            self._write_model(model)

    def on_train_begin(self, logs=None):
        self._is_training = True

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_begin, self._batches_before = time.time(), self._batches

    def on_train_batch_begin(self, batch, logs=None):
        self._batches += 1
        self._batch_begin = time.time()
        self._profile.before(self._batches, self.writer.folder)

    def on_train_batch_end(self, batch, logs=None):
        self._profile.after(self._batches)
        if self.write_steps_per_second:
            self._scalar(self.writer, 'batch_steps_per_second', 1 / max(time.time() - self._batch_begin, 1e-9),
                         self._batches)
        if self.update_freq == 'epoch':
            return
        if self._in_folders:
            if self._batches % self.update_freq == 0:
                self._write_logs({'batch_' + name: value for name, value in (logs or {}).items()}, self._batches)
            return
        self._seen += (logs or {}).get('size', 0)
        if self._seen - self._written >= self.update_freq:
            self._written = self._seen
            self._write_logs(logs, self._seen)

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        if self._in_folders:
            self._write_epoch(epoch, logs)
        else:
            self._write_logs(logs, epoch if self.update_freq == 'epoch' else self._seen)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
            self._write_outputs(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self.writer.flush()
        self._of_validation.flush()

    def on_test_end(self, logs=None):
        optimizer = getattr(self.model, 'optimizer', None)
        if self._in_folders and hasattr(optimizer, 'iterations'):
            iterations = int(np.asarray(optimizer.iterations))
            for name, value in (logs or {}).items():
                self._scalar(self._of_validation, 'evaluation_%s_vs_iterations' % name, value, iterations)
        if not self._is_training:
            self._of_validation.close()

    def on_train_end(self, logs=None):
        self._is_training = False
        self._profile.stop()
        self.writer.close()
        self._of_validation.close()

    # --- metrics -------------------------------------------------------------------------------------------------

    def _write_logs(self, logs, index):
        """Write all numbers of `logs` under their names, for the step `index`."""
        for name, value in (logs or {}).items():
            if name not in ('batch', 'size'):
                self._scalar(self.writer, name, value, index)
        self.writer.flush()

    def _write_epoch(self, epoch, logs):
        of_validation = {name: logs.pop(name) for name in list(logs) if name.startswith('val_')}
        for optimizer in optimizers_of(self.model):
            rate = getattr(optimizer, 'learning_rate', None)
            if rate is not None:
                several = optimizer is not self.model.optimizer
                logs['learning_rate_%s' % optimizer.name if several else 'learning_rate'] = np.asarray(rate)
        if self.write_steps_per_second:
            logs['steps_per_second'] = (self._batches - self._batches_before) / max(time.time() - self._epoch_begin,
                                                                                    1e-9)
        for name, value in logs.items():
            self._scalar(self.writer, 'epoch_' + name, value, epoch)
        for name, value in of_validation.items():
            self._scalar(self._of_validation, 'epoch_' + name[4:], value, epoch)

    def _scalar(self, file, name, value, step):
        value = np.asarray(value)
        if value.size == 1 and value.dtype.kind in 'biuf':
            write = file.scalar if self._in_folders else file.plain_scalar
            write(name, value.reshape(()), step)

    # --- the model -----------------------------------------------------------------------------------------------

    def _write_model(self, model):
        if getattr(model, 'layer_graph', None) is None:
            return
        if not self._in_folders:
            self.writer.graph(_nodes(model))
            return
        try:
            description = model.to_json()
        except (TypeError, ValueError, NotImplementedError) as error:
            warnings.warn('TensorBoard: the graph is not written, since the model has no description in JSON: %s'
                          % error)
        else:
            self.writer.keras_model('keras', description)

    def _weights(self):
        """Pairs (name, array) of the weights of the layers."""
        for layer in self.model.layers:
            for weight in layer.weights:
                name = weight.path if self._in_folders else weight.name
                name = name if '/' in name else '%s/%s' % (layer.name, name)
                yield name.replace(':', '_'), weight

    def _write_weights(self, epoch):
        for name, weight in self._weights():
            value = weight.numpy()
            self.writer.histogram(name + '/histogram' if self._in_folders else name, value, epoch)
            images = _as_images(value) if self.write_images else None
            if images is not None:
                self.writer.image(name + '/image', images, epoch)

    def _write_outputs(self, epoch):
        """Histograms of the layers' outputs (Keras 1 and 2) and of the gradients (`write_grads`) on validation data."""
        if self._in_folders and not self.write_grads:
            return
        if not self.validation_data:
            raise ValueError('TensorBoard: histograms of outputs and gradients are made from validation data. Give fit '
                             'validation_data or validation_split as arrays, not as a generator.')
        if self._on_data is None:
            self._on_data = self._function_of_data()
        names, function = self._on_data
        for name, value in zip(names, function([array[:self.batch_size] for array in self.validation_data])):
            self.writer.histogram(name, value, epoch)

    def _function_of_data(self):
        """(names, a function of validation data that gives what they name)."""
        model, names, wanted = self.model, [], []
        if not self._in_folders:
            for layer in model.layers:
                outputs = [tensor for node in layer.inbound_nodes[:1] for tensor in node.outputs]
                for number, tensor in enumerate(outputs):
                    names.append('%s_out%s' % (layer.name, '_%d' % number if len(outputs) > 1 else ''))
                    wanted.append(tensor)
        if self.write_grads:
            trained = [(name, weight) for name, weight in self._weights() if weight.trainable]
            names += [name + '_grad' for name, _ in trained]
            wanted += K.gradients(model.total_loss, [weight for _, weight in trained])
        return names, K.function(model.inputs + model.targets + model.sample_weights, wanted)

    # --- embeddings ----------------------------------------------------------------------------------------------

    def _write_embeddings(self):
        """Write the tables of the projector, and which there are."""
        if self.embeddings_data is None and not self._in_folders:
            raise ValueError('TensorBoard: to show embeddings (embeddings_freq), give embeddings_data.')
        names = self.embeddings_layer_names
        layers = [layer for layer in self.model.layers
                  if (layer.name in names if names else type(layer).__name__ == 'Embedding')]
        unknown = set(self.embeddings_metadata) - {layer.name for layer in layers} \
            if isinstance(self.embeddings_metadata, dict) else ()
        if unknown:
            raise ValueError('TensorBoard: Unrecognized `Embedding` layer names passed to embeddings_metadata: %s. The '
                             'layers are: %s.' % (sorted(unknown), [layer.name for layer in layers]))
        entries = []
        for layer, table in zip(layers, self._tables(layers)):
            file = 'embedding_%s.tsv' % layer.name.replace('/', '_')
            os.makedirs(self.log_dir, exist_ok=True)
            np.savetxt(os.path.join(self.log_dir, file), table.reshape(len(table), -1), fmt='%.7g', delimiter='\t')
            given = self.embeddings_metadata
            metadata = given.get(layer.name) if isinstance(given, dict) else given
            lines = ['tensor_name: %s' % json.dumps(layer.name), 'tensor_path: %s' % json.dumps(file)]
            if metadata is not None:
                lines.insert(1, 'metadata_path: %s' % json.dumps(os.fspath(metadata)))
            entries.append('embeddings {\n%s}\n' % ''.join('  %s\n' % line for line in lines))
        with open(os.path.join(self.log_dir, 'projector_config.pbtxt'), 'w') as file:
            file.write(''.join(entries))

    def _tables(self, layers):
        """An array with one row per point for each layer."""
        data = self.embeddings_data
        if data is None:
            return [layer.get_weights()[0] for layer in layers]
        data = data if isinstance(data, (list, tuple)) else [data]
        return K.function(self.model.inputs, [layer.output for layer in layers])([np.asarray(part) for part in data])

    def __getstate__(self):
        return dict(self.__dict__, _on_data=None)


class _Profile:
    """The profiler of the engine, for some batches.

    Args:
        given: the number of a batch, from 1, or the first and the last one, also as the text 'first,last'; 0 for none.
    """

    def __init__(self, given):
        try:
            bounds = [int(part) for part in (given.split(',') if isinstance(given, str) else
                                             given if isinstance(given, (list, tuple)) else [given])]
        except (TypeError, ValueError):
            bounds = []
        if len(bounds) not in (1, 2) or bounds[0] < 0 or bounds[-1] < bounds[0]:
            raise ValueError('TensorBoard: profile_batch must be the number of a batch, or the first and the last one. '
                             'Received: %r' % (given,))
        self._first, self.last = bounds[0], bounds[-1]
        self._running = None

    def before(self, number, folder):
        if number == self._first:
            self._running = get_engine().profile(folder)
            if self._running is None:
                warnings.warn('TensorBoard: nothing is profiled, since the %s engine has no profiler.'
                              % get_engine().name)
            else:
                self._running.__enter__()

    def after(self, number):
        if number >= self.last:
            self.stop()

    def stop(self):
        if self._running is not None:
            running, self._running = self._running, None
            running.__exit__(None, None, None)


def _nodes(model, prefix='', feeds=()):
    """[(name, class, inputs, output shape)] of the layers of a model, those of inner ones with its name before theirs.

    Args:
        feeds: the names of the nodes that feed its inputs.
    """
    found, names = [], {}
    inputs = dict(zip(map(id, model.layer_graph.inputs), feeds))
    for node in model.layer_graph.all_nodes():
        operation, number = node.operation, len(found)
        name = '%s%s' % (prefix, operation.name)
        if any(name == known[0] for known in found):
            name = '%s_%d' % (name, number)
        taken = [names[id(tensor)] for tensor in node.input_tensors if id(tensor) in names]
        taken += [inputs[id(tensor)] for tensor in node.outputs if id(tensor) in inputs]
        if getattr(operation, 'layer_graph', None) is not None:
            inner = _nodes(operation, name + '/', taken)
            found.extend(inner)
            name = inner[-1][0]
        else:
            found.append((name, type(operation).__name__, taken, node.outputs[0].shape))
        names.update((id(tensor), name) for tensor in node.outputs)
    return found


def _as_images(value):
    """A weight as images (number, rows, columns, channels) with its least entry black and its largest white, or None
    where it has too many axes."""
    value = np.squeeze(np.asarray(value, 'float64'))
    if value.size == 0 or value.ndim > 3:
        return None
    if value.ndim < 2:
        value = value.reshape(1, -1)
    if value.ndim == 2:
        value = (value.T if value.shape[0] > value.shape[1] else value)[None]
    elif K.image_data_format() == 'channels_last':
        value = np.moveaxis(value, 2, 0)
    least, span = value.min(), value.max() - value.min()
    return ((value - least) / (span or 1))[..., None]
