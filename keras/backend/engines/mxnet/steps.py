"""Steps: run as they are at first, and from MXNet's own compiled graphs after that.

MXNet records what happens to arrays that it has been told to watch, so that it can find gradients. A `Trace` has it
watch every array that goes into a step: one run of the step, with all its results, then leaves the graph of all that
was computed, layers that call MXNet directly included. The graph becomes a `Program`: a `CachedOp` for every part of
the step that is differentiated and one for the rest. What has no graph (the value of a tensor decided what to compute,
or a function of NumPy was in it) keeps running as it is.
"""
import contextlib
import json
import signal
import threading

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import active
from keras.backend.contract.rules import is_float
from keras.backend.engines.mxnet import tensors as o
from keras.backend.engines.mxnet.tensors import Array, autograd, mx, tracing

# How often a step runs as it is, for arguments of the same shapes and dtypes, before it is traced. Most steps with
# arguments of odd shapes run once.
RUNS_BEFORE_TRACING = 1
# So many programs are kept for one step; for further shapes it runs as it is.
MOST_PROGRAMS = 16
_FLAGS = (('static_alloc', True), ('static_shape', True))


class Untraceable(Exception):
    """The step cannot be replayed from a graph."""
    # No mistake of the caller's: dispatchers hand it on as it is, and look for no reason in what was called.
    keras_explained = True


# --- gradients ----------------------------------------------------------------------------------------------------

def graph_of(x):
    """The recorded graph that `x` comes from, or None."""
    try:
        return autograd.get_symbol(x)
    except mx.MXNetError:
        return None


def value_and_grad(fn, variables):
    """See `Engine.value_and_grad`."""
    outer = context.ledger
    read = outer.read if outer is not None else (lambda variable: variable.load())
    trace = tracing.trace
    wanted = [variable for variable in dict.fromkeys(variables) if is_float(variable.dtype)]
    values = [read(variable) for variable in wanted]
    places = trace.staged(values) if trace is not None else ()
    leaves = [value.detach() for value in values]
    # Zeros, because MXNet leaves out gradients of nothing: those of empty arrays.
    buffers = [o.zeros_like(leaf) for leaf in leaves]
    if leaves:
        autograd.mark_variables(leaves, buffers)
    for leaf, place in zip(leaves, places):
        trace.named(leaf, place)
    # Other variables are constants, in arrays that MXNet does not take for variables of its own.
    constant = read if trace is not None else (lambda variable: read(variable).detach())
    with autograd.record(train_mode=True), Ledger(dict(zip(wanted, leaves)), missing=constant) as ledger:
        value, aux = fn()
    gradients = _gradients(value, leaves, buffers)
    found = [value] + tree.flatten(aux) + list(ledger.writes.values())
    if trace is not None:
        found, gradients = trace.differentiated(found, leaves, gradients)
    else:
        found = [x.detach() if isinstance(x, Array) else x for x in found]
    count = len(found) - len(ledger.writes)
    for variable, written in zip(list(ledger.writes), found[count:]):
        variable.assign(written)
    by_variable = dict(zip(wanted, gradients))
    return (found[0], tree.pack_as(aux, found[1:count])), [by_variable.get(variable) for variable in variables]


def _gradients(value, leaves, buffers):
    """The gradient of a scalar by each of the leaves, None for one that it does not depend on."""
    graph = graph_of(value)
    if graph is None:
        return [None] * len(leaves)
    reached = set(graph.list_inputs())
    names = [autograd.get_symbol(leaf).name for leaf in leaves]
    if reached.intersection(names):
        # A trace has to find the graph still there afterwards.
        autograd.backward([value], retain_graph=tracing.trace is not None)
    return [buffer if name in reached else None for name, buffer in zip(names, buffers)]


def is_stored(variable):
    """Whether the value that `variable` has now is what it stores, so that a kernel may write into it."""
    value, trace = variable.value, tracing.trace
    if trace is None:
        return value is variable.storage
    return variable in trace.variables and trace.place_of(value) == trace.variables[variable]


# --- tracing --------------------------------------------------------------------------------------------------------

class Trace:
    """What is known of the arrays that go into the graph of a step.

    A run of the program works on one list of arrays. template: that list before a run, with the constants and the
    arrays for gradients in it. places: {name in the graph: place in the list}. variables: {variable: place}.
    draws: (place, function, `SeedGenerator`) for random numbers. stages: what is computed, in order.
    """

    def __init__(self):
        self.template = []
        self.places = {}
        self.variables = {}
        self.draws = []
        self.stages = []
        self.streams = {}
        # {id: (generator of NumPy, its state before it was drawn from)}
        self.begun = {}
        self._constants = set()
        self._kept = []

    def place(self, array=None):
        self.template.append(array)
        return len(self.template) - 1

    def watched(self, array, place):
        """`array`, as one of the graph's inputs."""
        array = array.detach()
        autograd.mark_variables([array], [array], 'null')
        self.named(array, place)
        return array

    def named(self, array, place):
        """Note where the value of an array that MXNet watches will come from."""
        self.places[autograd.get_symbol(array).name] = place
        self._kept.append(array)

    def constant(self, array):
        place = self.place(array)
        self._constants.add(place)
        return self.watched(array, place)

    def know(self, arrays):
        """Take arrays that were there before the step as constants."""
        for array in arrays:
            if graph_of(array) is None:
                autograd.mark_variables([array], [array], 'null')
                place = self.place(array)
                self._constants.add(place)
                self.named(array, place)

    def drawn(self, function, stream, array):
        """`array`, which `function` made with numbers from `stream`: to be made anew with the next numbers."""
        generator = self.streams.get(id(stream))
        if generator is None:
            return self.constant(array)
        place = self.place()
        self.draws.append((place, function, generator))
        return self.watched(array, place)

    def read(self, variable):
        if variable not in self.variables:
            self.variables[variable] = self.place()
        return self.watched(variable.load(), self.variables[variable])

    def place_of(self, array):
        """The place of an array that is one of the inputs; None for one that is computed."""
        graph = graph_of(array)
        if graph is None:
            raise Untraceable('an array of which MXNet knows nothing')
        name = graph.name
        return self.places.get(name) if graph.list_inputs() == [name] else None

    def may_be_read(self, array):
        """Whether `array` has the same value in every run."""
        graph = graph_of(array)
        return graph is not None and all(self.places.get(name) in self._constants for name in graph.list_inputs())

    def staged(self, arrays, leaves=()):
        """The places of `arrays`. Those that are computed become the results of a new stage.

        `leaves`: inputs by which the first of the arrays is differentiated.
        """
        computed, places = [], []
        for array in arrays:
            place = self.place_of(array)
            if place is None or leaves and not computed:
                place = self.place()
                computed.append((place, autograd.get_symbol(array)))
            places.append(place)
        if computed:
            names = [autograd.get_symbol(leaf).name for leaf in leaves]
            self.stages.append(Stage(computed, self.places, names))
        return places

    def differentiated(self, found, leaves, gradients):
        """What `value_and_grad` found, value first, and the gradients, as inputs of what comes next."""
        reached = [index for index, gradient in enumerate(gradients) if gradient is not None]
        arrays = [x for x in found if isinstance(x, Array)]
        places = self.staged(arrays, [leaves[index] for index in reached])
        fresh = iter([self.watched(array, place) for array, place in zip(arrays, places)])
        found = [next(fresh) if isinstance(x, Array) else x for x in found]
        gradients = list(gradients)
        for index in reached:
            place = self.place(gradients[index])
            self.stages[-1].gradients.append(place)
            gradients[index] = self.watched(gradients[index], place)
        return found, gradients


class Stage:
    """A part of a step: one graph, and the inputs by which its first result is differentiated.

    inputs, results, gradients: places. differentiated: positions among the inputs.
    """

    def __init__(self, computed, places, differentiated):
        graph = mx.sym.Group([symbol for _, symbol in computed])
        names = graph.list_inputs()
        if any(name not in places for name in names):
            raise Untraceable('an array that was made by a function of MXNet')
        if 'Op:_CustomFunction,' in graph.debug_str():  # `tojson` leaks 350 bytes for every operation
            raise Untraceable('a gradient that is written in Python')
        self.inputs = [places[name] for name in names]
        self.results = [place for place, _ in computed]
        self.differentiated = [names.index(name) for name in differentiated]
        self.gradients = []
        self.compute = mx.nd.CachedOp(graph.as_np_ndarray(), _FLAGS)

    def run(self, values):
        arrays = [values[place] for place in self.inputs]
        if self.differentiated:
            leaves = [arrays[position].detach() for position in self.differentiated]
            autograd.mark_variables(leaves, [values[place] for place in self.gradients])
            for position, leaf in zip(self.differentiated, leaves):
                arrays[position] = leaf
            with autograd.record(train_mode=True):
                results = self.compute(*arrays)
        else:
            results = self.compute(*arrays)
        results = results if type(results) is list else [results]
        if self.differentiated:
            autograd.backward(results[:1])
        for place, result in zip(self.results, results):
            values[place] = result


class Program:
    """A traced step, which runs again for other arrays.

    Args:
        trace: the `Trace`. arguments: the places of the arguments.
        outputs: the outputs of the step, with `_Place`s instead of arrays.
        writes: {variable: place of its new value}.
    """

    def __init__(self, trace, arguments, outputs, writes):
        self._template, self._stages, self._draws = trace.template, trace.stages, trace.draws
        self._variables = list(trace.variables.items())
        for stage in self._stages:
            for place in stage.gradients:
                # An array of its own: the traced run has given the other away.
                self._template[place] = o.zeros_like(self._template[place])
        self._arguments = arguments
        self._outputs = outputs
        self._writes = list(writes.items())
        given = {leaf.place for leaf in tree.flatten(outputs) if type(leaf) is _Place} | set(writes.values())
        # The next run writes over gradients, and kernels of optimizers into variables; results that are differentiated
        # hold on to their graph.
        computed = {place for stage in self._stages for place in stage.results}
        self._copied = {place for stage in self._stages for place in stage.gradients if place in given}
        self._copied.update(place for place in given if place not in computed)
        self._freed = [place for stage in self._stages if stage.differentiated for place in stage.results
                       if place in given]

    def __call__(self, arrays):
        values = self._template[:]
        for place, array in zip(self._arguments, arrays):
            values[place] = array
        for variable, place in self._variables:
            values[place] = variable.storage
        for place, function, generator in self._draws:
            values[place] = o.from_host(function(draw_seed(generator)))
        for stage in self._stages:
            stage.run(values)
        for place in self._copied:
            values[place] = o.copy(values[place])
        for place in self._freed:
            values[place] = values[place].detach()
        for variable, place in self._writes:
            if variable.holder is not active.engine:
                variable.storage
            variable.held = values[place]
        outputs = self._outputs
        if type(outputs) is _Place:
            return values[outputs.place]
        return tree.map_structure(lambda leaf: values[leaf.place] if type(leaf) is _Place else leaf, outputs)


class _Place:
    """Stands for an array among the outputs of a program."""

    def __init__(self, place):
        self.place = place


_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def _watching(trace):
    """Have `trace` know of every array that Keras makes, and of every value that is fetched."""
    _one_at_a_time.acquire()
    fetch = mx.nd.NDArray.asnumpy

    def asnumpy(self):
        running = tracing.trace
        if running is not None and not running.may_be_read(self):
            raise Untraceable('the value of a tensor is asked for')
        return fetch(self)
    mx.nd.NDArray.asnumpy = asnumpy
    tracing.trace = trace
    try:
        yield
    finally:
        tracing.trace = None
        mx.nd.NDArray.asnumpy = fetch
        _one_at_a_time.release()


def traced(fn, args, arrays):
    """Run `fn` on `args`, with `arrays` in the place of their leaves.

    Returns:
        The outputs, {variable: value} for what was written, and the `Program` for further runs.

    Raises:
        Untraceable: where there can be no such program. Nothing has been written or drawn then.
    """
    trace = Trace()
    try:
        return _traced(trace, fn, args, arrays)
    except Untraceable:
        # The step runs once more: what it draws is not to depend on whether it was traced in vain before.
        for stream, state in trace.begun.values():
            stream.bit_generator.state = state
        raise


def _traced(trace, fn, args, arrays):
    places = [trace.place() for _ in arrays]
    with _watching(trace), autograd.record(train_mode=False), Ledger(missing=trace.read) as ledger:
        inputs = [None if x is None else trace.watched(x, place) for x, place in zip(arrays, places)]
        outputs = fn(*tree.pack_as(args, inputs))
        writes = dict(ledger.writes)
        holes = iter(trace.staged([x for x in tree.flatten(outputs) if isinstance(x, Array)] + list(writes.values())))
    layout = tree.map_structure(lambda x: _Place(next(holes)) if isinstance(x, Array) else x, outputs)
    program = Program(trace, places, layout, dict(zip(writes, holes)))
    outputs = tree.map_structure(lambda x: x.detach() if isinstance(x, Array) else x, outputs)
    return outputs, {variable: value.detach() for variable, value in writes.items()}, program


# --- steps ----------------------------------------------------------------------------------------------------------

# Runs of a program share the arrays of its gradients, which two threads at once would write into.
_one_at_a_time = threading.RLock()


class _Undivided:
    """A block that an interrupt (Ctrl-C) waits for: one that meets a call into MXNet can end the process."""

    def __enter__(self):
        self._noted = None
        handler = signal.getsignal(signal.SIGINT) if threading.current_thread() is _MAIN else None
        self._handler = handler if callable(handler) else None
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._note)

    def _note(self, *args):
        self._noted = args

    def __exit__(self, *error):
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            if self._noted is not None:
                self._handler(*self._noted)


_MAIN = threading.main_thread()


class Step:
    """See `Engine.step`."""

    def __init__(self, engine, fn):
        self._engine, self._fn = engine, fn
        self._runs = {}
        self._programs = {}

    def __call__(self, *args):
        with _one_at_a_time, _Undivided():
            return self._run(args)

    def _run(self, args):
        arrays = []
        signature = _signature(args, arrays, self._engine)
        program = self._programs.get(signature)
        if program is not None:
            return program(arrays)
        runs = self._runs.get(signature, 0)
        self._runs[signature] = runs + 1
        if runs == RUNS_BEFORE_TRACING and len(self._programs) < MOST_PROGRAMS:
            try:
                outputs, writes, self._programs[signature] = traced(self._fn, args, arrays)
            except Untraceable:
                outputs, writes = self._directly(args, arrays)
        else:
            outputs, writes = self._directly(args, arrays)
        self._engine.commit(writes)
        return outputs

    def _directly(self, args, arrays):
        with Ledger(missing=lambda variable: variable.load()) as ledger:
            outputs = self._fn(*tree.pack_as(args, arrays))
        return outputs, ledger.writes


def _signature(structure, arrays, engine):
    """The layout, shapes and dtypes of arguments; `arrays` receives them as tensors."""
    kind = type(structure)
    if kind is Array:
        arrays.append(structure)
        return structure.shape, structure.dtype
    if kind is np.ndarray:
        array = o.from_host(structure)
        arrays.append(array)
        return structure.shape, array.dtype
    if structure is None:
        arrays.append(None)
        return None
    if isinstance(structure, (list, tuple)):
        return tuple([_signature(part, arrays, engine) for part in structure])
    if isinstance(structure, dict):
        return tuple([(key, _signature(structure[key], arrays, engine)) for key in sorted(structure)])
    return _signature(engine.convert(structure), arrays, engine)


# --- arrays and random numbers from the host --------------------------------------------------------------------------

def made(array):
    """A tensor with the value of a NumPy array, which is the same in every run of a step."""
    trace = tracing.trace
    return o.from_host(array) if trace is None else trace.constant(o.from_host(array))


def drawn(seed, function):
    """A tensor with the random numbers that `function` of a NumPy generator gives."""
    stream = _generator(seed)
    array = o.from_host(function(stream))
    return array if tracing.trace is None else tracing.trace.drawn(function, stream, array)


def draw_seed(generator):
    """A NumPy generator that goes on from call to call, started anew when the state has been assigned."""
    storage = generator.state.storage
    stream, started = generator.streams.get('mxnet', (None, None))
    if started is not storage:
        stream = np.random.Generator(np.random.Philox(key=_mixed(*generator.state.numpy().tolist())))
        generator.streams['mxnet'] = (stream, storage)
    if tracing.trace is not None:
        tracing.trace.streams[id(stream)] = generator
        tracing.trace.begun.setdefault(id(stream), (stream, stream.bit_generator.state))
    return stream


def stream_state(generator):
    """The state of the NumPy generator that `draw_seed` has for `generator`, as JSON in an array of uint8."""
    stream, started = generator.streams.get('mxnet', (None, None))
    if started is not generator.state.storage:
        return None
    text = json.dumps(stream.bit_generator.state, default=lambda value: [int(part) for part in value])
    return np.frombuffer(text.encode('ascii'), 'uint8')


def restore_stream(generator, state):
    """Let `draw_seed` go on from what `stream_state` gave."""
    found = json.loads(np.asarray(state, 'uint8').tobytes().decode('ascii'))
    found['state'] = {name: np.array(value, 'uint64') for name, value in found['state'].items()}
    found['buffer'] = np.array(found['buffer'], 'uint64')
    stream = draw_seed(generator)
    stream.bit_generator.state = found


def _generator(seed):
    """The random generator for a seed: itself, or one started from two uint32."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.Generator(np.random.Philox(key=_mixed(*seed.asnumpy().tolist())))


def _mixed(low, high):
    """64 well mixed bits from two of 32 (the finaliser of SplitMix64; Steele, Lea and Flood 2014)."""
    z = ((low & 0xffffffff) | (high << 32)) + 0x9e3779b97f4a7c15 & 0xffffffffffffffff
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & 0xffffffffffffffff
    z = (z ^ z >> 27) * 0x94d049bb133111eb & 0xffffffffffffffff
    return z ^ z >> 31
