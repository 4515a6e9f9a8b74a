"""Gradients in scripts, the same on every engine: `value_and_grad`, `grad` and `GradientTape`.

TensorFlow, PyTorch and Theano record what is computed, so a tape asks them. The other engines differentiate functions:
there a tape has the step that it stands in run again, from its beginning up to the gradient (`Script`). Their compilers
find what both runs have in common.
"""
import threading

from keras import ops
from keras.backend.contract import tree
from keras.backend.contract.context import calls, context, note_mask, noted_mask
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import is_float
from keras.backend.state.variables import Variable


def value_and_grad(fn, sources, has_aux=False):
    """The value of a scalar function, and its gradients.

    Args:
        fn: function that returns a scalar tensor, or (scalar, anything else) with `has_aux`. It reads variables as
            layers do; the tensors among `sources` are its arguments.
        sources: a `Variable` or a tensor, or a nested structure of them: what to differentiate by.
        has_aux: whether `fn` returns a pair.

    Returns:
        What `fn` returned, and the gradients in the structure of `sources`; None for what it does not depend on.

    Example:
        >>> v = keras.Variable([3.0])
        >>> value, gradient = keras.value_and_grad(lambda: keras.ops.sum(v.value ** 2), v)  # doctest: +SKIP
    """
    flat = tree.flatten(sources)
    variables = [source for source in flat if isinstance(source, Variable)]
    values = [ops.convert_to_tensor(source) for source in flat if not isinstance(source, Variable)]
    engine = get_engine()

    def scalar(*tensors):
        result = fn(*tensors)
        value, aux = result if has_aux else (result, None)
        # Outside of the gradients these are other tensors, whose masks are to go with them.
        return _summed(value), (value, aux, [noted_mask(leaf) for leaf in tree.flatten(aux)] if calls.masks else [])

    def found(*tensors):
        (value, aux, masks), gradients = engine.gradients(scalar, list(tensors), variables)
        for leaf, mask in zip(tree.flatten(aux), masks):
            if mask is not None:
                note_mask(leaf, mask)
        return value, aux, gradients
    if context.ledger is None and engine.capabilities.deferred:
        found = engine.step(found, variables, [])
    value, aux, gradients = found(*values)
    of_values, of_variables = iter(gradients[:len(values)]), iter(gradients[len(values):])
    ordered = [next(of_variables if isinstance(source, Variable) else of_values) for source in flat]
    packed = tree.pack_as(sources, ordered) if tree.is_nested(sources) else ordered[0]
    return ((value, aux) if has_aux else value), packed


def grad(fn, sources, has_aux=False):
    """The gradients of a scalar function alone, with `has_aux` and what else `fn` returned; see `value_and_grad`."""
    value, gradients = value_and_grad(fn, sources, has_aux)
    return (gradients, value[1]) if has_aux else gradients


def _summed(value):
    return ops.sum(value) if ops.ndim(value) else value


def _total(targets, factors):
    """One scalar whose gradients are those of `targets` times `factors`, None for ones."""
    return sum([_summed(target if factor is None else target * factor) for target, factor in zip(targets, factors)])


class GradientTape:
    """Gradients of what is computed inside of a `with` block, in the manner of `tf.GradientTape`, on every engine.

    Args:
        persistent: whether `gradient` may be called more than once. watch_accessed_variables: False has the tape see
            only what `watch` was given.

    On TensorFlow, PyTorch and Theano a tape works everywhere, by variables and by tensors that are watched. JAX, MXNet
    and CNTK differentiate functions: there it works inside of a model's `train_step`, by variables. `value_and_grad`
    works everywhere, and computes nothing twice.

    Example:
        >>> class Halved(keras.Model):
        ...     def train_step(self, data):
        ...         x, y = data
        ...         with keras.GradientTape() as tape:
        ...             loss = 0.5 * keras.ops.mean((self(x, training=True) - y) ** 2)
        ...         self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        ...         return {'loss': loss}
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self._persistent, self._watches_all = persistent, watch_accessed_variables
        self._used = False

    def __enter__(self):
        recorder = get_engine().recorder()
        self._kept = _Rerun(self._watches_all) if recorder is None else _Recorded(recorder, self._watches_all)
        self._kept.__enter__()
        return self

    def __exit__(self, *error):
        self._kept.__exit__(*error)

    def watch(self, tensor):
        """Record what is computed from a `Variable` or a tensor (or a structure of them), too."""
        for leaf in tree.flatten(tensor):
            self._kept.watch(leaf)

    def gradient(self, target, sources, output_gradients=None):
        """The gradients of `target` (of its sum where it is no scalar) by `sources`, in the structure of these.

        Args:
            output_gradients: a tensor like `target` to multiply it with before it is summed.

        Raises:
            RuntimeError: at a second call, unless the tape is persistent.
        """
        if self._used and not self._persistent:
            raise RuntimeError('GradientTape.gradient was called twice. Make the tape with persistent=True for that.')
        self._used = True
        targets = tree.flatten(target)
        factors = [None] * len(targets) if output_gradients is None else tree.flatten(output_gradients)
        found = self._kept.gradients(targets, factors, tree.flatten(sources))
        return tree.pack_as(sources, found) if tree.is_nested(sources) else found[0]


class _TapeLedger(Ledger):
    """The ledger of a tape that records: values are watched when they are first read, writes go outward."""
    __slots__ = ('recorder', 'chosen')

    def read(self, variable):
        value = self.values.get(variable)
        if value is None:
            value = self.outer.read(variable) if self.outer is not None else variable.load()
            if is_float(variable.dtype) and (self.chosen is None and variable.trainable
                                             or variable in (self.chosen or ())):
                value = self.recorder.watch(value)
            self.values[variable] = value
        return value

    def write(self, variable, value):
        self.values[variable] = value
        previous, context.ledger = context.ledger, self.outer
        try:
            variable.assign(value)
        finally:
            context.ledger = previous


class _Recorded:
    """A tape on an engine that records."""

    def __init__(self, recorder, watches_all):
        self._recorder = recorder
        self._ledger = _TapeLedger(outer=context.ledger)
        self._ledger.recorder, self._ledger.chosen = recorder, None if watches_all else set()

    def __enter__(self):
        self._recorder.__enter__()
        self._ledger.__enter__()

    def __exit__(self, *error):
        self._ledger.__exit__(*error)
        self._recorder.__exit__(*error)

    def watch(self, leaf):
        if not isinstance(leaf, Variable):
            self._recorder.watch(leaf)
        elif self._ledger.chosen is not None:
            self._ledger.chosen.add(leaf)

    def gradients(self, targets, factors, sources):
        values = [self._ledger.values.get(source) if isinstance(source, Variable) else source for source in sources]
        known = [value for value in values if value is not None]
        found = iter(self._recorder.gradients(targets, factors, known)) if known else ()
        return [None if value is None else next(found) for value in values]


# --- engines that differentiate functions ------------------------------------------------------------------------

class _Reached(Exception):
    """Ends a run again of a script where the gradient that it is for is asked for."""


class _Run:
    """One run of a script. `tapes`, `gradients`: how many were met. `until`: the number of the gradient to stop at.
    `tape`: the number of its tape, where `substitutes` {variable: value} come into force.
    """

    def __init__(self, until=None, tape=None, substitutes=None):
        self.until, self.tape, self.substitutes = until, tape, substitutes
        self.tapes = self.gradients = 0


class _Current(threading.local):
    script = run = None


_current = _Current()


class Script:
    """A function of a step that tapes may run again. It has to do the same each time, but for what steps are given.

    Args:
        function: what to run.
    """

    def __init__(self, function):
        self._function = function

    def __call__(self, *args):
        self._args, self.found = args, []
        # What variables are at the beginning: the writes of this run stay in a ledger of its own until its end.
        self.start = context.ledger
        with Ledger(outer=self.start) as ledger:
            result = self._running(_Run())
        for variable, value in ledger.writes.items():
            variable.assign(value)
        self._args = self.start = None
        return result

    def _running(self, run):
        previous = _current.script, _current.run
        _current.script, _current.run = self, run
        try:
            return self._function(*self._args)
        finally:
            _current.script, _current.run = previous

    def target_again(self, run):
        """The target of the gradient that `run` is to stop at."""
        with Ledger(outer=context.ledger):
            try:
                self._running(run)
            except _Reached as reached:
                return reached.args[0]
        raise RuntimeError('train_step asked for a gradient in its first run and not in its second. It has to do the '
                           'same whenever it runs.')


class _Rerun:
    """A tape on an engine that differentiates functions, inside of a `Script`."""

    def __init__(self, watches_all):
        self._script, self._run = _current.script, _current.run
        engine = get_engine()
        if not engine.capabilities.gradients:
            engine.unsupported('value_and_grad')()
        if self._script is None or not watches_all:
            raise NotImplementedError(
                'keras.GradientTape: the %s engine differentiates functions, so a tape works inside of train_step '
                'only, and watches all variables. Elsewhere use keras.value_and_grad(function, variables).'
                % engine.name)

    def __enter__(self):
        self._number, self._run.tapes = self._run.tapes, self._run.tapes + 1
        if self._run.tape == self._number:
            context.ledger.values.update(self._run.substitutes)
        self._values = dict(context.ledger.values)

    def __exit__(self, *error):
        pass

    def watch(self, leaf):
        if not isinstance(leaf, Variable):
            raise NotImplementedError(
                'GradientTape.watch: the %s engine has gradients by variables only on a tape. By a tensor x use '
                'keras.grad(function, x), which calls function(x).' % get_engine().name)

    def gradients(self, targets, factors, sources):
        for source in sources:
            self.watch(source)
        number, self._run.gradients = self._run.gradients, self._run.gradients + 1
        if self._run.until == number:
            raise _Reached(_total(targets, factors))
        script = self._script
        if number == len(script.found):
            script.found.append(self._again(number, sources))
        return script.found[number]

    def _again(self, number, sources):
        script, distinct = self._script, list(dict.fromkeys(sources))

        def again(*values):
            run = _Run(number, self._number, dict(zip(distinct, values)))
            return script.target_again(run), ()
        previous, context.ledger = context.ledger, script.start
        try:
            values = [self._values[source] if source in self._values else source.value for source in distinct]
            _, found = get_engine().gradients(again, values)
        finally:
            context.ledger = previous
        by_source = dict(zip(distinct, found))
        return [by_source[source] for source in sources]
