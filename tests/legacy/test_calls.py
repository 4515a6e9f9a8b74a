"""Keras 1's calls of layers give the layers that they gave, with a warning that shows the new call."""
import inspect
import os
import subprocess
import sys
import warnings

import pytest

import keras
from keras import layers as L
from keras.legacy import calls, interfaces

pytestmark = pytest.mark.on('numpy')
L2 = keras.regularizers.l2(0.1)


def warned(make):
    """What `make` gives, and the text of the one warning about its spelling, which has the evaluated call as place."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        result = make()
    caught = [one for one in caught if issubclass(one.category, DeprecationWarning)]
    assert len(caught) == 1 and caught[0].filename == '<string>', caught
    return result, str(caught[0].message).partition(' Write ')[2]


def config(layer):
    found = layer.get_config()
    del found['name']
    return found


# (call in Keras 1, call now)
PAIRS = [
    ('Dense(3, "uniform", "relu")', 'Dense(3, kernel_initializer="uniform", activation="relu")'),
    ('Dense(output_dim=3, init="normal", W_regularizer=L2, b_regularizer=L2, activity_regularizer=L2, bias=False, '
     'input_dim=5)', 'Dense(3, kernel_initializer="normal", kernel_regularizer=L2, bias_regularizer=L2, '
     'activity_regularizer=L2, use_bias=False, input_dim=5)'),
    ('Dropout(p=0.2)', 'Dropout(0.2)'),
    ('SpatialDropout2D(p=0.2, dim_ordering="th")', 'SpatialDropout2D(0.2, "channels_first")'),
    ('GaussianDropout(p=0.2)', 'GaussianDropout(0.2)'),
    ('GaussianNoise(sigma=0.2)', 'GaussianNoise(0.2)'),
    ('Embedding(5, 3, "normal", 7)', 'Embedding(5, 3, "normal", input_length=7)'),
    ('Embedding(5, 3, init="one", W_constraint="nonneg")',
     'Embedding(5, 3, embeddings_initializer="ones", embeddings_constraint="nonneg")'),
    ('PReLU(init="one")', 'PReLU("ones")'),
    ('BatchNormalization(1e-4, 0, 1)', 'BatchNormalization(axis=1, epsilon=1e-4)'),
    ('BatchNormalization(mode=2, beta_init="one")', 'BatchNormalization(mode=2, beta_initializer="ones")'),
    ('Convolution1D(4, 3, "uniform", "relu")', 'Conv1D(4, 3, kernel_initializer="uniform", activation="relu")'),
    ('Convolution1D(nb_filter=4, filter_length=3, border_mode="same", subsample_length=2, input_dim=6, '
     'input_length=9)', 'Conv1D(4, 3, padding="same", strides=2, input_shape=(9, 6))'),
    ('Convolution2D(4, 3, 2)', 'Conv2D(4, (3, 2))'),
    ('Convolution2D(4, nb_row=3, nb_col=2)', 'Conv2D(4, (3, 2))'),
    ('Convolution2D(4, 3, nb_col=2)', 'Conv2D(4, (3, 2))'),
    ('Convolution2D(4, 3, 2, "uniform", "relu", None, "same", (2, 1), "th")',
     'Conv2D(4, (3, 2), kernel_initializer="uniform", activation="relu", padding="same", strides=(2, 1), '
     'data_format="channels_first")'),
    ('Conv2D(4, 3, border_mode="same")', 'Conv2D(4, 3, padding="same")'),
    ('Convolution3D(4, 3, 2, 1, subsample=(1, 2, 3))', 'Conv3D(4, (3, 2, 1), strides=(1, 2, 3))'),
    ('Deconvolution2D(4, 3, 3, (None, 11, 11, 4), subsample=(2, 2))', 'Conv2DTranspose(4, (3, 3), strides=2)'),
    ('Deconvolution2D(4, 3, 3, output_shape=(None, 12, 11, 4), subsample=(2, 2))',
     'Conv2DTranspose(4, (3, 3), strides=2, output_padding=(1, 0))'),
    ('Deconvolution2D(4, 3, 3, (None, 4, 10, 10), subsample=(2, 2), border_mode="same", dim_ordering="th")',
     'Conv2DTranspose(4, (3, 3), strides=2, padding="same", data_format="channels_first")'),
    ('SeparableConvolution2D(4, 3, 2, "one", depthwise_regularizer=L2)',
     'SeparableConv2D(4, (3, 2), depthwise_initializer="ones", pointwise_initializer="ones", '
     'depthwise_regularizer=L2)'),
    ('LocallyConnected1D(4, 3, subsample_length=2)', 'LocallyConnected1D(4, 3, strides=2)'),
    ('LocallyConnected2D(4, 3, 2, dim_ordering="tf")', 'LocallyConnected2D(4, (3, 2), data_format="channels_last")'),
    ('LSTM(3, "uniform", "normal", "one", "relu", "sigmoid")',
     'LSTM(3, "relu", "sigmoid", True, "uniform", "normal")'),
    ('GRU(output_dim=3, inner_activation="hard_sigmoid", dropout_W=0.1, dropout_U=0.2, consume_less="gpu", '
     'input_dim=4)',
     'GRU(3, recurrent_activation="hard_sigmoid", dropout=0.1, recurrent_dropout=0.2, implementation=2, '
     'input_shape=(None, 4))'),
    ('SimpleRNN(output_dim=3, U_regularizer=L2, consume_less="mem")', 'SimpleRNN(3, recurrent_regularizer=L2)'),
    ('ConvLSTM2D(4, 3, 2, inner_init="normal", subsample=(2, 2), border_mode="same")',
     'ConvLSTM2D(4, (3, 2), recurrent_initializer="normal", strides=2, padding="same")'),
    ('UpSampling1D(length=3)', 'UpSampling1D(3)'),
    ('UpSampling2D((2, 3), "th")', 'UpSampling2D((2, 3), "channels_first")'),
    ('ZeroPadding1D({"left_pad": 2})', 'ZeroPadding1D((2, 0))'),
    ('ZeroPadding2D((1, 2, 3, 4))', 'ZeroPadding2D(((1, 2), (3, 4)))'),
    ('ZeroPadding2D(padding={"top_pad": 1, "right_pad": 2})', 'ZeroPadding2D(((1, 0), (0, 2)))'),
    ('Cropping2D(((1, 0), (0, 2)), dim_ordering="th")', 'Cropping2D(((1, 0), (0, 2)), "channels_first")'),
    ('MaxPooling1D(pool_length=3, stride=2, border_mode="same")', 'MaxPooling1D(3, 2, "same")'),
    ('AveragePooling2D((2, 2), (1, 1), "same", "th")', 'AveragePooling2D((2, 2), (1, 1), "same", "channels_first")'),
    ('MaxPooling3D(border_mode="same", dim_ordering="default")', 'MaxPooling3D(padding="same")'),
    ('GlobalMaxPooling2D(dim_ordering="th")', 'GlobalMaxPooling2D("channels_first")'),
    ('InputLayer(input_shape=(3,), input_dtype="int32")', 'InputLayer((3,), dtype="int32")'),
    ('AtrousConvolution1D(4, 3, atrous_rate=2)', 'Conv1D(4, 3, dilation_rate=2)'),
    ('AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2))', 'Conv2D(4, (3, 3), dilation_rate=2)'),
    ('TimeDistributedDense(4, "uniform", input_dim=3, input_length=5)',
     'Dense(4, kernel_initializer="uniform", input_shape=(5, 3))')]


@pytest.mark.parametrize('old, now', PAIRS)
def test_old_calls_give_what_new_ones_give(old, now):
    # Up to Python 3.7 warnings take the file from the globals.
    names = dict(vars(L), L2=L2, __file__='<string>')
    layer, shown = warned(lambda: eval(old, names))
    expected = eval(now, names)
    assert isinstance(layer, type(expected)) and config(layer) == config(expected)
    if 'L2' not in old:  # what the warning says to write, written
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            assert config(eval(shown.rstrip('.'), names)) == config(expected)


@pytest.mark.parametrize('call', [
    'Dense(3, "relu")', 'Dense(3, "relu", False)', 'Conv2D(4, (3, 3), (2, 2))', 'Conv2D(4, 3)', 'Conv1D(4, 3, 2)',
    'Conv3D(4, 3, 2)', 'BatchNormalization(1)', 'BatchNormalization(-1, 0.9)', 'LSTM(3, "tanh")', 'LSTM(3)',
    'Embedding(5, 3)', 'ZeroPadding2D((1, 2))', 'ZeroPadding2D(((1, 2), (3, 4)), "channels_first")', 'Dropout(0.5)',
    'MaxPooling2D((2, 2), (1, 1), "same", "channels_first")', 'InputLayer((3,))', 'Conv2DTranspose(4, (3, 3))'])
def test_new_calls_are_left_alone(call):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        layer = eval(call, dict(vars(L)))
    assert type(layer).__name__ == call.partition('(')[0]


def test_numbers_behind_the_filters_are_strides_from_tf_keras_on():
    for generation, kernel, strides in ((1, (3, 2), (1, 1)), (2, (3, 2), (1, 1)), ('tf', (3, 3), (2, 2)),
                                        (3, (3, 3), (2, 2))):
        with keras.config.generation(generation), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            layer = L.Conv2D(4, 3, 2)
        assert (layer.kernel_size, layer.strides) == (kernel, strides)


@pytest.mark.parametrize('call, words', [
    ('Dense(3, units=4, init="one")', 'units was given twice'), ('Conv2D(4, nb_row=3)', 'belong together.*nb_col'),
    ('Dense(output_dim=3, units=3)', 'name the same argument'), ('Dense(3, "one", output_dim=4)', 'given twice'),
    ('LSTM(3, consume_less="tpu")', "'cpu', 'mem' or 'gpu'"), ('MaxPooling2D(dim_ordering="x")', "'th', 'tf'"),
    ('ZeroPadding1D({"left": 1})', "'left'")])
def test_what_is_wrong_is_said(call, words):
    with pytest.raises((TypeError, ValueError), match=words):
        eval(call, dict(vars(L)))


def test_the_forget_bias():
    with keras.config.generation(1), pytest.warns(DeprecationWarning, match='unit_forget_bias=False'):
        assert L.LSTM(3, forget_bias_init='zero').unit_forget_bias is False
    with keras.config.generation(1), pytest.raises(ValueError, match="only 'one' and 'zero'"):
        L.LSTM(3, forget_bias_init='normal')
    with pytest.warns(UserWarning, match="forget_bias_init='zero' is ignored"):
        assert L.LSTM(3, forget_bias_init='zero').unit_forget_bias is True


def test_subclasses_may_hand_on_old_arguments():
    class Mine(L.Convolution2D):
        def __init__(self, nb_filter, nb_row, nb_col, **kwargs):
            super().__init__(nb_filter, nb_row, nb_col, **kwargs)
    with pytest.warns(DeprecationWarning, match=r'Conv2D\(filters=4, kernel_size=\(3, 2\), padding=.same.\)'):
        layer = Mine(4, 3, 2, border_mode='same')
    assert layer.kernel_size == (3, 2) and layer.padding == 'same'


def test_configs_are_read_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        layer = L.Dense.from_config({'name': 'd', 'output_dim': 3, 'init': 'zero', 'input_dim': None, 'bias': True})
        assert layer.units == 3
        L.Highway.from_config({'name': 'h'})


def test_signatures_are_those_of_keras3_where_that_is_meant():
    # bayesflow hands on to `fit` whatever its signature takes.
    script = ("import inspect, keras; print(sorted(p.kind.name for p in inspect.signature(keras.Model.fit)"
              ".parameters.values() if p.kind.name == 'VAR_KEYWORD'))")

    def shown(generation):
        return subprocess.run([sys.executable, '-c', script], env=dict(os.environ, KERAS_GENERATION=generation),
                              stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.strip()
    assert {generation: shown(generation) for generation in ('2', '3')} == {'2': "['VAR_KEYWORD']", '3': '[]'}


@pytest.mark.skipif(sys.version_info < (3, 7), reason='Python 3.6 takes the signature of a class from __new__')
def test_signatures_name_what_had_to_be_given():
    parameters = inspect.signature(L.Conv2D).parameters
    assert list(parameters)[:2] == ['filters', 'kernel_size']
    assert parameters['nb_row'].kind is inspect.Parameter.KEYWORD_ONLY and 'border_mode' not in parameters


def test_every_spelling_leads_to_arguments_that_are_there():
    for name, spelling in calls.LAYERS.items():
        constructor = inspect.unwrap(getattr(L, name).__init__)
        known = set(inspect.signature(constructor).parameters).union(
            ('weights', 'input_dim', 'input_length', 'activity_regularizer', 'dropout', 'output_shape', 'name', None,
             'implementation'))
        assert known.issuperset(spelling.names_now.values()), name


def test_decorators_for_layers_of_your_own():
    class Mine(L.Dense):
        @interfaces.legacy_dense_support
        def __init__(self, units, kernel_initializer='zeros', **kwargs):
            super().__init__(units, kernel_initializer=kernel_initializer, **kwargs)
    with pytest.warns(DeprecationWarning, match=r'Mine\(units=3, kernel_initializer=.uniform.\)'):
        layer = Mine(output_dim=3, init='uniform')
    assert layer.units == 3 and type(layer.kernel_initializer).__name__ == 'RandomUniform'
