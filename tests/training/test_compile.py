"""What `compile` settles: losses and metrics of the outputs, dtypes of targets, what is trained; what is refused."""
import warnings

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import callbacks, config, layers, losses, metrics, optimizers
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential

X = np.arange(8, dtype='float32').reshape(4, 2)
Y = np.ones((4, 1), 'float32')
ERROR = X.sum(axis=1, keepdims=True) - Y


def dense(units=1, **kwargs):
    return layers.Dense(units, kernel_initializer='ones', **kwargs)


def linear(**kwargs):
    return Sequential([dense(input_shape=(2,), **kwargs)])


def still():
    return optimizers.SGD(learning_rate=0.0)


# --- outputs

def several(count=2):
    x = layers.Input((2,))
    return Model(x, [dense(name='out%d' % (index + 1))(x) for index in range(count)])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('targets', [Y, [Y], [Y, Y], {'out2': Y}, {'out1': Y, 'out2': Y}])
def test_outputs_without_a_loss_have_no_metrics(targets):
    model = several()
    model.compile(still(), {'out2': 'mse'}, metrics=['mae'])
    # The names are what 2.3.1 gives.
    assert model.metrics_names == ['loss', 'out2_loss', 'out2_mae']
    expected = [np.mean(ERROR ** 2)] * 2 + [np.abs(ERROR).mean()]
    np.testing.assert_allclose(model.train_on_batch(X, targets), expected, rtol=1e-6)


def test_outputs_of_one_layer_have_names_of_their_own():
    inputs = [layers.Input((2,)) for _ in range(3)]
    layer = dense(name='c')
    model = Model(inputs, [layer(x) for x in inputs])
    model.compile('sgd', 'mse', metrics=['mae'])
    # As in tf.keras 2.15.
    assert model.output_names == ['c', 'c_1', 'c_2']
    assert model.metrics_names == ['loss', 'c_loss', 'c_1_loss', 'c_2_loss', 'c_mae', 'c_1_mae', 'c_2_mae']
    found = model.test_on_batch([X] * 3, {'c': Y, 'c_1': Y, 'c_2': Y})
    square = np.mean(ERROR ** 2)
    np.testing.assert_allclose(found, [3 * square] + [square] * 3 + [np.abs(ERROR).mean()] * 3, rtol=1e-6)


# --- dtypes of targets

@pytest.mark.needs_gradients
@pytest.mark.parametrize('dtype', ['int64', 'int32', 'uint8', 'bool', 'float64', 'float16'])
def test_targets_take_the_dtype_of_their_output(dtype):
    seen = []

    def loss(y_true, y_pred):
        seen.append((K.dtype(y_true), K.dtype(y_pred)))
        return K.mean(y_true * y_pred, axis=-1)
    model = linear()
    model.compile(still(), loss, metrics=[lambda y_true, y_pred: y_true * y_pred])
    expected = X.sum(axis=1).mean()
    np.testing.assert_allclose(model.train_on_batch(X, Y.astype(dtype)), [expected, expected], rtol=1e-6)
    assert set(seen) == {('float32', 'float32')}


def test_targets_of_models_that_are_no_graph_take_the_dtype_of_their_output():
    class Own(Model):
        def call(self, inputs):
            return inputs * 2
    model = Own()
    model.compile(still(), lambda y_true, y_pred: K.mean(y_true * y_pred, axis=-1))
    assert model.test_on_batch(X, X.astype('int64')) == np.mean(2 * X * X)


@pytest.mark.parametrize('dtype', ['bool', 'int8', 'float32'])
def test_one_hot_targets_of_any_dtype_have_an_accuracy(dtype):
    model = Sequential([layers.Softmax(input_shape=(2,))])
    model.compile(still(), 'categorical_crossentropy', metrics=['accuracy'])
    onehot = np.eye(2)[[1, 0, 1, 1]].astype(dtype)
    assert model.test_on_batch(X, onehot)[1] == 0.75


@pytest.mark.parametrize('dtype', ['int64', 'int8', 'float32'])
def test_class_numbers_stay_what_they_are(dtype):
    model = Sequential([layers.Softmax(input_shape=(300,))])
    model.compile(still(), 'sparse_categorical_crossentropy', metrics=['accuracy'])
    x = np.random.RandomState(0).randn(3, 300).astype('float32')
    assert model.test_on_batch(x, x[:, :100].argmax(axis=1).astype(dtype))[0] > 0


@pytest.mark.needs_gradients
@pytest.mark.filterwarnings('ignore:floatx is float64')
def test_doubles_are_trained_as_doubles(doubles):
    model = Sequential([layers.Masking(input_shape=(3, 2)), layers.TimeDistributed(dense())])
    model.compile(still(), 'mse', metrics=['mae'], weighted_metrics=['mse'])
    x = np.full((4, 3, 2), 1 + 1e-9)
    found = model.fit(x, np.zeros((4, 3, 1)), sample_weight=np.ones(4), verbose=0).history
    assert model.get_weights()[0].dtype == np.float64
    assert abs(found['mae'][0] - (2 + 2e-9)) < 1e-13
    assert abs(found['loss'][0] - (2 + 2e-9) ** 2) < 1e-13


# --- metrics over several calls

@pytest.mark.needs_gradients
# The numbers of 2.3.1 and of tf.keras 2.15.
@pytest.mark.parametrize('generation, expected', [(2, [[8, 2], [104, 6], [8, 14 / 3], [104, 10]]),
                                                  ('tf', [[8, 2], [56, 6], [40, 14 / 3], [104, 10]])])
def test_metrics_go_on_over_single_batches(generation, expected):
    with config.generation(generation):
        model = linear()
        model.compile(still(), 'mse', metrics=['mae'])
    found = [model.train_on_batch(X[:2], Y[:2]), model.train_on_batch(X[2:], Y[2:], reset_metrics=False),
             model.test_on_batch(X[:2], Y[:2], reset_metrics=False), model.train_on_batch(X[2:], Y[2:])]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.needs_gradients
def test_metrics_with_a_state_go_on_as_well():
    model = linear()
    model.compile(still(), 'mse', metrics=[metrics.TruePositives(), 'mae'])
    assert model.train_on_batch(X[1:2], Y[1:2])[1] == 1
    assert model.test_on_batch(X[2:], Y[2:], reset_metrics=False)[1] == 3
    assert float(to_array(model.metrics[0].result())) == 3
    np.testing.assert_allclose(to_array(model.metrics[1].result()), np.abs(ERROR[1:]).mean(), rtol=1e-6)
    model.reset_metrics()
    assert float(to_array(model.metrics[1].result())) == 0
    assert model.test_on_batch(X[:1], Y[:1], reset_metrics=False)[1] == 1


@pytest.mark.needs_gradients
def test_means_of_symbolic_tensors_are_metrics():
    model = linear()
    model.add_metric(metrics.Mean(name='size')(model.outputs[0]))
    model.add_metric(metrics.MeanSquaredError(name='gap')(model.inputs[0], model.outputs[0]))
    model.compile(still(), 'mse')
    found = model.fit(X, Y, batch_size=3, verbose=0).history
    outputs = X.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found['size'], [outputs.mean()], rtol=1e-6)
    np.testing.assert_allclose(found['gap'], [np.mean((X - outputs) ** 2)], rtol=1e-6)
    assert model.metrics_names == ['loss', 'size', 'gap']
    with pytest.raises(NotImplementedError, match='metrics='):
        metrics.AUC()(model.inputs[0], model.outputs[0])


# --- what is trained

class FrozenLater:
    """A discriminator in the manner of the GAN examples, and the model that it is a frozen part of."""

    def __init__(self, generation):
        with config.generation(generation):
            self.discriminator = Sequential([layers.BatchNormalization(momentum=0.5, input_shape=(2,)), dense()])
            self.discriminator.compile(optimizers.SGD(learning_rate=0.01), 'mse')
            self.discriminator.trainable = False
            self.combined = Sequential([dense(2, input_shape=(2,)), self.discriminator])
            self.combined.compile(optimizers.SGD(learning_rate=0.01), 'mse')

    def means(self):
        return self.discriminator.get_weights()[2]


@pytest.mark.needs_gradients
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_a_model_trains_as_it_was_compiled(generation):
    models = FrozenLater(generation)
    before = models.discriminator.get_weights()
    with pytest.warns(UserWarning, match='`trainable` was changed after compile'):
        models.discriminator.train_on_batch(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        models.discriminator.train_on_batch(X, Y)
    after = models.discriminator.get_weights()
    assert all(np.any(one != other) for one, other in zip(before, after))
    # Normalization by the batch: the moving averages took it in, twice.
    np.testing.assert_allclose(models.means(), X.mean(axis=0) * 0.75, rtol=1e-5)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('generation', ['tf', 3])
def test_a_frozen_part_stays_as_it_is(generation):
    models = FrozenLater(generation)
    before, own = models.discriminator.get_weights(), models.combined.layers[0].get_weights()
    models.combined.train_on_batch(X, Y)
    for one, other in zip(before, models.discriminator.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert np.any(own[0] != models.combined.layers[0].get_weights()[0])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('generation', [2, 'tf', 3])
def test_what_is_inside_a_frozen_model_is_frozen(generation):
    with config.generation(generation):
        inner = Sequential([layers.BatchNormalization(input_shape=(2,))])
        model = Sequential([inner, dense()])
        inner.trainable = False
        model.compile(still(), 'mse')
    before = model.get_weights()
    model.train_on_batch(X, Y)
    # The moving averages as well: in 2.3.1 a model that is not trainable has no updates.
    for one, other in zip(before, model.get_weights()):
        np.testing.assert_array_equal(one, other)
    inner.trainable = True
    model.compile(still(), 'mse')
    model.train_on_batch(X, Y)
    assert np.any(before[2] != model.get_weights()[2])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('generation, infers', [(2, False), ('tf', True), (3, True)])
def test_a_frozen_normalization_uses_its_averages_by_generation(generation, infers):
    with config.generation(generation):
        layer = layers.BatchNormalization(input_shape=(2,), epsilon=0.0)
        model = Sequential([layer, dense()])
        layer.trainable = False
        model.compile(still(), 'mae')
    found = model.train_on_batch(X, np.zeros((4, 1)))
    normal = (X - X.mean(axis=0)) / X.std(axis=0)
    np.testing.assert_allclose(found, np.abs((X if infers else normal).sum(axis=1)).mean(), rtol=1e-4)
    layer.trainable = True
    model.compile(still(), 'mae')
    np.testing.assert_allclose(model.train_on_batch(X, np.zeros((4, 1))), np.abs(normal.sum(axis=1)).mean(), rtol=1e-4)


# --- class weights, callbacks

@pytest.mark.needs_gradients
@pytest.mark.parametrize('given', [{0: 1, 1: 2, 2: 3}, [1, 2, 3], np.array([1.0, 2, 3]), (1, 2, 3),
                                   [{0: 1, 1: 2, 2: 3}]])
def test_class_weights(given):
    model = Sequential([dense(3, activation='softmax', input_shape=(2,))])
    model.compile(still(), 'sparse_categorical_crossentropy')
    # (1 + 2 + 3 + 1) / 4 * log(3); 2.3.1 gives 1.9225715.
    found = model.train_on_batch(X, np.array([0, 1, 2, 0]), class_weight=given)
    np.testing.assert_allclose(found, 1.9225715, rtol=1e-5)


@pytest.mark.needs_gradients
def test_class_weights_of_several_outputs_go_by_name():
    labels = np.array([[0], [1], [1], [0]], 'float32')
    each = (X.sum(axis=1, keepdims=True) - labels) ** 2
    model = several()
    model.compile(still(), 'mse')
    for given in ({'out2': {0: 1, 1: 3}}, [None, {0: 1, 1: 3}], {'out2': [1, 3]}):
        found = model.train_on_batch(X, [labels, labels], class_weight=given)
        np.testing.assert_allclose(found[1:], [each.mean(), (each * [[1], [3], [3], [1]]).mean()], rtol=1e-6)
    model.compile(still(), {'out2': 'mse'})
    found = model.train_on_batch(X, labels, class_weight={'out2': {0: 1, 1: 3}})
    np.testing.assert_allclose(found[0], (each * [[1], [3], [3], [1]]).mean(), rtol=1e-6)
    with pytest.raises(ValueError, match='this one has 2'):
        model.train_on_batch(X, labels, class_weight={0: 1, 1: 3})


@pytest.mark.needs_gradients
def test_class_weights_by_a_word_without_effect():
    model = linear()
    model.compile(still(), 'mse')
    with pytest.warns(UserWarning, match="class_weight='auto' has no effect"):
        model.fit(X, np.array([0, 1, 1, 0]), class_weight='auto', verbose=0)


@pytest.mark.needs_gradients
@pytest.mark.parametrize('given, error', [('even', TypeError), ([[1, 2], [3, 4]], TypeError), ({0: 1.0}, ValueError)])
def test_class_weights_that_say_nothing(given, error):
    model = linear()
    model.compile(still(), 'mse')
    with pytest.raises(error, match='class_weight'):
        model.fit(X, np.array([0, 1, 1, 0]), class_weight=given, verbose=0)


@pytest.mark.needs_gradients
def test_callbacks_may_stand_alone_or_in_nested_lists():
    model = linear()
    model.compile(still(), 'mse')
    one, other = callbacks.History(), callbacks.History()
    model.fit(X, Y, verbose=0, callbacks=one)
    model.fit(X, Y, verbose=0, callbacks=[[one], (other,)])
    assert one.epoch == other.epoch == [0]
    model.evaluate(X, Y, verbose=0, callbacks=one)
    model.predict(X, callbacks=one)
    for wrong in (callbacks.EarlyStopping, [callbacks.EarlyStopping], ['EarlyStopping']):
        with pytest.raises(TypeError, match='expected objects of Callback'):
            model.fit(X, Y, verbose=0, callbacks=wrong)


@pytest.mark.needs_gradients
def test_callbacks_see_the_validation_data():
    seen = []

    class See(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(self.validation_data)
    model = linear()
    model.compile(still(), 'mse')
    model.fit(X, Y, validation_data=(X[:3], Y[:3]), callbacks=See(), verbose=0)
    model.fit(X, Y, validation_split=0.5, sample_weight=np.arange(4.0), callbacks=See(), verbose=0)
    model.fit(X, Y, callbacks=See(), verbose=0)
    for found, wanted in zip(seen, ([X[:3], Y[:3], np.ones(3)], [X[2:], Y[2:], [2.0, 3.0]])):
        assert len(found) == 3
        for one, other in zip(found, wanted):
            np.testing.assert_array_equal(one, other)
    assert seen[2] is None


@pytest.mark.needs_gradients
def test_outputs_of_a_batch_are_in_its_logs():
    seen = []

    class See(callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append((batch, logs['size'], logs['outputs'][0].shape))
    linear().predict(X, batch_size=3, callbacks=See())
    assert seen == [(0, 3, (3, 1)), (1, 1, (1, 1))]


def test_predicting_a_tensor_for_a_number_of_steps():
    assert linear().predict(K.zeros((3, 2)), steps=2).shape == (6, 1)
    np.testing.assert_array_equal(linear().predict(K.ones((1, 2)) + 1, steps=3), [[4], [4], [4]])


# --- what is refused, what is warned of

@pytest.mark.needs_gradients
@pytest.mark.parametrize('loss, message', [
    (None, 'compiled without a loss'), (lambda y_true, y_pred: None, 'returned None.*`return`'),
    (type('Empty', (losses.Loss,), {'call': lambda self, y_true, y_pred: None})(), 'returned None')])
def test_losses_that_are_none(loss, message):
    model = linear()
    model.compile('sgd', loss)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, verbose=0)


@pytest.mark.needs_gradients
def test_metrics_that_give_nothing():
    model = linear()
    model.compile('sgd', 'mse', metrics=[lambda y_true, y_pred: None])
    with pytest.raises(ValueError, match='returned None'):
        model.fit(X, Y, verbose=0)


def test_setting_the_optimizer_is_compiling_again():
    model = linear()
    model.compile('sgd', 'mse')
    model.optimizer = optimizers.Adam()
    assert type(model.optimizer).__name__ == 'Adam' and model.loss == 'mse' and model.compiled


# --- class numbers that there are not

def classifier(loss='sparse_categorical_crossentropy', classes=3):
    model = Sequential([layers.Dense(classes, activation='softmax', input_shape=(2,))])
    model.compile('sgd', loss)
    return model


@pytest.mark.parametrize('labels, wrong', [([0, 1, 2, 3], 3), ([0, -1, 2, 1], -1), ([0, 1, 5, 2], 5)])
@pytest.mark.parametrize('dtype', ['int32', 'int64', 'float32'])
def test_classes_out_of_range_are_found_before_training(labels, wrong, dtype):
    model = classifier()
    for act in (model.evaluate, model.train_on_batch, model.fit):
        with pytest.raises(ValueError, match=r'holds class %g.*3 classes, numbered 0 to 2' % wrong):
            act(X, np.array(labels, dtype))
        with pytest.raises(ValueError, match='holds class'):
            act(X, np.array(labels, dtype)[:, None])

    def batches():
        yield X, np.array(labels, dtype)
    with pytest.raises(ValueError, match='holds class'):
        model.evaluate(batches(), verbose=0)


def test_ignored_classes_may_be_any_number():
    model = classifier(losses.SparseCategoricalCrossentropy(ignore_class=-1))
    assert np.isfinite(model.evaluate(X, np.array([0, -1, 2, 1]), verbose=0))
    with pytest.raises(ValueError, match='holds class 4'):
        model.evaluate(X, np.array([0, -1, 4, 1]), verbose=0)


class Twice(metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(2 * abs(y_true - y_pred))


class Whole(metrics.Sum):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(abs(y_true - y_pred))


def test_metrics_that_are_no_means_of_values():
    model = linear()
    model.compile(still(), 'mse', metrics=[metrics.RootMeanSquaredError(), Twice(), Whole()])
    found = model.evaluate(X, Y, batch_size=3, verbose=0)[1:]
    error = abs(ERROR)
    np.testing.assert_allclose(found, [(error ** 2).mean() ** 0.5, 2 * error.mean(), error.sum()], rtol=1e-5)


def test_order_of_logs_in_keras_3():
    """As `train_on_batch` of Keras 3.15.1 lists them."""
    inputs = layers.Input((2,))
    model = Model(inputs, {'z': dense(name='z')(inputs), 'b': dense(name='b')(inputs)})
    with config.generation(3):
        model.compile(still(), 'mse', metrics=['mse', 'mae'])
    assert model.metrics_names == ['loss', 'z_loss', 'b_loss', 'b_mse', 'z_mae']
    with config.generation(3):
        model.compile(still(), {'z': 'mse'}, metrics={'z': ['mse', 'mae']})
    assert model.metrics_names == ['loss', 'z_mae', 'z_mse']
class Doubled(metrics.MeanSquaredError):
    def result(self):
        return super(Doubled, self).result() * 2


class OfZeros(metrics.MeanSquaredError):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super(OfZeros, self).update_state(y_true * 0, y_pred, sample_weight)


class Lasting(metrics.MeanSquaredError):
    def reset_state(self):
        """Nothing."""


def test_what_metrics_override_is_what_counts():
    model = linear()
    model.compile(still(), 'mse', metrics=[metrics.RootMeanSquaredError(name='root'), Doubled(name='doubled'),
                                           OfZeros(name='zeros'), Lasting(name='lasting'), 'mse'])
    mean, first = np.mean(ERROR ** 2), np.mean(ERROR[:2] ** 2)
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert logs == pytest.approx({'loss': mean, 'root': mean ** 0.5, 'doubled': 2 * mean, 'lasting': mean, 'mse': mean,
                                  'zeros': np.mean(X.sum(axis=1) ** 2)}, rel=1e-5)
    logs = model.evaluate(X[:2], Y[:2], verbose=0, return_dict=True)
    assert logs['lasting'] == pytest.approx((4 * mean + 2 * first) / 6, rel=1e-5)
    assert logs['mse'] == pytest.approx(first, rel=1e-5)


@pytest.mark.on('torch')
def test_how_steps_run_may_be_set_before_compiling():
    model = linear()
    model.run_eagerly = True
    assert model.run_eagerly and model.predict(X, verbose=0) == pytest.approx(X.sum(axis=1, keepdims=True))
    model.compile(still(), 'mse')
    assert not model.run_eagerly


def test_order_of_logs_in_tf_keras():
    inputs = layers.Input((2,))
    model = Model(inputs, [dense(name='z')(inputs), dense(name='b')(inputs)])
    with config.generation('tf'):
        model.compile(still(), 'mse', metrics={'z': 'mae', 'b': 'mape'}, weighted_metrics=['mse'])
    assert model.metrics_names == ['loss', 'z_loss', 'b_loss', 'z_mae', 'z_mse', 'b_mape', 'b_mse']


def test_weights_of_losses_as_arrays():
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(1, name=name, kernel_initializer='ones')(inputs) for name in 'ab']
    model, x = keras.Model(inputs, outputs), np.ones((4, 3), 'float32')
    y = [np.ones((4, 1), 'float32'), np.zeros((4, 1), 'float32')]
    tensor = keras.ops.convert_to_tensor(np.array([1.0, 0.5], 'float32'))
    for weights in ([1.0, 0.5], np.array([1.0, 0.5]), {'a': np.float32(1), 'b': np.array(0.5)}, tensor):
        model.compile('sgd', 'mse', loss_weights=weights)
        assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(4 + 0.5 * 9)
    changing = [keras.backend.variable(1.0), keras.backend.variable(0.5)]
    model.compile('sgd', 'mse', loss_weights=changing)
    assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(4 + 0.5 * 9)
    keras.backend.set_value(changing[1], 2.0)
    assert model.evaluate(x, y, verbose=0)[0] == pytest.approx(4 + 2 * 9)
