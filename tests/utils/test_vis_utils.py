"""Models drawn: which boxes there are, what stands in them, and what leads where."""
import re
import shutil
import sys

import pytest

import keras
from keras import layers
from keras.utils import vis_utils

pytestmark = pytest.mark.on('numpy')


def drawn(model, **arguments):
    """({box: label}, the arrows as pairs of labels, the frames), of a drawing that names layers only."""
    pytest.importorskip('pydot')
    labels, arrows, frames = {}, [], []

    def read(dot):
        for node in dot.get_nodes():
            if node.get_name() != 'node':
                labels[node.get_name()] = node.get('label').strip('"')
        arrows.extend((edge.get_source(), edge.get_destination()) for edge in dot.get_edges())
        for sub in dot.get_subgraphs():
            frames.append(sub.get('label').strip('"'))
            read(sub)
    read(vis_utils.model_to_dot(model, **arguments))
    def short(name):
        return re.split(r'[:|\\]', labels[str(name)])[0]
    return labels, sorted((short(one), short(other)) for one, other in arrows), frames


def two_inputs():
    picture, words = keras.Input((4, 4, 3), name='picture'), keras.Input((5,), dtype='int32', name='words')
    x = layers.Flatten(name='flat')(picture)
    y = layers.Flatten(name='rows')(layers.Embedding(7, 2, name='embedded')(words))
    both = layers.concatenate([x, y], name='both') * 2
    shared = layers.Dense(2, activation='relu', name='shared')
    return keras.Model([picture, words], layers.add([shared(both), shared(both)], name='sum'))


def nested():
    inner = keras.Sequential([layers.Dense(3, input_shape=(5,), name='one'), layers.Dense(2, name='two')], name='inner')
    inputs = keras.Input((4, 5), name='outer')
    x = layers.TimeDistributed(inner, name='each')(inputs)
    x = layers.Flatten(name='flat')(x)
    return keras.Model(inputs, keras.Sequential([layers.Dense(1, input_shape=(8,), name='last')], name='head')(x))


def test_boxes_and_arrows():
    labels, arrows, _ = drawn(two_inputs())
    assert sorted(labels.values()) == ['both: Concatenate', 'embedded: Embedding', 'flat: Flatten', 'multiply',
                                       'picture: InputLayer', 'rows: Flatten', 'shared: Dense', 'sum: Add',
                                       'words: InputLayer']
    assert arrows == [('both', 'multiply'), ('embedded', 'rows'), ('flat', 'both'), ('multiply', 'shared'),
                      ('picture', 'flat'), ('rows', 'both'), ('shared', 'sum'), ('words', 'embedded')]


def test_what_stands_in_boxes():
    labels = drawn(two_inputs(), show_shapes=True, show_dtype=True, show_layer_activations=True,
                   show_trainable=True)[0].values()
    assert r'shared: Dense\nactivation: relu\ntrainable\ndtype: float32|{input:|output:}|{{(None, 58)}|{(None, 2)}}' \
        in labels
    assert r'words: InputLayer\ndtype: int32|{input:|output:}|{{(None, 5)}|{(None, 5)}}' in labels
    assert r'sum: Add\ndtype: float32|{input:|output:}|{{(None, 2), (None, 2)}|{(None, 2)}}' in labels
    assert 'Dense' in drawn(two_inputs(), show_layer_names=False)[0].values()


def test_a_layer_called_on_different_shapes():
    layer = layers.Dense(2, name='shared')
    a, b = keras.Input((3,)), keras.Input((4, 3))
    labels = drawn(keras.Model([a, b], [layer(a), layer(b)]), show_shapes=True)[0].values()
    assert 'shared: Dense|{input:|output:}|{{multiple}|{multiple}}' in labels


def test_nested_models():
    labels, arrows, frames = drawn(nested())
    assert 'each(inner): TimeDistributed(Sequential)' in labels.values() and 'head: Sequential' in labels.values()
    assert arrows == [('each(inner)', 'flat'), ('flat', 'head'), ('outer', 'each(inner)')] and not frames
    labels, arrows, frames = drawn(nested(), expand_nested=True)
    assert arrows == [('flat', 'last_input'), ('last_input', 'last'), ('one', 'two'), ('one_input', 'one'),
                      ('outer', 'one_input'), ('two', 'flat')] and frames == ['each(inner)', 'head']
    model = nested()
    assert vis_utils.is_wrapped_model(model.layers[1]) and vis_utils.is_model(model.layers[3])
    assert not vis_utils.is_model(model.layers[1]) and not vis_utils.is_wrapped_model(model.layers[2])


def test_a_part_of_the_layers():
    model = keras.Sequential([layers.Dense(2, input_shape=(2,), name='d%d' % number) for number in range(4)])
    assert drawn(model, layer_range=['d1', 'd[12]'])[1] == [('d1', 'd2')]
    for wrong in (['d3', 'd1'], ['e', 'd'], 'd1'):
        with pytest.raises(ValueError, match='layer_range'):
            drawn(model, layer_range=wrong)


def test_models_without_a_graph():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, name='mine')

        def call(self, x):
            return self.dense(x)
    labels, arrows, _ = drawn(Own())
    assert list(labels.values()) == ['mine: Dense'] and not arrows
    with pytest.raises(ValueError, match='cannot be drawn: it has no layers yet. Build the model first'):
        drawn(keras.Sequential())


def test_how_it_is_drawn():
    pytest.importorskip('pydot')
    dot = vis_utils.model_to_dot(two_inputs(), rankdir='LR', dpi=50, highlight={'flat': 'red'})
    assert dot.get('rankdir') == 'LR' and str(dot.get('dpi')) == '50'
    assert [node.get('fillcolor') for node in dot.get_nodes() if node.get('fillcolor')] == ['red']
    assert 'lightblue' in vis_utils.model_to_dot(two_inputs(), highlight=['flat', 'sum']).to_string()
    assert vis_utils.model_to_dot(nested(), subgraph=True).to_string().startswith('subgraph cluster')
    with pytest.raises(ValueError, match="rankdir .*'down'"):
        vis_utils.model_to_dot(two_inputs(), rankdir='down')


@pytest.mark.parametrize('name, beginning', [('model.png', b'\x89PNG'), ('model.svg', b'<?xml'), ('model', b'\x89PNG')])
def test_files(tmp_path, name, beginning):
    pytest.importorskip('pydot')
    if shutil.which('dot') is None:
        pytest.skip('Graphviz is not installed')
    path = tmp_path / name
    keras.utils.plot_model(nested(), str(path), show_shapes=True, expand_nested=True, rankdir='LR')
    assert path.read_bytes().startswith(beginning)


def test_without_graphviz(tmp_path, monkeypatch):
    pytest.importorskip('pydot')
    monkeypatch.setenv('PATH', str(tmp_path))
    keras.utils.plot_model(nested(), str(tmp_path / 'model.dot'))
    assert 'digraph' in (tmp_path / 'model.dot').read_text()
    with pytest.raises(OSError, match='apt-get install graphviz'):
        keras.utils.plot_model(nested(), str(tmp_path / 'model.png'))


def test_without_pydot(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydot', None)
    with pytest.raises(ImportError, match='pip install pydot; and Graphviz'):
        keras.utils.model_to_dot(nested())


def test_in_a_notebook(tmp_path, monkeypatch):
    if shutil.which('dot') is None:
        pytest.skip('Graphviz is not installed')
    pytest.importorskip('pydot')

    class Display:
        @staticmethod
        def Image(filename):  # noqa: N802
            return 'image', filename

        @staticmethod
        def SVG(filename):  # noqa: N802
            return 'svg', filename
    notebook = type(sys)('IPython')
    notebook.display = Display
    monkeypatch.setitem(sys.modules, 'IPython', notebook)
    for name, kind in (('a.png', 'image'), ('a.svg', 'svg')):
        assert keras.utils.plot_model(nested(), str(tmp_path / name)) == (kind, str(tmp_path / name))
    assert keras.utils.plot_model(nested(), str(tmp_path / 'a.pdf')) is None
