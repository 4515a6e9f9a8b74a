"""What an engine is.

An engine is a subclass of `Engine` with an instance called `ENGINE`, in a module or package of `keras.backend.engines`
or of another distribution (see `loading.py`). It gives

* the session methods below (convert, store, step, value_and_grad, ...);
* one method per primitive of `table/primitives.py`, under the same name and with the same positional
  arguments. They receive native tensors whose dtypes are already promoted, static arguments already
  normalised (tuples instead of lists), and return native tensors of the dtype the rule says;
* `overrides`: composite name -> function with the composite's signature, for fused kernels. It may return
  `NotImplemented` to have the composite run instead;
* `capabilities`: what it can do, see `Capabilities`.

Conventions of the contract: tensors are native and nothing is ever pinned on them; convolution is
correlation on channels-last data with kernels (spatial..., in, out); axes are static and may be negative;
shapes are tuples of ints in which sizes unknown while tracing are engine scalars; one -1 is allowed.
"""
import contextlib
import warnings

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.ledger import Handle, Ledger, Stored
from keras.backend.contract.loading import known_engine
from keras.backend.contract.rules import AbstractTensor, host_array, result_dtype


class UnsupportedOperation(NotImplementedError):
    """What an engine declares that it cannot do. `engine` and `operation` are names."""

    def __init__(self, engine, operation, reason):
        super().__init__('The %s engine does not offer %r: %s.' % (engine, operation, reason))
        self.engine, self.operation = engine, operation


class Capabilities:
    """What an engine can do. The conformance suite and `docs/engines.md` read this table.

    gradients: `value_and_grad` works. compiled: `step` traces its function (so a Python side effect runs
    once). deferred: outside a step, too, operations make graph, which runs when a value is asked for.
    dynamic_sizes: sizes may be unknown while tracing. both_branches: `cond` evaluates both branches.
    dtypes: names of the dtypes tensors may have. unsupported: {operation: reason and way out}; an operation is
    an entry of the op table, a method of the contract, or a few words such as 'tensors of float16'.
    """

    def __init__(self, gradients=True, compiled=True, deferred=False, dynamic_sizes=False, both_branches=False,
                 dtypes=(), unsupported=None):
        self.gradients = gradients
        self.compiled = compiled
        self.deferred = deferred
        self.dynamic_sizes = dynamic_sizes
        self.both_branches = both_branches
        self.dtypes = tuple(dtypes)
        self.unsupported = dict(unsupported or {})


class Handed(list):
    """A list of batches that is its own iterator, as scripts for Keras 3 take either."""

    @property
    def iterator(self):
        return self

    def __next__(self):
        if not self:
            raise StopIteration
        return self.pop(0)


class Engine:
    """The contract. A subclass defines every method here and every primitive of the op table.

    A primitive that it does not define is refused with `UnsupportedOperation` when it is called.
    """

    name = None
    capabilities = Capabilities()
    overrides = {}
    # Types of tensors that are known beforehand; others are noted when they are met, see `is_native`.
    native_types = ()
    # Native dtype objects of booleans.
    boolean_dtypes = frozenset((np.dtype('bool'), np.bool_, 'bool'))
    # Native integer dtypes, of 32 bits or more, beside which add, subtract and multiply take a Python int as it is.
    integer_dtypes = frozenset()
    # The dtype of sums of uint8 and uint16.
    unsigned_sums = 'uint32'
    # Names that a `Variable` hands through to its storage, so that the engine's own tools accept variables.
    variable_attributes = ()
    # The class of which layers are objects, too, as soon as the engine is there, for its library to take them.
    layer_base = None
    # The same for optimizers and metrics.
    state_base = None
    # Whether recurrent layers should multiply their inputs by the kernel in each step of the scan, not before it.
    projects_each_step = False
    # Where the engine's own convolutions want the channels: a plan runs chains of image layers that way round.
    data_format = 'channels_last'
    # What writes a function for runtimes of the engine's own library: {format: f(target, call, signature, variables,
    # ...)}. `target` is a binary file, or the path of a folder; `signature` has a structure of symbolic tensors for
    # each argument of `call`, which takes `values` besides, {variable: what it is to read}.
    exporters = {}
    # {format: arguments that exports of models of this engine take besides}, as Keras 3 has such for one engine only.
    further_arguments = {}
    # The numbers that stand in for an unknown size where shapes are found by running a function, see `eval_shape`.
    stand_ins = (11, 13)

    def unsupported(self, operation):
        """A function that raises the one error for what this engine cannot do."""
        reason = self.capabilities.unsupported.get(operation, 'use another engine for this model')

        def refuse(*args, **kwargs):
            raise UnsupportedOperation(self.name, operation, reason)
        return refuse

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        """Whether `x` is a tensor of this engine, tracers included. Only asked once per Python type."""
        raise NotImplementedError

    def convert(self, x, dtype=None):
        """A native tensor from an array, a nested list, a scalar, a variable or a native tensor.

        Without `dtype`, arrays keep theirs, Python floats become `floatx` and Python ints int32.
        """
        if self.is_native(x):
            return self.adapted(x, dtype)
        if isinstance(x, Stored):
            return self.convert(x.value, dtype)
        if isinstance(x, AbstractTensor):
            raise TypeError('%r has no value, so it cannot become a tensor of the %s engine.' % (x, self.name))
        if isinstance(x, (list, tuple)) and any(isinstance(leaf, Stored) or self.is_native(leaf)
                                                for leaf in tree.flatten(x)):
            return self.stacked([self.convert(part, dtype) for part in x])
        array, named = host_array(x, dtype)
        if dtype is None and named == 'int64' and array is not x and not isinstance(x, (np.ndarray, np.generic)):
            self.check_wide(x)
        return self.from_host(array, named)

    def check_wide(self, x):
        """Refuse Python ints that 32 bits do not hold, where there are no wider ones."""

    def adapted(self, x, dtype):
        """A native tensor in the dtype called `dtype`, unless that is None, on the engine's own device."""
        return x if dtype is None or self.dtype_of(x) == dtype else self.cast(x, dtype)

    def stacked(self, parts):
        """Native tensors of one shape as one tensor with a new first axis, in their common dtype."""
        dtype = result_dtype(*map(self.dtype_of, parts))
        parts = [self.reshape(self.adapted(part, dtype), (1,) + tuple(self.dynamic_shape(part))) for part in parts]
        return self.concatenate(parts, 0)

    def from_host(self, array, dtype):
        """A native tensor of the dtype called `dtype` with a copy of a NumPy array; what it lacks it refuses."""
        raise NotImplementedError

    def loops_at_once(self):
        """Whether a loop begun now runs in Python, step by step, so that its index may be an int of Python."""
        return False

    # --- sparse tensors of the engine's library, which are no native tensors: `convert` makes dense ones of them

    has_sparse = False

    def sparse_types(self):
        """Their classes, as far as the library has been asked for them."""
        return ()

    def sparse_shaped(self, x):
        """A sparse tensor that has its sizes under `shape`, where those of the library may lack them."""
        return x

    def sparse_parts(self, x):
        """(indices, values, shape): a row of places for each value, no row twice; the shape as `dynamic_shape` has it.
        """
        return self.unsupported('sparse tensors')()

    def slices_parts(self, x):
        """The same for a tensor that keeps whole slices: `indices` number those of its first axes, `values` are slices.
        """
        return self.sparse_parts(x)

    def sparse_with(self, x, values):
        """One with other values in the places that `slices_parts` gives."""
        return self.unsupported('sparse tensors')()

    def sparse_of(self, indices, values, shape):
        """One of such parts, whose values may be slices, where values at the same place are added."""
        return self.unsupported('sparse tensors')()

    def sparse_from(self, x, sliced=False):
        """One with the elements of a native tensor that are not 0, or with the slices along axis 0."""
        raise ValueError('`sparse=True` is not supported with the %s engine, which has no sparse tensors: TensorFlow '
                         'and JAX have some.' % self.name)

    def sparse_product(self, x, y):
        """The product of matrices of one dtype, of which one at least is sparse; sparse where both are.

        `NotImplemented` where the library has none of that dtype: it is computed densely then.
        """
        return self.unsupported('sparse tensors')()

    # Whether the row 'edges_of_the_library' of the generations holds for the library.
    has_edges_of_its_own = False

    # --- ragged tensors of the library: between layers and in code of scripts, inside of our layers they are dense

    has_ragged = False

    def is_ragged(self, x):
        """Whether `x` is a ragged tensor of the library."""
        return False

    def rows_filled(self, x, width=None):
        """A ragged tensor with rows filled up by zeros, and where values stand, of (batch, longest row).

        Args:
            width: how long the rows become at least.
        """
        return self.unsupported('ragged tensors')()

    def ragged_from(self, x, there=None):
        """One of the rows of a native tensor without the zeros at their ends.

        Args:
            there: a mask of its first two axes, which says what stays instead.
        """
        return self.unsupported('ragged tensors')()

    def ragged_of_lengths(self, values, lengths):
        """One of a NumPy array with the values of all rows, one behind the other, and of the lengths of the rows."""
        return self.unsupported('ragged tensors')()

    def ragged_of_values(self, x, function):
        """A ragged tensor with the rows of `x` and `function` of its values, which are one native tensor."""
        return self.unsupported('ragged tensors')()

    def ragged_of(self, arrays):
        """One of the rows of several NumPy arrays, which differ in their sizes; None where there are no such."""
        return None

    def strided(self, x):
        """A native tensor as one that all operations know, for libraries that have sparse ones of the same class."""
        return x

    # --- more of tensors

    def scalar(self, value, dtype):
        """A Python scalar in a form that the primitives take beside tensors of `dtype`."""
        return self.convert(value, dtype)

    def to_numpy(self, x):
        """A NumPy array with the value of `x`; waits for the device. bfloat16 becomes float32."""
        raise NotImplementedError

    def numpy_view(self, x):
        """`to_numpy`, perhaps with the memory of `x`: good until that is written."""
        return self.to_numpy(x)

    def dtype_of(self, x):
        """The dtype of a native tensor, as a name."""
        raise NotImplementedError

    def shape_of(self, x):
        """The static shape of a native tensor: a tuple of ints, None for sizes unknown while tracing."""
        raise NotImplementedError

    def dynamic_shape(self, x):
        """The shape of a native tensor for computing with: engine scalars for sizes unknown while tracing."""
        return self.shape_of(x)

    @property
    def float_dtypes(self):
        """The native dtype objects that count as floats, as a set (what `tensor.dtype` gives)."""
        raise NotImplementedError

    # --- state -----------------------------------------------------------------------------------------------

    def out_of_place(self, function):
        """`function` of a script, from tensors to tensors, so that `x -= 1` in it leaves what it was given as it was.

        Engines whose arrays change by that hand out copies.
        """
        return function

    # Whether `with_branches` may give something.
    rewrites_scripts = False

    def place_in_graph(self):
        """How far the graph has come that is made now, for `has_updated_since`."""

    def has_updated_since(self, place):
        """Whether operations that update variables were added to the graph since."""
        return False

    def with_branches(self, function, error):
        """`function` of a script, which has just raised `error`, with its `if`, `while` and `for` as parts of a graph;
        None where the library has no such form, or the error has another cause."""
        return None

    def done(self):
        """What an update gives that scripts may gather: an operation of the library's where it has such, else None."""
        return None

    def graph(self):
        """The graph of the library's that operations are added to now.

        Raises:
            NotImplementedError: where the library has no such object.
        """
        raise NotImplementedError('The %s engine has no graph of its library to give: that is what TensorFlow has.'
                                  % self.name)

    def leaving_graph(self):
        """A block in which the engine computes at once, where a script is inside of a graph that its library records;
        None where it does so anyway."""
        return None

    def new_variable(self, value, variable):
        """Storage for `variable` (see `state.Variable`), holding the NumPy array `value`."""
        raise NotImplementedError

    def check_update(self):
        """Refuse an update by an optimizer where the library runs it in a way that would give wrong numbers."""

    def note_built(self, built):
        """Take notice of a layer or optimizer that has just made its variables."""

    def note_compiled(self, name):
        """Take notice of a model, called `name`, that was compiled, where the library has a say in how it trains."""

    def mark_trainable(self, storage, trainable):
        """Take notice of `variable.trainable`, which has been set for the variable that has this storage."""

    def load(self, storage):
        """The current value of a storage, as a native tensor."""
        raise NotImplementedError

    def store(self, storage, value):
        """Write `value` (native, of the storage's shape and dtype); return the storage to keep from now on."""
        raise NotImplementedError

    def variable_attribute(self, variable, name):
        """What `variable.<name>` is, for a name among `variable_attributes`."""
        return getattr(variable.storage, name)

    def native_variable(self, variable):
        """What code written for the engine's own library takes for a variable."""
        return variable

    # Exceptions by which the library ends a run early on purpose: no mistake, nothing to try otherwise.
    signals = ()

    # Whether scripts keep variables of the engine's own library, which `variable_of` knows.
    makes_variables = False

    def variable_of(self, native):
        """The variable that `native_variable` gave `native` for, or that stands for one of the library's own."""
        return native

    def in_storage(self, variables):
        """A context in which the engine's own library may read and write what is kept for `variables`."""
        return contextlib.ExitStack()

    def slices_of(self, gradient):
        """(values, indices), every index once, of a gradient that came in slices; None for others."""
        return None

    # Whether operations still run in a child process that is forked after some have; where not, its threads are gone.
    survives_fork = True

    def after_fork(self):
        """Make the engine ready in a child process that was just forked."""

    def concretely(self):
        """A context in which operations run at once although a step is being traced."""
        return contextlib.ExitStack()

    # Whether `draw_seed` gives a stream that goes on from draw to draw, not a tensor.
    draws_from_streams = False

    def draw_seed(self, generator):
        """The seed argument for the random primitives, advancing `generator` (a `state.SeedGenerator`)."""
        return generator.advance()

    def stream_state(self, generator):
        """The state of the stream that `draw_seed` has for `generator`, an array of uint8; None where it has none."""
        return None

    def restore_stream(self, generator, state):
        """Let `draw_seed` go on from what `stream_state` gave."""

    def constant_seed(self, value):
        """The seed argument for the random primitives that stands for the int `value` at every call."""
        return self.convert(np.array([value & 0xffffffff, 0], dtype='uint32'))

    def profile(self, folder):
        """A context in which the engine's profiler leaves a trace for TensorBoard in `folder`; None: it has no such.
        """
        return None

    # Whether the engine's library has tensors of text, which steps can be fed with.
    has_strings = False
    # Whether the engine's library has formats of its own for models and weights, see `write_checkpoint`.
    writes_checkpoints = False

    def write_checkpoint(self, path, tree):
        """Write variables as a checkpoint of the engine's library.

        Args:
            path: its prefix. tree: dictionaries in dictionaries; {'': (name, array)} stands for a variable.
        """
        raise UnsupportedOperation(self.name, 'write_checkpoint', 'it has no checkpoints; choose a name that ends in '
                                   '.weights.h5')

    def devices(self):
        """The names of the devices that the engine's library sees, a list of strings."""
        return ['CPU']

    def on_device(self, kind, number):
        """A context in which tensors are made on the device with that number of a kind, 'cpu' or 'gpu'."""
        if (kind, number) != ('cpu', 0):
            self.unsupported('on_device')()
        return contextlib.ExitStack()

    def workers(self):
        """The devices over which `spread` can divide a step, a list of pairs as `on_device` takes them."""
        return [('cpu', 0)]

    def spread(self, fn, values, devices):
        """`fn(values)`, computed in parts along axis 0, one on each device; inside of a step.

        Args:
            fn: function of a list of native tensors that gives a list of them, row by row alike.
            values: native tensors of equally many rows. devices: some of `workers()`.
        """
        return self.unsupported('spread')()

    def mesh_of(self, device_mesh):
        """The mesh of the engine's own library for a `keras.distribution.DeviceMesh`."""
        return self.unsupported('meshes of devices')()

    def native_layout(self, layout):
        """The layout of the engine's own library for a `keras.distribution.TensorLayout`."""
        return self.unsupported('layouts on several devices')()

    def laid_out(self, x, layout):
        """A native tensor spread over devices as a `keras.distribution.TensorLayout` says, also inside of a step."""
        return x if layout.device_mesh.devices.size == 1 else self.unsupported('layouts on several devices')()

    # --- running ---------------------------------------------------------------------------------------------

    def step(self, fn, reads, writes, static_batch=False, unchanged=None, joined=False):
        """A callable that runs `fn(*args)` as one unit: traced and compiled where the engine does that.

        Args:
            fn: function of nested native tensors that returns nested native tensors. It reads variables
                through `variable.value` and writes them through `variable.assign`.
            reads: variables that fn reads. writes: those it may assign. A variable that is read without
                being listed is found while tracing and added.
            static_batch: trace anew for every batch size even where the engine could leave it open.
            unchanged: for an engine that `notes_calls`: `can_be_seen()` says whether all that `fn` looks at besides
                arguments and variables can be watched, and does so from then on; `holds()` whether it is the same.
            joined: with `unchanged`, whether a compiler is to join the operations of what was written down.

        The outputs are fixed before the writes; then all writes commit together. Arrays given as
        arguments are converted. Calling never waits for the device. Within another step it is a part of that one.
        """
        more = dict(unchanged=unchanged, joined=joined) if unchanged is not None and self.notes_calls else {}
        run = self.new_step(fn, reads, writes, static_batch, **more)

        def step(*args):
            if context.ledger is not None:
                return fn(*tree.map_structure(self.argument, args))
            return run(*args)
        step.compiled = run
        # Gives a context, and with it a function to call instead, for a time in which nobody but the step itself does
        # anything; None: there is none.
        step.quiet = getattr(run, 'quiet', None)
        # The short way for native tensors where no step is around it, nothing is written, and the variables are here.
        step.read = getattr(run, 'read', run)
        return step

    def scripted_step(self, fn, reads, writes, eagerly=False):
        """`step` for a function of the user's that may hold the engine's own tools (tapes, `backward`, optimizers).

        Where these need the variables as the engine knows them, there is no ledger around it. `eagerly`: as in
        `eager_step`.
        """
        return (self.eager_step if eagerly else self.step)(fn, reads, writes)

    def eager_step(self, fn, reads, writes):
        """`step` for looking into it: every operation runs when Python comes to it, and has its value."""
        if 'eager_step' in self.capabilities.unsupported:
            self.unsupported('eager_step')()
        return self.step(fn, reads, writes) if not self.capabilities.compiled else \
            Engine.new_step(self, fn, reads, writes, False)

    # Whether a step may be written down as calls of the engine's library, instead of running `fn` anew every time.
    notes_calls = False
    # Whether many steps run faster in one call of `repeated_step` than one by one.
    repeats_steps = False
    # Whether steps go through a compiler that joins operations without being asked to, see `joined_step`.
    joins_operations = False
    # Whether integers of two bytes are computed as such, in half of the time of floats.
    has_short_integers = False

    def has_values(self, x):
        """Whether a native tensor is one with numbers, and not what stands for one while the library traces."""
        return True

    def joined(self, fn, tensors):
        """Where `joins_operations`: `fn`, a function of tensors like these that gives such, as one compiled call; None
        where it is one operation anyway."""
        return None

    def repeated_step(self, fn, reads, writes, joined=False):
        """Many runs of a step in one call: `run(carry, stacked)` hands `carry` from run to run.

        Args:
            fn, reads, writes: as for `step`; `fn(carry, *args)` gives the next carry, of the same shapes and dtypes.
            joined: as `joined_step` would.

        `stacked` holds the arguments of all runs as a list, with a first axis that goes over the runs.
        """
        return self.unsupported('repeated_step')()

    def joined_step(self, fn, reads, writes, unchanged=None):
        """`step` by the engine's compiler that joins operations (XLA, ...); where there is none a warning says so."""
        if not self.joins_operations:
            warnings.warn('jit_compile=True has no effect on the %s engine, which has no compiler to ask for.'
                          % self.name, stacklevel=2)
        return self.step(fn, reads, writes)

    def recorder(self):
        """A context that records what is computed in it, None where the engine differentiates functions only.

        `watch(value)` gives the value to go on with, `gradients(targets, factors, values)` the gradients by `values` of
        the sum of all targets, each times its factor (None for ones).
        """
        return None

    def new_step(self, fn, reads, writes, static_batch):
        """What `step` runs where no other step is around it; by default `fn` itself, anew every time."""
        def run(*args):
            args = tree.map_structure(self.argument, args)
            with Ledger(missing=lambda variable: variable.load()) as ledger:
                outputs = fn(*args)
            self.commit(ledger.writes)
            return outputs
        return run

    def on_host(self, fn, inputs, dtype, shape):
        """What NumPy computes of native tensors, in a step as well where the engine can do that.

        Args:
            fn: function of NumPy arrays, one per tensor of the list `inputs`, that gives an array. It is no part of
                gradients. dtype: the dtype of that. shape: its shape, None for sizes that are not known.
        """
        return self.convert(fn(*[self.to_numpy(x) for x in inputs]), dtype)

    def pipeline_seed(self, generator):
        """The next seed of a `SeedGenerator` in a pipeline of the engine's library, see `loading.lent`."""
        return self.draw_seed(generator)

    def batches(self, source, spec):
        """A set of data of the engine's own library with what `source` yields; where it has none, `source` itself.

        Args:
            source: has `__iter__`, which may be called again and again, and `__len__`; it yields structures of NumPy
                arrays. spec: such a structure of `AbstractTensor`s.
        """
        return source

    def handed(self, data, before):
        """What hands `data`, a structure of tensors, to a function of the user's: its `iterator` gives them next.

        Args:
            before: what the last call returned for data of the same structure, to be used again; or None.
        """
        return Handed([data])

    def argument(self, x):
        """An argument of a step as a tensor; None stays."""
        return None if x is None else self.convert(x)

    def arriving_dtype(self, dtype):
        """The dtype, as a name, that an array of `dtype` has inside of a step."""
        return dtype

    # Whether the arguments of a step are to be sent to the device while the step before it runs, see `sent`.
    sends_ahead = False

    def sent(self, arrays):
        """A function that gives `arrays`, a list of NumPy arrays and None, as tensors: they are on their way there.

        The arrays may change as soon as this returns.
        """
        tensors = list(map(self.argument, arrays))
        return lambda: tensors

    def commit(self, writes):
        """Assign what a step has written, {variable: native tensor}."""
        for variable, value in writes.items():
            variable.assign(value)

    def value_and_grad(self, fn, variables):
        """`(value, aux), gradients` of `value, aux = fn()`, a scalar, by the values of `variables`.

        Assignments that fn makes stay in force. The gradient by a variable that does not influence the
        value is None.
        """
        return self.unsupported('value_and_grad')()

    @contextlib.contextmanager
    def differentiating_once(self):
        """A block that finds gradients, for engines without gradients of gradients: it refuses to be nested."""
        if context.differentiating:
            self.unsupported('gradients of gradients')()
        context.differentiating = True
        try:
            yield
        finally:
            context.differentiating = False

    def gradients(self, fn, values, variables=()):
        """`rest, gradients` where `total, rest = fn(*values)`, a scalar, by the native `values` and by `variables`.

        Within another `gradients` the results are differentiable again, unless the engine declares
        'gradients of gradients' unsupported.
        """
        handles = [Handle(self.shape_of(value), self.dtype_of(value)) for value in values]
        with Ledger(dict(zip(handles, values)), outer=context.ledger) as ledger:
            (_, rest), found = self.value_and_grad(lambda: fn(*[handle.value for handle in handles]),
                                                   handles + list(variables))
        for variable, value in ledger.writes.items():
            variable.assign(value)
        return rest, found

    def custom_gradient(self, fn, values):
        """`fn(*values)[0]` of native tensors, whose gradients by these are what `fn(*values)[1]` says.

        That function takes the gradients by the results, and gives a tensor or a list.
        """
        if not self.capabilities.gradients:
            return fn(*values)[0]
        return self.unsupported('custom_gradient')()

    def rematerialized(self, fn, values):
        """The list `fn(*values)` of native tensors, without keeping what is computed inside for the gradients.

        `fn` takes and gives tensors only, and runs once more where the gradients are found.
        """
        return self.unsupported('rematerialized')()

    def eval_shape(self, fn, args):
        """Shapes and dtypes of `fn(*args)` for `AbstractTensor`s, by the engine's own abstract evaluation.

        The last resort for layers that call the engine directly. A size that is unknown in `args` is unknown in a
        result where it comes out different with two numbers in its place.
        """
        previous, context.abstract = context.abstract, False
        try:
            results = [self.results_for(fn, args, size) for size in self.stand_ins]
        finally:
            context.abstract = previous
        merged = [AbstractTensor([a if a == b else None for a, b in zip(first.shape, second.shape)],
                                 self.dtype_of(first)) if hasattr(first, 'shape') else first
                  for first, second in zip(*map(tree.flatten, results))]
        return tree.pack_as(results[0], merged)

    def results_for(self, fn, args, size):
        """What `fn` gives, its shapes and dtypes at least, with the number `size` in the place of unknown sizes."""
        return self.unsupported('eval_shape')()

    def new_artifact(self):
        """What `keras.export.ExportArchive` is written with, for engines that have it."""
        return self.unsupported('SavedModel')()

    def load_artifact(self, filepath):
        """What `keras.layers.TFSMLayer` runs, for engines that have it."""
        return self.unsupported('SavedModel')()

    def function_of_jax(self, fn, platforms=None):
        """A function written for JAX as one of native tensors, with its gradients, for engines that can run it.

        Args:
            platforms: names of devices to compile it for, where it is compiled ahead of time.
        """
        return self.unsupported('functions of JAX')()

    def module_of_torch(self, module):
        """What `keras.layers.TorchModuleWrapper` runs, for engines that have it."""
        return self.unsupported('modules of PyTorch')()

    def specification(self, x):
        """What describes tensors of the shape and dtype of `x` in the engine's own library."""
        return x

    def random_state(self):
        """The state of the library's own global generator, an array of uint8; None where it gives none away."""
        return None

    def set_random_state(self, state):
        """Go on from what `random_state` gave."""

    def seed(self, value):
        """Seed whatever random state of its own the engine has."""

    def print_tensor(self, x, message):
        """Print `message` and the value of the native tensor `x` whenever this runs; return `x`."""
        print(message, self.to_numpy(x))
        return x

    def use_session(self, session):
        """Take over the options of `session`, an object of the engine's own library (`K.set_session`)."""
        raise TypeError('K.set_session: the %s engine has no sessions to take options from. Received: %r. Configure '
                        'its devices with its own library, or with environment variables such as '
                        'CUDA_VISIBLE_DEVICES.' % (known_engine(self.name).title, session))

    def wait(self, x):
        """Return `x` once the device has computed it."""
        return x
