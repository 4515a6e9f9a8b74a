"""Operations on ragged tensors of an engine's library, and on symbolic ones that stand for them: dense with a mask."""
import sys
import warnings

from keras.backend.contract import rules
from keras.backend.contract.loading import get_engine
from keras.backend.graph.tensors import KerasTensor
from keras.backend.table.abstract import map_tensors
from keras.backend.table.entries import TABLE

_RULES = (rules.same, rules.floating, rules.real_part, rules.boolean, rules.binary, rules.binary_float,
          rules.comparison, rules.where, rules.cast, rules.full_like)
# Where operations are made; what is generated says no module at all.
_OPERATIONS = ('keras.backend', 'keras.ops', 'builtins')
# Composites that go by elements.
_BY_ELEMENT = frozenset("""relu leaky_relu relu6 elu selu celu gelu sigmoid hard_sigmoid hard_sigmoid_keras2 silu
    hard_silu hard_tanh softplus log_sigmoid softsign tanh_shrink soft_shrink hard_shrink threshold squareplus
    sparse_plus sparse_sigmoid greater greater_equal less_equal not_equal logical_xor isnan isinf ceil trunc square
    reciprocal rsqrt cbrt expm1 log1p exp2 log2 log10 tan sinh cosh arccos arcsinh arccosh arctanh logaddexp
    divide_no_nan clip""".split())
_OTHERS_BY_ELEMENT = frozenset("""abs negative exp log sqrt floor round sign sin cos tanh erf isfinite logical_not cast
    stop_gradient real imag zeros_like ones_like add subtract multiply divide maximum minimum power mod floor_divide
    equal less""".split())


def follow(made, what, leaves, by_element):
    """Let what was `made` of `leaves` be ragged where that is known, and say so where zeros at the ends of rows count.

    Args:
        what: the name of the operation. by_element: whether it keeps the first two axes as they are.
    """
    ragged = [leaf for leaf in leaves if getattr(leaf, 'ragged', False) and leaf.mask is not None]
    if not ragged:
        return
    fitting = [leaf for leaf in ragged if isinstance(made, KerasTensor) and len(leaf.shape) == len(made.shape)]
    if by_element and fitting:
        made.mark(ragged=True)
        made.mask = fitting[0].mask
    elif not _is_called_by_ours():
        warnings.warn('%s on %r: inside of the graph rows of a ragged input are filled up with zeros, which count here '
                      'as values. Have a layer do it that knows masks (GlobalAveragePooling1D, say), or a layer with '
                      'a `call` of your own, or a Lambda, which get the ragged tensor itself.'
                      % (what, ragged[0]), stacklevel=4)


def _is_called_by_ours():
    """Whether a layer of ours runs the operation, which knows its masks."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_globals.get('__name__', 'keras.ops').startswith(_OPERATIONS):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get('__name__', '').startswith('keras.')


def run(entry, args):
    """The call of an entry with ragged tensors of the engine's library among its arguments.

    Functions of one element (and numbers) give ragged ones, `take` at ragged indices, too; all others are run on
    filled rows.
    """
    engine = get_engine()
    if entry.name in _BY_ELEMENT or entry.name in _OTHERS_BY_ELEMENT:
        place, = [number for number, leaf in enumerate(args) if engine.is_ragged(leaf)][:1]
        before, rest = args[:place], args[place + 1:]
        if not any(len(getattr(leaf, 'shape', ())) or isinstance(leaf, (list, tuple)) for leaf in before + rest):
            return engine.ragged_of_values(args[place], lambda values: entry.call(*before, values, *rest))
    if entry.name == 'take' and engine.is_ragged(args[1]) and not engine.is_ragged(args[0]):
        x, indices, axis = args
        if axis is None or axis == 0:
            return engine.ragged_of_values(indices, lambda values: entry.call(x, values, axis))
        return _taken(entry, engine.convert(x), indices, axis)
    if entry.name in _REDUCTIONS and all(each in (None, False) for each in args[1:]):
        values = []
        engine.ragged_of_values(args[0], lambda found: values.append(found) or found)
        return entry.call(values[0], *args[1:])
    if not _is_called_by_ours():
        warnings.warn('%s of a RaggedTensor: its short rows are filled up with zeros, which count as values. Use the '
                      'function of TensorFlow, or pad and mask the rows yourself.' % entry.name, stacklevel=4)
    return entry.call(*map_tensors(entry, args, lambda leaf, position: engine.rows_filled(leaf)[0]
                                   if engine.is_ragged(leaf) else leaf))


def _taken(take, x, indices, axis):
    """`take` of what lies behind the first axis: with zeros where rows of indices end."""
    engine = get_engine()
    ones = engine.ragged_of_values(indices, lambda values: TABLE['ones_like'].call(values))
    indices, there = engine.rows_filled(indices)[0], engine.rows_filled(ones)[0]
    axis = rules.normalize_axis(axis, len(engine.shape_of(x)))
    for _ in range(len(engine.shape_of(x)) - axis - 1):
        there = TABLE['expand_dims'].call(there, -1)
    return TABLE['multiply'].call(take.call(x, indices, axis), TABLE['cast'].call(there, engine.dtype_of(x)))


# Of all values these are what they are of the values of the rows.
_REDUCTIONS = frozenset('sum mean max min prod any all'.split())


def keeps_rows(entry):
    """Whether an entry of the table goes by elements."""
    return entry.name in _BY_ELEMENT or entry.rule in _RULES
