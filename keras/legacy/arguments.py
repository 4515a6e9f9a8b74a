"""Calls in the spelling of Keras 1: what is needed to tell them, and to write them anew.

A `Spelling` knows the arguments of a function in Keras 1, in their order, and what each of them is called now. It is
written as a line of text, see there; the lines of all functions, methods and classes are the table
`keras.legacy.calls`.
"""
import collections
import contextlib
import functools
import inspect
import threading
import warnings

from keras import config, generations

DIM_ORDERINGS = {'th': 'channels_first', 'tf': 'channels_last', 'default': None}
# The initializers of Keras 1, by which `Dense(32, 'uniform')` is told from `Dense(32, 'relu')`.
INITIALIZATIONS = ('uniform', 'lecun_uniform', 'normal', 'identity', 'orthogonal', 'zero', 'one', 'glorot_normal',
                   'glorot_uniform', 'he_normal', 'he_uniform')


def data_format_of(dim_ordering):
    """'channels_first' for 'th', 'channels_last' for 'tf', None for 'default'.

    Raises:
        ValueError: for anything else.
    """
    if dim_ordering not in DIM_ORDERINGS:
        raise ValueError("dim_ordering must be 'th', 'tf' or 'default'. Received: %r" % (dim_ordering,))
    return DIM_ORDERINGS[dim_ordering]


def dim_ordering_of(data_format):
    """What `data_format` was called in Keras 1."""
    return next(old for old, new in DIM_ORDERINGS.items() if new == data_format)


class _Quiet(threading.local):
    depth = 0


_quiet = _Quiet()


@contextlib.contextmanager
def quietly():
    """A `with` block in which nobody is told of old spellings: they come from a config."""
    _quiet.depth += 1
    try:
        yield
    finally:
        _quiet.depth -= 1


def deprecated(old, new, depth=2):
    """Warn that `old` is now written as `new`; not where a config of that time is read."""
    if not _quiet.depth and not generations.is_reading():
        warnings.warn('%s is the spelling of Keras 1. Write %s.' % (old, new), DeprecationWarning,
                      stacklevel=depth + 1)


# --- what values an argument may have ---------------------------------------------------------------------------------

def _whole(value):
    return hasattr(value, '__index__') and not isinstance(value, bool)


def _sizes(value):
    return _whole(value) or isinstance(value, (tuple, list)) and all(map(_whole, value))


def _flag(value):
    return isinstance(value, bool)


def _initialization(value):
    return value in INITIALIZATIONS if isinstance(value, str) else callable(value) or isinstance(value, dict)


def _activation(value):
    return value is None or callable(value) or isinstance(value, str) and value not in INITIALIZATIONS


def _fraction(value):
    return isinstance(value, float)


# By them a call with positional arguments is told; any value suits an argument that is not here.
_SUITS = {
    'activation': _activation, 'recurrent_activation': _activation, 'axis': _whole, 'epsilon': _fraction,
    'data_format': lambda value: value is None or value in DIM_ORDERINGS.values(),
    'dim_ordering': lambda value: value in DIM_ORDERINGS, 'dilation_rate': _sizes,
    'embeddings_regularizer': lambda value: not _whole(value), 'filter_length': _whole, 'kernel_size': _sizes,
    'input_length': lambda value: _whole(value) or value is None,
    'mask': lambda value: not isinstance(value, dict), 'nb_col': _whole, 'nb_row': _whole,
    'kernel_dim1': _whole, 'kernel_dim2': _whole, 'kernel_dim3': _whole, 'strides': _sizes,
    'use_bias': _flag, 'weights': lambda value: value is None or isinstance(value, (list, tuple)),
    'callbacks': lambda value: not _whole(value), 'max_q_size': _whole,
}


def _suits(name, value):
    test = _SUITS.get(name) or (_initialization if name.endswith(('init', 'initializer')) else None)
    return test is None or test(value)


# --- spellings --------------------------------------------------------------------------------------------------------

class Argument:
    """An argument of Keras 1 and what it is now.

    Args:
        text: its name, then '>' and the new name where that is another; nothing behind '>' for one that means nothing
            any more. Several, put together with '+', are one tuple now. '!' behind a name: it had to be given.
        convert: from the old value to the new one. is_new: whether a value has the new form already.
    """

    def __init__(self, text, convert=None, is_new=None):
        names, arrow, new = text.partition('>')
        self.needed = '!' in names
        self.names = names.replace('!', '').split('+')
        self.new = (new or None) if arrow else names.rstrip('!')
        self.convert, self.is_new = convert, is_new

    def value(self, given):
        """The value now, for a dictionary with those of `names`."""
        values = tuple(given[name] for name in self.names)
        value = values if len(values) > 1 else values[0]
        converts = self.convert is not None and not (self.is_new is not None and self.is_new(value))
        return self.convert(value) if converts else value


class Spelling:
    """The arguments of a function in Keras 1.

    Args:
        text: the `Argument`s in their order, separated by spaces.
        conversions: {old name: function from its value to the new one, or a pair of that and a function that says
            whether a value has the new form already}.
        prepare: function of the dictionary of the arguments given, under their old names, called before the others.
        numbers_are: the row of `keras.generations` that says whether positional arguments which may be either are old.
        now: for a class that is no more: the name of what takes its arguments now, or what to write instead.
        names: the arguments of the function now, where its signature does not say them.
    """

    def __init__(self, text, conversions=None, prepare=None, numbers_are=None, now=None, names=None):
        self.prepare, self.numbers_are, self.instead, self.names = prepare, numbers_are, now, names
        self.arguments = []
        for word in text.split():
            convert = (conversions or {}).get(word.partition('>')[0].rstrip('!'))
            convert = convert if isinstance(convert, tuple) else (convert,)
            self.arguments.append(Argument(word, *convert))
        self.order = [name for argument in self.arguments for name in argument.names]
        # Those that are no arguments any more, and those whose values may have an old form.
        self.old = {name for argument in self.arguments for name in argument.names if argument.names != [argument.new]}
        self.by_value = {argument.new: argument for argument in self.arguments
                         if argument.convert is not None and argument.names == [argument.new]}
        self.names_now = {name: argument.new for argument in self.arguments for name in argument.names}

    def needed(self):
        """The names that had to be given."""
        return [name for argument in self.arguments if argument.needed for name in argument.names]

    def parts_before(self, names):
        """How many positional arguments mean the same, the function having the arguments `names` now."""
        for place, (old, new) in enumerate(zip(self.order, names)):
            if self.names_now[old] != new or any(
                    old in argument.names and (len(argument.names) > 1 or argument.convert is not None)
                    for argument in self.arguments):
                return place
        return min(len(self.order), len(names))

    def is_positional(self, args, names, given):
        """Whether the positional `args` are in the order of Keras 1, where the new one is `names`."""
        place = self.parts_before(names)
        rest = list(zip(self.order, args))[place:]
        complete = all(not set(argument.names).intersection(self.order[place:len(args)])
                       or set(argument.names) <= set(self.order[:len(args)]).union(given)
                       for argument in self.arguments)
        if not rest or len(args) > len(self.order) or not complete \
                or not all(_suits(name, value) for name, value in rest):
            return False
        if len(args) > len(names) or not all(_suits(name, value) for name, value in list(zip(names, args))[place:]):
            return True
        if any(argument.is_new is not None and not argument.is_new(given_value) for argument, given_value in
               ((self.by_value.get(name), value) for name, value in rest) if argument is not None):
            return True
        split = any(set(argument.names).intersection(given) and len(argument.names) > 1 for argument in self.arguments)
        return split or bool(self.numbers_are) and (not self.old.isdisjoint(given)
                                                    or generations.value(self.numbers_are))

    def now(self, given, owner):
        """The keyword arguments now, for those `given` to `owner` under the names of both times."""
        if self.prepare is not None:
            self.prepare(given)
        arguments = collections.OrderedDict()
        for argument in self.arguments:
            found = [name for name in argument.names if name in given]
            if not found:
                continue
            if len(found) < len(argument.names):
                raise TypeError('%s: %s belong together. Missing: %s.'
                                % (owner, ', '.join(argument.names),
                                   ', '.join(name for name in argument.names if name not in given)))
            if argument.new not in argument.names and argument.new in given:
                raise TypeError('%s: %r and %r name the same argument; both were given.'
                                % (owner, found[0], argument.new))
            value = argument.value(given)
            for name in found:
                del given[name]
            if argument.new is not None:
                arguments[argument.new] = value
        arguments.update(given)
        return arguments


def _shown(arguments, bare=0):
    """The text of [(name, value)], the first `bare` without the names. What has no short text goes by its name."""
    texts = [(name, _text(name, value)) for name, value in arguments]
    return ', '.join(text if place < bare else '%s=%s' % (name, text) for place, (name, text) in enumerate(texts))


def _text(name, value):
    if isinstance(value, (list, tuple)) and len(value) < 9:
        text = ', '.join(_text(name, part) for part in value)
        return '[%s]' % text if isinstance(value, list) else '(%s%s)' % (text, ',' if len(value) == 1 else '')
    if value is None or isinstance(value, (str, int, float)) or hasattr(value, 'get_config'):
        text = repr(value)
        return text if len(text) <= 120 else name
    return getattr(value, '__name__', name)


def _names_of(function, skipped):
    parameters = list(inspect.signature(function).parameters.values())[skipped:]
    return [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]


def _with_old_names(function, spelling):
    """The signature of `function`, to which those arguments are added that had to be given in Keras 1, and others.

    Where Keras 3 is the generation of new code it is shown as that has it: packages pass on what a signature takes.
    """
    signature = inspect.signature(function)
    if config.get_generation() == 3:
        return signature
    known = list(signature.parameters.values())
    if any(name in signature.parameters for name in spelling.needed()):
        spelling = Spelling('')
    added = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in spelling.needed()]
    others = known[-1:] if known and known[-1].kind is inspect.Parameter.VAR_KEYWORD else []
    if not others:
        others, known = [inspect.Parameter('legacy', inspect.Parameter.VAR_KEYWORD)], known + [None]
    return signature.replace(parameters=known[:-1] + added + others)


def taking_old_calls(function, spelling, owner, is_method=False):
    """`function` that also takes calls in the `spelling` of Keras 1, with a warning that shows the new call.

    Args:
        owner: what it is called in messages. is_method: whether its first argument is `self`.
    """
    skipped = int(is_method)
    names = spelling.names or _names_of(function, skipped)
    same = spelling.parts_before(names) + skipped
    old, always = spelling.old.union(spelling.by_value), spelling.instead
    places = {name: place for place, name in enumerate(names)}

    @functools.wraps(function)
    def run(*args, **kwargs):
        if len(args) <= same and (not kwargs or old.isdisjoint(kwargs)) and always is None:
            return function(*args, **kwargs)
        given = args[skipped:]
        if always is not None or is_old(given, kwargs):
            return function(*args[:skipped], **rewritten(given, kwargs))
        return function(*args, **kwargs)

    def is_old(args, kwargs):
        if not spelling.old.isdisjoint(kwargs) or spelling.is_positional(args, names, kwargs):
            return True
        return any(not spelling.by_value[name].is_new(kwargs[name]) for name in spelling.by_value
                   if name in kwargs and spelling.by_value[name].is_new is not None)

    def rewritten(args, kwargs):
        order = spelling.order if spelling.is_positional(args, names, kwargs) else names
        if len(args) > len(order):
            raise TypeError('%s takes %d positional arguments. Received: %d.' % (owner, len(order), len(args)))
        twice = set(order[:len(args)]).intersection(kwargs)
        if twice:
            raise TypeError('%s: %s was given twice.' % (owner, ', '.join(sorted(twice))))
        given = collections.OrderedDict(zip(order, args))
        given.update(kwargs)
        before = _shown(list(given.items()), len(args))
        arguments = spelling.now(given, owner)
        arguments = collections.OrderedDict(sorted(arguments.items(), key=lambda pair: places.get(pair[0], len(names))))
        deprecated('%s(%s)' % (owner, before), always if always is not None and '(' in always
                   else '%s(%s)' % (always or owner, _shown(arguments.items())), 3)
        return arguments
    run.__signature__ = _with_old_names(function, spelling)
    return run
