"""Numbers for names that are given to things without one."""
from keras import generations

_uids = {}


def get_uid(prefix=''):
    """The next number for names that begin with `prefix`: 1, 2, ..."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def numbered_name(base, from_zero=None):
    """`base` with the next number for it: in Keras 1 and 2 dense_1, dense_2, later dense, dense_1.

    `from_zero`: whether the first one goes without a number, default as the generation has it.
    """
    number = get_uid(base)
    if generations.value('names_from_zero') if from_zero is None else from_zero:
        number -= 1
    return '%s_%d' % (base, number) if number else base


def reset_uids():
    """Start numbering names from 1 again."""
    _uids.clear()
