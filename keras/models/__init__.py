"""Models: `Model`, `Sequential`, cloning, and reading architectures and files."""
from keras import saving
from keras.layers import Input, InputLayer, Layer  # noqa: F401
from keras.legacy import calls
from keras.models.model import Model, clone_model  # noqa: F401
from keras.models.named_graph import Graph  # noqa: F401
from keras.models.premade import LinearModel, SharpnessAwareMinimization, WideDeepModel
from keras.models.sequential import Sequential  # noqa: F401
from keras.saving import values, versions
from keras.saving.kinds import Kind
from keras.saving.texts import parse_json, parse_yaml
from keras.saving.serialization import SafeModeScope

# The name under which tf.keras and Keras 3 write models that were made from inputs and outputs.
Functional = Model
_KIND = Kind('model', Model, functions=None, accepts=lambda cls: issubclass(cls, Layer), home=__name__,
             includes=('keras.distillation',))
_KIND.enter_public(globals())
_KIND.enter({each.__name__: each for each in (LinearModel, SharpnessAwareMinimization, WideDeepModel)})
calls.install(globals(), calls.MODELS)


def model_from_config(config, custom_objects=None, safe_mode=True):
    """A model with fresh weights from `{'class_name', 'config'}`.

    Args:
        custom_objects: {name: class or function} for what is not Keras's own.
        safe_mode: False runs functions that the config holds as code.

    Raises:
        TypeError: for a bare list, which `Sequential.from_config` reads. ValueError: for an unknown class, for code.
    """
    if isinstance(config, list):
        raise TypeError('model_from_config expects a dictionary. Received a list: did you mean '
                        'Sequential.from_config(config)?')
    if not isinstance(config, dict):
        raise ValueError('model_from_config expects a dictionary. Received: %.200r' % (config,))
    with SafeModeScope(safe_mode):
        return _KIND.deserialize(config, custom_objects)


def model_from_json(json_string, custom_objects=None, safe_mode=True):
    """A model with fresh weights from what `Model.to_json` gave; arguments as for `model_from_config`."""
    return _from_text(parse_json(json_string), custom_objects, safe_mode)


def _from_text(parsed, custom_objects, safe_mode):
    config = values.decoded(parsed)
    version = config.get('keras_version', '3') if isinstance(config, dict) else '3'
    return model_from_config(versions.completed(config, version), custom_objects, safe_mode)


def model_from_yaml(yaml_string, custom_objects=None, safe_mode=True):
    """A model with fresh weights from what `Model.to_yaml` gave; arguments as for `model_from_config`.

    Raises:
        ImportError: without PyYAML. ValueError: for text that is no YAML.
    """
    return _from_text(parse_yaml(yaml_string), custom_objects, safe_mode)


def save_model(model, filepath, overwrite=True, include_optimizer=True, **kwargs):
    """Save a model; see `Model.save`."""
    model.save(filepath, overwrite=overwrite, include_optimizer=include_optimizer, **kwargs)


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """A model from a file that `Model.save` wrote, compiled as it was, its optimizer's state included.

    Args:
        filepath: path. custom_objects: {name: class or function} for what is not Keras's own.
        compile: False leaves the training configuration aside.
        safe_mode: False runs functions that the file holds as code, which could do anything on this machine.

    Raises:
        OSError: if there is no such file, or it is damaged. ValueError: for unknown layers, with near matches; for
            code in the file.
    """
    return saving.load_model(filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode)
