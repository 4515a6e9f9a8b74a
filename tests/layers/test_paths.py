"""The paths of weights: the names of what they stand in, as recorded from Keras 3.15.1."""
import numpy as np
import pytest

import keras
from keras import config, layers

pytestmark = pytest.mark.on('numpy')


@pytest.fixture(autouse=True)
def generation():
    with config.generation(3):
        yield


def paths(owner):
    return [variable.path for variable in owner.variables]


def of_dense(path):
    return [path + '/kernel', path + '/bias']


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(2, name='first')
        self.stack = keras.Sequential([layers.Dense(2, name='inner')], name='stack')

    def build(self, input_shape):
        self.w = self.add_weight(shape=(2,), name='w')
        self.first.build(input_shape)

    def call(self, x):
        return self.stack(self.first(x)) + self.w


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name='sub')
        self.block, self.last = Block(name='block'), layers.Dense(1, name='last')

    def call(self, x):
        return self.last(self.block(x))


def test_what_is_built_inside_of_a_layer_has_its_name_in_front():
    x = keras.Input((4, 3))
    inner = layers.MultiHeadAttention(2, 2, name='attention')
    each = layers.TimeDistributed(layers.Dense(2, name='dense'), name='each')
    model = keras.Model(x, each(inner(x, x)), name='outer')
    parts = ['attention/' + part for part in ('query', 'key', 'value', 'attention_output')] + ['each/dense']
    assert paths(model) == [path for part in parts for path in of_dense(part)]


def test_a_stack_gives_its_name_on():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3, name='dense'), layers.BatchNormalization(name='norm')],
                             name='net')
    assert paths(model) == of_dense('net/dense') + ['net/norm/' + name for name in (
        'gamma', 'beta', 'moving_mean', 'moving_variance')]
    with config.generation(2):
        model = keras.Sequential([layers.Dense(3, name='dense', input_shape=(3,))], name='net')
        assert [weight.name for weight in model.weights] == ['dense/kernel:0', 'dense/bias:0']


def test_subclassed_models_and_their_optimizers():
    model = Subclassed()
    model(np.ones((2, 2), 'float32'))
    expected = ['sub/block/w'] + of_dense('sub/block/first') + of_dense('sub/block/stack/inner') + of_dense('sub/last')
    assert paths(model) == expected
    optimizer = keras.optimizers.SGD(momentum=0.9)
    optimizer.build(model.trainable_variables)
    assert paths(optimizer)[2:] == ['sgd/%s_momentum' % path.replace('/', '_') for path in expected]


def test_equal_parts_of_two_layers_are_told_apart():
    x = keras.Input((4, 3))
    y = layers.MultiHeadAttention(2, 2, name='one')(x, x)
    model = keras.Model(x, layers.MultiHeadAttention(2, 2, name='two')(y, y))
    assert len(set(paths(model))) == len(model.variables) == 16


def test_cells_and_counters():
    layer = layers.Bidirectional(layers.GRU(2, name='gru'), name='both')
    layer(np.ones((1, 4, 3), 'float32'))
    names = ('kernel', 'recurrent_kernel', 'bias')
    cells = ['both/forward_gru/gru_cell/', 'both/backward_gru/gru_cell/']
    assert paths(layer) == [cell + name for cell in cells for name in names]
    layer = layers.ConvLSTM2D(2, 2, name='images')
    layer(np.ones((1, 2, 4, 4, 3), 'float32'))
    assert paths(layer) == ['images/conv_lstm_cell/' + name for name in names]
    assert layers.LSTMCell(2).name.partition('_cell')[0] == 'lstm'
    assert paths(keras.optimizers.Adam()) == ['adam/iteration', 'adam/learning_rate']


def test_a_weight_of_the_constructor_leaves_the_path_of_its_layer_open():
    class Attention(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.query = layers.Dense(3, name='query')
            self.bias = self.add_weight(name='bias', shape=(3,), initializer='zeros')

        def call(self, x):
            return self.query(x) + self.bias.value

    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.attention = Attention(name='attention')

        def call(self, x):
            return self.attention(x)
    for number, x in enumerate((layers.Input((3,)), np.ones((2, 3), 'float32'))):
        block = Block(name='block_%d' % number)
        block(x)
        assert block.attention.path == 'block_%d/attention' % number
        assert block.attention.query.path == 'block_%d/attention/query' % number
        # As Keras 3.15.1: weights have the path that their layer had then.
        assert block.attention.bias.path == 'attention/bias'


@pytest.mark.parametrize('generation, expected', [(2, 'conv_lst_m2d gp_t2backbone'), (3, 'conv_lstm2d gpt2_backbone')])
def test_words_of_classes_with_digits(generation, expected):
    class GPT2Backbone(layers.Layer):
        pass
    with keras.config.generation(generation):
        names = [layers.ConvLSTM2D(1, 2).name, GPT2Backbone().name]
    assert ' '.join(names).startswith(expected.split()[0]) and names[1].startswith(expected.split()[1])
