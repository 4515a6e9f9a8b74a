"""Configuration: the engine's name, `floatx`, `epsilon` and `image_data_format`.

Settings come, strongest first, from the environment variable `KERAS_BACKEND`, from
`$KERAS_HOME/keras.json` (default `~/.keras/keras.json`) and from the defaults below. The file is
written with the defaults on first use and never changed afterwards. Nothing here imports an engine.

A process that is to use several engines names them all, the active one first: `KERAS_BACKEND=tensorflow,mxnet`, or
`"backend": "tensorflow,mxnet"`. They are then imported in an order that all of them survive.
"""
import json
import os
import tempfile
import warnings

FLOAT_TYPES = ('float16', 'bfloat16', 'float32', 'float64')
DATA_FORMATS = ('channels_last', 'channels_first')
DEFAULTS = {'floatx': 'float32', 'epsilon': 1e-07, 'backend': 'tensorflow', 'image_data_format': 'channels_last'}

# Keras 1 called the data formats after the engines that preferred them.
_IMAGE_DIM_ORDERINGS = {'tf': 'channels_last', 'th': 'channels_first'}


def _is_data_format(value):
    return value in DATA_FORMATS


def _is_epsilon(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


_CHECKS = {
    'floatx': (lambda value: value in FLOAT_TYPES, 'one of ' + ', '.join(FLOAT_TYPES)),
    'epsilon': (_is_epsilon, 'a positive number'),
    'backend': (lambda value: isinstance(value, str) and bool(_names(value)), 'the name of an engine, or several'),
    'image_data_format': (_is_data_format, 'channels_last or channels_first'),
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
    for name, (is_valid, expected) in _CHECKS.items():
        if name not in found:
            continue
        if is_valid(found[name]):
            settings[name] = found[name]
        else:
            _warn('%s: %s is %r, expected %s. It was ignored: %r is used.'
                  % (path, name, found[name], expected, DEFAULTS[name]))
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
    """

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


settings = Settings()


def floatx():
    """The default float type, as a string.

    Example:
        >>> keras.config.floatx()
        'float32'
    """
    return settings.floatx


def set_floatx(floatx):
    """Set the default float type: 'float16', 'bfloat16', 'float32' or 'float64'.

    Raises:
        ValueError: for any other name.
    """
    value = str(floatx)
    if value not in FLOAT_TYPES:
        raise ValueError('Unknown floatx: %r. Expected one of %s.' % (floatx, ', '.join(FLOAT_TYPES)))
    settings.floatx = value


def epsilon():
    """The small number that keeps divisions and logarithms finite (default 1e-7)."""
    return settings.epsilon


def set_epsilon(e):
    """Set the small number that keeps divisions and logarithms finite.

    Raises:
        ValueError: unless `e` is a positive number.
    """
    if not _is_epsilon(e):
        raise ValueError('epsilon must be a positive number. Received: %r' % (e,))
    settings.epsilon = float(e)


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
