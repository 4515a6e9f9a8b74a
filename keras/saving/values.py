"""Values that configs write as small dictionaries, as the values that they stand for.

tf.keras writes tuples, shapes and dtypes so, in JSON and inside `.keras` archives; Keras 3 slices and tensors.
What holds code (`__lambda__`) and what is an object by name stay as they are.
"""
import sys

import numpy as np

# How deep a config may be; deeper ones end Python's own stack.
DEEPEST = 256


def decoded(value, depth=0):
    """`value`, what JSON gave, with what dictionaries stand for in their place.

    Raises:
        ValueError: for one that is nested too deep, or a dictionary that stands for nothing that can be made.

    Example:
        >>> decoded({'size': {'class_name': '__tuple__', 'items': [1, 2]}})
        {'size': (1, 2)}
    """
    if depth > DEEPEST:
        raise ValueError('The config is nested more than %d levels deep. The usual cause: a damaged file.' % DEEPEST)
    if isinstance(value, list):
        return [decoded(part, depth + 1) for part in value]
    if not isinstance(value, dict):
        return value
    made = _MAKERS.get(value.get('class_name')) if isinstance(value.get('class_name'), str) else None
    found = {key: decoded(part, depth + 1) for key, part in value.items()}
    if made is None:
        return found
    try:
        return made(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError('The config holds %r, of which no value can be made (%s).' % (value, error))


def _content(value):
    """What is inside: under 'config' in Keras 3 and archives, beside the class name in JSON of tf.keras."""
    return value.get('config', value)


def _shape(value):
    items = value['items'] if 'items' in value else _content(value)
    items = items.get('items', items.get('shape')) if isinstance(items, dict) else items
    return None if items is None else tuple(items)


def _array(value):
    content = _content(value)
    array = array_of(content['value'], _dtype(content['dtype']))
    return array.item() if array.ndim == 0 else array


def array_of(numbers, name):
    """An array that a file describes.

    Raises:
        ValueError: for a dtype that is neither of numbers nor of text.
    """
    # NumPy knows no bfloat16.
    dtype = np.dtype('float32' if name == 'bfloat16' else name)
    if dtype.kind not in 'biufcUS':
        raise ValueError('The dtype %.50r of an array is neither of numbers nor of text.' % (name,))
    # The size that a dtype of text says may be any.
    return np.array(numbers, dtype.kind if dtype.kind in 'US' else dtype)


def _dtype(value):
    return value.get('name', value) if isinstance(value, dict) else value


def _bytes(value):
    content = _content(value)
    text = content.get('value', content.get('items')) if isinstance(content, dict) else content
    return text.encode('utf-8') if isinstance(text, str) else text


def _slice(value):
    content = _content(value)
    return slice(*[decoded(content[name]) for name in ('start', 'stop', 'step')])


def _type_spec(value):
    """The dtype of a TypeSpec, which is what an argument may want of it; there are no such objects here."""
    items = value.get('serialized', value.get('config'))
    if isinstance(items, dict):
        items = items.get('items', items.get('config', items))
    return items


def _tensor_spec(value):
    """The `TensorSpec` of a library that the program has imported."""
    made = vars(sys.modules.get(str(value.get('module')), sys)).get('TensorSpec')
    if value.get('spec_name') != 'TensorSpec' or not hasattr(made, 'is_compatible_with'):
        raise ValueError('The config holds a %.50s. Those that can be read are of the class TensorSpec, where the '
                         'program has imported its library.' % value.get('spec_name'))
    shape, dtype, name = value['config']
    return made(shape, dtype, name)


_MAKERS = {'__tuple__': lambda value: tuple(value['items'] if 'items' in value else _content(value)),
           'TensorShape': _shape, '__ellipsis__': lambda value: Ellipsis, '__bytes__': _bytes, '__numpy__': _array,
           '__tensor__': _array, '__slice__': _slice, '__timestamp__': _content, 'TypeSpec': _type_spec,
           '__typespec__': _tensor_spec,
           '__passive_serialization__': _content}


def may_be_in(text):
    """Whether there may be such dictionaries in the JSON text of a config."""
    return '\\' in text or any(name in text for name in _MAKERS)


def stands_for_a_value(name):
    """Whether a dictionary with that class name stands for a plain value."""
    return name in _MAKERS
