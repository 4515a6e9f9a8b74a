"""GPTQ and AWQ for the blocks of a model, one after the other: what a block gets has gone through quantized ones."""
import contextlib

import numpy as np

from keras.backend.state.variables import to_array
from keras.layers.adapted import Adapted
from keras.layers.weights import change_adapters
from keras.quantizers.calibration import Inputs


def calibrate(structure, config, wanted):
    """Quantize the dense layers inside of the blocks of a model.

    Args:
        structure: {'pre_block_layers', 'sequential_blocks'}, see `Model.get_quantization_layer_structure`.
        config: a `GPTQConfig` or an `AWQConfig`. wanted: function of a layer that says whether it is meant.

    Raises:
        ValueError: where blocks or data are missing.
    """
    if not structure or not structure.get('sequential_blocks'):
        raise ValueError(
            "For mode='%s', a valid quantization structure must be provided either via "
            '`config.quantization_layer_structure` or by overriding `model.get_quantization_layer_structure(mode)`. '
            "The structure should be a dictionary with keys 'pre_block_layers' and 'sequential_blocks'. Received: %r"
            % (config.mode, structure))
    inputs = [_through(structure.get('pre_block_layers', ()), sample) for sample in samples(config)]
    for block in structure['sequential_blocks']:
        layers = [layer for layer in block.walk_layers() if isinstance(layer, Adapted) and config.mode in layer.modes
                  and not layer.is_quantized and wanted(layer)]
        for layer, seen in zip(layers, _seen(block, layers, inputs)):
            if seen is not None:
                layer.calibrate(config, seen)
        inputs = [block(each) for each in inputs]


def _through(layers, x):
    for layer in layers:
        x = layer(x)
    return x


def _seen(block, layers, batches):
    """The `Inputs` that each of `layers` gets while `block` runs; None for those that it does not call."""
    found = [None] * len(layers)
    with contextlib.ExitStack() as watches:
        for number, layer in enumerate(layers):
            watches.enter_context(_watched(layer, number, found))
        change_adapters()
        for batch in batches:
            block(batch)
    change_adapters()
    return found


@contextlib.contextmanager
def _watched(layer, number, found):
    """Have `layer` note its inputs as `found[number]` within the block."""
    call = layer.call

    def noting(inputs, *args, **kwargs):
        rows = layer.input_rows(to_array(inputs))
        if found[number] is None:
            found[number] = Inputs(rows.shape[1])
        found[number].add(rows)
        return call(inputs, *args, **kwargs)
    layer.call = noting
    try:
        yield
    finally:
        del layer.call


def samples(config):
    """The data of a config as batches of one row.

    Token ids, and texts after the tokenizer, are strung together and cut into `num_samples` pieces of
    `sequence_length`, evenly apart; arrays of floats are taken as they are.
    """
    if config.dataset is None:
        raise ValueError('%s quantization requires a dataset, and a tokenizer where that holds texts. Please provide '
                         'them in the `%s`.' % (config.mode.upper(), type(config).__name__))
    parts = [_tokens(item, config) for item in config.dataset]
    if not parts:
        raise ValueError('%s: the dataset is empty.' % type(config).__name__)
    if parts[0].dtype.kind == 'f':
        return [part if part.ndim > 2 else part[None] for part in parts[:config.num_samples]]
    tokens, length = np.concatenate([part.reshape(-1) for part in parts]).astype('int32'), config.sequence_length
    tokens = np.resize(tokens, max(len(tokens), length))
    starts = np.unique(np.linspace(0, len(tokens) - length, config.num_samples).astype(int))
    return [tokens[None, start:start + length] for start in starts]


def _tokens(item, config):
    """The numbers of one item of a dataset."""
    if not isinstance(item, (str, bytes)):
        return to_array(item)
    if config.tokenizer is None:
        raise ValueError('%s: the dataset holds texts, which need a `tokenizer`.' % type(config).__name__)
    return to_array(getattr(config.tokenizer, 'tokenize', config.tokenizer)(item))
