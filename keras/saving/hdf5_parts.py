"""Groups, attributes and arrays of an HDF5 file that is written, by the calls below h5py's: a model has very many.

What is not plain, such as strings of any length, goes by h5py itself, and looks the same in the file.
"""
import numpy as np

_PLAIN_KINDS = 'fiuS'
_links = {}


def _link(name):
    """(name as bytes, how the link to it is made: the groups on the way as well)."""
    from h5py import h5p, h5t
    encoded = name.encode('utf-8')
    is_ascii = len(encoded) == len(name)
    if is_ascii not in _links:
        made = h5p.create(h5p.LINK_CREATE)
        made.set_create_intermediate_group(True)
        made.set_char_encoding(h5t.CSET_ASCII if is_ascii else h5t.CSET_UTF8)
        _links[is_ascii] = made
    return encoded, _links[is_ascii]


def new_group(group, name):
    """A new group in a group of h5py.

    Raises:
        ValueError: where there is something of that name.
    """
    import h5py
    return h5py.Group(h5py.h5g.create(group.id, *_link(name)))


def set_attribute(group, name, array):
    """Write an array as an attribute of a group of h5py, in the place of one that is there."""
    from h5py import h5a, h5s, h5t
    if array.dtype.kind not in _PLAIN_KINDS:
        group.attrs[name] = array
        return
    encoded = name.encode('utf-8')
    if h5a.exists(group.id, encoded):
        h5a.delete(group.id, encoded)
    h5a.create(group.id, encoded, h5t.py_create(array.dtype, logical=True),
               h5s.create_simple(array.shape)).write(np.ascontiguousarray(array).reshape(array.shape))


def new_dataset(group, name, array):
    """Write an array as a new data set into a group of h5py.

    Raises:
        ValueError: where there is something of that name.
    """
    from h5py import h5d, h5s, h5t
    if array.dtype.kind not in _PLAIN_KINDS or not array.size:
        group.create_dataset(name, data=array)
        return
    encoded, link = _link(name)
    made = h5d.create(group.id, encoded, h5t.py_create(array.dtype, logical=True), h5s.create_simple(array.shape),
                      None, link)
    made.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(array).reshape(array.shape))
