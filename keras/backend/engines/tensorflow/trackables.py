"""Layers, optimizers and metrics as TensorFlow's own checkpoints and SavedModels take them."""
import warnings

import tensorflow as tf

from keras.backend.contract import tree
from keras.backend.contract.ledger import Concretely, Ledger
from keras.backend.contract.loading import active
from keras.backend.engines.tensorflow.exports import function_of, named_outputs
from keras.backend.state.variables import Variable

_Auto = tf.__internal__.tracking.AutoTrackable if hasattr(tf, '__internal__') else object
_WAITING = '_self_unconditional_deferred_dependencies'


class _Reference:
    """One thing that an object depends on, as `tf.train.Checkpoint` asks for them."""

    def __init__(self, name, ref):
        self.name, self.ref = name, ref

    def __iter__(self):
        return iter((self.name, self.ref))


class Tracked(_Auto):
    """What has `tracked_by_name()`, {name: what it consists of}, for `tf.train.Checkpoint` and `tf.saved_model.save`.

    Methods of the class that are functions of TensorFlow (`tf.function`) go into a SavedModel, and so does the call of
    a model, as 'serving_default', where it is known what it takes.
    """

    # TensorFlow tracks what is set; here what there is is looked up.
    __setattr__, __delattr__ = object.__setattr__, object.__delattr__

    def __dir__(self):
        # By that name TensorFlow finds optimizers whose slots it keeps itself, beside what they depend on.
        return [name for name in super().__dir__() if name != 'get_slot_names']

    def saved_signature(self):
        """Symbolic tensors like those that a call takes, as a list with an entry for each argument; or None."""
        return None

    def _children(self):
        found = {}
        for name, value in self.tracked_by_name().items():
            value = value.storage if isinstance(value, Variable) else value
            if isinstance(value, (Tracked, tf.Variable)):
                found[name] = value
        for name, value in vars(self).items():
            # TensorFlow takes our variables for its own.
            if isinstance(value, (tf.Variable, tf.Module)) and not isinstance(value, (Variable, Tracked)):
                found.setdefault(name, value)
        return found

    @property
    def _checkpoint_dependencies(self):
        return [_Reference(name, child) for name, child in self._children().items()]

    def _lookup_dependency(self, name, cached_dependencies=None):
        return self._children().get(name)

    @property
    def _default_save_signature(self):
        """The call as a function of TensorFlow with a signature; None where nothing says what it takes."""
        signature = self.saved_signature()
        if signature is None:
            return None

        def call(*args):
            with Ledger(missing=lambda variable: variable.load()) as ledger:
                outputs = self(*args, training=False)
            if ledger.writes:
                active.engine.commit(ledger.writes)
            return outputs
        leaves = tree.flatten(signature)
        specs = [tf.TensorSpec(leaf.shape, leaf.dtype, name='inputs' if not index else 'inputs_%d' % index)
                 for index, leaf in enumerate(leaves)]
        try:
            function = named_outputs(function_of(call, tree.pack_as(signature, specs)))
            function.get_concrete_function()
        except Exception as error:  # a `call` of one's own may take more than it was built for
            warnings.warn("%s: its call is not kept as 'serving_default', since it does not run on %s: %s Give "
                          'tf.saved_model.save the `signatures`.' % (self.name, specs, error), stacklevel=2)
            return None
        return function


def restore_waiting(built):
    """Give what was just built the values that a checkpoint has for it which was restored before."""
    waiting = vars(built).get(_WAITING)
    if waiting:
        with Concretely():
            for name, child in built._children().items():
                built._handle_deferred_dependencies(name, child)
