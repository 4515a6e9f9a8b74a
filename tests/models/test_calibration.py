"""GPTQ and AWQ: the choice of integers, and models whose blocks are quantized one after the other."""
import numpy as np
import pytest

import keras
from keras import layers, quantizers
from keras.quantizers import calibration

RANDOM = np.random.RandomState(3)
MIXING = RANDOM.normal(size=(8, 8)) + 2 * np.ones((8, 8))
X = (RANDOM.normal(size=(64, 8)) @ MIXING).astype('float32')
WEIGHT = RANDOM.normal(size=(5, 8))
on_numpy = pytest.mark.on('numpy')


def seen(rows):
    inputs = calibration.Inputs(rows.shape[1])
    inputs.add(rows[:20])
    inputs.add(rows[20:])
    return inputs


def read(numbers, scale, zero, group, factors=1.0):
    return (numbers - zero[:, group]) * scale[:, group] / factors


def loss(found, weight, rows):
    return np.sum((rows @ (read(*found) - weight).T) ** 2)


@on_numpy
def test_the_second_column_makes_good_the_error_of_the_first():
    rows, weight = np.array([[1.0, 0.8], [0.5, 0.9], [2.0, 1.0]]), np.array([[0.31, -0.73], [1.0, 0.2]])
    config = quantizers.GPTQConfig(None, None, weight_bits=2, group_size=1, hessian_damping=0.0)
    found = calibration.gptq(weight, seen(rows), config)
    first = read(*found)[:, 0]
    # What the second column would have to be for the smallest error, by least squares.
    wanted = weight[:, 1] + (weight[:, 0] - first) * (rows[:, 0] @ rows[:, 1]) / (rows[:, 1] @ rows[:, 1])
    low, high = np.minimum(wanted, 0), np.maximum(wanted, 0)
    scale = (high - low) / 3
    np.testing.assert_allclose(found[1][:, 1], scale, rtol=1e-6)
    np.testing.assert_allclose(read(*found)[:, 1], np.round(wanted / scale) * scale, rtol=1e-6)


@on_numpy
@pytest.mark.parametrize('arguments', [
    {'group_size': 4}, {'group_size': -1, 'symmetric': True}, {'group_size': 3, 'activation_order': True},
    {'weight_bits': 3, 'group_size': -1, 'per_channel': False}, {'weight_bits': 8, 'group_size': 8}])
def test_gptq_is_nearer_than_the_nearest_numbers(arguments):
    config = quantizers.GPTQConfig(None, None, **arguments)
    found = calibration.gptq(WEIGHT, seen(X), config)
    assert loss(found, WEIGHT, X) < loss(calibration.nearest(WEIGHT, config), WEIGHT, X)
    assert found[0].min() >= 0 and found[0].max() < 2 ** config.weight_bits
    assert found[1].shape == found[2].shape == (5, found[3].max() + 1)


@on_numpy
def test_blocks_of_columns_give_what_single_columns_give(monkeypatch):
    config = quantizers.GPTQConfig(None, None, group_size=4)
    expected = calibration.gptq(WEIGHT, seen(X), config)
    monkeypatch.setattr(calibration, '_BLOCK', 3)
    for part, same in zip(calibration.gptq(WEIGHT, seen(X), config), expected):
        np.testing.assert_allclose(part, same, rtol=1e-6)


@on_numpy
def test_awq_scales_up_what_large_inputs_meet():
    rows = X * np.array([10, 1, 1, 1, 1, 1, 1, 0.1])
    config = quantizers.AWQConfig(None, None, group_size=4)
    found = calibration.awq(WEIGHT, seen(rows), config)
    assert loss(found, WEIGHT, rows) < loss(calibration.nearest(WEIGHT, config), WEIGHT, rows)
    assert found[4].argmax() == 0 and found[4].argmin() == 7
    np.testing.assert_allclose(found[4].max() * found[4].min(), 1.0)


def blocks_and_model():
    block = keras.Sequential([keras.Input((3, 8)), layers.Dense(6, activation='relu'),
                              layers.EinsumDense('abc,cde->abde', (None, 2, 4), bias_axes='de'),
                              layers.EinsumDense('abde,dec->abc', (None, 8))], name='block')
    inputs = keras.Input((3, 8))
    return block, keras.Model(inputs, layers.Dense(2)(block(inputs)))


@pytest.mark.on('numpy', 'torch', 'theano')
@pytest.mark.parametrize('config', [
    lambda **kwargs: quantizers.GPTQConfig(group_size=4, **kwargs),
    lambda **kwargs: quantizers.AWQConfig(group_size=-1, **kwargs)])
def test_a_model_computes_with_what_its_weights_read_as(config, tmp_path):
    block, model = blocks_and_model()
    x = np.resize(X, (20, 3, 8))
    before = model.predict(x, verbose=0)
    model.quantize(config=config(dataset=x, tokenizer=None, num_samples=20, quantization_layer_structure={
        'pre_block_layers': [], 'sequential_blocks': [block]}))
    modes = {layer.quantization_mode for layer in block.layers if layer.weights}
    assert len(modes) == 1 and model.layers[-1].quantization_mode is None
    kernels = [keras.ops.convert_to_numpy(layer.faced_value()) for layer in block.layers if layer.weights]
    inner = np.einsum('abc,cde->abde', np.maximum(x @ kernels[0], 0), kernels[1])
    expected = np.einsum('abde,dec->abc', inner, kernels[2]) @ model.layers[-1].kernel.numpy()
    outputs = model.predict(x, verbose=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-3)
    assert 0 < np.abs(outputs - before).mean() < 0.2 * np.abs(before).mean()
    model.save(str(tmp_path / 'model.keras'))
    loaded = keras.models.load_model(str(tmp_path / 'model.keras'))
    np.testing.assert_allclose(loaded.predict(x, verbose=0), outputs, rtol=1e-5, atol=1e-5)


@on_numpy
def test_texts_are_cut_into_samples():
    from keras.models.calibration import samples

    class Words:
        def tokenize(self, text):
            return [len(word) for word in text.split()]
    config = quantizers.GPTQConfig(['a bb ccc', 'dddd eeeee'], Words(), num_samples=2, sequence_length=3)
    assert [sample.tolist() for sample in samples(config)] == [[[1, 2, 3]], [[3, 4, 5]]]
    config = quantizers.GPTQConfig(['a bb'], Words(), num_samples=5, sequence_length=3)
    assert [sample.tolist() for sample in samples(config)] == [[[1, 2, 1]]]


@on_numpy
def test_what_a_calibration_lacks():
    block, model = blocks_and_model()
    structure = {'pre_block_layers': [], 'sequential_blocks': [block]}
    with pytest.raises(ValueError, match='valid quantization structure'):
        model.quantize(config=quantizers.GPTQConfig([X], None))
    with pytest.raises(ValueError, match='requires a dataset'):
        model.quantize(config=quantizers.AWQConfig(None, None, quantization_layer_structure=structure))
    with pytest.raises(ValueError, match='need a `tokenizer`'):
        model.quantize(config=quantizers.AWQConfig(['text'], None, quantization_layer_structure=structure))
    with pytest.raises(ValueError, match='is empty'):
        model.quantize(config=quantizers.AWQConfig([], None, quantization_layer_structure=structure))
    several = layers.EinsumDense('abc,bcd->abd', (3, 2))
    several.ensure_built((None, 3, 8))
    with pytest.raises(NotImplementedError, match='another matrix for each place'):
        several.input_rows(np.zeros((2, 3, 8)))
