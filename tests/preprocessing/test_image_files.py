"""Pictures in files: reading and writing, folders and data frames of them.

What a folder or data frame gives for a seed was compared with keras-preprocessing 1.1.2; the fingerprints here were
printed by it for the same files.
"""
import os
import sys

import numpy as np
import pytest

import keras
from keras.preprocessing import image as I  # noqa: E741

pytest.importorskip('PIL')
pytestmark = pytest.mark.on('numpy')


def picture(number, height=6, width=5):
    """A picture whose every value tells its number."""
    return np.full((height, width, 3), 20 * number, 'uint8') + np.arange(3, dtype='uint8')


@pytest.fixture
def folder(tmp_path):
    """Five pictures of class a, four of b and three of c, one of each in a folder further down."""
    number = 0
    for name, count in (('a', 5), ('b', 4), ('c', 3)):
        (tmp_path / name / 'deep').mkdir(parents=True)
        for index in range(count):
            ending = 'PNG' if index == 0 else 'bmp'
            path = tmp_path / name / ('deep' if index == 0 else '') / ('%d.%s' % (index, ending))
            I.save_img(str(path), picture(number), scale=False)
            number += 1
    (tmp_path / 'a' / 'note.txt').write_text('no picture')
    (tmp_path / 'a' / 'png').write_text('no picture')
    return tmp_path


# --- single pictures

@pytest.mark.parametrize('mode, shape', [('rgb', (6, 5, 3)), ('rgba', (6, 5, 4)), ('grayscale', (6, 5, 1))])
def test_read_and_written(tmp_path, mode, shape):
    path = str(tmp_path / 'one.png')
    I.save_img(path, picture(3), scale=False)
    x = I.img_to_array(I.load_img(path, color_mode=mode))
    assert x.shape == shape and x.dtype == 'float32'
    assert {'rgb': [60, 61, 62], 'rgba': [60, 61, 62, 255], 'grayscale': [61]}[mode] == x[0, 0].tolist()
    assert I.img_to_array(I.load_img(path), 'channels_first', 'uint8').shape == (3, 6, 5)
    with open(path, 'rb') as file:
        assert I.load_img(file).size == (5, 6)
    for name in ('load_img', 'save_img', 'img_to_array', 'array_to_img'):
        assert getattr(keras.utils, name) is getattr(I, name)


def test_resizing(tmp_path):
    path = str(tmp_path / 'one.png')
    x = np.repeat(np.arange(8, dtype='uint8')[:, None, None] * 30, 4, 1)
    I.save_img(path, np.repeat(x, 3, 2), scale=False)
    assert I.img_to_array(I.load_img(path, target_size=(4, 2)))[:, 0, 0].tolist() == [30, 90, 150, 210]
    assert I.img_to_array(I.load_img(path, target_size=(4, 2), interpolation='box'))[:, 0, 0].tolist() == [
        15, 75, 135, 195]
    middle = I.img_to_array(I.load_img(path, target_size=(2, 2), keep_aspect_ratio=True, interpolation='box'))
    assert middle[:, 0, 0].tolist() == [75, 135]
    with pytest.raises(ValueError, match="'cubical' specified. Supported methods are nearest"):
        I.load_img(path, target_size=(2, 2), interpolation='cubical')
    with pytest.raises(ValueError, match="Invalid color mode: 'bgr'"):
        I.load_img(path, color_mode='bgr')
    with pytest.warns(DeprecationWarning, match='color_mode="grayscale"'):
        assert I.load_img(path, grayscale=True).mode == 'L'


def test_arrays_and_pictures():
    assert np.asarray(I.array_to_img(np.arange(12.).reshape(2, 2, 3))).ravel().tolist() == [
        0, 23, 46, 69, 92, 115, 139, 162, 185, 208, 231, 255]
    assert I.array_to_img(np.zeros((4, 2, 2)), 'channels_first').mode == 'RGBA'
    assert I.array_to_img(np.full((2, 2, 1), 700.), scale=False).getpixel((0, 0)) == 700
    assert not np.asarray(I.array_to_img(np.full((2, 2, 1), 7.))).any()
    assert I.img_to_array(np.zeros((2, 3))).shape == (2, 3, 1)
    assert I.img_to_array(np.zeros((2, 3)), 'channels_first').shape == (1, 2, 3)
    for call, message in ((lambda: I.array_to_img(np.zeros((2, 2))), 'rank 3'),
                          (lambda: I.array_to_img(np.zeros((2, 2, 5))), 'Unsupported channel number: 5'),
                          (lambda: I.array_to_img(np.zeros((2, 2, 3)), 'NCHW'), "Invalid data_format: 'NCHW'"),
                          (lambda: I.img_to_array(np.zeros(3)), 'Unsupported image shape')):
        with pytest.raises(ValueError, match=message):
            call()


def test_jpeg_has_no_transparency(tmp_path):
    with pytest.warns(UserWarning, match='does not support RGBA'):
        I.save_img(str(tmp_path / 'one.jpg'), np.zeros((2, 2, 4)))
    assert I.load_img(str(tmp_path / 'one.jpg')).mode == 'RGB'


def test_no_pictures(tmp_path):
    with pytest.raises(FileNotFoundError):
        I.load_img(str(tmp_path / 'nothing.png'))
    path = tmp_path / 'page.png'
    path.write_text('<html>')
    with pytest.raises(OSError, match='page.png cannot be read as a picture'):
        I.load_img(str(path))
    I.save_img(str(path), np.random.rand(50, 50, 3))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(OSError, match='page.png cannot be read as a picture: .*not copied to its end'):
        I.load_img(str(path))


# --- folders

def test_a_folder(folder, capsys):
    flow = I.ImageDataGenerator().flow_from_directory(str(folder), target_size=(6, 5), batch_size=5, shuffle=False)
    assert capsys.readouterr().out == 'Found 12 images belonging to 3 classes.\n'
    assert flow.class_indices == {'a': 0, 'b': 1, 'c': 2} and flow.num_classes == 3 and flow.samples == 12
    assert flow.filenames[:5] == ['a/1.bmp', 'a/2.bmp', 'a/3.bmp', 'a/4.bmp', os.path.join('a', 'deep', '0.PNG')]
    assert flow.filepaths[0] == str(folder / 'a' / '1.bmp') and flow.classes.tolist() == [0] * 5 + [1] * 4 + [2] * 3
    assert flow.image_shape == (6, 5, 3) and flow.labels is flow.classes and flow.sample_weight is None
    x, y = flow[1]
    np.testing.assert_array_equal(x, [picture(number) for number in (6, 7, 8, 5, 10)])
    np.testing.assert_array_equal(y, np.eye(3)[[1, 1, 1, 1, 2]])
    assert x.dtype == y.dtype == 'float32' and len(flow[2][0]) == 2


@pytest.mark.parametrize('class_mode', ['binary', 'sparse', 'input', None])
def test_class_modes_of_a_folder(folder, class_mode):
    flow = I.ImageDataGenerator().flow_from_directory(
        folder, target_size=(6, 5), classes=['c', 'a'], class_mode=class_mode, batch_size=4, shuffle=False,
        color_mode='grayscale')
    batch = flow[0]
    x = batch if class_mode is None else batch[0]
    assert x[:, 0, 0, 0].tolist() == [201, 221, 181, 21]
    if class_mode == 'input':
        np.testing.assert_array_equal(batch[1], x)
    elif class_mode:
        assert batch[1].tolist() == [0, 0, 0, 1] and batch[1].dtype == 'float32'


def test_parts_of_a_folder(folder):
    generator = I.ImageDataGenerator(validation_split=0.4, data_format='channels_first')
    parts = [generator.flow_from_directory(str(folder), subset=subset, target_size=(6, 5), shuffle=False)
             for subset in ('validation', 'training')]
    assert [part.samples for part in parts] == [4, 8] and parts[0].filenames == ['a/1.bmp', 'a/2.bmp', 'b/1.bmp',
                                                                               'c/1.bmp']
    assert not set(parts[0].filenames) & set(parts[1].filenames) and parts[0][0][0].shape == (4, 3, 6, 5)


def test_a_folder_without_pictures(tmp_path):
    with pytest.warns(UserWarning, match='holds no pictures. Expected are one folder for each class'):
        flow = I.ImageDataGenerator().flow_from_directory(str(tmp_path))
    with pytest.raises(ValueError, match='holds no samples'):
        next(flow)
    with pytest.raises(FileNotFoundError):
        I.ImageDataGenerator().flow_from_directory(str(tmp_path / 'elsewhere'))


def test_a_corrupt_picture_is_named(folder):
    (folder / 'b' / '2.bmp').write_bytes(b'')
    flow = I.ImageDataGenerator().flow_from_directory(str(folder), batch_size=12)
    with pytest.raises(OSError, match=r'2\.bmp cannot be read as a picture'):
        next(flow)


def test_listed_pictures(folder):
    assert len(I.list_pictures(str(folder))) == 12 and len(I.list_pictures(str(folder), 'png')) == 3


def test_wrong_modes(folder):
    flow = I.ImageDataGenerator().flow_from_directory
    with pytest.raises(ValueError, match="Invalid class_mode: 'onehot'; expected one of: .None, 'binary'"):
        flow(str(folder), class_mode='onehot')
    with pytest.raises(ValueError, match="Invalid color mode: 'bgr'"):
        flow(str(folder), color_mode='bgr')
    with pytest.raises(ValueError, match="Invalid subset name: 'test'"):
        flow(str(folder), subset='test')


def test_a_model_takes_a_folder(folder):
    model = keras.Sequential([keras.layers.Flatten(input_shape=(6, 5, 3)),
                              keras.layers.Dense(1, kernel_initializer='ones', use_bias=False)])
    flow = I.ImageDataGenerator().flow_from_directory(str(folder), target_size=(6, 5), batch_size=5, shuffle=False)
    numbers = [1, 2, 3, 4, 0, 6, 7, 8, 5, 10, 11, 9]
    np.testing.assert_allclose(model.predict(flow)[:, 0], [picture(number).sum() for number in numbers], rtol=1e-5)


# --- data frames

@pytest.fixture
def frame(folder):
    pandas = pytest.importorskip('pandas')
    return pandas.DataFrame({
        'file': ['a/1.bmp', 'b/1.bmp', 'gone.png', 'c/1.bmp', 'a/note.txt', 'b/2.bmp'],
        'label': ['x', 'y', 'x', 'z', 'x', 'y'], 'value': np.arange(6.0), 'weight': np.arange(6) * 0.5,
        'labels': [['x'], ['y', 'x'], ['x'], 'z', ['x'], ('y',)]})


@pytest.fixture
def read(folder, frame):
    def read(**arguments):
        arguments = dict(dict(x_col='file', y_col='label', target_size=(6, 5), shuffle=False), **arguments)
        generator = I.ImageDataGenerator(validation_split=0.5)
        return generator.flow_from_dataframe(arguments.pop('dataframe', frame), str(folder), **arguments)
    return read


@pytest.mark.filterwarnings('ignore:Found 2 invalid')
@pytest.mark.parametrize('arguments, expected', [
    ({}, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]),
    ({'class_mode': 'sparse'}, [0, 1, 2, 1]),
    ({'class_mode': 'binary', 'classes': ['z', 'y']}, [0, 1, 0]),
    ({'class_mode': 'raw', 'y_col': 'value'}, [0, 1, 3, 5]),
    ({'class_mode': 'raw', 'y_col': ['value', 'weight']}, [[0, 0], [1, .5], [3, 1.5], [5, 2.5]]),
    ({'y_col': 'labels'}, [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0]]),
    ({'y_col': 'labels', 'classes': ['y']}, [[1], [1]]),
    ({'subset': 'validation'}, [[1, 0, 0], [0, 1, 0]]),
    ({'subset': 'training', 'class_mode': 'sparse'}, [2, 1])])
def test_data_frames(read, arguments, expected):
    assert read(**arguments)[0][1].tolist() == expected


@pytest.mark.filterwarnings('ignore:Found 2 invalid')
def test_other_targets_of_data_frames(read, frame):
    first, second = read(class_mode='multi_output', y_col=['value', 'weight'])[0][1]
    assert first.tolist() == [0, 1, 3, 5] and second.tolist() == [0, .5, 1.5, 2.5]
    assert read(class_mode=None)[0].shape == (4, 6, 5, 3)
    x, y = read(class_mode='input')[0]
    np.testing.assert_array_equal(x, y)
    flow = read(weight_col='weight')
    assert flow[0][2].tolist() == [0, .5, 1.5, 2.5] and flow.class_indices == {'x': 0, 'y': 1, 'z': 2}
    assert flow.filenames == ['a/1.bmp', 'b/1.bmp', 'c/1.bmp', 'b/2.bmp']
    assert len(frame) == 6 and list(frame['labels'])[1] == ['y', 'x']


def test_invalid_files_in_data_frames(read):
    with pytest.warns(UserWarning, match='Found 2 invalid image filename.s. in x_col="file"'):
        read()
    with pytest.raises(OSError):
        read(validate_filenames=False)[0]


@pytest.mark.filterwarnings('ignore:Found 2 invalid')
@pytest.mark.parametrize('arguments, error, message', [
    ({'class_mode': 'onehot'}, ValueError, "Invalid class_mode: 'onehot'"),
    ({'class_mode': 'multi_output'}, TypeError, 'y_col must be a list. Received str'),
    ({'class_mode': 'binary'}, ValueError, 'there must be 2 classes. Found 3'),
    ({'class_mode': 'sparse', 'y_col': 'value'}, TypeError, 'column values must be strings'),
    ({'y_col': 'value'}, TypeError, 'must be type string, list or tuple'),
    ({'x_col': 'value'}, TypeError, 'All values in column x_col=value must be strings'),
    ({'weight_col': 'label'}, TypeError, 'weight_col=label must be numeric'),
    ({'y_col': 'class'}, KeyError, "no column 'class', but: .*'label'"),
    ({'x_col': 'filename'}, KeyError, "no column 'filename'"),
    ({'color': 'rgb'}, TypeError, "Unrecognized keyword arguments: .'color'")])
def test_data_frames_refuse(read, arguments, error, message):
    with pytest.raises(error, match=message):
        read(**arguments)


@pytest.mark.filterwarnings('ignore:Found 2 invalid')
def test_what_data_frames_warn_of(read):
    with pytest.warns(UserWarning, match="`classes` will be ignored given the class_mode='raw'"):
        read(class_mode='raw', y_col='value', classes=['x'])
    with pytest.warns(UserWarning, match='No row of the data frame names a picture of these classes'):
        read(classes=['w'])
    with pytest.warns(DeprecationWarning, match='class_mode="raw"'):
        assert read(class_mode='other', y_col='value')[0][1].tolist() == [0, 1, 3, 5]
    for name in ('has_ext', 'sort', 'drop_duplicates'):
        with pytest.warns(DeprecationWarning, match='`%s` has no effect' % name):
            read(**{name: True})


def test_missing_pillow_is_named(folder, monkeypatch):
    flow = I.ImageDataGenerator().flow_from_directory(str(folder))
    monkeypatch.setitem(sys.modules, 'PIL', None)
    with pytest.raises(ImportError, match='pip install pillow'):
        next(flow)


def test_classes_that_do_not_fit_a_folder_are_said(folder):
    generator = I.ImageDataGenerator()
    with pytest.warns(UserWarning, match=r"no folder for these of `classes`: \['zebra'\]"):
        generator.flow_from_directory(folder, classes=['a', 'zebra'])
    with pytest.warns(UserWarning, match='class_mode="binary" is for 2 classes, .* has 3'):
        generator.flow_from_directory(folder, class_mode='binary')
    with pytest.raises(TypeError, match=r'must be a pandas.DataFrame \(pip install pandas\). Received: dict'):
        generator.flow_from_dataframe({'filename': ['1.bmp'], 'class': ['a']}, str(folder))
