"""Optimizers: how `fit` changes the weights."""
from keras import generations
from keras.optimizers import schedules
from keras.optimizers.algorithms import (
    SGD, Adadelta, Adafactor, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop, ScheduleFreeAdamW,
    TFOptimizer)
from keras.optimizers.base import Optimizer, clip_norm
from keras.optimizers.wrapping import LossScaleOptimizer, MultiOptimizer, OptimizerMap  # noqa: F401
from keras.saving.kinds import Kind, deserialize_keras_object, serialize_keras_object  # noqa: F401

sgd, rmsprop, adagrad, adadelta, adam, adamax, nadam = SGD, RMSprop, Adagrad, Adadelta, Adam, Adamax, Nadam


class _Optimizers(Kind):
    """Optimizers go by name in any case; those of the engine are taken, too."""

    def find(self, name, custom_objects=None, module=None):
        known = name in self.objects or name.lower() not in self.objects
        return super().find(name if known else name.lower(), custom_objects, module)

    def deserialize(self, identifier, custom_objects=None):
        made = super().deserialize(identifier, custom_objects)
        if isinstance(identifier, dict) and identifier.get('class_name', '').lower() in self.objects:
            # Every Keras left the name of the class like this in the config that it read, and scripts compare them.
            identifier['class_name'] = identifier['class_name'].lower()
        return made

    def get(self, identifier, kwargs=None):
        if identifier is None and not generations.value('none_is_no_optimizer'):
            return None
        if hasattr(identifier, 'apply_gradients') and not isinstance(identifier, (Optimizer, type)):
            return TFOptimizer(identifier)
        return super().get(identifier, kwargs)


_KIND = _Optimizers('optimizer', Optimizer, functions=None, accepts=lambda cls: issubclass(cls, Optimizer),
                    takes_none=False, home=__name__,
                    expected='a name such as "adam", a config, or an optimizer of keras.optimizers')
_KIND.enter_public(globals())
_KIND.enter({name.lower(): optimizer for name, optimizer in _KIND.objects.items()})
get, serialize, deserialize = _KIND.module_functions(
    'optimizer', takes_kwargs=True, example=">>> keras.optimizers.get('sgd').momentum\n0.0")
optimizer_from_config = deserialize
