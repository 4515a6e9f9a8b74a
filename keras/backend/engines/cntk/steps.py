"""Steps: a function traced into CNTK graphs, and how those are run.

A step is traced once per signature of its arguments, under a `Trace`. What the trace leaves behind becomes a
`Program`. It runs stage by stage: a stage is one evaluation of CNTK, which also gives the gradients that the next stage
needs. Where the only thing to do after the gradients is to write variables, the whole step is one call of a trainer
with a `universal` learner instead.
"""
import cntk
import numpy as np
from cntk import cntk_py

from keras.backend import tree
from keras.backend.engine import active
from keras.backend.engines.cntk.tensors import (
    DEVICE, FREE, Recipe, Tensor, as_value, current, data_view, host_value, in_graph, known, node_type, output)
from keras.backend.rules import is_float
from keras.backend.state import Ledger, context

# Graphs for that many signatures of its arguments a step keeps.
_KEPT_PROGRAMS = 32


class _Moves:
    """How often an engine was activated: until that changes, variables stay where they are."""
    count = 0

    @classmethod
    def note(cls, engine):
        cls.count += 1


active.listeners.append(_Moves.note)


uid = cntk_py.Variable.uid


def arguments(function):
    """The input variables that a CNTK function depends on."""
    return cntk_py.Function.arguments(function)


def is_parameter(storage):
    return isinstance(storage, cntk_py.Parameter)


def value_of(parameter):
    """The numbers of a parameter or a constant, in an array of their own."""
    kind = cntk_py.Parameter if is_parameter(parameter) else cntk_py.Constant
    return np.array(kind.value(parameter).to_ndarray())


class Box:
    """A leaf of the graph that is filled from the host at every call: `node`, and where its value comes from."""
    __slots__ = ('tensor', 'node', 'dtype', 'last')

    def __init__(self, tensor, node, dtype):
        self.tensor, self.node, self.dtype, self.last = tensor, node, dtype, None

    def fill(self, values):
        array = host_value(self.tensor, values)
        if self.last is None or self.last.size > 1 or self.last != array:
            self.node.set_value(data_view(np.array(array, self.dtype)))
            self.last = array


class Derivation:
    """One use of `value_and_grad`: gradients of `loss` by `parameters` go to the constants `boxes`."""

    def __init__(self, stage, loss, parameters, boxes):
        self.stage, self.loss, self.parameters, self.boxes = stage, loss, parameters, boxes


class Trace:
    """What is noted while a step is traced."""

    def __init__(self):
        self.inputs = {}
        self.boxes = []
        self.derivations = []
        self.handed = {}
        self.sources = {}

    def __enter__(self):
        self.previous, current.trace = current.trace, self
        return self

    def __exit__(self, *_):
        current.trace = self.previous

    def read(self, variable):
        """The value of a variable as a tensor: its parameter, or what its array on the host holds at each call."""
        storage = variable.storage
        if is_parameter(storage):
            return Tensor(variable.shape, variable.dtype, node=storage, leaf=True)
        return Tensor(variable.shape, variable.dtype, recipe=(Recipe(lambda: variable.storage, []), None))

    def give_input(self, x):
        """Make the late tensor `x` a leaf of the graph.

        All inputs of one evaluation must have one dtype, so what is not float32 is put into a constant; so is a
        single number, because the update of a learner takes no inputs.
        """
        kind = node_type(x.dtype)
        x.leaf = True
        if kind == 'float64' or x.shape == ():
            x.node = cntk_py.Constant(data_view(np.zeros(x.shape, kind)))
            self.boxes.append(Box(x, x.node, kind))
        else:
            x.node, x.stage = cntk.input_variable(x.shape, np.float32, dynamic_axes=[]), 0
            self.inputs[uid(x.node)] = x

    def handed_on(self, x, stage):
        """The result `x` of an earlier stage as a leaf for `stage`."""
        found = self.handed.get(x)
        if found is None:
            node = cntk_py.Constant(data_view(np.zeros(x.shape, node_type(x.dtype))))
            found = self.handed[x] = Tensor(x.shape, x.dtype, node=node, stage=x.stage + 1, leaf=True)
        return found

    def differentiable(self, x):
        """A parameter with the value of `x`, which may be anything."""
        node = cntk.parameter(x.shape, init=np.zeros(x.shape, node_type(x.dtype)), dtype=np.dtype(x.dtype).type)
        if x.host is not None or x.recipe is not None:
            self.boxes.append(Box(x, node, x.dtype))
            return Tensor(x.shape, x.dtype, node=node, leaf=True)
        x = in_graph(x)
        found = Tensor(x.shape, x.dtype, node=node, stage=max(x.stage, 0) + 1, leaf=True)
        self.sources[found] = x
        return found


# --- gradients ----------------------------------------------------------------------------------------------------

def value_and_grad(fn, variables):
    """`Engine.value_and_grad` while a step is traced."""
    trace = current.trace
    wanted = [variable for variable in dict.fromkeys(variables) if is_float(variable.dtype) and 0 not in variable.shape]
    leaves = {variable: _leaf(variable.value, trace) for variable in wanted}
    with Ledger(leaves, outer=context.ledger) as ledger:
        value, aux = fn()
    for variable, new in ledger.writes.items():
        variable.assign(new)
    if value.node is None or value.leaf:
        return (value, aux), [None for _ in variables]
    stage = max(value.stage, 0)
    reached = {uid(parameter) for parameter in cntk_py.Function.parameters(cntk_py.combine([value.node]))}
    used = [variable for variable in wanted if uid(leaves[variable].node) in reached]
    boxes = {}
    for variable in used:
        node = cntk_py.Constant(data_view(np.zeros(variable.shape, variable.dtype)))
        boxes[variable] = Tensor(variable.shape, variable.dtype, node=node, stage=stage + 1, leaf=True)
    if used:
        trace.derivations.append(Derivation(stage, value.node, [leaves[variable].node for variable in used],
                                            [boxes[variable].node for variable in used]))
    return (value, aux), [boxes.get(variable) for variable in variables]


def _leaf(value, trace):
    if value.leaf and is_parameter(value.node):
        return value
    return trace.differentiable(value)


# --- programs -----------------------------------------------------------------------------------------------------

class Evaluation:
    """One evaluation of CNTK: some nodes, and perhaps the gradients of one of them.

    Args:
        nodes: {uid: node} to give the values of. derivation: a `Derivation` or None. inputs: {uid: late tensor}.
    """

    def __init__(self, nodes, derivation, inputs):
        self.nodes = list(nodes.values())
        self.derivation = derivation
        roots = dict(nodes)
        if derivation is not None:
            roots[uid(derivation.loss)] = derivation.loss
        self.function = cntk_py.combine(list(roots.values()))
        self.inputs = [(node, inputs[uid(node)]) for node in arguments(self.function)]

    def __call__(self, values):
        """{uid: CNTK value}; gradients are put into their constants."""
        given = {node: as_value(host_value(x, values), 'float32') for node, x in self.inputs}
        found = dict.fromkeys(self.nodes)
        derivation = self.derivation
        if derivation is None:
            self.function._forward(given, found, DEVICE, set())
        else:
            gradients = dict.fromkeys(derivation.parameters)
            cntk_py.Function.gradients(self.function, given, derivation.loss, gradients, found, DEVICE)
            for parameter, box in zip(derivation.parameters, derivation.boxes):
                box.set_value(gradients[parameter].data())
        return {uid(node): value for node, value in found.items()}


class Training:
    """Forward pass, gradients and all updates as one call of a trainer with a universal learner.

    Args:
        nodes, derivation, inputs: as for `Evaluation`. updates: [(parameter, node)] to write.
    """

    def __init__(self, nodes, derivation, inputs, updates):
        self.nodes = list(nodes.values())
        loss = cntk.to_batch(cntk.reshape(derivation.loss, (1,)))
        update = cntk_py.combine([output(cntk_py.assign(parameter, node, '')) for parameter, node in updates])
        learner = cntk_py.universal_learner(derivation.parameters, derivation.boxes, update)
        model = cntk.combine(self.nodes) if self.nodes else None
        self.trainer = cntk.Trainer(model, (loss, None), [learner])
        taken = {uid(node): node for function in (model, loss) if function is not None
                     for node in arguments(function)}
        self.inputs = [(node, inputs[name]) for name, node in taken.items()]

    def __call__(self, values):
        given = {node: as_value(host_value(x, values), 'float32') for node, x in self.inputs}
        found = dict.fromkeys(self.nodes)
        if found:
            cntk_py.Trainer.train_minibatch(self.trainer, given, False, found, DEVICE)
        else:
            cntk_py.Trainer.train_minibatch(self.trainer, given, False, DEVICE)
        return {uid(node): value for node, value in found.items()}


def _given(array, recipe):
    """The tensor for an argument of a step; None stays, and nothing is unknown about what has no elements."""
    if array is None:
        return None
    return known(array) if 0 in array.shape else Tensor(array.shape, array.dtype.name, recipe=(recipe, None))


class Program:
    """What to do at a call of a step with arguments of one signature."""

    def __init__(self, fn, leaves, structure):
        recipes = [None if leaf is None else Recipe(None, index) for index, leaf in enumerate(leaves)]
        given = [_given(leaf, recipe) for leaf, recipe in zip(leaves, recipes)]
        self.arguments = recipes
        self.moves = _Moves.count
        with Trace() as trace, Ledger(missing=trace.read) as ledger:
            self.outputs = fn(*tree.pack_as(structure, given))
        self.boxes, self.inputs = trace.boxes, trace.inputs
        self.writes = [(variable, value) for variable, value in ledger.writes.items()]
        self.handed = [(x, leaf.node) for x, leaf in trace.handed.items()]
        self.handed += [(x, leaf.node) for leaf, x in trace.sources.items()]
        self.leaves = [leaf for leaf in tree.flatten(self.outputs) if type(leaf) is Tensor]
        self.updated = set()
        self.stages = self._fused(trace) or self._staged(trace)

    def _fetched(self, tensors):
        """{stage: {uid: node}} of those among `tensors` that have to be computed."""
        stages = {}
        for x in tensors:
            if x.host is None and x.recipe is None and not x.leaf:
                stages.setdefault(max(x.stage, 0), {})[uid(x.node)] = x.node
        return stages

    def _fused(self, trace):
        """The whole step as one `Training`, where that is possible."""
        if len(trace.derivations) != 1 or self.handed or trace.derivations[0].stage:
            return None
        derivation = trace.derivations[0]
        updates, others = [], []
        for variable, value in self.writes:
            late = value.host is not None or value.recipe is not None
            if not late and value.stage != 0 and is_parameter(variable.storage):
                updates.append((variable, value))
            else:
                others.append(value)
        fetched = self._fetched(self.leaves + others)
        filled = {uid(box.node) for box in self.boxes}
        if any(stage > 0 for stage in fetched) or any(x.leaf and x.stage > 0 for x in self.leaves + others) \
                or not updates or any(uid(parameter) in filled for parameter in derivation.parameters):
            return None
        computed = [value.node for _, value in updates if not value.leaf]
        if computed and arguments(cntk_py.combine(computed)):
            return None
        training = Training(fetched.get(0, {}), derivation, self.inputs,
                            [(variable.storage, value.node) for variable, value in updates])
        if not training.inputs and not training.nodes:
            return None  # a trainer that is given nothing, and asked for nothing, does nothing
        self.updated = {variable for variable, _ in updates}
        return [training]

    def _staged(self, trace):
        """One `Evaluation` per stage and derivation."""
        tensors = self.leaves + [value for _, value in self.writes] + [x for x, _ in self.handed]
        fetched = self._fetched(tensors)
        last = max(list(fetched) + [derivation.stage for derivation in trace.derivations] + [-1])
        stages = []
        for stage in range(last + 1):
            derivations = [derivation for derivation in trace.derivations if derivation.stage == stage]
            nodes = fetched.get(stage, {})
            for derivation in derivations[:1] or ([None] if nodes else []):
                stages.append(Evaluation(nodes, derivation, self.inputs))
            stages.extend(Evaluation({}, derivation, self.inputs) for derivation in derivations[1:])
        return stages

    def __call__(self, arrays):
        values = {recipe: array for recipe, array in zip(self.arguments, arrays) if recipe is not None}
        for box in self.boxes:
            box.fill(values)
        found, waiting = {}, list(self.handed)
        for stage in self.stages:
            found.update(stage(values))
            for x, node in waiting:
                if uid(x.node) in found:
                    node.set_value(found[uid(x.node)].data())
            waiting = [(x, node) for x, node in waiting if uid(x.node) not in found]
        results = {x: self._result(x, found, values) for x in self.leaves}
        self._commit(found, values)
        return tree.map_structure(lambda leaf: results[leaf] if type(leaf) is Tensor else leaf, self.outputs)

    def _result(self, x, found, values):
        return Tensor(x.shape, x.dtype, self._array(x, found, values))

    @staticmethod
    def _array(x, found, values):
        """The value of any tensor of the program, as an array of its dtype."""
        if x.host is not None:
            return x.host
        if x.recipe is not None:
            return np.array(host_value(x, values), x.dtype)
        if x.leaf:
            array = value_of(x.node)
        else:
            array = found[uid(x.node)].asarray()
        return np.asarray(array).reshape(x.shape).astype(x.dtype, copy=False)

    def _commit(self, found, values):
        pending = []
        for variable, value in self.writes:
            if variable in self.updated:
                continue
            storage = variable.storage
            if is_parameter(storage) and value.host is None and value.recipe is None and not value.leaf:
                pending.append((storage, found[uid(value.node)].data()))
            elif is_parameter(storage):
                pending.append((storage, data_view(np.array(self._array(value, found, values), variable.dtype))))
            else:
                variable._storage = self._array(value, found, values)
        for storage, data in pending:
            storage.set_value(data)


class Step:
    """`Engine.step`: a program for every signature of the arguments."""

    def __init__(self, engine, fn, reads, writes):
        self.engine, self.fn = engine, fn
        self.programs = {}

    def __call__(self, *args):
        if context.ledger is not None:
            # Within another step this one is a part of that.
            return self.fn(*tree.map_structure(self.engine.argument, args))
        arrays = [None if leaf is None else self.engine.host_array(leaf) for leaf in tree.flatten(args)]
        key = (str(tree.map_structure(lambda leaf: None, args)),) + tuple(
            [None if array is None else (array.shape, array.dtype.char) for array in arrays])
        program = self.programs.get(key)
        if program is None or program.moves != _Moves.count:
            if len(self.programs) >= _KEPT_PROGRAMS:
                del self.programs[next(iter(self.programs))]
            program = self.programs[key] = Program(self.fn, arrays, args)
        return program(arrays)


def run_once(fn):
    """The results of `fn()`, traced and run."""
    return Program(fn, [], ())([])
