"""What the targets of a model are, and which of them its losses cannot compare with the outputs."""
import warnings

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.rules import is_float, numpy_dtype
from keras.training.compiled import is_deep, is_loss, per_output, wants_class_numbers, wants_same_shape
from keras.training.data.host import with_rank

# So many values at most are looked at for a warning; an error looks at all.
_LOOKED_AT = 1 << 20


def check_shapes(loss, given, output, generation, owner, name):
    """Raise ValueError where `loss` cannot compare targets of the shape `given` with an output of the shape `output`.

    Args:
        loss: a `Loss`. given, output: tuples, None for sizes that are not known. generation: of the model, some losses
            broadcast in the later ones. owner, name: of the model and the output, for messages.
    """
    if not output or given is None:
        return
    if wants_class_numbers(loss):
        if getattr(loss, 'arguments', {}).get('axis', -1) == -1 and output[-1] != 1 and len(output) > 1:
            _check_numbers(given, output, owner, name)
    elif wants_same_shape(loss, generation):
        _check_same(loss, given, output, owner, name)


def _fit(sizes, shape):
    return len(sizes) == len(shape) and all(None in pair or pair[0] == pair[1]
                                            for pair in zip(sizes[1:], shape[1:]))


def _check_numbers(given, output, owner, name):
    sizes = given[:-1] if len(given) == len(output) and given[-1] == 1 else given
    if _fit(sizes, output[:-1]):
        return
    one_hot = _fit(given, output)
    raise ValueError('Model %s: the target of output %s has shape %s, but sparse_categorical_crossentropy wants one '
                     'class number for each row of an output of shape %s. %s' % (
                         owner, name, given, output, 'These look like one-hot rows: for them use the loss '
                         'categorical_crossentropy, or give y.argmax(-1).' if one_hot else 'Expected %s.'
                         % ((None,) + tuple(output[1:-1]),)))


def _check_same(loss, given, output, owner, name):
    sizes, shape = given, output
    # The losses add and drop a last axis of 1.
    if len(sizes) == len(shape) + 1 and sizes[-1] == 1:
        sizes = sizes[:-1]
    elif len(shape) == len(sizes) + 1 and shape[-1] == 1:
        shape = shape[:-1]
    if _fit(sizes, shape):
        return
    function = loss.fn.__name__
    if _are_numbers(given, output):
        fits = ('The usual cause: class numbers. For them the loss sparse_categorical_crossentropy fits, or '
                'keras.utils.to_categorical(y) with categorical_crossentropy%s.'
                % ('' if function.startswith('categorical') else '; for one number per sample %s fits an output of '
                   'Dense(1)' % function))
    else:
        fits = 'The usual causes: another number of units in the last layer, or one-hot rows where it has one unit.'
    raise ValueError('Model %s: the target of output %s has shape %s, but the loss %s compares it with an output of '
                     'shape %s, element by element. %s' % (owner, name, given, function, output, fits))


def _are_numbers(given, output):
    return _fit(given, output[:-1]) or len(given) == len(output) and given[-1] == 1 and _fit(given[:-1], output[:-1])


class Target:
    """What the target of an output is.

    Args:
        place: the index of the output. name: its name. loss: its `Loss`. output: the symbolic or abstract tensor.
        has_graph: whether the model is a graph of layers. generation: of the model.
    """

    def __init__(self, place, name, loss, output, has_graph, generation):
        self.place, self.name, self._loss, self._generation = place, name, loss, generation
        self._shape = tuple(output.shape)
        self._numbers = numbers = wants_class_numbers(loss)
        self._rank = len(self._shape) if has_graph and not numbers else None
        # Class numbers stay what they are: as a column the loss would only squeeze them again, in every step.
        self.dtype = numpy_dtype(output.dtype).name if not numbers and is_float(output.dtype) else None
        # What a target must be a number of: no complex one, where the output is none.
        self.kind = 'int64' if numbers else numpy_dtype(output.dtype).name
        arguments = getattr(loss, 'arguments', {})
        # The classes stand in the last axis, unless the loss says otherwise; a single unit may stand for anything.
        known = numbers and self._shape and arguments.get('axis', -1) == -1 and self._shape[-1] != 1
        self._classes, self._ignored = self._shape[-1] if known else None, arguments.get('ignore_class')
        self._is_share = is_loss(loss, 'binary_crossentropy')

    def fitting(self, array, owner):
        """`array`, a vector as a column where a matrix is expected.

        Raises:
            ValueError: for a shape that the loss cannot compare with that of the output, and for numbers of classes
                that there are not.
        """
        if array is None:
            return None
        given = array.shape
        array = with_rank(array, self._rank)
        check_shapes(self._loss, given, self._shape, self._generation, owner, self.name)
        if self._numbers and type(array) is np.ndarray and array.dtype.kind == 'b':
            array = array.view('uint8')  # False and True as numbers, which not every engine takes them for
        if type(array) is np.ndarray:
            self.look_at(array, owner)
        return array

    def look_at(self, array, owner):
        """Look at the values of a NumPy array of a shape that fits, see `fitting`."""
        if self._classes is not None and array.size:
            self._check_classes(array, owner)
        if self._is_share:
            self._look_at_shares(array, owner)

    def _check_classes(self, array, owner):
        kind = array.dtype.kind
        if kind == 'i' and self._ignored is None:
            # Negative numbers are large ones without a sign: one look at the array instead of two.
            if array.view(array.dtype.str.replace('i', 'u')).max() < self._classes:
                return
        elif kind not in 'iuf':
            return
        counted = array if self._ignored is None else array[array != self._ignored]
        right = (counted >= 0) & (counted < self._classes)
        if kind == 'f':
            right &= counted == np.floor(counted)
        if right.all():
            return
        raise ValueError('Model %s: the target of output %s holds class %s, but the output has %d classes, '
                         'numbered 0 to %d. The usual causes: numbers that begin at 1, a last layer '
                         'with too few units, or values that are no classes.'
                         % (owner, self.name, counted[~right][0], self._classes, self._classes - 1))

    def _look_at_shares(self, array, owner):
        part = array[:max(1, _LOOKED_AT * len(array) // max(array.size, 1))]
        if part.size and part.dtype.kind in 'iuf' and not (part.min() >= 0 and part.max() <= 1):
            warnings.warn('Model %s: the target of output %s holds %s, but binary_crossentropy means shares between 0 '
                          'and 1. The usual causes: labels -1 and 1, numbers of more than two classes, or images that '
                          'are not scaled.' % (owner, self.name, part[~((part >= 0) & (part <= 1))][0]), stacklevel=2)


class Targets:
    """What the targets of the outputs with a loss are.

    Args:
        count: the number of outputs. targets: a `Target` for each output that has a loss, and is fed a target.
        fixed: how many outputs have a tensor as their target. need_loss: whether targets that no loss wants are an
            error. structure: what the outputs stand in, None for a list.
    """

    def __init__(self, count, targets, fixed=0, need_loss=True, structure=None):
        self._structure = structure
        self._count, self._targets, self._fixed, self._need_loss = count, targets, fixed, need_loss
        self.names = [target.name for target in targets]
        self.dtypes = [target.dtype for target in targets]
        self.kinds = [target.kind for target in targets]

    def fitting(self, ys, owner):
        """The arrays `ys` as the outputs need them, see `Target.fitting`."""
        return [target.fitting(array, owner) for target, array in zip(self._targets, ys)]

    def look_at(self, ys, owner):
        """Look at the values of NumPy arrays of shapes that fit, see `Target.look_at`."""
        for target, array in zip(self._targets, ys):
            target.look_at(array, owner)

    def for_trained(self, y, owner, outputs):
        """The targets `y` of the outputs with a loss; a list or dictionary may hold something for every output.

        Args:
            outputs: the names of all outputs.

        Raises:
            ValueError: if no output has a loss, and for names that no output has.
        """
        if not self.names and self._fixed:
            raise ValueError('Model %s was compiled with target_tensors for all of its outputs, so it takes no '
                             'targets, but it received some. Leave out `y`.' % owner)
        if not self.names:
            if not self._need_loss:
                return []
            raise ValueError('Model %s was compiled without a loss, so it takes no targets, but it received some. Give '
                             'compile a `loss`, or leave out `y` where the loss comes from add_loss.' % owner)
        if is_deep(self._structure) and tree.is_nested(y):
            return self._along(y, owner, outputs)
        if isinstance(y, dict):
            unknown = [name for name in y if name not in outputs]
            if unknown and all(name in y for name in self.names):
                raise ValueError('Model %s: the dictionary of targets holds %s, but the outputs are: %s. The usual '
                                 'cause: a misspelt name; the target of that output would be missing.'
                                 % (owner, ', '.join(map(repr, unknown)), ', '.join(outputs)))
        if len(self._targets) < self._count and isinstance(y, (list, tuple)) and len(y) == self._count:
            return [y[target.place] for target in self._targets]
        return y

    def _along(self, y, owner, outputs):
        """The targets of the outputs with a loss from `y`, which is nested as the outputs are, or has those alone."""
        leaves = tree.flatten(y)
        if not isinstance(y, dict) and len(leaves) == len(self._targets):
            return leaves
        found = per_output(y, outputs, 'y', self._structure)
        missing = [target.name for target in self._targets if found[target.place] is None]
        if missing:
            raise ValueError('Model %s: no target for %s.' % (owner, missing))
        return [found[target.place] for target in self._targets]
