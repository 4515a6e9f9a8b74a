"""Decorators that custom layers of the Keras 2 years import: a constructor or method that they decorate takes the calls
of Keras 1, too, as those of Keras itself do. What there is nothing to translate for is handed back as it is.
"""
from keras.legacy import calls
from keras.legacy.arguments import taking_old_calls
from keras.legacy.updates import of_any_keras


def _spelled_as(name):
    """A decorator for constructors whose arguments are those of the layer called `name`."""
    def decorate(function):
        return taking_old_calls(function, calls.LAYERS[name], function.__qualname__.split('.')[-2], is_method=True)
    return decorate


def _as_it_is(function):
    """`function` itself."""
    return function


legacy_dense_support = _spelled_as('Dense')
legacy_dropout_support = _spelled_as('Dropout')
legacy_embedding_support = _spelled_as('Embedding')
legacy_pooling1d_support = _spelled_as('MaxPooling1D')
legacy_pooling2d_support = legacy_pooling3d_support = _spelled_as('MaxPooling2D')
legacy_global_pooling_support = _spelled_as('GlobalMaxPooling2D')
legacy_prelu_support = _spelled_as('PReLU')
legacy_gaussiannoise_support = _spelled_as('GaussianNoise')
legacy_recurrent_support = _spelled_as('LSTM')
legacy_lambda_support = _spelled_as('Lambda')
legacy_spatialdropout1d_support = _spelled_as('SpatialDropout1D')
legacy_spatialdropoutNd_support = _spelled_as('SpatialDropout2D')
legacy_conv1d_support = _spelled_as('Conv1D')
legacy_conv2d_support = _spelled_as('Conv2D')
legacy_conv3d_support = _spelled_as('Conv3D')
legacy_separable_conv2d_support = _spelled_as('SeparableConv2D')
legacy_deconv2d_support = _spelled_as('Conv2DTranspose')
legacy_batchnorm_support = _spelled_as('BatchNormalization')
legacy_upsampling1d_support = _spelled_as('UpSampling1D')
legacy_upsampling2d_support = legacy_upsampling3d_support = _spelled_as('UpSampling2D')
legacy_zeropadding2d_support = _spelled_as('ZeroPadding2D')
legacy_zeropadding3d_support = _spelled_as('ZeroPadding3D')
legacy_cropping2d_support = legacy_cropping3d_support = _spelled_as('Cropping2D')
legacy_convlstm2d_support = _spelled_as('ConvLSTM2D')
legacy_input_support = legacy_model_constructor_support = legacy_generator_methods_support = _as_it_is
legacy_get_updates_support = of_any_keras
add_weight_args_preprocessing = _as_it_is


def disable_tracking(func):
    """`func` itself: what a layer is given is not wrapped."""
    return func


def allow_write_to_gcs(save_function):
    """`save_function` itself: saving takes paths and open files."""
    return save_function


def allow_read_from_gcs(load_function):
    """`load_function` itself: loading takes paths and open files."""
    return load_function


string_types = (str,)
