"""Shapes of tensors and of structures of them."""
import functools

from keras.backend.contract import tree
from keras.backend.contract.loading import active
from keras.backend.contract.rules import AbstractTensor, Shape


def shape_of(x):
    if isinstance(x, AbstractTensor):
        return x.shape
    if type(x) in active.native:
        return active.engine.shape_of(x)
    shape = getattr(x, 'shape', None)
    return None if shape is None else tuple(shape)


def shapes_of(structure):
    if structure is None:
        return None
    return tree.map_structure(shape_of, structure)


def map_shapes(function, shapes):
    """Apply `function` to every shape of a structure whose leaves are tuples of ints and None.

    None itself stays: the shape of what is no tensor.
    """
    if shapes is None:
        return None
    if isinstance(shapes, dict):
        return {key: map_shapes(function, value) for key, value in shapes.items()}
    if isinstance(shapes, (list, tuple)) and any(isinstance(part, (list, tuple, dict)) for part in shapes):
        parts = [map_shapes(function, part) for part in shapes]
        return tuple(parts) if isinstance(shapes, tuple) else parts
    return function(Shape(shapes))


def plain_shapes(shapes):
    return map_shapes(list, shapes)


def shaped(rule):
    """A shape rule of ours; where it was asked with a shape of TensorFlow's, the answer is one, too."""
    @functools.wraps(rule)
    def wrapper(self, *args, **kwargs):
        found = rule(self, *args, **kwargs)
        asked = [type(shape) for shape in args if hasattr(shape, 'as_list')]
        return map_shapes(asked[0], found) if asked and isinstance(found, (list, tuple)) else found
    return wrapper
