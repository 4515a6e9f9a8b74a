"""Sequences of unlike lengths as one array."""
import numpy as np


def pad_sequences(sequences, maxlen=None, dtype='int32', padding='pre', truncating='pre', value=0.0):
    """Sequences of unlike lengths as one array, the short ones filled up and the long ones cut.

    Args:
        sequences: a list of sequences; an entry of a sequence may be a number, or an array of one shape for all.
        maxlen: length of the rows; default that of the longest sequence. dtype: of the result; `object` for strings
            of unlike lengths. padding, truncating: 'pre' or 'post', the end where values are put or taken away.
        value: what fills.

    Returns:
        Array of shape (len(sequences), maxlen) + the shape of an entry.

    Raises:
        ValueError: if `sequences` is no list of sequences, their entries differ in shape, `value` does not go with
            `dtype`, or `padding` or `truncating` is neither 'pre' nor 'post'.

    Example:
        >>> keras.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)
    """
    for name, end in (('padding', padding), ('truncating', truncating)):
        if end not in ('pre', 'post'):
            raise ValueError('pad_sequences: %s must be "pre" or "post". Received: %r' % (name, end))
    if not hasattr(sequences, '__len__'):
        raise ValueError('pad_sequences: `sequences` must be iterable and have a length. Received: %r' % (sequences,))
    for position, sequence in enumerate(sequences):
        if not hasattr(sequence, '__len__'):
            raise ValueError('pad_sequences: `sequences` must be a list of iterables. Found non-iterable: entry %d is '
                             '%r. A single sequence goes into a list of its own.' % (position, sequence))
    if isinstance(value, str) and np.dtype(dtype) != object and np.dtype(dtype).kind not in 'US':
        raise ValueError('pad_sequences: `dtype` %s is not compatible with the `value` %r. Strings of unlike lengths '
                         'need dtype=object.' % (dtype, value))
    if maxlen is None:
        maxlen = max((len(sequence) for sequence in sequences), default=0)
    entry = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen) + entry, value, dtype=dtype)
    for position, sequence in enumerate(sequences):
        if not len(sequence) or not maxlen:
            continue
        kept = np.asarray(sequence[-maxlen:] if truncating == 'pre' else sequence[:maxlen], dtype=dtype)
        if kept.shape[1:] != entry:
            raise ValueError('pad_sequences: the entries of sequence %d have shape %s, those of the others %s.'
                             % (position, kept.shape[1:], entry))
        if padding == 'post':
            padded[position, :len(kept)] = kept
        else:
            padded[position, maxlen - len(kept):] = kept
    return padded
