"""K: the backend functions that layers and scripts call, with Keras 2's names and arguments.

K is symbolic where Keras 2 is: `K.relu(x)` makes graph on a symbolic tensor and, outside running layers, on a variable
or array; `K.eval` and `K.function` run it. On a tensor of the active engine it runs at once. What an engine is stands
in `contract/engine.py`, which operations exist in `table/`.

Example:
    >>> from keras import backend as K
    >>> x = K.variable([1.0, 2.0])
    >>> total = K.sum(x)
    >>> K.set_value(x, [3.0, 4.0])
    >>> K.eval(total)
    array(7., dtype=float32)
"""
from keras.backend.k import lifting
from keras.config import (epsilon, floatx, image_data_format, normalize_data_format, set_epsilon, set_floatx,
                          set_image_data_format)
from keras.backend.contract.loading import engine_name as backend, set_backend, use
from keras.backend.k.compiled import Function, function
from keras.backend.k.ctc import ctc_batch_cost, ctc_decode, ctc_label_dense_to_sparse
from keras.backend.k.derivatives import gradients
from keras.backend.k.functions import (arange, argmax, batch_normalization, bias_add, binary_crossentropy,
                                       binary_focal_crossentropy, categorical_crossentropy,
                                       categorical_focal_crossentropy, clip, concatenate, conv1d, conv2d,
                                       conv2d_transpose, conv3d, conv3d_transpose, depthwise_conv2d, dot, dropout,
                                       equal, expand_dims, eye, foldl, foldr, gather, greater, greater_equal,
                                       identity, in_top_k, less, less_equal, local_conv1d, local_conv2d, map_fn,
                                       maximum, minimum, not_equal, one_hot, ones, ones_like, permute_dimensions,
                                       pool2d, pool3d, pow, prod, random_binomial, random_normal, random_uniform,
                                       relu, repeat, repeat_elements, reshape, resize_images, resize_volumes, reverse,
                                       rnn, round, separable_conv1d, separable_conv2d, size, slice,
                                       sparse_categorical_crossentropy, spatial_2d_padding, spatial_3d_padding, sqrt,
                                       squeeze, stack, stop_gradient, switch, temporal_padding, tile, transpose,
                                       truncated_normal, zeros, zeros_like)
from keras.backend.k.sessions import get_session, set_session
from keras.backend.k.values import (batch_get_value, batch_set_value, cast_to_floatx, clear_session, constant,
                                    control_dependencies, count_params, dtype, eager, eval, get_value, in_test_phase,
                                    in_train_phase, int_shape, is_float_dtype, is_int_dtype, is_keras_tensor,
                                    is_placeholder, is_sparse, is_tensor, is_variable, learning_phase,
                                    learning_phase_scope, manual_variable_initialization, moving_average_update,
                                    name_scope, ndim, normalize_batch_in_training, placeholder, print_tensor,
                                    random_normal_variable, random_uniform_variable, result_type,
                                    set_learning_phase, set_value,
                                    shape, standardize_dtype, symbolic, to_dense, update, update_add, update_sub,
                                    variable)
from keras.backend.state.uids import get_uid, reset_uids
from keras.backend.table import numbers, operators
from keras.backend.table.composites.math import (all, any, argmin, batch_dot, l2_normalize, logsumexp, mean, square,
                                                 std, var)
from keras.backend.table.composites.nn import (elu, hard_sigmoid_keras2 as hard_sigmoid, sigmoid, softmax, softplus,
                                               softsign)
from keras.backend.table.composites.shape import batch_flatten, flatten
from keras.backend.table.primitives import (abs, cast, cos, cumprod, cumsum, exp, log, max, min, sign, sin, sum, tanh)
from keras.legacy.backend import install

lifting.make_symbolic(globals())
install(globals())
