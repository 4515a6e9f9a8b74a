"""What stands for names that are private to upstream where the public interface says the same in other words.

A test of `CompileLoss` is one of `Model.compute_loss`, and one of `IndexLookup` is one of `StringLookup`: who writes
these tests for the public interface would write them so. `STAND_INS` has {(module below `keras.src`, name): what makes
the stand-in}; the makers are called when a test asks for the name. `OPERATIONS` has {module: {class of an operation:
(public function, parameters of the constructor, of the call)}} where upstream's source does not say it in one call.
"""
import numpy as np

from keras import Input, KerasTensor, Model, layers, name_scope, ops, random, saving, tree


def index_lookup(vocabulary_dtype='int64', **kwargs):
    """The lookup of the vocabulary's type."""
    if vocabulary_dtype == 'string':
        return layers.StringLookup(**kwargs)
    return layers.IntegerLookup(vocabulary_dtype=vocabulary_dtype, **kwargs)


def conv_lstm(rank, **kwargs):
    return {1: layers.ConvLSTM1D, 2: layers.ConvLSTM2D, 3: layers.ConvLSTM3D}[rank](**kwargs)


def load_model_from_hdf5(path, **kwargs):
    return saving.load_model(path, **kwargs)


def save_model_to_hdf5(model, path, **kwargs):
    return model.save(path, **kwargs)


def load_weights_only(model, path, **kwargs):
    return model.load_weights(path, **kwargs)


def save_weights_only(model, path, **kwargs):
    return model.save_weights(path, **kwargs)


def set_logging_verbosity(level):
    from absl import logging
    logging.set_verbosity({'FATAL': -3, 'ERROR': -2, 'WARNING': -1, 'INFO': 0, 'DEBUG': 1}[level])


def extract_patches(images, size, **kwargs):
    if np.size(size) == 3:
        return ops.image.extract_patches_3d(images, size, **kwargs)
    return ops.image.extract_patches(images, size, **kwargs)


class _Says(Model):
    """A model of which only the losses and metrics matter."""

    def call(self, inputs):
        return inputs


class _Compiled:
    """A model that is made when the structure of its outputs is known."""

    def __init__(self, output_names, **compiled):
        self.output_names, self.compiled, self.model = output_names, compiled, None

    def build(self, y_true, y_pred):
        if self.model is None:
            self._make(y_pred)
        if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(y_pred)):
            self._computed(tree.map_structure(_zeros, y_true), tree.map_structure(_zeros, y_pred))
            self.reset_state()

    def _make(self, y_pred):
        self.model = _Says()
        if self.output_names:
            leaves = [Input(np.shape(_zeros(leaf))[1:]) for leaf in tree.flatten(y_pred)]
            ends = [layers.Identity(name=name)(leaf) for name, leaf in zip(self.output_names, leaves)]
            self.model = Model(leaves, tree.pack_sequence_as(y_pred, ends))
        self.model.compile(**self.compiled)

    @property
    def metrics(self):
        return [metric for metric in self.model.metrics if metric.name != 'loss']

    def reset_state(self):
        self.model.reset_metrics()


class CompileLoss(_Compiled):
    def __init__(self, loss, loss_weights=None, output_names=None):
        super().__init__(output_names, loss=loss, loss_weights=loss_weights)

    def __call__(self, y_true, y_pred, sample_weight=None):
        if self.model is None:
            self._make(y_pred)
        return self._computed(y_true, y_pred, sample_weight)

    def _computed(self, y_true, y_pred, sample_weight=None):
        return self.model.compute_loss(y=y_true, y_pred=y_pred, sample_weight=sample_weight)


class CompileMetrics(_Compiled):
    def __init__(self, metrics, weighted_metrics, output_names=None):
        super().__init__(output_names, metrics=metrics, weighted_metrics=weighted_metrics)

    def update_state(self, y_true, y_pred, sample_weight=None):
        self._computed(y_true, y_pred, sample_weight)

    def _computed(self, y_true, y_pred, sample_weight=None):
        self.model.compute_metrics(None, y_true, y_pred, sample_weight)

    def result(self):
        found = self.model.get_metrics_result()
        found.pop('loss', None)
        return found


def _zeros(leaf):
    return np.zeros(leaf.shape, 'float32') if isinstance(leaf, KerasTensor) else leaf


def draw_seed(seed):
    """What a seed draws, whose numbers nobody else sees: whether a public function takes it."""
    random.uniform((1,), seed=seed)
    return seed.next() if isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed).next()


def _of_utils(name):
    from keras.utils import data_utils, generic_utils
    return getattr(data_utils, name, None) or getattr(generic_utils, name)


STAND_INS = {
    ('backend.torch.core', 'get_device'): lambda: lambda: 'cpu',
    ('backend.common.name_scope', 'name_scope'): lambda: name_scope,
    ('layers', 'IndexLookup'): lambda: index_lookup,
    ('layers.rnn.conv_lstm', 'ConvLSTM'): lambda: conv_lstm,
    ('legacy.saving.legacy_h5_format', 'load_model_from_hdf5'): lambda: load_model_from_hdf5,
    ('legacy.saving.legacy_h5_format', 'save_model_to_hdf5'): lambda: save_model_to_hdf5,
    ('saving.saving_lib', 'load_weights_only'): lambda: load_weights_only,
    ('saving.saving_lib', 'save_weights_only'): lambda: save_weights_only,
    ('saving.saving_lib', '_CONFIG_FILENAME'): lambda: 'config.json',
    ('saving.saving_lib', '_METADATA_FILENAME'): lambda: 'metadata.json',
    ('trainers.compile_utils', 'CompileLoss'): lambda: CompileLoss,
    ('trainers.compile_utils', 'CompileMetrics'): lambda: CompileMetrics,
    ('random.seed_generator', 'draw_seed'): lambda: draw_seed,
    ('utils.backend_utils', 'convert_tf_tensor'): lambda: ops.convert_to_tensor,
    ('utils.io_utils', 'set_logging_verbosity'): lambda: set_logging_verbosity,
    ('utils.file_utils', 'hash_file'): lambda: _of_utils('_hash_file'),
    ('utils.file_utils', 'validate_file'): lambda: _of_utils('validate_file'),
    ('utils.naming', 'to_snake_case'): lambda: _of_utils('to_snake_case'),
    ('utils.python_utils', 'func_dump'): lambda: _of_utils('func_dump'),
    ('utils.python_utils', 'func_load'): lambda: _of_utils('func_load'),
}
OPERATIONS = {
    'ops': {'Map': (ops.map, '', 'f xs'), 'Unstack': (ops.unstack, 'num axis', 'x')},
    'ops.core': {'Map': (ops.map, '', 'f xs'), 'Unstack': (ops.unstack, 'num axis', 'x'),
                 'Cast': (ops.cast, 'dtype', 'x'), 'SaturateCast': (ops.saturate_cast, 'dtype', 'x')},
    'ops.image': {'ExtractPatches': (extract_patches, 'size strides dilation_rate padding data_format', 'images')},
    'ops.numpy': {'Linspace': (ops.linspace, 'num endpoint retstep dtype axis', 'start stop'),
                  'Logspace': (ops.logspace, 'num endpoint base dtype axis', 'start stop'),
                  'Geomspace': (ops.geomspace, 'num endpoint dtype axis', 'start stop'),
                  'Pad': (ops.pad, 'pad_width mode', 'x constant_values'), 'Diff': (ops.diff, 'n axis', 'a'),
                  'Abs': (ops.abs, '', 'x'), 'Conj': (ops.conj, '', 'x')},
}
