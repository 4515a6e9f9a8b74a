"""What holds per thread: the ledger around a step, the layer calls that run, the training flag."""
import threading
import weakref


class _Context(threading.local):
    """Per thread: the innermost ledger; whether tensors are abstract; whether a layer call runs, and its training flag;
    whether operators on all variables make graph; (result, variable, old value) of what `K.update` did in the call;
    the `Trace` of a model that is being written down, for which symbolic tensors are values (keras/export)."""
    ledger = None
    abstract = False
    running = False
    symbolic = False
    # Whether gradients are being found by an engine that has no gradients of gradients.
    differentiating = False
    training = None
    # Whether what layers keep of the batches they see (moving averages) is kept: not where a model only tests.
    updating = True
    # Whether layers with `stateful=True` keep their states: not in a function of K, which has updates of its own.
    keeping_states = True
    assigned = None
    # What `Variable.assign` hands (variable, value) to in place of assigning, while a graph is made; None elsewhere.
    record_assignment = None
    tracing = None


context = _Context()


class PhaseSetting:
    """The training flag of calls that are given none, as `K.set_learning_phase` left it; None: not set."""
    value = None


learning_phase = PhaseSetting()


def phase_or(training):
    """The learning phase where one is set, else `training`."""
    return training if learning_phase.value is None else learning_phase.value


def in_phase(phase, function):
    """`function` under the training flag `phase`."""
    def run(*args, **kwargs):
        previous, context.training = context.training, phase
        try:
            return function(*args, **kwargs)
        finally:
            context.training = previous
    return run


def runs_at_once():
    """Whether operations on variables have values now: in a running step or layer call. Elsewhere they make graph."""
    return context.ledger is not None or context.abstract or context.running


class _Calls(threading.local):
    """Per thread, what holds for the layer calls that run inside another one.

    losses: collects what `add_loss` is given, None outside. (The training flag is in `context`.)
    metrics: collects (name, value) from `add_metric`, None outside.
    results: {id(tensor): (tensor, metric)} for what metrics that were called gave; None where none was.
    masks: {id(tensor): (tensor, mask)} for native tensors that carry one; empty most of the time.
    logits: {id(tensor): (tensor, logits)} for what a sigmoid or softmax gave, None where nobody asks.
    frozen: in a step of a compiled model, the ids of the layers that were not trainable when it was compiled.
    """
    losses = None
    metrics = None
    results = None
    masks = None
    logits = None
    frozen = None

    def mark(self):
        """How much has been added, for `take_back`."""
        return len(self.losses or ()), len(self.metrics or ())

    def take_back(self, mark):
        """Forget the losses and metrics that a call has added since `mark`: it begins again."""
        for added, count in zip((self.losses, self.metrics), mark):
            del (added or [])[count:]


calls = _Calls()


class running:
    """Run a block as one outermost call: collects losses and metrics, and knows the training flag.

    Args:
        training: the flag. updating: whether moving averages are kept. keeping_states: whether states are.
        frozen: as in `calls`; where it is None, what holds outside goes on.
    """

    def __init__(self, training, updating=True, keeping_states=True, frozen=None):
        self.training, self.updating, self.keeping_states = training, updating, keeping_states
        self.frozen = frozen
        self.losses, self.metrics = [], []

    def __enter__(self):
        self._previous = (context.training, context.updating, context.keeping_states, context.running,
                          context.assigned, calls.losses, calls.metrics, calls.results, calls.masks, calls.frozen)
        context.training, context.updating, context.keeping_states = self.training, self.updating, self.keeping_states
        context.running, context.assigned = True, []
        calls.losses, calls.metrics, calls.results, calls.masks = self.losses, self.metrics, None, {}
        if self.frozen is not None:
            calls.frozen = self.frozen
        return self

    def __exit__(self, *_):
        (context.training, context.updating, context.keeping_states, context.running, context.assigned, calls.losses,
         calls.metrics, calls.results, calls.masks, calls.frozen) = self._previous


def note_metric(result, metric):
    """Note, inside of a layer that runs, that `result` is what `metric` gave, for `add_metric`."""
    if calls.metrics is not None:
        calls.results = calls.results or {}
        calls.results[id(result)] = result, metric


def noted_metric(result):
    """The metric that gave `result` inside of the layer that runs, or None."""
    found = calls.results.get(id(result)) if calls.results else None
    return None if found is None else found[1]


class at_once:
    """Run a block in which variables have values now, while the calls of layers in it are the outermost ones.

    The masks of what these give are known in the whole block.
    """

    def __enter__(self):
        self._previous = context.running, calls.masks
        context.running, calls.masks = True, {}

    def __exit__(self, *_):
        context.running, calls.masks = self._previous


class recording_assignments:
    """Run a block in which `Variable.assign` and its kin make graph: they give what `record(variable, value)` gives.

    Args:
        record: the function; None for a block in which they assign as ever.
    """

    def __init__(self, record):
        self._record = record

    def __enter__(self):
        self._previous, context.record_assignment = context.record_assignment, self._record

    def __exit__(self, *_):
        context.record_assignment = self._previous


class recording:
    """Run a block in which layers that are called on symbolic tensors make graph, whatever runs around it."""

    def __enter__(self):
        self._previous = context.abstract, context.tracing
        context.abstract, context.tracing = False, None

    def __exit__(self, *_):
        context.abstract, context.tracing = self._previous


class noting_logits:
    """Run a block in which activations note what went into them; gives {id(tensor): (tensor, logits)}.

    Args:
        wanted: False for a block in which nothing is noted.
    """

    def __init__(self, wanted=True):
        self._wanted = wanted

    def __enter__(self):
        self._previous = calls.logits
        calls.logits = {} if self._wanted else None
        return calls.logits

    def __exit__(self, *_):
        calls.logits = self._previous


def with_logits(x, logits):
    """`x`, a probability that comes of `logits`, which are noted where somebody asks for them."""
    if calls.logits is not None:
        calls.logits[id(x)] = (x, logits)
    return x


def note_mask(x, mask):
    """Note that `mask` goes with the native tensor `x`, for the layers called next."""
    calls.masks[id(x)] = (x, mask)


# {id(tensor): (weak reference, mask)} of what layers gave that were called outside of everything else.
carried = {}


def carry_mask(x, mask):
    """Let `mask` go with the native tensor `x` as long as that lives, to the layers that a script calls next."""
    try:
        carried[id(x)] = weakref.ref(x, lambda _, key=id(x): carried.pop(key, None)), mask
    except TypeError:  # an engine whose tensors cannot be watched
        pass


def let_go_along(x, mask):
    """Let `mask` go with the native tensor `x` to the layers called next, in a running call or outside."""
    if calls.masks is None:
        carry_mask(x, mask)
    else:
        note_mask(x, mask)


def carried_mask(x):
    """The mask that goes with the native tensor `x` outside of calls, or None."""
    found = carried.get(id(x))
    return found[1] if found is not None and found[0]() is x else None


def known_mask(x):
    """The mask that goes with the native tensor `x`, in a running call or outside, or None."""
    if calls.masks:
        return noted_mask(x)
    return carried_mask(x) if carried else None


def noted_mask(x):
    """The mask that a layer of the running call gave the native tensor `x`, or None."""
    noted = calls.masks.get(id(x))
    return noted[1] if noted is not None and noted[0] is x else None
