"""Where TensorFlow looks for `tf.keras`: `keras.api._v2.keras` and `keras.api._v1.keras` stand for `keras` itself."""
import sys

from keras import config, lazy

# What importing `keras` and TensorFlow loads, and no more: whoever looks for these files has used nothing of it.
_LOADED = {'keras.config', 'keras.lazy', 'keras.version', 'keras.legacy', 'keras.legacy.addresses', 'keras.src',
           'keras.src.optimizers'}

lazy.attach(__name__, modules='_v1 _v2')


def _is_the_only_way(name):
    """Whether whoever opens this alias is the one that imported `keras`, and nothing of it has been used."""
    alias = name.partition('.')[0]
    opener = lazy.importer() if alias == 'keras' else alias
    used = [other for other in sys.modules if other.startswith('keras.') and not other.startswith('keras.api')
            and other not in _LOADED]
    return not used and config.settings.importer.partition('.')[0] == opener.partition('.')[0]


def opened(name):
    """Make `name`, by which TensorFlow has just found us, an alias of `keras`."""
    if config.settings.default_generation == config.DEFAULT_GENERATION and _is_the_only_way(name):
        # Scripts that say `tf.keras` and never `keras` are as old or new as the TensorFlow that they run on.
        config.settings.default_generation = 3
    lazy.alias(name)
