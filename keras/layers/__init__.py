"""The layers, under the names of Keras 2 and 3."""
from keras.layers.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from keras.layers.base import InputSpec, Layer
from keras.layers.convolutional import (Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose,
                                        Convolution1D, Convolution2D, Convolution2DTranspose, Convolution3D,
                                        Convolution3DTranspose, Cropping1D, Cropping2D, Cropping3D, Deconvolution2D,
                                        Deconvolution3D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D,
                                        SeparableConv2D, SeparableConvolution1D, SeparableConvolution2D, UpSampling1D,
                                        UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
from keras.layers.convolutional_recurrent import ConvLSTM2D, ConvLSTM2DCell
from keras.layers.core import (Activation, ActivityRegularization, Dense, Dropout, Flatten, Lambda, Masking, Permute,
                               RepeatVector, Reshape, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D)
from keras.layers.cudnn_recurrent import CuDNNGRU, CuDNNLSTM
from keras.layers.embeddings import Embedding
from keras.layers.input_layer import Input, InputLayer
from keras.layers.local import LocallyConnected1D, LocallyConnected2D
from keras.layers.merge import (Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract, add, average,
                                concatenate, dot, maximum, minimum, multiply, subtract)
from keras.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from keras.layers.normalization import BatchNormalization, LayerNormalization
from keras.layers.other_generations import without_superfluous
from keras.layers.pooling import (AveragePooling1D, AveragePooling2D, AveragePooling3D, AvgPool1D, AvgPool2D, AvgPool3D,
                                  GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
                                  GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D, GlobalMaxPool1D, GlobalMaxPool2D,
                                  GlobalMaxPool3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
                                  MaxPool1D, MaxPool2D, MaxPool3D, MaxPooling1D, MaxPooling2D, MaxPooling3D)
from keras.layers.recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, StackedRNNCells
from keras.layers.wrappers import Bidirectional, TimeDistributed, Wrapper
from keras.saving.serialization import deserialize_keras_object, serialize_keras_object

__all__ = [
    'Activation', 'ActivityRegularization', 'Add', 'AlphaDropout', 'Average', 'AveragePooling1D', 'AveragePooling2D',
    'AveragePooling3D', 'AvgPool1D', 'AvgPool2D', 'AvgPool3D', 'BatchNormalization', 'Bidirectional', 'Concatenate',
    'Conv1D', 'Conv1DTranspose', 'Conv2D', 'Conv2DTranspose', 'Conv3D', 'Conv3DTranspose', 'ConvLSTM2D',
    'ConvLSTM2DCell', 'Convolution1D', 'Convolution2D', 'Convolution2DTranspose', 'Convolution3D',
    'Convolution3DTranspose', 'Cropping1D', 'Cropping2D', 'Cropping3D', 'CuDNNGRU', 'CuDNNLSTM', 'Deconvolution2D',
    'Deconvolution3D', 'Dense', 'DepthwiseConv1D', 'DepthwiseConv2D', 'Dot', 'Dropout', 'ELU', 'Embedding', 'Flatten',
    'GRU', 'GRUCell', 'GaussianDropout', 'GaussianNoise', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D',
    'GlobalAveragePooling3D', 'GlobalAvgPool1D', 'GlobalAvgPool2D', 'GlobalAvgPool3D', 'GlobalMaxPool1D',
    'GlobalMaxPool2D', 'GlobalMaxPool3D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalMaxPooling3D', 'Input',
    'InputLayer', 'InputSpec', 'LSTM', 'LSTMCell', 'Lambda', 'Layer', 'LayerNormalization', 'LeakyReLU',
    'LocallyConnected1D', 'LocallyConnected2D', 'Masking', 'MaxPool1D', 'MaxPool2D', 'MaxPool3D', 'MaxPooling1D',
    'MaxPooling2D', 'MaxPooling3D', 'Maximum', 'Minimum', 'Multiply', 'PReLU', 'Permute', 'RNN', 'ReLU',
    'RepeatVector', 'Reshape', 'SeparableConv1D', 'SeparableConv2D', 'SeparableConvolution1D',
    'SeparableConvolution2D', 'SimpleRNN', 'SimpleRNNCell', 'Softmax', 'SpatialDropout1D', 'SpatialDropout2D',
    'SpatialDropout3D', 'StackedRNNCells', 'Subtract', 'ThresholdedReLU', 'TimeDistributed', 'UpSampling1D',
    'UpSampling2D', 'UpSampling3D', 'Wrapper', 'ZeroPadding1D', 'ZeroPadding2D', 'ZeroPadding3D', 'add', 'average',
    'concatenate', 'deserialize', 'deserialize_keras_object', 'dot', 'maximum', 'minimum', 'multiply', 'serialize',
    'subtract']


# Models are layers too, but are made above this module: `keras.models` enters its classes here.
model_classes = {}


def serialize(layer):
    """The layer's class and configuration: {'class_name': ..., 'config': ...}.

    Example:
        >>> keras.layers.serialize(keras.layers.Flatten())['class_name']
        'Flatten'
    """
    return serialize_keras_object(layer)


def deserialize(config, custom_objects=None):
    """The layer or model that `serialize` described.

    Args:
        config: {'class_name': ..., 'config': ...}. custom_objects: {name: class or function}.

    Raises:
        ValueError: for an unknown class, naming similar ones.
    """
    known = dict(globals(), **model_classes)
    config = without_superfluous(config) if isinstance(config, dict) else config
    return deserialize_keras_object(config, module_objects=known, custom_objects=custom_objects,
                                    printable_module_name='layer')
