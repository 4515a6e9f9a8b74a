"""Decorators that custom layers and optimizers of the Keras 2 years import. What they translated needs no translation
any more: constructors take both generations' arguments themselves. They hand back the function they are given."""


def _as_it_is(function):
    """`function` itself."""
    return function


legacy_get_updates_support = legacy_dense_support = legacy_dropout_support = legacy_embedding_support = _as_it_is
legacy_pooling1d_support = legacy_pooling2d_support = legacy_pooling3d_support = _as_it_is
legacy_global_pooling_support = legacy_prelu_support = legacy_gaussiannoise_support = _as_it_is
legacy_recurrent_support = legacy_lambda_support = legacy_spatialdropout1d_support = _as_it_is
legacy_spatialdropoutNd_support = legacy_conv1d_support = legacy_conv2d_support = legacy_conv3d_support = _as_it_is
legacy_separable_conv2d_support = legacy_deconv2d_support = legacy_batchnorm_support = _as_it_is
legacy_upsampling1d_support = legacy_upsampling2d_support = legacy_upsampling3d_support = _as_it_is
legacy_zeropadding2d_support = legacy_zeropadding3d_support = legacy_cropping2d_support = _as_it_is
legacy_cropping3d_support = legacy_convlstm2d_support = legacy_generator_methods_support = _as_it_is
legacy_model_constructor_support = legacy_input_support = add_weight_args_preprocessing = _as_it_is
