"""Configuration: the engine's name, `floatx`, `epsilon`, `image_data_format` and the generation of Keras.

Settings come, strongest first, from the environment variables `KERAS_BACKEND` and `KERAS_GENERATION`, from
`$KERAS_HOME/keras.json` (default `~/.keras/keras.json`) and from the defaults below. The file is
written with the defaults on first use and never changed afterwards. The engine has no default that could be written:
without a choice it is the first one that is installed. Nothing here imports an engine.

A process that is to use several engines names them all, the active one first: `KERAS_BACKEND=tensorflow,mxnet`, or
`"backend": "tensorflow,mxnet"`. They are then imported in an order that all of them survive.
"""
import json
import os
import sys
import threading
import traceback
import warnings

FLOAT_TYPES = ('float16', 'bfloat16', 'float32', 'float64')
DATA_FORMATS = ('channels_last', 'channels_first')
# Keras 1 (1.2.2), Keras 2 (2.3.1), tf.keras 2.x and Keras 3: see `keras.generations` for where they disagree.
GENERATIONS = (1, 2, 'tf', 3)
DEFAULT_GENERATION = 2
# Packages that run on Keras 3 and no other: a program that imports one of them is written for Keras 3.
MADE_FOR_KERAS_3 = frozenset(('bayesflow', 'keras_hub', 'keras_rs'))
# Packages that run on tf.keras as it was before Keras 3, and on nothing newer.
MADE_FOR_TF_KERAS = frozenset((
    'larq', 'qkeras', 'tensorflow_addons', 'tensorflow_decision_forests', 'tensorflow_gnn',
    'tensorflow_model_optimization', 'tensorflow_probability', 'tensorflow_recommenders', 'tf_agents'))
# What a new file holds: settings, but no guess of the engine or the generation, which would bind later runs.
DEFAULTS = {'floatx': 'float32', 'epsilon': 1e-07, 'image_data_format': 'channels_last'}

# Keras 1 called the data formats after the engines that preferred them.
_IMAGE_DIM_ORDERINGS = {'tf': 'channels_last', 'th': 'channels_first'}


def _is_data_format(value):
    return value in DATA_FORMATS


def _is_epsilon(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def as_generation(value):
    """The generation that `value` means: 1, 2, 'tf' or 3, numbers also as strings.

    Raises:
        ValueError: for anything else.
    """
    if type(value) in (int, str) and value in GENERATIONS:
        return value
    for known in GENERATIONS:
        if str(value) == str(known) and not isinstance(value, bool):
            return known
    raise ValueError('Unknown generation: %r. Expected 1 (Keras 1), 2 (Keras 2.3.1), "tf" (tf.keras 2.x) or '
                     '3 (Keras 3).' % (value,))


def _is_generation(value):
    return value in GENERATIONS and not isinstance(value, (bool, float))


_CHECKS = {
    'floatx': (lambda value: value in FLOAT_TYPES, 'one of ' + ', '.join(FLOAT_TYPES)),
    'epsilon': (_is_epsilon, 'a positive number'),
    'backend': (lambda value: isinstance(value, str) and bool(_names(value)), 'the name of an engine, or several'),
    'image_data_format': (_is_data_format, 'channels_last or channels_first'),
    'generation': (_is_generation, '1, 2, "tf" or 3'),
    'nnx_enabled': (lambda value: isinstance(value, bool), 'true or false'),
}


def _names(value):
    return tuple(name.strip() for name in value.split(',') if name.strip())


def keras_home():
    """The folder for `keras.json`, data sets and pretrained weights: `$KERAS_HOME`, else `~/.keras`.

    Where the home folder cannot be written, a folder `.keras` under the system's temporary one serves.
    """
    if os.environ.get('KERAS_HOME'):
        return os.environ['KERAS_HOME']
    home = os.path.expanduser('~')
    if not os.access(home, os.W_OK):
        import tempfile
        home = tempfile.gettempdir()
    return os.path.join(home, '.keras')


def _warn(message):
    warnings.warn(message, stacklevel=4)


def _read_settings(path):
    """The valid settings in `path`; whatever is wrong with it is reported in a warning and ignored."""
    try:
        with open(path) as file:
            found = json.load(file)
    except (OSError, UnicodeDecodeError) as error:
        _warn('%s cannot be read (%s). It was ignored: the defaults %r are used.' % (path, error, DEFAULTS))
        return {}
    except ValueError as error:
        _warn('%s is not valid JSON (%s). The whole file was ignored and left as it is: the defaults %r are used. '
              'Mend it, or delete it to have it written anew.' % (path, error, DEFAULTS))
        return {}
    if not isinstance(found, dict):
        _warn('%s holds %s, not a JSON object. It was ignored.' % (path, type(found).__name__))
        return {}
    return _valid_settings(found, path)


def _valid_settings(found, path):
    settings = {}
    ordering = found.get('image_dim_ordering')
    if 'image_data_format' not in found and ordering is not None:
        if ordering in _IMAGE_DIM_ORDERINGS:
            settings['image_data_format'] = _IMAGE_DIM_ORDERINGS[ordering]
        else:
            _warn('%s: image_dim_ordering is %r, expected "tf" or "th". It was ignored.' % (path, ordering))
    in_its_place = dict(DEFAULTS, backend='the first engine that is installed', generation=DEFAULT_GENERATION,
                        nnx_enabled=False)
    for name, (is_valid, expected) in _CHECKS.items():
        if name not in found:
            continue
        if is_valid(found[name]):
            settings[name] = found[name]
        else:
            _warn('%s: %s is %r, expected %s. It was ignored: %r is used.'
                  % (path, name, found[name], expected, in_its_place[name]))
    return settings


def _write_defaults(path):
    """Write the default settings where no file is yet; a file that appears meanwhile wins."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'x') as file:
            json.dump(DEFAULTS, file, indent=4)
    except OSError:
        # A read-only home is common on servers and in containers: the defaults serve without a file.
        pass


class Settings:
    """The settings of this process.

    `backends` are the engines that the environment or the file names, `backend` is the first, None where there is none.
    `generation` is None until somebody says which: that of new code is then `default_generation`. `importer` is the
    name of the module that imported `keras` first. `unsafe_deserialization` lets code in files run.
    `dtype_policy` is the policy of new layers, None where `floatx` says it.
    """
    default_generation = DEFAULT_GENERATION
    importer = ''
    unsafe_deserialization = False
    dtype_policy = None
    interactive_logging = True
    # None: the engine decides.
    flash_attention = None
    # What Python shows errors by, while that is ours.
    shown_before = None
    max_epochs = max_steps_per_epoch = None

    def __init__(self):
        path = os.path.join(keras_home(), 'keras.json')
        existed = os.path.exists(path)
        read = _read_settings(path) if existed else {}
        if not existed:
            _write_defaults(path)
        self.floatx = read.get('floatx', DEFAULTS['floatx'])
        self.epsilon = float(read.get('epsilon', DEFAULTS['epsilon']))
        self.image_data_format = read.get('image_data_format', DEFAULTS['image_data_format'])
        variable = os.environ.get('KERAS_BACKEND', '')
        self.backends = _names(variable) or _names(read.get('backend', ''))
        self.backend = self.backends[0] if self.backends else None
        self.backend_source = ('the environment variable KERAS_BACKEND' if _names(variable)
                               else path if 'backend' in read else 'the default')
        variable = os.environ.get('KERAS_GENERATION', '').strip()
        self.generation = as_generation(variable) if variable else read.get('generation')
        for name in ('max_epochs', 'max_steps_per_epoch'):
            variable = os.environ.get('KERAS_' + name.upper(), '').strip()
            if variable:
                setattr(self, name, _limit('KERAS_' + name.upper(), int(variable) if variable.isdigit() else variable))
        variable = os.environ.get('KERAS_NNX_ENABLED')
        self.nnx_enabled = read.get('nnx_enabled', False) if variable is None \
            else variable.strip().lower() in ('1', 'true')
        if self.nnx_enabled:
            self.default_generation = 3  # the only one that knows of it

    def follow_package(self, generation):
        """Have the generation of a package that was imported; Keras 3's goes before that of tf.keras, which packages
        with other uses ask for, too."""
        if generation == 3 or self.default_generation == DEFAULT_GENERATION:
            self.default_generation = generation


settings = Settings()


def floatx():
    """The default float type, as a string.

    Example:
        >>> keras.config.floatx()
        'float32'
    """
    return settings.floatx


def set_floatx(value=None, floatx=None):
    """Set the default float type: 'float16', 'bfloat16', 'float32' or 'float64'.

    Args:
        value: its name. floatx: what Keras 2 calls the argument.

    Raises:
        ValueError: for any other name.

    Example:
        >>> keras.config.set_floatx('float32')
    """
    name = str(floatx if value is None else value)
    if name not in FLOAT_TYPES:
        raise ValueError('Unknown floatx: %r. Expected one of %s.' % (name, ', '.join(FLOAT_TYPES)))
    settings.floatx = name


def epsilon():
    """The small number that keeps divisions and logarithms finite (default 1e-7)."""
    return settings.epsilon


def set_epsilon(value=None, e=None):
    """Set the small number that keeps divisions and logarithms finite.

    Args:
        value: the number. e: what Keras 2 calls the argument.

    Raises:
        ValueError: unless it is a positive number.

    Example:
        >>> keras.config.set_epsilon(1e-7)
    """
    value = e if value is None else value
    if not _is_epsilon(value):
        raise ValueError('epsilon must be a positive number. Received: %r' % (value,))
    settings.epsilon = float(value)


def enable_unsafe_deserialization():
    """Let code in files run when they are loaded, everywhere in this process. Only for files that you trust."""
    settings.unsafe_deserialization = True


def image_data_format():
    """The default layout of images: 'channels_last' or 'channels_first'."""
    return settings.image_data_format


def set_image_data_format(data_format):
    """Set the default layout of images.

    Raises:
        ValueError: unless it is 'channels_last' or 'channels_first'.
    """
    if data_format not in DATA_FORMATS:
        raise ValueError('Unknown data_format: %r. Expected channels_last or channels_first.' % (data_format,))
    settings.image_data_format = str(data_format)


def normalize_data_format(value):
    """`value` in lower case, or the default layout where it is None.

    Raises:
        ValueError: unless it is 'channels_last' or 'channels_first'.
    """
    if value is None:
        return settings.image_data_format
    data_format = str(value).lower()
    if data_format not in DATA_FORMATS:
        raise ValueError('The `data_format` argument must be one of "channels_first", "channels_last". '
                         'Received: %r' % (value,))
    return data_format


# --- how far training goes, and by what ------------------------------------------------------------------------------

def max_epochs():
    """The most epochs that any call of `fit` trains, or None where there is no such limit.

    Example:
        >>> keras.config.max_epochs() is None
        True
    """
    return settings.max_epochs


def set_max_epochs(max_epochs):
    """Let no call of `fit` train for more than `max_epochs`, whatever it says; None takes the limit away.

    For trying out long scripts. The environment variable `KERAS_MAX_EPOCHS` sets it, too.

    Raises:
        ValueError: unless it is None or a whole number from 1.

    Example:
        >>> keras.config.set_max_epochs(None)
    """
    settings.max_epochs = _limit('max_epochs', max_epochs)


def max_steps_per_epoch():
    """The most batches that `fit`, `evaluate` and `predict` take in one go, or None where there is no such limit.

    Example:
        >>> keras.config.max_steps_per_epoch() is None
        True
    """
    return settings.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch):
    """Let no epoch of `fit`, no `evaluate` and no `predict` take more than that many batches; None for no limit.

    The environment variable `KERAS_MAX_STEPS_PER_EPOCH` sets it, too.

    Raises:
        ValueError: unless it is None or a whole number from 1.

    Example:
        >>> keras.config.set_max_steps_per_epoch(None)
    """
    settings.max_steps_per_epoch = _limit('max_steps_per_epoch', max_steps_per_epoch)


def _limit(name, value):
    if value is not None and (isinstance(value, bool) or not hasattr(value, '__index__') or int(value) < 1):
        raise ValueError('%s must be None or a whole number from 1. Received: %r' % (name, value))
    return None if value is None else int(value)


def enable_flash_attention():
    """Let attention use the engine's fused kernels where it has them, as is the default.

    Example:
        >>> keras.config.enable_flash_attention()
    """
    settings.flash_attention = None


def disable_flash_attention():
    """Compute attention by plain matrix products, also where the engine has fused kernels.

    Example:
        >>> keras.config.disable_flash_attention()
        >>> keras.config.is_flash_attention_enabled()
        False
        >>> keras.config.enable_flash_attention()
    """
    settings.flash_attention = False


def is_flash_attention_enabled():
    """Whether attention may use fused kernels: False where they are disabled, None where the engine decides.

    Example:
        >>> keras.config.is_flash_attention_enabled() is None
        True
    """
    return settings.flash_attention


# --- tracebacks -------------------------------------------------------------------------------------------------------

def enable_traceback_filtering():
    """Leave the lines inside of Keras out of the traceback of an error that ends the program.

    The error itself keeps them: debuggers and `except` see all of it. By default everything is shown.

    Example:
        >>> keras.config.enable_traceback_filtering()
        >>> keras.config.is_traceback_filtering_enabled()
        True
        >>> keras.config.disable_traceback_filtering()
    """
    if settings.shown_before is None:
        settings.shown_before = sys.excepthook
        sys.excepthook = _show_filtered


def disable_traceback_filtering():
    """Show tracebacks whole, as is the default.

    Example:
        >>> keras.config.disable_traceback_filtering()
        >>> keras.config.is_traceback_filtering_enabled()
        False
    """
    if settings.shown_before is not None:
        if sys.excepthook is _show_filtered:
            sys.excepthook = settings.shown_before
        settings.shown_before = None


def is_traceback_filtering_enabled():
    """Whether the lines inside of Keras are left out of tracebacks.

    Example:
        >>> keras.config.is_traceback_filtering_enabled()
        False
    """
    return settings.shown_before is not None


def _show_filtered(kind, error, trace):
    """Python's hook for errors that end the program: it shows the lines of the user's own files."""
    own = os.path.dirname(os.path.abspath(__file__)) + os.sep
    frames = traceback.extract_tb(trace)
    shown = [frame for frame in frames if not os.path.abspath(frame.filename).startswith(own)] or frames
    sys.stderr.write('Traceback (most recent call last; the lines inside of Keras are left out, see '
                     'keras.config.disable_traceback_filtering):\n' + ''.join(traceback.format_list(shown)))
    sys.stderr.write(''.join(traceback.format_exception_only(kind, error)))


def is_nnx_enabled():
    """Whether on JAX variables are those of Flax NNX, and layers and models its modules.

    So it is where the environment variable KERAS_NNX_ENABLED is 'true' or '1', or keras.json has "nnx_enabled": true,
    when Keras is imported; the generation is 3 then, on any engine, where nobody says another. `nnx.split`, `nnx.jit`,
    `nnx.grad`, `nnx.Optimizer` and their kin take models that are built.

    Example:
        >>> keras.config.is_nnx_enabled()
        False
    """
    return settings.nnx_enabled


# --- where progress is shown -----------------------------------------------------------------------------------------

def enable_interactive_logging():
    """Show the progress of training on the standard output, as is the default."""
    settings.interactive_logging = True


def disable_interactive_logging():
    """Send the progress of training to Python's logger 'keras' (level INFO), as servers and batch jobs want it."""
    settings.interactive_logging = False


def is_interactive_logging_enabled():
    """Whether the progress of training is shown on the standard output.

    Example:
        >>> keras.config.is_interactive_logging_enabled()
        True
    """
    return settings.interactive_logging


# --- the generation of Keras ------------------------------------------------------------------------------------------

class _Thread(threading.local):
    """Per thread: the generation of the innermost `with generation(...)` block."""
    generation = None


_thread = _Thread()


def get_generation():
    """The generation of Keras that new code gets: 1 (Keras 1), 2 (Keras 2.3.1, the default), 'tf' (tf.keras 2.x) or 3.

    Where nobody has said otherwise, a process that reaches us through `tf.keras` only has 3, and so has one that
    imports a package which runs on Keras 3 alone (KerasHub, KerasRS, BayesFlow), for what is made from then on, or in
    which NNX is enabled. One that imports a package made for tf.keras before that (TensorFlow Probability, Addons,
    Larq and others, `config.MADE_FOR_TF_KERAS`) has 'tf', where none of these holds. What the generations do
    differently is listed in docs/generations.md.

    Example:
        >>> keras.config.get_generation()
        2
    """
    return _thread.generation or settings.generation or settings.default_generation


def set_generation(generation):
    """Set the generation of Keras that new code gets: 1, 2, 'tf' or 3. What is made already keeps its own.

    Raises:
        ValueError: for anything else.
    """
    settings.generation = as_generation(generation)


class generation:
    """Another generation of Keras for a `with` block, in this thread.

    Args:
        generation: 1 (Keras 1), 2 (Keras 2.3.1), 'tf' (tf.keras 2.x) or 3 (Keras 3).

    Raises:
        ValueError: for anything else.

    Example:
        >>> with keras.config.generation(3):
        ...     keras.layers.GRU(4).reset_after
        True
    """

    def __init__(self, generation):
        self.generation = as_generation(generation)
        self._previous = []

    def __enter__(self):
        self._previous.append(_thread.generation)
        _thread.generation = self.generation
        return self

    def __exit__(self, *_):
        _thread.generation = self._previous.pop()
