"""Calls of table entries on the abstract engine, which find shapes and dtypes, and the errors it explains."""
import numpy as np

from keras.backend.contract import rules, tree
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.loading import active, is_native, is_sparse
from keras.backend.contract.rules import AbstractTensor, stand_ins
from keras.backend.state.variables import Variable


def evaluate(entry, args):
    """The call on the abstract engine: AbstractTensors from AbstractTensors."""
    abstract = map_tensors(entry, args, abstracted)
    try:
        if entry.rule is not None:
            if len(entry.tensors) == 1:
                # Beside other tensors a number of Python has no dtype of its own; alone it is a scalar.
                abstract[entry.tensors[0]] = _scalar(abstract[entry.tensors[0]])
            return entry.rule(*abstract)
        if entry.check is not None:
            entry.check(*abstract)
        with AbstractLedger():
            return entry.body(*_promoted(entry, abstract))
    except (ValueError, TypeError) as error:
        raise explained(error, entry, abstract) from None


def _promoted(entry, args):
    """The abstract arguments of a composite in the dtype that its body gets them in when it runs."""
    leaves = [leaf for position in entry.promoted for leaf in tree.flatten(args[position]) if leaf is not None]
    if not any(isinstance(leaf, AbstractTensor) for leaf in leaves):
        return args
    dtype = promoted_dtype(entry, [leaf.dtype if isinstance(leaf, AbstractTensor) else rules.weakly(leaf)
                                   for leaf in leaves])
    return map_tensors(entry, args, lambda leaf, position: leaf if leaf is None or position not in entry.promoted
                       else AbstractTensor(getattr(leaf, 'shape', ()), dtype))


def promoted_dtype(entry, dtypes):
    """The dtype in which an entry gets its promoted arguments, which have these."""
    if entry.promote == 'bool':
        return 'bool'
    dtype = rules.result_dtype(*dtypes)
    if entry.promote == 'product' and all(one == 'int8' for one in dtypes):
        return 'int32'
    return rules.float_dtype(dtype) if entry.promote in ('float', 'same_float') else dtype


def evaluate_unranked(entry, args):
    """What `evaluate` gives where the rank of a tensor is not known, without shapes; None where all ranks are known.

    Raises:
        ValueError: if the arguments fit no rank.
    """
    def of_rank(rank):
        return lambda leaf: AbstractTensor((None,) * rank, leaf.dtype) if is_unranked(leaf) else leaf

    if not any(map(is_unranked, tree.flatten(list(args)))):
        return None
    for rank in range(6):
        try:
            outputs = evaluate(entry, tree.map_structure(of_rank(rank), list(args)))
        except Exception:  # some rank will do, if the arguments are right
            continue
        return tree.map_structure(lambda leaf: AbstractTensor(None, leaf.dtype), outputs)
    raise ValueError('%s: the arguments fit a tensor of no rank. Received: %r.' % (entry.name, list(args)))


def is_unranked(leaf):
    return isinstance(leaf, AbstractTensor) and leaf.shape is None


def abstracted(leaf, position=None):
    if type(leaf) is AbstractTensor:
        return leaf
    if isinstance(leaf, AbstractTensor) or isinstance(leaf, Variable):
        return AbstractTensor(leaf.shape, leaf.dtype)
    if type(leaf) in (int, float, bool) or leaf is None or callable(leaf):
        return leaf
    if type(leaf) in active.native:
        return AbstractTensor(active.engine.shape_of(leaf), active.engine.dtype_of(leaf))
    if isinstance(leaf, (np.ndarray, np.generic, list, tuple)):
        array = np.asarray(leaf)
        return AbstractTensor(array.shape, host_dtype(array))
    if is_native(leaf):
        return AbstractTensor(active.engine.shape_of(leaf), active.engine.dtype_of(leaf))
    if is_sparse(leaf):
        return AbstractTensor(active.engine.shape_of(leaf), active.engine.dtype_of(leaf))
    if isinstance(leaf, stand_ins()):
        return AbstractTensor(tuple(leaf.shape), getattr(leaf.dtype, 'name', leaf.dtype))
    raise TypeError('expected a tensor, received %s: %r' % (type(leaf).__name__, leaf))


def _scalar(leaf):
    return AbstractTensor((), rules.result_dtype(type(leaf))) if type(leaf) in (int, float, bool) else leaf


def host_dtype(array):
    """The dtype that a NumPy array counts with: its float64 is Python's default, not a wish for 64 bits."""
    name = array.dtype.name
    return rules.config.floatx() if name == 'float64' else 'string' if array.dtype.kind in 'USO' else name


def map_tensors(entry, args, function):
    args = list(args)
    for position in range(len(args)):
        if position in entry.nested:
            args[position] = tree.map_structure(lambda leaf: function(leaf, position), args[position])
        elif position in entry.tensors:
            args[position] = None if args[position] is None else function(args[position], position)
        elif entry.kind == 'primitive':
            args[position] = _static(args[position])
    return args


_PYTHON_DTYPES = {int: int, float: float, bool: bool, 'int': int, 'float': float}


def _static(argument):
    """A static argument in its canonical form: tuples for lists, Python numbers for NumPy's, names for dtypes."""
    if type(argument).__name__.lower().endswith('dtype'):  # NumPy's or the engine's own
        return getattr(argument, 'name', None) or str(argument).rsplit('.', 1)[-1]
    if isinstance(argument, type) and issubclass(argument, np.generic):
        return np.dtype(argument).name
    if isinstance(argument, (str, type)) and argument in _PYTHON_DTYPES:
        return rules.result_dtype(_PYTHON_DTYPES[argument])
    if isinstance(argument, (list, tuple)):
        return tuple(_static(part) for part in argument)
    if isinstance(argument, np.generic) or type(argument) is np.ndarray and argument.ndim == 0:
        return argument.item()
    return argument


def explained(error, entry, args):
    if getattr(error, 'keras_explained', False):
        return error
    described = ', '.join('%s: %s' % (name, _describe(value)) for name, value in zip(entry.parameters, args))
    return mark(type(error)('%s: %s. Received: %s.' % (entry.name, str(error).rstrip('.'), described)))


def _describe(value):
    if isinstance(value, AbstractTensor):
        return rules.describe(value)
    if isinstance(value, (list, tuple)) and any(isinstance(part, AbstractTensor) for part in value):
        return '[%s]' % ', '.join(map(_describe, value))
    return repr(value)


def mark(error):
    try:
        error.keras_explained = True
    except AttributeError:  # exceptions with slots cannot be marked, and need not be
        pass
    return error
