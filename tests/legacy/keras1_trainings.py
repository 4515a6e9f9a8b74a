"""Small trainings in the words of Keras 1, recorded with Keras 1.2.2 on Theano and repeated by `test_keras1_trainings`.

    KERAS_BACKEND=theano python keras1_trainings.py [NAME ...]

in an environment with keras==1.2.2, theano==1.0.5, h5py<3 writes `keras1_trainings-1.2.2.npz`: for each training the
initial weights, layer by layer as Keras 1 had them, the losses and metrics of every epoch, those of `evaluate`, and
what the trained model predicts. Weights are rounded to 16 bits, so that the file stays small.
"""
import os
import sys

import numpy as np

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'keras1_trainings-1.2.2.npz')
TRAININGS = {}


def training(function):
    """A function that gives (compiled model, x, y, keyword arguments of `fit`)."""
    TRAININGS[function.__name__] = function
    return function


def numbers(seed, *shape):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype('float32')


def classes(seed, count, of):
    return np.eye(of, dtype='float32')[np.random.RandomState(seed).randint(0, of, count)]


def words(seed, *shape):
    found = np.random.RandomState(seed).randint(1, 12, shape)
    found[::2, -2:] = 0
    return found


def dense_model(optimizer, **kwargs):
    from keras.layers import Dense
    from keras.models import Sequential
    model = Sequential()
    model.add(Dense(6, input_dim=5, init='uniform', activation='tanh'))
    model.add(Dense(3, activation='softmax'))
    model.compile(optimizer, 'categorical_crossentropy', metrics=['accuracy'], **kwargs)
    return model, numbers(1, 21, 5), classes(2, 21, 3)


def with_optimizer(name, **kwargs):
    def build():
        from keras import optimizers
        return dense_model(getattr(optimizers, name)(**kwargs)) + ({},)
    TRAININGS['optimizer_' + '_'.join([name] + sorted(kwargs))] = build


with_optimizer('SGD', lr=0.3, momentum=0.9, nesterov=True, decay=0.01)
with_optimizer('SGD', lr=0.3, clipnorm=0.05)
with_optimizer('SGD', lr=0.3, clipvalue=0.01)
with_optimizer('RMSprop', lr=0.01)
with_optimizer('Adagrad')
with_optimizer('Adadelta')
with_optimizer('Adam', lr=0.02, decay=0.1)
with_optimizer('Adamax')
with_optimizer('Nadam')


@training
def mlp():
    """The MLP of the README: dropout, class weights, part of the data held back."""
    from keras.layers import Activation, Dense, Dropout
    from keras.models import Sequential
    model = Sequential()
    model.add(Dense(output_dim=8, input_dim=5))
    model.add(Activation('relu'))
    model.add(Dropout(0.0))
    model.add(Dense(output_dim=3, bias=False))
    model.add(Activation('softmax'))
    model.compile(loss='categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy', 'fbeta_score'])
    return model, numbers(1, 21, 5), classes(2, 21, 3), {
        'class_weight': {0: 1.0, 1: 2.5, 2: 0.3}, 'validation_split': 0.3}


def images(ordering):
    from keras.layers import Convolution2D, Dense, Flatten, MaxPooling2D, ZeroPadding2D
    from keras.models import Sequential
    model = Sequential()
    model.add(ZeroPadding2D((1, 1), input_shape=(2, 8, 9) if ordering == 'th' else (8, 9, 2), dim_ordering=ordering))
    model.add(Convolution2D(3, 3, 2, activation='relu', dim_ordering=ordering))
    model.add(MaxPooling2D((2, 2), strides=(2, 2), dim_ordering=ordering))
    # Not both: Theano and TensorFlow pad even kernels, and those with strides, on other sides.
    model.add(Convolution2D(4, 3, 3, border_mode='same', dim_ordering=ordering))
    model.add(Convolution2D(2, 2, 2, subsample=(2, 2), dim_ordering=ordering))
    model.add(Flatten())
    model.add(Dense(3, activation='softmax'))
    model.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
    return model, numbers(3, 10, *model.input_shape[1:]), classes(4, 10, 3), {}


@training
def images_channels_first():
    return images('th')


@training
def images_channels_last():
    return images('tf')


@training
def picture_to_picture():
    from keras.layers import AtrousConvolution2D, Convolution2D, Deconvolution2D, UpSampling2D
    from keras.models import Sequential
    model = Sequential()
    model.add(AtrousConvolution2D(3, 2, 2, atrous_rate=(2, 2), border_mode='valid', input_shape=(2, 6, 6),
                                  activation='tanh', dim_ordering='th'))
    model.add(UpSampling2D((2, 2), dim_ordering='th'))
    model.add(Deconvolution2D(2, 3, 3, output_shape=(None, 2, 10, 10), dim_ordering='th'))
    model.add(Convolution2D(1, 1, 1, dim_ordering='th', bias=False))
    model.compile('sgd', 'mse')
    return model, numbers(5, 6, 2, 6, 6), numbers(6, 6, 1, 10, 10), {}


@training
def steps_of_convolutions():
    from keras.layers import Convolution1D, Dense, GlobalMaxPooling1D, LocallyConnected1D, MaxPooling1D, PReLU
    from keras.models import Sequential
    model = Sequential()
    model.add(Convolution1D(4, 3, border_mode='same', input_shape=(9, 3)))
    model.add(PReLU(init='one'))
    model.add(MaxPooling1D(2))
    model.add(LocallyConnected1D(3, 2))
    model.add(GlobalMaxPooling1D())
    model.add(Dense(1, activation='sigmoid'))
    model.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'])
    return model, numbers(7, 12, 9, 3), (numbers(8, 12, 1) > 0).astype('float32'), {}


@training
def lstm_of_words():
    from keras.layers import LSTM, Dense, Embedding
    from keras.models import Sequential
    model = Sequential()
    model.add(Embedding(12, 4, mask_zero=True, input_length=6))
    model.add(LSTM(output_dim=5, forget_bias_init='zero', consume_less='mem'))
    model.add(Dense(1, activation='sigmoid'))
    model.compile('rmsprop', 'binary_crossentropy', metrics=['accuracy'])
    return model, words(9, 12, 6), (numbers(10, 12, 1) > 0).astype('float32'), {}


@training
def tagger():
    """A loss under a mask, with weights of its steps."""
    from keras.layers import GRU, Bidirectional, Dense, Embedding, SimpleRNN, TimeDistributed
    from keras.models import Sequential
    model = Sequential()
    model.add(Embedding(12, 4, mask_zero=True, input_length=6))
    model.add(Bidirectional(GRU(3, return_sequences=True)))
    model.add(SimpleRNN(4, return_sequences=True, inner_init='identity', go_backwards=False))
    model.add(TimeDistributed(Dense(3, activation='softmax')))
    model.compile('adagrad', 'categorical_crossentropy', sample_weight_mode='temporal')
    y = classes(11, 72, 3).reshape(12, 6, 3)
    return model, words(12, 12, 6), y, {'sample_weight': np.abs(numbers(13, 12, 6))}


@training
def stateful():
    from keras.layers import LSTM, Dense
    from keras.models import Sequential
    model = Sequential()
    model.add(LSTM(3, batch_input_shape=(4, 5, 2), return_sequences=True, stateful=True))
    model.add(LSTM(2, stateful=True, inner_activation='sigmoid', go_backwards=True))
    model.add(Dense(1))
    model.compile('sgd', 'mae')
    return model, numbers(14, 12, 5, 2), numbers(15, 12, 1), {'batch_size': 4}


@training
def convolutional_lstm():
    from keras.layers import ConvLSTM2D
    from keras.models import Sequential
    model = Sequential()
    model.add(ConvLSTM2D(nb_filter=2, nb_row=3, nb_col=3, border_mode='same', return_sequences=False,
                         input_shape=(3, 1, 5, 5), dim_ordering='th'))
    model.compile('adadelta', 'mse')
    return model, numbers(16, 4, 3, 1, 5, 5), numbers(17, 4, 2, 5, 5), {}


@training
def merging():
    from keras.layers import Dense, Input, merge
    from keras.models import Model
    a, b = Input(shape=(4,)), Input(shape=(4,))
    shared = Dense(4, activation='tanh')
    left, right = shared(a), shared(b)
    parts = [merge([left, right], mode=mode) for mode in ('sum', 'mul', 'concat', 'ave', 'max', 'cos', 'dot')]
    parts[-2] = merge([left, right], mode='cos', dot_axes=1, output_shape=(1, 1))
    flat = merge([parts[0], parts[1], parts[2], parts[3], parts[4], parts[6]], mode='concat')
    first, second = Dense(2, name='first')(flat), Dense(1, activation='sigmoid', name='second')(flat)
    model = Model(input=[a, b], output=[first, second])
    model.compile('sgd', {'first': 'mse', 'second': 'binary_crossentropy'}, loss_weights={'first': 0.3, 'second': 2.0},
                  metrics={'second': 'accuracy'})
    return (model, [numbers(18, 10, 4), numbers(19, 10, 4)],
            [numbers(20, 10, 2), (numbers(21, 10, 1) > 0).astype('float32')],
            {'sample_weight': {'first': np.abs(numbers(22, 10)), 'second': np.abs(numbers(23, 10))}})


@training
def branches():
    from keras.layers import Dense, Merge
    from keras.models import Sequential
    left, right = Sequential(), Sequential()
    left.add(Dense(4, input_dim=3))
    right.add(Dense(4, input_dim=2, activation='relu'))
    model = Sequential()
    model.add(Merge([left, right], mode='concat', concat_axis=-1))
    model.add(Dense(2, activation='softmax'))
    model.compile('adam', 'categorical_crossentropy')
    return model, [numbers(24, 9, 3), numbers(25, 9, 2)], classes(26, 9, 2), {}


def normalizing(mode, **kwargs):
    from keras.layers import BatchNormalization, Dense
    from keras.models import Sequential
    model = Sequential()
    model.add(Dense(4, input_dim=3))
    model.add(BatchNormalization(mode=mode, **kwargs))
    model.add(Dense(1))
    model.compile('sgd', 'mse')
    return model, numbers(27, 12, 3), numbers(28, 12, 1), {}


@training
def normalization_by_feature():
    return normalizing(0, momentum=0.8)


@training
def normalization_by_sample():
    return normalizing(1, epsilon=1e-2)


@training
def normalization_by_batch():
    return normalizing(2)


@training
def normalization_of_images():
    from keras.layers import BatchNormalization, Convolution2D, GlobalAveragePooling2D
    from keras.models import Sequential
    model = Sequential()
    model.add(Convolution2D(3, 2, 2, input_shape=(2, 5, 5), dim_ordering='th'))
    model.add(BatchNormalization(axis=1, momentum=0.7))
    model.add(GlobalAveragePooling2D(dim_ordering='th'))
    model.compile('sgd', 'mse')
    return model, numbers(29, 9, 2, 5, 5), numbers(30, 9, 3), {}


@training
def penalties():
    from keras.constraints import maxnorm, nonneg, unitnorm
    from keras.layers import ActivityRegularization, Dense
    from keras.models import Sequential
    from keras.regularizers import activity_l1l2, l1, l1l2, l2
    model = Sequential()
    model.add(Dense(5, input_dim=4, W_regularizer=l1l2(0.02, 0.03), b_regularizer=l2(0.1), W_constraint=maxnorm(0.7)))
    model.add(Dense(4, activity_regularizer=activity_l1l2(0.01, 0.02), W_regularizer=l1(0.01), W_constraint=nonneg()))
    model.add(ActivityRegularization(l1=0.03))
    model.add(Dense(2, W_constraint=unitnorm(axis=0)))
    model.compile('sgd', 'mse')
    return model, numbers(31, 9, 4), numbers(32, 9, 2), {}


@training
def layers_of_keras_1():
    from keras.layers import (ELU, Dense, Highway, MaxoutDense, ParametricSoftplus, RepeatVector, SReLU,
                              TimeDistributedDense)
    from keras.layers.core import Flatten
    from keras.models import Sequential
    model = Sequential()
    model.add(Highway(input_dim=4, activation='tanh'))
    model.add(MaxoutDense(5, nb_feature=3))
    model.add(SReLU())
    model.add(RepeatVector(2))
    model.add(TimeDistributedDense(3))
    model.add(ParametricSoftplus())
    model.add(ELU(0.5))
    model.add(Flatten())
    model.add(Dense(2))
    model.compile('sgd', 'mse')
    return model, numbers(33, 9, 4), numbers(34, 9, 2), {}


def with_loss(loss):
    def build():
        from keras.layers import Dense
        from keras.models import Sequential
        model = Sequential()
        model.add(Dense(3, input_dim=4, activation='sigmoid'))
        # Theano scales a row of zeros to one of nan.
        metrics = [] if 'cross' in loss else ['cosine_proximity']
        model.compile('sgd', loss, metrics=['mse', 'mae', 'mape', 'msle'] + metrics + ['kullback_leibler_divergence'])
        y = np.abs(numbers(35, 9, 3))
        y = (y > 0.5).astype('float32') if 'cross' in loss else np.sign(y - 0.5) if 'hinge' in loss else y
        return model, numbers(36, 9, 4), y, {
            'sample_weight': np.array([0.0, 1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 3.0, 1.0])}
    TRAININGS['loss_' + loss] = build


for _loss in ('mean_squared_error', 'mean_absolute_error', 'mean_absolute_percentage_error',
              'mean_squared_logarithmic_error', 'hinge', 'squared_hinge', 'binary_crossentropy',
              'kullback_leibler_divergence', 'poisson', 'cosine_proximity'):
    with_loss(_loss)


@training
def sparse_targets():
    from keras.layers import Dense
    from keras.models import Sequential
    model = Sequential()
    model.add(Dense(4, input_dim=5, activation='softmax'))
    model.compile('adamax', 'sparse_categorical_crossentropy',
                  metrics=['accuracy', 'sparse_categorical_crossentropy'])
    return model, numbers(37, 12, 5), np.random.RandomState(38).randint(0, 4, (12, 1)), {}


def layers_of(model):
    """The layers that hold weights, those of the branches of a `Merge` included."""
    found = []
    for layer in model.layers:
        branches = layer.layers if type(layer).__name__ == 'Merge' else []
        found += [inner for branch in branches for inner in layers_of(branch)] or [layer]
    return found


def repeated(generate):
    while True:
        for batch in generate:
            yield batch


def trained(model, x, y, arguments, by_generator=False):
    """(history, evaluation, predictions) of three epochs."""
    size = arguments.get('batch_size', 5)
    if by_generator:
        batches = [(x[start:start + size], y[start:start + size]) for start in range(0, len(x), size)]
        history = model.fit_generator(repeated(batches), samples_per_epoch=len(x), nb_epoch=3, verbose=0,
                                      validation_data=repeated(batches), nb_val_samples=len(x), nb_worker=1)
    else:
        history = model.fit(x, y, nb_epoch=3, shuffle=False, verbose=0, **dict({'batch_size': size}, **arguments))
    scores = model.evaluate(x, y, batch_size=size, verbose=0)
    predictions = model.predict(x, batch_size=size)
    return (history.history, np.atleast_1d(scores),
            predictions if isinstance(predictions, list) else [predictions])


TRAININGS['by_generator'] = lambda: dense_model('sgd') + ({},)


def record(names):
    arrays = {}
    for name in names:
        model, x, y, arguments = TRAININGS[name]()
        for place, layer in enumerate(layers_of(model)):
            weights = [np.asarray(array).astype('float16') for array in layer.get_weights()]
            layer.set_weights([array.astype('float32') for array in weights])
            arrays.update({'%s/weights/%d/%d' % (name, place, number): array for number, array in enumerate(weights)})
        history, scores, predictions = trained(model, x, y, arguments, name == 'by_generator')
        arrays.update({'%s/history/%s' % (name, key): np.array(values, 'float32') for key, values in history.items()})
        arrays[name + '/scores'] = np.array(scores, 'float32')
        arrays.update({'%s/predictions/%d' % (name, number): array.astype('float32')
                       for number, array in enumerate(predictions)})
        print(name, {key: values[-1] for key, values in sorted(history.items())})
    return arrays


if __name__ == '__main__':
    import keras
    import theano.ifelse  # noqa: F401  (Keras does not import it where it asks for it)
    from theano.tensor.nnet import bn
    assert keras.__version__ == '1.2.2'
    # With it Keras 1 adds epsilon to the moving variance, as on no other engine.
    del bn.batch_normalization_train
    np.random.seed(1)
    wanted = sys.argv[1:] or sorted(TRAININGS)
    kept = {}
    if os.path.exists(FILE):
        with np.load(FILE) as before:
            kept = {name: before[name] for name in before.files if name.split('/')[0] not in wanted}
    np.savez_compressed(FILE, **dict(kept, **record(wanted)))
