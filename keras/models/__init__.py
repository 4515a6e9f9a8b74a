"""Models: `Model`, `Sequential`, cloning, and reading architectures and files."""
import json

from keras.layers import Input, InputLayer, model_classes
from keras.models.model import Model, clone_model  # noqa: F401
from keras.models.sequential import Sequential  # noqa: F401
from keras.saving.serialization import CustomObjectScope, deserialize_keras_object

# The name under which tf.keras and Keras 3 write models that were made from inputs and outputs.
Functional = Model
model_classes.update(Model=Model, Functional=Functional, Sequential=Sequential)


def model_from_config(config, custom_objects=None):
    """A model with fresh weights from `{'class_name', 'config'}`.

    Raises:
        TypeError: for a bare list, which `Sequential.from_config` reads. ValueError: for an unknown class.
    """
    if isinstance(config, list):
        raise TypeError('model_from_config expects a dictionary. Received a list: did you mean '
                        'Sequential.from_config(config)?')
    known = {'Model': Model, 'Functional': Functional, 'Sequential': Sequential}
    with CustomObjectScope(custom_objects or {}):
        return deserialize_keras_object(config, module_objects=known, printable_module_name='model')


def model_from_json(json_string, custom_objects=None):
    """A model with fresh weights from what `Model.to_json` gave."""
    return model_from_config(json.loads(json_string), custom_objects=custom_objects)


def save_model(model, filepath, overwrite=True, include_optimizer=True, **kwargs):
    """Save a model; see `Model.save`."""
    model.save(filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)


def load_model(filepath, custom_objects=None, compile=True, **kwargs):
    """A model from a file that `Model.save` wrote, compiled as it was, its optimizer's state included.

    Args:
        filepath: path. custom_objects: {name: class or function} for what is not Keras's own.
        compile: False leaves the training configuration aside.

    Raises:
        OSError: if there is no such file, or it is truncated. ValueError: for unknown layers, with near matches.
    """
    from keras import saving
    return saving.load_model(filepath, custom_objects=custom_objects, compile=compile, **kwargs)
