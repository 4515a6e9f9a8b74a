"""Functions of TensorFlow on symbolic tensors: each call becomes a node of the graph, which runs the function.

TensorFlow asks its dispatchers when a function cannot take its arguments, and a symbolic tensor refuses to be made a
`tf.Tensor`.
"""
import functools
import inspect

import tensorflow as tf
from tensorflow.python.util.dispatch import GlobalOpDispatcher
from tensorflow.python.util.tf_export import get_canonical_name_for_symbol

from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.graph.nodes import Node
from keras.backend.graph.tensors import any_symbolic
from keras.backend.table import primitives as p, ragged
from keras.lazy import Later

# Stands above the engines, and has been loaded where there are symbolic tensors to differentiate.
derivatives = Later('keras.backend.k.derivatives')


class TensorflowFunction:
    """An operation of a graph that is a function of TensorFlow. `name` is its public one, without `tf.`."""

    def __init__(self, function):
        self.function = function
        self.name = get_canonical_name_for_symbol(function, add_prefix_to_v1_names=True) or function.__name__

    def plan_function(self, node, training):
        return self._run

    def _run(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def as_layer(self, name):
        """(class, config) of the layer by which tf.keras writes it."""
        return 'TFOpLambda', {'name': name, 'function': self.name}


class _OnSymbols(GlobalOpDispatcher):
    def handle(self, op, args, kwargs):
        if get_engine().name != 'tensorflow' or not any_symbolic([args, kwargs]):
            return self.NOT_SUPPORTED
        args, kwargs = _as_written(op, list(args), kwargs)
        outputs = get_engine().eval_shape(lambda args, kwargs: op(*args, **kwargs), (args, kwargs))
        function = TensorflowFunction(op)
        made = Node(function, args, kwargs, outputs).output_structure
        ragged.follow(made, function.name, tree.flatten([args, kwargs]), by_element=False)
        return made


def _as_written(op, args, kwargs):
    """The arguments of a call with the first one by position: TensorFlow's own wrappers pass on everything by name."""
    kwargs = {name: value for name, value in kwargs.items() if name != 'name'}
    first = next(iter(inspect.signature(op).parameters))
    return (args, kwargs) if args or first not in kwargs else ([kwargs.pop(first)], kwargs)


def _of_symbols(gradients):
    """`tf.gradients`, of which TensorFlow does not ask its dispatchers, for the graph of K as well."""
    signature = inspect.signature(gradients)

    @functools.wraps(gradients)
    def wrapper(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        if not any_symbolic([given['ys'], given['xs']]):
            return gradients(*args, **kwargs)
        outputs, variables, weights, constants = [
            None if given.get(name) is None else _as_list(given[name])
            for name in ('ys', 'xs', 'grad_ys', 'stop_gradients')]
        found = derivatives.partial_gradients(outputs, variables, weights, constants or ())
        if tf.UnconnectedGradients(given.get('unconnected_gradients', 'none')) == tf.UnconnectedGradients.ZERO:
            found = [p.full_like(variable, 0) if gradient is None else gradient
                     for variable, gradient in zip(variables, found)]
        return found
    return wrapper


def _as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


_OnSymbols().register()
for _place in (tf, tf.compat.v1):
    _place.gradients = _of_symbols(_place.gradients)
