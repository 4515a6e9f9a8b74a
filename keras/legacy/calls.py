"""The one table of what was called otherwise in Keras 1: the arguments of layers, functions and methods.

`CALLS` has, per module or class, {name: `Spelling`}. `install` lets the functions and classes in a namespace take them.
"""
import inspect
import itertools
import warnings

from keras import generations
from keras.legacy.arguments import Spelling, data_format_of, deprecated, dim_ordering_of, taking_old_calls

# --- values in other words --------------------------------------------------------------------------------------------


def _format(value):
    return data_format_of(value) if isinstance(value, str) and not value.startswith('channels') else value


def _implementation(consume_less):
    if consume_less not in ('cpu', 'mem', 'gpu'):
        raise ValueError("consume_less must be 'cpu', 'mem' or 'gpu'. Received: %r" % (consume_less,))
    return 2 if consume_less == 'gpu' else 1


def _unit_forget_bias(initialization):
    if initialization in ('one', 'ones'):
        return True
    if initialization in ('zero', 'zeros') and generations.value('forget_bias_init_is_obeyed'):
        return False
    if generations.value('forget_bias_init_is_obeyed'):
        raise ValueError("forget_bias_init: only 'one' and 'zero' are left. Received: %r. Give a bias_initializer for "
                         "the whole bias instead." % (initialization,))
    warnings.warn('forget_bias_init=%r is ignored: the forget bias begins with 1. Give unit_forget_bias=False for one '
                  'like the rest of the bias.' % (initialization,), stacklevel=7)
    return True


def _pairs_of_four(count):
    """A padding as Keras 1 took it, a dictionary or a flat tuple with two numbers per axis, as `count` pairs."""
    names = {1: ('left_pad', 'right_pad'), 2: ('top_pad', 'bottom_pad', 'left_pad', 'right_pad')}[count]

    def convert(padding):
        if isinstance(padding, dict):
            unknown = set(padding).difference(names)
            if unknown:
                raise ValueError('padding: unexpected key %s. Expected: %s.'
                                 % (', '.join(map(repr, sorted(unknown))), ', '.join(names)))
            padding = [padding.get(name, 0) for name in names]
        pairs = tuple(tuple(padding[place:place + 2]) for place in range(0, 2 * count, 2))
        return pairs if count > 1 else pairs[0]
    return convert, lambda padding: not isinstance(padding, dict) and not (
        count > 1 and isinstance(padding, (list, tuple)) and len(padding) == 2 * count)


def _output_padding(given):
    """What the `output_shape` of a deconvolution says beyond its size: the padding of the output, where it has one."""
    shape = given.pop('output_shape', None)
    if shape is None:
        return
    window = given.get('kernel_size') or (given.get('nb_row'), given.get('nb_col'))
    window = window if isinstance(window, (list, tuple)) else (window,) * 2
    strides = given.get('subsample', given.get('strides', (1, 1)))
    strides = strides if isinstance(strides, (list, tuple)) else (strides,) * 2
    same = given.get('border_mode', given.get('padding', 'valid')) == 'same'
    first = _format(given.get('dim_ordering', given.get('data_format')) or _default_format()) == 'channels_first'
    sizes = shape[2:] if first else shape[1:-1]
    if len(sizes) != 2 or None in sizes or None in window:
        return
    before = [2 * (size // 2) if same else 0 for size in window]
    wanted = tuple((size + twice - length) % stride
                   for size, twice, length, stride in zip(sizes, before, window, strides))
    usual = tuple((twice - length) % stride if same else max(0, stride - length)
                  for twice, length, stride in zip(before, window, strides))
    if wanted != usual:
        given['output_padding'] = wanted


def _steps(given):
    """The sizes of (batch, steps, size) as `input_shape`, for a layer that is to take any number of axes."""
    size, length = given.pop('input_dim', None), given.pop('input_length', None)
    if size is not None:
        given['input_shape'] = (length, size)


def _for_each_kernel(given):
    """`init` of a separable convolution stands for both of its kernels."""
    if 'init' in given:
        init = given.pop('init')
        given.setdefault('depthwise_initializer', init)
        given.setdefault('pointwise_initializer', init)


def _default_format():
    from keras import config
    return config.image_data_format()


# --- layers -----------------------------------------------------------------------------------------------------------

_LAYER = {'dim_ordering': _format, 'consume_less': _implementation, 'forget_bias_init': _unit_forget_bias}


def _layer(text, prepare=None, numbers_are=None, now=None, **conversions):
    return Spelling(text, dict(_LAYER, **conversions), prepare, numbers_are, now)


_PENALTIES = ('W_regularizer>kernel_regularizer b_regularizer>bias_regularizer activity_regularizer '
              'W_constraint>kernel_constraint b_constraint>bias_constraint bias>use_bias ')
_KERNEL = 'init>kernel_initializer activation weights '
_STEPS = 'filter_length!>kernel_size ' + _KERNEL + 'border_mode>padding subsample_length>strides '
_IMAGES = 'nb_row!+nb_col!>kernel_size ' + _KERNEL + 'border_mode>padding subsample>strides dim_ordering>data_format '
_GATES = ('W_regularizer>kernel_regularizer U_regularizer>recurrent_regularizer b_regularizer>bias_regularizer '
          'dropout_W>dropout dropout_U>recurrent_dropout consume_less>implementation ')
_POOLING = _layer('pool_size strides border_mode>padding dim_ordering>data_format')
_STEP_POOLING = _layer('pool_length>pool_size stride>strides border_mode>padding')
_FORMAT = _layer('dim_ordering>data_format')

LAYERS = {
    'Dense': _layer('output_dim!>units ' + _KERNEL + _PENALTIES + 'input_dim'),
    'Dropout': _layer('p!>rate noise_shape seed'),
    'SpatialDropout1D': _layer('p!>rate'),
    'SpatialDropout2D': _layer('p!>rate dim_ordering>data_format'),
    'SpatialDropout3D': _layer('p!>rate dim_ordering>data_format'),
    'GaussianDropout': _layer('p!>rate'),
    'GaussianNoise': _layer('sigma!>stddev'),
    'Lambda': _layer('function output_shape arguments'),
    'Embedding': _layer('input_dim output_dim init>embeddings_initializer input_length '
                        'W_regularizer>embeddings_regularizer activity_regularizer W_constraint>embeddings_constraint '
                        'mask_zero weights dropout'),
    'PReLU': _layer('init>alpha_initializer weights shared_axes'),
    'BatchNormalization': _layer('epsilon mode axis momentum weights beta_init>beta_initializer '
                                 'gamma_init>gamma_initializer gamma_regularizer beta_regularizer'),
    'Conv1D': _layer('nb_filter!>filters ' + _STEPS + _PENALTIES + 'input_dim input_length'),
    'Conv2D': _layer('nb_filter!>filters ' + _IMAGES + _PENALTIES, numbers_are='numbers_are_a_kernel'),
    'Conv3D': _layer(
        'nb_filter!>filters ' + _IMAGES.replace('nb_row!+nb_col!', 'kernel_dim1!+kernel_dim2!+kernel_dim3!')
        + _PENALTIES, numbers_are='numbers_are_a_kernel'),
    'Conv2DTranspose': _layer('nb_filter!>filters ' + _IMAGES.replace('init>', 'output_shape!> init>', 1) + _PENALTIES,
                              _output_padding, 'numbers_are_a_kernel'),
    'SeparableConv2D': _layer(
        'nb_filter!>filters ' + _IMAGES.replace('init>kernel_initializer', 'init>').replace(
            'dim_ordering', 'depth_multiplier dim_ordering')
        + 'depthwise_regularizer pointwise_regularizer b_regularizer>bias_regularizer activity_regularizer '
          'depthwise_constraint pointwise_constraint b_constraint>bias_constraint bias>use_bias',
        _for_each_kernel, 'numbers_are_a_kernel'),
    'LocallyConnected1D': _layer('nb_filter!>filters ' + _STEPS + _PENALTIES + 'input_dim input_length'),
    'LocallyConnected2D': _layer('nb_filter!>filters ' + _IMAGES + _PENALTIES, numbers_are='numbers_are_a_kernel'),
    'SimpleRNN': _layer('output_dim!>units init>kernel_initializer inner_init>recurrent_initializer activation '
                        + _GATES),
    'GRU': _layer('output_dim!>units init>kernel_initializer inner_init>recurrent_initializer activation '
                  'inner_activation>recurrent_activation ' + _GATES),
    'LSTM': _layer('output_dim!>units init>kernel_initializer inner_init>recurrent_initializer '
                   'forget_bias_init>unit_forget_bias activation inner_activation>recurrent_activation ' + _GATES),
    'ConvLSTM2D': _layer(
        'nb_filter!>filters nb_row!+nb_col!>kernel_size init>kernel_initializer inner_init>recurrent_initializer '
        'forget_bias_init>unit_forget_bias activation inner_activation>recurrent_activation dim_ordering>data_format '
        'border_mode>padding subsample>strides ' + _GATES.replace(' consume_less>implementation', ''),
        numbers_are='numbers_are_a_kernel'),
    'UpSampling1D': _layer('length>size'),
    'UpSampling2D': _layer('size dim_ordering>data_format'),
    'UpSampling3D': _layer('size dim_ordering>data_format'),
    'ZeroPadding1D': _layer('padding', padding=_pairs_of_four(1)),
    'ZeroPadding2D': _layer('padding dim_ordering>data_format', padding=_pairs_of_four(2)),
    'ZeroPadding3D': _layer('padding dim_ordering>data_format'),
    'Cropping2D': _layer('cropping dim_ordering>data_format'),
    'Cropping3D': _layer('cropping dim_ordering>data_format'),
    'AveragePooling1D': _STEP_POOLING,
    'MaxPooling1D': _STEP_POOLING,
    'AveragePooling2D': _POOLING,
    'AveragePooling3D': _POOLING,
    'MaxPooling2D': _POOLING,
    'MaxPooling3D': _POOLING,
    'GlobalAveragePooling2D': _FORMAT,
    'GlobalAveragePooling3D': _FORMAT,
    'GlobalMaxPooling2D': _FORMAT,
    'GlobalMaxPooling3D': _FORMAT,
    'MaxoutDense': _layer(
        '', now='Dense(output_dim * nb_feature), Reshape((nb_feature, output_dim)) and GlobalMaxPooling1D()'),
    'Highway': _layer('', now='h = Dense(n)(x), t = Dense(n, activation="sigmoid")(x) and a Lambda of '
                              't * h + (1 - t) * x'),
    'SReLU': _layer('', now='PReLU(), or a layer of your own'),
    'ParametricSoftplus': _layer('', now='PReLU(), or a layer of your own'),
    'TimeDistributedDense': _layer('output_dim!>units ' + _KERNEL + _PENALTIES + 'input_dim input_length', _steps,
                                   now='Dense'),
    'AtrousConvolution1D': _layer(
        'nb_filter!>filters ' + _STEPS + 'atrous_rate>dilation_rate ' + _PENALTIES + 'input_dim input_length',
        now='Conv1D'),
    'AtrousConvolution2D': _layer(
        'nb_filter!>filters ' + _IMAGES.replace('dim_ordering', 'atrous_rate>dilation_rate dim_ordering') + _PENALTIES,
        numbers_are='numbers_are_a_kernel', now='Conv2D'),
    'Recurrent': _layer('weights return_sequences go_backwards stateful unroll consume_less>implementation input_dim '
                        'input_length', now='RNN(cell)'),
    'ConvRecurrent2D': _layer(
        'weights nb_row+nb_col>kernel_size nb_filter>filters return_sequences go_backwards stateful '
        'dim_ordering>data_format', now='RNN(cell)'),
    'InputLayer': _layer('input_shape batch_input_shape input_dtype>dtype input_tensor sparse name'),
}


# --- models and their methods -----------------------------------------------------------------------------------------

def _as_steps(*counts):
    """Before a method that takes a generator: numbers of samples as numbers of batches.

    counts: pairs (argument with the number, argument with what yields the batches).
    """
    def prepare(given):
        for samples, source in counts:
            if given.get(samples) is not None and source in given:
                given[source], size = _with_batch_size(given[source])
                given[samples] = None if size is None else -(-int(given[samples]) // size)
    return prepare


def _with_batch_size(source):
    """(what yields the batches, the size of its first); (source, None) for what is no source of batches."""
    if isinstance(source, (tuple, list, dict)) or source is None:
        return source, None
    if getattr(source, 'batch_size', None) is None and hasattr(source, '__next__'):
        first = next(source)
        source = itertools.chain([first], source)
    else:
        first = None
    size = getattr(source, 'batch_size', None) or _rows(source[0] if first is None else first)
    return source, int(size)


def _rows(batch):
    while isinstance(batch, (tuple, list, dict)):
        batch = next(iter(batch.values())) if isinstance(batch, dict) else batch[0]
    return len(batch)


def _same(value):
    return value


_WORKERS = 'max_q_size>max_queue_size nb_worker>workers pickle_safe>use_multiprocessing '
_OF_SAMPLES = Spelling('generator val_samples!>steps ' + _WORKERS, {'val_samples': _same},
                       _as_steps(('val_samples', 'generator')), 'generators_count_samples')
GRAPH = {'fit': Spelling('data batch_size nb_epoch>epochs verbose callbacks validation_split validation_data shuffle '
                         'class_weight sample_weight'),
         'compile': Spelling('optimizer loss metrics sample_weight_modes>sample_weight_mode loss_weights')}
MODELS = {'Model': Spelling('input!>inputs output!>outputs name', names=('inputs', 'outputs', 'name'))}
TRAINING = {
    'fit': Spelling('x y batch_size nb_epoch>epochs verbose callbacks validation_split validation_data shuffle '
                    'class_weight sample_weight initial_epoch'),
    'fit_generator': Spelling(
        'generator samples_per_epoch!>steps_per_epoch nb_epoch!>epochs verbose callbacks validation_data '
        'nb_val_samples>validation_steps class_weight ' + _WORKERS + 'initial_epoch', {'samples_per_epoch': _same},
        _as_steps(('samples_per_epoch', 'generator'), ('nb_val_samples', 'validation_data')),
        'generators_count_samples'),
    'evaluate_generator': _OF_SAMPLES,
    'predict_generator': _OF_SAMPLES,
}


# --- other functions and classes --------------------------------------------------------------------------------------

CONSTRAINTS = {'MaxNorm': Spelling('m>max_value axis'),
               'MinMaxNorm': Spelling('low>min_value high>max_value rate axis')}
ARRAYS = {'to_categorical': Spelling('y nb_classes>num_classes'), 'normalize': Spelling('a!>x axis order')}
PARTS = {'slice_arrays': Spelling('X!>arrays start stop')}
ENQUEUERS = {'GeneratorEnqueuer': Spelling('generator!>sequence pickle_safe>use_multiprocessing')}
ENQUEUING = {'start': Spelling('nb_worker>workers max_q_size>max_queue_size wait_time>')}
TARGETS = {
    'check_loss_and_target_compatibility': Spelling('targets losses!>loss_fns output_shapes!>feed_output_shapes')}
FILES = {'validate_file': Spelling('fpath md5_hash!>file_hash')}
PICTURE_ARRAYS = {'array_to_img': _layer('x dim_ordering>data_format scale'),
                  'img_to_array': _layer('img dim_ordering>data_format')}
_IMAGES_TO = 'save_to_dir save_prefix save_format'
PICTURES = {
    'ImageDataGenerator': _layer(
        'featurewise_center samplewise_center featurewise_std_normalization samplewise_std_normalization zca_whitening '
        'rotation_range width_shift_range height_shift_range shear_range zoom_range channel_shift_range fill_mode cval '
        'horizontal_flip vertical_flip rescale preprocessing_function dim_ordering>data_format'),
    'NumpyArrayIterator': _layer('x y image_data_generator batch_size shuffle seed dim_ordering>data_format '
                                 + _IMAGES_TO),
    'DirectoryIterator': _layer('directory image_data_generator target_size color_mode dim_ordering>data_format '
                                'classes class_mode batch_size shuffle seed ' + _IMAGES_TO + ' follow_links'),
    'random_channel_shift': _layer('x intensity!>intensity_range channel_axis'),
}


# --- attributes of layers ---------------------------------------------------------------------------------------------

# Weights; the first that a layer has is meant.
_WEIGHTS = {'W': ('kernel', 'embeddings'), 'U': ('recurrent_kernel',), 'b': ('bias',),
            'running_mean': ('moving_mean',), 'running_std': ('moving_variance',)}
ATTRIBUTES = frozenset(itertools.chain(_WEIGHTS, ('regularizers', 'constraints'),
                                       *[spelling.old for spelling in LAYERS.values()]))


def old_attribute(layer, name):
    """What the attribute `name`, one of `ATTRIBUTES`, was in Keras 1.

    Raises:
        AttributeError: where the layer has nothing of that kind.
    """
    found = [(new, getattr(layer, new)) for new in _WEIGHTS.get(name, ()) if hasattr(layer, new)]
    for cls in type(layer).__mro__:
        for argument in LAYERS[cls.__name__].arguments if cls.__name__ in LAYERS and not found else ():
            if name in argument.names and argument.new is not None and hasattr(layer, argument.new):
                found = [(argument.new, _old_value(argument, name, getattr(layer, argument.new)))]
    if not found and name in ('regularizers', 'constraints'):
        # Custom layers added to them in `build`; `add_weight` takes both now.
        found = [('add_weight(regularizer=..., constraint=...)', vars(layer).setdefault(name, type(
            {} if name == 'constraints' else [])()))]
    if not found:
        raise AttributeError('%r object has no attribute %r' % (type(layer).__name__, name))
    deprecated('%s.%s' % (type(layer).__name__, name), found[0][0], 4)
    return found[0][1]


def _old_value(argument, name, value):
    if len(argument.names) > 1:
        return value[argument.names.index(name)]
    if name == 'dim_ordering':
        return dim_ordering_of(value)
    return value[0] if name in ('filter_length', 'pool_length', 'stride', 'subsample_length', 'length') else value


# --- functions of K ---------------------------------------------------------------------------------------------------

def _pairs(count):
    """One number per axis as pairs, and the test whether a padding consists of pairs."""
    def convert(padding):
        padding = padding if isinstance(padding, (list, tuple)) else (padding,) * count
        return tuple((one, one) for one in padding)
    return convert, lambda padding: isinstance(padding, (list, tuple)) and not all(
        isinstance(one, int) for one in padding)


def backend(turned):
    """{name: `Spelling`} for K. turned: function from a kernel for dim_ordering='th' to one as it is now."""
    def prepare(given):
        if given.get('dim_ordering') == 'th':
            given.update([(name, turned(value)) for name, value in given.items() if name.endswith('kernel')])

    def images(text):
        return Spelling(text + ' strides border_mode>padding dim_ordering>data_format image_shape> filter_shape> '
                        'volume_shape> filter_dilation>dilation_rate', {'dim_ordering': _format}, prepare)

    def with_format(text, **conversions):
        return Spelling(text, dict(conversions, dim_ordering=_format))
    pooling = with_format('x pool_size strides border_mode>padding dim_ordering>data_format pool_mode')
    return {
        'batch_get_value': Spelling('xs!>ops'),
        'conv1d': with_format('x kernel stride>strides border_mode>padding image_shape> filter_shape> '
                              'dim_ordering>data_format filter_dilation>dilation_rate'),
        'conv2d': images('x kernel'),
        'conv3d': images('x kernel'),
        'separable_conv2d': images('x depthwise_kernel pointwise_kernel'),
        'expand_dims': Spelling('x dim>axis'),
        'moving_average_update': Spelling('variable!>x value momentum'),
        'one_hot': Spelling('indices nb_classes!>num_classes'),
        'pool2d': pooling,
        'pool3d': pooling,
        'random_normal': Spelling('shape mean std>stddev dtype seed'),
        'random_uniform': Spelling('shape low>minval high>maxval dtype seed'),
        'resize_images': with_format('X!>x height_factor width_factor dim_ordering!>data_format'),
        'resize_volumes': with_format('X!>x depth_factor height_factor width_factor dim_ordering!>data_format'),
        'spatial_2d_padding': with_format('x padding dim_ordering>data_format', padding=_pairs(2)),
        'spatial_3d_padding': with_format('x padding dim_ordering>data_format', padding=_pairs(3)),
        'temporal_padding': Spelling('x padding', {'padding': (lambda padding: (padding, padding),
                                                              lambda padding: not isinstance(padding, int))}),
    }


# --- installing -------------------------------------------------------------------------------------------------------

def install(namespace, table, owner=''):
    """Let the functions in a `namespace`, and the constructors of its classes, take the calls of a `table`.

    Args:
        namespace: a dictionary, or a class for its methods. table: {name: `Spelling`}. owner: prefix in messages.
    """
    is_class = inspect.isclass(namespace)
    for name, spelling in table.items():
        found = vars(namespace)[name] if is_class else namespace[name]
        if inspect.isclass(found):
            found.__init__ = taking_old_calls(found.__init__, spelling, owner + name, is_method=True)
        elif is_class:
            setattr(namespace, name, taking_old_calls(found, spelling, owner + name, is_method=True))
        else:
            namespace[name] = taking_old_calls(found, spelling, owner + name)
