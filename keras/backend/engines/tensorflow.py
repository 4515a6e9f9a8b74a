"""The TensorFlow engine: TensorFlow 2.4 to the newest.

Rules this file obeys: the only file that imports tensorflow; primitives call `tf.raw_ops`, which have the
least Python around them; private parts of TensorFlow are used in one place, `_direct_call`, and not needed.
"""
import functools
import os
import subprocess
import sys
import warnings
import weakref

import numpy as np

from keras import config
from keras.backend import tree
from keras.backend.engine import Capabilities, Engine, active
from keras.backend.rules import AbstractTensor, sum_dtype, window_length
from keras.backend.state import Concretely, Ledger, Variable, context

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import tensorflow as tf  # noqa: E402 (its log level is read when it is imported)
from tensorflow.python.framework.func_graph import FuncGraph  # noqa: E402

raw = tf.raw_ops
with tf.init_scope():  # the engine may be loaded while a tf.function is traced
    EagerTensor = type(tf.constant(0))
DTYPES = {name: tf.as_dtype(name) for name in (
    'bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float16', 'bfloat16',
    'float32', 'float64', 'complex64', 'complex128', 'string')}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
NO_SIZES = np.zeros((0,), 'int32')
NO_VALUES = np.zeros((0,), 'float32')
executing_eagerly = tf.executing_eagerly


def _no_tape_known():
    """Without TensorFlow's own flag every read is taken to be watched."""
    return False


try:
    from tensorflow.python import pywrap_tfe
    no_tape = pywrap_tfe.TFE_Py_TapeSetIsEmpty
except (ImportError, AttributeError):
    no_tape = _no_tape_known


def _use_options(options):
    """Set up the devices by a `tf.compat.v1.ConfigProto`, as far as that is still possible."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(options.intra_op_parallelism_threads)
        tf.config.threading.set_inter_op_parallelism_threads(options.inter_op_parallelism_threads)
        if options.allow_soft_placement:
            tf.config.set_soft_device_placement(True)
        cards = _visible_cards(options)
        for card in cards:
            if options.gpu_options.allow_growth:
                tf.config.experimental.set_memory_growth(card, True)
        share = options.gpu_options.per_process_gpu_memory_fraction
        if cards and share and not options.gpu_options.allow_growth:
            _limit_memory(cards, share)
    except RuntimeError as error:
        warnings.warn('K.set_session: TensorFlow has set up its devices already, so the options of the session come '
                      'too late. Call K.set_session before anything is computed. (%s)' % error, stacklevel=4)


def _visible_cards(options):
    """The GPUs that the options leave visible; the others are hidden."""
    cards = tf.config.list_physical_devices('GPU')
    chosen = cards
    if options.device_count.get('GPU', len(cards)) == 0:
        chosen = []
    elif options.gpu_options.visible_device_list:
        chosen = [cards[int(number)] for number in options.gpu_options.visible_device_list.split(',')
                  if int(number) < len(cards)]
    if chosen != cards:
        tf.config.set_visible_devices(chosen, 'GPU')
    return chosen


def _limit_memory(cards, share):
    """Let this process take the fraction `share` of the memory of every card."""
    limits = tf.config.experimental
    for card in cards:
        total = _memory_of(card)
        if total:
            limits.set_virtual_device_configuration(card, [limits.VirtualDeviceConfiguration(
                memory_limit=int(total * share / 2 ** 20))])


def _memory_of(card):
    """The memory of a card in bytes, by NVIDIA's own tool; None where that is not there."""
    try:
        lines = subprocess.check_output(['nvidia-smi', '--query-gpu=memory.total', '--format=csv,noheader,nounits'])
        return int(lines.split()[int(card.name.rsplit(':', 1)[1])]) * 2 ** 20
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None


# --- helpers ---------------------------------------------------------------------------------------------------

def _unary(name, argument='x'):
    op = getattr(raw, name)
    if argument == 'x':
        return staticmethod(lambda x: op(x=x))
    return staticmethod(lambda x: op(**{argument: x}))


def _binary(name):
    op = getattr(raw, name)
    return staticmethod(lambda x, y: op(x=x, y=y))


def _rank(x):
    return len(x.shape)


def _sizes(sizes):
    """`sizes`, ints and engine scalars, in a form that raw ops take for a vector of int32."""
    if not sizes:
        return NO_SIZES
    if all(isinstance(size, int) for size in sizes):
        return np.array(sizes, 'int32' if max(sizes) < 2 ** 31 else 'int64')
    if any(size is None for size in sizes):
        raise ValueError('a size that must be known is not: %s' % (tuple(sizes),))
    return tf.stack([tf.cast(size, 'int32') for size in sizes])


def _shape(x):
    """The sizes of `x`: ints where known, else int32 scalars."""
    static = x.shape.as_list()
    if None not in static:
        return static
    dynamic = raw.Shape(input=x)
    return [dynamic[index] if size is None else size for index, size in enumerate(static)]


def _axes(x, axis):
    """`axis` as raw reductions take it."""
    axis = tuple(range(_rank(x))) if axis is None else axis
    return NO_SIZES if axis == () else axis


def _filled(sizes):
    """The shape for a reshape to `sizes`: a single unknown one is left to be found."""
    unknown = [index for index, size in enumerate(sizes) if not isinstance(size, int)]
    if len(unknown) == 1:
        sizes[unknown[0]] = -1
    return _sizes(sizes)


def _positive(value):
    return max(value, 0) if isinstance(value, int) else tf.maximum(value, 0)


def _indices(indices):
    if indices.dtype in (tf.int32, tf.int64):
        return indices
    return tf.cast(indices, tf.int64 if indices.dtype in (tf.uint32, tf.uint64) else tf.int32)


def _vectors(indices):
    return raw.ExpandDims(input=_indices(indices), axis=-1)


def _windowed(sizes):
    return [1] + list(sizes) + [1]


def _with_height(x):
    return raw.ExpandDims(input=x, axis=1)


def _without_height(x):
    return raw.Squeeze(input=x, axis=[1])


def _window_fits(size, window, stride, padding, count):
    """Whether a convolution over `size` gives `count` windows."""
    try:
        return window_length(size, window, stride, padding) == count
    except ValueError:
        return False


def _dilated(kernel, dilation):
    """`kernel` with zeros between its elements."""
    for axis, rate in enumerate(dilation):
        if rate > 1:
            sizes = kernel.shape.as_list()
            widths = [(0, 0)] * (len(sizes) + 1)
            widths[axis + 1] = (0, rate - 1)
            spread = tf.pad(tf.expand_dims(kernel, axis + 1), widths)
            sizes[axis] *= rate
            kernel = tf.reshape(spread, sizes)
            sizes[axis] -= rate - 1
            kernel = tf.slice(kernel, [0] * len(sizes), sizes)
    return kernel


def _same_batch(a, b):
    """Two stacks of matrices with their leading axes broadcast."""
    if a.shape[:-2].as_list() == b.shape[:-2].as_list() and a.shape.is_fully_defined():
        return a, b
    sizes_a, sizes_b = raw.Shape(input=a), raw.Shape(input=b)
    batch = tf.broadcast_dynamic_shape(sizes_a[:-2], sizes_b[:-2])
    return [tf.broadcast_to(x, tf.concat([batch, sizes[-2:]], 0)) for x, sizes in ((a, sizes_a), (b, sizes_b))]


def _specification(x):
    return tf.TensorSpec(x.shape, DTYPES[x.dtype] if isinstance(x, AbstractTensor) else x.dtype)


def _element_specification(x):
    return tf.TensorSpec(x.shape[1:], x.dtype)


def _unstacked(x, length):
    return tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x)


def _trace(fn, specifications, structure):
    """What `fn` gives for arguments of these specifications, laid out as `structure`, in a graph thrown away."""
    with FuncGraph('shapes').as_default(), Ledger(outer=context.ledger):
        leaves = [tf.compat.v1.placeholder(leaf.dtype, leaf.shape) if isinstance(leaf, tf.TensorSpec) else leaf
                  for leaf in specifications]
        return fn(*tree.pack_as(structure, leaves))


def _dense(gradient, x):
    """A gradient by `x` as a tensor; embeddings give theirs in slices."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    return raw.UnsortedSegmentSum(data=gradient.values, segment_ids=gradient.indices, num_segments=_shape(x)[0])


def _valid_name(name):
    """`name` as TensorFlow accepts it for a variable."""
    name = ''.join(c if c.isalnum() and ord(c) < 128 or c in '_.-/' else '_' for c in name)
    return name if name[:1].isalnum() else 'v' + name


def _in_float32(function):
    """`function` computed in float32 for the half precisions, which its kernel does not know."""
    @functools.wraps(function)
    def run(self, x, *args):
        if x.dtype not in (tf.float16, tf.bfloat16):
            return function(self, x, *args)
        args = [tf.cast(a, tf.float32) if isinstance(a, tf.Tensor) else a for a in args]
        result = function(self, tf.cast(x, tf.float32), *args)
        return tf.nest.map_structure(lambda y: tf.cast(y, x.dtype), result)
    return run


def _sum_input(x):
    target = sum_dtype(NAMES[x.dtype])
    return x if DTYPES[target] == x.dtype else tf.cast(x, target)


def _bound(dtype, lowest):
    """The smallest or largest value of a dtype, which an empty maximum or minimum starts from."""
    if dtype.is_floating:
        return float('-inf') if lowest else float('inf')
    return dtype.min if lowest else dtype.max


def _in_int64(function):
    """`function` of unsigned tensors computed in int64, for the kernels that older releases lack."""
    def run(x, *args):
        if not x.dtype.is_integer or x.dtype in (tf.int32, tf.int64):
            return function(x, *args)
        result = function(*[tf.cast(a, tf.int64) if isinstance(a, tf.Tensor) else a for a in (x,) + args])
        return tf.cast(result, x.dtype) if result.dtype == tf.int64 else result
    return run


# What lacks kernels for small and unsigned integers before TensorFlow 2.5.
_WIDENED = ('negative', 'abs', 'sign', 'add', 'subtract', 'multiply', 'floor_divide', 'mod', 'power', 'maximum',
            'minimum', 'equal', 'less', 'max', 'min', 'flip', 'sort', 'argsort')


class TensorflowEngine(Engine):
    name = 'tensorflow'
    capabilities = Capabilities(gradients=True, compiled=True, dynamic_sizes=True, dtypes=[
        name for name in DTYPES if not name.startswith('complex')])
    float_dtypes = {tf.float16, tf.bfloat16, tf.float32, tf.float64}
    variable_attributes = ('_should_act_as_resource_variable', 'handle', '_handle', '_dtype', '_unique_id',
                           '_shared_name', '_id', 'read_value', 'ref', 'experimental_ref', 'device', 'graph', 'op')

    def __init__(self):
        # A variable that comes back from another engine gets its old storage, which compiled steps hold on to.
        self._storages = weakref.WeakKeyDictionary()
        self._scalars = {}
        if tf.__version__.startswith('2.4.'):
            for name in _WIDENED:
                setattr(self, name, _in_int64(getattr(self, name)))

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, tf.Tensor)

    def convert(self, x, dtype=None):
        if isinstance(x, tf.Tensor):
            return x if dtype is None or NAMES[x.dtype] == dtype else self.cast(x, dtype)
        if isinstance(x, (tf.Variable, tf.IndexedSlices)):
            return self.convert(tf.convert_to_tensor(x), dtype)
        if isinstance(x, tf.SparseTensor):
            return self.convert(tf.sparse.to_dense(x), dtype)
        if isinstance(x, tf.RaggedTensor):
            return self.convert(x.to_tensor(), dtype)
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, tf.Tensor) for leaf in tree.flatten(x)):
            return self.convert(tf.stack([self.convert(part) for part in x]), dtype)
        return self._from_host(x, dtype)

    def _from_host(self, x, dtype):
        if not isinstance(x, (np.ndarray, np.generic)):
            x = np.asarray(x)
            if dtype is None:
                dtype = {'f': config.floatx(), 'i': 'int32'}.get(x.dtype.kind)
        if x.dtype.kind in 'USO':
            return tf.constant(x.tolist(), DTYPES[dtype or 'string'])
        if dtype is None or x.dtype.name == dtype:
            # Of the caller's own array some releases, 2.4 among them, would use the memory.
            return tf.constant(np.array(x))
        return tf.constant(x.astype('float32' if dtype == 'bfloat16' else dtype), DTYPES[dtype])

    def scalar(self, value, dtype):
        if value is True or value is False:
            return self.convert(value, dtype)
        if not executing_eagerly():
            return tf.constant(value, DTYPES[dtype])
        key = (value, type(value), dtype)
        if key not in self._scalars:
            if len(self._scalars) > 1000:
                self._scalars.clear()
            self._scalars[key] = tf.constant(value, DTYPES[dtype])
        return self._scalars[key]

    def to_numpy(self, x):
        if not isinstance(x, EagerTensor):
            raise TypeError('%s has no value while a function is traced. Return it from the function, or use '
                            'keras.ops instead of NumPy.' % (x,))
        if x.dtype == tf.bfloat16:
            x = tf.cast(x, tf.float32)
        array = x.numpy()
        return array if isinstance(array, np.ndarray) else np.asarray(array)

    def dtype_of(self, x):
        return NAMES.get(x.dtype) or x.dtype.name

    def shape_of(self, x):
        return tuple(x.shape.as_list())

    def dynamic_shape(self, x):
        return tuple(_shape(x))

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        with tf.init_scope():
            storage = self._storages.get(variable)
            storage = None if storage is None else storage()
            value = self._from_host(np.asarray(value), variable.dtype)
            if storage is not None:
                storage.assign(value)
                return storage
            # Tapes watch trainable variables only; whether a weight is frozen is the caller's matter.
            storage = tf.Variable(value, trainable=value.dtype.is_floating, name=_valid_name(variable.name))
            storage._should_act_as_resource_variable = True
            self._storages[variable] = weakref.ref(storage)
            return storage

    def load(self, storage):
        if no_tape() and executing_eagerly():
            return raw.ReadVariableOp(resource=storage._handle, dtype=storage._dtype)
        return storage.value()

    def store(self, storage, value):
        raw.AssignVariableOp(resource=storage.handle, value=value)
        return storage

    def concretely(self):
        return tf.init_scope()

    def draw_seed(self, generator):
        # Counted in int32, since older releases do not add uint32.
        state = generator.state.value
        counted = raw.AddV2(x=raw.Bitcast(input=state, type=tf.int32), y=np.array([0, 1], 'int32'))
        generator.state.assign(raw.Bitcast(input=counted, type=tf.uint32))
        return state

    def seed(self, value):
        tf.random.set_seed(value)

    # --- running ---------------------------------------------------------------------------------------------

    def step(self, fn, reads, writes, static_batch=False):
        return Step(self, fn, static_batch)

    def value_and_grad(self, fn, variables):
        values = {variable: variable.value for variable in variables}
        watched = [values[variable] for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            with Ledger(values, outer=context.ledger) as ledger:
                value, aux = fn()
        gradients = tape.gradient(value, watched)
        for variable, written in ledger.writes.items():
            variable.assign(written)
        return (value, aux), [_dense(gradient, x) for gradient, x in zip(gradients, watched)]

    def eval_shape(self, fn, args):
        with Concretely():
            outputs = _trace(fn, [_specification(leaf) if isinstance(leaf, AbstractTensor) else leaf
                                  for leaf in tree.flatten(args)], args)
        return tree.map_structure(lambda x: AbstractTensor(self.shape_of(x), self.dtype_of(x))
                                  if isinstance(x, tf.Tensor) else x, outputs)

    def print_tensor(self, x, message):
        tf.print(message, x, output_stream=sys.stdout)
        return x

    def use_session(self, session):
        options = getattr(session, '_config', None)
        if options is None and not isinstance(session, tf.compat.v1.Session):
            return super().use_session(session)
        if options is not None:
            _use_options(options)

    def wait(self, x):
        synchronize = getattr(tf.test.experimental, 'sync_devices', None)
        if synchronize is not None:
            synchronize()
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        return raw.Fill(dims=_sizes(shape), value=self.convert(value, dtype))

    def full_like(self, x, value, dtype=None):
        value = self.convert(value, dtype or NAMES[x.dtype])
        return raw.Fill(dims=_sizes(_shape(x)), value=value)

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        if all(isinstance(part, (int, float)) for part in (start, stop, step)):
            return self._from_host(np.arange(start, stop, step).tolist(), dtype)
        return self.convert(tf.range(start, stop, step), dtype)

    def _seed(self, seed):
        return raw.Bitcast(input=seed, type=tf.int32)

    def random_uniform(self, seed, shape, dtype):
        return raw.StatelessRandomUniform(shape=_sizes(shape), seed=self._seed(seed), dtype=DTYPES[dtype])

    def random_normal(self, seed, shape, dtype):
        return raw.StatelessRandomNormal(shape=_sizes(shape), seed=self._seed(seed), dtype=DTYPES[dtype])

    def random_integers(self, seed, shape, minval, maxval, dtype):
        kind = tf.int32 if dtype in ('bool', 'int8', 'int16', 'int32', 'uint8', 'uint16') else tf.int64
        drawn = raw.StatelessRandomUniformInt(shape=_sizes(shape), seed=self._seed(seed),
                                              minval=tf.cast(minval, kind), maxval=tf.cast(maxval, kind))
        return self.convert(drawn, dtype)

    def random_permutation(self, seed, count):
        keys = self.random_integers(seed, (count,), 0, 2 ** 62, 'int64')
        return self.argsort(keys)

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign, floor = _unary('Neg'), _unary('Abs'), _unary('Sign'), _unary('Floor')
    round, exp, log, sqrt = _unary('Round'), _unary('Exp'), _unary('Log'), _unary('Sqrt')
    sin, cos, tanh = _unary('Sin'), _unary('Cos'), _unary('Tanh')
    arcsin, arctan, erf = _unary('Asin'), _unary('Atan'), _unary('Erf')
    erfinv, lgamma, digamma = _unary('Erfinv'), _unary('Lgamma'), _unary('Digamma')
    logical_not, isfinite = _unary('LogicalNot'), _unary('IsFinite')
    stop_gradient = _unary('StopGradient', 'input')
    add, subtract, multiply, divide = _binary('AddV2'), _binary('Sub'), _binary('Mul'), _binary('RealDiv')
    floor_divide, mod, power = _binary('FloorDiv'), _binary('FloorMod'), _binary('Pow')
    maximum, minimum = _binary('Maximum'), _binary('Minimum')
    less, logical_and, logical_or = _binary('Less'), _binary('LogicalAnd'), _binary('LogicalOr')
    bitwise_and, bitwise_or, bitwise_xor = _binary('BitwiseAnd'), _binary('BitwiseOr'), _binary('BitwiseXor')
    left_shift, right_shift = _binary('LeftShift'), _binary('RightShift')

    def cast(self, x, dtype):
        return raw.Cast(x=x, DstT=DTYPES[dtype])

    def arctan2(self, x, y):
        return raw.Atan2(y=x, x=y)

    def equal(self, x, y):
        return raw.Equal(x=x, y=y, incompatible_shape_error=True)

    def where(self, condition, x, y):
        return raw.SelectV2(condition=condition, t=x, e=y)

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        return raw.Sum(input=_sum_input(x), axis=_axes(x, axis), keep_dims=keepdims)

    def prod(self, x, axis=None, keepdims=False):
        return raw.Prod(input=_sum_input(x), axis=_axes(x, axis), keep_dims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        op = raw.Any if x.dtype == tf.bool else raw.Max
        return op(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        op = raw.All if x.dtype == tf.bool else raw.Min
        return op(input=x, axis=_axes(x, axis), keep_dims=keepdims)

    def argmax(self, x, axis=-1):
        x = tf.cast(x, tf.uint8) if x.dtype == tf.bool else x
        return raw.ArgMax(input=x, dimension=axis, output_type=tf.int32)

    def cumsum(self, x, axis=0):
        return raw.Cumsum(x=_sum_input(x), axis=axis, exclusive=False, reverse=False)

    def cumprod(self, x, axis=0):
        return raw.Cumprod(x=_sum_input(x), axis=axis, exclusive=False, reverse=False)

    # --- movement ----------------------------------------------------------------------------------------------

    def reshape(self, x, shape):
        return raw.Reshape(tensor=x, shape=_sizes(shape))

    def transpose(self, x, axes=None):
        rank = _rank(x)
        axes = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
        return raw.Transpose(x=x, perm=_sizes(list(axes)))

    def broadcast_to(self, x, shape):
        return raw.BroadcastTo(input=x, shape=_sizes(shape))

    def concatenate(self, xs, axis=-1):
        return raw.ConcatV2(values=xs, axis=axis) if len(xs) > 1 else xs[0]

    def strided_slice(self, x, starts, stops, steps):
        if not starts:
            return x
        begin_mask = sum(1 << index for index, start in enumerate(starts) if start is None)
        end_mask = sum(1 << index for index, stop in enumerate(stops) if stop is None)
        return raw.StridedSlice(input=x, begin=_sizes([0 if start is None else start for start in starts]),
                                end=_sizes([0 if stop is None else stop for stop in stops]), strides=_sizes(steps),
                                begin_mask=begin_mask, end_mask=end_mask, ellipsis_mask=0, new_axis_mask=0,
                                shrink_axis_mask=0)

    def pad(self, x, widths, value=0):
        if not widths:
            return x
        return raw.PadV2(input=x, paddings=tf.stack([_sizes(pair) for pair in widths]),
                         constant_values=tf.cast(value, x.dtype))

    def flip(self, x, axes):
        return raw.ReverseV2(tensor=x, axis=_sizes(axes))

    def gather(self, x, indices, axis=0):
        return raw.GatherV2(params=x, indices=_indices(indices), axis=axis)

    def gather_nd(self, x, indices):
        return raw.GatherNd(params=x, indices=_indices(indices))

    def scatter_add(self, x, indices, updates):
        return raw.TensorScatterAdd(tensor=x, indices=_vectors(indices), updates=updates)

    def scatter_update(self, x, indices, updates):
        return raw.TensorScatterUpdate(tensor=x, indices=_vectors(indices), updates=updates)

    def scatter_max(self, x, indices, updates):
        return raw.TensorScatterMax(tensor=x, indices=_vectors(indices), updates=updates)

    # --- contraction, windows, order -----------------------------------------------------------------------------

    def matmul(self, x, y):
        rank_x, rank_y = _rank(x), _rank(y)
        if rank_x == 2 and rank_y == 2:
            return raw.MatMul(a=x, b=y)
        if rank_x == 1:
            return tf.squeeze(self.matmul(raw.ExpandDims(input=x, axis=0), y), -2 if rank_y > 1 else 0)
        if rank_y == 1:
            return tf.squeeze(self.matmul(x, raw.ExpandDims(input=y, axis=1)), -1)
        if rank_y == 2:
            # One product of two large matrices instead of a batch of small ones.
            sizes = _shape(x)
            rows = raw.Reshape(tensor=x, shape=_sizes([-1, sizes[-1]]))
            return raw.Reshape(tensor=raw.MatMul(a=rows, b=y), shape=_filled(sizes[:-1] + _shape(y)[1:]))
        return raw.BatchMatMulV2(x=x, y=y)

    def conv(self, x, kernel, strides, padding, dilation, groups=1):
        if x.shape[-1] is None:
            raise ValueError('the number of channels must be known; received shape %s' % (x.shape,))
        if len(strides) == 1:
            return _without_height(self.conv(_with_height(x), raw.ExpandDims(input=kernel, axis=0), strides * 2,
                                             padding, (1,) + dilation, groups))
        if groups > 1:
            return self._grouped_conv(x, kernel, strides, padding, dilation, groups)
        if max(dilation) > 1 and (max(strides) > 1 or len(strides) > 2):
            # The gradients know no dilation on the CPU; tf.nn.convolution has it for strides of 1 only.
            kernel, dilation = _dilated(kernel, dilation), (1,) * len(dilation)
        if max(dilation) > 1:
            return tf.nn.convolution(x, kernel, strides, padding.upper(), dilations=dilation)
        op = raw.Conv2D if len(strides) == 2 else raw.Conv3D
        return op(input=x, filter=kernel, strides=_windowed(strides), padding=padding.upper())

    def _grouped_conv(self, x, kernel, strides, padding, dilation, groups):
        if len(strides) == 2 and kernel.shape[-2] == 1 and strides[0] == strides[1] and max(dilation) == 1:
            height, width, _, filters = kernel.shape.as_list()
            kernel = raw.Reshape(tensor=kernel, shape=[height, width, groups, filters // groups])
            return raw.DepthwiseConv2dNative(input=x, filter=kernel, strides=_windowed(strides),
                                             padding=padding.upper())
        parts = zip(tf.split(x, groups, -1), tf.split(kernel, groups, -1))
        return tf.concat([self.conv(part, weights, strides, padding, dilation) for part, weights in parts], -1)

    def conv_transpose(self, x, kernel, strides, padding, dilation, output_size):
        if len(strides) == 1:
            return _without_height(self.conv_transpose(
                _with_height(x), raw.ExpandDims(input=kernel, axis=0), strides * 2, padding, (1,) + dilation,
                (1,) + tuple(output_size)))
        kernel = _dilated(kernel, dilation)
        sizes, window = _shape(x), kernel.shape.as_list()[:-2]
        direct = all(isinstance(out, int) and _window_fits(out, w, s, padding, n)
                     for out, w, s, n in zip(output_size, window, strides, sizes[1:-1]))
        if direct:
            return self._conv_gradient(x, kernel, strides, padding, output_size)
        full = [(n - 1) * s + w for n, s, w in zip(sizes[1:-1], strides, window)]
        result = self._conv_gradient(x, kernel, strides, 'valid', full)
        before = [_positive(size - out) // 2 if padding == 'same' else 0 for size, out in zip(full, output_size)]
        missing = [_positive(first + out - size) for first, out, size in zip(before, output_size, full)]
        result = tf.pad(result, [(0, 0)] + [(0, after) for after in missing] + [(0, 0)])
        result = tf.slice(result, _sizes([0] + before + [0]), _sizes([-1] + list(output_size) + [-1]))
        return tf.ensure_shape(result, [None] + [size if isinstance(size, int) else None for size in output_size]
                               + [kernel.shape[-2]])

    def _conv_gradient(self, x, kernel, strides, padding, output_size):
        sizes = _sizes(_shape(x)[:1] + list(output_size) + kernel.shape.as_list()[-2:-1])
        if len(strides) == 2:
            return raw.Conv2DBackpropInput(input_sizes=sizes, filter=kernel, out_backprop=x,
                                           strides=_windowed(strides), padding=padding.upper())
        return raw.Conv3DBackpropInputV2(input_sizes=sizes, filter=kernel, out_backprop=x,
                                         strides=_windowed(strides), padding=padding.upper())

    def pool(self, x, size, strides, padding, mode):
        for length, window, stride in zip(x.shape.as_list()[1:-1], size, strides):
            # The kernels end the process where no window fits.
            window_length(length, window, stride, padding)
        if len(size) == 1:
            return _without_height(self.pool(_with_height(x), (1,) + size, strides * 2, padding, mode))
        ksize, strides, padding = _windowed(size), _windowed(strides), padding.upper()
        if len(size) == 2 and mode == 'max':
            return raw.MaxPool(input=x, ksize=ksize, strides=strides, padding=padding)
        if len(size) == 2:
            return raw.AvgPool(value=x, ksize=ksize, strides=strides, padding=padding)
        op = raw.MaxPool3D if mode == 'max' else raw.AvgPool3D
        return op(input=x, ksize=ksize, strides=strides, padding=padding)

    def top_k(self, x, k):
        values, indices = raw.TopKV2(input=x, k=k, sorted=True)
        return [values, indices]

    def sort(self, x, axis=-1):
        return tf.sort(x, axis)

    def argsort(self, x, axis=-1):
        return tf.argsort(x, axis, stable=True)

    def searchsorted(self, x, values, side='left'):
        flat = raw.Reshape(tensor=values, shape=[1, -1])
        op = raw.LowerBound if side == 'left' else raw.UpperBound
        found = op(sorted_inputs=raw.ExpandDims(input=x, axis=0), values=flat, out_type=tf.int32)
        return raw.Reshape(tensor=found, shape=_sizes(_shape(values)))

    # --- linear algebra ------------------------------------------------------------------------------------------

    @_in_float32
    def cholesky(self, x):
        return raw.Cholesky(input=x)

    @_in_float32
    def triangular_solve(self, a, b, lower=True):
        a, b = _same_batch(a, b)
        return raw.MatrixTriangularSolve(matrix=a, rhs=b, lower=lower, adjoint=False)

    @_in_float32
    def solve(self, a, b):
        a, b = _same_batch(a, b)
        return raw.MatrixSolve(matrix=a, rhs=b, adjoint=False)

    @_in_float32
    def qr(self, x):
        return list(raw.Qr(input=x, full_matrices=False))

    @_in_float32
    def svd(self, x):
        s, u, v = raw.Svd(input=x, compute_uv=True, full_matrices=False)
        return [u, s, tf.linalg.matrix_transpose(v)]

    @_in_float32
    def eigh(self, x):
        return list(raw.SelfAdjointEigV2(input=x, compute_v=True))

    @_in_float32
    def fft(self, real, imaginary):
        result = tf.signal.fft(raw.Complex(real=real, imag=imaginary, Tout=tf.complex128 if real.dtype == tf.float64
                                           else tf.complex64))
        return [tf.math.real(result), tf.math.imag(result)]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        if executing_eagerly():
            return self._eager_scan(step, init, xs, length, reverse)
        if xs:
            length = _shape(xs[0])[0]
        carry, arrays = list(init), [_unstacked(x, length) for x in xs]
        elements = [_element_specification(x) for x in xs]
        _, output = _trace(step, [_specification(c) for c in carry] + elements, (carry, list(xs)))
        leaves = tree.flatten(output)
        stacks = [tf.TensorArray(leaf.dtype, length, element_shape=leaf.shape) for leaf in leaves]

        def body(count, carry, stacks):
            index = length - 1 - count if reverse else count
            new_carry, outputs = step(carry, [array.read(index) for array in arrays])
            for new, old in zip(new_carry, carry):
                new.set_shape(old.shape)
            return count + 1, list(new_carry), [stack.write(index, leaf)
                                                for stack, leaf in zip(stacks, tree.flatten(outputs))]

        _, carry, stacks = tf.while_loop(lambda count, *_: count < length, body, (tf.constant(0), carry, stacks),
                                         maximum_iterations=length)
        results = [stack.stack() for stack in stacks]
        for result, leaf in zip(results, leaves):
            result.set_shape([length if isinstance(length, int) else None] + leaf.shape.as_list())
        return carry, tree.pack_as(output, results)

    @staticmethod
    def _eager_scan(step, init, xs, length, reverse):
        parts = [tf.unstack(x) for x in xs]
        count = len(parts[0]) if parts else int(length)
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, [part[index] for part in parts])
        if not count:
            specifications = [_specification(c) for c in init] + [_element_specification(x) for x in xs]
            _, output = _trace(step, specifications, (init, list(xs)))
            return init, tree.map_structure(lambda leaf: tf.zeros([0] + leaf.shape.as_list(), leaf.dtype), output)
        stacked = [raw.Pack(values=leaves, axis=0) for leaves in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked)

    def cond(self, predicate, then, otherwise, operands):
        structure = []

        def branch(function):
            def run():
                result = function(*operands)
                structure.append(result)
                return tuple(tree.flatten(result)) + (tf.constant(0),)
            return run
        leaves = tf.cond(predicate, branch(then), branch(otherwise))
        return tree.pack_as(structure[0], leaves[:-1])

    def while_loop(self, condition, body, init, maximum_iterations=None):
        def run(*values):
            new = list(body(*values))
            for after, before in zip(new, values):
                after.set_shape(before.shape)
            return tuple(new)
        return list(tf.while_loop(condition, run, tuple(init), maximum_iterations=maximum_iterations))


# --- steps -----------------------------------------------------------------------------------------------------

class StepLedger(Ledger):
    """The ledger of a trace; it knows the step."""
    __slots__ = ('step',)


class Step:
    """A function compiled by TensorFlow: one trace for the shapes it first meets, one for all that come later.

    The first trace knows every size, which keeps its graph small; at other sizes those that differ are left
    open. The variables are read once, in the graph of the step itself, and written when all else is done.
    """

    def __init__(self, engine, fn, static_batch):
        self._engine = engine
        self._fn = fn
        self._static_batch = static_batch
        self._known = {}  # description of the arguments -> Trace
        self._traces = []
        self._variables = {}  # variable -> storage, which must live as long as the traces
        self._activations = active.activations

    def __call__(self, *args):
        if context.ledger is not None:
            # Part of the step around it.
            return self._fn(*tree.map_structure(self._converted, args))
        description, leaves = [], []
        _describe(args, description, leaves)
        description = tuple(description)
        trace = self._known.get(description)
        if trace is None:
            trace = self._known[description] = self._find(args, description, leaves)
        if self._activations != active.activations:
            self._return_variables()
        return trace([leaf if type(leaf) is EagerTensor else self._engine.convert(leaf) for leaf in leaves])

    def _converted(self, leaf):
        return None if leaf is None else self._engine.convert(leaf)

    def keep(self, variable):
        """Note that a trace uses `variable`."""
        self._variables[variable] = variable.storage

    def _return_variables(self):
        """Bring the variables back that have been on another engine."""
        for variable, storage in self._variables.items():
            if variable.storage is not storage:
                raise RuntimeError('The storage of variable %s was replaced.' % variable.path)
        self._activations = active.activations

    def _find(self, args, description, leaves):
        leaves = [self._engine.convert(leaf) for leaf in leaves]
        kinds = [part for part in description if isinstance(part, str)] + [leaf.dtype for leaf in leaves]
        kinds += [_rank(leaf) for leaf in leaves]
        shapes = [leaf.shape.as_list() for leaf in leaves]
        related = [trace for trace in self._traces if trace.kinds == kinds]
        for trace in related:
            if all(_admits(known, shape) for known, shape in zip(trace.shapes, shapes)):
                return trace
        if related and not self._static_batch:
            shapes = [[old if old == new else None for old, new in zip(before, shape)]
                      for before, shape in zip(related[-1].shapes, shapes)]
        trace = Trace(self, args, kinds, [leaf.dtype for leaf in leaves], shapes)
        self._traces.append(trace)
        return trace


class Trace:
    """One compiled version of a step's function."""

    def __init__(self, step, args, kinds, dtypes, shapes):
        self.kinds = kinds
        self.shapes = shapes
        self._outputs = None
        count = iter(range(len(dtypes)))
        positions = tree.map_structure(lambda leaf: None if leaf is None else next(count), list(args))

        def run(*tensors):
            inputs = tree.map_structure(lambda index: None if index is None else tensors[index], positions)
            return self._run(step, inputs)
        self._concrete = tf.function(run, autograph=False).get_concrete_function(
            *[tf.TensorSpec(shape, dtype) for shape, dtype in zip(shapes, dtypes)])
        self._call = _direct_call(self._concrete)

    def _run(self, step, inputs):
        graph = tf.compat.v1.get_default_graph()

        def read(variable):
            # In the graph of the step, wherever it is asked for, so that branches and loops share it.
            step.keep(variable)
            with graph.as_default():
                return variable.load()
        with StepLedger(missing=read) as ledger:
            ledger.step = step
            outputs = step._fn(*inputs)
        self._outputs = tree.map_structure(lambda x: None if x is None else 0, outputs)
        flat = [step._engine.convert(x) for x in tree.flatten(outputs) if x is not None]
        for variable, value in ledger.writes.items():
            step.keep(variable)
            raw.AssignVariableOp(resource=variable.storage.handle, value=value)
        return flat

    def __call__(self, tensors):
        direct = no_tape() and executing_eagerly()
        outputs = self._call(tensors) if direct else self._concrete(*tensors)
        if type(self._outputs) is int:
            return outputs[0]
        remaining = iter(outputs)
        return tree.map_structure(lambda leaf: None if leaf is None else next(remaining), self._outputs)


def _admits(known, shape):
    return all(size is None or size == actual for size, actual in zip(known, shape))


def _describe(argument, description, leaves):
    """Append what a trace depends on in `argument` to `description`, its tensors to `leaves`."""
    kind = type(argument)
    if kind is EagerTensor:
        description.append(argument._shape_tuple())
        description.append(argument.dtype)
        leaves.append(argument)
    elif kind is np.ndarray:
        description.append(argument.shape)
        description.append(argument.dtype)
        leaves.append(argument)
    elif argument is None:
        description.append('None')
    elif isinstance(argument, (list, tuple)):
        description.append('(')
        for part in argument:
            _describe(part, description, leaves)
        description.append(')')
    elif isinstance(argument, dict):
        description.append('{')
        for key in sorted(argument):
            description.append(str(key))
            _describe(argument[key], description, leaves)
        description.append('}')
    else:
        argument = active.engine.convert(argument)
        description.append(tuple(argument.shape.as_list()))
        description.append(argument.dtype)
        leaves.append(argument)


def _direct_call(concrete):
    """A function from the list of all inputs to the list of outputs, without the checks of a call from Python.

    It needs a few private names, which have been stable from 2.4 on; without them it is the ordinary call.
    """
    try:
        from tensorflow.python.eager import context as tf_context
        from tensorflow.python.eager import execute
        inference = concrete._inference_function
        name = inference.name
        name = name.decode('utf-8') if isinstance(name, bytes) else str(name)
        tf_context = tf_context.context()
        options = tf_context.function_call_options
        attributes = ('executor_type', options.executor_type or '', 'config_proto', options.config_proto_serialized)
        captured, count = list(concrete.captured_inputs), len(concrete.outputs)
    except (ImportError, AttributeError):
        return lambda tensors: concrete(*tensors)
    return lambda tensors: execute.execute(name, count, tensors + captured, attributes, tf_context)


def _variable_tensor(variable, dtype=None, name=None, as_ref=False):
    value = variable.value
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        return NotImplemented
    return value


tf.register_tensor_conversion_function(Variable, _variable_tensor)


# --- fused kernels in the place of composites ----------------------------------------------------------------

OVERRIDES = {}


def override(function):
    OVERRIDES[function.__name__.rstrip('_')] = function
    return function


def _static_numbers(*values):
    return all(isinstance(value, (int, float)) for value in values)


def _is_last(x, axis):
    return isinstance(axis, int) and axis in (-1, _rank(x) - 1)


def _table_of(names):
    """Overrides that are one raw op each: {composite: op}; arguments are passed on by the op's own names."""
    return {composite: functools.partial(_call_positionally, getattr(raw, op), arguments.split())
            for composite, op, arguments in names}


def _call_positionally(op, names, *args):
    return op(**dict(zip(names, args)))


OVERRIDES.update(_table_of([
    ('ceil', 'Ceil', 'x'), ('square', 'Square', 'x'), ('reciprocal', 'Reciprocal', 'x'), ('rsqrt', 'Rsqrt', 'x'),
    ('expm1', 'Expm1', 'x'), ('log1p', 'Log1p', 'x'), ('tan', 'Tan', 'x'), ('sinh', 'Sinh', 'x'),
    ('cosh', 'Cosh', 'x'), ('arccos', 'Acos', 'x'), ('arcsinh', 'Asinh', 'x'), ('arccosh', 'Acosh', 'x'),
    ('arctanh', 'Atanh', 'x'), ('isnan', 'IsNan', 'x'), ('isinf', 'IsInf', 'x'), ('sigmoid', 'Sigmoid', 'x'),
    ('softplus', 'Softplus', 'features'), ('softsign', 'Softsign', 'features'), ('selu', 'Selu', 'features'),
    ('greater', 'Greater', 'x y'), ('greater_equal', 'GreaterEqual', 'x y'), ('less_equal', 'LessEqual', 'x y'),
    ('not_equal', 'NotEqual', 'x y'), ('logical_xor', 'NotEqual', 'x y'), ('stack', 'Pack', 'values axis')]))


@override
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    if not _static_numbers(negative_slope, threshold) or threshold or max_value is not None and negative_slope:
        return NotImplemented
    if negative_slope:
        return raw.LeakyRelu(features=x, alpha=negative_slope) if x.dtype.is_floating else NotImplemented
    if max_value is None:
        return raw.Relu(features=x)
    return raw.Relu6(features=x) if max_value == 6 else NotImplemented


@override
def elu(x, alpha=1.0):
    return raw.Elu(features=x) if _static_numbers(alpha) and alpha == 1 else NotImplemented


@override
def softmax(x, axis=-1):
    return raw.Softmax(logits=x) if _is_last(x, axis) else NotImplemented


@override
def log_softmax(x, axis=-1):
    return raw.LogSoftmax(logits=x) if _is_last(x, axis) else NotImplemented


@override
def bias_add(x, bias, axis=-1):
    if _rank(bias) == 1 and _is_last(x, axis) and _rank(x) > 1:
        return raw.BiasAdd(value=x, bias=bias)
    return NotImplemented


@override
def linear(x, kernel, bias=None):
    if _rank(x) != 2 or bias is None:
        return NotImplemented
    return raw.BiasAdd(value=raw.MatMul(a=x, b=kernel), bias=bias)


@override
def mean(x, axis=None, keepdims=False):
    return raw.Mean(input=x, axis=_axes(x, axis), keep_dims=keepdims)


@override
def any_(x, axis=None, keepdims=False):
    return raw.Any(input=tf.cast(x, tf.bool), axis=_axes(x, axis), keep_dims=keepdims)


@override
def all_(x, axis=None, keepdims=False):
    return raw.All(input=tf.cast(x, tf.bool), axis=_axes(x, axis), keep_dims=keepdims)


@override
def argmin(x, axis=-1):
    return NotImplemented if x.dtype == tf.bool else raw.ArgMin(input=x, dimension=axis, output_type=tf.int32)


@override
def expand_dims(x, axis=-1):
    return raw.ExpandDims(input=x, axis=axis) if isinstance(axis, int) else NotImplemented


@override
def zeros_like(x, dtype=None):
    return NotImplemented if dtype else raw.ZerosLike(x=x)


@override
def tile(x, repeats):
    if not isinstance(repeats, (list, tuple)) or len(repeats) != _rank(x):
        return NotImplemented
    return raw.Tile(input=x, multiples=_sizes(repeats))


@override
def split(x, indices_or_sections, axis=0):
    size = x.shape[axis]
    if not isinstance(indices_or_sections, int) or size is None or size % indices_or_sections:
        return NotImplemented
    return list(raw.Split(axis=axis, value=x, num_split=indices_or_sections))


@override
def one_hot(x, num_classes, axis=-1, dtype=None):
    kind = DTYPES[dtype or config.floatx()]
    return raw.OneHot(indices=_indices(x), depth=num_classes, on_value=tf.constant(1, kind),
                      off_value=tf.constant(0, kind), axis=-1 if axis == _rank(x) else axis)


@override
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    if not from_logits or not _is_last(output, axis):
        return NotImplemented
    if _rank(target) == _rank(output):
        target = raw.Squeeze(input=target, axis=[-1])
    sizes = _shape(output)
    target = _indices(target)
    if len(sizes) > 2:
        target = raw.Reshape(tensor=target, shape=[-1])
        output = raw.Reshape(tensor=output, shape=[-1, sizes[-1]])
    loss, _ = raw.SparseSoftmaxCrossEntropyWithLogits(features=output, labels=target)
    return loss if len(sizes) == 2 else raw.Reshape(tensor=loss, shape=_filled(sizes[:-1]))


def _fused_normalization(x, axis, offset, scale):
    """Offset and scale for FusedBatchNorm, or None where the kernel does not serve."""
    if _rank(x) != 4 or not _is_last(x, axis) or x.dtype != tf.float32 or x.shape[-1] is None:
        return None
    channels = [x.shape[-1]]
    return tf.zeros(channels) if offset is None else offset, tf.ones(channels) if scale is None else scale


@override
def batch_normalization(x, mean, variance, axis=-1, offset=None, scale=None, epsilon=1e-3):
    parameters = _fused_normalization(x, axis, offset, scale)
    if parameters is None:
        return NotImplemented
    return raw.FusedBatchNormV3(x=x, scale=parameters[1], offset=parameters[0], mean=mean, variance=variance,
                                epsilon=epsilon, is_training=False)[0]


@override
def batch_normalization_train(x, axis=-1, offset=None, scale=None, epsilon=1e-3):
    parameters = _fused_normalization(x, axis, offset, scale)
    if parameters is None:
        return NotImplemented
    result, mean, variance, *_ = raw.FusedBatchNormV3(
        x=x, scale=parameters[1], offset=parameters[0], mean=NO_VALUES, variance=NO_VALUES, epsilon=epsilon,
        is_training=True)
    # The kernel's variance is the unbiased one, the contract's is not.
    count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return result, mean, variance * ((count - 1.0) / count)


# --- recurrence ----------------------------------------------------------------------------------------------------

@override
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    if executing_eagerly() or unroll or mask is not None or (activation, recurrent_activation) != ('tanh', 'sigmoid'):
        return NotImplemented
    sizes = _shape(x)
    x = raw.Transpose(x=x, perm=[1, 0, 2])
    if go_backwards:
        x = raw.ReverseV2(tensor=x, axis=[0])
    gates = raw.MatMul(a=raw.Reshape(tensor=x, shape=_sizes([-1, sizes[2]])), b=kernel)
    gates = gates if bias is None else raw.BiasAdd(value=gates, bias=bias)
    gates = raw.Reshape(tensor=gates, shape=_filled([sizes[1], sizes[0], kernel.shape[-1]]))
    # Without a tape the gradient is TensorFlow's own, should one be asked for: a plain loop keeps no steps.
    run = _lstm_loop(return_sequences) if no_tape() else tf.custom_gradient(_lstm_with_gradient(return_sequences))
    output, h, c = run(gates, h0, c0, recurrent_kernel)
    return [raw.Transpose(x=output, perm=[1, 0, 2]) if return_sequences else output, h, c]


def _lstm_step(x, h, c, recurrent_kernel):
    """The activated gates i, f, g, o of one step, the new cell state and its tanh."""
    i, f, g, o = raw.Split(axis=1, value=raw.AddV2(x=x, y=raw.MatMul(a=h, b=recurrent_kernel)), num_split=4)
    i, f, g, o = raw.Sigmoid(x=i), raw.Sigmoid(x=f), raw.Tanh(x=g), raw.Sigmoid(x=o)
    c = raw.AddV2(x=raw.Mul(x=f, y=c), y=raw.Mul(x=i, y=g))
    return i, f, g, o, c, raw.Tanh(x=c)


def _arrays(count, length, like):
    return [tf.TensorArray(like.dtype, length, element_shape=like.shape) for _ in range(count)]


def _lstm_loop(return_sequences, kept=None):
    """A function of the inputs' share in the gates (time, batch, 4 * units), h, c and the recurrent kernel.

    It gives the output and the last h and c. The list `kept` gets, for every step, the arrays of the h and c that
    it began with, its gates and the tanh of its c.
    """
    def run(gates, h, c, recurrent_kernel):
        length = _shape(gates)[0]
        steps = _unstacked(gates, length)

        def body(index, h, c, outputs, saved):
            i, f, g, o, new_c, tanh_c = _lstm_step(steps.read(index), h, c, recurrent_kernel)
            new_h = raw.Mul(x=o, y=tanh_c)
            new_h.set_shape(h.shape)
            new_c.set_shape(c.shape)
            saved = [array.write(index, value) for array, value in zip(saved, (h, c, i, f, g, o, tanh_c))]
            return index + 1, new_h, new_c, [array.write(index, new_h) for array in outputs], saved

        saved = _arrays(0 if kept is None else 7, length, h)
        start = (tf.constant(0), h, c, _arrays(return_sequences, length, h), saved)
        _, h, c, outputs, saved = tf.while_loop(lambda index, *_: index < length, body, start,
                                                maximum_iterations=length)
        if kept is not None:
            kept[:] = saved
        return outputs[0].stack() if return_sequences else h, h, c
    return run


def _lstm_with_gradient(return_sequences):
    """The same with its gradient, which multiplies for the recurrent kernel once, not in every step."""
    def run(gates, h0, c0, recurrent_kernel):
        kept = []
        results = _lstm_loop(return_sequences, kept)(gates, h0, c0, recurrent_kernel)

        def gradient(output, h, c):
            units, length = recurrent_kernel.shape[0], _shape(gates)[0]
            outputs = [_unstacked(output, length)] if return_sequences else []
            h = h if return_sequences else raw.AddV2(x=h, y=output)

            def body(count, h, c, collected):
                index = length - 1 - count
                for array in outputs:
                    h = raw.AddV2(x=h, y=array.read(index))
                change, new_c = _lstm_step_gradient(h, c, *[array.read(index) for array in kept[1:]])
                new_h = raw.MatMul(a=change, b=recurrent_kernel, transpose_b=True)
                new_h.set_shape(h.shape)
                new_c.set_shape(c.shape)
                return count + 1, new_h, new_c, collected.write(index, change)

            changes = tf.TensorArray(gates.dtype, length, element_shape=gates.shape[1:])
            _, h, c, changes = tf.while_loop(lambda count, *_: count < length, body, (tf.constant(0), h, c, changes),
                                             maximum_iterations=length)
            changes = changes.stack()
            before = raw.Reshape(tensor=kept[0].stack(), shape=[-1, units])
            rows = raw.Reshape(tensor=changes, shape=[-1, 4 * units])
            return changes, h, c, raw.MatMul(a=before, b=rows, transpose_a=True)
        return results, gradient
    return run


def _lstm_step_gradient(h, c, before, i, f, g, o, tanh_c):
    """From the gradients by a step's h and c those by its gates before activation and by the c `before` it."""
    c = raw.AddV2(x=c, y=raw.TanhGrad(y=tanh_c, dy=raw.Mul(x=h, y=o)))
    change = raw.ConcatV2(axis=1, values=[
        raw.SigmoidGrad(y=i, dy=raw.Mul(x=c, y=g)), raw.SigmoidGrad(y=f, dy=raw.Mul(x=c, y=before)),
        raw.TanhGrad(y=g, dy=raw.Mul(x=c, y=i)), raw.SigmoidGrad(y=o, dy=raw.Mul(x=h, y=tanh_c))])
    return change, raw.Mul(x=c, y=f)


# --- optimizers: one kernel per variable, which updates it in place ------------------------------------------------

def _update(op, gradients, resources, numbers, use_nesterov=None):
    """Run `op` for every gradient. `resources`: its arguments that are lists of variables; `numbers`: its scalars.

    The kernels write at once, in the order of the graph; what the ledgers remember of the values is forgotten.
    Where an assignment to one of the variables is pending the composite has to run.
    """
    if not _forget([variable for variables in resources.values() for variable in variables]):
        return NotImplemented
    flags = {} if use_nesterov is None else {'use_nesterov': use_nesterov}
    scalars = {}
    for index, gradient in enumerate(gradients):
        if gradient.dtype not in scalars:
            scalars[gradient.dtype] = {name: tf.cast(value, gradient.dtype) for name, value in numbers.items()}
        handles = {name: variables[index].storage.handle for name, variables in resources.items()}
        op(grad=gradient, **handles, **scalars[gradient.dtype], **flags)


def _forget(variables):
    """Drop what the ledgers hold of `variables`; False where one of them is still to be written."""
    ledger, ledgers = context.ledger, []
    while ledger is not None:
        if not ledger.writes.keys().isdisjoint(variables):
            return False
        ledgers.append(ledger)
        ledger = ledger.outer
    for ledger in ledgers:
        for variable in variables:
            ledger.values.pop(variable, None)
            if isinstance(ledger, StepLedger):
                ledger.step.keep(variable)
    return True


def _power(base, step):
    return raw.Pow(x=tf.cast(base, step.dtype), y=step)


@override
def sgd_update(variables, gradients, momenta, learning_rate, momentum=0.0, nesterov=False):
    if momentum:
        return _update(raw.ResourceApplyKerasMomentum, gradients, {'var': variables, 'accum': momenta},
                       {'lr': learning_rate, 'momentum': momentum}, nesterov)
    return _update(lambda grad, **others: raw.ResourceApplyGradientDescent(delta=grad, **others), gradients,
                   {'var': variables}, {'alpha': learning_rate})


@override
def adagrad_update(variables, gradients, accumulators, learning_rate, epsilon, epsilon_inside=False):
    if epsilon_inside:
        return NotImplemented
    return _update(raw.ResourceApplyAdagradV2, gradients, {'var': variables, 'accum': accumulators},
                   {'lr': learning_rate, 'epsilon': epsilon})


@override
def adadelta_update(variables, gradients, accumulators, delta_accumulators, learning_rate, rho, epsilon):
    return _update(raw.ResourceApplyAdadelta, gradients,
                   {'var': variables, 'accum': accumulators, 'accum_update': delta_accumulators},
                   {'lr': learning_rate, 'rho': rho, 'epsilon': epsilon})


@override
def adam_update(variables, gradients, momenta, velocities, step, learning_rate, beta_1, beta_2, epsilon,
                largest_velocities=None):
    resources = {'var': variables, 'm': momenta, 'v': velocities}
    numbers = {'beta1_power': _power(beta_1, step), 'beta2_power': _power(beta_2, step), 'lr': learning_rate,
               'beta1': beta_1, 'beta2': beta_2, 'epsilon': epsilon}
    if largest_velocities:
        return _update(raw.ResourceApplyAdamWithAmsgrad, gradients, dict(resources, vhat=largest_velocities), numbers)
    return _update(raw.ResourceApplyAdam, gradients, resources, numbers)


@override
def adamax_update(variables, gradients, momenta, norms, step, learning_rate, beta_1, beta_2, epsilon):
    return _update(raw.ResourceApplyAdaMax, gradients, {'var': variables, 'm': momenta, 'v': norms},
                   {'beta1_power': _power(beta_1, step), 'lr': learning_rate, 'beta1': beta_1, 'beta2': beta_2,
                    'epsilon': epsilon})


TensorflowEngine.overrides = OVERRIDES
ENGINE = TensorflowEngine()
