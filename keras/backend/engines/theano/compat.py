"""Theano 1.0.5 or, where that is not installed, PyTensor: what the engine uses of either, under one name.

The only module that knows which of the two it is. Their options are read when they are imported, so the few that the
engine cannot do without are set here first, unless the user has set them (in the environment or in the rc file).
"""
import configparser
import ctypes.util
import functools
import os

import numpy as np

from keras import config
from keras.backend.contract.loading import is_installed

IS_THEANO = is_installed('theano')
_PREFIX = 'THEANO' if IS_THEANO else 'PYTENSOR'


def _user_options():
    """The names of the options that the user has set."""
    names = {part.split('=')[0].strip() for part in os.environ.get(_PREFIX + '_FLAGS', '').split(',')}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    default = os.path.join('~', '.%src' % _PREFIX.lower())
    files = os.environ.get(_PREFIX + 'RC', default).split(os.pathsep)
    try:
        parser.read([os.path.expanduser(name) for name in files])
    except configparser.Error:  # Theano itself complains about a file that cannot be read
        return names
    for section in parser.sections():
        names.update(key if section == 'global' else '%s.%s' % (section, key) for key in parser.options(section))
    return {name.lower().replace('__', '.') for name in names}


# The names of the options that the user has set.
_GIVEN = set()


def _set_options():
    options = [('floatX', config.floatx())]
    # Without a BLAS the batched products do not link, and matrix products take many times as long.
    if ctypes.util.find_library('openblas'):
        options.append(('blas.ldflags' if IS_THEANO else 'blas__ldflags', '-lopenblas'))
    given = _user_options()
    _GIVEN.update(given)
    flags = ['%s=%s' % (name, value) for name, value in options if name.lower().replace('__', '.') not in given]
    present = os.environ.get(_PREFIX + '_FLAGS')
    os.environ[_PREFIX + '_FLAGS'] = ','.join(([present] if present else []) + flags)


_set_options()

if IS_THEANO:
    import theano
    import theano.tensor as T
    from theano import scalar
    from theano.gof import Apply, Op
    from theano.gof.link import raise_with_op as _raise_with_op
    from theano.gof.null_type import NullType
    from theano.gradient import DisconnectedType, disconnected_grad
    from theano.ifelse import ifelse
    from theano.scan_module.scan_utils import until
    from theano.tensor import TensorConstant, TensorType
    from theano.tensor.var import _tensor_py_operators as Tensor
    from theano.tensor.elemwise import DimShuffle, Elemwise
    from theano.tensor.sharedvar import TensorSharedVariable
    from theano.tensor.subtensor import Subtensor, get_idx_list
    nnet, sign, absolute, digamma = T.nnet, T.sgn, T.abs_, T.psi
    searchsorted, batched_dot = T.extra_ops.searchsorted, T.batched_dot
else:
    import pytensor as theano
    import pytensor.tensor as T
    from pytensor import scalar
    from pytensor.graph.basic import Apply
    from pytensor.graph.null_type import NullType
    from pytensor.graph.op import Op
    from pytensor.gradient import DisconnectedType, disconnected_grad
    from pytensor.ifelse import ifelse
    from pytensor.link.utils import raise_with_op as _raise_with_op
    from pytensor.scan.utils import until
    from pytensor.tensor.elemwise import DimShuffle, Elemwise
    from pytensor.tensor.sharedvar import TensorSharedVariable
    from pytensor.tensor.subtensor import Subtensor, get_idx_list
    from pytensor.tensor.type import TensorType
    from pytensor.tensor.variable import TensorConstant
    from pytensor.tensor.variable import TensorVariable as Tensor
    nnet, sign, absolute, digamma = T, T.sign, T.abs, T.digamma
    searchsorted, batched_dot = T.searchsorted, T.matmul

__all__ = ['Apply', 'DimShuffle', 'DisconnectedType', 'Elemwise', 'IS_THEANO', 'NullType', 'Op', 'Subtensor', 'T',
           'TENSOR_TYPES', 'Tensor', 'TensorConstant', 'TensorSharedVariable', 'TensorType', 'absolute',
           'batched_dot', 'broadcastable', 'digamma', 'disconnected_grad', 'fitting_type', 'get_idx_list', 'ifelse',
           'new_constant', 'nnet', 'runner', 'scalar', 'scan', 'searchsorted', 'shared', 'sign', 'step_mode',
           'tensor_type', 'theano', 'until', 'with_sizes_of_one']

# The Python types that tensors have.
TENSOR_TYPES = (TensorConstant, TensorSharedVariable, type(T.scalar()))


# --- types --------------------------------------------------------------------------------------------------------

_types = {}


def tensor_type(dtype, shape):
    """The `TensorType` of tensors of this dtype and shape; Theano's own types know of sizes only which are 1."""
    if IS_THEANO:
        shape = tuple([size == 1 for size in shape])
    key = dtype, shape
    if key not in _types:
        if len(_types) > 10000:
            _types.clear()
        _types[key] = TensorType(dtype, shape) if IS_THEANO else TensorType(dtype, shape=shape)
    return _types[key]


def broadcastable(x):
    """Which sizes of `x` the graph knows to be 1."""
    return tuple(x.type.broadcastable)


def with_sizes_of_one(x, axes):
    """`x`, whose sizes along `axes` the graph learns to be 1."""
    if IS_THEANO:
        return T.addbroadcast(x, *axes)
    return T.specify_shape(x, [1 if axis in axes else None for axis in range(x.ndim)])


def fitting_type(x, kind):
    """`x` as a variable of the TensorType `kind`, from which only its knowledge of sizes may differ."""
    if x.type == kind:
        return x
    if IS_THEANO:
        return T.patternbroadcast(x, kind.broadcastable)
    if kind.is_super(x.type):
        ones = [axis for axis, (one, size) in enumerate(zip(x.type.broadcastable, kind.shape)) if one and size is None]
        return _Forgetting(kind.shape)(x) if ones else x
    return T.specify_shape(x, kind.shape)


class _Forgetting(Op):
    """Its input as it is, of whose sizes the graph knows `shape` only: PyTensor has no way to unlearn them."""

    __props__ = ('shape',)
    view_map = {0: [0]}

    def __init__(self, shape):
        self.shape = shape

    def make_node(self, x):
        return Apply(self, [x], [tensor_type(x.dtype, self.shape)()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0]

    def infer_shape(self, fgraph, node, shapes):
        return shapes

    def pullback(self, inputs, outputs, gradients):
        return [T.specify_shape(gradients[0], inputs[0].type.shape)]


# --- values and functions -----------------------------------------------------------------------------------------

def shared(value, name):
    """A shared variable on the host that holds the array `value` itself."""
    kind = tensor_type(value.dtype.name, value.shape)
    if IS_THEANO:
        return TensorSharedVariable(type=kind, value=value, name=name, strict=False, allow_downcast=False)
    return TensorSharedVariable(type=kind, value=value, name=name, strict=False)


def step_mode():
    """The user's mode, with the buffers of a function kept from call to call unless the user has decided that.

    Without the rewrite that scales every use of a product by a product of its own: gradients are used several times.
    """
    mode = theano.compile.mode.get_default_mode()
    if type(mode) is not theano.compile.mode.Mode:
        return mode
    if 'allow_gc' not in _GIVEN:
        mode = mode.clone(link_kwargs={'allow_gc': False})
    return mode.excluding('local_dot22_to_dot22scalar')


_make = TensorConstant.__new__
_Tag = type(TensorConstant(TensorType('int8', ()), np.int8(1)).tag)
_kinds = {}


def new_constant(array):
    """A constant that holds `array` itself, made past the constructor.

    Theano's looks at every element, PyTensor's takes down where it was called.
    """
    shape = array.shape
    kind = _kinds.get((array.dtype.num, shape))
    if kind is None:
        if len(_kinds) > 10000:
            _kinds.clear()
        kind = _kinds[array.dtype.num, shape] = tensor_type(array.dtype.name, shape)
    constant = _make(TensorConstant)
    constant.tag = tag = _Tag()
    constant.type, constant.data, constant.auto_name, constant.name = kind, array, 'constant', None
    if not IS_THEANO:
        return constant
    constant.index = None
    tag.unique_value = array.flat[0] if shape and array.size == 1 else None
    return constant


def runner(function):
    """A callable that runs a compiled function on a list of arrays of the right types and gives a list of arrays.

    It leaves out what Theano checks and measures in every call. Where the virtual machine does not commit the updates
    by itself Theano's own call runs. `taking(places, parameters, lock)` gives a function that does the same in less
    time, for arguments of which the arrays are at `places`, as a list or, `one`, as the one result; it holds on to the
    arrays until `let_go()`.
    """
    function.trust_input = True
    if not IS_THEANO or getattr(function.fn, 'need_update_inputs', True):
        return lambda values: function(*values)
    inputs = [container.storage for container in function.input_storage[:len(function.maker.inputs)]]
    outputs = [container.storage for container in function.output_storage]
    machine = function.fn
    returned = outputs[:function.n_returned_outputs]
    # What was handed out may not be written to in the next call; where buffers are kept the machine sees to that.
    computed = [storage for storage, variable in zip(outputs, function.maker.fgraph.outputs)
                if variable.owner is not None and getattr(machine, 'allow_gc', True)]
    explicit = [storage for storage, given in zip(inputs, function.maker.inputs) if not given.implicit]

    def fail():
        position = machine.position_of_error
        _raise_with_op(machine.nodes[position], machine.thunks[position], storage_map=machine.storage_map)

    def run(values):
        for storage, value in zip(explicit, values):
            storage[0] = value
        try:
            machine()
        except Exception:
            fail()
        results = [storage[0] for storage in returned]
        for storage in explicit:
            storage[0] = None
        for storage in computed:
            storage[0] = None
        return results

    def taking(places, parameters, lock, one):
        source = _TAKING % {
            'parameters': ', '.join(parameters), 'freed': ''.join(
                '            computed[%d][0] = None\n' % index for index in range(len(computed))),
            'storages': ', '.join('s%d' % index for index in range(len(places))),
            'taken': '; '.join('s%d[0] = %s' % pair for pair in enumerate(places)),
            'results': 'first[0]' if one else '[storage[0] for storage in returned]'}
        return _evaluated(source)(explicit, computed, returned, lock, machine, fail)

    def let_go():
        for storage in explicit:
            storage[0] = None
    run.taking, run.let_go = taking, let_go
    return run


# Python takes a microsecond and more, a tenth of a small step, for loops over three arguments.
_TAKING = """
def made(explicit, computed, returned, lock, machine, fail):
    %(storages)s, = explicit
    first = returned[0]

    def run(%(parameters)s):
        with lock:
            %(taken)s
            try:
                machine()
            except Exception:
                fail()
            result = %(results)s
%(freed)s            return result
    return run
"""


@functools.lru_cache(maxsize=None)
def _evaluated(source):
    found = {}
    exec(source, found)  # made of numbers and names of ours alone
    return found['made']


def scan(fn, sequences, outputs_info, non_sequences, n_steps, go_backwards):
    """The sequences of outputs of Theano's scan, as a list."""
    arguments = dict(sequences=sequences, outputs_info=outputs_info, non_sequences=non_sequences, n_steps=n_steps,
                     go_backwards=go_backwards, strict=True, return_list=True)
    if IS_THEANO:
        return theano.scan(fn, **arguments)[0]
    return theano.scan(fn, return_updates=False, **arguments)
