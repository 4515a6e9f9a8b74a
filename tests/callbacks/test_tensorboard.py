"""TensorBoard's files, read back with TensorBoard's own event reader."""
import glob
import io
import json
import os
import pickle
import sys
import types

import numpy as np
import pytest
from PIL import Image

import keras
from keras import callbacks as C
from keras import config
from keras.callbacks.event_files import EventFile, as_png

pytest.importorskip('tensorboard')


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch):
    """TensorBoard's reader takes TensorFlow's file system where it finds it, which takes long to load."""
    if 'tensorflow' not in sys.modules:
        monkeypatch.setitem(sys.modules, 'tensorboard.compat.notf', types.ModuleType('notf'))


def read(folder):
    """[(tag, step, value)] of what is in the event files of a folder itself; a `Summary.Value` for what is no number.
    """
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.util.tensor_util import make_ndarray
    found = []
    for path in sorted(glob.glob(os.path.join(str(folder), 'events*'))):
        for event in map(Event.FromString, RawEventFileLoader(path).Load()):
            if event.HasField('graph_def'):
                found.append(('graph', event.step, event.graph_def))
            for value in event.summary.value:
                kind = value.WhichOneof('value')
                plugin = value.metadata.plugin_data.plugin_name
                number = value.simple_value if kind == 'simple_value' else \
                    float(make_ndarray(value.tensor)) if plugin == 'scalars' else value
                found.append((value.tag, event.step, number))
    return found


def arrays(value):
    from tensorboard.util.tensor_util import make_ndarray
    return make_ndarray(value.tensor)


def numbers(folder):
    return {(tag, step): value for tag, step, value in read(folder) if isinstance(value, float)}


def trained(board, generation=3, **fit):
    """(the history of a small model that `board` (a function that makes it) watched, the model)."""
    with config.generation(generation):
        model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,), name='first'),
                                  keras.layers.Dense(2, name='second')])
        model.compile('sgd', 'mse')
        x, y = np.ones((8, 4), 'float32'), np.ones((8, 2), 'float32')
        history = model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[board()], **fit)
    return history.history, model


DATA = (np.ones((6, 4), 'float32'), np.zeros((6, 2), 'float32'))


# --- files ------------------------------------------------------------------------------------------------------

pytestmark = pytest.mark.on('numpy', 'torch', 'mxnet')
on_numpy = pytest.mark.on('numpy')


@on_numpy
def test_picture_is_a_png_that_others_read():
    levels = np.arange(24, dtype='uint8').reshape(2, 4, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(as_png(levels)))), levels)


@on_numpy
def test_values_are_read_back(tmp_path):
    events = EventFile(tmp_path / 'new')
    assert not (tmp_path / 'new').exists()
    events.scalar('a', 0.5, 7)
    events.histogram('h', [0.0, 1.0, 1.0, np.nan, np.inf], 1)
    events.image('i', np.stack([np.zeros((2, 3, 1)), np.ones((2, 3, 1))]), 2)
    events.text('t', '**x**', 3)
    events.close()
    found = {tag: (step, value) for tag, step, value in read(tmp_path / 'new')}
    assert found['a'] == (7, 0.5)
    counted = arrays(found['h'][1])
    assert counted[:, 2].sum() == 3 and counted[0, 0] == 0 and counted[-1, 1] == 1
    size = [int(text) for text in arrays(found['i'][1])[:2]]
    pictures = [np.asarray(Image.open(io.BytesIO(png))) for png in arrays(found['i'][1])[2:]]
    assert size == [3, 2] and [picture.max() for picture in pictures] == [0, 255]
    assert arrays(found['t'][1]).item() == b'**x**'


@on_numpy
def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorboard.summary.writer.record_writer', None)
    with pytest.raises(ImportError, match='pip install tensorboard'):
        C.TensorBoard('logs')


# --- the callback -----------------------------------------------------------------------------------------------

@pytest.mark.needs_gradients
def test_folders_of_keras_3(tmp_path):
    history, _ = trained(lambda: C.TensorBoard(tmp_path), validation_data=DATA)
    train, validation = numbers(tmp_path / 'train'), numbers(tmp_path / 'validation')
    for epoch in range(2):
        assert train['epoch_loss', epoch] == pytest.approx(history['loss'][epoch])
        assert train['epoch_learning_rate', epoch] == pytest.approx(0.01)
        assert validation['epoch_loss', epoch] == pytest.approx(history['val_loss'][epoch])
        assert validation['evaluation_loss_vs_iterations', 2 * (epoch + 1)] == pytest.approx(history['val_loss'][epoch])
    assert len(train) == len(validation) == 4
    assert len(glob.glob(str(tmp_path / '*' / 'events*'))) == 2


@pytest.mark.needs_gradients
def test_flat_file_of_keras_2(tmp_path):
    history, _ = trained(lambda: C.TensorBoard(tmp_path), 2, validation_data=DATA)
    assert numbers(tmp_path) == pytest.approx({(name, epoch): history[name][epoch] for name in ('loss', 'val_loss')
                                               for epoch in range(2)})
    assert not (tmp_path / 'train').exists() and not (tmp_path / 'validation').exists()


@pytest.mark.needs_gradients
def test_batches_are_counted_in_keras_3_and_samples_in_keras_2(tmp_path):
    trained(lambda: C.TensorBoard(tmp_path / '3', update_freq=2, write_steps_per_second=True))
    found = numbers(tmp_path / '3' / 'train')
    assert sorted(step for name, step in found if name == 'batch_loss') == [2, 4]
    assert sorted(step for name, step in found if name == 'batch_steps_per_second') == [1, 2, 3, 4]
    assert all(found['epoch_steps_per_second', epoch] > 0 for epoch in range(2))
    trained(lambda: C.TensorBoard(tmp_path / '2', update_freq=8), 2)
    assert set(numbers(tmp_path / '2')) == {('loss', 8), ('loss', 16)}


@pytest.mark.needs_gradients
def test_histograms_and_images_of_weights(tmp_path):
    _, model = trained(lambda: C.TensorBoard(tmp_path, histogram_freq=2, write_images=True, write_graph=False))
    found = [(tag, step) for tag, step, value in read(tmp_path / 'train') if not isinstance(value, float)]
    names = [weight.path.replace(':', '_') for weight in model.weights]
    assert sorted(found) == sorted((name + end, 0) for name in names for end in ('/histogram', '/image'))


@pytest.mark.needs_gradients
def test_histograms_of_outputs_and_gradients(tmp_path):
    _, model = trained(lambda: C.TensorBoard(tmp_path, 1, write_grads=True, write_graph=False), 2,
                       validation_data=DATA)
    found = {(tag, step): value for tag, step, value in read(tmp_path) if not isinstance(value, float)}
    tags = {tag for tag, _ in found}
    assert {'first_out', 'second_out'} <= tags and len([tag for tag in tags if tag.endswith('_grad')]) == 4
    outputs = model.predict(DATA[0])
    edges = arrays(found['second_out', 1])
    assert edges[0, 0] == pytest.approx(outputs.min()) and edges[-1, 1] == pytest.approx(outputs.max())
    # The gradient of the mean of squares by the bias, of 2 outputs: the mean over the samples of their outputs.
    gradient = outputs.mean(axis=0)
    name = next(tag for tag in tags if tag.startswith('second/bias') and tag.endswith('_grad'))
    edges = arrays(found[name, 1])
    assert edges[0, 0] == pytest.approx(gradient.min(), rel=1e-4)
    assert edges[-1, 1] == pytest.approx(gradient.max(), rel=1e-4)


@on_numpy
def test_histograms_without_data_are_refused_as_in_keras_2(tmp_path):
    with config.generation(2):
        board = C.TensorBoard(tmp_path, histogram_freq=1)
        board.set_model(keras.Sequential([keras.layers.Dense(1, input_shape=(2,))]))
        with pytest.raises(ValueError, match='validation_data'):
            board.on_epoch_end(0, {})


@on_numpy
def test_graph_of_layers(tmp_path):
    inside = keras.Sequential([keras.layers.Dense(3, input_shape=(4,), name='deep')], name='inner')
    x = keras.Input((4,), name='x')
    model = keras.Model(x, keras.layers.Add(name='sum')([inside(x), keras.layers.Dense(3, name='beside')(x)]))
    with config.generation(2):
        board = C.TensorBoard(tmp_path)
        board.set_model(model)
        board.on_train_end()
    from tensorboard.compat.proto.graph_pb2 import GraphDef
    (graph,) = [GraphDef.FromString(value) for tag, _, value in read(tmp_path) if tag == 'graph']
    nodes = {node.name: node for node in graph.node}
    assert sorted(nodes['sum'].input) == ['beside', 'inner/deep'] and nodes['sum'].op == 'Add'
    source = nodes['inner/deep'].input[0]
    assert source == 'x' or list(nodes[source].input) == ['x']
    sizes = nodes['sum'].attr['_output_shapes'].list.shape[0].dim
    assert [size.size for size in sizes] == [-1, 3]


@on_numpy
def test_model_is_described_in_keras_3(tmp_path):
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,), name='first')])
    with config.generation(3):
        board = C.TensorBoard(tmp_path)
        board.set_model(model)
        board.on_train_end()
    ((tag, _, value),) = read(tmp_path / 'train')
    assert tag == 'keras' and value.metadata.plugin_data.plugin_name == 'graph_keras_model'
    assert json.loads(arrays(value).item().decode()) == json.loads(model.to_json())


@on_numpy
def test_embeddings_for_the_projector(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(5, 3, input_length=2, name='words'), keras.layers.Flatten()])
    table = np.arange(15, dtype='float32').reshape(5, 3)
    model.layers[0].set_weights([table])
    with config.generation(3):
        board = C.TensorBoard(tmp_path / '3', embeddings_freq=1, embeddings_metadata={'words': 'words.tsv'})
    board.set_model(model)
    board.on_epoch_end(0, {})
    np.testing.assert_array_equal(np.loadtxt(str(tmp_path / '3' / 'embedding_words.tsv')), table)
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
    (entry,) = text_format.Parse((tmp_path / '3' / 'projector_config.pbtxt').read_text(), ProjectorConfig()).embeddings
    assert (entry.tensor_name, entry.metadata_path, entry.tensor_path) == ('words', 'words.tsv', 'embedding_words.tsv')
    with config.generation(2):
        board = C.TensorBoard(tmp_path / '2', embeddings_freq=1, embeddings_data=np.array([[1, 2], [4, 0]]))
    board.set_model(model)
    board.on_epoch_end(0, {})
    np.testing.assert_array_equal(np.loadtxt(str(tmp_path / '2' / 'embedding_words.tsv')),
                                  table[np.array([[1, 2], [4, 0]])].reshape(2, 6))


@pytest.mark.needs_gradients
def test_batch_is_profiled_where_the_engine_has_a_profiler(tmp_path, engine):
    if engine.profile(str(tmp_path)) is None:
        with pytest.warns(UserWarning, match='has no profiler'):
            trained(lambda: C.TensorBoard(tmp_path, profile_batch=(2, 3)))
    else:
        trained(lambda: C.TensorBoard(tmp_path, profile_batch='2,3'))
        assert [path for folder, _, names in os.walk(str(tmp_path)) for path in names if not path.startswith('events')]


@on_numpy
def test_arguments():
    for arguments in ({'update_freq': 'often'}, {'update_freq': 0}, {'profile_batch': (3, 2)}, {'profile_batch': 'x'}):
        with pytest.raises(ValueError, match=list(arguments)[0]):
            C.TensorBoard(**arguments)
    of_keras_2, of_keras_3 = C.TensorBoard('a', 1, 16, False), C.TensorBoard('a', 1, False, True, False, 'batch')
    assert (of_keras_2.batch_size, of_keras_2.write_graph, of_keras_2.write_images) == (16, False, False)
    assert (of_keras_3.batch_size, of_keras_3.write_graph, of_keras_3.write_images) == (32, False, True)
    assert of_keras_3.update_freq == 1


@on_numpy
def test_batches_cost_nothing_where_only_epochs_are_written():
    assert not C.CallbackList([C.TensorBoard('a')]).has_batch_hooks
    assert C.CallbackList([C.TensorBoard('a', update_freq='batch')]).has_batch_hooks

    class Mine(C.TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)

    assert C.CallbackList([Mine('a')]).has_batch_hooks


@on_numpy
def test_pickles(tmp_path):
    board = C.TensorBoard(tmp_path)
    board.writer.scalar('a', 1, 0)
    again = pickle.loads(pickle.dumps(board))
    again.writer.scalar('a', 2, 1)
    board.writer.close()
    again.writer.close()
    assert sorted(value for _, _, value in read(tmp_path if not board._in_folders else tmp_path / 'train')) == [1, 2]


@pytest.mark.on('numpy')
def test_metadata_of_layers_that_are_not_there(tmp_path):
    model = keras.Sequential([keras.layers.Embedding(3, 2, input_length=1, name='words'), keras.layers.Flatten()])
    board = keras.callbacks.TensorBoard(str(tmp_path), embeddings_freq=1, embeddings_metadata={'wrods': 'labels.tsv'},
                                        embeddings_data=[[0], [1]])
    board.set_model(model)
    with pytest.raises(ValueError, match="Unrecognized .* layer names .*'wrods'.*'words'"):
        board.on_epoch_end(0, {})
