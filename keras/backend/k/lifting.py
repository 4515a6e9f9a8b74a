"""Makes the functions of K symbolic on variables and arrays, as Keras 2's are; otherwise they stay as they are."""
import functools
import inspect

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import runs_at_once
from keras.backend.contract.ledger import AbstractLedger
from keras.backend.contract.loading import active, is_native
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import Node
from keras.backend.graph.reads import symbol_of
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.operations import Deferred
from keras.backend.k.sizes import ON_SIZES, Sizes, tensor_of
from keras.backend.k.values import constant
from keras.backend.state.seeds import SeedGenerator
from keras.backend.state.variables import Variable

# Functions of tensors.
OF_TENSORS = """
    abs all any argmax argmin batch_dot batch_flatten batch_normalization bias_add binary_crossentropy
    binary_focal_crossentropy cast categorical_crossentropy categorical_focal_crossentropy clip concatenate conv1d
    conv2d conv2d_transpose conv3d conv3d_transpose cos ctc_batch_cost ctc_decode ctc_label_dense_to_sparse cumprod
    cumsum depthwise_conv2d dot dropout elu equal exp expand_dims flatten foldl foldr gather greater greater_equal
    hard_sigmoid identity in_top_k l2_normalize less less_equal local_conv1d local_conv2d log logsumexp map_fn max
    maximum mean min minimum normalize_batch_in_training not_equal one_hot ones_like permute_dimensions pool2d pool3d
    pow print_tensor prod relu repeat repeat_elements reshape resize_images resize_volumes reverse rnn round
    separable_conv1d separable_conv2d shape sigmoid sign sin size slice softmax softplus softsign
    sparse_categorical_crossentropy spatial_2d_padding spatial_3d_padding sqrt square squeeze stack std stop_gradient
    sum switch tanh temporal_padding tile transpose var zeros_like
""".split()
# Functions that make tensors out of nothing.
OF_NOTHING = 'arange random_binomial random_normal random_uniform truncated_normal'.split()

# Arguments that are shapes.
_SHAPES = frozenset(['shape', 'n', 'noise_shape', 'output_shape', 'start', 'size'])
_PLAIN = (KerasTensor, int, float, bool, str, type(None), np.generic)


def make_symbolic(functions):
    """Wrap the functions named above in the dictionary `functions`."""
    for name in OF_TENSORS:
        functions[name] = lifted(functions[name])
        functions[name].__name__ = name  # by which a `Lambda` is saved
    for name in OF_NOTHING:
        functions[name] = deferred(functions[name])


def lifted(function):
    """`function` with variables and arrays turned into symbolic tensors where nothing runs, and shapes into vectors."""
    of_sizes = ON_SIZES.get(function.__name__)
    shapes = _positions_of_shapes(function)

    @functools.wraps(function)
    def run(*args, **kwargs):
        if args and Sizes in map(type, args):
            found = of_sizes(*args, **kwargs) if of_sizes is not None and type(args[0]) is Sizes else None
            if found is not None:
                return found
            args = [arg if place in shapes else tensor_of(arg) for place, arg in enumerate(args)]
        if runs_at_once():
            return function(*args, **kwargs)
        args, kwargs = _lifted_arguments(list(args), kwargs)
        return function(*args, **kwargs)
    return run


def _positions_of_shapes(function):
    """The places of those arguments of `function` in which a shape is a shape."""
    return {place for place, name in enumerate(inspect.signature(function).parameters) if name in _SHAPES}


def _lifted_arguments(args, kwargs):
    leaves = tree.flatten([args, kwargs])
    found = set(map(type, leaves))
    if not any(issubclass(kind, (Variable, np.ndarray)) for kind in found) or _has_native(leaves):
        return args, kwargs
    args, kwargs = tree.map_structure(_symbol, [args, kwargs])
    if args and not any(isinstance(leaf, KerasTensor) for leaf in tree.flatten([args, kwargs])):
        args[0] = tree.map_structure(_constant, args[0])
    return args, kwargs


def _has_native(leaves):
    for leaf in leaves:
        if type(leaf) in active.native and not isinstance(leaf, np.ndarray):
            return True
        if not isinstance(leaf, _PLAIN + (Variable, np.ndarray)) and not callable(leaf) and is_native(leaf):
            return True
    return False


def _symbol(leaf):
    return symbol_of(leaf) if isinstance(leaf, Variable) else leaf


def _constant(leaf):
    if not isinstance(leaf, np.ndarray):
        return leaf
    dtype = leaf.dtype.name if leaf.dtype.kind in 'biu' else None
    return constant(leaf, dtype)


def deferred(function):
    """`function` of numbers as a part of the graph where nothing runs: it runs anew whenever the graph does."""
    @functools.wraps(function)
    def run(*args, **kwargs):
        if runs_at_once():
            return function(*args, **kwargs)
        if isinstance(kwargs.get('seed'), (int, np.integer)):
            # As in Keras 2, the seed tells where a sequence begins.
            kwargs = dict(kwargs, seed=SeedGenerator(int(kwargs['seed'])))
        args, kwargs = tree.map_structure(_symbol, [list(args), kwargs])
        if any(isinstance(leaf, AbstractTensor) for leaf in tree.flatten([args, kwargs])):
            return function(*args, **kwargs)
        with AbstractLedger():
            abstract = function(*args, **kwargs)
        operation = Deferred(functools.partial(function, *args, **kwargs), function.__name__)
        return Node(operation, [], {}, AbstractTensor(abstract.shape, abstract.dtype)).output_structure
    return run
