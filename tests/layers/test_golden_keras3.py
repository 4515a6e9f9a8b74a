"""The layers of Keras 3.15.1 against what upstream gave, under its generation: outputs, types, gradients, shapes,
masks, updates, configurations."""
import numpy as np
import pytest

from keras import layers
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.values import standardize_dtype
from keras.backend.state.variables import Variable, to_array
from keras.backend.table.primitives import cast, multiply, sum as total
import golden
from golden import numbered, pick

OUTPUTS, GRADIENTS = 1e-5, 1e-4

# Upstream gives rows of zeros, which are no distribution.
OTHER_VALUES = {'activation_sparsemax'}
# Upstream's go back through `assign`, which they do on JAX alone.
OTHER_GRADIENTS = {'spectral_dense_train', 'spectral_conv_train'}
# Upstream says less than can be known, or has looked at the words.
OTHER_SIZES = {
    'output_shape': {'text_vectorization_%s' % case for case in (0, 4, 5, 6, 'adapt')},
    'output_shape_none_batch': {'activation_glu', 'einsum_dense_1', 'einsum_dense_2', 'einsum_dense_5', 'hashing_str_4',
                                'mha_scores', 'text_vectorization_7'}}


def _cases(without=()):
    cases = []
    for case in golden.entries('layers', 'cases'):
        version, name, content = case.values
        # Called without `training`, upstream's layers that change images at random did so: those numbers are chance.
        by_chance = name.startswith('random') and content['training'] is None
        if version == '3.15.1' and not by_chance and name not in without:
            cases.append(pytest.param(name, content, id=name))
    return cases or [pytest.param(None, None, marks=pytest.mark.skip(reason='no golden numbers'))]


@pytest.fixture(autouse=True)
def generation():
    with golden.generation('3.15.1'):
        yield


def arrays_of(name, case):
    arrays = golden.arrays('layers', '3.15.1', name)
    inputs = [np.array(given['value'], dtype=object) if given['kind'] == 'str'
              else _typed(arrays['in%d' % number], given['dtype']) for number, given in enumerate(case['inputs'])]
    return arrays, inputs


def _typed(array, dtype):
    """NumPy has no bfloat16: the file has such arrays in float32."""
    return get_engine().convert(array, dtype) if dtype == 'bfloat16' else array


def options_of(case):
    options = dict(case.get('options') or {})
    if case['training'] is not None:
        options['training'] = case['training']
    return options


def call(layer, case, inputs):
    return layer(*[pick(inputs, number) for number in case['args']],
                 **dict({key: pick(inputs, number) for key, number in case['kwargs'].items()}, **options_of(case)))


def built_layer(case, arrays, inputs):
    layer, weights = layers.deserialize(case['layer']), numbered(arrays, 'w')
    if 'adapt_data' in case or 'adapt' in arrays:
        layer.adapt(np.array(case['adapt_data'], dtype=object) if 'adapt_data' in case else arrays['adapt'])
    if not layer.built and len(case['args']) > 1:
        call(layer, case, inputs)
    elif not layer.built:
        layer.build(tree.map_structure(np.shape, pick(inputs, case['args'][0])))
    layer.set_weights(weights)
    return layer


@pytest.mark.parametrize('name, case', _cases(OTHER_VALUES))
def test_values_and_gradients(name, case):
    arrays, inputs = arrays_of(name, case)
    layer = built_layer(case, arrays, inputs)
    trainable = {id(weight) for weight in layer.trainable_weights}
    assert [(list(weight.shape), id(weight) in trainable) for weight in layer.weights] == [
        (weight['shape'], weight['trainable']) for weight in case['weights']]
    # JAX would compile each on its own for a minute or more in all; those of 2.3.1 are held to theirs on it.
    if case['gradients'] and get_engine().capabilities.gradients and get_engine().name != 'jax':
        outputs, gradients = outputs_and_gradients(layer, case, inputs, numbered(arrays, 'r'))
    else:
        outputs, gradients = tree.flatten(call(layer, case, inputs)), {}
    assert_outputs(outputs, numbered(arrays, 'out'), case)
    for key, gradient in gradients.items() if name not in OTHER_GRADIENTS else ():
        assert gradient is not None or not arrays[key].any(), '%s is missing' % key
        if gradient is not None:
            golden.assert_close(to_array(gradient), arrays[key], case.get('gradient_tolerance', GRADIENTS))
    for step in range(1, case['steps']):
        assert_outputs(tree.flatten(call(layer, case, numbered(arrays, 'in', '@%d' % step))),
                       numbered(arrays, 'out', '@%d' % step), case)
    for ours, theirs in zip(layer.get_weights(), numbered(arrays, 'wafter')):
        golden.assert_close(ours, theirs, case.get('tolerance', OUTPUTS))


def assert_outputs(outputs, expected, case):
    outputs = [x for x in outputs if x is not None]
    assert len(outputs) == len(expected)
    for ours, theirs, dtype in zip(outputs, expected, case['output_dtype']):
        golden.assert_close(to_array(ours), theirs, case.get('tolerance', OUTPUTS))
        # JAX has no integers of 64 bits, and the numbers may be JAX's; some engines have no floats of 16 bits.
        expected_dtype = standardize_dtype(get_engine().convert(0, dtype).dtype)
        assert standardize_dtype(ours.dtype).replace('64', '32') == expected_dtype.replace('64', '32')


def outputs_and_gradients(layer, case, inputs, factors):
    """The outputs, and the gradients of `sum(output * factor)` by name."""
    variables = {index: Variable(x) for index, (x, given) in enumerate(zip(inputs, case['inputs']))
                 if 'float' in given.get('dtype', '')}
    wanted = {'gin%d' % index: variable for index, variable in variables.items()}
    wanted.update({'gw%d' % index: weight for index, weight in enumerate(layer.weights)})

    def run(inputs, factors):
        def loss():
            values = [variables[index].value if index in variables else x for index, x in enumerate(inputs)]
            outputs = tree.flatten(call(layer, case, values))
            result = 0.0
            for output, factor in zip(outputs, factors):
                result = result + total(multiply(cast(output, 'float32'), factor))
            return result, outputs
        (_, outputs), gradients = get_engine().value_and_grad(loss, [wanted[key] for key in case['gradients']])
        return outputs, gradients
    outputs, gradients = run(*tree.map_structure(get_engine().convert, (inputs, factors)))
    return outputs, dict(zip(case['gradients'], gradients))


@pytest.mark.parametrize('name, case', _cases())
def test_shapes_and_masks(name, case):
    arrays, inputs = arrays_of(name, case)
    layer = built_layer(case, arrays, inputs)
    args = [pick(inputs, number) for number in case['args']]
    for key in ('output_shape', 'output_shape_none_batch'):
        if case[key] is not None and name not in OTHER_SIZES[key]:
            specs = tree.map_structure(lambda number: _spec(number, key, inputs, case), case['args'])
            ours = layer.compute_output_spec(*specs, **options_of(case))
            assert len(tree.flatten(ours)) == len(case[key])
            for spec, theirs in zip(tree.flatten(ours), case[key]):
                # Ours may know a size that theirs leaves open.
                assert len(spec.shape) == len(theirs), key
                assert all(size == given or given is None for size, given in zip(spec.shape, theirs)), key
    masks = numbered(arrays, 'outmask')
    if masks:
        numbers = case['kwargs'].get('mask', case.get('masks'))
        given = {'previous_mask': None} if numbers is None else {'mask': pick(inputs, numbers)}
        convert = get_engine().convert
        found = layer.compute_mask(tree.map_structure(convert, args[0]),
                                   *[tree.map_structure(lambda x: None if x is None else convert(x), mask)
                                     for mask in given.values()])
        found = [mask for mask in tree.flatten(found) if mask is not None]
        assert len(found) == len(masks)
        for ours, theirs in zip(found, masks):
            assert np.array_equal(to_array(ours).astype(bool), theirs.astype(bool))


def _spec(number, key, inputs, case):
    shape = tuple(inputs[number].shape)
    return KerasTensor(shape if key == 'output_shape' else (None,) + shape[1:],
                       case['inputs'][number].get('dtype', 'string'))


@pytest.mark.parametrize('name, case', _cases())
def test_configuration(name, case):
    layer = layers.deserialize(case['layer'])
    again = layers.deserialize(layers.serialize(layer))
    assert again.get_config() == layer.get_config()
    assert_config(layers.serialize(layer)['config'], case['layer']['config'])


def assert_config(ours, theirs, path='config'):
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), '%s is %r, golden %r' % (path, ours, theirs)
        for key, value in theirs.items():
            if key not in ('build_config', 'vocabulary_size'):  # the size of what was adapted
                assert key in ours, '%s has no %r' % (path, key)
                assert_config(ours[key], value, '%s[%r]' % (path, key))
    elif isinstance(theirs, list):
        assert isinstance(ours, (list, tuple)) and len(ours) == len(theirs), '%s is %r' % (path, ours)
        for index, (first, second) in enumerate(zip(ours, theirs)):
            assert_config(first, second, '%s[%d]' % (path, index))
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-6), '%s is %r, golden %r' % (path, ours, theirs)
    else:
        assert ours == theirs, '%s is %r, golden %r' % (path, ours, theirs)
