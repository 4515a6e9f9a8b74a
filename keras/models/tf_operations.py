"""Layers by which tf.keras writes operations on symbolic tensors, and Keras 3's operations, as calls of our own table.

`TFOpLambda`, `SlicingOpLambda` and `ClassMethod` name a function of TensorFlow, `TensorFlowOpLayer` (TensorFlow 2.1 to
2.3) one raw operation, with its constants. Functions are found in the list of `tf_functions`, and in no other place.
"""
import base64
import inspect

import numpy as np

from keras import ops
from keras.backend.graph.tensors import is_symbolic
from keras.layers.base import snake_case
from keras.models.keras3_operations import CLASSES
from keras.models.tf_functions import FUNCTIONS, constant, dtype_from, find
from keras.saving.texts import parse_json
from keras.saving.serialization import get_registered_object, unknown_name_error


class Operation:
    """What is called in the place of such a layer. The outputs of a call are always a list.

    Args:
        function: of tensors, or lists of tensors, and plain values.
    """

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        found = self.function(*args, **kwargs)
        # A tuple may be a shape; what K.shape gives is one tensor, though it looks like a tuple.
        several = type(found) in (list, tuple) and any(map(is_symbolic, found))
        return list(found) if several or type(found) is list else [found]


class Added(Operation):
    """A loss or metric that is added to the model rather than computed for its outputs: an operation that notes it.

    Args:
        add: function of the model and the tensor.
    """

    def __init__(self, add):
        super().__init__(self._note)
        self.add, self.tensors = add, []

    def _note(self, tensor):
        self.tensors.append(tensor)
        return tensor

    def add_to(self, model):
        for tensor in self.tensors:
            self.add(model, tensor)


def operation_of(entry):
    """The `Operation` for the entry of a layer in the config of a graph; None where it is a layer.

    Raises:
        ValueError: for a function that is not in the list.
    """
    name, config = entry['class_name'], entry.get('config')
    if name in _MAKERS:
        return _MAKERS[name](config)
    return Operation(_of_keras_3(name, config)) if _is_of_keras_3(entry) else None


def _is_of_keras_3(entry):
    """Whether it is an operation of Keras 3; its HDF5 files leave the module out, and only layers are trainable."""
    module = entry.get('module')
    if isinstance(module, str):
        return module.startswith(('keras.src.ops.', 'keras.ops'))
    calls = entry.get('inbound_nodes') or ()
    name = entry['class_name']
    return ('trainable' not in entry['config'] and any(isinstance(call, dict) and 'args' in call for call in calls)
            and (name in CLASSES or get_registered_object(name) is None and _found_in_ops(name) is not None))


def _tf_function(config):
    function = find(config['function'])
    return Operation(lambda *args, **kwargs: function(*args, **_without_name(kwargs)))


def _without_name(kwargs):
    return {key: value for key, value in kwargs.items() if key != 'name'}


def _slicing(config):
    return Operation(lambda tensor, slice_spec, var=None: tensor[_key(slice_spec)])


def _key(spec):
    """The index that a list of numbers and slices of a config stands for."""
    if isinstance(spec, dict):
        spec = spec.get('config', spec)  # Keras 3 has what is in it one level deeper
        return slice(*[_plain_size(spec[part]) for part in ('start', 'stop', 'step')])
    if isinstance(spec, (list, tuple)):
        return tuple(_key(part) for part in spec)
    return _plain_size(spec)


def _plain_size(value):
    return int(value) if isinstance(value, np.integer) else value


def _method(config):
    raise ValueError('The model calls %s of a TensorFlow class (%s), which takes tensors that are no arrays (ragged or '
                     'sparse ones); they can be computed by TensorFlow only.'
                     % (config.get('method_name', config.get('attr_name')), config.get('cls_symbol', 'the value')))


def _added_loss(config):
    return Added(lambda model, tensor: model.add_loss(tensor))


def _added_metric(config):
    return Added(lambda model, tensor: model.add_metric(tensor, name=config['metric_name'],
                                                        aggregation=config.get('aggregation')))


# --- raw operations ---------------------------------------------------------------------------------------------------

def _raw_operation(config):
    """The operation of a `TensorFlowOpLayer`, whose constants are kept by their places among the operands."""
    node = config['node_def']
    node = parse_json(node, 'node_def of a TensorFlowOpLayer') if isinstance(node, str) else node
    constants = {int(place): value for place, value in (config.get('constants') or {}).items()}
    attributes = {name: _attribute(value) for name, value in node.get('attr', {}).items()}
    if node['op'] not in _RAW:
        raise unknown_name_error('operation of TensorFlow in a model of tf.keras', node['op'], _RAW)
    function = _RAW[node['op']]

    def run(tensors):
        given = iter(tensors if isinstance(tensors, list) else [tensors])
        operands = [constants[place] if place in constants else next(given)
                    for place in range(len(constants) + _count(tensors))]
        return function(operands, attributes)
    return Operation(run)


def _count(tensors):
    return len(tensors) if isinstance(tensors, list) else 1


def _attribute(value):
    """The plain value of an attribute of a NodeDef in JSON: numbers are text there, text is base64."""
    (kind, content), = value.items() if value else (('none', None),)
    if kind == 'list':
        return [_attribute({key: part}) for key, parts in content.items() for part in parts]
    readers = {'i': int, 'f': float, 'b': bool, 'type': dtype_from, 's': lambda text: base64.b64decode(text).decode()}
    return readers.get(kind, lambda same: same)(content)


def _plain(name, *attributes):
    """A raw operation as TensorFlow's function `name` of its operands, and of attributes under other names."""
    names = dict(pair.split('=') for pair in attributes)

    def run(operands, given):
        kwargs = {names[key]: value for key, value in given.items() if key in names}
        return find(name)(*_alike(operands), **kwargs)
    return run


def _alike(operands):
    first = next((operand for operand in operands if is_symbolic(operand)), None)
    return [constant(operand, first) for operand in operands]


def _reducing(name):
    return lambda operands, given: FUNCTIONS[name](
        operands[0], axis=operands[1], keepdims=given.get('keep_dims', False))


def _windows(name):
    return lambda operands, given: FUNCTIONS[name](
        operands[0], given['ksize'], given['strides'], given['padding'], given.get('data_format'))


def _convolution(name):
    return lambda operands, given: FUNCTIONS[name](
        operands[0], operands[1], given['strides'], given['padding'], given.get('data_format'), given.get('dilations'))


def _resizing(method):
    def run(operands, given):
        if given.get('align_corners') or not given.get('half_pixel_centers'):
            raise ValueError('%s: only half_pixel_centers=True without align_corners can be read.' % method)
        return FUNCTIONS['resize'](operands[0], operands[1], method)
    return run


_MASKS = ('begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask')
_RAW = {
    'ConcatV2': lambda operands, given: FUNCTIONS['concat'](operands[:-1], operands[-1]),
    'Pack': lambda operands, given: FUNCTIONS['stack'](operands, given.get('axis', 0)),
    'Unpack': lambda operands, given: FUNCTIONS['unstack'](operands[0], given.get('num'), given.get('axis', 0)),
    'Split': lambda operands, given: FUNCTIONS['split'](operands[1], given['num_split'], operands[0]),
    'SplitV': lambda operands, given: FUNCTIONS['split'](operands[0], operands[1], operands[2]),
    'AddN': lambda operands, given: FUNCTIONS['add_n'](operands),
    'Einsum': lambda operands, given: ops.einsum(given['equation'], *operands),
    'BatchMatMulV2': _plain('matmul', 'adj_x=transpose_a', 'adj_y=transpose_b'),
    'BatchMatMul': _plain('matmul', 'adj_x=transpose_a', 'adj_y=transpose_b'),
    'MatMul': _plain('matmul', 'transpose_a=transpose_a', 'transpose_b=transpose_b'),
    'Cast': lambda operands, given: FUNCTIONS['cast'](operands[0], given['DstT']),
    'ClipByValue': _plain('clip_by_value'),
    'GatherV2': lambda operands, given: FUNCTIONS['gather'](
        operands[0], constant(operands[1]), axis=operands[2], batch_dims=given.get('batch_dims', 0)),
    'GatherNd': lambda operands, given: FUNCTIONS['gather_nd'](operands[0], constant(operands[1])),
    'SelectV2': _plain('where'), 'Select': _plain('where'),
    'OneHot': lambda operands, given: FUNCTIONS['one_hot'](*operands, axis=given.get('axis', -1)),
    'StridedSlice': lambda operands, given: FUNCTIONS['strided_slice'](
        *operands, **{name: given.get(name, 0) for name in _MASKS}),
    'Slice': lambda operands, given: FUNCTIONS['slice'](*operands),
    'Squeeze': lambda operands, given: FUNCTIONS['squeeze'](operands[0], given.get('squeeze_dims') or None),
    'LeakyRelu': _plain('leaky_relu', 'alpha=alpha'),
    'BiasAdd': _plain('bias_add', 'data_format=data_format'),
    'ResizeBilinear': _resizing('bilinear'), 'ResizeNearestNeighbor': _resizing('nearest'),
    'ResizeBicubic': _resizing('bicubic'),
    'MaxPool': _windows('max_pool2d'), 'AvgPool': _windows('avg_pool2d'), 'MaxPool3D': _windows('max_pool3d'),
    'AvgPool3D': _windows('avg_pool3d'), 'Conv2D': _convolution('conv2d'), 'Conv3D': _convolution('conv3d'),
    'DepthwiseConv2dNative': _convolution('depthwise_conv2d'),
    'Cumsum': lambda operands, given: FUNCTIONS['cumsum'](
        operands[0], int(operands[1]), given.get('exclusive'), given.get('reverse')),
    'Cumprod': lambda operands, given: FUNCTIONS['cumprod'](
        operands[0], int(operands[1]), given.get('exclusive'), given.get('reverse')),
    'ArgMax': lambda operands, given: FUNCTIONS['argmax'](operands[0], operands[1], given.get('output_type', 'int64')),
    'ArgMin': lambda operands, given: FUNCTIONS['argmin'](operands[0], operands[1], given.get('output_type', 'int64')),
    'TopKV2': lambda operands, given: FUNCTIONS['top_k'](operands[0], operands[1], given.get('sorted', True)),
    'Pad': lambda operands, given: FUNCTIONS['pad'](operands[0], operands[1]),
    'PadV2': lambda operands, given: FUNCTIONS['pad'](operands[0], operands[1], constant_values=operands[2]),
    'MirrorPad': lambda operands, given: FUNCTIONS['pad'](operands[0], operands[1], given['mode']),
    'ReverseV2': lambda operands, given: FUNCTIONS['reverse'](operands[0], operands[1]),
    'Roll': lambda operands, given: FUNCTIONS['roll'](*operands),
    'Shape': lambda operands, given: FUNCTIONS['shape'](operands[0]),
    'DepthToSpace': _plain('depth_to_space', 'block_size=block_size', 'data_format=data_format'),
    'SpaceToDepth': _plain('space_to_depth', 'block_size=block_size', 'data_format=data_format'),
    'BroadcastTo': lambda operands, given: FUNCTIONS['broadcast_to'](*operands),
}
for _name in ('Mean', 'Sum', 'Max', 'Min', 'Prod', 'All', 'Any'):
    _RAW[_name] = _reducing('reduce_' + _name.lower())
for _name in ('Reshape', 'Transpose', 'Tile', 'ExpandDims'):
    _RAW[_name] = lambda operands, given, function=FUNCTIONS[snake_case(_name)]: function(*operands)
# Those that are functions of one or two tensors, and called alike.
for _name in ('Abs Acos Acosh Asin Asinh Atan Atan2 Atanh Ceil Cos Cosh Digamma Elu Equal Erf Erfinv Exp Expm1 '
              'Floor Greater GreaterEqual Identity Less LessEqual Lgamma Log Log1p LogicalAnd LogicalNot LogicalOr '
              'LogSoftmax Maximum Minimum Neg NotEqual OnesLike Pow Reciprocal Relu Relu6 Rint Round Rsqrt Selu '
              'Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Square SquaredDifference Tan Tanh Xdivy Xlogy '
              'ZerosLike').split():
    _RAW[_name] = _plain(_name.lower() if _name.lower() in FUNCTIONS else snake_case(_name))
_RAW.update(Add=_plain('add'), AddV2=_plain('add'), Sub=_plain('subtract'), Mul=_plain('multiply'),
            RealDiv=_plain('truediv'), Div=_plain('truediv'), FloorDiv=_plain('floordiv'), FloorMod=_plain('floormod'),
            DivNoNan=_plain('divide_no_nan'), IsNan=_plain('is_nan'), IsInf=_plain('is_inf'),
            IsFinite=_plain('is_finite'), StopGradient=_plain('stop_gradient'), L2Loss=lambda operands, given:
            ops.divide(ops.sum(ops.square(operands[0])), 2))


# --- operations of Keras 3 --------------------------------------------------------------------------------------------

# Classes that are not called like their function.
_OTHER_NAMES = {'Argmax': 'argmax', 'Argmin': 'argmin', 'Argsort': 'argsort', 'Absolute': 'absolute',
                'BatchNorm': 'batch_normalization', 'GetItem': 'get_item', 'RMSNorm': 'rms_normalization',
                'LayerNorm': 'layer_normalization', 'L1': 'abs'}


def _of_keras_3(name, config):
    """The function of `keras.ops` behind an operation of Keras 3; what the config says are arguments of it."""
    function = _function_of_ops(name)
    settings = {key: value for key, value in (config or {}).items() if key not in ('name', 'dtype')}
    if isinstance((config or {}).get('dtype'), str) and 'dtype' in inspect.signature(function).parameters:
        settings['dtype'] = config['dtype']
    if name == 'Einsum':
        return lambda *tensors: function(settings['subscripts'], *tensors)
    if name == 'GetItem':
        return lambda tensor, key: function(tensor, _key(key) if isinstance(key, list) else key)
    return lambda *args, **kwargs: function(*args, **dict(settings, **kwargs))


def _function_of_ops(name):
    found = _found_in_ops(name)
    if found is None:
        raise unknown_name_error('operation of Keras 3', name, dir(ops))
    return found


def _found_in_ops(name):
    for spelling in (_OTHER_NAMES.get(name), snake_case(name), name.lower(), snake_case(name).replace('_', '')):
        for home in (ops, ops.nn, ops.numpy, ops.linalg, ops.image):
            found = getattr(home, spelling, None) if spelling and not spelling.startswith('_') else None
            if callable(found) and not isinstance(found, type):
                return found
    return None


_MAKERS = {'TFOpLambda': _tf_function, 'SlicingOpLambda': _slicing, 'TensorFlowOpLayer': _raw_operation,
           'AddLoss': _added_loss, 'AddMetric': _added_metric, 'ClassMethod': _method, 'InstanceMethod': _method,
           'InstanceProperty': _method}
