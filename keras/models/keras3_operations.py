"""Operations on symbolic tensors as the classes by which Keras 3 writes them into its files.

Each is a class of `keras.src.ops`: tensors are arguments of its calls, the rest is its config. What Keras 3 has no
class for, or not with these settings, is left to a form of our own.
"""
from keras.backend.graph.tensors import any_symbolic

# {module: {number of tensors: our names, with Keras 3's names for the settings, in our order}}
_NAMES = {
    'numpy': {
        1: """abs negative sign floor ceil trunc round exp expm1 exp2 log log1p log2 log10 sqrt square cbrt reciprocal
            sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh logical_not isfinite isnan isinf
            real imag sum(axis,keepdims) prod(axis,keepdims) max(axis,keepdims) min(axis,keepdims) mean(axis,keepdims)
            var(axis,keepdims) std(axis,keepdims) any(axis,keepdims) all(axis,keepdims) argmax(axis) argmin(axis)
            count_nonzero(axis) cumsum(axis) cumprod(axis) reshape(newshape) transpose(axes) broadcast_to(shape)
            concatenate(axis) stack(axis) flip(axis) sort(axis) argsort(axis) expand_dims(axis) squeeze(axis)
            moveaxis(source,destination) swapaxes(axis1,axis2) split(indices_or_sections,axis) repeat(repeats,axis)
            tile(repeats) roll(shift,axis) tril(k) triu(k) diagonal(offset,axis1,axis2) diag(k) clip(x_min,x_max)
            zeros_like(dtype) ones_like(dtype) vander(N,increasing)""",
        2: """add subtract multiply divide floor_divide mod power maximum minimum arctan2 equal not_equal less
            less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
            left_shift right_shift matmul dot outer tensordot(axes) take(axis) take_along_axis(axis) gather(axis)
            logaddexp divide_no_nan kron correlate(mode) quantile(axis,method,keepdims)""",
        3: 'where'},
    'nn': {
        1: """relu relu6 leaky_relu(negative_slope) elu(alpha) selu celu(alpha) gelu(approximate) sigmoid hard_sigmoid
            silu hard_silu hard_tanh softplus log_sigmoid softsign tanh_shrink soft_shrink(threshold)
            hard_shrink(threshold) threshold(threshold,default_value) squareplus(b) sparse_plus sparse_sigmoid glu(axis)
            softmax(axis) log_softmax(axis) sparsemax(axis) one_hot(num_classes,axis,dtype)
            max_pool(pool_size,strides,padding,data_format) average_pool(pool_size,strides,padding,data_format)""",
        2: """binary_crossentropy(from_logits) categorical_crossentropy(from_logits,axis)
            sparse_categorical_crossentropy(from_logits,axis)"""},
    'math': {1: """erf erfinv rsqrt logsumexp(axis,keepdims) top_k(k)
                   extract_sequences(sequence_length,sequence_stride)"""},
    'core': {1: 'stop_gradient cast(dtype) unstack(num,axis)'},
    'linalg': {1: 'cholesky det inv', 2: 'solve'},
}
_CLASSES = {'gather': 'Take'}


def _camel(name):
    return ''.join(word.capitalize() for word in name.split('_'))


def _table():
    found = {}
    for module, groups in _NAMES.items():
        for count, text in groups.items():
            for entry in text.split():
                name, _, settings = entry.rstrip(')').partition('(')
                settings = tuple(filter(None, settings.split(',')))
                found[name] = (module, _CLASSES.get(name, _camel(name)), count, settings)
    return found


_OPERATIONS = _table()


def written(entry, args, kwargs):
    """How Keras 3 writes a call of an entry of the op table: (module, class, config, args, kwargs); None: not at all.

    Example:
        >>> from keras.backend.table.entries import TABLE
        >>> written(TABLE['sum'], ['x', 1], {})
        ('keras.src.ops.numpy', 'Sum', {'axis': 1, 'keepdims': False}, ['x'], {})
    """
    values = dict(entry.defaults)
    values.update(zip(entry.parameters, args))
    values.update(kwargs)
    values = [values[name] for name in entry.parameters]
    if entry.name in _SPECIAL:
        return _SPECIAL[entry.name](*values)
    if entry.name not in _OPERATIONS:
        return None
    module, name, count, settings = _OPERATIONS[entry.name]
    config = dict(zip(settings, values[count:]))
    rest = zip(entry.parameters[count + len(settings):], values[count + len(settings):])
    if any_symbolic(list(config.values())) or any(value != entry.defaults[parameter] for parameter, value in rest):
        return None
    if name == 'Squeeze' and isinstance(config['axis'], (list, tuple)) and len(config['axis']) == 1:
        config['axis'] = config['axis'][0]
    if 'pool_size' in config:
        config.update(_pooling(**config))
    return 'keras.src.ops.' + module, name, config, values[:count], {}


def _pooling(pool_size, strides, **_):
    """On JAX, Keras 3 takes neither the list that JSON makes of a tuple nor None for the same strides."""
    strides = pool_size if strides is None else strides
    return {name: sizes[0] if isinstance(sizes, (list, tuple)) and len(set(sizes)) == 1 else sizes
            for name, sizes in (('pool_size', pool_size), ('strides', strides))}


def _slice(x, starts, stops, steps):
    key = [{'class_name': '__slice__', 'config': dict(zip(('start', 'stop', 'step'), bounds))}
           for bounds in zip(starts, stops, steps)]
    return None if any_symbolic([starts, stops, steps]) else ('keras.src.ops.numpy', 'GetItem', {}, [x, key], {})


def _pad(x, widths, value):
    if any_symbolic([widths]):
        return None
    return 'keras.src.ops.numpy', 'Pad', {'pad_width': widths, 'mode': 'constant'}, [x], {'constant_values': value}


def _einsum(subscripts, operands):
    return 'keras.src.ops.numpy', 'Einsum', {'subscripts': subscripts}, list(operands), {}


_SPECIAL = {'strided_slice': _slice, 'pad': _pad, 'einsum': _einsum}
CLASSES = {'GetItem', 'Pad', 'Einsum'} | {name for _, name, _, _ in _OPERATIONS.values()}
