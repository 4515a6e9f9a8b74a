"""Steps, each a function compiled by TensorFlow for the shapes that it meets."""

import collections
import contextlib
import weakref

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import active
from keras.backend.engines.tensorflow.ledgers import StepLedger
from keras.backend.engines.tensorflow.tensors import (EagerTensor, executing_eagerly, no_tape, own_graph, rank_of, raw,
                                                      sizes_of)


# Asks for XLA; TensorFlow 2.4 has another name for it.
_JOINED = {'jit_compile' if tuple(map(int, tf.__version__.split('.')[:2])) >= (2, 5) else 'experimental_compile': True}


def dense(gradient, x):
    """A gradient by `x` as a tensor, which remembers them where it comes in slices, as those of embeddings do."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    found = raw.UnsortedSegmentSum(data=gradient.values, segment_ids=gradient.indices, num_segments=sizes_of(x)[0])
    found._keras_slices = gradient
    return found


class Recorder:
    """A `tf.GradientTape` as the contract wants it."""

    def __init__(self):
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)

    def __enter__(self):
        self._tape.__enter__()

    def __exit__(self, *error):
        self._tape.__exit__(*error)

    def watch(self, value):
        self._tape.watch(value)
        return value

    def gradients(self, targets, factors, values):
        found = self._tape.gradient(targets, values, None if factors[0] is None else factors)
        return [dense(gradient, x) for gradient, x in zip(found, values)]


class Hand:
    """An iterator of TensorFlow over what is put into it.

    Args:
        example: a structure of tensors like those to come; sizes of batches may differ.
    """

    def __init__(self, example):
        self._waiting = collections.deque()
        example = _tuples(example)
        # It must not look ahead for what is not there yet.
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        with tf.init_scope():
            self.iterator = iter(tf.data.Dataset.from_generator(
                lambda: iter(self._waiting.popleft, None), output_signature=tf.nest.map_structure(
                    lambda x: tf.TensorSpec([None] * min(1, x.shape.rank) + x.shape.as_list()[1:], x.dtype), example)
            ).with_options(options))

    def put(self, data):
        self._waiting.append(_tuples(data))


def _tuples(structure):
    """`structure` with tuples for lists, which data sets take for tensors."""
    if isinstance(structure, dict):
        return {name: _tuples(part) for name, part in structure.items()}
    return tuple(map(_tuples, structure)) if isinstance(structure, (list, tuple)) else structure


class Step:
    """A function compiled by TensorFlow: a trace for each of the first two shapes that it meets, one for all others.

    The first ones know every size, which keeps their graphs small; and a shape has the same graph whether the full or
    the short last batch has come first (exact resume). In the third, sizes that differ are left open. The variables
    are read once, in the graph of the step itself, and written when all else is done.
    """

    def __init__(self, engine, fn, static_batch, joined=False):
        self.engine = engine
        self.joined = joined
        self._fn = fn
        self._static_batch = static_batch
        self._known = {}  # description of the arguments -> Trace
        self._traces = []
        self._variables = {}  # variable -> storage, which must live as long as the traces
        self._activations = active.activations

    def __call__(self, *args):
        description, leaves = [], []
        _describe(args, description, leaves)
        description = tuple(description)
        trace = self._known.get(description)
        if trace is None:
            trace = self._known[description] = self._find(args, description, leaves)
        if self._activations != active.activations:
            self._return_variables()
        return trace([leaf if type(leaf) is EagerTensor else self.engine.convert(leaf) for leaf in leaves])

    def traced(self, inputs):
        """What the function gives, in the graph of a trace."""
        graph = tf.compat.v1.get_default_graph()

        def read(variable):
            # In the graph of the step, wherever it is asked for, so that branches and loops share it.
            self.keep(variable)
            with graph.as_default():
                return variable.load()
        with StepLedger(missing=read) as ledger:
            ledger.step = self
            outputs = self._fn(*inputs)
        outputs = tree.map_structure(lambda x: None if x is None else self.engine.convert(x), outputs)
        for variable, value in ledger.writes.items():
            self.keep(variable)
            raw.AssignVariableOp(resource=variable.storage.handle, value=value)
        return outputs

    def keep(self, variable):
        """Note that a trace uses `variable`."""
        self._variables[variable] = variable.storage

    def _return_variables(self):
        """Bring the variables back that have been on another engine."""
        for variable, storage in self._variables.items():
            if variable.storage is not storage:
                raise RuntimeError('The storage of variable %s was replaced.' % variable.path)
        self._activations = active.activations

    def _find(self, args, description, leaves):
        leaves = [self.engine.convert(leaf) for leaf in leaves]
        kinds = [part for part in description if isinstance(part, str)] + [leaf.dtype for leaf in leaves]
        kinds += [rank_of(leaf) for leaf in leaves]
        shapes = [leaf.shape.as_list() for leaf in leaves]
        related = [trace for trace in self._traces if trace.kinds == kinds]
        for trace in related:
            if all(_admits(known, shape) for known, shape in zip(trace.shapes, shapes)):
                return trace
        if len(related) > 1 and not self._static_batch:
            shapes = [[sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*known)]
                      for known in zip(shapes, *[trace.shapes for trace in related])]
        trace = Trace(self, args, kinds, [leaf.dtype for leaf in leaves], shapes)
        self._traces.append(trace)
        return trace


@contextlib.contextmanager
def in_storage(variables):
    """Nothing stands between `variables` and what is kept for them: what ledgers know is written before, read after."""
    ledger = context.ledger
    if ledger is None:
        yield
        return
    chain, each = [], ledger
    while each is not None:
        chain.append(getattr(each, 'writes', {}))
        each = each.outer
    context.ledger = None
    try:
        for variable in variables:
            pending = next((writes[variable] for writes in chain if variable in writes), None)
            if pending is not None:
                raw.AssignVariableOp(resource=variable.storage.handle, value=pending)
        yield
    finally:
        context.ledger = ledger
    for variable in variables:
        if type(ledger) is StepLedger:
            ledger.step.keep(variable)
            ledger.values.pop(variable, None)
            ledger.writes.pop(variable, None)
        else:
            ledger.write(variable, variable.storage.value())


class RepeatedStep(Step):
    """Many runs of a step as one loop: called with (carry, [arguments of all runs, with a first axis over these])."""

    def traced(self, inputs):
        carry, stacked = inputs
        structure = tree.map_structure(lambda leaf: None, carry)
        count = sizes_of(next(leaf for leaf in tree.flatten(stacked) if leaf is not None))[0]

        def body(number, carried):
            args = tree.map_structure(lambda leaf: None if leaf is None else leaf[number], stacked)
            carried = tree.pack_as(structure, carried) if tree.is_nested(structure) else carried[0]
            found = super(RepeatedStep, self).traced([carried] + list(args))
            return number + 1, tree.flatten(found)
        _, found = tf.while_loop(lambda number, _: number < count, body, (tf.constant(0), tree.flatten(carry)),
                                 parallel_iterations=1)
        return tree.pack_as(structure, found) if tree.is_nested(structure) else found[0]


class ScriptedStep(Step):
    """A step in which variables are those of TensorFlow, with nothing between: `tf.GradientTape` knows their handles.

    Args:
        variables: what the function uses, as far as that is known.
    """

    def __init__(self, engine, fn, variables, joined=False):
        super().__init__(engine, fn, False, joined)
        self._listed = variables

    def traced(self, inputs):
        for variable in self._listed:
            self.keep(variable)
        return self._fn(*inputs)


@contextlib.contextmanager
def gradients_of_graph():
    """Gradients that functions define while a graph is traced live as long as what keeps the list that is yielded.

    TensorFlow enters them into a table of the process, where each would keep its graph for good.
    """
    kept, first = [], ops.uid()
    yield kept
    registry = getattr(ops, 'gradient_registry', None) or getattr(ops, '_gradient_registry', None)
    table = getattr(registry, '_registry', {})
    for number in range(first + 1, ops.uid()):
        name = 'CustomGradient-%d' % number
        entry = table.get(name)
        if entry is not None:
            kept.append(entry['type'])
            entry['type'] = _weakly(entry['type'], lambda _, name=name: table.pop(name, None))


def _weakly(function, ended):
    reference = weakref.ref(function, ended)
    return lambda *args: reference()(*args)


class Trace:
    """One compiled version of a step's function."""

    def __init__(self, step, args, kinds, dtypes, shapes):
        self.kinds = kinds
        self.shapes = shapes
        self._outputs = None
        count = iter(range(len(dtypes)))
        positions = tree.map_structure(lambda leaf: None if leaf is None else next(count), list(args))

        def run(*tensors):
            inputs = tree.map_structure(lambda index: None if index is None else tensors[index], positions)
            return self._run(step, inputs)
        with gradients_of_graph() as kept:
            self._concrete = tf.function(run, autograph=False, **_JOINED if step.joined else {}).get_concrete_function(
                *[tf.TensorSpec(shape, dtype) for shape, dtype in zip(shapes, dtypes)])
        self._concrete.graph.kept_by_keras = kept
        # XLA compiles what is called as a function, not what runs by its name.
        self._call = _direct_call(self._concrete) if not step.joined else lambda tensors: self._concrete(*tensors)

    def _run(self, step, inputs):
        with own_graph():
            outputs = step.traced(inputs)
        self._outputs = tree.map_structure(lambda x: None if x is None else 0, outputs)
        return [step.engine.convert(x) for x in tree.flatten(outputs) if x is not None]

    def __call__(self, tensors):
        direct = no_tape() and executing_eagerly()
        outputs = self._call(tensors) if direct else self._concrete(*tensors)
        if type(self._outputs) is int:
            return outputs[0]
        remaining = iter(outputs)
        return tree.map_structure(lambda leaf: None if leaf is None else next(remaining), self._outputs)


def _admits(known, shape):
    return all(size is None or size == actual for size, actual in zip(known, shape))


def _describe(argument, description, leaves):
    """Append what a trace depends on in `argument` to `description`, its tensors to `leaves`."""
    kind = type(argument)
    if kind is EagerTensor:
        description.append(argument._shape_tuple())
        description.append(argument.dtype)
        leaves.append(argument)
    elif kind is np.ndarray:
        description.append(argument.shape)
        description.append(argument.dtype)
        leaves.append(argument)
    elif argument is None:
        description.append('None')
    elif isinstance(argument, (list, tuple)):
        description.append('(')
        for part in argument:
            _describe(part, description, leaves)
        description.append(')')
    elif isinstance(argument, dict):
        description.append('{')
        for key in sorted(argument):
            description.append(str(key))
            _describe(argument[key], description, leaves)
        description.append('}')
    else:
        argument = active.engine.convert(argument)
        description.append(tuple(argument.shape.as_list()))
        description.append(argument.dtype)
        leaves.append(argument)


def _direct_call(concrete):
    """A function from the list of all inputs to the list of outputs, without the checks of a call from Python.

    It needs a few private names, which have been stable from 2.4 on; without them it is the ordinary call.
    """
    try:
        from tensorflow.python.eager import context as tf_context
        from tensorflow.python.eager import execute
        inference = concrete._inference_function
        name = inference.name
        name = name.decode('utf-8') if isinstance(name, bytes) else str(name)
        tf_context = tf_context.context()
        options = tf_context.function_call_options
        attributes = ('executor_type', options.executor_type or '', 'config_proto', options.config_proto_serialized)
        captured, count = list(concrete.captured_inputs), len(concrete.outputs)
    except (ImportError, AttributeError):
        return lambda tensors: concrete(*tensors)
    return lambda tensors: execute.execute(name, count, tensors + captured, attributes, tf_context)
