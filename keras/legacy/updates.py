"""`get_updates` of optimizers as each Keras calls it."""
import functools
import warnings


def of_any_keras(get_updates):
    """A method `get_updates(loss, params)` that takes Keras 1's `get_updates(params, constraints, loss)` as well.

    Args:
        get_updates: the method.

    Returns:
        The method. Constraints are those of the variables themselves, as since Keras 2: others have no effect, with a
        warning.

    Example:
        >>> method = of_any_keras(lambda self, loss, params: (loss, params))
        >>> method(None, ['w'], {}, 'loss')
        ('loss', ['w'])
    """
    @functools.wraps(get_updates)
    def taking_any_order(self, *args, **kwargs):
        given = dict(kwargs)
        names = ('params', 'constraints', 'loss') if args and isinstance(args[0], (list, tuple)) else ('loss', 'params')
        if len(args) > len(names):
            raise TypeError('get_updates takes (loss, params), or (params, constraints, loss) as in Keras 1. Received '
                            '%d arguments.' % len(args))
        for name, value in zip(names, args):
            if name in given:
                raise TypeError('get_updates got %r twice.' % name)
            given[name] = value
        if len(args) == 2 and names[0] == 'params' and 'loss' not in given:
            given['loss'] = given.pop('constraints')
        _look_at(given.pop('constraints', None))
        return get_updates(self, **given)
    return taking_any_order


def _look_at(constraints):
    """Tell of constraints that are not those of the variables."""
    others = [variable for variable, constraint in (constraints or {}).items()
              if getattr(variable, 'constraint', None) is not constraint]
    if others:
        warnings.warn('get_updates: constraints have no effect, those of the variables are obeyed. Give `constraint` '
                      'when the variable is made (of %s).'
                      % ', '.join(str(getattr(variable, 'name', variable)) for variable in others), stacklevel=4)
