"""Sets of samples from folders of files: a folder for each class, or one for all."""
import os
import wave

import numpy as np

from keras.backend.contract.rules import AbstractTensor
from keras.utils.image_utils import checked_data_format, img_to_array, load_img
from keras.utils.resizing import padded_to_aspect_ratio, resized, smart_resize
from keras.utils.sample_sets import SampleSet, in_format, order_of

_PICTURES = ('.bmp', '.gif', '.jpeg', '.jpg', '.png')
_CHANNELS = {'grayscale': 1, 'rgb': 3, 'rgba': 4}


class Listing:
    """The files of a folder with their labels.

    Args:
        directory: path. endings: of the names of the files. what: the samples, for messages, with a capital first.
        labels: 'inferred' (the number of the folder of a class), None, or a list of numbers, in the order of the names
            of the files. label_mode: 'int', 'binary', 'categorical' or None. class_names: the folders, in their order.
        follow_links: whether to follow links to folders.
    """

    def __init__(self, directory, endings, what, labels, label_mode, class_names, follow_links):
        self._check(directory, labels, label_mode, class_names)
        self.label_mode = label_mode if labels is not None else None
        folders = sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
        if labels is None or label_mode is None:
            self.class_names, self.paths, self.labels = None, _files_in(directory, endings, follow_links), None
        elif labels == 'inferred':
            self._infer(directory, folders, class_names, endings, follow_links)
        else:
            self.paths = _files_in(directory, endings, follow_links)
            if len(labels) != len(self.paths):
                raise ValueError('Expected the lengths of `labels` to match the number of files in the target '
                                 'directory. len(labels) is %d while we found %d files in directory %s.'
                                 % (len(labels), len(self.paths), directory))
            self.class_names = [str(label) for label in sorted(set(labels))]
            self.labels = np.asarray(labels, 'int32')
        if not self.paths:
            raise ValueError('No %s found in directory %s. Allowed formats: %s. The usual causes: the path of another '
                             'folder, or files in the folder itself while labels=\'inferred\' looks into a folder for '
                             'each class.' % (what, directory, endings))
        if label_mode == 'binary' and self.class_names is not None and len(self.class_names) != 2:
            raise ValueError('When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: '
                             'class_names=%s' % self.class_names)

    @staticmethod
    def _check(directory, labels, label_mode, class_names):
        if not os.path.isdir(directory):
            raise NotADirectoryError('%s is not a folder.' % (directory,))
        if not (labels in ('inferred', None) if isinstance(labels, (str, type(None))) else hasattr(labels, '__len__')):
            raise ValueError('`labels` argument should be a list/tuple of integer labels, of the same size as the '
                             'number of files in the target directory. If you wish to infer the labels from the '
                             'subdirectory names in the target directory, pass `labels="inferred"`. If you wish to '
                             'get a dataset that only contains samples without labels, pass `labels=None`. Received: '
                             'labels=%r' % (labels,))
        if class_names and labels != 'inferred':
            raise ValueError('You can only pass `class_names` if `labels="inferred"`. Received: labels=%r, and '
                             'class_names=%r' % (labels, class_names))
        if label_mode not in ('int', 'categorical', 'binary', None):
            raise ValueError('`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: '
                             'label_mode=%r' % (label_mode,))

    def _infer(self, directory, folders, class_names, endings, follow_links):
        if class_names and set(class_names) != set(folders):
            raise ValueError('The `class_names` passed did not match the names of the subdirectories of the target '
                             'directory. Expected: %s, but received: %s' % (folders, list(class_names)))
        self.class_names = list(class_names or folders)
        found = [_files_in(os.path.join(directory, name), endings, follow_links) for name in self.class_names]
        self.paths = [path for paths in found for path in paths]
        self.labels = np.repeat(np.arange(len(found), dtype='int32'), [len(paths) for paths in found])

    def shuffle(self, seed):
        """Draw the order of the files."""
        order = np.random.RandomState(seed).permutation(len(self.paths))
        self._keep(order)

    def part(self, split, subset):
        """Leave aside what is not in the `subset` 'training' or 'validation'."""
        held_out = int(split * len(self.paths))
        numbers = np.arange(len(self.paths))
        self._keep(numbers[-held_out:] if subset == 'validation' else numbers[:-held_out] if held_out else numbers)
        if not self.paths:
            raise ValueError('validation_split=%s leaves no file for the subset %r.' % (split, subset))

    def _keep(self, numbers):
        self.paths = [self.paths[number] for number in numbers]
        self.labels = None if self.labels is None else self.labels[numbers]

    def targets(self, numbers):
        """The targets of samples, in the form of `label_mode`; None where there are none."""
        if self.label_mode is None:
            return None
        labels = self.labels[numbers]
        if self.label_mode == 'binary':
            return labels.astype('float32')[:, None]
        return np.eye(len(self.class_names), dtype='float32')[labels] if self.label_mode == 'categorical' else labels


def _files_in(directory, endings, follow_links):
    """The paths of all files in a folder and those in it that have one of the endings, folder by folder."""
    walk = sorted(os.walk(directory, followlinks=follow_links))
    return [os.path.join(folder, name) for folder, _, names in walk for name in sorted(names)
            if name.lower().endswith(endings)]


def _check_split(split, subset, shuffle, seed):
    if split and not 0 < split < 1:
        raise ValueError('`validation_split` must be between 0 and 1, received: %s' % (split,))
    if (split or subset) and subset not in ('training', 'validation', 'both'):
        raise ValueError('`subset` must be either "training", "validation" or "both", received: %s' % (subset,))
    if subset and not split:
        raise ValueError('If `subset` is set, `validation_split` must be set, and inversely. Received: '
                         'validation_split=%s, subset=%s' % (split, subset))
    if split and shuffle and seed is None:
        raise ValueError('If using `validation_split` and shuffling the data, you must provide a `seed` argument, to '
                         'make sure that there is no overlap between the training and validation subset.')


class _Maker:
    """Makes the set of a folder, or both sets of a split.

    Args:
        read: function of a list of paths that gives an array. spec: the `AbstractTensor` of that. batch_size, shuffle,
            seed, validation_split, subset, format, verbose: as in the functions below.
    """

    def __init__(self, read, spec, batch_size, shuffle, seed, validation_split, subset, format, verbose):
        order_of(shuffle, format)
        _check_split(validation_split, subset, shuffle, seed)
        self._read, self._spec, self._batch_size = read, spec, batch_size
        self._shuffle, self._seed = shuffle, np.random.randint(10 ** 6) if seed is None else seed
        self._split, self._subset, self._format, self._verbose = validation_split, subset, format, verbose

    def __call__(self, *listing):
        """The set, or a list of both, of what `Listing(*listing)` gives."""
        if self._subset != 'both':
            return self._part(listing, self._subset, self._shuffle)
        return [self._part(listing, 'training', self._shuffle), self._part(listing, 'validation', False)]

    def _part(self, listing, subset, reshuffle):
        files = Listing(*listing)
        if self._verbose and not (self._subset == 'both' and subset == 'validation'):
            print('Found %d files%s.' % (len(files.paths), '' if files.class_names is None else
                                         ' belonging to %d classes' % len(files.class_names)))
        if self._shuffle:
            files.shuffle(self._seed)
        if self._split:
            files.part(self._split, subset)
            if self._verbose:
                print('Using %d files for %s.' % (len(files.paths), subset))
        return self._set(files, order_of(reshuffle, self._format))

    def _set(self, files, order):
        read, spec = self._read, self._spec

        def rows(numbers):
            samples = read([files.paths[number] for number in numbers])
            return samples if files.label_mode is None else (samples, files.targets(numbers))
        if files.label_mode is not None:
            targets = files.targets(np.arange(1))
            spec = spec, AbstractTensor((None,) + targets.shape[1:], targets.dtype.name)
        samples = SampleSet(rows, len(files.paths), self._batch_size, order, self._seed, spec)
        samples.class_names, samples.file_paths = files.class_names, files.paths
        return in_format(samples, self._format)


def image_dataset_from_directory(directory, labels='inferred', label_mode='int', class_names=None, color_mode='rgb',
                                 batch_size=32, image_size=(256, 256), shuffle=True, seed=None, validation_split=None,
                                 subset=None, interpolation='bilinear', follow_links=False, crop_to_aspect_ratio=False,
                                 pad_to_aspect_ratio=False, data_format=None, format='tf', verbose=True):
    """The pictures of a folder with their classes, in batches.

    Args:
        directory: path of a folder with a folder for each class. Files: BMP, GIF (the first picture), JPEG, PNG.
        labels: 'inferred' from the folders; None for pictures alone; or a list of class numbers, in the order of the
            names of the files. label_mode: 'int' (targets of shape (batch,), int32), 'binary' (batch, 1), 'categorical'
            (batch, classes), both float32, or None.
        class_names: the folders in the order of their numbers; default by the alphabet.
        color_mode: 'grayscale', 'rgb' or 'rgba'. batch_size: None gives pictures one by one.
        image_size: (rows, columns) to resize to. interpolation: 'nearest', 'bilinear', 'bicubic', 'area', 'lanczos3',
            'lanczos5', 'gaussian' or 'mitchellcubic'.
        shuffle: whether they come in random order, else by name. seed: of that order, and of the split.
        validation_split: fraction to hold out. subset: 'training', 'validation' or 'both', which gives two sets.
        follow_links: whether to follow links to folders. crop_to_aspect_ratio, pad_to_aspect_ratio: whether to cut off,
            or fill up with 0, what would be squeezed or stretched.
        data_format: 'channels_last' or 'channels_first'. verbose: whether to print how many files there are.
        format: 'tf', or 'grain' for a `PyDataset` on every engine, whose order is the same in every pass.

    Returns:
        Batches (pictures, targets) or pictures, float32 of shape (batch, rows, columns, channels) with values from 0 to
        255: a set of the engine's own library where it has such (`tf.data.Dataset`), else a `PyDataset` of NumPy
        arrays. The attributes `class_names` and `file_paths` say what it was made from.

    Raises:
        ValueError: for a folder without pictures and arguments that do not fit. OSError: for a file that is no picture,
        when it is read. ImportError: without Pillow.

    Example:
        train, test = keras.utils.image_dataset_from_directory('pictures', image_size=(64, 64), seed=1,
                                                               validation_split=0.2, subset='both')
    """
    if color_mode not in _CHANNELS:
        raise ValueError('`color_mode` must be one of {"rgb", "rgba", "grayscale"}. Received: color_mode=%s'
                         % (color_mode,))
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError('Only one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio` can be set to `True`.')
    if np.shape(image_size) != (2,):
        raise ValueError('image_size must be a tuple (rows, columns). Received: %r' % (image_size,))
    data_format = checked_data_format(data_format)

    def picture(path):
        array = img_to_array(load_img(path, color_mode=color_mode), 'channels_last', 'float32')
        if crop_to_aspect_ratio:
            array = smart_resize(array, image_size, interpolation, 'channels_last')
        elif pad_to_aspect_ratio:
            array = resized(padded_to_aspect_ratio(array, image_size), image_size, interpolation)
        else:
            array = resized(array, image_size, interpolation)
        return array.transpose(2, 0, 1) if data_format == 'channels_first' else array
    sizes = tuple(image_size) + (_CHANNELS[color_mode],)
    spec = AbstractTensor((None,) + (sizes[2:] + sizes[:2] if data_format == 'channels_first' else sizes), 'float32')
    make = _Maker(lambda paths: np.stack([picture(path) for path in paths]), spec, batch_size, shuffle, seed,
                  validation_split, subset, format, verbose)
    return make(directory, _PICTURES, 'images', labels, label_mode, class_names, follow_links)


def text_dataset_from_directory(directory, labels='inferred', label_mode='int', class_names=None, batch_size=32,
                                max_length=None, shuffle=True, seed=None, validation_split=None, subset=None,
                                follow_links=False, format='tf', verbose=True):
    """The texts (.txt, UTF-8) of a folder with their classes, in batches.

    Args:
        max_length: longer texts are cut off behind that many bytes; default none. The others are those of
            `image_dataset_from_directory`.

    Returns:
        Batches (texts, targets) or texts, of shape (batch,): a set of the engine's own library where it has such
        (`tf.data.Dataset` of tensors of strings), else a `PyDataset` of NumPy arrays of `str`.

    Raises:
        ValueError: for a folder without texts and arguments that do not fit.
    """
    def read(paths):
        found = np.empty(len(paths), object)
        for number, path in enumerate(paths):
            with open(path, 'rb') as file:
                found[number] = file.read(max_length or -1).decode('utf-8', 'ignore' if max_length else 'replace')
        return found
    make = _Maker(read, AbstractTensor((None,), 'string'), batch_size, shuffle, seed, validation_split, subset, format,
                  verbose)
    return make(directory, ('.txt',), 'text files', labels, label_mode, class_names, follow_links)


def audio_dataset_from_directory(directory, labels='inferred', label_mode='int', class_names=None, batch_size=32,
                                 sampling_rate=None, output_sequence_length=None, ragged=False, shuffle=True, seed=None,
                                 validation_split=None, subset=None, follow_links=False, verbose=True):
    """The sounds (.wav, PCM) of a folder with their classes, in batches.

    Args:
        sampling_rate: to resample to, in Hertz, which needs SciPy; default: as they are. output_sequence_length: to cut
            off or fill up with 0 to; default: the longest of a batch. ragged: not supported: sounds of unlike lengths
            are filled up. The others are those of `image_dataset_from_directory`.

    Returns:
        Batches (sounds, targets) or sounds, float32 of shape (batch, samples, channels) with values from -1 to 1: a set
        of the engine's own library where it has such (`tf.data.Dataset`), else a `PyDataset` of NumPy arrays.

    Raises:
        ValueError: for a folder without sounds, and arguments and files that do not fit.
    """
    if ragged and output_sequence_length is not None:
        raise ValueError('Cannot set both `ragged` and `output_sequence_length`')
    if ragged:
        raise NotImplementedError('audio_dataset_from_directory: ragged=True is not supported: leave it out, and the '
                                  'sounds of a batch are filled up with 0 to the length of the longest.')
    for name, value in (('sampling_rate', sampling_rate), ('output_sequence_length', output_sequence_length)):
        if value is not None and not isinstance(value, (int, np.integer)):
            raise ValueError('`%s` should have an integer value. Received: %s=%r' % (name, name, value))
        if value is not None and value <= 0:
            raise ValueError('`%s` should be higher than 0. Received: %s=%r' % (name, name, value))

    def read(paths):
        sounds = [_sound(path, sampling_rate) for path in paths]
        length = output_sequence_length or max(map(len, sounds))
        found = np.zeros((len(sounds), length, max(sound.shape[1] for sound in sounds)), 'float32')
        for place, sound in zip(found, sounds):
            place[:min(len(sound), length), :sound.shape[1]] = sound[:length]
        return found
    make = _Maker(read, AbstractTensor((None, output_sequence_length, None), 'float32'), batch_size, shuffle, seed,
                  validation_split, subset, 'tf', verbose)
    return make(directory, ('.wav',), 'audio files', labels, label_mode, class_names, follow_links)


def _sound(path, sampling_rate):
    """The samples of a file, (samples, channels) from -1 to 1."""
    try:
        with wave.open(path, 'rb') as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError('%s cannot be read as a sound: %s. Expected a WAV file with PCM samples.' % (path, error))
    if width == 3:
        wide = np.zeros((len(content) // 3, 4), 'uint8')
        wide[:, 1:] = np.frombuffer(content, 'uint8').reshape(-1, 3)
        samples = wide.view('<i4')[:, 0] / 2.0 ** 31
    elif width == 1:
        samples = (np.frombuffer(content, 'uint8').astype('float64') - 128) / 128
    else:
        samples = np.frombuffer(content, '<i%d' % width) / 2.0 ** (8 * width - 1)
    samples = samples.reshape(-1, channels).astype('float32')
    if sampling_rate is None or sampling_rate == rate:
        return samples
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise ImportError('Resampling sounds needs SciPy: pip install scipy (%s)' % error)
    return resample_poly(samples, sampling_rate, rate, axis=0).astype('float32')
