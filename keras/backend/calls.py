"""What is known, per thread, about the layer calls that run."""
import threading

from keras.backend.state import context


class _Calls(threading.local):
    """Per thread, what holds for the layer calls that run inside another one.

    losses: collects what `add_loss` is given, None outside. (The training flag is in `state.context`.)
    metrics: collects (name, value) from `add_metric`, None outside.
    masks: {id(tensor): (tensor, mask)} for native tensors that carry one; empty most of the time.
    """
    losses = None
    metrics = None
    masks = None


calls = _Calls()


class running:
    """Run a block as one outermost call: collects losses and metrics, and knows the training flag."""

    def __init__(self, training):
        self.training = training
        self.losses, self.metrics = [], []

    def __enter__(self):
        self._previous = (context.training, context.running, context.assigned, calls.losses, calls.metrics, calls.masks)
        context.training, context.running, context.assigned = self.training, True, []
        calls.losses, calls.metrics, calls.masks = self.losses, self.metrics, {}
        return self

    def __exit__(self, *_):
        context.training, context.running, context.assigned, calls.losses, calls.metrics, calls.masks = self._previous


def noted_mask(x):
    """The mask that a layer of the running call gave the native tensor `x`, or None."""
    noted = calls.masks.get(id(x))
    return noted[1] if noted is not None and noted[0] is x else None
