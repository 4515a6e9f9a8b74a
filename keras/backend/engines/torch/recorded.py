"""Steps that were written down: a run is PyTorch's functions one after the other, without what decided on them.

A `Tape` writes down what a step calls while it runs as always. Of that a function is made, in Python's own code, that
calls the same for the next batch. What the step looked at besides tensors (attributes of layers, shapes) has to be the
same then: whoever asks for a step to be written down says how to see that, see `Engine.step`.
"""
import contextlib
import itertools
import threading
import weakref

import numpy as np
import torch

from keras.backend.engines.torch.joined import say_why_not
from keras.backend.engines.torch.tensors import CUDA
from keras.backend.state.variables import Variable

try:
    from torch.overrides import TorchFunctionMode
except ImportError:  # PyTorch before 1.13
    TorchFunctionMode = None

# A step is written down when it has run so often, which pays for it; one of more calls than that never.
TIMES, MOST_CALLS = 12, 2000
# When that is for the first shapes of a step that is to be compiled, and from how many calls on a part of it is.
_TIMES_JOINED, _LEAST_JOINED = 2, 3
# How often a step may have changed since it was written down before that is given up.
_MOST_CHANGES = 4

# Functions of PyTorch that do the same for tensors of the same shapes, and change none of them.
_PURE = frozenset("""
    abs acos add addmm all amax amin any arange argmax argmin argsort asin atan atan2 avg_pool1d avg_pool2d
    avg_pool3d baddbmm batch_norm bfloat16 binary_cross_entropy_with_logits bitwise_and bitwise_left_shift
    bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm bool broadcast_tensors broadcast_to cat ceil
    chunk clamp clone contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cos
    cosh cross_entropy cumprod cumsum detach digamma div double elu embedding empty_like eq erf erfinv exp
    expand expand_as expm1 flip float floor floor_divide full full_like gather ge gelu gru gt half hardsigmoid
    hardswish hardtanh index_add index_copy index_select int isfinite isinf isnan layer_norm le leaky_relu
    lerp lgamma linear log log1p log_softmax logaddexp logical_and logical_not logical_or logsigmoid logsumexp
    long lstm lt matmul max max_pool1d max_pool2d max_pool3d maximum mean min minimum mm mul narrow
    native_batch_norm ne neg new_zeros ones ones_like pad permute pow prod relu relu6 remainder repeat reshape
    rnn_relu rnn_tanh round rsqrt scaled_dot_product_attention scatter_reduce searchsorted selu sigmoid sign
    silu sin sinh softmax softplus softsign sort split sqrt square squeeze stack sub sum t take_along_dim tan
    tanh tensor_split to topk transpose true_divide trunc type_as unbind unsqueeze var var_mean view view_as
    where zeros zeros_like __add__ __radd__ __rdiv__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __pow__
    __rpow__ __neg__ __matmul__ log_sigmoid
    _foreach_norm _foreach_mul _foreach_clamp_max _foreach_clamp_min linalg_vector_norm
""".split())
# Those that draw random numbers, and those that write into their first argument.
_RANDOM = frozenset(('rand', 'randn', 'randint', 'randperm', 'bernoulli_'))
_IN_PLACE = frozenset(('bernoulli_', 'div_', 'sub_', 'mul_', 'add_', 'clamp_', 'requires_grad_'))
# What says nothing but what follows from shapes, dtypes, and which of the variables are trained.
_ABOUT = frozenset([getattr(torch.Tensor, name).__get__ for name in (
    'shape', 'dtype', 'ndim', 'requires_grad', 'is_leaf', 'device', 'layout', 'is_cuda', 'is_meta')] + [
        getattr(torch.Tensor, name) for name in (
            'size', 'dim', 'numel', 'stride', 'is_contiguous', 'is_floating_point', 'is_complex', '__len__', 'nelement')
    ] + [torch.is_floating_point, torch.is_complex, torch.numel])
_PARTS = frozenset(getattr(torch.Tensor, name).__get__ for name in ('T', 'mT', 'real', 'imag') if hasattr(
    torch.Tensor, name))
# What is the same in every run.
_PASSES = (type(None), bool, int, float, complex, str, torch.dtype, torch.device, torch.memory_format, torch.layout,
  torch.Size, type(Ellipsis), np.generic)


class _Current(threading.local):
    """Per thread: the tape that is written."""
    tape = None


current = _Current()


class Unrecordable(Exception):
    """Why a step cannot be written down."""


def unrecordable(reason):
    """Say of the step that runs that it cannot be written down."""
    if current.tape is not None:
        current.tape.give_up(reason)


def drawn(stream_of, generator):
    """The stream of random numbers `stream_of(generator)`, which later runs ask for anew."""
    tape = current.tape
    if tape is None:
        return stream_of(generator)
    with torch._C.DisableTorchFunction():
        stream = stream_of(generator)
    tape.draws[id(stream)] = stream, lambda: stream_of(generator)
    return stream


def constant_of(make):
    """The tensor `make()`, whose value follows from what a step has looked at besides tensors: no run changes it."""
    tape = current.tape
    if tape is None:
        return make()
    with torch._C.DisableTorchFunction():
        return tape.kept(make())


def as_one_call(function, *args):
    """`function(*args)`, which runs again as a whole in later runs: it may look at values and write variables."""
    tape = current.tape
    if tape is None:
        return function(*args)
    with torch._C.DisableTorchFunction():
        result = function(*args)
    if result is not NotImplemented and tape.reason is None:
        try:
            tape.note(function, args, {}, result, True, True)
        except Unrecordable as reason:
            tape.give_up(str(reason))
    return result


class Tape(TorchFunctionMode or object):
    """Writes down the calls of PyTorch's functions within a `with` block.

    Args:
        inputs: the tensors that differ from run to run. values: {variable: tensor}, as the ledger has them.

    Attributes:
        reason: why it cannot be written down, None where it can.
        draws: {id of a stream of random numbers: (the stream, the function that gives it)}.
        calls: (names of the results, function, arguments, keyword arguments, whether it has effects).
        variables: those that are read, named v0, v1, ... constants: tensors named k0, k1, ...
    """

    def __init__(self, inputs, values):
        super().__init__()
        self.reason, self.draws = None, {}
        self.calls, self.variables, self.constants, self.memory = [], [], [], set()
        self._values, self._count = values, 0
        # Names by the ids of tensors, which are forgotten when these are gone.
        self._names, self._alive, self._constants = {}, {}, set()
        for tensor in inputs:
            self._note_memory(tensor)
        for tensor in values.values():
            self._note_memory(tensor)
        self.inputs = [self._named(tensor, 'a%d' % index) for index, tensor in enumerate(inputs)]

    def _note_memory(self, tensor):
        self.memory.add(tensor.untyped_storage().data_ptr())

    def __enter__(self):
        current.tape = self
        return super().__enter__()

    def __exit__(self, *error):
        current.tape = None
        return super().__exit__(*error)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if self.reason is None:
            try:
                self._see(function, args, kwargs, result)
            except Unrecordable as reason:
                self.give_up(str(reason))
        return result

    def give_up(self, reason):
        self.reason = self.reason or reason

    # --- what is seen

    def _see(self, function, args, kwargs, result):
        name = getattr(function, '__name__', '')
        if function in _ABOUT or function is torch.Tensor.item and id(args[0]) in self._constants:
            return
        if function is torch._C._set_grad_enabled or function in _PARTS:
            self.note(function, args, kwargs, result, function not in _PARTS)
            return
        if name in _IN_PLACE:
            self._check_own(args[0])
        elif name == '__getitem__':
            self._check_index(args[1])
        elif name == 'where' and len(args) < 3 or name not in _PURE and name not in _RANDOM:
            raise Unrecordable('it calls %s' % (name or function))
        if 'out' in kwargs:
            raise Unrecordable('%s writes to an argument' % name)
        self.note(function, args, kwargs, result, name in _RANDOM or name in _IN_PLACE)
        if name == 'full':
            self._constants.add(id(result))

    def _check_own(self, tensor):
        """Raise unless a tensor that is changed in place was made in this step."""
        if not self._names.get(id(tensor), '').startswith('t') or self.is_shared(tensor):
            raise Unrecordable('it changes a tensor in place')

    def is_shared(self, tensor):
        """Whether a tensor lies in the memory of an argument or a variable."""
        return tensor.untyped_storage().data_ptr() in self.memory

    @staticmethod
    def _check_index(index):
        for part in index if isinstance(index, tuple) else (index,):
            if isinstance(part, (list, np.ndarray, bool)) or isinstance(part, torch.Tensor) \
                    and part.dtype in (torch.bool, torch.uint8):
                raise Unrecordable('it picks what its values say')

    def note(self, function, args, kwargs, result, has_effects, takes_variables=False):
        """Write a call down."""
        self._passes = _PASSES + (Variable,) if takes_variables else _PASSES
        if len(self.calls) >= MOST_CALLS:
            raise Unrecordable('it has more than %d calls' % MOST_CALLS)
        args = tuple(map(self._argument, args))
        kwargs = {name: self._argument(value) for name, value in kwargs.items()}
        if isinstance(result, (list, tuple)):
            targets = [self._result(part, function) for part in result]
        else:
            targets = self._result(result, function)
        self.calls.append((targets, function, args, kwargs, has_effects))

    def _result(self, value, function):
        if value is None:
            return None
        if not isinstance(value, torch.Tensor):
            raise Unrecordable('%s gives %s' % (getattr(function, '__name__', function), type(value).__name__))
        self._count += 1
        return self._named(value, 't%d' % self._count)

    def _named(self, tensor, name):
        key, name = id(tensor), Name(name)

        def forget(_):
            if self._names.get(key) is name:
                del self._names[key]
                self._constants.discard(key)
        self._names[key], self._alive[name] = name, weakref.ref(tensor, forget)
        return name

    def _argument(self, x):
        if isinstance(x, torch.Tensor):
            return self.name_of(x)
        if type(x) in (list, tuple):
            return type(x)(map(self._argument, x))
        if isinstance(x, slice):
            if not all(part is None or type(part) is int for part in (x.start, x.stop, x.step)):
                raise Unrecordable('it picks what its values say')
            return x
        if isinstance(x, torch.Generator) and id(x) in self.draws:
            return Draw(self.draws[id(x)][1])
        if isinstance(x, self._passes):
            return x
        raise Unrecordable('it calls PyTorch with %s' % type(x).__name__)

    def kept(self, tensor):
        """A tensor that is the same in every run."""
        self.constants.append(tensor)
        self._note_memory(tensor)
        self._named(tensor, 'k%d' % (len(self.constants) - 1))
        return tensor

    def name_of(self, tensor):
        """The name of a tensor that is known: an argument, a result, or what is kept for a variable."""
        name = self._names.get(id(tensor))
        if name is not None:
            return name
        for variable, value in self._values.items():
            if value is tensor and variable.held is tensor:
                self.variables.append(variable)
                return self._named(tensor, 'v%d' % (len(self.variables) - 1))
        raise Unrecordable('it uses a tensor from elsewhere')

    def handed_out(self, tensor):
        """The name of a result that does not change with the variables, and has no gradients."""
        name = self.name_of(tensor)
        for function, is_needed in ((torch.Tensor.detach, tensor.requires_grad), (torch.clone, self.is_shared(tensor))):
            if is_needed:
                self._count += 1
                self.calls.append((Name('t%d' % self._count), function, (name,), {}, False))
                name = self.calls[-1][0]
        return name


class Name(str):
    """What a tensor is called in the code."""


class Draw:
    """Stands for a stream of random numbers that `give()` gives."""

    def __init__(self, give):
        self.give = give


class Code:
    """Python's code for what a `Tape` has.

    Args:
        tape: the `Tape`. outputs: the names of what it gives, a `Name` or a list. targets: the variables that it
            writes. news: the names of their new values. joiner: what has functions compiled, None for as they are.

    `run` takes the inputs and what is kept for `tape.variables` and then for `targets`.
    """

    def __init__(self, tape, outputs, targets, news, joiner=None):
        self._by_id, self._scope = {}, {'k%d' % index: tensor for index, tensor in enumerate(tape.constants)}
        arguments = tape.inputs + [Name('v%d' % index) for index in range(len(tape.variables))]
        kept = [Name('w%d' % index) for index in range(len(targets))]
        calls = tape.calls + ([(None, torch._foreach_copy_, (kept, news), {}, True)] if targets else [])
        self.first_effect, needed = None, set(_names_in(outputs))
        if joiner is not None:
            calls = self._joined(calls, needed, joiner)
        self.run = self._function(arguments + kept, self._lines(calls, needed), outputs)

    def _function(self, arguments, lines, outputs):
        lines = ['def run(%s):' % ', '.join(arguments)] + lines + ['    return ' + self._written(outputs)]
        exec(compile('\n'.join(lines), '<a step of PyTorch>', 'exec'), self._scope)
        return self._scope.pop('run')

    def _joined(self, calls, needed, joiner):
        """The calls with one in the place of those between two that have effects."""
        joined = []
        for has_effects, part in reversed([(has_effects, list(part)) for has_effects, part in itertools.groupby(
                calls, lambda call: call[-1])]):
            if not has_effects:
                part = self._as_one(part, needed, joiner)
            needed = _needed_before(part, needed)
            joined[:0] = part
        return joined

    def _as_one(self, calls, needed, joiner):
        """The same as a single call, where there are many."""
        outputs = sorted(needed.intersection(_names_in([call[0] for call in calls])))
        if len(calls) < _LEAST_JOINED or not outputs:
            return calls
        arguments = sorted(_needed_before(calls, set(outputs)))
        function = self._function(arguments, self._lines(calls, set(outputs)), outputs)
        return [(outputs, joiner.joined(function), tuple(arguments), {}, False)]

    def _lines(self, calls, needed):
        """The code of the calls that are needed; tensors are let go of after their last use."""
        lines = []
        for number in reversed(range(len(calls))):
            targets, function, args, kwargs, has_effects = calls[number]
            made = set(_names_in(targets))
            if not has_effects and not made & needed:
                continue
            used = set(_names_in([args, list(kwargs.values())]))
            dead = sorted(name for name in (used | made) - needed if name.startswith('t'))
            given = [self._written(arg) for arg in args] + ['%s=%s' % (name, self._written(value))
                                                            for name, value in kwargs.items()]
            call = '%s(%s)' % (self._constant(function), ', '.join(given))
            line = '    %s%s' % (self._assignment(targets), call)
            lines.append(line + ('; del ' + ', '.join(dead) if dead else ''))
            if is_lasting(function):
                self.first_effect = len(lines)
            needed = (needed - made) | used
        if self.first_effect is not None:
            self.first_effect = len(lines) - self.first_effect + 2
        return lines[::-1]

    @staticmethod
    def _assignment(targets):
        if targets is None:
            return ''
        if isinstance(targets, Name):
            return targets + ' = '
        return '(%s) = ' % ''.join('%s, ' % (name or '_') for name in targets) if targets else ''

    def _written(self, x):
        if isinstance(x, Name):
            return str(x)
        if type(x) is list:
            return '[%s]' % ', '.join(map(self._written, x))
        if type(x) is tuple:
            return '(%s)' % ''.join(self._written(part) + ', ' for part in x)
        if isinstance(x, Draw):
            return self._constant(x.give) + '()'
        return repr(x) if x is None or type(x) in (bool, int) else self._constant(x)

    def _constant(self, x):
        if id(x) not in self._by_id:
            self._by_id[id(x)] = 'c%d' % len(self._by_id)
            self._scope[self._by_id[id(x)]] = x
        return self._by_id[id(x)]


def _needed_before(calls, needed):
    """The names that have to be known before the calls, so that those `needed` are known after them."""
    needed = set(needed)
    for targets, _, args, kwargs, has_effects in reversed(calls):
        made = set(_names_in(targets))
        if has_effects or made & needed:
            needed = (needed - made).union(_names_in([args, list(kwargs.values())]))
    return needed


def is_lasting(function):
    """Whether what a call does lasts, so that the step cannot begin again behind it."""
    return getattr(function, 'writes_variables', False) or function is torch._foreach_copy_


def _names_in(structure):
    if isinstance(structure, Name):
        yield structure
    elif isinstance(structure, (list, tuple)):
        for part in structure:
            yield from _names_in(part)


def leaves_of(args):
    """The arguments of a step, which may be lists, as one flat list."""
    leaves = []
    for x in args:
        if type(x) is list:
            leaves.extend(x)
        else:
            leaves.append(x)
    return leaves


def key_of(leaves):
    """What tells the runs of a step apart; None for arguments that are no flat lists of arrays."""
    try:
        return tuple([None if x is None else x.shape for x in leaves])
    except AttributeError:
        return None


class _Written:
    """A step that is written down, for arguments of given shapes.

    Args:
        code: its `Code`. variables: those that it takes. args: the tensors that it was written with.
    """

    def __init__(self, code, variables, args):
        self._code, self._run, self._variables = code, code.run, variables
        self._dtypes = [tensor.dtype for tensor in args]
        self._flags = [variable.held.requires_grad for variable in variables]

    def __call__(self, args):
        """What the step gives for tensors; NotImplemented where it has to run as always."""
        held = [variable.held for variable in self._variables]
        if [tensor.requires_grad for tensor in held] != self._flags or not self._fits(args):
            return NotImplemented
        return self._on(args, held)

    def settled(self):
        """The same for variables that stay as they are, and arguments that are like those before."""
        run, held = self._on, [variable.held for variable in self._variables]
        return lambda args: run(args, held)

    def _fits(self, args):
        return [x.dtype for x in args] == self._dtypes and all([x.is_contiguous() for x in args])

    def _on(self, args, held):
        was_on = torch.is_grad_enabled()
        torch._C._set_grad_enabled(False)
        try:
            return self._run(*args, *held)
        except Exception as error:
            if self._has_lasted(error):
                raise
            # The step as it always runs says what is wrong, and where.
            return NotImplemented
        finally:
            torch._C._set_grad_enabled(was_on)

    def _has_lasted(self, error):
        """Whether the error came after something had been changed for good."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code is not self._run.__code__:
            trace = trace.tb_next
        first = self._code.first_effect
        return trace is None or first is not None and trace.tb_lineno >= first


class Repeats:
    """The runs of a step that are written down, by the shapes of their arguments.

    Args:
        unchanged: see `Engine.step`. tensor: function from an array to a tensor. joiner: see `Code`.

    Attributes:
        is_possible: whether it may come to it. reason: why the last step was not written down, None where it was.
    """

    def __init__(self, unchanged, tensor, joiner=None):
        self._unchanged, self._tensor, self._joiner = unchanged, tensor, joiner
        self._times, self._written = {}, {}
        self._changes, self.reason = 0, None
        self.is_possible = TorchFunctionMode is not None

    def run(self, key, leaves):
        """What the step gives where it is written down for such arguments, else NotImplemented."""
        written = self._written.get(key)
        if written is None:
            return NotImplemented
        tensors = list(map(self._on_device, leaves)) if None not in key else [
            self._on_device(x) for x in leaves if x is not None]
        if not self._unchanged.holds():
            self._forget()
            return NotImplemented
        result = written(tensors)
        if result is NotImplemented:
            self._forget()
        return result

    def _on_device(self, x):
        if not CUDA:
            if type(x) is torch.Tensor:
                return x
            if type(x) is np.ndarray and x.flags.carray:
                try:
                    return torch.from_numpy(x)
                except (TypeError, ValueError):  # for what PyTorch has no dtype or no strides
                    pass
        return self._tensor(x)

    @contextlib.contextmanager
    def quiet(self, run):
        """A context that gives `run`, a step, for a time in which only values of arguments and variables change."""
        known, on_device = {}, self._on_device

        def run_quietly(*args):
            leaves = leaves_of(args)
            key = key_of(leaves)
            code = known.get(key)
            if code is not None:
                result = code([on_device(x) for x in leaves if x is not None])
                if result is not NotImplemented:
                    return result
            result = run(*args)
            if key in self._written and self._unchanged.holds():
                known[key] = self._written[key].settled()
            return result
        yield run_quietly

    def _forget(self):
        self._written, self._times = {}, {}
        self._changes += 1
        self.is_possible = self._changes < _MOST_CHANGES

    def is_due(self, key):
        """Whether the step is to be written down now."""
        times = self._times[key] = self._times.get(key, 0) + 1
        if times != (TIMES if self._joiner is None or self._written else _TIMES_JOINED):
            return False
        can_be_seen = self._unchanged.can_be_seen()
        if self._joiner is not None and not can_be_seen:
            self._refuse_to_join('it has layers, losses or metrics of your own, whose changes nobody can watch')
        return can_be_seen

    def _refuse_to_join(self, reason):
        self._joiner = None
        say_why_not(reason)

    def written(self, key, fn, args, ledger):
        """`fn(*args)`, which is written down while it runs under a `Ledger`."""
        tensors = [x for x in leaves_of(args) if x is not None]
        with Tape(tensors, ledger.values) as tape:
            outputs = fn(*args)
        if tape.reason is None:
            try:
                self._keep(key, tape, tensors, outputs, ledger.writes)
            except Unrecordable as reason:
                tape.give_up(str(reason))
        self.reason = tape.reason
        if self._joiner is not None and tape.reason is not None:
            self._refuse_to_join(tape.reason)
        return outputs

    def _keep(self, key, tape, args, outputs, writes):
        if isinstance(outputs, torch.Tensor):
            names = tape.handed_out(outputs)
        elif type(outputs) is list and all(isinstance(leaf, torch.Tensor) for leaf in outputs):
            names = list(map(tape.handed_out, outputs))
        else:
            raise Unrecordable('it gives no list of tensors')
        writes = {variable: value for variable, value in writes.items() if value is not variable.held}
        news = [tape.handed_out(value) for value in writes.values()]
        code = Code(tape, names, list(writes), news, self._joiner)
        self._written[key] = _Written(code, tape.variables + list(writes), args)
