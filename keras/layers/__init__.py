"""The layers, under the names of Keras 2 and 3."""
from keras.layers.advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from keras.layers.attention import (AdditiveAttention, Attention, GroupedQueryAttention, GroupQueryAttention,
                                    MultiHeadAttention)
from keras.layers.augmentation.colors import (AutoContrast, Equalization, RandomBrightness, RandomColorDegeneration,
                                              RandomColorJitter, RandomContrast, RandomErasing, RandomGaussianBlur,
                                              RandomGrayscale, RandomHue, RandomInvert, RandomPosterization,
                                              RandomSaturation, RandomSharpness, Solarization)
from keras.layers.augmentation.local_contrast import ContrastLimitedAdaptiveHistogramEqualization
from keras.layers.augmentation.mixtures import AugMix, CutMix, MixUp, RandAugment
from keras.layers.augmentation.pipeline import Pipeline
from keras.layers.augmentation.places import (RandomElasticTransform, RandomFlip, RandomPerspective, RandomRotation,
                                              RandomShear, RandomTranslation, RandomZoom)
from keras.layers.augmentation.sizes import (CenterCrop, MaxNumBoundingBoxes, RandomCrop, RandomHeight, RandomWidth,
                                             Resizing)
from keras.layers.base import InputSpec, Layer
from keras.layers.convolutional import (Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose,
                                        Convolution1D, Convolution1DTranspose, Convolution2D,
                                        Convolution2DTranspose, Convolution3D,
                                        Convolution3DTranspose, Cropping1D, Cropping2D, Cropping3D, Deconv2D,
                                        Deconvolution2D,
                                        Deconvolution3D, DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D,
                                        SeparableConv2D, SeparableConvolution1D, SeparableConvolution2D, UpSampling1D,
                                        UpSampling2D, UpSampling3D, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
from keras.layers.convolutional_recurrent import ConvLSTM1D, ConvLSTM2D, ConvLSTM2DCell, ConvLSTM3D
from keras.layers.core import (Activation, ActivityRegularization, Dense, Dropout, Flatten, Identity, Lambda, Masking,
                               Permute, RepeatVector, Reshape, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D)
from keras.layers.cudnn_recurrent import CuDNNGRU, CuDNNLSTM
from keras.layers.einsum_dense import EinsumDense
from keras.layers.embeddings import Embedding, ReversibleEmbedding
from keras.layers.functions import func_dump, func_load
from keras.layers.input_layer import Input, InputLayer
from keras.layers.jax_layer import FlaxLayer, JaxLayer
from keras.layers.keras1 import (AtrousConv1D, AtrousConv2D, AtrousConvolution1D, AtrousConvolution2D, Highway,
                                  MaxoutDense, Merge, ParametricSoftplus, SReLU, TimeDistributedDense,
                                  conv_input_length, conv_output_length)
from keras.layers.keras1_recurrent import ConvRecurrent2D, Recurrent, time_distributed_dense
from keras.layers.local import LocallyConnected1D, LocallyConnected2D
from keras.layers.merge import (Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract, add, average,
                                concatenate, dot, maximum, minimum, multiply, subtract)
from keras.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from keras.layers.kernelized import RandomFourierFeatures
from keras.layers.normalization import (BatchNormalization, GroupNormalization, LayerNormalization, RMSNormalization,
                                        SyncBatchNormalization, UnitNormalization)
from keras.layers.peephole import PeepholeLSTMCell
from keras.layers.pooling import (AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D,
                                  AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D, AveragePooling1D,
                                  AveragePooling2D, AveragePooling3D, AvgPool1D, AvgPool2D, AvgPool3D,
                                  GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
                                  GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D, GlobalMaxPool1D, GlobalMaxPool2D,
                                  GlobalMaxPool3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D,
                                  MaxPool1D, MaxPool2D, MaxPool3D, MaxPooling1D, MaxPooling2D, MaxPooling3D)
from keras.layers.preprocessing.categories import CategoryEncoding, HashedCrossing, Hashing
from keras.layers.preprocessing.discretization import Discretization
from keras.layers.preprocessing.lookups import IntegerLookup, StringLookup
from keras.layers.preprocessing.normalization import Normalization, Rescaling
from keras.layers.preprocessing.text import TextVectorization
from keras.layers.recurrent import (GRU, LSTM, RNN, AbstractRNNCell, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell,
                                    StackedRNNCells)
from keras.layers.replicas import Replicas
from keras.layers.saved_model import TFSMLayer
from keras.layers.scaling import CustomScaleLayer, LayerScale
from keras.layers.spectrograms import MelSpectrogram, STFTSpectrogram
from keras.layers.torch_module import TorchModuleWrapper
from keras.layers.wrappers import Bidirectional, SpectralNormalization, TimeDistributed, Wrapper
from keras.saving.kinds import Kind, deserialize_keras_object
from keras.legacy import calls

__all__ = [
    'AbstractRNNCell', 'Activation', 'ActivityRegularization', 'AdaptiveAveragePooling1D', 'AdaptiveAveragePooling2D',
    'AdaptiveAveragePooling3D', 'AdaptiveMaxPooling1D', 'AdaptiveMaxPooling2D', 'AdaptiveMaxPooling3D', 'Add',
    'AdditiveAttention', 'AlphaDropout', 'AtrousConv1D', 'AtrousConv2D', 'AtrousConvolution1D', 'AtrousConvolution2D',
    'Attention', 'AugMix', 'AutoContrast', 'Average', 'AveragePooling1D', 'AveragePooling2D', 'AveragePooling3D',
    'AvgPool1D', 'AvgPool2D', 'AvgPool3D', 'BatchNormalization', 'Bidirectional', 'CategoryEncoding', 'CenterCrop',
    'Concatenate', 'ContrastLimitedAdaptiveHistogramEqualization', 'Conv1D', 'Conv1DTranspose', 'Conv2D',
    'Conv2DTranspose', 'Conv3D', 'Conv3DTranspose', 'ConvLSTM1D', 'ConvLSTM2D', 'ConvLSTM2DCell', 'ConvLSTM3D',
    'ConvRecurrent2D', 'Convolution1D', 'Convolution1DTranspose', 'Convolution2D', 'Convolution2DTranspose',
    'Convolution3D', 'Convolution3DTranspose', 'Cropping1D', 'Cropping2D', 'Cropping3D', 'CuDNNGRU', 'CuDNNLSTM',
    'CutMix', 'Deconv2D', 'Deconvolution2D', 'Deconvolution3D', 'Dense', 'DepthwiseConv1D', 'DepthwiseConv2D',
    'Discretization', 'Dot', 'Dropout', 'ELU', 'EinsumDense', 'Embedding', 'Equalization', 'Flatten', 'FlaxLayer',
    'GRU', 'GRUCell', 'GaussianDropout', 'GaussianNoise', 'GlobalAveragePooling1D', 'GlobalAveragePooling2D',
    'GlobalAveragePooling3D', 'GlobalAvgPool1D', 'GlobalAvgPool2D', 'GlobalAvgPool3D', 'GlobalMaxPool1D',
    'GlobalMaxPool2D', 'GlobalMaxPool3D', 'GlobalMaxPooling1D', 'GlobalMaxPooling2D', 'GlobalMaxPooling3D',
    'GroupNormalization', 'GroupQueryAttention', 'GroupedQueryAttention', 'HashedCrossing', 'Hashing', 'Highway',
    'Identity', 'Input', 'InputLayer', 'InputSpec', 'IntegerLookup', 'JaxLayer', 'LSTM', 'LSTMCell', 'Lambda', 'Layer',
    'LayerNormalization', 'LeakyReLU', 'LocallyConnected1D', 'LocallyConnected2D', 'Masking', 'MaxNumBoundingBoxes',
    'MaxPool1D', 'MaxPool2D', 'MaxPool3D', 'MaxPooling1D', 'MaxPooling2D', 'MaxPooling3D', 'Maximum', 'MaxoutDense',
    'MelSpectrogram', 'Merge', 'Minimum', 'MixUp', 'MultiHeadAttention', 'Multiply', 'Normalization', 'PReLU',
    'ParametricSoftplus', 'PeepholeLSTMCell', 'Permute', 'Pipeline', 'RMSNormalization', 'RNN', 'RandAugment',
    'RandomBrightness', 'RandomColorDegeneration', 'RandomColorJitter', 'RandomContrast', 'RandomCrop',
    'RandomElasticTransform', 'RandomErasing', 'RandomFlip', 'RandomFourierFeatures', 'RandomGaussianBlur',
    'RandomGrayscale', 'RandomHeight', 'RandomHue', 'RandomInvert', 'RandomPerspective', 'RandomPosterization',
    'RandomRotation', 'RandomSaturation', 'RandomSharpness', 'RandomShear', 'RandomTranslation', 'RandomWidth',
    'RandomZoom', 'ReLU', 'Recurrent', 'RepeatVector', 'Replicas', 'Rescaling', 'Reshape', 'Resizing',
    'ReversibleEmbedding', 'SReLU', 'STFTSpectrogram', 'SeparableConv1D', 'SeparableConv2D', 'SeparableConvolution1D',
    'SeparableConvolution2D', 'SimpleRNN', 'SimpleRNNCell', 'Softmax', 'Solarization', 'SpatialDropout1D',
    'SpatialDropout2D', 'SpatialDropout3D', 'SpectralNormalization', 'StackedRNNCells', 'StringLookup', 'Subtract',
    'SyncBatchNormalization', 'TFSMLayer', 'TextVectorization', 'ThresholdedReLU', 'TimeDistributed',
    'TimeDistributedDense', 'TorchModuleWrapper', 'UnitNormalization', 'UpSampling1D', 'UpSampling2D', 'UpSampling3D',
    'Wrapper', 'ZeroPadding1D', 'ZeroPadding2D', 'ZeroPadding3D', 'add', 'average', 'concatenate', 'conv_input_length',
    'conv_output_length', 'deserialize', 'deserialize_keras_object', 'dot', 'func_dump', 'func_load', 'maximum',
    'merge', 'minimum', 'multiply', 'serialize', 'subtract', 'time_distributed_dense']


# Models are layers, too; cells need not be.
_KIND = Kind('layer', Layer, functions=None, accepts=lambda cls: issubclass(cls, Layer) or hasattr(cls, 'call'),
             expected='a layer or its config', home=__name__, includes=('keras.models',))
_KIND.enter_public(globals())
_, serialize, deserialize = _KIND.module_functions('layer')
calls.install(globals(), calls.LAYERS)
