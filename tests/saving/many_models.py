"""Small models that between them hold every kind of layer, for files that others are to read.

`MODELS` is {name: function that makes (model, [inputs])}. Which generations of Keras have what is in a model is said
beside it.
"""
import numpy as np

import keras
from keras import layers as L

RANDOM = np.random.RandomState(7)


def floats(*shape):
    return RANDOM.normal(size=shape).astype('float32')


def stack(shape, *made, **kwargs):
    model = keras.Sequential(list(made), **kwargs)
    model.build((None,) + shape)
    return model


def with_weights(model):
    """Weights that show every mistake of their order: none of them 0 or 1."""
    model.set_weights([np.abs(floats(*array.shape)) * 0.5 + 0.1 for array in model.get_weights()])
    return model


MODELS, READERS = {}, {}


def model(*readers):
    """Enter a function that makes a model; readers: which of 'keras2', 'tfkeras' and 'keras3' can hold it."""
    def enter(function):
        MODELS[function.__name__] = function
        READERS[function.__name__] = readers or ('keras2', 'tfkeras', 'keras3')
        return function
    return enter


def stacked(shape, *made):
    return with_weights(keras.Sequential([keras.Input(shape)] + list(made))), [floats(2, *shape)]


@model()
def dense():
    return stacked((4,), L.Dense(3, activation='relu', kernel_regularizer='l2', kernel_constraint='max_norm'),
                   L.Activation('tanh'), L.Dropout(0.3), L.BatchNormalization(), L.ActivityRegularization(0.1),
                   L.Dense(2, activation='softmax', use_bias=False))


@model()
def first_layer_has_shape():
    made = keras.Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    return with_weights(made), [floats(2, 4)]


@model()
def activations():
    return stacked((4,), L.Dense(4, activation='selu'), L.LeakyReLU(0.2), L.PReLU(), L.ELU(0.7), L.ReLU(6.0),
                   L.Softmax(), L.Dense(4, activation='elu'), L.Dense(4, activation='softplus'))


@model()
def images():
    return stacked((9, 8, 3), L.ZeroPadding2D(1), L.Conv2D(4, 3, activation='relu'), L.MaxPooling2D(2, padding='same'),
                   L.DepthwiseConv2D(2), L.SeparableConv2D(3, 2, padding='same'), L.UpSampling2D(2),
                   L.Cropping2D(((1, 1), (1, 0))), L.Conv2DTranspose(2, 3, strides=2), L.AveragePooling2D(2),
                   L.SpatialDropout2D(0.2), L.GaussianNoise(0.1), L.GlobalAveragePooling2D())


@model()
def sequences_of_numbers():
    return stacked((12, 3), L.Conv1D(4, 3, padding='causal'), L.MaxPooling1D(2), L.ZeroPadding1D(1), L.Cropping1D(1),
                   L.SeparableConv1D(3, 2), L.UpSampling1D(2), L.SpatialDropout1D(0.1), L.GlobalMaxPooling1D(),
                   L.RepeatVector(3), L.Permute((2, 1)), L.Flatten(), L.Reshape((3, 3)), L.AveragePooling1D(2))


@model()
def volumes():
    return stacked((4, 5, 6, 2), L.Conv3D(3, 2), L.MaxPooling3D(2), L.UpSampling3D(2), L.GlobalMaxPooling3D())


@model()
def recurrent():
    return stacked((5, 3), L.LSTM(3, return_sequences=True, recurrent_activation='sigmoid', dropout=0.1),
                   L.GRU(3, return_sequences=True, recurrent_activation='sigmoid', reset_after=True),
                   L.SimpleRNN(2, return_sequences=True),
                   L.Bidirectional(L.LSTM(2, return_sequences=True, recurrent_activation='sigmoid')),
                   L.TimeDistributed(L.Dense(3)),
                   L.RNN([L.LSTMCell(2, recurrent_activation='sigmoid'),
                          L.GRUCell(3, recurrent_activation='sigmoid', reset_after=False)]))


@model()
def words():
    made = keras.Sequential([L.Embedding(10, 3, mask_zero=True, input_length=4, input_shape=(4,)), L.Masking(),
                             L.LSTM(2, recurrent_activation='sigmoid')])
    return with_weights(made), [np.array([[1, 2, 0, 0], [3, 4, 5, 0]], 'int32')]


@model()
def images_over_time():
    return stacked((3, 6, 6, 2), L.ConvLSTM2D(2, 2, recurrent_activation='sigmoid', return_sequences=True),
                   L.TimeDistributed(L.Conv2D(2, 2)))


@model()
def merged():
    a, b = keras.Input((4,), name='a'), keras.Input((4,), name='b')
    shared = L.Dense(4, activation='tanh', name='shared')
    inner = keras.Sequential([L.Dense(4, input_shape=(4,), name='i1'), L.Dense(4, name='i2')], name='inner')
    p, q, r = shared(a), shared(b), inner(a)
    parts = [L.Add()([p, q]), L.Multiply()([p, r]), L.Subtract()([q, r]), L.Average()([p, q, r]), L.Maximum()([p, q]),
             L.Minimum()([p, inner(b)]), L.Dot(1)([p, q])]
    joined = L.Concatenate(name='joined')(parts)
    made = keras.Model([a, b], [L.Dense(2, name='one')(joined), L.Dense(3, name='two')(joined)], name='of_two')
    return with_weights(made), [floats(2, 4), floats(2, 4)]


@model()
def nested_graph():
    x = keras.Input((3,), name='inside')
    inner = keras.Model(x, L.Dense(2, name='deep')(x), name='graph')
    y = keras.Input((3,), name='outside')
    made = keras.Model(y, L.Dense(2, name='last')(inner(L.Dense(3, name='first')(y))), name='around')
    return with_weights(made), [floats(2, 3)]


@model('tfkeras', 'keras3')
def newer():
    return stacked((8, 3), L.Conv1DTranspose(3, 2), L.LayerNormalization(), L.Conv1D(2, 2))


def trained(optimizer, steps=3):
    """(model, x, y): a small model after some steps of training."""
    made = keras.Sequential([L.Dense(3, activation='tanh', input_shape=(4,), name='d1'), L.Dense(2, name='d2')])
    x, y = floats(8, 4), floats(8, 2)
    with_weights(made)
    made.compile(optimizer, 'mse')
    for _ in range(steps):
        made.train_on_batch(x, y)
    return made, x, y
