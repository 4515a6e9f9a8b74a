"""What operations of the graph give for symbolic tensors that stand for ragged ones, which are dense with a mask."""
import sys
import warnings

from keras.backend.contract import rules
from keras.backend.graph.tensors import KerasTensor

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


def keeps_rows(entry):
    """Whether an entry of the table goes by elements."""
    return entry.name in _BY_ELEMENT or entry.rule in _RULES
