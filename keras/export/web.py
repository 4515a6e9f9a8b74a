"""Layers models of TensorFlow.js: model.json, with the architecture in the form of Keras 2, and weights in shards."""
import json
import os

import numpy as np

from keras import generations
from keras.export.signatures import check_stateless, signature_of
from keras.layers.base import Layer
from keras.layers.recurrent import RNN, StackedRNNCells
from keras.layers.wrappers import Bidirectional
from keras.saving import forms
from keras.saving.hdf5 import KERNEL_CONVENTION, to_json
from keras.saving.writing import whole_folder
from keras.version import __version__

# The layers that TensorFlow.js 4 has.
LAYERS = frozenset("""
    Activation Add AlphaDropout Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization
    Bidirectional Concatenate Conv1D Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM2D ConvLSTM2DCell
    Cropping2D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D InputLayer LSTM LSTMCell
    LayerNormalization LeakyReLU Masking MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum Model Multiply PReLU
    Permute RNN ReLU RepeatVector Reshape SeparableConv2D Sequential SimpleRNN SimpleRNNCell Softmax
    SpatialDropout1D StackedRNNCells ThresholdedReLU TimeDistributed UpSampling2D ZeroPadding2D""".split())
# Its activations.
_ACTIVATIONS = frozenset(('elu hard_sigmoid linear log_softmax mish relu relu6 selu sigmoid softmax softplus softsign '
                          'swish tanh').split())


def export(model, filepath, input_signature=None, weight_shard_size_bytes=4 * 2 ** 20):
    """Write a layers model to the folder `filepath`; `loadLayersModel` of TensorFlow.js reads the model.json in it.

    Raises:
        NotImplementedError: naming a layer that TensorFlow.js lacks, or does otherwise. TypeError: for an
            `input_signature`.
    """
    if input_signature is not None:
        raise TypeError("export: the format 'tfjs' takes no `input_signature`: the model says itself what it takes.")
    if getattr(model, 'layer_graph', None) is None and model.built:
        raise NotImplementedError("export: model %s is defined by Python code, which TensorFlow.js cannot run. Build "
                                  "it from layers with keras.Model(inputs, outputs), or export to 'onnx'." % model.name)
    signature_of(model)
    check_stateless(model, 'tfjs')
    _check_graph(model)
    weights = [(name, _array(variable)) for layer in model.layers for name, variable in named_weights(layer)]
    content = b''.join(array.tobytes() for _, array in weights)
    shards = [content[start:start + weight_shard_size_bytes]
              for start in range(0, len(content), weight_shard_size_bytes)]
    paths = ['group1-shard%dof%d.bin' % (number, len(shards)) for number, _ in enumerate(shards, 1)]
    with whole_folder(filepath) as folder:
        for path, shard in zip(paths, shards):
            with open(os.path.join(folder, path), 'wb') as file:
                file.write(shard)
        with open(os.path.join(folder, 'model.json'), 'w', encoding='utf-8') as file:
            json.dump(_description(model, weights, paths), file)


def _description(model, weights, paths):
    version = generations.FILE_VERSIONS[2]
    manifest = [{'name': name, 'shape': list(array.shape), 'dtype': array.dtype.name} for name, array in weights]
    return {'format': 'layers-model', 'generatedBy': 'keras v' + version, 'convertedBy': 'keras ' + __version__,
            'modelTopology': {'keras_version': version, 'backend': KERNEL_CONVENTION,
                              'model_config': json.loads(to_json(forms.HDF5(model)))},
            'weightsManifest': [{'paths': paths, 'weights': manifest}]}


def _array(variable):
    array = variable.numpy()
    return np.ascontiguousarray(array, 'float32' if array.dtype.kind == 'f' else
                                'bool' if array.dtype.kind == 'b' else 'int32')


# --- what TensorFlow.js lacks -----------------------------------------------------------------------------------------

def _check_graph(model):
    for node in model.layer_graph.layer_nodes:
        if not isinstance(node.operation, Layer):
            raise NotImplementedError('export: model %s calls the operation %r outside of layers, which TensorFlow.js '
                                      "has no form for. Use a layer, or export to 'onnx'."
                                      % (model.name, node.operation.name))
    for layer in model.layers:
        if getattr(layer, 'layer_graph', None) is not None:
            _check_graph(layer)
        else:
            _check_layer(layer)


def _check_layer(layer):
    for part in layer.walk_layers():
        name = type(part).__name__
        if name not in LAYERS:
            raise NotImplementedError("export: TensorFlow.js has no layer %s, which layer %r is or holds. Use another, "
                                      "or export to 'onnx'." % (name, layer.name))
        if getattr(part, 'reset_after', False):
            raise NotImplementedError("export: TensorFlow.js runs GRU with reset_after=False only; layer %r has "
                                      "reset_after=True. Export to 'onnx'." % layer.name)
        _check_activations(part, layer)


def _check_activations(part, layer):
    for argument, value in part.get_config().items():
        if argument.endswith('activation') and value is not None:
            known = isinstance(value, str) and value in _ACTIVATIONS
            other = value == 'hard_sigmoid' and generations.of(part) == 3
            if not known or other:
                raise NotImplementedError("export: TensorFlow.js has no %s %r as this model means it (layer %r). Use "
                                          "another, or export to 'onnx'." % (argument, value, layer.name))


# --- names of weights -------------------------------------------------------------------------------------------------

def named_weights(layer):
    """(name there, variable) of each weight of a layer: TensorFlow.js finds weights by the names that it makes."""
    if getattr(layer, 'layer_graph', None) is not None:
        return [pair for inner in layer.layers for pair in named_weights(inner)]
    if isinstance(layer, Bidirectional):
        return [('%s/%s' % (layer.name, name), variable) for inner in (layer.forward_layer, layer.backward_layer)
                for name, variable in named_weights(inner)]
    if isinstance(layer, RNN) and isinstance(layer.cell, StackedRNNCells):
        return [('%s/RNNCell_%d/%s' % (layer.name, number, _last(variable)), variable)
                for number, cell in enumerate(layer.cell.cells) for variable in cell.weights]
    return [('%s/%s' % (layer.name, _last(variable)), variable) for variable in layer.weights]


def _last(variable):
    return variable.path.rpartition('/')[2].partition(':')[0]
