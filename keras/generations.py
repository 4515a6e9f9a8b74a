"""Where the generations of Keras disagree: one table, and how an object keeps the generation that it was made under.

The generations are 1 (Keras 1.2.2), 2 (Keras 2.3.1), 'tf' (tf.keras 2.x) and 3 (Keras 3). New code gets the one that
`keras.config` says (`set_generation`, `with generation(3):`); layers, losses, metrics and optimizers note it when they
are made and keep it (`Dated`). What a file holds is made under the generation that wrote the file (`reading`).

A row of `ROWS` is one difference. Code asks for the value by the row's name: an object with `self.ruled(name)`, a
function with `value(name)`. It does so when a layer is built or a step is traced, not for every batch.

A default argument that depends on the generation is written `rate=Default('Adagrad.rate')`: it looks like the
default of Keras 2, and `settled` turns it into that of the generation. What is given explicitly is never touched.
"""
import collections
import contextlib
import functools
import re
import threading
import types

from keras import config
from keras.saving.portable import portable, portable_object

Row = collections.namedtuple('Row', 'name sentence values where')
ROWS = collections.OrderedDict()


def _row(name, where, sentence, *values):
    """Enter a difference into the table; `values` in the order of `config.GENERATIONS`."""
    ROWS[name] = Row(name, sentence, dict(zip(config.GENERATIONS, values)), where)


def _default(where, argument, *values):
    """Enter a default argument, under the name `Class.argument`."""
    _row('%s.%s' % (where.rpartition('.')[2], argument), where, 'default `%s`' % argument, *values)


# --- activations, layers

_row('hard_sigmoid_sixth', 'activations.hard_sigmoid',
     '`hard_sigmoid` is `x / 6 + 0.5` in the middle, not `0.2 x + 0.5`', False, False, False, True)
_row('variance_of_samples', 'layers.BatchNormalization',
     'the moving variance takes in the variance of the batch corrected for its size: always by `n / (n - 1 - epsilon)` '
     'and for images once more by `n / (n - 1)`; only for images, by `n / (n - 1)`; never',
     'never', 'always', 'images', 'never')
_row('frozen_normalization_infers', 'layers.BatchNormalization',
     'with `trainable = False` the layer uses its moving statistics in training too, not those of the batch',
     False, False, True, True)
_row('masked_statistics', 'layers.BatchNormalization',
     'masked steps do not count in the mean and variance of the batch', False, False, True, True)
_row('bilinear_centers', 'layers.UpSampling2D',
     '`interpolation="bilinear"` goes from the centre of one pixel to that of the next, not from corner to corner',
     False, False, True, True)
_row('negative_rows_from_end', 'layers.Embedding',
     'negative integers count from the last row of the table; they are no rows otherwise', False, False, False, True)
_row('resized_integers_are_rounded', 'layers.Resizing',
     'images of integers come out in their own dtype, not as floats', False, False, False, True)
_row('lookups_go_by_integers', 'layers.StringLookup, IntegerLookup, TextVectorization, Hashing, HashedCrossing',
     '`layer.dtype` is that of the vocabulary or the bins. Called on arrays, the first three give rows of integers, '
     'not of floats, with "one_hot", "multi_hot" and "count"; inside of models always floats',
     False, False, False, True)
_row('strings_come_out_in_lists', 'layers.StringLookup',
     'with `invert=True` strings come out as lists, not as arrays, on engines without tensors of strings',
     False, False, False, True)
_row('images_change_as_in_3', 'layers.RandomFlip, RandomContrast, RandomCrop',
     '`RandomFlip` turns images both ways or not at all, `RandomContrast(f)` takes factors between 1 and `1 + f`, not '
     '`1 - f` and `1 + f`, and `RandomCrop` leaves images whole outside of training', False, False, False, True)
_row('modules_of_torch_are_layers', 'layers.TorchModuleWrapper',
     'a `torch.nn.Module` that is set as an attribute of a layer or model becomes a `TorchModuleWrapper`, and such a '
     'layer trains unless it is called with `training=False`', False, False, False, True)
_row('tensors_of_categories', 'utils.to_categorical', 'of a tensor comes a tensor, not an array',
     False, False, False, True)
_row('softmax_of_vectors', 'activations.softmax', 'a tensor of a single axis is accepted', False, False, False, True)
_row('softmax_applies_any_mask', 'layers.Softmax, MultiHeadAttention, GroupQueryAttention',
     'a mask with fewer axes than the inputs is applied as well, and where all is masked the result is 0 (in attention '
     'only where its scores are asked for, or with dropout in training)',
     False, False, False, True)
_row('layer_as_activation_warns', 'activations.get', 'a layer in the place of an activation function gives a warning',
     False, True, False, False)
_row('masked_queries_attend_evenly', 'layers.MultiHeadAttention, GroupQueryAttention',
     'what a query that its mask leaves out gives is the mean of all values, not what its scores say',
     False, False, True, True)
_row('query_masks_go_with_queries', 'layers.MultiHeadAttention',
     'an argument `query_mask` of the call has no effect, with a warning: what counts is the mask of the query itself',
     False, False, False, True)
_row('both_directions_mask_with_zeros', 'layers.Bidirectional',
     'of sequences, steps that a mask leaves out are zero, not what the step before gave', False, False, True, True)
_row('equations_say_fans', 'layers.EinsumDense, MultiHeadAttention, GroupQueryAttention',
     'initializers that go by the number of inputs and outputs take as inputs the axes of the kernel that are summed '
     'over, and as outputs the others; else the kernel counts as one of a convolution', False, False, False, True)
_row('steps_are_masked_inside', 'layers.TimeDistributed',
     'a mask of whole steps is handed on to a layer of your own, or a `BatchNormalization`, as one of samples',
     False, False, True, True)
_row('steps_are_normalized_alone', 'layers.TimeDistributed',
     'where the number of steps is known, a `BatchNormalization` inside takes in training the mean and variance of '
     'each step by itself, one after the other; not of all steps together', False, False, False, True)
_row('steps_regularize_activity', 'layers.TimeDistributed',
     'the `activity_regularizer` of the layer inside counts', True, True, True, False)
_row('merges_at_least', 'layers.Add, Average, Concatenate, Maximum, Minimum, Multiply', 'the number of inputs needed',
     2, 2, 1, 1)
_row('merges_by_any_mask', 'layers.Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract',
     'a step counts in the output if it counts in any of the inputs, not in all of them, and there is no mask if an '
     'input has none; `Multiply`, `Maximum` and `Minimum` leave out the inputs in which the step does not count',
     False, False, False, True)
_row('mask_has_to_be_supported', 'layers.Layer.compute_mask',
     'a mask that reaches a layer without `supports_masking` is an error; it ends there, with a warning',
     True, True, False, False)
_row('masks_by_argument', 'layers.Layer.call',
     'a `call` with an argument `x_mask` beside `x` gets the mask of that tensor', False, False, False, True)
_row('names_have_no_slash', 'layers.Layer', 'names of layers and variables are text without `/`',
     False, False, False, True)
_row('shape_is_for_placeholders', 'layers.InputLayer',
     '`input_shape` is deprecated, with a warning, `input_tensor` has to be a symbolic tensor, and `sparse` and '
     '`ragged` are refused on engines without such tensors, and beside each other',
     False, False, False, True)
_row('symbols_have_no_elements', 'utils.is_keras_tensor', 'symbolic tensors have no length and cannot be iterated over',
     False, False, False, True)
_row('keras_tensors_by_class', 'utils.is_keras_tensor', 'every symbolic tensor is one, not only what a layer gives',
     False, False, False, True)
_row('wrong_configs_are_type_errors', 'layers.Layer.from_config',
     'whatever error a constructor raises for a config comes as a TypeError', False, False, False, True)
_row('lambdas_are_refused', 'layers.Lambda.from_config',
     'a config with a lambda, read outside of any `SafeModeScope`, is refused in the process that wrote it, too',
     False, False, False, True)
_row('trainable_is_boolean', 'layers.Layer', '`trainable=1` is refused', False, False, False, True)
_row('built_from_the_start', 'layers.Dropout, Activation, MaxPooling2D, Reshape',
     'layers that never have weights (noise, activations, poolings, too) say `built` before the first call',
     False, False, False, True)
_row('flags_are_given_by_name', 'layers.Layer',
     'numbers and text are no positional arguments of a call behind the first, and no name is the first one of '
     '`add_weight`', False, False, False, True)
_row('models_take_any_argument', 'models.Model',
     'a model of layers can be called with arguments that nothing in it has a use for, which a warning names',
     False, False, False, True)
_row('configs_name_no_activity_regularizer', 'layers.Layer.get_config',
     'the config has no `activity_regularizer` where there is none', False, False, False, True)
_row('losses_in_graph', 'layers.Layer.losses',
     'what calls on symbolic tensors add is among the losses, as symbolic tensors; else only calls on values add',
     True, True, True, False)
_row('configs_are_full', 'layers.Layer, losses.Loss, metrics.Metric, optimizers.Optimizer, initializers.Initializer',
     'configs have all arguments that the class has, not only those that older readers know or that are given, and '
     'objects in them say their module', False, False, False, True)
_row('schemes_are_classes', 'initializers.glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, '
     'lecun_normal', 'they give an object of a class of that name, not a `VarianceScaling`', False, False, False, True)
_row('call_makes_no_weights', 'layers.Layer.call', 'a weight that `call` makes is an error, the first time, too',
     False, False, False, True)
_row('call_has_to_be_written', 'layers.Layer.call',
     'a layer without a `call` of its own is an error; it gives its inputs', False, False, False, True)
_row('negative_slopes_are_refused', 'layers.LeakyReLU, ReLU',
     '`negative_slope` of `LeakyReLU` and `threshold` of `ReLU` have to be at least 0', False, False, False, True)
_row('cropping_leaves_some', 'layers.Cropping1D, Cropping2D, Cropping3D',
     'a layer that cuts off exactly all that there is is refused; what it gives is empty', False, False, False, True)
_row('causal_channels_first', 'layers.Conv1D',
     '`padding="causal"` is accepted with `data_format="channels_first"`', False, False, True, True)

_row('variables_are_read_in_graph', 'layers.Layer',
     'a layer that is called on variables, outside of everything else, gives a part of the graph of `K`, which reads '
     'them whenever it runs; not the value for what they hold now', True, True, False, False)

_default('layers.GRU', 'reset_after', False, False, True, True)
_default('layers.GRU', 'recurrent_activation', 'hard_sigmoid', 'sigmoid', 'sigmoid', 'sigmoid')
_default('layers.LSTM', 'recurrent_activation', 'hard_sigmoid', 'sigmoid', 'sigmoid', 'sigmoid')
_default('layers.ConvLSTM2D', 'recurrent_activation', 'hard_sigmoid', 'hard_sigmoid', 'hard_sigmoid', 'sigmoid')
_default('layers.Conv1D', 'data_format', 'channels_last', 'channels_last', 'channels_last', None)
_default('layers.SeparableConv1D', 'data_format', 'channels_last', 'channels_last', None, None)
_default('layers.ConvLSTM2D', 'strides', (1, 1), (1, 1), (1, 1), 1)
_default('layers.Input', 'sparse', False, False, False, None)
_default('layers.Input', 'ragged', False, False, False, None)
_default('layers.ZeroPadding3D', 'padding', (1, 1, 1), (1, 1, 1), (1, 1, 1), ((1, 1), (1, 1), (1, 1)))
_default('layers.PReLU', 'alpha_initializer', 'zeros', 'zeros', 'zeros', 'Zeros')
_default('layers.MaxPooling1D', 'data_format', 'channels_last', 'channels_last', 'channels_last', None)
_row('fans_of_vectors', 'initializers.VarianceScaling',
     'the number of inputs and outputs that a weight with one axis counts as', 'root', 'root', 'size', 'size')
_row('weights_by_layer', 'models.Model.weights',
     'weights stand layer by layer, as in `get_weights`, not the trainable ones first', False, False, True, True)
_row('weights_part_by_part', 'layers.Layer.weights',
     'those of a layer itself come first, then layer after layer what is inside of it, not the trainable ones first',
     False, False, False, True)
_row('stacked_states_in_lists', 'layers.RNN',
     'with `return_state=True` the states of each of several cells are a list of their own', False, False, True, True)
_default('initializers.VarianceScaling', 'distribution', 'normal', 'normal', 'truncated_normal', 'truncated_normal')
_row('normal_is_cut_off', 'initializers.VarianceScaling',
     '`distribution="normal"`, that of `glorot_normal` and its like, is cut off at two deviations',
     False, True, True, True)
_row('seed_goes_on', 'initializers.RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Orthogonal',
     'an initializer with a `seed` gives other values at every call, not the same ones again',
     True, True, False, False)
_row('regularizers_of_one_norm', 'regularizers.l1, l2', 'they give an `L1` or an `L2`, by name, too, not an `L1L2`',
     False, False, True, True)
_default('regularizers.l1_l2', 'l1', 0.01, 0.01, 0.01, 0.0)
_default('regularizers.l1_l2', 'l2', 0.01, 0.01, 0.01, 0.0)
_row('frozen_weights_are_regularized', 'layers.Layer', 'weights that are not trainable add their regularization losses',
     True, True, True, False)
_row('inputs_are_cast', 'layers.Layer',
     'inputs of another float type than `floatx` are cast by layers without weights and without a policy, too',
     False, False, True, True)
_row('dtype_in_configs', 'layers.Layer.get_config',
     'how `dtype` is written: as the name of a dtype; a mixed policy as an object `Policy`; any as a `DTypePolicy`',
     'name', 'name', 'Policy', 'DTypePolicy')
_row('default_shape_is_input', 'layers.Layer.compute_output_shape',
     'what a rule of your own gets from `super().compute_output_shape(shape)` is `shape`', True, True, False, False)
_row('added_losses_are_saved', 'models.Model.save',
     'HDF5 files hold what a model was given to `add_loss` and `add_metric` outside of layers',
     False, False, True, False)
_row('activity_loss_per_sample', 'layers.Layer',
     'what an `activity_regularizer` gives is divided by the number of samples of the batch', False, False, True, True)

_row('numbers_are_a_kernel', 'layers.Conv2D, Conv2DTranspose, Conv3D, ConvLSTM2D, LocallyConnected2D, SeparableConv2D',
     'positional numbers behind `filters` are the sizes of the kernel, one for each axis, not its size and the strides',
     True, True, False, False)
_row('forget_bias_init_is_obeyed', 'layers.LSTM, ConvLSTM2D',
     '`forget_bias_init="zero"` in a call of Keras 1 means `unit_forget_bias=False`; it is ignored, with a warning',
     True, False, False, False)
_row('dilation_with_strides_waits', 'layers.Conv1D, Conv2D, Conv3D, ConvLSTM1D, ConvLSTM2D, ConvLSTM3D',
     'a dilation together with strides is refused when the layer is built, not when it is made',
     True, True, False, False)
_row('channels_dilate_with_strides', 'layers.DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D',
     'a dilation together with strides is taken', False, False, False, True)
_row('rates_are_clipped', 'layers.Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D',
     'a `rate` outside of [0, 1] is brought into it, with a warning; it is an error', True, True, False, False)

# --- names

_row('names_from_zero', 'layers.Layer, metrics.Metric',
     'automatic names are dense, dense_1, ..., not dense_1, dense_2, ...', False, False, True, True)
_row('names_in_snake_case', 'layers.Layer',
     'automatic names have the words of the class with underscores: max_pooling2d_1, not maxpooling2d_1',
     False, True, True, True)
_row('digits_make_words', 'layers.Layer',
     'in automatic names a capital with digits behind it begins a word: conv_lst_m2d, not conv_lstm2d',
     False, True, True, False)
_row('weight_names_in_full', 'layers.Layer, metrics.Metric',
     'the `name` of a weight is that in a graph of TensorFlow, `dense_1/kernel:0`, not `kernel`',
     True, True, True, False)
_row('variables_of_engine_are_weights', 'layers.Layer',
     'a `tf.Variable` that is an attribute of a layer is a weight of it', False, True, True, False)
_row('embeddings_are_inputs', 'layers.Embedding',
     'a stack that begins with an `Embedding` is built at once, for sequences of any length; not when it is first '
     'called',
     True, True, True, False)
_row('name_of_depthwise_kernel', 'layers.DepthwiseConv1D, DepthwiseConv2D', 'what the weight is called',
     'depthwise_kernel', 'depthwise_kernel', 'depthwise_kernel', 'kernel')
_row('seeds_are_named', 'random.SeedGenerator',
     'the variable of a generator has a path with the name of the generator, seed_generator_1/seed_generator_state',
     False, False, False, True)
_row('graphs_take_any_argument', 'models.Model',
     'a model that is made from inputs and outputs takes arguments that it does not know, with a warning',
     False, False, False, True)
_row('first_argument_by_name', 'layers.Layer',
     'where the first argument of a call is given by its name, the layers before it have their place by that name, not '
     'the first one, in `Model.layers` and in the order of the weights', False, False, False, True)
_row('cells_are_not_numbered', 'layers.LSTM, GRU, SimpleRNN, ConvLSTM2D',
     'the cell that a recurrent layer makes is called lstm_cell, with no number and no name of its own to count',
     False, False, False, True)
_row('stack_in_paths', 'models.Sequential',
     'the `path` of a weight or layer begins with the stack that made it: net/dense/kernel, not dense/kernel',
     False, False, False, True)
_row('name_of_inputs', 'layers.InputLayer',
     'automatic names are input_1, input_2, ... or input_layer, input_layer_1, ...',
     'input', 'input', 'input', 'input_layer')
_row('name_of_models', 'models.Model', 'what models made from inputs and outputs are called without a name',
     'model', 'model', 'model', 'functional')

_row('slots_are_called_as_in_3', 'optimizers.Adadelta, optimizers.RMSprop, optimizers.LossScaleOptimizer',
     'variables are called `accumulated_grad`, `accumulated_delta_var`, `average_gradient` and `step_counter`, not '
     '`accumulator`, `delta_accumulator`, `average` and `good_steps`', False, False, False, True)
_row('output_names_are_of_layers', 'Model.output_names',
     'where the outputs stand in a dictionary the names are those of the layers, too, not the keys',
     False, False, False, True)
_row('class_or_sample_weights', 'Model.fit', '`class_weight` and `sample_weight` together are an error', False, False,
     False, True)
_row('own_compile_is_not_called', 'saving.load_model',
     'a model whose class overrides `compile`, but not `compile_from_config`, is not compiled when it is loaded',
     False, False, False, True)
_row('files_have_extensions', 'models.Model.save',
     'the name of a file ends in `.keras`, `.h5` or `.hdf5`', False, False, False, True)
_row('variables_show_values', 'Variable',
     'printed, it shows its path and its value', False, False, False, True)
_row('variables_show_their_cast', 'Variable.dtype',
     'in `call` of a layer that computes in another float type than its weights have, `dtype` of these says the type '
     'that they read in', False, False, False, True)
_row('variables_compare_by_value', 'Variable', '`variable == number` compares the values, not the objects; two '
     'variables are equal where they are the same one', False, False, False, True)
_row('huber_is_mean', 'losses.Huber', 'one value per sample, the mean over the last axis, not one for each number',
     False, False, True, True)
_row('losses_in_floatx', 'losses.Loss',
     'predictions and targets are floats of `floatx` in losses without a `dtype`, those of 16 bits included',
     False, False, False, True)
_row('dtypes_are_fixed', 'losses.Loss, metrics.Metric', '`dtype` cannot be set on an object', False, False, False, True)
_row('metrics_compute_in_policies', 'metrics.Metric',
     'of a policy given as `dtype` the metric takes what is computed in, not what variables have; variables that are '
     'added without a dtype have `floatx`', False, False, False, True)
_row('loss_functions_go_by_predictions', 'losses.mean_squared_error, losses.binary_crossentropy',
     'called as functions, losses take targets in the dtype of the predictions; those of regression make (n,) and '
     '(n, 1) alike, crossentropies refuse targets of fewer or more axes', False, False, False, True)
_row('columns_of_weights_give_columns', 'losses.Loss',
     'losses (n,) with `sample_weight` (n, 1) and `reduction="none"` give (n, 1), not (n,)', False, False, False, True)
_row('a_weight_counts_once', 'losses.Loss',
     'with `reduction="mean_with_sample_weight"` each weight is counted once, not for every value that it weighs',
     False, False, False, True)
_row('losses_take_masks', 'losses.Loss',
     'a mask that goes with predictions outside of `fit` (of an `Embedding`, or by `set_keras_mask`) leaves values out',
     False, False, False, True)
_row('cells_in_16_bits', 'layers.RNN, layers.Bidirectional',
     'with `dtype="float16"` or "bfloat16" the wrapper computes in it, with layers inside of float32, too',
     False, False, False, True)
_row('metrics_take_masks', 'metrics.MeanMetricWrapper',
     'a mask that goes with predictions outside of `fit` leaves values out', False, False, False, True)
_default('losses.BinaryCrossentropy', 'label_smoothing', 0, 0, 0.0, 0.0)

# --- losses, metrics

_row('hinge_of_zeros_and_ones', 'losses.hinge, squared_hinge',
     'targets that are all 0 or 1 count as -1 and 1', False, True, True, True)
_row('crossentropy_adds_epsilon', 'losses.binary_crossentropy',
     '`epsilon` is added to the probabilities, which are clipped to `[epsilon, 1 - epsilon]`, before the logarithm',
     False, True, True, False)
_row('crossentropies_take_logits', 'losses.BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy',
     'trained on what a sigmoid or softmax gives, the loss is that of what goes into it: of several classes behind a '
     'sigmoid it is that of a softmax, and the binary one behind a softmax is that of a sigmoid',
     False, False, True, False)
_row('sparse_crossentropy_clips_first', 'losses.sparse_categorical_crossentropy',
     'probabilities are clipped before they are scaled to sum 1, not after', True, True, True, False)
_row('name_of_divergence', 'losses.KLDivergence', 'default `name`',
     'kullback_leibler_divergence', 'kullback_leibler_divergence', 'kl_divergence', 'kl_divergence')
_default('losses.LogCosh', 'name', 'logcosh', 'logcosh', 'log_cosh', 'log_cosh')
_default('metrics.KLDivergence', 'name', 'kullback_leibler_divergence', 'kullback_leibler_divergence',
         'kullback_leibler_divergence', 'kl_divergence')
_row('pixels_are_counted_in_integers', 'metrics.MeanIoU, IoU, BinaryIoU, OneHotIoU, OneHotMeanIoU',
     'where no `dtype` is given counts are integers, exact beyond 2 ** 24, and sample weights are cut to integers, '
     'floats with a warning', False, False, False, True)
_row('cosine_is_mean_of_products', 'losses.cosine_proximity, metrics.cosine_proximity',
     'the products of the scaled targets and predictions are averaged, not summed, and the metric is negative, too',
     True, False, False, False)
_row('accuracy_rounds_predictions', 'metrics.binary_accuracy',
     'a prediction is right where its rounded value equals the target, not by a threshold', True, False, False, False)
_row('accuracy_of_elements', 'metrics.binary_accuracy',
     'one value per element, not their mean over the last axis', False, False, False, True)
_row('constraint_must_hold', 'metrics.SensitivityAtSpecificity, SpecificityAtSensitivity',
     'the best threshold is taken at which the wanted value is reached, not the one at which it is met most nearly',
     False, False, True, True)

# --- models, training

_row('files_say_which_accuracy', 'models.Model.save',
     "HDF5 files name the function that the metrics 'accuracy' and 'crossentropy' stand for", False, False, True, False)
_row('paths_are_unique', 'models.Model.get_state_tree',
     'two weights of one path are refused; else a number tells them apart', False, False, False, True)
_row('series_are_columns', 'models.Model.fit',
     'a pandas Series is an array of shape (n, 1)', False, False, False, True)
_row('batches_are_shuffled_inside', 'models.Model.fit',
     "`shuffle='batch'` keeps the order of the batches and shuffles the samples in each, not the batches",
     False, False, False, True)
_row('monitors_compare_by_ops', 'callbacks.EarlyStopping, ModelCheckpoint',
     '`monitor_op` is a function of `keras.ops`, not of NumPy', False, False, False, True)
_row('lists_of_one_stay', 'models.Model',
     '`input` and `output` are lists or tuples where the model was made with such of one tensor; `input_shape` and '
     '`output_shape` are lists in the order of `inputs` and `outputs`, and the shape itself where there is one',
     False, False, False, True)
_row('outputs_go_by_losses', 'models.Model.fit',
     'in the logs of a model without a graph, outputs in a list go by the names of their losses (`mse_loss`), their '
     'metrics by their own; not `output_1_loss`', False, False, False, True)
_row('executions_are_whole', 'models.Model.fit',
     'a number of steps that is no multiple of `steps_per_execution` counts as the next one: of `steps_per_epoch=5` by '
     'two, six batches run', False, False, False, True)
_row('runs_overrule_calls', 'models.Model, layers.Layer',
     'whether a model trains overrules what its layers were called with: of `Dropout(0.5)(x, training=True)` nothing '
     'is dropped by `predict`, `evaluate` and `model(x, training=False)`, and `training=False` does not hold in `fit`',
     False, False, False, True)
_row('generators_of_one_length', 'models.Model.fit',
     'all arrays of a batch that a generator yields must have the same number of samples', True, True, False, False)
_row('trainable_reaches_inside', 'layers.Layer, models.Model',
     'setting `trainable` sets it on all layers inside as well; wrappers always do', False, False, True, True)
_row('parts_say_what_is_trained', 'layers.Layer, models.Model',
     'of a layer or model made with `trainable=False` only its own weights are left alone as a part of a model: layers '
     'inside are trained unless they are frozen themselves', False, False, False, True)
_row('trainable_reaches_weights', 'layers.Layer',
     'setting `trainable` of a layer sets it of its weights as well', False, False, False, True)
_row('first_input_counts', 'models.Model.predict',
     'of several inputs without targets the first says how many samples there are: those that others have beyond it '
     'are left out, with a warning; different numbers are an error', True, True, False, False)
_row('targets_have_shapes_of_outputs', 'models.Model.fit',
     'targets must have the shape of their output where the loss compares the two element by element, not only for '
     'categorical cross-entropy', True, True, False, False)
_row('best_is_none_at_first', 'callbacks.EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, OrbaxCheckpoint',
     '`best` is None until an epoch has a value, even NaN, and then the best one, whatever `baseline` says; an '
     'epoch better than those before it does not end the training, though behind the `baseline`',
     False, False, False, True)
_row('auto_needs_a_metric', 'callbacks.EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, OrbaxCheckpoint',
     "mode 'auto' is refused where no metric of the model says whether more or less is better, not taken by the name",
     False, False, False, True)
_row('best_weights_at_end', 'callbacks.EarlyStopping',
     '`restore_best_weights` restores at the end of every training, not only where the callback stops it',
     False, False, False, True)
_row('metrics_see_masks', 'models.Model.compile',
     'metrics leave out the steps that a mask leaves out', False, True, True, True)
_row('masked_loss_is_mean_of_rest', 'models.Model.compile',
     'the loss under a mask is the mean over the steps that the mask leaves, not over all steps',
     True, False, True, True)
_row('zero_weights_leave_the_mean', 'models.Model.compile',
     'samples of weight 0 do not count in the number that the sum of the losses is divided by',
     True, False, False, False)
_row('accuracy_by_shape', 'models.Model.compile',
     'which accuracy the metric `accuracy` is goes by the shapes of targets and predictions alone, not by the loss',
     False, False, True, True)
_row('metrics_by_function', 'models.Model.compile',
     'metrics given by name are called after their function, and `accuracy` is called `acc`', True, False, False, False)
_row('names_are_metric_classes', 'metrics.get, models.Model.compile',
     'a name in place of a metric, such as `mse` or `precision`, stands for the class, not for a function of that '
     'name, and the metric is called so', False, False, False, True)
_row('logs_by_name', 'models.Model.compile',
     'a model of several outputs lists its metrics by their names, the losses of a dictionary of outputs in its order, '
     'and no loss of an output where it is the only one', False, False, False, True)
_row('logs_by_output', 'models.Model.compile',
     'the metrics of an output are listed together, weighted ones included', False, False, True, False)
_row('metric_per_output', 'models.Model.compile',
     'of a flat list of as many metrics as the model has outputs, each output has one, not all of them',
     False, False, False, True)
_row('epoch_ends_with_pass', 'models.Model.fit, evaluate, predict',
     'where the data ends before the number of steps is reached, the epoch ends, and the next one begins anew; it does '
     'not go on with the next pass', False, False, False, True)
_row('targets_need_a_loss', 'models.Model.fit', 'targets for a model that was compiled without a loss are an error',
     True, True, False, False)
_row('metrics_begin_with_loss', 'models.Model.metrics',
     'the mean of the loss is among them as the first',
     False, False, True, True)
_row('compiled_metrics_are_one', 'models.Model.metrics',
     'what `compile` was given as metrics stands there as one metric, `compile_metrics`, which gives a dictionary',
     False, False, False, True)
_row('generators_count_samples', 'models.Model.fit_generator, evaluate_generator, predict_generator',
     'the positional argument behind the generator is the number of samples of an epoch, not of batches',
     True, False, False, False)
_default('models.Model.fit', 'epochs', 10, 1, 1, 1)
_default('models.Model.predict', 'verbose', 0, 0, 'auto', 'auto')
_row('batch_and_size_in_logs', 'callbacks.Callback.on_batch_end', 'the logs of a batch have entries batch and size',
     True, True, False, False)
_row('attributes_show_when_updated', 'models.Model.evaluate',
     'metrics that are attributes of layers, and have not been updated, are in no logs', True, True, False, False)
_row('added_metrics_differ_in_name', 'layers.Layer.add_metric',
     'two metrics of one name that are attributes of layers are refused where `call` adds one; the logs have the last',
     True, True, True, False)
_row('numbers_of_numpy', 'models.Model.evaluate, train_on_batch, test_on_batch',
     'the loss and the metrics that they return are scalars of NumPy, with `item` and `dtype`',
     True, True, False, False)
_row('rate_in_logs', 'callbacks.LearningRateScheduler, ReduceLROnPlateau',
     'the name of the learning rate in the logs of an epoch', 'lr', 'lr', 'lr', 'learning_rate')
_row('class_weights_of_validation', 'models.Model.fit',
     '`class_weight` counts in what `validation_split` holds out as well', True, True, False, False)
_row('logs_are_sorted', 'models.Model.fit', 'the values of an epoch or a batch stand in their logs and the history by '
     'the alphabet, not the loss first', False, False, False, True)
_row('validation_before_training', 'models.Model.fit',
     'the values of the validation stand before those of the training in the logs of an epoch and the history',
     True, True, False, False)
_row('CSVLogger.always_has_validation', 'callbacks.CSVLogger',
     'the file has columns for the validation of every value, also where nothing is validated',
     False, False, False, True)
_row('ModelCheckpoint.needs_monitor', 'callbacks.ModelCheckpoint',
     'with `save_best_only` nothing is saved where the monitored value is not in the logs', True, True, True, False)
_row('ModelCheckpoint.first_batch', 'callbacks.ModelCheckpoint', 'the number of the first batch in names of files',
     0, 0, 1, 1)
_row('plain_numbers_of_epochs', 'callbacks.ModelCheckpoint, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau',
     'lines that they print begin with `Epoch 1`, not `Epoch 00001`, and `ModelCheckpoint` says when it has saved',
     False, False, False, True)
_row('metrics_in_folders', 'callbacks.TensorBoard',
     'metrics are written into the folders `train` and `validation`, with `epoch_` or `batch_` before their names, not '
     'into one file under the names in the logs; `update_freq` counts batches, not samples', False, False, True, True)
_default('utils.plot_model', 'show_layer_names', True, True, False, False)
_default('utils.plot_model', 'dpi', 96, 96, 96, 200)
_default('utils.Progbar', 'width', 30, 30, 30, 20)
_row('own_loss_in_logs', 'callbacks.Callback.on_batch_end',
     'the loss in the logs of a batch is that of the batch alone, not the mean over the epoch so far',
     True, True, False, False)

# --- optimizers

_default('optimizers.Adagrad', 'learning_rate', 0.01, 0.01, 0.001, 0.001)
_default('optimizers.Adadelta', 'learning_rate', 1.0, 1.0, 0.001, 0.001)
_default('optimizers.Adamax', 'learning_rate', 0.002, 0.002, 0.001, 0.001)
_default('optimizers.Nadam', 'learning_rate', 0.002, 0.002, 0.001, 0.001)
_default('optimizers.Adagrad', 'initial_accumulator_value', 0.0, 0.0, 0.1, 0.1)
_default('optimizers.Nadam', 'schedule_decay', 0.004, 0.004, 1.0, 1.0)
_row('optimizer_epsilon', 'optimizers.Adadelta, Adagrad, Adam, Adamax, AdamW, Lamb, Nadam, RMSprop',
     'default `epsilon`; None stands for `keras.config.epsilon()`', 1e-8, None, 1e-7, 1e-7)
_default('initializers.Constant', 'value', 0, 0, 0, 0.0)
_default('callbacks.ReduceLROnPlateau', 'min_lr', 0, 0, 0, 0.0)
_default('callbacks.TensorBoard', 'log_dir', './logs', './logs', 'logs', 'logs')
_row('utils_read_as_saving', 'utils.deserialize_keras_object',
     'the arguments behind the first are `custom_objects` and `safe_mode`, not `module_objects` and `custom_objects`',
     False, False, False, True)
_row('optimizers_are_numbered', 'optimizers.Optimizer',
     'automatic names are `adam`, `adam_1`, `adam_w`, and configs hold them', False, False, False, True)
_row('rate_among_variables', 'optimizers.Optimizer.variables',
     'the learning rate is among them, and the slots stand weight by weight', False, False, False, True)
_row('counter_is_iteration', 'optimizers.Optimizer',
     'the variables of an optimizer are called `iteration` and `learning_rate`, and have its name in their paths',
     False, False, False, True)
_row('one_way_of_clipping', 'optimizers.Optimizer',
     'only one of `clipnorm`, `clipvalue` and `global_clipnorm` may be given', False, False, True, True)
_row('gradients_come_unscaled', 'optimizers.LossScaleOptimizer.apply_gradients',
     'the gradients are divided by the scale already (`get_unscaled_gradients`)', False, False, True, False)
_row('none_is_no_optimizer', 'optimizers.get', 'None is an error; it stays None', True, True, True, False)
_row('epsilon_under_root', 'optimizers.Adagrad, RMSprop',
     'whether `epsilon` is added to the mean square before the root is taken, not to the root',
     'never', 'never', 'with momentum', 'always')
_row('clipnorm_of_each', 'optimizers.Optimizer',
     '`clipnorm` limits the norm of each gradient, not the norm of all of them together', False, False, True, True)

# --- networks

_row('densenet_begins', 'applications.DenseNet121, DenseNet169, DenseNet201',
     'the first layers are called `conv1/conv`, `conv1/bn` and `conv1/relu`, or `conv1_conv` and so on',
     '/', '/', '/', '_')

_row('name_of_densenet_top', 'applications.DenseNet121, DenseNet169, DenseNet201', 'the name of the last layer',
     'fc1000', 'fc1000', 'predictions', 'predictions')
_row('name_of_resnet_top', 'applications.ResNet101, ResNet152, ResNet50V2, ResNet101V2, ResNet152V2',
     'the name of the last layer', 'probs', 'probs', 'predictions', 'predictions')
_row('inception_blocks_are_named', 'applications.InceptionResNetV2',
     'the layers that add the blocks are called `block35_1` and so on', True, True, False, False)

_row('mobilenet_pads_first', 'applications.MobileNet, MobileNetV2',
     'zeros for the first convolution are a layer `conv1_pad`', True, True, False, False)
_row('mobilenet_reshapes_first', 'applications.MobileNet',
     'what the average over all places gives gets its places back by a layer `reshape_1`', True, True, False, False)
_row('name_of_mobilenet_top', 'applications.MobileNet', 'the name of the last layer',
     'act_softmax', 'act_softmax', 'predictions', 'predictions')
_row('name_of_mobilenet_v2_top', 'applications.MobileNetV2', 'the name of the last layer',
     'Logits', 'Logits', 'predictions', 'predictions')
_row('name_of_nasnet', 'applications.NASNetMobile, NASNetLarge',
     'the name of the models, None for `nasnet_mobile` and `nasnet_large`', 'NASNet', 'NASNet', 'NASNet', None)
_row('resnet50_of_2015', 'applications.ResNet50, applications.resnet50.ResNet50',
     'the network with layers `res2a_branch2a` and so on, and weights of its own; `applications.resnet.ResNet50` is '
     'always the other one', True, True, False, False)

# --- data sets

_row('archive_gets_folder', 'utils.get_file',
     '`extract=True` (or `untar`) extracts into a folder of its own and returns its path', False, False, False, True)
_row('imdb_maxlen_moves_split', 'datasets.imdb.load_data',
     '`maxlen` leaves the training part its size, at the expense of the test part', True, True, False, False)


# --- layers and models

_row('list_of_one_is_it', 'layers.Layer', 'a list of one tensor that `call` returns comes out as that tensor',
     True, True, False, False)
_row('classes_without_weight_have_one', 'models.Model.fit',
     'a class that `class_weight` leaves out has the weight 1; it is an error', False, False, False, True)
_row('clones_of_stacks_are_compiled', 'models.clone_model',
     'the clone of a compiled `Sequential` is compiled, too', False, False, False, True)
_row('weighted_metrics_say_so', 'models.Model.compile',
     'a weighted metric that has the name of another one is called `weighted_` and that, not that and a number',
     False, False, True, True)
_row('faults_of_losses_show_in_fit', 'models.Model.compile',
     'losses and metrics that do not fit the outputs are an error when the model is trained or evaluated, not before',
     False, False, False, True)
_row('stacks_take_other_sizes', 'models.Sequential',
     'a batch may have other sizes than those that the stack was built for, where its layers take them',
     False, False, False, True)
_row('inputs_are_fitted', 'models.Model',
     'a model of a graph that is called on values takes them with or without a last axis of size 1, casts them to the '
     'dtype of its input, and refuses other shapes', False, False, True, True)
_row('inputs_need_a_shape', 'models.Sequential',
     'a stack without a known shape of inputs has no `inputs` and `outputs`, not None, and one with an `Input` cannot '
     'be built for another shape', False, False, False, True)
_row('other_structures_warn', 'models.Model',
     'a warning says where a model that takes a dictionary is given a list, or other keys', False, False, False, True)
_row('summary_of_what_is_unbuilt', 'models.Model.summary',
     'the summary of a model that is not built is printed, not refused', False, False, False, True)
_row('operations_in_summary', 'models.Model.summary',
     'operations among the layers have rows', False, False, True, True)
_row('summary_counts_optimizer', 'models.Model.summary',
     'the variables of the optimizer count', False, False, False, True)
_row('names_are_values', 'saving.deserialize_keras_object',
     'a string stands for itself, unless it is registered or a custom object; it stands for what it names',
     False, False, False, True)
_row('predictions_in_bfloat16', 'models.Model.predict',
     'outputs of bfloat16 come in that dtype, of the package `ml_dtypes`, not as float32', False, False, False, True)
_row('exports_have_extensions', 'models.Model.export',
     'the name of a file of LiteRT has to end in .tflite, that of one of PyTorch in .pt2', False, False, False, True)
_row('failures_end_callbacks', 'models.Model.fit',
     'an error that ends the training does not call `on_train_end` of your own callbacks, only that of Keras\'s',
     True, True, True, False)
_row('stacks_pass_structures', 'models.Sequential',
     'a layer may give several tensors, which the next one takes together', False, False, False, True)
_row('classes_need_from_config', 'saving.load_model',
     'a class of your own without `from_config` is refused, not called with what its config says',
     False, False, False, True)
_row('sets_are_of_tensorflow', 'utils.image_dataset_from_directory, timeseries_dataset_from_array, split_dataset',
     'a set is a `tf.data.Dataset` on every engine, in a program that imports TensorFlow; it is one on TensorFlow only',
     False, False, False, True)
_row('edges_of_the_library', 'ops.istft, segment_max, segment_min, argmax, argmin',
     'on TensorFlow `istft` divides the ends of a signal by the squares of as many windows as its middle, segments of '
     'nothing have the smallest number or the largest, which are finite, and -0.0 is less than 0.0',
     False, False, False, True)
_row('full_sums_are_sparse', 'ops.sum, ops.mean',
     'what a sparse tensor of TensorFlow or JAX adds up to over all axes is a sparse tensor, too',
     False, False, False, True)
_row('models_have_configs', 'models.Model.get_config',
     'a subclass that defines `call`, or makes its graph in a constructor of its own, has a config: the arguments of '
     'the constructor, or what every layer has, for a `get_config` that adds to it', False, False, True, True)
_row('wrapped_modules_are_code', 'layers.TorchModuleWrapper.from_config',
     'what `get_config` of this process gave is refused, too, unless `safe_mode` is False', False, False, False, True)
_row('no_optimizer_before_compile', 'models.Model',
     '`optimizer` of a model that is not compiled is an `AttributeError`, not None', False, False, False, True)


# --- asking

def value(name, generation=None):
    """What the row called `name` says for `generation`, default the current setting."""
    return ROWS[name].values[generation or config.get_generation()]


# --- keeping

class Dated:
    """Notes the generation that it is made under.

    `__new__` does it rather than `__init__`, so that classes work which use it before they call `super().__init__`.
    """

    def __new__(cls, *args, **kwargs):
        self = object.__new__(cls)
        self._made_under = config.get_generation()
        return self

    def ruled(self, name):
        """What the row called `name` of the table says for the generation of this object."""
        return ROWS[name].values[self._made_under]

    def __reduce_ex__(self, protocol):
        reduced = super().__reduce_ex__(protocol)
        if isinstance(reduced, str):
            return reduced
        reduced = portable_object(reduced)
        return reduced if len(reduced) < 3 else reduced[:2] + (portable(reduced[2]),) + reduced[3:]

    def __copy__(self):
        made = type(self).__new__(type(self))
        state = self.__getstate__() if hasattr(self, '__getstate__') else vars(self)
        if hasattr(made, '__setstate__'):
            made.__setstate__(dict(state))
        else:
            vars(made).update(state)
        return made


_NO_DEFAULT = object()


def of(made, default=_NO_DEFAULT):
    """The generation that a layer, loss, metric or optimizer was made under; `default`, if given, of anything else."""
    return made._made_under if default is _NO_DEFAULT else getattr(made, '_made_under', default)


def under(made):
    """A `with` block under the generation of an object."""
    return config.generation(of(made))


# --- default arguments that depend on it

class _Default:
    """A value of Keras 2 that stands as a default in a signature, and knows its row."""
    row = None


class _DefaultFlag(_Default, int):
    def __repr__(self):
        return repr(bool(self))


class _DefaultFloat(_Default, float):
    pass


class _DefaultNumber(_Default, int):
    pass


class _DefaultText(_Default, str):
    pass


class _DefaultTuple(_Default, tuple):
    pass


class _DefaultNothing(_Default, tuple):
    """None, which has no subclasses."""

    def __repr__(self):
        return 'None'


_KINDS_OF_DEFAULTS = {bool: _DefaultFlag, int: _DefaultNumber, float: _DefaultFloat, str: _DefaultText,
                      tuple: _DefaultTuple, type(None): _DefaultNothing}


def Default(name):  # noqa: N802  (it stands where the name of a type would)
    """The default of an argument that depends on the generation, see the module."""
    values = ROWS[name].values
    # A process whose settings name a generation sees that one's signatures, where the value can know its row.
    shown = values[config.settings.generation or config.DEFAULT_GENERATION]
    default = _KINDS_OF_DEFAULTS[type(shown)](() if shown is None else shown)
    default.row = name
    return default


def settled(given, generation=None):
    """The argument `given`; where it is a `Default`, its value for `generation`, default the current setting."""
    return value(given.row, generation) if isinstance(given, _Default) else given


# --- functions that depend on it, and are kept by objects

_dependent = set()


def dependent(function):
    """A decorator for functions whose result depends on the current generation: objects call them with `bound`."""
    _dependent.add(function)
    return function


class Bound:
    """A function under a fixed generation. It equals the function, has its name, and passes for one with packages that
    ask (hls4ml takes nothing else for an activation)."""
    __class__ = property(lambda self: types.FunctionType)

    def __init__(self, function, generation):
        functools.update_wrapper(self, function)
        self.generation = generation

    def __call__(self, *args, **kwargs):
        if config.get_generation() == self.generation:
            return self.__wrapped__(*args, **kwargs)
        with config.generation(self.generation):
            return self.__wrapped__(*args, **kwargs)

    def __eq__(self, other):
        return self.__wrapped__ == getattr(other, '__wrapped__', other)

    def __hash__(self):
        return hash(self.__wrapped__)

    def __reduce__(self):
        return Bound, (self.__wrapped__, self.generation)

    def __getattr__(self, name):
        if name in ('__code__', '__defaults__', '__kwdefaults__', '__globals__', '__closure__'):
            return getattr(self.__wrapped__, name)
        raise AttributeError(name)

    def __repr__(self):
        return '<%s of generation %s>' % (self.__name__, self.generation)


def bound(function, generation):
    """`function` as an object of `generation` is to call it: under that generation, where it makes a difference."""
    try:
        return Bound(function, generation) if function in _dependent else function
    except TypeError:  # what cannot be hashed is nothing of ours
        return function


# --- files

class _Reading(threading.local):
    """Per thread: what is known about the generations of what is being read."""
    parts = None
    path = ()


_reading = _Reading()


# The first two numbers of a version.
_VERSION = re.compile(r'(\d{1,6})(?:\.(\d{1,6}))?(?!\d)')


def of_version(version):
    """The generation that wrote a file, from the `keras_version` in it.

    Raises:
        ValueError: for what is no version.

    Example:
        >>> keras.generations.of_version('2.3.1'), keras.generations.of_version('2.15.0')
        (2, 'tf')
    """
    # tf.keras called itself 2.2.4-tf and 2.3.0-tf; from 2.4 on every Keras 2 is tf.keras.
    if isinstance(version, str) and '-tf' in version:
        return 'tf'
    numbers = _VERSION.match(version if isinstance(version, str) else '')
    if numbers is None:
        raise ValueError('The file says that it was written by version %.60r of Keras, which is none.' % (version,))
    major, minor = [int(part or 0) for part in numbers.groups()]
    if major == 2:
        return 2 if minor < 4 else 'tf'
    return 1 if major < 2 else 3 if major == 3 else config.DEFAULT_GENERATION


# What files in the form of Keras 2 say of the version of Keras: readers want a 2 there.
FILE_VERSIONS = {1: '2.3.1', 2: '2.3.1', 'tf': '2.15.0', 3: '2.15.0'}


def version_of(made):
    """The version of Keras that a file in the form of Keras 2 gives for an object."""
    return FILE_VERSIONS[of(made)]


def of_parts(model):
    """The generations in a model, for a file: {'': its own, 'layer' or 'model/layer': where another than around it}."""
    found = {}

    def note(made, path, around):
        if of(made) != around:
            found['/'.join(path)] = of(made)
        for layer in getattr(made, 'layers', ()):
            note(layer, path + (layer.name,), of(made))
    note(model, (), None)
    return found


def is_reading():
    """Whether what a file or a config holds is being made."""
    return _reading.parts is not None


@contextlib.contextmanager
def reading(parts):
    """A `with` block in which what a file holds is made. `parts`: as `of_parts` gives them, or one generation."""
    parts = parts if isinstance(parts, dict) else {'': parts}
    if '' not in parts:
        raise ValueError('The file does not say which generation of Keras its model is of: %.100r' % (parts,))
    previous = _reading.parts, _reading.path
    _reading.parts, _reading.path = parts, ()
    try:
        with config.generation(parts['']):
            yield
    finally:
        _reading.parts, _reading.path = previous


@contextlib.contextmanager
def reading_part(name):
    """A `with` block in which the layer called `name` is made, of the model that is being read."""
    previous = _reading.path
    _reading.path = previous + (str(name),)
    generation = (_reading.parts or {}).get('/'.join(_reading.path), config.get_generation())
    try:
        with config.generation(generation):
            yield
    finally:
        _reading.path = previous


def reading_config(content):
    """A `with` block for a config: under the generation that wrote it, where it says so and no file has said it yet.

    `keras_generations` is what we write beside a config, `keras_version` what Keras 1, 2 and tf.keras write there;
    Keras 3 writes no version, but the module of every class.
    """
    if _reading.parts is None:
        if 'keras_generations' in content:
            return reading(content['keras_generations'])
        if 'keras_version' in content:
            return reading(of_version(content['keras_version']))
        if 'module' in content and 'registered_name' in content:
            return reading(3)
    return contextlib.ExitStack()


def reading_optimizer(arguments):
    """A `with` block for the config of an optimizer: those of tf.keras that may be compiled by XLA are Keras 3's."""
    return config.generation(3) if 'jit_compile' in arguments else contextlib.ExitStack()
