"""Classes that a config names by their module: found where the program has loaded it, never imported."""
import os
import sys
import types

import numpy as np
import pytest

import keras
from keras import layers, losses, saving

pytestmark = pytest.mark.on('torch')
RAN = []


class Doubled(layers.Layer):
    def call(self, x):
        return x * 2.0


class Halved(losses.Loss):
    def call(self, y_true, y_pred):
        return 0.5 * keras.ops.mean(y_pred - y_true, axis=-1)


class Quiet(keras.regularizers.Regularizer):
    def __call__(self, x):
        return 0.0

    def get_config(self):
        return {}


class Callable:
    """What a layer or an initializer could be taken for."""

    def __init__(self, *args, **kwargs):
        RAN.append((args, kwargs))

    def __call__(self, *args, **kwargs):
        RAN.append((args, kwargs))
    call = build = __call__

    @classmethod
    def from_config(cls, config):
        return cls(config)


def function(*args, **kwargs):
    RAN.append((args, kwargs))


def config(name, module=__name__, **arguments):
    return {'module': module, 'class_name': name, 'config': arguments, 'registered_name': name}


def test_own_classes_of_the_script_are_found(tmp_path):
    with keras.config.generation(3):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2, kernel_regularizer=Quiet()), Doubled()])
        model.compile('sgd', Halved())
        model.save(tmp_path / 'model.keras')
        loaded = saving.load_model(tmp_path / 'model.keras')
    assert type(loaded.layers[-1]) is Doubled and type(loaded.loss) is Halved
    assert type(loaded.layers[0].kernel_regularizer) is Quiet
    x = np.ones((2, 3), 'float32')
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize('kind', ['layers', 'losses', 'initializers', 'regularizers', 'metrics', 'optimizers',
                                  'constraints'])
@pytest.mark.parametrize('name, module', [
    ('Callable', __name__), ('function', __name__), ('os', __name__), ('partial', 'functools'), ('Popen', 'subprocess'),
    ('system', 'os'), ('CDLL', 'ctypes'), ('eval', 'builtins'), ('Doubled.call', __name__), ('__dict__', __name__)])
def test_nothing_else_is(kind, name, module):
    before = list(RAN)
    with keras.config.generation(3), pytest.raises(ValueError, match='Unknown|Improper|does not stand'):
        getattr(keras, kind).deserialize(config(name, module))
    with keras.config.generation(3), pytest.raises(ValueError, match='Unknown|Improper|does not stand'):
        saving.deserialize_keras_object(config(name, module))
    assert RAN == before and os is sys.modules['os']


def test_installed_packages_are_not_asked(monkeypatch):
    installed = types.ModuleType('an_installed_package')
    installed.__file__ = '/usr/lib/python3/site-packages/an_installed_package.py'
    installed.Opens = type('Opens', (layers.Layer,), {'__module__': 'an_installed_package'})
    monkeypatch.setitem(sys.modules, 'an_installed_package', installed)
    with pytest.raises(ValueError, match='Unknown layer'):
        layers.deserialize(config('Opens', 'an_installed_package'))


def test_classes_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="Could not locate class 'Doubled' in the module"):
        keras.losses.deserialize(config('Doubled'))
    with pytest.raises(ValueError, match="Could not locate class 'Halved' in the module"):
        layers.deserialize(config('Halved'))


def test_names_that_only_lead_to_a_class_are_none(monkeypatch):
    other = types.ModuleType('a_module_of_others')
    other.Doubled = other.Renamed = Doubled
    monkeypatch.setitem(sys.modules, 'a_module_of_others', other)
    monkeypatch.setitem(sys.modules, 'a_module_that_failed', None)
    for name, module in (('Doubled', 'a_module_of_others'), ('Renamed', 'a_module_of_others'),
                         ('Doubled', 'a_module_that_failed'), ('Doubled', 7), ('Doubled', ['x'])):
        with pytest.raises(ValueError, match='Unknown layer'):
            layers.deserialize(config(name, module))


def test_modules_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / 'trap_of_a_config.py').write_text('raise SystemExit("imported")')
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match="'trap_of_a_config' of the config, which is read only where the program has "
                                         'imported it'):
        layers.deserialize(config('Trap', 'trap_of_a_config'))
    assert 'trap_of_a_config' not in sys.modules


def test_classes_without_from_config():
    class Growth:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return x * self.factor
    names, described = {'Growth': Growth}, {'class_name': 'Growth', 'config': {'factor': 2}}
    with keras.config.generation(2):
        assert keras.activations.deserialize(described, names)(3) == 6
    with keras.config.generation(3), pytest.raises(TypeError, match='Unable to reconstruct an instance'):
        keras.activations.deserialize(described, names)
