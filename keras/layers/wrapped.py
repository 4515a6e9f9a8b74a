"""What a layer runs with more around it: `build`, and `call` as plans run it."""
import contextlib

from keras.backend.contract import placement
from keras.backend.contract.context import context


@contextlib.contextmanager
def building(layer):
    """A `with` block in which `build` of a layer runs."""
    outermost, layer.runs_build = not layer.runs_build, True
    try:
        yield
    finally:
        if outermost:
            del layer.runs_build


def laying_out(function, layout):
    """`function`, with what it gives spread over devices as `layout` says; not while shapes are inferred."""
    def run(*args, **kwargs):
        outputs = function(*args, **kwargs)
        return outputs if context.abstract or context.tracing is not None else placement.outputs(outputs, layout)
    return run


def with_training(function, training):
    def run(*args, **kwargs):
        return function(*args, training=training, **kwargs)
    return run


def with_training_instead(function, training):
    def run(*args, **kwargs):
        return function(*args, **dict(kwargs, training=training))
    return run
