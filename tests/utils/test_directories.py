"""Sets of samples from folders: what is in them, in which form, and what is said of what does not fit."""
import os
import wave

import numpy as np
import pytest

import keras
from keras.utils.resizing import resized, smart_resize
from keras.utils import (audio_dataset_from_directory, image_dataset_from_directory, save_img,
                         text_dataset_from_directory)

pytestmark = pytest.mark.on('numpy', 'tensorflow')


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of cats, one with all values 10, two deep in a folder, and four of dogs, all values 200."""
    for name, count, value in (('cat', 3, 10), ('dog', 4, 200)):
        folder = tmp_path / name / ('deep' if name == 'cat' else '')
        os.makedirs(str(folder))
        for number in range(count):
            save_img(str(folder / ('%d.png' % number)), np.full((6, 8, 3), value + number), scale=False)
    (tmp_path / 'cat' / 'notes.txt').write_text('no picture')
    return str(tmp_path)


def arrays(batches):
    """The batches of a set as NumPy arrays."""
    return [tuple(np.asarray(part) for part in batch) if isinstance(batch, tuple) else np.asarray(batch)
            for batch in batches]


def test_pictures_with_their_classes(pictures):
    found = image_dataset_from_directory(pictures, batch_size=3, image_size=(3, 4), shuffle=False, verbose=False)
    assert found.class_names == ['cat', 'dog'] and len(found.file_paths) == 7 and len(found) == 3
    batches = arrays(found)
    assert [x.shape for x, _ in batches] == [(3, 3, 4, 3), (3, 3, 4, 3), (1, 3, 4, 3)]
    assert batches[0][0].dtype == 'float32' and batches[0][1].dtype == 'int32'
    np.testing.assert_array_equal(np.concatenate([x[:, 0, 0, 0] for x, _ in batches]), [10, 11, 12, 200, 201, 202, 203])
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), [0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize('mode, targets', [('binary', [[0.], [1.]]), ('categorical', [[1., 0.], [0., 1.]]),
                                           ('int', [0, 1])])
def test_modes_of_targets(pictures, mode, targets):
    found = image_dataset_from_directory(pictures, label_mode=mode, shuffle=False, verbose=False, batch_size=7,
                                         color_mode='grayscale', data_format='channels_first', image_size=(6, 8))
    x, y = arrays(found)[0]
    assert x.shape == (7, 1, 6, 8) and y.dtype == ('int32' if mode == 'int' else 'float32')
    np.testing.assert_array_equal(y[[0, -1]], targets)


def test_labels_given_or_none(pictures):
    alone = arrays(image_dataset_from_directory(pictures, labels=None, image_size=(6, 8), verbose=False))[0]
    assert sorted(alone[:, 0, 0, 0].tolist()) == [10, 11, 12, 200, 201, 202, 203]
    given = image_dataset_from_directory(pictures, labels=[2, 1, 0, 0, 1, 2, 1], shuffle=False, verbose=False)
    assert given.class_names == ['0', '1', '2']
    np.testing.assert_array_equal(arrays(given)[0][1], [2, 1, 0, 0, 1, 2, 1])
    turned = image_dataset_from_directory(pictures, class_names=['dog', 'cat'], shuffle=False, verbose=False)
    np.testing.assert_array_equal(arrays(turned)[0][1], [0, 0, 0, 0, 1, 1, 1])


def test_orders_and_parts(pictures, capsys):
    def values(found):
        return [x[0, 0, 0] for x in arrays(found)]
    options = {'labels': None, 'image_size': (6, 8), 'seed': 3, 'batch_size': None, 'verbose': False}
    first, again = image_dataset_from_directory(pictures, **options), image_dataset_from_directory(pictures, **options)
    passes = [values(first), values(first)]
    assert passes[0] != passes[1] and sorted(passes[0]) == sorted(passes[1])
    assert passes[0] == values(again)
    train, test = image_dataset_from_directory(pictures, validation_split=0.3, subset='both', **options)
    alone = image_dataset_from_directory(pictures, validation_split=0.3, subset='validation', **options)
    assert len(values(train)) == 5 and len(values(test)) == 2
    assert sorted(values(train) + values(test)) == [10, 11, 12, 200, 201, 202, 203]
    assert sorted(values(test)) == sorted(values(alone))
    image_dataset_from_directory(pictures, validation_split=0.3, subset='training', seed=1)
    assert capsys.readouterr().out == 'Found 7 files belonging to 2 classes.\nUsing 5 files for training.\n'


@pytest.mark.parametrize('arguments, message', [
    ({'labels': 'other'}, '`labels` argument should be'), ({'labels': [1, 2]}, 'match the number of files'),
    ({'label_mode': 'other'}, '`label_mode` argument must be'), ({'color_mode': 'cmyk'}, '`color_mode` must be one of'),
    ({'class_names': ['cat', 'cow']}, 'did not match the names of the subdirectories'),
    ({'class_names': ['a'], 'labels': None}, 'only pass `class_names` if'),
    ({'validation_split': 2, 'subset': 'both'}, 'must be between 0 and 1'),
    ({'validation_split': 0.2, 'subset': 'other'}, '"training", "validation" or "both"'),
    ({'subset': 'training'}, '`validation_split` must be set'),
    ({'validation_split': 0.2, 'subset': 'training'}, 'must provide a `seed`'),
    ({'interpolation': 'magic'}, 'Unknown interpolation'), ({'format': 'other'}, '`format` should be'),
    ({'crop_to_aspect_ratio': True, 'pad_to_aspect_ratio': True}, 'Only one of')])
def test_what_does_not_fit_is_said(pictures, arguments, message):
    with pytest.raises(Exception, match=message):
        next(iter(image_dataset_from_directory(pictures, verbose=False, **arguments)))


def test_folders_and_files_that_are_none(pictures, tmp_path):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='No images found in directory .*empty'):
        image_dataset_from_directory(str(tmp_path / 'empty'))
    with pytest.raises(NotADirectoryError, match='is not a folder'):
        image_dataset_from_directory(str(tmp_path / 'nowhere'))
    (tmp_path / 'empty' / 'broken.png').write_bytes(b'\x89PNG\r\n and no more')
    broken = image_dataset_from_directory(str(tmp_path / 'empty'), labels=None, verbose=False)
    with pytest.raises(Exception, match='broken.png cannot be read as a picture'):
        next(iter(broken))
    (tmp_path / 'third').mkdir()
    with pytest.raises(ValueError, match='exactly 2 class_names'):
        image_dataset_from_directory(pictures, label_mode='binary')


def test_texts(tmp_path):
    for name, text in (('a', 'one'), ('b', 'zwölf')):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'text.txt').write_bytes(text.encode('utf-8'))
    x, y = arrays(text_dataset_from_directory(str(tmp_path), shuffle=False, verbose=False))[0]
    texts = [text if isinstance(text, str) else text.decode('utf-8') for text in x.tolist()]
    assert texts == ['one', 'zwölf'] and y.tolist() == [0, 1]
    x, _ = arrays(text_dataset_from_directory(str(tmp_path), shuffle=False, max_length=2, verbose=False))[0]
    assert [text[:2] for text in x.tolist()] == x.tolist()


def test_sounds(tmp_path):
    for name, count in (('a', 40), ('b', 20)):
        (tmp_path / name).mkdir()
        with wave.open(str(tmp_path / name / 'sound.wav'), 'wb') as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(1000)
            file.writeframes(np.repeat([16384, -8192], [count, count]).astype('<i2').tobytes())
    x, y = arrays(audio_dataset_from_directory(str(tmp_path), shuffle=False, verbose=False))[0]
    assert x.shape == (2, 40, 2) and y.tolist() == [0, 1]
    np.testing.assert_array_equal(x[0, [0, -1]], [[0.5, 0.5], [-0.25, -0.25]])
    assert not x[1, 20:].any()
    options = {'shuffle': False, 'verbose': False}
    assert arrays(audio_dataset_from_directory(str(tmp_path), output_sequence_length=7, **options))[0][0].shape == (
        2, 7, 2)
    assert arrays(audio_dataset_from_directory(str(tmp_path), sampling_rate=500, **options))[0][0].shape == (2, 20, 2)
    with pytest.raises(ValueError, match='`sampling_rate` should be higher than 0'):
        audio_dataset_from_directory(str(tmp_path), sampling_rate=0)
    (tmp_path / 'b' / 'sound.wav').write_bytes(b'RIFF')
    with pytest.raises(Exception, match='sound.wav cannot be read as a sound'):
        next(iter(audio_dataset_from_directory(str(tmp_path), **options)))


def test_a_model_learns_from_a_folder(pictures):
    if os.environ['KERAS_BACKEND'] == 'numpy':
        pytest.skip('NumPy does not train')
    train = image_dataset_from_directory(pictures, batch_size=4, image_size=(6, 8), verbose=False)
    model = keras.Sequential([keras.layers.Flatten(input_shape=(6, 8, 3)), keras.layers.Dense(2)])
    model.compile('sgd', 'sparse_categorical_crossentropy')
    assert len(model.fit(train, epochs=2, verbose=0).history['loss']) == 2
    assert model.predict(train).shape == (7, 2)


# By tf.image.resize of TensorFlow 2.21 on arange(20).reshape(1, 5, 4, 1), to (2, 3) and without antialias.
@pytest.mark.parametrize('interpolation, values', [
    ('nearest', [[4, 6, 7], [12, 14, 15]]), ('bilinear', [[3.1666667, 4.5, 5.8333335], [13.166667, 14.5, 15.833333]]),
    ('area', [[3.45, 4.7, 5.95], [13.05, 14.3, 15.55]])])
def test_resizing(interpolation, values):
    found = resized(np.arange(20).reshape(1, 5, 4, 1), (2, 3), interpolation)
    np.testing.assert_allclose(found[0, :, :, 0], values, rtol=1e-6)


def test_smart_resizing_cuts_off_what_is_too_long():
    x = np.arange(32, dtype='float32').reshape(4, 8, 1)
    np.testing.assert_array_equal(smart_resize(x, (4, 4)), x[:, 2:6])
    np.testing.assert_array_equal(smart_resize(x[None].transpose(0, 3, 1, 2), (4, 4), data_format='channels_first'),
                                  x[None, :, 2:6].transpose(0, 3, 1, 2))
    with pytest.raises(ValueError, match='incorrect rank'):
        smart_resize(np.zeros(3), (2, 2))
