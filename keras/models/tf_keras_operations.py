"""Operations on symbolic tensors as the layers by which tf.keras writes them into HDF5 files.

A `TFOpLambda` names a function of TensorFlow. Its first argument stands in the call of the layer, the others go by
TensorFlow's names. `tf_functions` reads them.
"""
from keras.backend.graph.tensors import any_symbolic, is_symbolic

# Whose files they are, in messages.
READER = 'tf.keras'

# Our name=TensorFlow's function(TensorFlow's names of the arguments behind the first, in our order). What is called the
# same in both, and takes one argument, stands under the function's name space alone.
_SAME = {
    'math': """abs negative sign floor ceil round exp expm1 log log1p sqrt square reciprocal rsqrt sin cos tan sinh cosh
        tanh erf sigmoid softplus logical_not""",
    'nn': 'relu relu6 selu silu softsign', '': 'stop_gradient'}
_BINARY = """add subtract multiply divide=truediv floor_divide=floordiv mod=floormod power=pow maximum minimum equal
    not_equal less less_equal greater greater_equal logical_and logical_or"""
_REDUCING = 'sum prod max min mean any all logsumexp std=std var=variance'
_OTHERS = """where=where(x,y) cumsum=math.cumsum(axis) cumprod=math.cumprod(axis) reshape=reshape(shape)
    transpose=transpose(perm) broadcast_to=broadcast_to(shape) concatenate=concat(axis) stack=stack(axis)
    flip=reverse(axis) expand_dims=expand_dims(axis) tile=tile(multiples) roll=roll(shift,axis)
    repeat=repeat(repeats,axis) clip=clip_by_value(clip_value_min,clip_value_max) gather=gather(indices,axis)
    take=gather(indices,axis)
    cast=cast(dtype) matmul=linalg.matmul(b) softmax=nn.softmax(axis) log_softmax=nn.log_softmax(axis)
    split=split(num_or_size_splits,axis) unstack=unstack(num,axis) squeeze=squeeze(axis)
    leaky_relu=nn.leaky_relu(alpha) arcsin=math.asin() arccos=math.acos() arctan=math.atan() isnan=math.is_nan()
    isinf=math.is_inf() isfinite=math.is_finite()"""


def _table():
    found = {}
    for space, names in _SAME.items():
        found.update((name, ('%s.%s' % (space, name) if space else name, ())) for name in names.split())
    for entry in _BINARY.split():
        name, _, other = entry.partition('=')
        found[name] = ('math.' + (other or name), ('y',))
    for entry in _REDUCING.split():
        name, _, other = entry.partition('=')
        found[name] = ('math.reduce_' + (other or name), ('axis', 'keepdims'))
    for entry in _OTHERS.split():
        name, _, rest = entry.partition('=')
        function, _, arguments = rest.rstrip(')').partition('(')
        found[name] = (function, tuple(filter(None, arguments.split(','))))
    return found


_FUNCTIONS = _table()


def written(entry, args, kwargs):
    """How tf.keras writes a call of an entry of the op table: (class, function, first argument, the others by name).

    None where it has no function of these arguments.

    Example:
        >>> from keras.backend.table.entries import TABLE
        >>> written(TABLE['sum'], [keras.Input((3,)), 1], {})[1:4:2]
        ('math.reduce_sum', {'axis': 1, 'keepdims': False})
    """
    values = dict(entry.defaults)
    values.update(zip(entry.parameters, args))
    values.update(kwargs)
    first, *values = [values[name] for name in entry.parameters]
    if entry.name == 'strided_slice':
        spec = [dict(zip(('start', 'stop', 'step'), bounds)) for bounds in zip(*values)]
        return None if any_symbolic(values) else ('SlicingOpLambda', '__operators__.getitem', first,
                                                  {'slice_spec': spec})
    if entry.name == 'pad':
        return 'TFOpLambda', 'pad', first, {'paddings': values[0], 'constant_values': values[1]}
    if entry.name not in _FUNCTIONS or not any_symbolic([first]) and len(values) != 1:
        return None
    function, names = _FUNCTIONS[entry.name]
    given = dict(zip(names, values))
    rest = dict(zip(entry.parameters[1 + len(names):], values[len(names):]))
    if any(value != entry.defaults.get(name) for name, value in rest.items()):
        return None
    if isinstance(first, (list, tuple)) and not all(map(is_symbolic, first)):
        return None
    return 'TFOpLambda', function, first, given
