"""Batches of pictures, without end or by number, from arrays and from files.

A batch has a generator of random numbers of its own, made of the seed and the number of the batch, so that the same
batches come whether one thread makes them, several, or several processes.
"""
import collections
import os
import threading
import warnings

import numpy as np

from keras import config
from keras.preprocessing.affine import drawing_from, generator
from keras.utils.data_utils import Sequence
from keras.utils.image_utils import (FORMATS, array_to_img, checked_color_mode, checked_data_format, img_to_array,
                                     load_img)


class Iterator(Sequence):
    """Batches of pictures: `next(iterator)` without end, `iterator[number]` within an epoch.

    A subclass defines `_get_batches_of_transformed_samples(index_array)`, which gives the batch of these samples.

    Args:
        n: number of samples. batch_size: samples per batch; the last one of an epoch may be smaller.
        shuffle: whether the samples of each epoch come in random order. seed: of that order and of what happens to the
            samples; default: NumPy's global generator draws.

    With a seed, NumPy's global generator is seeded for every batch as well, for functions of the user that draw from
    it.
    """
    white_list_formats = FORMATS

    def __init__(self, n, batch_size, shuffle, seed):
        self.n = n
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array = None
        # How often each batch was made, and in which epoch we are: both tell how far the seeds have got.
        self._rounds = collections.Counter()
        self._epochs = 0
        self._last_draws = None
        self._revive()

    def _revive(self):
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ('lock', 'index_generator')}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._revive()

    def _set_index_array(self):
        """Settle the order of an epoch."""
        self.index_array = generator().permutation(self.n) if self.shuffle else np.arange(self.n)

    def _draws(self, number):
        """The generator of the batch with a number, counted over all epochs; None without a seed."""
        if self.seed is None:
            return None
        seed = (self.seed + number) % 2 ** 32
        np.random.seed(seed)
        return np.random.RandomState(seed)

    def __len__(self):
        return (self.n + self.batch_size - 1) // self.batch_size

    def __getitem__(self, idx):
        if not 0 <= idx < len(self):
            raise ValueError('Asked to retrieve element %d, but the Sequence has length %d%s.'
                             % (idx, len(self), '' if self.n else ': it holds no samples'))
        with self.lock:
            number = idx + len(self) * self._rounds[idx]
            self._rounds[idx] += 1
            self.total_batches_seen += 1
            draws = self._draws(number)
            if idx == len(self) - 1:
                self._last_draws = draws
            self._settle_order(number, draws)
            samples = self.index_array[self.batch_size * idx:self.batch_size * (idx + 1)]
        with drawing_from(draws):
            return self._get_batches_of_transformed_samples(samples)

    def _settle_order(self, number, draws):
        """Make the order of the first epoch, by the draws of its first batch whichever batch is made first."""
        if draws is not None and number != 0:
            draws = None if self.index_array is not None else np.random.RandomState(self.seed % 2 ** 32)
        if self.index_array is None:
            with drawing_from(draws):
                self._set_index_array()
        elif draws is not None and self.shuffle:
            draws.permutation(self.n)

    def on_epoch_end(self):
        """Another order for the next epoch."""
        self._epochs += 1
        draws = self._last_draws
        if draws is None and self.seed is not None:
            # Worker processes have made the batches.
            draws = np.random.RandomState((self.seed + self._epochs * len(self)) % 2 ** 32)
        for idx in range(len(self)):
            self._rounds[idx] = max(self._rounds[idx], self._epochs)
        with drawing_from(draws):
            self._set_index_array()

    def reset(self):
        """Let `next` begin a new epoch."""
        self.batch_index = 0

    def _flow_index(self):
        """The numbers of the samples of one batch after the other, without end."""
        self.reset()
        while True:
            if not self.n:
                raise ValueError('%s holds no samples, so there is no batch.' % type(self).__name__)
            draws = self._draws(self.total_batches_seen)
            if self.batch_index == 0:
                with drawing_from(draws):
                    self._set_index_array()
            begin = self.batch_index * self.batch_size
            end = begin + self.batch_size
            self.batch_index = self.batch_index + 1 if end < self.n else 0
            self.total_batches_seen += 1
            self._next_draws = draws
            yield self.index_array[begin:end]

    def __iter__(self):
        return self

    def __next__(self):
        return self.next()

    def next(self):
        """The next batch; epoch follows epoch."""
        with self.lock:
            samples = next(self.index_generator)
            draws = self._next_draws
        with drawing_from(draws):
            return self._get_batches_of_transformed_samples(samples)

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError('%s must define `_get_batches_of_transformed_samples(index_array)`.'
                                  % type(self).__name__)

    def _save(self, pictures, index_array, most):
        """Write pictures where `save_to_dir` says, with a random number below `most` in their names."""
        for number, picture in zip(index_array, pictures):
            name = '%s_%d_%d.%s' % (self.save_prefix, number, generator().randint(most), self.save_format)
            array_to_img(picture, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


class NumpyArrayIterator(Iterator):
    """Batches of pictures from an array, changed by an `ImageDataGenerator`.

    Args:
        x: array of rank 4, or (such an array, array or list of arrays that go with the pictures unchanged).
        y: targets, or None. image_data_generator: what changes the pictures. batch_size, shuffle, seed: as in
            `Iterator`. sample_weight: weights, or None. data_format: where the channels are; default as in the
            settings. save_to_dir: a folder to write the changed pictures to, for looking at. save_prefix, save_format:
            beginning and ending of the names of these files. subset: 'training' or 'validation', the part of the data
            after or before the `validation_split` of the generator. dtype: of the pictures; default floatx.

    Raises:
        ValueError: if lengths differ, the pictures do not have rank 4, or the parts of a split hold different classes.
    """

    def __init__(self, x, y, image_data_generator, batch_size=32, shuffle=False, sample_weight=None, seed=None,
                 data_format=None, save_to_dir=None, save_prefix='', save_format='png', subset=None, dtype=None):
        self.data_format = checked_data_format(data_format)
        self.dtype = dtype or config.floatx()
        x, others = x if isinstance(x, (tuple, list)) and len(x) == 2 else (x, [])
        others = [np.asarray(other) for other in (others if isinstance(others, list) else [others])]
        for other in others:
            if len(other) != len(x):
                raise ValueError('All of the arrays in `x` should have the same length. Found a pair with: '
                                 'len(x[0]) = %d, len(x[?]) = %d' % (len(x), len(other)))
        for values, name in ((y, '`y` (labels)'), (sample_weight, '`sample_weight`')):
            if values is not None and len(values) != len(x):
                raise ValueError('`x` (images tensor) and %s should have the same length. Found: x.shape = %s and %s.'
                                 % (name, np.shape(x), np.shape(values)))
        part = self._part(subset, image_data_generator, y, len(x))
        self.x = np.asarray(x[part], dtype=self.dtype)
        self.x_misc = [other[part] for other in others]
        self.y = None if y is None else np.asarray(y[part])
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight[part])
        self._check_pictures()
        self.image_data_generator = image_data_generator
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        super().__init__(len(self.x), batch_size, shuffle, seed)

    @staticmethod
    def _part(subset, image_data_generator, y, length):
        if subset is None:
            return slice(None)
        begin, end = image_data_generator.fractions(subset)
        at = int(length * (end if subset == 'validation' else begin))
        if y is not None and not np.array_equal(np.unique(y[:at]), np.unique(y[at:])):
            raise ValueError('Training and validation subsets have different number of classes after the split. If '
                             'your numpy arrays are sorted by the label, you might want to shuffle them.')
        return slice(at) if subset == 'validation' else slice(at, None)

    def _check_pictures(self):
        if self.x.ndim != 4:
            raise ValueError('Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape %s.'
                             % (self.x.shape,))
        axis = 3 if self.data_format == 'channels_last' else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn('NumpyArrayIterator is set to use the data format convention "%s" (channels on axis %d), '
                          'i.e. expected either 1, 3, or 4 channels on axis %d. However, it was passed an array with '
                          'shape %s (%d channels).' % (self.data_format, axis, axis, self.x.shape, self.x.shape[axis]),
                          stacklevel=4)

    def _get_batches_of_transformed_samples(self, index_array):
        pictures = np.empty((len(index_array),) + self.x.shape[1:], dtype=self.dtype)
        for row, number in zip(pictures, index_array):
            row[...] = self.image_data_generator.changed(self.x[number].copy())
        if self.save_to_dir:
            self._save(pictures, index_array, 10 ** 4)
        inputs = [pictures] + [other[index_array] for other in self.x_misc] if self.x_misc else pictures
        if self.y is None:
            return inputs
        if self.sample_weight is None:
            return inputs, self.y[index_array]
        return inputs, self.y[index_array], self.sample_weight[index_array]


class BatchFromFilesMixin:
    """What iterators over files share.

    A subclass has `filepaths`, `labels`, `sample_weight`, `class_mode`, `dtype`.
    """

    def set_processing_attrs(self, image_data_generator, target_size, color_mode, data_format, save_to_dir,
                             save_prefix, save_format, subset, interpolation):
        """Note how files become pictures; arguments as in `DirectoryIterator`."""
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.color_mode = checked_color_mode(color_mode)
        self.data_format = checked_data_format(data_format)
        channels = ({'rgba': 4, 'rgb': 3, 'grayscale': 1}[color_mode],)
        first = self.data_format == 'channels_first'
        self.image_shape = channels + self.target_size if first else self.target_size + channels
        self.save_to_dir, self.save_prefix, self.save_format = save_to_dir, save_prefix, save_format
        self.interpolation = interpolation
        self.subset = subset
        self.split = None if subset is None else image_data_generator.fractions(subset)

    def _get_batches_of_transformed_samples(self, index_array):
        pictures = np.empty((len(index_array),) + self.image_shape, dtype=self.dtype)
        paths = self.filepaths
        for row, number in zip(pictures, index_array):
            image = load_img(paths[number], color_mode=self.color_mode, target_size=self.target_size,
                             interpolation=self.interpolation)
            picture = img_to_array(image, data_format=self.data_format, dtype=self.dtype)
            row[...] = self.image_data_generator.changed(picture) if self.image_data_generator else picture
        if self.save_to_dir:
            self._save(pictures, index_array, 10 ** 7)
        if self.class_mode is None:
            return pictures
        targets = self._targets(pictures, index_array)
        if self.sample_weight is None:
            return pictures, targets
        return pictures, targets, self.sample_weight[index_array]

    def _targets(self, pictures, index_array):
        """The targets of a batch, by the class mode."""
        if self.class_mode == 'input':
            return pictures.copy()
        if self.class_mode == 'multi_output':
            return [output[index_array] for output in self.labels]
        if self.class_mode == 'raw':
            return self.labels[index_array]
        classes = [self.classes[number] for number in index_array]
        if self.class_mode in ('binary', 'sparse'):
            return np.array(classes, dtype=self.dtype)
        targets = np.zeros((len(classes), len(self.class_indices)), dtype=self.dtype)
        for row, found in zip(targets, classes):
            row[found] = 1
        return targets

    @property
    def filepaths(self):
        """List of the paths of the files."""
        raise NotImplementedError('`filepaths` must be defined by %s.' % type(self).__name__)

    @property
    def labels(self):
        """The labels of all files."""
        raise NotImplementedError('`labels` must be defined by %s.' % type(self).__name__)

    @property
    def sample_weight(self):
        """The weights of all files, or None."""
        raise NotImplementedError('`sample_weight` must be defined by %s.' % type(self).__name__)


class DirectoryIterator(BatchFromFilesMixin, Iterator):
    """Batches of pictures from a folder with one folder for each class.

    Args:
        directory: path. image_data_generator: what changes the pictures; None changes nothing. target_size: (height,
            width) to resize to. color_mode: 'grayscale', 'rgb' or 'rgba'. classes: names of the folders, in the order
            of the classes; default all, by alphabet. class_mode: 'categorical' (one-hot rows), 'binary', 'sparse'
            (numbers), 'input' (the pictures themselves) or None (no targets). batch_size, shuffle, seed: as in
            `Iterator`. data_format, save_to_dir, save_prefix, save_format: as in `NumpyArrayIterator`.
        follow_links: whether links to folders are followed. subset: 'training' or 'validation', the files of each class
            after or before the `validation_split` of the generator. interpolation: of resizing, as in `load_img`.
        dtype: of the pictures; default floatx.

    Attributes:
        class_indices: {class: number}. classes: the number of each file's class. filenames, filepaths: without and with
        the folder. samples: number of files.

    Raises:
        OSError: if there is no such folder. ValueError: for another mode or subset.
    """
    allowed_class_modes = {'categorical', 'binary', 'sparse', 'input', None}

    def __init__(self, directory, image_data_generator, target_size=(256, 256), color_mode='rgb', classes=None,
                 class_mode='categorical', batch_size=32, shuffle=True, seed=None, data_format=None, save_to_dir=None,
                 save_prefix='', save_format='png', follow_links=False, subset=None, interpolation='nearest',
                 dtype=None):
        self.set_processing_attrs(image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
                                  save_format, subset, interpolation)
        if class_mode not in self.allowed_class_modes:
            raise ValueError('Invalid class_mode: %r; expected one of: %s' % (
                class_mode, sorted(self.allowed_class_modes, key=str)))
        self.directory = os.fspath(directory)
        self.class_mode = class_mode
        self.dtype = dtype or config.floatx()
        names = classes or sorted(name for name in os.listdir(self.directory)
                                  if os.path.isdir(os.path.join(self.directory, name)))
        self.num_classes = len(names)
        self.class_indices = {name: number for number, name in enumerate(names)}
        found = [(self.class_indices[name], path) for name in names for path in self._files_of(name, follow_links)]
        self.classes = np.array([number for number, _ in found], dtype='int32')
        self.filenames = [path for _, path in found]
        self._filepaths = [os.path.join(self.directory, path) for path in self.filenames]
        self.samples = len(found)
        print('Found %d images belonging to %d classes.' % (self.samples, self.num_classes))
        self._warn_of_classes(names)
        if not found:
            warnings.warn('%s holds no pictures. Expected are one folder for each class, with files that end in %s in '
                          'them%s.' % (directory, ', '.join(FORMATS), '; looked for: %s' % names if names else ''),
                          stacklevel=3)
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _warn_of_classes(self, names):
        absent = [name for name in names if not os.path.isdir(os.path.join(self.directory, name))]
        if absent:
            warnings.warn('%s has no folder for these of `classes`: %s.' % (self.directory, absent), stacklevel=4)
        if self.class_mode == 'binary' and len(names) > 2:
            warnings.warn('class_mode="binary" is for 2 classes, %s has %d: %s. Their numbers are what "sparse" gives.'
                          % (self.directory, len(names), names), stacklevel=4)

    def _files_of(self, name, follow_links):
        """The paths of the pictures of a class, without the directory, in order."""
        found = []
        for folder, _, files in sorted(os.walk(os.path.join(self.directory, name), followlinks=follow_links)):
            found.extend(os.path.relpath(os.path.join(folder, file), self.directory) for file in sorted(files)
                         if file.lower().endswith(tuple('.' + ending for ending in FORMATS)))
        if self.split is None:
            return found
        return found[int(self.split[0] * len(found)):int(self.split[1] * len(found))]

    @property
    def filepaths(self):
        return self._filepaths

    @property
    def labels(self):
        return self.classes

    @property
    def sample_weight(self):
        return None
