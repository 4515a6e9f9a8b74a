"""The state of a model as dictionaries in dictionaries, by the paths of its variables."""
import numpy as np

from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import to_array


def _on_host(variable):
    return np.array(to_array(variable.value))


# Tensors are copies: those of some engines would change as training goes on.
_FORMATS = {'backend_tensor': lambda variable: get_engine().convert(_on_host(variable), variable.dtype),
            'numpy_array': _on_host}


def parts_of(model):
    """{part of the tree: its variables}."""
    return {'trainable_variables': model.trainable_variables, 'non_trainable_variables': model.non_trainable_variables,
            'optimizer_variables': getattr(getattr(model, 'optimizer', None), 'variables', []),
            'metrics_variables': model.metrics_variables}


def state_tree_of(model, value_format):
    """See `Model.get_state_tree`."""
    if value_format not in _FORMATS:
        raise ValueError('Invalid `value_format` argument. Expected one of %s. Received: value_format=%s'
                         % (sorted(_FORMATS), value_format))
    found = {}
    for part, variables in parts_of(model).items():
        if model.ruled('paths_are_unique') and part != 'metrics_variables':
            _check_unique(variables)
        found[part] = {}
        for variable, path in zip(variables, _paths(variables)):
            place = found[part]
            for name in path[:-1]:
                place = place.setdefault(name, {})
            place[path[-1]] = _FORMATS[value_format](variable)
    return found


def restore_state(model, tree):
    """See `Model.set_state_tree`."""
    parts = parts_of(model)
    unknown = [part for part in tree if part not in parts]
    if unknown:
        raise ValueError('set_state_tree: unknown part %s. The parts of a tree are: %s.'
                         % (', '.join(map(repr, unknown)), ', '.join(parts)))
    found = []
    for part, state in tree.items():
        values = dict(_flat(state, ()))
        variables = dict(zip(_paths(parts[part]), parts[part]))
        strange = ['/'.join(path) for path in values if path not in variables]
        if strange:
            raise ValueError('set_state_tree: model %s has no variable %s among its %s. It has: %s.' % (
                model.name, ', '.join(strange), part, ', '.join('/'.join(path) for path in variables)))
        found.extend((variables[path], value) for path, value in values.items())
    # All is looked at before the first one is set.
    for variable, value in found:
        shape = getattr(value, 'shape', None)
        if shape is not None and tuple(shape) != tuple(variable.shape):
            raise ValueError('set_state_tree: variable %s of model %s has shape %s, the value has shape %s. No '
                             'variable is changed.' % (variable.path, model.name, tuple(variable.shape), tuple(shape)))
    for variable, value in found:
        variable.assign(value)


def _paths(variables):
    """The path of each variable as a tuple; a number tells those apart that have one path."""
    found, counts = [], {}
    for variable in variables:
        path = tuple(variable.path.split('/'))
        number = counts[path] = counts.get(path, -1) + 1
        found.append(path[:-1] + ('%s_%d' % (path[-1], number) if number else path[-1],))
    return found


def _check_unique(variables):
    paths = set()
    for variable in variables:
        if variable.path in paths:
            raise ValueError('The following variable path is found twice in the model: %r. Give the layers that have '
                             'the same name different ones.' % variable.path)
        paths.add(variable.path)


def _flat(state, path):
    if not isinstance(state, dict):
        return [(path, state)]
    return [pair for name, part in state.items() for pair in _flat(part, path + (name,))]
