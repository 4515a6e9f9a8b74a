"""`Intake`: data as users pass it, as the flat lists of arrays that a program takes."""
import collections
import itertools
import warnings

import numpy as np

from keras import config, generations
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import numpy_dtype
from keras.training.compiled import per_output
from keras.training.data.arrays import ArrayFeed
from keras.training.data.class_weights import class_weights_by_output, refuse_both, weights_of_classes
from keras.training.data.host import (FilledRows, array_of, as_host_array, can_be_marked, checked_numbers, dense_rows,
                                      flat_arrays, is_array, is_number_list, portable_cast, with_rank)
from keras.training.data.layout import Batch, Layout, Structure, pack_x_y_sample_weight
from keras.training.data.sources import GeneratorFeed, SequenceFeed, SetFeed


def is_source(x):
    """Whether `x` yields batches rather than being data itself."""
    if x is None or isinstance(x, (list, tuple, dict, str, bytes)) or is_array(x):
        return False
    return hasattr(x, '__next__') or hasattr(x, '__iter__') or (hasattr(x, '__getitem__') and hasattr(x, '__len__'))


def _is_text(array):
    return array.dtype.kind in 'US' or array.dtype.kind == 'O' and array.size > 0 \
        and all(isinstance(value, (str, bytes)) for value in array.flat)


def takes_workers(x):
    """Whether the batches of `x` can be made by workers."""
    return is_source(x) and (hasattr(x, '__next__') or hasattr(x, '__getitem__') and hasattr(x, '__len__'))


def ahead_for(workers, use_multiprocessing, max_queue_size):
    """The `Ahead` of a run whose batches workers are to make; None where they are made between the steps."""
    if workers > 1 or use_multiprocessing and workers:
        # What processes and queues need takes as long to load as half of the library.
        from keras.training.enqueuers import Ahead
        return Ahead(workers, use_multiprocessing, max_queue_size)
    return None


def _as_long_as_the_first(arrays):
    """Arrays, or None for inputs that are left out, without the samples that the first one does not have."""
    if any(array is None for array in arrays[:1]):
        return arrays
    count = len(arrays[0])
    lengths = [len(array) for array in arrays if array is not None]
    if max(lengths) > count:
        warnings.warn('The inputs have %s samples: the first says how many there are, those beyond it are left out.'
                      % lengths, stacklevel=5)
    return [array if array is None or len(array) <= count else array[:count] for array in arrays]


class Intake:
    """Makes feeds for a program.

    Args:
        program: the `Program`, which says what the model takes.
    """

    def __init__(self, program):
        self._program = program
        # Layouts that were met: batches that look alike share one object.
        self._layouts = {}
        # For one input and one target, by their types and shapes: (their ways, the weights, the layout) of the batch.
        self._known = {}

    def feed(self, x, y=None, sample_weight=None, class_weight=None, batch_size=None, shuffle=False, targets=True,
             ahead=None):
        """The `Feed` for data: arrays in a structure, or something that yields batches of them.

        Args:
            ahead: an `Ahead` where workers are to make the batches, which sequences and generators can do.
            targets: whether the run needs targets; otherwise those that a source yields are left aside.
        """
        if ahead is not None and not takes_workers(x):
            warnings.warn('workers, use_multiprocessing and max_queue_size have no effect on %s: they are for a '
                          'keras.utils.Sequence or a generator.' % type(x).__name__, stacklevel=4)
        if not is_source(x):
            return self.arrays(x, y, sample_weight, class_weight, batch_size, shuffle)
        # The words are Keras 3's, its `sample_weights` too.
        for name, given in (('y', y), ('sample_weights', sample_weight)):
            if given is not None:
                raise ValueError('When providing `x` as a %s, `%s` should not be passed: a source of batches yields '
                                 'its targets and weights itself.' % (type(x).__name__, name))

        def read(item):
            return self._batch(item, class_weight, targets)
        # First, because the iterators of `keras.preprocessing.image` also go on without end.
        if hasattr(x, '__getitem__') and hasattr(x, '__len__'):
            return SequenceFeed(x, read, shuffle, ahead or self._wanted_by(x))
        if hasattr(x, '__next__'):
            return GeneratorFeed(x, read, ahead)
        return SetFeed(x, read)

    @staticmethod
    def _wanted_by(source):
        """The `Ahead` that a source of batches asks for itself, None where they are made between the steps."""
        workers, processes = getattr(source, 'workers', 1), getattr(source, 'use_multiprocessing', False)
        return ahead_for(workers, processes, getattr(source, 'max_queue_size', 10))

    def arrays(self, x, y=None, sample_weight=None, class_weight=None, batch_size=None, shuffle=False,
               uneven=False):
        """The `ArrayFeed` for arrays."""
        xs, ys, weights, casts, layout = self._flat(x, y, sample_weight, class_weight)
        if len(xs) > 1 and not ys and not uneven and self._program.ruled('first_input_counts'):
            xs = _as_long_as_the_first(xs)
        rows = self._program.inputs.rows if self._program.inputs is not None else None
        # What is not fed comes whole, and so does what belongs to it.
        return ArrayFeed(xs, ys, weights, casts, layout, rows or batch_size, shuffle and rows is None, rows,
                         uneven)

    def whole(self, x, y=None, sample_weight=None, class_weight=None, **options):
        """All of the arrays as one `Batch`. `options`: of `arrays`."""
        key = None
        if type(x) is np.ndarray and (y is None or type(y) is np.ndarray) and sample_weight is None \
                and class_weight is None:
            given = [x] if y is None else [x, y]
            key = tuple([(array.dtype, array.ndim, array.shape[1:]) for array in given]), config.floatx()
            known = self._known.get(key)
            if known is not None and len(x) and (y is None or len(y) == len(x)):
                # Arrays like others before: the values of the targets alone may be such as do not fit.
                ways, weights, layout = known
                parts = [way.shaped(array) for way, array in zip(ways, given)]
                self._program.targets.look_at(parts[1:], self._program.name)
                parts = [way.converted(array) for way, array in zip(ways, parts)]
                return Batch(parts[:1], parts[1:], list(weights), len(x), layout)
        feed = self.arrays(x, y, sample_weight, class_weight, **options)
        batch = feed.whole()
        if key is not None and self._program.targets is not None and not any(w is not None for w in batch.weights):
            ways = _ways(given, feed.sources()[:len(batch.xs) + len(batch.ys)])
            if ways is not None:
                self._known[key] = ways, batch.weights, batch.layout
        return batch

    def _batch(self, item, class_weight, targets):
        """The `Batch` for what a source yielded."""
        parts = tuple(item) if isinstance(item, (tuple, list)) else (item,)
        if not 1 <= len(parts) <= 3:
            raise ValueError('A generator must yield x, (x, y) or (x, y, sample_weight). It yielded a tuple of %d.'
                             % len(parts))
        x, y, weight = parts + (None,) * (3 - len(parts))
        if x is None:
            raise ValueError('A generator must yield x, (x, y) or (x, y, sample_weight). It yielded %r. The usual '
                             'cause: a `yield` or `return` without a value.' % (item,))
        if not targets:
            y = weight = None
        xs, ys, weights, casts, layout = self._flat(x, y, weight, class_weight)
        size = len(next(array for array in xs if array is not None))
        if not size:
            raise ValueError('A generator yielded an empty batch: inputs of shape %s. The usual cause: the rest of a '
                             'division of the number of samples by the batch size.' % (xs[0].shape,))
        parts = [_cast(array, cast) for array, cast in zip([dense_rows(array) for array in xs] + ys + weights, casts)]
        first, second = len(xs), len(xs) + len(ys)
        sizes = {len(array) for array in parts if array is not None}
        if len(sizes) > 1 and self._program.ruled('generators_of_one_length'):
            raise ValueError('All arrays of a batch must have the same number of samples. A generator yielded %s.'
                             % [array.shape for array in parts if array is not None])
        return Batch(parts[:first], parts[first:second], parts[second:], size, layout)

    def _flat(self, x, y, sample_weight, class_weight):
        """(xs, ys, weights, casts, layout): lists of host arrays, and the dtypes that they are to be cast to."""
        program = self._program
        if not program.is_settled:
            with program.turns.steps:
                xs, casts, structure, rows = self._inputs(x)
                program.settle_for(xs, casts, structure, rows)
        xs, casts, structure, rows = self._inputs(x)
        ys, dtypes = self._targets(y, rows)
        weights = self._weights(sample_weight, class_weight, ys)
        layout = Layout(structure, len(ys), tuple([weight is not None for weight in weights]), rows)
        casts = casts + dtypes + [None if weight is None else config.floatx() for weight in weights]
        return xs, ys, weights, casts, self._layouts.setdefault(layout, layout)

    def _inputs(self, x):
        """(the inputs, the dtypes to cast them to, the `Structure` that a model without a graph takes them in, for each
        whether it is to be a ragged tensor).
        """
        owner, inputs = self._program.name, self._program.inputs
        if inputs is None:
            given = flat_arrays(x, None, 'input', owner)
            rows = tuple(map(can_be_marked, given))
            casts = [config.floatx() if array is not None and array.dtype.kind == 'f' and array.dtype.itemsize > 4
                     else None for array in given]
            xs = [array.marked(cast) if ragged else checked_numbers(array, 'input %d' % index, owner)
                  for index, (array, cast, ragged) in enumerate(zip(given, casts, rows))]
            return xs, casts, Structure(x) if tree.is_nested(x) and not is_number_list(x) else None, rows
        xs = flat_arrays(inputs.by_name(x), inputs.names, 'input', owner)
        rows = inputs.rows_of(xs)
        return inputs.fitting(xs, rows, owner), inputs.casts, None, rows

    def _targets(self, y, rows):
        """(the targets, the dtypes to cast them to)."""
        targets, owner = self._program.targets, self._program.name
        if y is None:
            return [], []
        if targets is not None:
            y = targets.for_trained(y, owner, self._program.output_names)
        ys = list(map(dense_rows, flat_arrays(y, targets and targets.names, 'target', owner)))
        if any(rows) or any(self._program.masked_outputs):  # which leave out what rows are filled up with
            ys = [np.asarray(array) if type(array) is FilledRows else array for array in ys]
        kinds = [None] * len(ys) if targets is None else targets.kinds
        ys = [checked_numbers(array, 'target %d' % index, owner, kind)
              for index, (array, kind) in enumerate(zip(ys, kinds))]
        if targets is None:
            return ys, [None] * len(ys)
        return targets.fitting(ys, owner), targets.dtypes

    def _weights(self, sample_weight, class_weight, ys):
        """One array or None per output of the model."""
        names, structure = self._program.output_names, self._program.structure
        refuse_both(class_weight, sample_weight)
        if isinstance(sample_weight, dict):
            sample_weight = self._without_tensors(sample_weight)
        several = isinstance(sample_weight, dict) or isinstance(sample_weight, (list, tuple)) and (
            len(names) > 1 or len(sample_weight) == 1 and (sample_weight[0] is None or np.ndim(sample_weight[0])))
        weights = per_output(sample_weight, names, 'sample_weight', structure) if several \
            else [sample_weight] * len(names)
        weights = [None if weight is None else checked_numbers(
            as_host_array(weight), 'sample_weight', self._program.name, config.floatx()) for weight in weights]
        if class_weight is not None and ys:
            trained = [place for place in self._program.trained_outputs if place not in self._program.target_tensors]
            for index, table in enumerate(class_weights_by_output(class_weight, names)):
                if table and index in trained:
                    factors = weights_of_classes(ys[trained.index(index)], table)
                    weights[index] = factors if weights[index] is None else weights[index] * factors
        for weight in weights:
            if weight is not None and ys and len(weight) != len(ys[0]):
                raise ValueError('sample_weight holds %d weights for %d samples.' % (len(weight), len(ys[0])))
        return weights


    @staticmethod
    def _without_tensors(sample_weight):
        """The dictionary without keys that are tensors: Keras 2 looked up the names of outputs alone."""
        found = {name: weight for name, weight in sample_weight.items() if isinstance(name, str)}
        if len(found) < len(sample_weight):
            warnings.warn('sample_weight: keys that are no names of outputs are passed over.', stacklevel=6)
        return found


class OwnIntake(Intake):
    """Makes feeds for steps that a model defines itself: they get what the user passed, in its structure."""

    def _flat(self, x, y, sample_weight, class_weight):
        refuse_both(class_weight, sample_weight)
        if class_weight is not None:
            factors = weights_of_classes(as_host_array(y), class_weight)
            sample_weight = factors if sample_weight is None else sample_weight * factors
        owner = self._program.name
        data = _arrays_of(pack_x_y_sample_weight(x, y, sample_weight), owner)
        leaves = tree.flatten(data)
        of_text, rows = get_engine().has_strings, tuple(map(can_be_marked, leaves))
        casts = [config.floatx() if array.dtype.kind == 'f' else None for array in leaves]
        xs = [array if of_text and _is_text(array) else array.marked(cast) if ragged
              else checked_numbers(array, 'input %d' % index, owner)
              for index, (array, cast, ragged) in enumerate(zip(leaves, casts, rows))]
        layout = Layout(Structure(data) if tree.is_nested(data) else None, 0, (), rows)
        return xs, [], [], casts, self._layouts.setdefault(layout, layout)

    def arrays(self, x, y=None, sample_weight=None, class_weight=None, batch_size=None, shuffle=False):
        """The `ArrayFeed` for arrays."""
        xs, ys, weights, casts, layout = self._flat(x, y, sample_weight, class_weight)
        return ArrayFeed(xs, ys, weights, casts, layout, batch_size, shuffle)

    def whole(self, *data, **options):
        """All of the arrays as one `Batch`."""
        return self.arrays(*data, **options).whole()


class _Way(collections.namedtuple('_Way', 'tail dtype')):
    """What became of an array on its way into a batch.

    tail: its shape there without the first size. dtype: what it was cast to, None where it was not.
    """
    __slots__ = ()

    def shaped(self, array):
        return array if array.shape[1:] == self.tail else array.reshape((len(array),) + self.tail)

    def converted(self, array):
        return array if self.dtype is None else array.astype(self.dtype)


def _ways(given, sources):
    """A `_Way` for each of the `given` arrays, None where more happened to some.

    Args:
        sources: pairs of what came of an array, before it is cast, and what it is cast to.
    """
    is_known = len(given) == len(sources) and all([
        array.dtype == one.dtype and array.size == one.size and array.shape[:one.ndim] == one.shape
        and array.strides[:one.ndim] == one.strides
        and array.__array_interface__['data'] == one.__array_interface__['data']
        for (array, _), one in zip(sources, given)])
    return [_Way(array.shape[1:], cast) for array, cast in sources] if is_known else None


def _cast(array, dtype):
    wanted = None if array is None else portable_cast(array, dtype)
    return array if wanted is None else array.astype(wanted)


def _arrays_of(data, owner):
    """`data` with a host array in each place."""
    if isinstance(data, dict):
        return {name: _arrays_of(part, owner) for name, part in data.items()}
    if isinstance(data, (list, tuple)) and not is_number_list(data):
        return (list if type(data) is list else tuple)(_arrays_of(part, owner) for part in data)
    return array_of(data, 'the data', owner)


class Inputs:
    """What the inputs of a graph are.

    Args:
        graph: the `Graph`.
    """

    def __init__(self, graph):
        self._graph = graph
        self.names = graph.names_of(graph.fed)
        structure = graph.input_structure
        self._keys = set(structure if isinstance(structure, dict) else self.names)
        self.casts = [None if tensor.dtype == 'string' else numpy_dtype(tensor.dtype).name for tensor in graph.fed]

    def by_name(self, x):
        """`x`, where it is a dictionary as the list of what is in it for the inputs."""
        if isinstance(x, dict) and hasattr(x, 'tocsr'):  # SciPy's `dok_matrix`
            x = x.tocsr()
        if isinstance(x, dict):
            unknown = [name for name in x if name not in self._keys]
            if unknown and not generations.value('other_structures_warn'):
                warnings.warn('Model %s: the dictionary of inputs holds %s, which no input is called, so it is left '
                              'out. The inputs are: %s.' % (self._graph.owner, ', '.join(map(repr, unknown)),
                                                            ', '.join(self.names)), stacklevel=5)
        if isinstance(x, dict):
            # Nested lists of numbers are arrays, not parts of the structure.
            x = {name: np.asarray(part) if is_number_list(part) else part for name, part in x.items()}
        self._graph.check_structure(x)
        return self._graph.leaves_of(x) if isinstance(x, dict) or x is None and not self.names else x

    @property
    def rows(self):
        """The number of samples where none are fed, else None."""
        return None if self.names else self._graph.inputs[0].shape[0]

    def rows_of(self, xs):
        """For each of the arrays `xs` whether it comes as a ragged tensor to an input that does not say `ragged`."""
        rows = [not tensor.ragged and can_be_marked(array) for array, tensor in zip(xs, self._graph.fed)]
        if any(rows):
            try:
                marked = dict(zip(map(id, self._graph.fed), rows))
                self._graph.variant([marked.get(id(tensor), False) for tensor in self._graph.inputs], in_rows=True)
            except (TypeError, ValueError):  # layers that know no masks
                return ()
        return tuple(rows)

    def fitting(self, xs, rows, owner):
        """The arrays `xs`, vectors as columns where a matrix is expected.

        Args:
            rows: for which of them the ends of rows are marked, see `rows_of`; may be empty.

        Raises:
            ValueError: for an array of another shape, or one that does not hold numbers.
        """
        return [None if array is None and self._graph.is_optional(tensor) else
                self._fitting(self._graph, array.marked(dtype) if is_marked or type(array) is FilledRows and
                              tensor.ragged else array, tensor.shape, name, dtype, owner)
                for array, tensor, name, dtype, is_marked in zip(
                    xs, self._graph.fed, self.names, self.casts, rows or itertools.repeat(False))]

    @staticmethod
    def _fitting(graph, array, shape, name, dtype, owner):
        array = with_rank(array, len(shape))
        if array is None or (array.ndim != len(shape) or not all(
                size is None or size == own for size, own in zip(shape[1:], array.shape[1:]))) \
                and not graph.takes_shape(array.shape):
            raise ValueError('Model %s: input %s expects arrays of shape %s, but it received %s. The first size is the '
                             'batch.' % (owner, name, shape, 'None, and is not optional' if array is None
                                         else 'an array of shape %s' % (array.shape,)))
        return array if dtype is None else checked_numbers(array, 'input %s' % name, owner, dtype)
