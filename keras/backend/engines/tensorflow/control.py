"""Loops and branches, and traces that find out what a function gives."""

import collections
import contextlib
import threading

import tensorflow as tf
from tensorflow.python.autograph.core.ag_ctx import ControlStatusCtx, Status
from tensorflow.python.autograph.core.converter import ConversionOptions
from tensorflow.python.autograph.impl.api import converted_call
from tensorflow.python.framework.func_graph import FuncGraph

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.rules import AbstractTensor
from keras.backend.engines.tensorflow.ledgers import GraphLedger
from keras.backend.engines.tensorflow.tensors import DTYPES, executing_eagerly, raw, sizes_of


def specification(x):
    return tf.TensorSpec(x.shape, DTYPES[x.dtype] if isinstance(x, AbstractTensor) else x.dtype)


def _element_specification(x):
    return tf.TensorSpec(x.shape[1:], x.dtype)


class _Arrays(threading.local):
    """Per thread: whether loops keep what they read and write in plain tensors, as TensorFlow Lite wants them."""
    plain = False


_arrays = _Arrays()


@contextlib.contextmanager
def plain_arrays():
    """A block in which loops are traced for TensorFlow Lite, which has no lists of tensors."""
    previous, _arrays.plain = _arrays.plain, True
    try:
        yield
    finally:
        _arrays.plain = previous


class PlainArray(collections.namedtuple('PlainArray', 'content')):
    """What a `tf.TensorArray` does, on a tensor (time, ...)."""
    __slots__ = ()

    def read(self, index):
        return tf.gather(self.content, index)

    def write(self, index, value):
        return PlainArray(tf.tensor_scatter_nd_update(self.content, tf.reshape(index, (1, 1)), value[None]))

    def stack(self):
        return self.content


def array_of(x, length):
    """An array of the elements of `x` along axis 0."""
    if _arrays.plain:
        return PlainArray(x)
    return tf.TensorArray(x.dtype, length, element_shape=x.shape[1:]).unstack(x)


def empty_array(like, length):
    """An array for `length` tensors like one."""
    if _arrays.plain:
        return PlainArray(tf.repeat(tf.zeros_like(like)[None], length, 0))
    return tf.TensorArray(like.dtype, length, element_shape=like.shape)


# What TensorFlow's messages say where code asks a tensor of a graph for its value: as a condition, in a loop, by `len`.
_ASKED = ('symbolic', 'is not allowed', 'has no value while')


def with_branches(function, error):
    """`function` as AutoGraph writes it, which makes `if`, `while`, `for` and `len` on tensors parts of the graph; None
    where `error` is not about these, or no graph is being made."""
    if executing_eagerly() or context.abstract or not isinstance(error, (TypeError, ValueError)) \
            or not any(part in str(error) for part in _ASKED):
        return None
    options = ConversionOptions(recursive=True, user_requested=True, optional_features=())

    def run(*args, **kwargs):
        with ControlStatusCtx(Status.ENABLED, options):
            return converted_call(function, args, kwargs, options=options)
    return run


def traced(fn, specifications, structure):
    """What `fn` gives for arguments of these specifications, laid out as `structure`, in a graph thrown away."""
    with FuncGraph('shapes').as_default(), GraphLedger(outer=context.ledger):
        leaves = [tf.compat.v1.placeholder(leaf.dtype, leaf.shape) if isinstance(leaf, tf.TensorSpec) else leaf
                  for leaf in specifications]
        return fn(*tree.pack_as(structure, leaves))


def scan(step, init, xs, length=None, reverse=False):
    if executing_eagerly():
        return _eager_scan(step, init, xs, length, reverse)
    if xs:
        length = sizes_of(xs[0])[0]
    carry, arrays = list(init), [array_of(x, length) for x in xs]
    elements = [_element_specification(x) for x in xs]
    _, output = traced(step, [specification(c) for c in carry] + elements, (carry, list(xs)))
    leaves = tree.flatten(output)
    if _arrays.plain:  # the sizes of what a step gives are needed, not only what is known of them
        leaves = tree.flatten(step(list(init), [x[0] for x in xs])[1])
    stacks = [empty_array(leaf, length) for leaf in leaves]

    def body(count, carry, stacks):
        index = length - 1 - count if reverse else count
        new_carry, outputs = step(carry, [array.read(index) for array in arrays])
        for new, old in zip(new_carry, carry):
            new.set_shape(old.shape)
        return count + 1, list(new_carry), [stack.write(index, leaf)
                                            for stack, leaf in zip(stacks, tree.flatten(outputs))]

    _, carry, stacks = tf.while_loop(lambda count, *_: count < length, body, (tf.constant(0), carry, stacks),
                                     maximum_iterations=length)
    results = [stack.stack() for stack in stacks]
    for result, leaf in zip(results, leaves):
        result.set_shape([length if isinstance(length, int) else None] + leaf.shape.as_list())
    return carry, tree.pack_as(output, results)


def _eager_scan(step, init, xs, length, reverse):
    parts = [tf.unstack(x) for x in xs]
    count = len(parts[0]) if parts else int(length)
    carry, outputs = init, [None] * count
    for index in reversed(range(count)) if reverse else range(count):
        carry, outputs[index] = step(carry, [part[index] for part in parts])
    if not count:
        specifications = [specification(c) for c in init] + [_element_specification(x) for x in xs]
        _, output = traced(step, specifications, (init, list(xs)))
        return init, tree.map_structure(lambda leaf: tf.zeros([0] + leaf.shape.as_list(), leaf.dtype), output)
    stacked = [raw.Pack(values=leaves, axis=0) for leaves in zip(*map(tree.flatten, outputs))]
    return carry, tree.pack_as(outputs[0], stacked)


def cond(predicate, then, otherwise, operands):
    structure = []

    def branch(function):
        def run():
            result = function(*operands)
            structure.append(result)
            return tuple(tree.flatten(result)) + (tf.constant(0),)
        return run
    leaves = tf.cond(predicate, branch(then), branch(otherwise))
    return tree.pack_as(structure[0], leaves[:-1])


def while_loop(condition, body, init, maximum_iterations=None):
    def run(*values):
        new = list(body(*values))
        for after, before in zip(new, values):
            after.set_shape(before.shape)
        return tuple(new)
    return list(tf.while_loop(condition, run, tuple(init), maximum_iterations=maximum_iterations))
