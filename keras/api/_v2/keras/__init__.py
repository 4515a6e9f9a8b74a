"""An alias of the package `keras`, under whatever name it is imported by, and of all its modules.

TensorFlow imports this folder both as `keras.api._v2.keras` and as `tensorflow.keras`.
"""
import importlib
import importlib.abc
import importlib.machinery
import sys

import keras


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `<alias>.x.y` as the module `keras.x.y`, so that no module is loaded twice."""

    def __init__(self, name):
        self.prefix = name + '.'

    def find_spec(self, fullname, path=None, target=None):
        if not fullname.startswith(self.prefix):
            return None
        name = 'keras.' + fullname[len(self.prefix):]
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and (name + '.').startswith(error.name + '.'):
                return None
            raise
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        # The import system hands out what stands in sys.modules when this returns.
        name = module.__spec__.name
        sys.modules[name] = sys.modules['keras.' + name[len(self.prefix):]]


sys.meta_path.insert(0, _Alias(__name__))
sys.modules[__name__] = keras
