"""CTC (Graves et al., 2006) for K: the cost of a labelling, and labellings from the outputs of a network.

Decoding computes on the host: the length of what it finds depends on the data.
"""
import collections

import numpy as np

from keras import config
from keras.backend.contract.context import context
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor, is_integer
from keras.backend.graph.nodes import Node
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import to_array
from keras.backend.table import primitives as p
from keras.backend.table.composites import losses as _losses, shape as _shape

# The positions and values of the elements of a sparse matrix that are given, and its shape.
SparseValues = collections.namedtuple('SparseValues', 'indices values dense_shape')


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """The CTC loss (Graves et al., 2006), (batch, 1), of softmax outputs; the last class is the blank.

    Args:
        y_true: integer labels (batch, labels). y_pred: probabilities (batch, time, classes).
        input_length, label_length: integers (batch, 1), how much of each counts.
    """
    blank = _shape.static_shape(y_pred)[-1] - 1
    logits = p.log(p.add(y_pred, config.epsilon()))
    lengths = [_shape.squeeze(_integers(length), -1) for length in (label_length, input_length)]
    return _shape.expand_dims(_losses.ctc_loss(y_true, logits, lengths[0], lengths[1], blank), 1)


def _integers(x):
    return x if is_integer(_shape.dtype_of(x)) else p.cast(x, 'int32')


def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1, merge_repeated=False):
    """The labellings that the softmax outputs of a network stand for; the last class is the blank.

    Args:
        y_pred: probabilities (batch, time, classes). input_length: integers (batch,), how many steps count.
        greedy: take the likeliest class of every step, merge those that repeat and leave the blanks out; False: search
            for the likeliest labellings, keeping the `beam_width` best beginnings at each step.
        top_paths: how many labellings the search gives per sample, best first.
        merge_repeated: of labels that repeat in what the search found keep one. (So 'hello' becomes 'helo'.)

    Returns:
        (list of `top_paths` integer tensors (batch, longest labelling) filled up with -1, log probabilities
        (batch, top_paths)). The greedy way gives one tensor and, (batch, 1), the negative sum of the logarithms of the
        probabilities of the classes that it took.

    Raises:
        ValueError: if `top_paths` is more than `beam_width`, or the search yields fewer labellings.

    Example:
        >>> y = np.array([[[0.9, 0.05, 0.05], [0.1, 0.1, 0.8], [0.2, 0.7, 0.1]]])
        >>> K.eval(K.ctc_decode(y, np.array([3]))[0][0])
        array([[0, 1]], dtype=int32)
    """
    if not greedy and top_paths > beam_width:
        raise ValueError('ctc_decode: top_paths=%d labellings cannot come from beam_width=%d beginnings.'
                         % (top_paths, beam_width))
    count = 1 if greedy else top_paths
    batch = _shape.static_shape(y_pred)[0]
    outputs = [AbstractTensor((batch, None), 'int32') for _ in range(count)] + [
        AbstractTensor((batch, count), _shape.dtype_of(y_pred))]

    def decoded(y_pred, input_length):
        scores = np.log(np.asarray(y_pred) + config.epsilon())
        found = _searched(scores, input_length, greedy, beam_width, count, greedy or merge_repeated)
        return [_padded([paths[rank] for paths, _ in found]) for rank in range(count)] + [
            np.array([scores for _, scores in found], scores.dtype)]
    *labels, scores = on_host('ctc_decode', decoded, [y_pred, input_length], outputs)
    return labels, scores


def decode_logits(inputs, sequence_lengths, greedy, beam_width, top_paths, merge_repeated, mask_index):
    """`keras.ops.ctc_decode`: (labels (top_paths, batch, time), filled up with -1, scores (batch, top_paths))."""
    count = 1 if greedy else top_paths
    batch, steps, classes = _shape.static_shape(inputs)
    order = [label for label in range(classes) if label != mask_index % classes] + [mask_index % classes]

    def decoded(logits, lengths):
        logits = np.asarray(logits)
        found = _searched(logits[..., order], lengths, greedy, beam_width, count, greedy and merge_repeated)
        labels = np.full((count,) + logits.shape[:2], -1, 'int32')
        for sample, (paths, _) in enumerate(found):
            for rank, path in enumerate(paths):
                labels[rank, sample, :len(path)] = [order[label] for label in path]
        return [labels, np.array([scores for _, scores in found], logits.dtype)]
    outputs = [AbstractTensor((count, batch, steps), 'int32'), AbstractTensor((batch, count), _shape.dtype_of(inputs))]
    return tuple(on_host('ctc_decode', decoded, [inputs, sequence_lengths], outputs))


def ctc_label_dense_to_sparse(labels, label_lengths):
    """The labels (batch, longest) of which `label_lengths` (batch,) count, as `SparseValues`.

    Returns:
        (indices (count, 2), values (count,), dense_shape (2,)), integer tensors.
    """
    def sparse(labels, lengths):
        labels = np.asarray(labels)
        indices = np.argwhere(np.arange(labels.shape[1])[None, :] < np.reshape(lengths, (-1, 1)))
        return [indices.astype('int32'), labels[tuple(indices.T)].astype('int32'), np.array(labels.shape, 'int32')]
    outputs = [AbstractTensor((None, 2), 'int32'), AbstractTensor((None,), 'int32'), AbstractTensor((2,), 'int32')]
    return SparseValues(*on_host('ctc_label_dense_to_sparse', sparse, [labels, label_lengths], outputs))


# --- on the host ----------------------------------------------------------------------------------------------------

class OnHost:
    """An operation of the graph that computes with NumPy."""
    on_host = True

    def __init__(self, name, function):
        self.name, self.function = name, function

    def plan_function(self, node, training):
        return self.run

    def run(self, *values):
        engine = get_engine()
        return [engine.convert(array) for array in self.function(*[to_array(value) for value in values])]


def on_host(name, function, tensors, outputs):
    """`function` of NumPy arrays on tensors of any kind; `outputs` lists what it gives as `AbstractTensor`s."""
    if context.abstract:
        return outputs
    operation = OnHost(name, function)
    if any(isinstance(tensor, KerasTensor) for tensor in tensors):
        return Node(operation, list(tensors), {}, outputs).output_structure
    if context.ledger is not None and get_engine().capabilities.compiled:
        raise NotImplementedError(
            '%s computes on the host, which cannot be a part of a compiled step. Take it out of the model: apply it to '
            'what `predict` gives, or to the output of the model in a K.function.' % name)
    return operation.run(*tensors)


def _padded(rows):
    """A matrix of the rows, filled up with -1."""
    result = np.full((len(rows), max(map(len, rows))), -1, 'int32')
    for target, row in zip(result, rows):
        target[:len(row)] = row
    return result


def _merged(labels):
    return [label for place, label in enumerate(labels) if not place or label != labels[place - 1]]


def _searched(scores, lengths, greedy, beam_width, count, merge_repeated):
    """[(labellings, their scores)], one pair per sample of `scores` (batch, time, classes)."""
    search = _greedy if greedy else _beam_search
    return [search(sample[:int(length)], beam_width, count, merge_repeated)
            for sample, length in zip(scores, np.reshape(lengths, -1))]


def _greedy(scores, beam_width, count, merge_repeated):
    """([labels], [score]) by the best class of every row of `scores` (time, classes)."""
    best = list(scores.argmax(-1))
    best = _merged(best) if merge_repeated else best
    return [[label for label in best if label != scores.shape[1] - 1]], [-scores.max(-1).sum()]


def _beam_search(scores, beam_width, count, merge_repeated):
    """(labellings, log probabilities), the `count` best, by prefix search over `scores` (time, classes).

    Of every beginning the search knows the log probability of being there with a blank last, and with a label last.
    """
    scores = scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True)
    beams, ends_blank, ends_label = [()], np.zeros(1), np.full(1, -np.inf)
    for row in scores:
        beams, ends_blank, ends_label = _extended(beams, ends_blank, ends_label, row, beam_width)
    total = np.logaddexp(ends_blank, ends_label)
    order = np.argsort(-total, kind='mergesort')[:count]
    if len(order) < count:
        raise ValueError('ctc_decode: only %d labellings exist, fewer than top_paths=%d.' % (len(order), count))
    paths = [list(beams[place]) for place in order]
    return [_merged(path) if merge_repeated else path for path in paths], [total[place] for place in order]


def _extended(beams, ends_blank, ends_label, row, width):
    """One step of the search."""
    total = np.logaddexp(ends_blank, ends_label)
    last = np.array([beam[-1] if beam else -1 for beam in beams])
    longer = total[:, None] + row[None, :-1]
    places = np.flatnonzero(last >= 0)
    # A label that repeats makes a longer labelling only after a blank.
    longer[places, last[places]] = ends_blank[places] + row[last[places]]
    same_blank = total + row[-1]
    same_label = np.where(last >= 0, ends_label + row[last], -np.inf)
    known = {beam: place for place, beam in enumerate(beams)}
    for place, beam in enumerate(beams):
        origin = known.get(beam[:-1]) if beam else None
        if origin is not None:
            same_label[place] = np.logaddexp(same_label[place], longer[origin, beam[-1]])
            longer[origin, beam[-1]] = -np.inf
    candidates = np.concatenate([np.logaddexp(same_blank, same_label), longer.reshape(-1)])
    order = np.argsort(-candidates, kind='mergesort')[:width]
    order = order[np.isfinite(candidates[order])]
    count, labels = len(beams), longer.shape[1]
    fresh = [divmod(place - count, labels) for place in order if place >= count]
    kept = order[order < count]
    grown = np.array([longer[origin, label] for origin, label in fresh])
    return ([beams[place] for place in kept] + [beams[origin] + (label,) for origin, label in fresh],
            np.concatenate([same_blank[kept], np.full(len(fresh), -np.inf)]),
            np.concatenate([same_label[kept], grown]))
