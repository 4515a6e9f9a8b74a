"""Functions that take arguments under their old names, too, with a warning."""
import functools
import inspect
import warnings

DIM_ORDERINGS = {'th': 'channels_first', 'tf': 'channels_last', 'default': None}


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


def deprecated(old, new, depth=2):
    """Warn that `old` is now written as `new`."""
    warnings.warn('%s is the spelling of Keras 1. Write %s.' % (old, new), DeprecationWarning, stacklevel=depth + 1)


class Rename:
    """An argument that has another name, and perhaps another form, now.

    Args:
        new: its name now; None for one that means nothing any more. convert: from its old value to the new one.
    """

    def __init__(self, new, convert=None):
        self.new, self.convert = new, convert

    def put(self, old, value, arguments, owner):
        """Put the `value` given for the argument `old` into the keyword `arguments`."""
        if self.new is None:
            return deprecated('%s(%s=...)' % (owner, old), 'the call without it', 3)
        if self.new in arguments:
            raise TypeError('%s: %r and %r name the same argument; both were given.' % (owner, old, self.new))
        value = value if self.convert is None else self.convert(value)
        deprecated('%s(%s=...)' % (owner, old), '%s(%s=%r)' % (owner, self.new, value), 3)
        arguments[self.new] = value
        return None


def taking_old_names(function, renames, owner, prepare=None):
    """`function` that also takes the arguments in the table `renames`, {old name: `Rename`}.

    prepare: changes (args, kwargs), under their old names, before that; called where an old name occurs.
    """
    names = list(inspect.signature(function).parameters)
    ordering = names.index('data_format') if 'dim_ordering' in renames else len(names)

    @functools.wraps(function)
    def run(*args, **kwargs):
        if len(args) > ordering and args[ordering] in DIM_ORDERINGS:
            # What came behind it, shapes, means nothing any more.
            kwargs['dim_ordering'], args = args[ordering], args[:ordering]
        if kwargs and not renames.keys().isdisjoint(kwargs):
            if prepare is not None:
                args, kwargs = prepare(args, dict(kwargs))
            arguments = {name: value for name, value in kwargs.items() if name not in renames}
            for name in kwargs:
                if name in renames:
                    renames[name].put(name, kwargs[name], arguments, owner)
            return function(*args, **arguments)
        return function(*args, **kwargs)
    return run
