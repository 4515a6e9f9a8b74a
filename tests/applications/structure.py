"""A network as text that is the same for our models and for those of upstream's releases, whatever writes the config.

Used by the tests and by `record.py`, which runs with upstream's Keras in an environment of its own.
"""
import hashlib
import json

ARGUMENTS = ('filters', 'kernel_size', 'strides', 'padding', 'dilation_rate', 'depth_multiplier', 'use_bias', 'units',
             'pool_size', 'epsilon', 'momentum', 'scale', 'offset', 'center', 'rate', 'drop_path_rate', 'target_shape',
             'cropping', 'init_values', 'mean', 'variance', 'activation')
# Keras 2.3.1 scales the blocks of Inception-ResNet by a Lambda layer; what they add up to is the same.
SAME_CLASSES = {'Lambda': 'CustomScaleLayer'}

# The layers of tf.keras that stand for operations.
OPERATIONS = ('TFOpLambda', 'SlicingOpLambda')


def layers_before(inbound):
    """The names of the layers that a layer is called on, from 'inbound_nodes' of any generation."""
    found = []

    def walk(part):
        if isinstance(part, dict):
            if part.get('class_name') == '__keras_tensor__':
                found.append(part['config']['keras_history'][0])
            elif '__keras_tensor__' in part:
                found.append(part['__keras_tensor__'][0])
            else:
                for value in part.values():
                    walk(value)
        elif isinstance(part, (list, tuple)):
            if len(part) >= 3 and isinstance(part[0], str) and isinstance(part[1], int):
                found.append(part[0])
                walk(part[3:])
            else:
                for value in part:
                    walk(value)
    walk(inbound)
    return found


def plain(value):
    if isinstance(value, dict):  # an object or an array
        return plain(value.get('class_name') if 'value' not in value.get('config', {}) else value['config']['value'])
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return float('%.6g' % value)
    return value


def line(name, kind, config, inbound, shapes, names):
    """The text for one layer; what comes from an operation that is no layer counts as '+'."""
    arguments = {key: plain(config[key]) for key in ARGUMENTS if config.get(key) is not None}
    if SAME_CLASSES.get(kind, kind) == 'CustomScaleLayer':
        arguments = {}
    before = [each if each in names else '+' for each in layers_before(inbound)]
    return json.dumps([name, SAME_CLASSES.get(kind, kind), arguments, before, [list(shape) for shape in shapes]],
                      sort_keys=True)


def lines(model):
    """One line per layer, in the order of the layers: name, class, arguments, layers before, shapes of its weights."""
    configs = {layer['config']['name']: layer for layer in model.get_config()['layers']}
    layers = [layer for layer in model.layers if type(layer).__name__ not in OPERATIONS]
    names = {layer.name for layer in layers}
    return [line(layer.name, type(layer).__name__, configs[layer.name]['config'], configs[layer.name]['inbound_nodes'],
                 [weight.shape for weight in layer.weights], names) for layer in layers]


def digest(described):
    return hashlib.sha1('\n'.join(described).encode()).hexdigest()[:16]
