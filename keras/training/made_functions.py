"""Functions of whole steps in the manner of tf.keras and Keras 3: what `make_train_function` and its kin make.

Such a function takes an iterator and runs the step for the next batch of it. One that is written for JAX takes the
state of the model before that, and returns it behind the logs.
"""
import inspect

from keras.backend.contract import tree
from keras.backend.contract.context import at_once
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import native_result
from keras.training.data.layout import Layout, Structure
from keras.training.own_steps import OwnStep, assign_state, state_parts, values_of
from keras.training.steps import under

MAKERS = {'train': 'make_train_function', 'test': 'make_test_function', 'predict': 'make_predict_function'}


def step_function(program, kind):
    """The function for a kind of step: f(iterator) gives the logs or outputs for the next batch of it.

    Args:
        program: the `Program` of the model. kind: 'train', 'test' or 'predict'.
    """
    steps = {}

    def run(data):
        leaves = tree.flatten(data)
        layout = Layout(Structure(data) if tree.is_nested(data) else None, 0, (), ())
        if layout not in steps:
            steps[layout] = OwnStep(program, kind, layout)
        return steps[layout].packed(steps[layout](leaves))

    def function(*given):
        data = next(iter(given[-1]))
        if len(given) == 1:
            return run(data)
        parts = state_parts(program.forward.model, kind)
        assign_state(parts, given[0])
        return run(data), values_of(parts)
    return function


class MadeStep:
    """Runs the function that the `make_..._function` of a model makes, for batches of a layout.

    Args:
        program: the `Program`. kind: the kind of step. layout: the `Layout` of the data.
    """

    def __init__(self, program, kind, layout):
        self._program, self._kind, self._layout = program, kind, layout
        self._structure = self._handed = None

    def __call__(self, xs):
        engine, model = get_engine(), self._program.forward.model
        data = self._layout.inputs(list(map(engine.convert, xs)))
        made = self._program.made_function(self._kind)
        function = under(self._program, made)
        self._handed = engine.handed(data, self._handed)
        with at_once():
            if _takes_state(made):
                parts = state_parts(model, self._kind)
                found, state = function(values_of(parts), self._handed.iterator)
                assign_state(parts, state)
            else:
                found = function(self._handed.iterator)
        self._structure = tree.map_structure(lambda _: None, found)
        return list(map(native_result, tree.flatten(found)))

    def packed(self, leaves):
        """What the function returned, with `leaves` in its places."""
        return tree.pack_as(self._structure, leaves) if tree.is_nested(self._structure) else leaves[0]

    @staticmethod
    def check_targets(ys):
        """The function says itself what it does with its data."""


def _takes_state(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return len([p for p in parameters if p.default is p.empty
                and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]) == 2
