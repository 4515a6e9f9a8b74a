"""JSON and YAML that others wrote, as plain values: no code, no deeper or longer than a config.
"""
import json
import re
import struct
import zlib

import numpy as np

# The longest text of a config, in bytes. That of 10,000 layers has about 8 MB.
LONGEST_TEXT = 1 << 26
# How deep configs and folders may be nested. A model in a model adds five levels.
DEEPEST = 256
# How many lists, dictionaries and values a config may hold.
MOST_ENTRIES = 2000000

# What Python raises where a file is not what the code that reads it expects.
RAW_ERRORS = (
    KeyError, IndexError, TypeError, AttributeError, RecursionError, OverflowError, ZeroDivisionError, MemoryError,
    AssertionError, SystemError, EOFError, UnicodeDecodeError, UnicodeEncodeError, struct.error, zlib.error)


def text_of(text, what, is_limited=True):
    """`text` as a string.

    Raises:
        ValueError: where it is too long, no text, or has too many brackets to be a config.
    """
    if not isinstance(text, (str, bytes, bytearray)):
        raise TypeError('The %s has to be text. Received: %.200r' % (what, text))
    if is_limited and len(text) > LONGEST_TEXT:
        raise ValueError('The %s has %d bytes, more than the %d that a config may have.'
                         % (what, len(text), LONGEST_TEXT))
    if isinstance(text, (bytes, bytearray)):
        try:
            text = bytes(text).decode('utf-8')
        except UnicodeDecodeError as error:
            raise ValueError('The %s is damaged: it is no text (%s).' % (what, error)) from error
    if is_limited and sum(map(text.count, '{[,:')) > MOST_ENTRIES:
        raise ValueError('The %s has too many entries.' % what)
    return text


# Of one number.
_MOST_DIGITS = 40


def _integer(digits):
    if len(digits) > _MOST_DIGITS:
        raise ValueError('a number of %d digits' % len(digits))
    return int(digits)


def parse_json(text, what='config', is_limited=True):
    """The values in JSON text, nested no deeper than a model needs.

    Args:
        text: string or bytes. what: what it is, for messages. is_limited: False for what is no config, and may be
            of any length.

    Raises:
        ValueError: where it is no JSON, or too deep or long.

    Example:
        >>> keras.saving.texts.parse_json('{"units": 3}')
        {'units': 3}
    """
    text = text_of(text, what, is_limited)
    try:
        values = json.loads(text, parse_int=_integer)
        check_depth(values)
    except (ValueError, RecursionError) as error:
        raise ValueError('The %s is no JSON that could be read (%s). It begins with: %.60s'
                         % (what, error, text)) from error
    return values


def check_depth(values):
    """Refuse lists and dictionaries that are nested deeper than `DEEPEST`.

    Raises:
        ValueError: where they are.
    """
    level, depth = [values], 0
    while level:
        if depth > DEEPEST:
            raise ValueError('nested more than %d levels deep' % DEEPEST)
        level = [part for value in level if isinstance(value, (dict, list, tuple))
                 for part in (value.values() if isinstance(value, dict) else value)]
        depth += 1


def parse_yaml(text, what='config'):
    """The values in YAML text: plain ones and tuples. No tag makes an object, and anchors do not multiply.

    Args:
        text: string or bytes. what: what it is, for messages.

    Raises:
        ImportError: without PyYAML. ValueError: where it is no YAML, or too deep or long.
    """
    try:
        import yaml
    except ImportError as error:
        raise ImportError('YAML needs the package PyYAML: pip install pyyaml') from error
    text = text_of(text, what)
    _check_entries_of_yaml(text, what)
    _check_flat_yaml(text, what)
    try:
        events = yaml.parse(text, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
        values = _YAMLValues(yaml).of(events)
        _check_expanded(values, len(text))
    except (yaml.YAMLError, ValueError) + RAW_ERRORS as error:
        raise ValueError('The %s is no YAML that could be read (%.1000s). It begins with: %.60s'
                         % (what, error, text)) from error
    return values


def _check_entries_of_yaml(text, what):
    """Refuse text with more entries than a config of its length has: each one takes the parser a while."""
    if sum(map(text.count, ('[', '{', ',', ':', '- ', '? '))) > max(10000, len(text) // 7):
        raise ValueError('The %s has too many entries.' % what)


def _check_flat_yaml(text, what):
    """Refuse brackets or lines that begin a nesting deeper than a config has, before the parser goes after them."""
    depth = 0
    for bracket in re.findall(r'[\[\]{}]', text):
        depth += 1 if bracket in '[{' else -1
        if depth > DEEPEST:
            break
    nested = re.search(r'(?:[-?:][ \t]+){%d}' % DEEPEST, text)
    if depth > DEEPEST or nested or re.search(r'(?m)^ {%d}' % (8 * DEEPEST), text):
        raise ValueError('The %s is nested more than %d levels deep.' % (what, DEEPEST))


class _YAMLValues:
    """The values in YAML text, from one event of the parser after the other: nodes would take many times as much.

    A list of what is open: [its tag, its anchor, the values in it so far].
    """

    def __init__(self, yaml):
        self._yaml = yaml
        self._loader = yaml.SafeLoader('')
        self._open, self._anchors = [['', None, []]], {}

    def of(self, events):
        """The value of the only document, None where there is none."""
        yaml, documents = self._yaml, 0
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._put(self._scalar(event), event.anchor)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self._begin(event)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                tag, anchor, content = self._open.pop()
                content = dict(content) if isinstance(content, _Pairs) else content
                self._put(content if tag is None else self._made(tag, content), anchor)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self._anchors:
                    raise ValueError('the alias %.60s stands for nothing' % event.anchor)
                self._put(self._anchors[event.anchor])
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise ValueError('more than one document')
        return self._open[0][2][0] if documents else None

    def _begin(self, event):
        if len(self._open) > DEEPEST:
            raise ValueError('nested more than %d levels deep' % DEEPEST)
        is_list = isinstance(event, self._yaml.SequenceStartEvent)
        plain = event.tag in (None, '!', _YAML + ('seq' if is_list else 'map'))
        content = [] if is_list else _Pairs()
        self._open.append([None if plain else event.tag, event.anchor, content])

    def _put(self, value, anchor=None):
        if anchor is not None:
            self._anchors[anchor] = value
        self._open[-1][2].append(value)

    def _scalar(self, event):
        tag = event.tag
        if tag in (None, '!'):
            tag = self._loader.resolve(self._yaml.ScalarNode, event.value, event.implicit)
        name = tag[len(_YAML):] if tag.startswith(_YAML) else None
        if name == 'merge':
            raise ValueError('merge keys are not read')
        if name in ('int', 'float', 'timestamp') and len(event.value) > _MOST_DIGITS:
            raise ValueError('a number of %d digits' % len(event.value))
        if name in ('str', 'python/str', 'python/unicode', 'value'):
            return event.value
        if name == 'python/name:numpy.ndarray':
            return None
        if name not in ('int', 'float', 'timestamp', 'bool', 'null', 'binary'):
            raise ValueError('could not determine a constructor for the tag %.100r' % tag)
        make = self._loader.yaml_constructors[tag]
        return make(self._loader, self._yaml.ScalarNode(tag, event.value))

    @staticmethod
    def _made(tag, content):
        """The value of a list or dictionary that has a tag."""
        make = _YAML_MAKERS.get(tag.replace(_YAML, '').replace('numpy._core', 'numpy.core'))
        if make is None:
            raise ValueError('could not determine a constructor for the tag %.100r' % tag)
        return make(content)


class _Pairs(dict):
    """A dictionary that is given its keys and values one after the other."""
    _key = _waits = object()

    def append(self, value):
        if self._key is self._waits:
            hash(value)
            self._key = value
        else:
            self[self._key], self._key = value, self._waits


def _dtype_in_yaml(content):
    code, state = content['args'][0], content.get('state') or (None, '=')
    if not isinstance(code, str) or not re.match(r'[fiub][1248]$', code):
        raise ValueError('a dtype of NumPy that is none of numbers: %.60r' % (code,))
    return np.dtype(code).newbyteorder(state[1] if state[1] in ('<', '>') else '=')


def _number_in_yaml(content):
    dtype, data = content
    return np.frombuffer(data, dtype)[0].item()


def _array_in_yaml(content):
    _, shape, dtype, by_columns, data = content['state']
    return np.frombuffer(data, dtype).reshape(shape, order='F' if by_columns else 'C').tolist()


_YAML = 'tag:yaml.org,2002:'
# Tuples, and NumPy's numbers as Keras 1 and 2 wrote them.
_YAML_MAKERS = {'python/tuple': tuple, 'python/object/apply:numpy.dtype': _dtype_in_yaml,
                'python/object/apply:numpy.core.multiarray.scalar': _number_in_yaml,
                'python/object/apply:numpy.core.multiarray._reconstruct': _array_in_yaml}


def _check_expanded(values, length):
    """Refuse values that refer to themselves or, written out, are much larger than their text."""
    sizes, stack = {}, [(values, 0, False)]
    while stack:
        value, depth, leaving = stack.pop()
        if not isinstance(value, (dict, list, tuple)):
            continue
        parts = list(value.values()) if isinstance(value, dict) else value
        if leaving:
            sizes[id(value)] = 1 + sum(len(part) if isinstance(part, (str, bytes)) else sizes.get(id(part)) or 1
                                       for part in parts)
            if sizes[id(value)] > max(10 * length, 10000):
                raise ValueError('its anchors stand for too many values')
        elif id(value) not in sizes:
            if depth > DEEPEST:
                raise ValueError('nested more than %d levels deep' % DEEPEST)
            sizes[id(value)] = None
            stack.append((value, depth, True))
            stack.extend((part, depth + 1, False) for part in parts)
        elif sizes[id(value)] is None:
            raise ValueError('a value holds itself')
