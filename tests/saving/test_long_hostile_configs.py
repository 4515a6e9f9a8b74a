"""Long configs that end in what there is not: refused before the layers in front of it are made and built."""
import json

import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('numpy')
COUNT = 3000
WRONG = {
    'class': {'class_name': 'Bogus', 'config': {'name': 'z'}},
    'activation': {'class_name': 'Dense', 'config': {'name': 'z', 'units': 3, 'activation': 'bogus'}},
    'initializer': {'class_name': 'Dense', 'config': {
        'name': 'z', 'units': 3, 'kernel_initializer': {'class_name': 'Bogus', 'config': {}}}},
    'argument': {'class_name': 'Dense', 'config': {'name': 'z', 'units': 3, 'bogus': 7}},
    'inside': {'class_name': 'TimeDistributed', 'config': {
        'name': 'z', 'layer': {'class_name': 'Bogus', 'config': {'name': 'y'}}}}}


class Counted(layers.Dense):
    made = built = 0

    def __init__(self, units, **kwargs):
        Counted.made += 1
        super().__init__(units, **kwargs)

    def build(self, input_shape):
        Counted.built += 1
        super().build(input_shape)


def read(config):
    Counted.made = Counted.built = 0
    return keras.models.model_from_json(json.dumps(config), {'Counted': Counted})


def sequential(last):
    entries = [{'class_name': 'Counted', 'config': {'name': 'd%d' % number, 'units': 1 + number % 3}}
               for number in range(COUNT)]
    entries[0]['config']['batch_input_shape'] = [None, 3]
    return {'class_name': 'Sequential', 'config': {'name': 's', 'layers': entries + [last]}}


def functional(last, nodes=None, output='z'):
    entries = [{'class_name': 'InputLayer', 'config': {'name': 'd', 'batch_input_shape': [None, 3]},
                'inbound_nodes': []}]
    for number in range(COUNT):
        before = 'd%d' % (number - 1) if number else 'd'
        entries.append({'class_name': 'Counted', 'config': {'name': 'd%d' % number, 'units': 1},
                        'inbound_nodes': [[[before, 0, 0, {}]]]})
    entries.append(dict(last, name='z', inbound_nodes=nodes or [[['d%d' % (COUNT - 1), 0, 0, {}]]]))
    entries = [dict(entry, name=entry['config']['name']) for entry in entries]
    return {'class_name': 'Model', 'config': {'name': 's', 'layers': entries, 'input_layers': [['d', 0, 0]],
                                              'output_layers': [[output, 0, 0]]}}


@pytest.mark.parametrize('model', [sequential, functional])
@pytest.mark.parametrize('what', sorted(WRONG))
def test_what_is_not_known_is_found_first(model, what):
    with pytest.raises(ValueError, match='(?i)bogus') as raised:
        read(model(WRONG[what]))
    assert 'z' in str(raised.value) and Counted.made < 5 and not Counted.built


GOOD = {'class_name': 'Dense', 'config': {'name': 'z', 'units': 1}}


@pytest.mark.parametrize('config', [functional(GOOD, [[['nope', 0, 0, {}]]]), functional(GOOD, output='nope')])
def test_references_to_no_layer_are_found_before_any_is_made(config):
    with pytest.raises(ValueError, match='nope'):
        read(config)
    assert not Counted.made


@pytest.mark.parametrize('reference', [['d3', 7, 0, {}], ['z', 0, 0, {}]])
def test_calls_that_none_makes_are_found_before_any_layer_is_called(reference):
    with pytest.raises(ValueError, match='the inputs of'):
        read(functional(GOOD, [[reference]]))
    assert not Counted.built


@pytest.mark.parametrize('model', [sequential, functional])
def test_long_models_keep_the_order_of_their_layers(model, monkeypatch):
    monkeypatch.setattr('keras.saving.serialization._SHORT', 3)
    monkeypatch.setitem(globals(), 'COUNT', 8)
    loaded = read(model(GOOD))
    assert [layer.name for layer in loaded.layers if layer.weights] == ['d%d' % place for place in range(8)] + ['z']
