"""The tensor type of the CNTK engine, and how tensors become nodes of a CNTK graph.

A `Tensor` is in one of three states. *Known*: it has its value on the host. *Late*: its value is found on the host
at every call of the step that is being traced, from a recipe; arguments are, and whatever follows from bool and
integer ones (seeds, counters, masks, token numbers), because CNTK itself has floats only, and from single numbers.
*Graph*: it is an output of the CNTK graph. Known and late tensors become graph when an operation of the graph takes
them: constants, and inputs that every call fills.

The nodes of a step lie in stages: what depends on gradients can run only when the gradients have been found. `FREE`
nodes depend on variables and constants only, and may be a part of every stage.
"""
import contextlib
import threading

import cntk
import numpy as np
from cntk import cntk_py

from keras.backend.contract import rules, tree
from keras.backend.contract.rules import AbstractTensor

FREE = -1

DEVICE = cntk_py.DeviceDescriptor.use_default_device()

_KINDS = {'float32': cntk_py.DataType_Float, 'float64': cntk_py.DataType_Double}


class _Current(threading.local):
    """Per thread: the trace that is being made, if any, whether what is made now will be differentiated, and the stage
    that it belongs to at least.
    """
    trace = None
    differentiating = False
    floor = FREE


current = _Current()


class Tensor:
    """A tensor of the CNTK engine. `dtype` is a name; bool and integer ones are floats in the graph.

    `node` is its node, with static axes only; `batched` one whose first axis is a batch axis of CNTK's instead. Chains
    of operations that need the latter (convolution, pooling, batch normalization) never make the former.
    """
    __slots__ = ('shape', 'dtype', 'host', 'recipe', '_node', 'batched', 'stage', 'leaf', '__weakref__',
                 '_keras_shape')

    def __init__(self, shape, dtype, host=None, recipe=None, node=None, stage=FREE, leaf=False, batched=None):
        self.shape, self.dtype = shape, dtype
        self.host, self.recipe = host, recipe
        self._node, self.batched, self.stage, self.leaf = node, batched, stage, leaf

    @property
    def node(self):
        if self._node is None and self.batched is not None:
            self._node = output(cntk.reshape(cntk.unpack_batch(self.batched), self.shape))
        return self._node

    @node.setter
    def node(self, node):
        self._node = node

    def has_node(self):
        return self._node is not None or self.batched is not None

    def with_batch_axis(self):
        """The node whose first axis is a batch axis of CNTK's."""
        if self.batched is None:
            self.batched = output(cntk.to_batch(self._node))
        return self.batched

    @property
    def ndim(self):
        return len(self.shape)

    def known(self):
        """The value, for Python to look at."""
        if self.host is None:
            raise TypeError('A tensor without a value has no truth value, so Python `if`, `while`, `and`, `or` and '
                            '`not` cannot branch on it, and it is no number. Use keras.ops.where or keras.ops.cond '
                            'instead. It is %r, of a step that is being traced.' % (self,))
        return self.host

    def numpy(self):
        return np.array(self.known())

    def __array__(self, dtype=None):
        return np.array(self.known(), dtype)

    def __bool__(self):
        return bool(self.known())

    def __int__(self):
        return int(self.known())

    def __float__(self):
        return float(self.known())

    def __index__(self):
        return self.known().__index__()

    def __len__(self):
        if not self.shape:
            raise TypeError('A tensor of shape () has no length.')
        return self.shape[0]

    def __iter__(self):
        return (self[index] for index in range(len(self)))

    def __repr__(self):
        value = '' if self.host is None else ' value=%s' % (self.host,)
        return '<cntk Tensor shape=%s dtype=%s%s>' % (self.shape, self.dtype, value)

    # NumPy leaves `array * tensor` to the reflected operators.
    __array_priority__ = 1000
    __array_ufunc__ = None


def known(array):
    """The tensor whose value is the NumPy array or scalar `array`."""
    array = np.asarray(array)
    return Tensor(array.shape, array.dtype.name, array)


def node_type(dtype):
    """The NumPy dtype of the nodes that stand for tensors of `dtype`."""
    return 'float64' if dtype == 'float64' else 'float32'


# --- nodes --------------------------------------------------------------------------------------------------------

def output(function):
    """The output of a CNTK function of one, as a variable of the C++ layer, which costs the least to handle."""
    return cntk_py.Function.output(function)


uid = cntk_py.Variable.uid


def is_parameter(storage):
    return isinstance(storage, cntk_py.Parameter)


def value_of(parameter):
    """The numbers of a parameter or a constant, in an array of their own."""
    kind = cntk_py.Parameter if is_parameter(parameter) else cntk_py.Constant
    return np.array(kind.value(parameter).to_ndarray())


def shape_of_node(node):
    return tuple(cntk_py.Variable.shape(node).dimensions())


def data_view(array):
    """A CNTK array with the numbers of a NumPy array of floats."""
    return cntk.NDArrayView.from_dense(array, DEVICE)


def borrowed_view(buffer):
    """A CNTK array over the memory of a NumPy array of floats, which must be kept."""
    return cntk_py.NDArrayView(buffer, DEVICE, False, True)


def constant_node(array, dtype):
    return cntk_py.Constant(data_view(np.array(array, dtype)))


def scalar_node(number, dtype):
    """A node for a Python number, beside tensors of `dtype`: one per step, since it knows the graph that it is in."""
    key = (number, type(number), np.signbit(number), node_type(dtype))
    scalars = current.trace.scalars
    node = scalars.get(key)
    if node is None:
        node = scalars[key] = constant_node(np.asarray(number), node_type(dtype))
    return node


def in_graph(x, stage=FREE):
    """The tensor `x` as one with a node that stage `stage` of the current trace may use."""
    if 0 in x.shape:
        return x
    if not x.has_node():
        if x.host is not None:
            x.node, x.leaf = constant_node(x.host, node_type(x.dtype)), True
        else:
            current.trace.give_input(x)
    if x.stage != FREE and x.stage < stage and not x.leaf:
        return current.trace.handed_on(x, stage)
    return x


def stage_of(tensors):
    """The stage of what is computed from `tensors`."""
    return max([in_graph(x).stage for x in tensors] + [current.floor])


def wrapped(node, shape, dtype, stage):
    """The tensor of `shape` and `dtype` that `node` computes, which may differ in form only."""
    if type(node) is Batched:
        return Tensor(shape, dtype, stage=stage, batched=node.node)
    if isinstance(node, cntk_py.Function):
        node = output(node)
    kind = _KINDS[node_type(dtype)]
    if node.get_data_type() != kind:
        node = output(cntk_py.cast(node, kind, ''))
    if shape_of_node(node) != shape:
        node = output(cntk.reshape(node, shape))
    return Tensor(shape, dtype, node=node, stage=stage)


@contextlib.contextmanager
def short_errors():
    """Errors of CNTK without the list of C++ functions."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if '[CALL STACK]' not in str(error):
            raise
        raise type(error)(str(error).split('[CALL STACK]')[0].strip()) from None


# --- operations ---------------------------------------------------------------------------------------------------

class Batched:
    """What a graph function returns whose result has a batch axis of CNTK's for its first."""

    def __init__(self, node):
        self.node = output(node) if isinstance(node, cntk_py.Function) else node


def tensors_in(args):
    """The tensors among the arguments of a primitive, which may hold lists of them."""
    found = []
    for arg in args:
        if type(arg) is Tensor:
            found.append(arg)
        elif type(arg) is list or type(arg) is tuple:
            found.extend(leaf for leaf in arg if type(leaf) is Tensor)
    return found


def replaced(args, function):
    """`args` with `function` of every tensor in its place."""
    result = []
    for arg in args:
        if type(arg) is Tensor:
            arg = function(arg)
        elif (type(arg) is list or type(arg) is tuple) and any(type(leaf) is Tensor for leaf in arg):
            arg = [function(leaf) if type(leaf) is Tensor else leaf for leaf in arg]
        result.append(arg)
    return result


def lifted(result):
    """What a function of the NumPy engine gave, as known tensors."""
    if isinstance(result, (list, tuple)):
        return [known(part) for part in result]
    return known(result)


def abstract(x):
    return AbstractTensor(x.shape, x.dtype)


def host_only(tensors):
    """Whether an operation on these tensors belongs on the host: all values are known there, and no work is much."""
    return all(x.host is not None or x.recipe is not None and (not rules.is_float(x.dtype) or x.shape == ())
               for x in tensors)


def operate(host, rule, graph, args):
    """Run an operation where its arguments are: on the host at once, on the host at every call, or in the graph.

    Args:
        host: the NumPy engine's function. rule: shape and dtype rule. graph: function of the same arguments, the
        tensors among which have nodes that fit together; it gives a node, a tensor, or a list of either.
    """
    tensors = tensors_in(args)
    if all(x.host is not None for x in tensors):
        with np.errstate(all='ignore'):
            return lifted(host(*replaced(args, _host_of)))
    promised = rule(*replaced(args, abstract))
    if all(0 in leaf.shape for leaf in tree.flatten(promised)):
        return tree.map_structure(lambda leaf: known(np.zeros(leaf.shape, leaf.dtype)), promised)
    if host_only(tensors):
        return later(host, args, promised)
    stage = stage_of([x for x in tensors if 0 not in x.shape])
    with short_errors():
        result = graph(*replaced(args, lambda x: in_graph(x, stage)))
    if isinstance(promised, list):
        return [_as_promised(part, leaf, stage) for part, leaf in zip(result, promised)]
    return _as_promised(result, promised, stage)


def _host_of(x):
    return x.host


def _as_promised(result, promised, stage):
    if type(result) is Tensor:
        if result.shape == promised.shape and result.dtype == promised.dtype:
            return result
        if result.host is not None:
            return known(result.host.reshape(promised.shape).astype(promised.dtype))
        result = result.node
    return wrapped(result, promised.shape, promised.dtype, stage)


class Recipe:
    """How the value of late tensors is found at a call: `function(*args)`, or argument `args` of the step."""
    __slots__ = ('function', 'args')

    def __init__(self, function, args):
        self.function, self.args = function, args


class HostProgram:
    """The values of known and late tensors at a call, as one Python function, compiled from their recipes.

    Args:
        tensors: the tensors. Calling it with the arguments of the step gives a list with their values.
    """

    def __init__(self, tensors):
        self._names, self._lines, self._constants = {}, [], {}
        results = ['asarray(%s)' % self._expression(x) for x in tensors]
        source = 'def run(arguments):\n%s    return [%s]\n' % (''.join(self._lines), ', '.join(results))
        namespace = dict(self._constants, asarray=np.asarray)
        exec(source, namespace)
        self._run = namespace['run']

    def __call__(self, arguments):
        if not self._lines:
            return self._run(arguments)
        # What `np.errstate(all='ignore')` does, in a sixth of the time.
        before = np.geterrobj()
        np.seterrobj([before[0], 0, before[2]])
        try:
            return self._run(arguments)
        finally:
            np.seterrobj(before)

    def _constant(self, value):
        name = 'c%d' % len(self._constants)
        self._constants[name] = value
        return name

    def _expression(self, x):
        """What to write for a value in the source: for a tensor, or for a static argument."""
        if type(x) is list and any(type(part) is Tensor for part in x):
            return '[%s]' % ', '.join(map(self._expression, x))
        if type(x) is not Tensor:
            return self._constant(x)
        if x.host is not None:
            return self._constant(x.host)
        recipe, index = x.recipe
        name = self._result(recipe)
        return name if index is None else '%s[%d]' % (name, index)

    def _result(self, recipe):
        if recipe.function is None:
            return 'arguments[%d]' % recipe.args
        if recipe not in self._names:
            args = ', '.join(map(self._expression, recipe.args))
            name = self._names[recipe] = 'r%d' % len(self._names)
            self._lines.append('    %s = %s(%s)\n' % (name, self._constant(recipe.function), args))
        return self._names[recipe]


def later(function, args, promised):
    """The late tensors that `function(*args)` gives on the host at every call."""
    recipe = Recipe(function, list(args))
    if isinstance(promised, list):
        return [Tensor(leaf.shape, leaf.dtype, recipe=(recipe, index)) for index, leaf in enumerate(promised)]
    return Tensor(promised.shape, promised.dtype, recipe=(recipe, None))
