"""Every layer of Keras 2.3.1 against what upstream gave: outputs, states, gradients, masks, shapes, updates.
"""
import numpy as np
import pytest

from keras import layers
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.primitives import multiply, sum as total
from keras.models import Sequential
import golden
from golden import numbered, pick

CASES = [case for case in golden.entries('layers', 'cases') if case.values[0] in ('2.3.1', None)]
OUTPUTS, GRADIENTS = 1e-5, 1e-4


def arrays_of(name):
    return golden.arrays('layers', '2.3.1', name)


def ordered_weights(layer):
    """The weights in the order of `get_weights`: those of a model layer by layer."""
    if isinstance(layer, Sequential):
        return [weight for inner in layer.layers for weight in inner.weights]
    return layer.weights


def to_numpy(structure):
    return [None if x is None else to_array(x) for x in tree.flatten(structure)]


def built_layer(case, inputs, weights):
    layer = layers.deserialize(case['layer'])
    args = [pick(inputs, number) for number in case['args'][:1]]
    kwargs = {name: pick(inputs, number) for name, number in case['kwargs'].items()}
    layer.ensure_built(tree.map_structure(np.shape, args[0]))
    layer.set_weights(weights)
    return layer, args, kwargs


def assert_close_config(ours, theirs, path='config'):
    """All of the golden configuration is in ours, numbers to float32 precision."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), '%s is %r, golden %r' % (path, ours, theirs)
        for key, value in theirs.items():
            assert key in ours, '%s has no %r' % (path, key)
            assert_close_config(ours[key], value, '%s[%r]' % (path, key))
    elif isinstance(theirs, list):
        assert isinstance(ours, (list, tuple)) and len(ours) == len(theirs), '%s is %r' % (path, ours)
        for index, (first, second) in enumerate(zip(ours, theirs)):
            assert_close_config(first, second, '%s[%d]' % (path, index))
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-6), '%s is %r, golden %r' % (path, ours, theirs)
    else:
        assert ours == theirs, '%s is %r, golden %r' % (path, ours, theirs)


@pytest.mark.parametrize('version, name, case', CASES)
def test_values_and_gradients(version, name, case):
    arrays = arrays_of(name)
    inputs = numbered(arrays, 'in')
    layer, args, kwargs = built_layer(case, inputs, numbered(arrays, 'w'))
    trainable = {id(weight) for weight in layer.trainable_weights}
    assert [(list(weight.shape), id(weight) in trainable) for weight in ordered_weights(layer)] == [
        (weight['shape'], weight['trainable']) for weight in case['weights']]
    if get_engine().capabilities.gradients:
        outputs, gradients = outputs_and_gradients(layer, case, inputs, numbered(arrays, 'r'))
    else:
        outputs, gradients = tree.flatten(layer(*args, training=case['training'], **kwargs)), {}
    assert_close_outputs(outputs, numbered(arrays, 'out'))
    for key, gradient in gradients.items():
        assert gradient is not None or not arrays[key].any(), '%s is missing' % key
        if gradient is not None:
            counted = smooth(case, inputs, key)
            golden.assert_close(to_array(gradient) * counted, arrays[key] * counted, GRADIENTS)
    for step in range(1, case['steps']):
        inputs = numbered(arrays, 'in', '@%d' % step)
        outputs = layer(pick(inputs, case['args'][0]), training=case['training'], **kwargs)
        assert_close_outputs(tree.flatten(outputs), numbered(arrays, 'out', '@%d' % step))
    for ours, theirs in zip(layer.get_weights(), numbered(arrays, 'wafter')):
        golden.assert_close(ours, theirs, OUTPUTS)


def assert_close_outputs(outputs, expected):
    assert len(outputs) == len(expected)
    for ours, theirs in zip(outputs, expected):
        golden.assert_close(to_array(ours), theirs, OUTPUTS)


def outputs_and_gradients(layer, case, inputs, factors):
    """The outputs, and the gradients of `sum(output * factor)` by name."""
    variables = {index: Variable(x) for index, x in enumerate(inputs) if x.dtype.kind == 'f'}
    wanted = {'gin%d' % index: variable for index, variable in variables.items()}
    wanted.update({'gw%d' % index: weight for index, weight in enumerate(ordered_weights(layer))})

    def run(inputs, factors):
        def loss():
            values = [variables[index].value if index in variables else x for index, x in enumerate(inputs)]
            kwargs = {key: pick(values, number) for key, number in case['kwargs'].items()}
            outputs = tree.flatten(layer(pick(values, case['args'][0]), training=case['training'], **kwargs))
            result = 0.0
            for output, factor in zip(outputs, factors):
                result = result + total(multiply(output, factor))
            return result, outputs
        if not case['gradients']:
            return loss()[1], []
        (_, outputs), gradients = get_engine().value_and_grad(loss, [wanted[key] for key in case['gradients']])
        return outputs, gradients
    if get_engine().name == 'jax':  # which would compile every operation on its own
        run = get_engine().step(run, list(variables.values()) + layer.weights, [])
    outputs, gradients = run(*tree.map_structure(get_engine().convert, (inputs, factors)))
    return outputs, dict(zip(case['gradients'], gradients))


def smooth(case, inputs, key):
    """False where the gradient has a jump, at which engines differ: 0 for selu, equal inputs for Maximum, Minimum."""
    if case['layer']['class_name'] == 'Activation' and case['layer']['config']['activation'] == 'selu':
        return inputs[0] != 0
    if case['layer']['class_name'] not in ('Maximum', 'Minimum'):
        return True
    rank = max(x.ndim for x in inputs)
    inputs = [x.reshape(x.shape[:1] + (1,) * (rank - x.ndim) + x.shape[1:]) for x in inputs]
    ties = np.any([x == y for index, x in enumerate(inputs) for y in inputs[:index]], 0)
    own = inputs[int(key[len('gin'):])]
    shared = tuple(axis for axis in range(rank) if own.shape[axis] == 1)
    return ~np.any(ties, shared, keepdims=True).reshape(case['inputs'][int(key[len('gin'):])]['shape'])


@pytest.mark.parametrize('version, name, case', CASES)
def test_shapes_and_masks(version, name, case):
    arrays = arrays_of(name)
    inputs = numbered(arrays, 'in')
    layer, args, kwargs = built_layer(case, inputs, numbered(arrays, 'w'))
    shapes = tree.map_structure(np.shape, args[0])
    for key, expected in (('output_shape', case['output_shape']),
                          ('output_shape_none_batch', case['output_shape_none_batch'])):
        if expected is None:
            continue
        if key == 'output_shape_none_batch':
            shapes = _open_batch(shapes)
        ours = layer.compute_output_shape(shapes)
        ours = ours if isinstance(ours, list) else [ours]
        assert [list(shape) for shape in ours] == expected, key
    masks = numbered(arrays, 'outmask')
    if masks:
        given = pick(inputs, case['masks']) if case['masks'] else kwargs.get('mask')
        convert = get_engine().convert
        found = layer.compute_mask(tree.map_structure(convert, args[0]),
                                   None if given is None else tree.map_structure(convert, given))
        found = [mask for mask in tree.flatten(found) if mask is not None]
        assert len(found) == len(masks)
        for ours, theirs in zip(found, masks):
            assert np.array_equal(to_array(ours).astype(bool), theirs.astype(bool))


def _open_batch(shapes):
    if isinstance(shapes, list):
        return [(None,) + shape[1:] for shape in shapes]
    return (None,) + shapes[1:]


@pytest.mark.parametrize('version, name, case', CASES)
def test_configuration(version, name, case):
    layer = layers.deserialize(case['layer'])
    theirs = dict(case['layer']['config'])
    if name == 'embedding_2d':
        theirs.pop('batch_input_shape')  # upstream nests the two lengths, which it cannot read itself
    assert_close_config(layer.get_config(), theirs)
    assert layers.serialize(layer)['class_name'] == case['layer']['class_name']
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
