"""The PyTorch engine: eager, in place, on the GPU where there is one.

Rules these files obey: a primitive that PyTorch has under another name is that function itself, so that the
dispatcher's cost is all the cost; images stay channels-last in memory and are handed to PyTorch's kernels as
permuted views; a variable is a leaf tensor that is written in place.
"""
import contextlib
import itertools

import numpy as np
import torch
import torch.utils.checkpoint
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack

from keras import config
from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.ledger import FacingLedger, Ledger, RerunLedger
from keras.backend.contract.loading import active
from keras.backend.contract.memory import keep_freed
from keras.backend.contract.rules import AbstractTensor, is_float
import keras.backend.engines.torch.recurrent  # noqa: F401 (it adds to the overrides)
import keras.backend.engines.torch.updates  # noqa: F401 (it adds to the overrides)
from keras.backend.engines.torch.copies import OnCopies
from keras.backend.engines.torch.exports import write_torch
from keras.backend.engines.torch.overrides import OVERRIDES
from keras.backend.engines.torch.joined import Joiner, say_why_not
from keras.backend.engines.torch.modules import LayerModule, Run
from keras.backend.engines.torch.recorded import (Repeats, as_one_call, constant_of, drawn, key_of, leaves_of,
                                                  unrecordable)
from keras.backend.engines.torch.steps import (
    Recorder, constant, constants, depth, gradients_of, recording, rerun, unaliased, with_own_gradient)
from keras.backend.engines.torch.tensors import (CUDA, DEVICE, DTYPES, FLOATS, HALVES, INDEX_TYPES, NAMES, SUMS,
                                                 UNSIGNED_SUMS, cumulative, fourier, generator_of,
                                                 in_float32, positions, shared, single)
from keras.backend.engines.torch.windows import conv, conv_transpose, padded, pool
from keras.backend.state.variables import Variable
from keras.backend.table.numbers import has_value


keep_freed()  # PyTorch has no memory of its own on the host


def _counted(state):
    """The state of a generator, which is changed, one draw further: PyTorch does not add its unsigned integers."""
    (state.view(torch.int32) if state.element_size() == 4 else state)[1] += 1
    return state


class TorchEngine(Engine):
    name = 'torch'
    capabilities = Capabilities(
        gradients=True, compiled=False, dynamic_sizes=True,
        dtypes=('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'float16', 'bfloat16', 'float32', 'float64'),
        unsupported={'string': 'PyTorch has no tensors of strings; look them up on the host first'})
    boolean_dtypes = frozenset((torch.bool,))
    float_dtypes = FLOATS
    integer_dtypes = INDEX_TYPES
    unsigned_sums = UNSIGNED_SUMS
    exporters = {'torch': write_torch}
    layer_base = LayerModule
    signals = tuple(filter(None, [getattr(torch.utils.checkpoint, '_StopRecomputationError', None)]))
    notes_calls = has_short_integers = True
    # The stream of copies to the device, made for the first one.
    _copies = None
    variable_attributes = ('grad', 'requires_grad', 'requires_grad_', 'is_leaf', 'device', 'data', 'detach')

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        # A generator is what `draw_seed` gives in the place of a seed tensor.
        return isinstance(x, (torch.Tensor, torch.Generator))

    def convert(self, x, dtype=None):
        try:
            return super().convert(x, dtype)
        except TypeError:
            if not any(isinstance(leaf, (torch.SymInt, torch.SymFloat)) for leaf in tree.flatten(x)):
                raise
        # Sizes that torch.export leaves open.
        if isinstance(x, (list, tuple)):
            return torch.stack([self.convert(part, dtype) for part in x])
        of_kind = torch.int64 if isinstance(x, torch.SymInt) else torch.float32
        return torch.scalar_tensor(x, dtype=of_kind if dtype is None else DTYPES[dtype], device=DEVICE)

    def adapted(self, x, dtype):
        if x.is_meta:  # a shape without values
            return torch.empty_like(x, device=DEVICE, dtype=DTYPES[dtype] if dtype else None)
        return x.to(DEVICE, DTYPES[dtype] if dtype else None)

    stacked = staticmethod(torch.stack)

    def from_host(self, array, dtype):
        if dtype == 'string':
            return self.unsupported('string')()
        # A copy: the caller may go on to fill its buffer with something else.
        return constant_of(lambda: shared(array).to(DEVICE, DTYPES[dtype], copy=True))

    def scalar(self, value, dtype):
        try:
            return torch.full((), value, dtype=DTYPES[dtype], device=DEVICE)
        except RuntimeError:
            if not is_float(dtype) or not np.isreal(value):
                raise
            # Beyond the largest number of the type (a constraint `max_norm(1e100)`, say): infinity, as everywhere else.
            return torch.full((), np.copysign(np.inf, value), dtype=DTYPES[dtype], device=DEVICE)

    def to_numpy(self, x):
        # A copy, because variables are written in place.
        return np.array(self.numpy_view(x))

    def strided(self, x):
        return x if x.layout is torch.strided else x.to_dense()

    def numpy_view(self, x):
        x = x.detach() if x.layout is torch.strided else x.detach().to_dense()
        return (x.float() if x.dtype is torch.bfloat16 else x).cpu().numpy()

    def dtype_of(self, x):
        return NAMES[x.dtype] if type(x) is not torch.Generator else 'uint32'

    def shape_of(self, x):
        return tuple(x.shape) if type(x) is not torch.Generator else (2,)

    # --- state -----------------------------------------------------------------------------------------------

    def out_of_place(self, function):
        return OnCopies(function)

    def new_variable(self, value, variable):
        # How the memory lies follows from shape and layout alone.
        tensor = self.convert(value, variable.dtype).contiguous()
        if variable.layout is not None and tensor.ndim > 2:
            # In memory (out, spatial..., in): what the kernels for channels-last images read, and the layout
            # in which they leave the gradient.
            order = (tensor.ndim - 1,) + tuple(range(tensor.ndim - 1))
            tensor = tensor.permute(order).contiguous().permute(tuple(range(1, tensor.ndim)) + (0,)).detach()
        return self.mark_trainable(torch.nn.Parameter(tensor, requires_grad=False), variable.trainable)

    def mark_trainable(self, storage, trainable):
        storage._keras_trainable = bool(trainable)
        return storage.requires_grad_(trainable and storage.dtype in FLOATS)

    def load(self, storage):
        return storage

    def store(self, storage, value):
        if value is not storage:
            with torch.no_grad():
                storage.copy_(value)
        return storage

    def after_fork(self):
        # The threads that it shares its work among stayed behind, and it would wait for them.
        torch.set_num_threads(1)

    def concretely(self):
        from torch._subclasses.fake_tensor import unset_fake_temporarily
        outside = contextlib.ExitStack()
        outside.enter_context(unset_fake_temporarily())
        outside.enter_context(torch.inference_mode(False))
        # Within torch.func.grad, vmap and their kin.
        outside.enter_context(temporarily_clear_interpreter_stack())
        return outside

    draws_from_streams = True

    def draw_seed(self, generator):
        """A `torch.Generator` that goes on from call to call, started anew when the state has been assigned."""
        ledger = context.ledger
        while ledger is not None and type(ledger) is not RerunLedger:
            value = None if type(ledger) is FacingLedger else ledger.values.get(generator.state)
            if value is not None:  # a scope in which somebody has said what the state is
                ledger.write(generator.state, _counted(value.clone()))
                return generator_of(value)
            ledger = ledger.outer
        stream = drawn(self._stream, generator)
        if context.ledger is None:  # outside of steps the state counts the draws, as scripts see it elsewhere
            storage = _counted(generator.state.storage)
            generator.streams['torch'] = (stream, storage, storage._version)
        return stream

    @staticmethod
    def _stream(generator):
        storage = generator.state.storage
        stream, started, version = generator.streams.get('torch', (None, None, None))
        if started is not storage or version != storage._version:
            stream = generator_of(storage)
            generator.streams['torch'] = (stream, storage, storage._version)
        if rerun.streams is not None and stream not in rerun.streams:
            unrecordable('it runs parts of it again')
            rerun.streams[stream] = stream.get_state()
        return stream

    def on_device(self, kind, number):
        if (kind, number) != ('gpu' if DEVICE.type == 'cuda' else 'cpu', 0):
            self.unsupported('on_device')()
        return contextlib.ExitStack()

    def devices(self):
        return ['CPU'] + ['CUDA:%d %s' % (number, torch.cuda.get_device_name(number))
                          for number in range(torch.cuda.device_count())]

    def stream_state(self, generator):
        stream, started, version = generator.streams.get('torch', (None, None, None))
        storage = generator.state.storage
        return stream.get_state().numpy() if started is storage and version == storage._version else None

    def restore_stream(self, generator, state):
        storage = generator.state.storage
        stream = generator_of(storage)
        stream.set_state(torch.from_numpy(np.array(state)))
        generator.streams['torch'] = (stream, storage, storage._version)

    def seed(self, value):
        torch.manual_seed(value)

    def random_state(self):
        return torch.get_rng_state().numpy().copy()

    def set_random_state(self, state):
        torch.set_rng_state(torch.from_numpy(state))

    def profile(self, folder):
        return torch.profiler.profile(on_trace_ready=torch.profiler.tensorboard_trace_handler(folder))

    # --- running ---------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch, unchanged=None, joined=False):
        known, activations = list(dict.fromkeys(itertools.chain(reads, writes))), None
        repeats = None if unchanged is None else Repeats(
            unchanged, lambda x: self._argument(x, []), Joiner() if joined else None)

        def run(*args):
            nonlocal activations
            key = None
            if repeats is not None and repeats.is_possible:
                leaves = leaves_of(args)
                key = key_of(leaves)
                outputs = repeats.run(key, leaves)
                if outputs is not NotImplemented:
                    return outputs
            if activations != active.activations:
                for variable in known:
                    variable.storage
                activations = active.activations
            borrowed = []
            args = [self._argument(x, borrowed) for x in args]
            # The values of all variables at once: each would be asked for one by one.
            values = dict(zip(known, [variable.held for variable in known]))
            with recording(False), Ledger(values) as ledger:
                if key is not None and repeats.is_due(key):
                    outputs = repeats.written(key, fn, args, ledger)
                else:
                    outputs = fn(*args)
                # What is returned must not change with the variables or with the caller's arrays.
                outputs = unaliased(outputs, list(ledger.values.values()) + borrowed)
                if ledger.writes:
                    self.commit(ledger.writes)
            return outputs
        if repeats is not None:
            run.quiet = lambda: repeats.quiet(run)
        return run

    def joined_step(self, fn, reads, writes, unchanged=None):
        if unchanged is None or not hasattr(torch, 'compile'):
            say_why_not('PyTorch %s cannot compile it' % torch.__version__)
            return self.step(fn, reads, writes, unchanged=unchanged)
        return self.step(fn, reads, writes, unchanged=unchanged, joined=True)

    def scripted_step(self, fn, reads, writes, eagerly=False):
        # Scripts call `backward`, and find the gradients at the variables' own tensors.
        def run(*args):
            args = tree.map_structure(self.argument, args)
            for variable in reads:
                variable.storage
            with torch.enable_grad():
                return constants(fn(*args))
        return run

    def recorder(self):
        unrecordable('it has a tape')
        return Recorder()

    def _argument(self, x, borrowed):
        """An argument of a step as tensors; arrays are not copied, since they live as long as the step."""
        kind = type(x)
        if x is None or kind is torch.Tensor and not CUDA:
            return x
        if kind is list:
            return [self._argument(part, borrowed) for part in x]
        if kind is not np.ndarray and tree.is_nested(x):
            return tree.map_structure(lambda part: self._argument(part, borrowed), x)
        if not isinstance(x, np.ndarray) or not x.dtype.isnative:
            return self.convert(x)
        tensor = shared(x)
        if CUDA:
            return tensor.to(DEVICE, non_blocking=True)
        borrowed.append(tensor)
        return tensor

    sends_ahead = CUDA

    def sent(self, arrays):
        # From memory that stays where it is, in a stream of their own beside that of the steps.
        if self._copies is None:
            self._copies = torch.cuda.Stream(DEVICE)
        pinned = [None if x is None else shared(x).pin_memory() for x in arrays]
        with torch.cuda.stream(self._copies):
            tensors = [None if x is None else x.to(DEVICE, non_blocking=True) for x in pinned]
            arrived = self._copies.record_event()

        def give():
            stream = torch.cuda.current_stream(DEVICE)
            stream.wait_event(arrived)
            for tensor in tensors:
                if tensor is not None:
                    # Their memory is not given to anybody else before the steps are through with it.
                    tensor.record_stream(stream)
            return tensors
        return give

    def commit(self, writes):
        """Write all values at once, in place."""
        targets, values = [], []
        for variable, value in writes.items():
            storage = variable.storage
            if value is not storage:
                targets.append(storage)
                values.append(value)
        if not targets:
            return
        if len(targets) > 1:
            # A value that is, or looks into, another variable must not see that one's new value.
            values = unaliased(values, targets)
        torch._foreach_copy_(targets, values)

    def value_and_grad(self, fn, variables):
        if depth.count:
            return self._nested_value_and_grad(fn, variables)
        outer = context.ledger
        read = outer.read if outer is not None else Variable.load
        leaves = {}
        for variable in variables:
            value = read(variable)
            leaves[variable] = value if value.requires_grad and value.is_leaf else value.detach().requires_grad_()
        # Only the listed variables take part: the others read as constants, so that nothing is kept for them.
        with recording(True), depth, \
                Ledger(leaves, missing=lambda variable: constant(read(variable))) as ledger:
            value, aux = fn()
        for variable, written in ledger.writes.items():
            variable.assign(constant(written))
        gradients = [None] * len(leaves)
        if value.requires_grad:
            gradients = as_one_call(gradients_of, value, tuple(leaves.values()))
        by_variable = dict(zip(leaves, gradients))
        return (value.detach(), constants(aux)), [by_variable[variable] for variable in variables]

    @staticmethod
    def _nested_value_and_grad(fn, variables):
        """Within another one: nothing is cut off, so that the gradients have gradients."""
        unrecordable('it takes gradients of gradients')
        leaves = {}
        for variable in variables:
            value = variable.value
            leaves[variable] = value if value.requires_grad else value.detach().requires_grad_()
        with torch.enable_grad(), Ledger(leaves, outer=context.ledger) as ledger:
            value, aux = fn()
        for variable, written in ledger.writes.items():
            variable.assign(written)
        found = torch.autograd.grad(value, tuple(leaves.values()), create_graph=True, allow_unused=True) \
            if value.requires_grad else [None] * len(leaves)
        by_variable = dict(zip(leaves, found))
        return (value, aux), [by_variable[variable] for variable in variables]

    def custom_gradient(self, fn, values):
        unrecordable('it has gradients of its own')
        return with_own_gradient(fn, values)

    def module_of_torch(self, module):
        return Run(module, self)

    def rematerialized(self, fn, values):
        unrecordable('it runs parts of it again')
        streams = {}

        def run(*values):
            # Whatever is drawn in the second run is what was drawn in the first.
            now = {stream: stream.get_state() for stream in streams}
            for stream, state in streams.items():
                stream.set_state(state)
            previous, rerun.streams = rerun.streams, streams
            try:
                return fn(*values)
            finally:
                rerun.streams = previous
                for stream, state in now.items():
                    stream.set_state(state)
        # The second run goes to its end: PyTorch would stop it by an error in the midst of an operation.
        with torch.utils.checkpoint.set_checkpoint_early_stop(False):
            return torch.utils.checkpoint.checkpoint(run, *values, use_reentrant=False)

    def results_for(self, fn, args, size):
        """On tensors without memory."""
        from torch._subclasses.fake_tensor import FakeTensorMode

        def stand_in(x):
            if not isinstance(x, AbstractTensor):
                return x
            shape = [size if n is None else n for n in x.shape]
            return torch.empty(shape, dtype=DTYPES[x.dtype], device=DEVICE)
        with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad(), Ledger():
            return fn(*tree.map_structure(stand_in, list(args)))

    def wait(self, x):
        if CUDA:
            torch.cuda.synchronize(DEVICE)
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        dtype = dtype or self.dtype_of(self.convert(value))
        return torch.full(shape, value, dtype=DTYPES[dtype], device=DEVICE)

    def full_like(self, x, value, dtype=None):
        return torch.full_like(x, value, dtype=DTYPES[dtype] if dtype else None)

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        dtype = dtype or (config.floatx() if float in map(type, (start, stop, step)) else 'int32')
        stop = max(start, stop) if step > 0 else min(start, stop)  # PyTorch wants no empty range to go the wrong way
        return torch.arange(start, stop, step, device=DEVICE).to(DTYPES[dtype])

    def random_uniform(self, seed, shape, dtype):
        return torch.rand(shape, generator=generator_of(seed), dtype=DTYPES[dtype], device=DEVICE)

    def random_normal(self, seed, shape, dtype):
        return torch.randn(shape, generator=generator_of(seed), dtype=DTYPES[dtype], device=DEVICE)

    def random_integers(self, seed, shape, minval, maxval, dtype):
        drawn = torch.randint(minval, maxval, shape, generator=generator_of(seed), device=DEVICE)
        return drawn.to(DTYPES[dtype])

    def random_permutation(self, seed, count):
        return torch.randperm(count, generator=generator_of(seed), dtype=torch.int32, device=DEVICE)

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, abs, sign, floor = map(staticmethod, (torch.neg, torch.abs, torch.sign, torch.floor))
    round, exp, log, sqrt = map(staticmethod, (torch.round, torch.exp, torch.log, torch.sqrt))
    sin, cos, tanh, arcsin, arctan = map(staticmethod, (torch.sin, torch.cos, torch.tanh, torch.asin, torch.atan))
    erf, erfinv, lgamma, digamma = map(staticmethod, (torch.erf, torch.erfinv, torch.lgamma, torch.digamma))
    logical_not, isfinite = map(staticmethod, (torch.logical_not, torch.isfinite))
    add, subtract, multiply, divide = map(staticmethod, (torch.add, torch.sub, torch.mul, torch.true_divide))
    floor_divide, mod = map(staticmethod, (torch.floor_divide, torch.remainder))
    maximum, minimum, arctan2 = map(staticmethod, (torch.maximum, torch.minimum, torch.atan2))
    equal, less, logical_and = map(staticmethod, (torch.eq, torch.lt, torch.logical_and))
    logical_or, where = map(staticmethod, (torch.logical_or, torch.where))
    bitwise_and, bitwise_or, bitwise_xor = map(staticmethod, (torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor))
    left_shift, right_shift = map(staticmethod, (torch.bitwise_left_shift, torch.bitwise_right_shift))
    stop_gradient = staticmethod(torch.detach)

    def power(self, x, y):
        if y.ndim == 0 and not CUDA and not y.requires_grad:
            # PyTorch squares and takes roots by special kernels, where it is told the exponent.
            exponent = y.item()
            # PyTorch refuses a negative one for integers, unless it is a tensor.
            if x.is_complex() or isinstance(exponent, complex) or exponent >= 0 or x.dtype in FLOATS:
                y = exponent
        return torch.pow(x, y)

    def real(self, x):
        return x.real

    def imag(self, x):
        return x.imag if x.is_complex() else torch.zeros_like(x)

    def complex_number(self, real, imaginary):
        if real.dtype in HALVES:
            real, imaginary = real.float(), imaginary.float()
        return torch.complex(*torch.broadcast_tensors(real, imaginary))

    def view(self, x, dtype):
        return x.contiguous().view(DTYPES[dtype])

    def eig(self, x):
        values, vectors = torch.linalg.eig(x.float() if x.dtype in HALVES else x)
        return [values, vectors]

    def cast(self, x, dtype):
        if dtype == 'string':
            return self.unsupported('string')()
        return x.to(DTYPES[dtype])

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        if x.dtype in FLOATS and axis != ():
            return torch.sum(x, axis, keepdims)
        if axis == ():
            return x.to(SUMS[x.dtype])
        return torch.sum(x, axis, keepdims, dtype=None if x.is_complex() else torch.int64).to(SUMS[x.dtype])

    def prod(self, x, axis=None, keepdims=False):
        dtype = SUMS[x.dtype]
        if x.dtype not in FLOATS and not x.is_complex():
            x = x.long()
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
        for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
            x = torch.prod(x, axis, keepdims)
        return x.to(dtype)

    def max(self, x, axis=None, keepdims=False):
        if axis == ():
            return x
        return torch.amax(x, () if axis is None else axis, keepdims)

    def min(self, x, axis=None, keepdims=False):
        if axis == ():
            return x
        return torch.amin(x, () if axis is None else axis, keepdims)

    def argmax(self, x, axis=-1):
        return torch.argmax(x, axis).int()

    def cumsum(self, x, axis=0):
        return torch.cumsum(x, axis, dtype=cumulative(x)).to(SUMS[x.dtype])

    def cumprod(self, x, axis=0):
        return torch.cumprod(x, axis, dtype=cumulative(x)).to(SUMS[x.dtype])

    # --- movement ----------------------------------------------------------------------------------------------

    reshape, broadcast_to, flip = map(staticmethod, (torch.reshape, torch.broadcast_to, torch.flip))
    concatenate = staticmethod(torch.cat)
    pad = staticmethod(padded)

    def transpose(self, x, axes=None):
        return torch.permute(x, axes if axes is not None else tuple(range(x.ndim))[::-1])

    def strided_slice(self, x, starts, stops, steps):
        parts, reversed_axes = [], []
        for axis, (start, stop, step) in enumerate(zip(starts, stops, steps)):
            if step is not None and step < 0:
                taken = range(*slice(start, stop, step).indices(x.shape[axis]))
                reversed_axes.append(axis)
                start, stop, step = (taken[-1], taken[0] + 1, -step) if taken else (0, 0, 1)
            parts.append(slice(start, stop, step))
        x = x[tuple(parts)]
        return torch.flip(x, reversed_axes) if reversed_axes else x

    def gather(self, x, indices, axis=0):
        indices = positions(indices)
        if x.ndim == 2 and (axis == 0 or axis == -2):
            return torch.embedding(x, indices)
        axis = axis % x.ndim
        if indices.ndim == 1:
            return torch.index_select(x, axis, indices)
        taken = torch.index_select(x, axis, indices.reshape(-1))
        return taken.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])

    def gather_nd(self, x, indices):
        return x[positions(indices).unbind(-1)]

    @staticmethod
    def _rows(x, indices, updates):
        """One index per row, and the rows to combine with those of `x`."""
        indices = positions(indices)
        updates = updates.broadcast_to(indices.shape + x.shape[1:])
        return indices.reshape(-1), updates.reshape((-1,) + x.shape[1:])

    def scatter_add(self, x, indices, updates):
        return torch.index_add(x, 0, *self._rows(x, indices, updates))

    def scatter_update(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        return torch.index_copy(x, 0, indices.long(), updates)

    def scatter_max(self, x, indices, updates):
        indices, updates = self._rows(x, indices, updates)
        indices = indices.long().reshape((-1,) + (1,) * (x.ndim - 1)).expand_as(updates)
        return torch.scatter_reduce(x, 0, indices, updates, 'amax')

    # --- contraction, windows, order -----------------------------------------------------------------------------

    matmul = staticmethod(torch.matmul)

    conv, conv_transpose, pool = map(staticmethod, (conv, conv_transpose, pool))

    def top_k(self, x, k):
        values, indices = torch.topk(x, k)
        return [values, indices.int()]

    def sort(self, x, axis=-1):
        return torch.sort(x, axis)[0]

    def argsort(self, x, axis=-1):
        return torch.sort(x, dim=axis, stable=True)[1].int()

    def searchsorted(self, x, values, side='left'):
        return torch.searchsorted(x, values.contiguous(), out_int32=True, right=side == 'right')

    # --- linear algebra ------------------------------------------------------------------------------------------

    qr, svd, eigh = map(in_float32, (torch.linalg.qr, lambda x: torch.linalg.svd(x, False), torch.linalg.eigh))
    fft = in_float32(fourier)
    _solved = in_float32(single(torch.linalg.solve))
    _factor = in_float32(single(torch.linalg.cholesky))
    _triangular = in_float32(single(lambda a, b, lower: torch.linalg.solve_triangular(a, b, upper=not lower)))

    def cholesky(self, x):
        return self._factor(x)[0]

    def solve(self, a, b):
        return self._solved(a, b)[0]

    def triangular_solve(self, a, b, lower=True):
        return self._triangular(a, b, lower)[0]

    # --- control ---------------------------------------------------------------------------------------------------

    def scan(self, step, init, xs, length=None, reverse=False):
        columns = [x.unbind(0) for x in tree.flatten(xs)]
        count = len(columns[0]) if columns else length
        carry, outputs = init, [None] * count
        for index in reversed(range(count)) if reverse else range(count):
            carry, outputs[index] = step(carry, tree.pack_as(xs, [column[index] for column in columns]))
        stacked = [torch.stack(parts) for parts in zip(*map(tree.flatten, outputs))]
        return carry, tree.pack_as(outputs[0], stacked) if outputs else []

    def cond(self, predicate, then, otherwise, operands):
        unrecordable('it branches')
        return then(*operands) if predicate else otherwise(*operands)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        unrecordable('it loops')
        values, count = list(init), 0
        while (maximum_iterations is None or count < maximum_iterations) and condition(*values):
            values, count = list(body(*values)), count + 1
        return values


TorchEngine.overrides = OVERRIDES
ENGINE = TorchEngine()


@classmethod
def _on_values(cls, function, types, args=(), kwargs=None):
    """PyTorch's protocol for arguments that are no tensors of its own."""
    given = [list(args), kwargs or {}]
    ours = [leaf for leaf in tree.flatten(given) if isinstance(leaf, (Variable, AbstractTensor))]
    if not all(map(has_value, ours)):
        return NotImplemented
    args, kwargs = tree.map_structure(lambda leaf: leaf.value if isinstance(leaf, (Variable, AbstractTensor)) else leaf,
                                      given)
    return function(*args, **kwargs)


Variable.__torch_function__ = AbstractTensor.__torch_function__ = _on_values
