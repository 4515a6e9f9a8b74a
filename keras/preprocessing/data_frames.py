"""Batches of pictures that a data frame of pandas lists."""
import os
import warnings

import numpy as np

from keras.preprocessing.iterators import BatchFromFilesMixin, Iterator
from keras.utils.image_utils import FORMATS


class DataFrameIterator(BatchFromFilesMixin, Iterator):
    """Batches of pictures whose files stand in a column of a data frame.

    Args:
        dataframe: of pandas. directory: where the files are; None if the column holds whole paths.
        image_data_generator: what changes the pictures. x_col: the column of file names. y_col: the column, or list of
            columns, of the targets. weight_col: the column of sample weights. target_size, color_mode, batch_size,
            shuffle, seed, data_format, save_to_dir, save_prefix, save_format, interpolation: as in `DirectoryIterator`.
        classes: names of the classes to use; default all in `y_col`. They are numbered by alphabet.
        class_mode: 'categorical' (one-hot rows; an entry of `y_col` may be a list of classes), 'binary', 'sparse'
            (numbers), 'raw' (the values of `y_col`), 'multi_output' (a list, one array for each column in `y_col`),
            'input' (the pictures themselves) or None (no targets).
        subset: 'training' or 'validation', the rows after or before the `validation_split` of the generator.
        dtype: of the pictures. validate_filenames: whether rows whose file is missing or no picture are left out.

    Attributes:
        class_indices: {class: number}, where there are classes. filenames, filepaths: without and with the directory.
        samples: number of files.

    Raises:
        TypeError, ValueError: if columns and class mode do not go together. KeyError: if there is no such column.
    """
    allowed_class_modes = {'binary', 'categorical', 'input', 'multi_output', 'raw', 'sparse', None}

    def __init__(self, dataframe, directory=None, image_data_generator=None, x_col='filename', y_col='class',
                 weight_col=None, target_size=(256, 256), color_mode='rgb', classes=None, class_mode='categorical',
                 batch_size=32, shuffle=True, seed=None, data_format='channels_last', save_to_dir=None, save_prefix='',
                 save_format='png', subset=None, interpolation='nearest', dtype='float32', validate_filenames=True):
        self.set_processing_attrs(image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix,
                                  save_format, subset, interpolation)
        self.class_mode = class_mode
        self.dtype = dtype
        self.directory = os.fspath(directory) if directory else ''
        frame = dataframe
        self._check(frame, x_col, y_col, weight_col, classes)
        if validate_filenames:
            frame = self._with_files(frame, x_col)
        if class_mode in ('binary', 'categorical', 'sparse'):
            frame, classes = self._with_classes(frame, y_col, classes)
            self.class_indices = {name: number for number, name in enumerate(classes)}
        if self.split is not None:
            frame = frame.iloc[int(self.split[0] * len(frame)):int(self.split[1] * len(frame))]
        self._note_targets(frame, y_col)
        self._sample_weight = None if weight_col is None else frame[weight_col].values
        self.filenames = frame[x_col].tolist()
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self.samples = len(self.filenames)
        self._report(validate_filenames)
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _check(self, frame, x_col, y_col, weight_col, classes):
        mode = self.class_mode
        if not hasattr(frame, 'columns'):
            raise TypeError('`dataframe` must be a pandas.DataFrame (pip install pandas). Received: %s'
                            % type(frame).__name__)
        if mode not in self.allowed_class_modes:
            raise ValueError('Invalid class_mode: %r; expected one of: %s'
                             % (mode, sorted(self.allowed_class_modes, key=str)))
        if mode == 'multi_output' and not isinstance(y_col, list):
            raise TypeError('If class_mode="multi_output", y_col must be a list. Received %s.' % type(y_col).__name__)
        targets = [] if mode in ('input', None) else y_col if isinstance(y_col, (list, tuple)) else [y_col]
        for column in [x_col] + list(targets) + ([] if weight_col is None else [weight_col]):
            if column not in frame.columns:
                raise KeyError('The data frame has no column %r, but: %s' % (column, list(frame.columns)))
        if not all(isinstance(name, str) for name in frame[x_col]):
            raise TypeError('All values in column x_col=%s must be strings.' % x_col)
        if mode in ('binary', 'sparse') and not all(isinstance(label, str) for label in frame[y_col]):
            raise TypeError('If class_mode="%s", y_col="%s" column values must be strings.' % (mode, y_col))
        if mode == 'categorical' and not all(isinstance(label, (str, list, tuple)) for label in frame[y_col]):
            raise TypeError('If class_mode="categorical", y_col="%s" column values must be type string, list or tuple.'
                            % y_col)
        if mode == 'binary' and len(set(classes or frame[y_col])) != 2:
            raise ValueError('If class_mode="binary" there must be 2 classes. Found %d classes.'
                             % len(set(classes or frame[y_col])))
        if classes and mode in ('raw', 'multi_output', 'input', None):
            warnings.warn('`classes` will be ignored given the class_mode=%r' % (mode,), stacklevel=4)
        if weight_col is not None and not np.issubdtype(np.asarray(frame[weight_col]).dtype, np.number):
            raise TypeError('Column weight_col=%s must be numeric.' % weight_col)

    def _with_files(self, frame, x_col):
        """The rows whose file is there and has the name of a picture."""
        endings = tuple('.' + ending for ending in FORMATS)
        good = [name.lower().endswith(endings) and os.path.isfile(os.path.join(self.directory, name))
                for name in frame[x_col]]
        if not all(good):
            warnings.warn('Found %d invalid image filename(s) in x_col="%s". These filename(s) will be ignored.'
                          % (good.count(False), x_col), stacklevel=4)
        return frame[np.array(good, dtype=bool)]

    @staticmethod
    def _with_classes(frame, y_col, classes):
        """(the rows with one of `classes`, the classes by alphabet); of lists of classes, the others are left out."""
        def names(label):
            return list(label) if isinstance(label, (list, tuple)) else [label]
        if not classes:
            return frame, sorted({name for label in frame[y_col] for name in names(label)})
        wanted = set(classes)
        kept = [[name for name in names(label) if name in wanted] for label in frame[y_col]]
        chosen = np.array([bool(found) for found in kept], dtype=bool)
        labels = [found if isinstance(label, (list, tuple)) else label for found, label in zip(kept, frame[y_col])]
        frame = frame.assign(**{y_col: labels})
        return frame[chosen], sorted(wanted)

    def _note_targets(self, frame, y_col):
        if self.class_mode in ('binary', 'categorical', 'sparse'):
            self.classes = self.get_classes(frame, y_col)
        elif self.class_mode == 'raw':
            self._values = frame[y_col].values
        elif self.class_mode == 'multi_output':
            self._values = [np.array(frame[column].tolist()) for column in y_col]

    def get_classes(self, df, y_col):
        """The number of the class of each row, or a list of numbers where it has a list of classes."""
        return [[self.class_indices[name] for name in label] if isinstance(label, (list, tuple))
                else self.class_indices[label] for label in df[y_col]]

    def _report(self, validated):
        kind = 'validated' if validated else 'non-validated'
        classes = ' belonging to %d classes' % len(self.class_indices) if hasattr(self, 'class_indices') else ''
        print('Found %d %s image filenames%s.' % (self.samples, kind, classes))
        if not self.samples:
            warnings.warn('No row of the data frame names a picture%s in %r.'
                          % (' of these classes' if classes else '', self.directory or os.getcwd()), stacklevel=4)

    @property
    def filepaths(self):
        return self._filepaths

    @property
    def labels(self):
        return self._values if self.class_mode in ('raw', 'multi_output') else self.classes

    @property
    def sample_weight(self):
        return self._sample_weight
