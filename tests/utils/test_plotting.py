"""Pictures of histories, drawn on a stand-in for matplotlib."""
import sys
import types

import pytest

import keras

pytestmark = pytest.mark.on('numpy')


class Axes:
    def __init__(self):
        self.lines, self.title = {}, None

    def plot(self, places, values, label, marker):
        self.lines[label] = (list(places), list(values))

    def set_title(self, title):
        self.title = title

    def set_xlabel(self, label):
        self.label = label

    def legend(self):
        pass


class Figure:
    saved = None

    def savefig(self, path):
        self.saved = path


@pytest.fixture
def drawn(monkeypatch):
    """The axes that were drawn on."""
    made = []

    def subplots(rows, columns, squeeze, figsize):
        made.extend(Axes() for _ in range(columns))
        return Figure(), [made]
    pyplot = types.ModuleType('matplotlib.pyplot')
    pyplot.subplots = subplots
    package = types.ModuleType('matplotlib')
    package.pyplot = pyplot
    monkeypatch.setitem(sys.modules, 'matplotlib', package)
    monkeypatch.setitem(sys.modules, 'matplotlib.pyplot', pyplot)
    return made


def test_metrics_stand_beside_their_validation(drawn):
    history = keras.callbacks.History()
    history.epoch, history.history = [4, 5, 6, 7], {
        'loss': [4, 3, 2, 1], 'val_loss': [9, 8], 'acc': [0, 0, 1, 1], 'lr': [1, 1, 1, 1]}
    figure = keras.utils.plot_history(history, path='picture.png')
    assert figure.saved == 'picture.png' and [axes.title for axes in drawn] == ['loss', 'acc', 'lr']
    assert drawn[0].lines == {'training': ([5, 6, 7, 8], [4, 3, 2, 1]), 'validation': ([6, 8], [9, 8])}
    assert list(drawn[1].lines) == ['training']


def test_dictionaries_and_chosen_metrics(drawn):
    keras.utils.plot_history({'loss': [2, 1], 'acc': [0, 1]}, metrics=['acc'])
    assert [axes.title for axes in drawn] == ['acc'] and drawn[0].lines['training'] == ([1, 2], [0, 1])
    for arguments in (({'loss': [1]}, ['acc']), ({},)):
        with pytest.raises(ValueError, match='plot_history'):
            keras.utils.plot_history(*arguments)


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'matplotlib', None)
    with pytest.raises(ImportError, match='pip install matplotlib'):
        keras.utils.plot_history({'loss': [1]})
