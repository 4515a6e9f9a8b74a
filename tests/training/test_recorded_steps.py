"""Steps that PyTorch runs as they were written down do what they did before, and notice what has changed."""
import threading

import numpy as np
import pytest

import keras
from keras import layers

pytestmark = pytest.mark.on('torch')
rng = np.random.RandomState(0)
x, y = rng.rand(50, 6).astype('float32'), rng.randint(0, 3, 50)
images = rng.rand(20, 8, 8, 3).astype('float32')
words = rng.randint(0, 9, (20, 7))


@pytest.fixture
def recorded(monkeypatch):
    """[how often a step was written down, how often one ran as it was]; steps are so from their second run on."""
    from keras.backend.engines.torch import recorded as module
    keras.ops.add(np.zeros(1), 1.0)
    monkeypatch.setattr(module, 'TIMES', 2)
    count = [0, 0]
    make = module.Code.__init__

    def counted(self, *args):
        count[0] += 1
        make(self, *args)
    monkeypatch.setattr(module.Code, '__init__', counted)
    on = module._Written._on

    def ran(self, *args):
        count[1] += 1
        return on(self, *args)
    monkeypatch.setattr(module._Written, '_on', ran)
    return count


def perceptron(**options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([layers.Dense(5, activation='relu', input_shape=(6,), **options), layers.Dropout(0.3),
                              layers.Dense(3, activation='softmax')])
    return model


def convolutions():
    keras.utils.set_random_seed(1)
    return keras.Sequential([layers.Conv2D(4, 3, padding='same', input_shape=(8, 8, 3)), layers.BatchNormalization(),
                             layers.ReLU(), layers.MaxPooling2D(), layers.GaussianNoise(0.1), layers.Flatten(),
                             layers.Dense(3)])


def recurrent():
    keras.utils.set_random_seed(1)
    return keras.Sequential([layers.Embedding(9, 4, mask_zero=True, input_length=7), layers.LSTM(4), layers.Dense(3)])


def weighted_branches():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6,))
    hidden = layers.LayerNormalization()(layers.Dense(4, activation='gelu')(inputs))
    both = layers.Concatenate()([hidden, layers.Dense(2, kernel_regularizer='l2')(inputs)])
    return keras.Model(inputs, [layers.Dense(3, name='a')(both), layers.Dense(1, name='b')(both * 2.0)])


logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
WORKS = {
    'adam': (perceptron, x, y, {'optimizer': 'adam', 'loss': 'sparse_categorical_crossentropy', 'metrics': ['acc']}),
    'amsgrad': (perceptron, x, y, {'optimizer': keras.optimizers.Adam(amsgrad=True), 'loss': logits}),
    'momentum': (perceptron, x, y, {'optimizer': keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
                                    'loss': logits}),
    'rmsprop': (perceptron, x, y, {'optimizer': keras.optimizers.RMSprop(centered=True), 'loss': logits}),
    'clipped': (perceptron, x, y, {'optimizer': keras.optimizers.Adam(clipnorm=0.1), 'loss': logits}),
    'schedule': (perceptron, x, y, {'optimizer': keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), 'loss': logits}),
    'averages': (perceptron, x, y, {'optimizer': keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=2),
                                    'loss': logits}),
    'accumulation': (perceptron, x, y, {'optimizer': keras.optimizers.Adam(gradient_accumulation_steps=2),
                                        'loss': logits}),
    'decay': (perceptron, x, y, {'optimizer': keras.optimizers.AdamW(weight_decay=0.1), 'loss': logits}),
    'adagrad': (perceptron, x, y, {'optimizer': 'adagrad', 'loss': logits}),
    'nadam': (perceptron, x, y, {'optimizer': 'nadam', 'loss': logits}),
    'constraint': (lambda: perceptron(kernel_constraint='max_norm', bias_regularizer='l1'), x, y,
                   {'optimizer': 'adam', 'loss': logits}),
    'images': (convolutions, images, y[:20], {'optimizer': 'adam', 'loss': logits, 'metrics': ['acc']}),
    'words': (recurrent, words, y[:20], {'optimizer': 'adam', 'loss': logits, 'weighted_metrics': ['acc']}),
    'state': (perceptron, x, np.eye(3)[y], {'optimizer': 'adam', 'loss': 'categorical_crossentropy',
                                            'metrics': [keras.metrics.AUC(), keras.metrics.Precision()]}),
    'outputs': (weighted_branches, x, [y, x[:, :1]], {'optimizer': 'adam', 'loss': [logits, 'huber'],
                                                     'loss_weights': [1.0, 0.3]}),
}


def trained(work):
    build, inputs, targets, options = WORKS[work]
    model = build()
    optimizer = options['optimizer']
    if not isinstance(optimizer, str):
        optimizer = type(optimizer).from_config(optimizer.get_config())
    model.compile(**dict(options, optimizer=optimizer))
    history = model.fit(inputs, targets, batch_size=8, epochs=3, verbose=0, sample_weight=np.linspace(
        0, 1, len(inputs)).astype('float32') if work == 'words' else None)
    found = [history.history, model.evaluate(inputs, targets, batch_size=8, verbose=0)]
    return model.get_weights() + optimizer_weights(model), found, model.predict(inputs, batch_size=8)


def optimizer_weights(model):
    return [variable.numpy() for variable in model.optimizer.state_variables]


@pytest.mark.parametrize('work', sorted(WORKS))
def test_the_bits_are_the_same(recorded, monkeypatch, work):
    from keras.backend.engines.torch import recorded as module
    weights, found, outputs = trained(work)
    assert recorded[0] >= 2 and recorded[1] > 3, recorded
    before = list(recorded)
    monkeypatch.setattr(module, 'TIMES', 10 ** 9)
    plain, expected, predicted = trained(work)
    assert recorded == before
    assert str(found) == str(expected)
    for one, other in zip(weights, plain):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(outputs if isinstance(outputs, list) else [outputs],
                          predicted if isinstance(predicted, list) else [predicted]):
        np.testing.assert_array_equal(one, other)


def small(optimizer='sgd', loss='mse', **options):
    model = keras.Sequential([layers.Dense(2, input_shape=(2,), kernel_initializer='ones', **options)])
    model.compile(optimizer, loss)
    return model


ones = np.ones((4, 2), 'float32')


def loss_of(model):
    return model.evaluate(ones, ones, batch_size=4, verbose=0)


def test_what_is_changed_between_the_calls_has_an_effect(recorded):
    model = small(kernel_regularizer=keras.regularizers.l2(0.5))
    layer = model.layers[0]
    for _ in range(5):
        assert loss_of(model) == pytest.approx(1.0 + 2.0)
    assert recorded[1] >= 2
    layer.kernel_regularizer.l2 = np.float32(0.25)
    assert loss_of(model) == pytest.approx(1.0 + 1.0)
    layer.activation = keras.activations.exponential
    assert loss_of(model) == pytest.approx((np.exp(2) - 1) ** 2 + 1.0, rel=1e-5)
    layer.kernel.assign(np.zeros((2, 2)))
    assert loss_of(model) == pytest.approx(0.0)
    layer.bias.assign([1.0, 1.0])
    assert loss_of(model) == pytest.approx((np.exp(1) - 1) ** 2, rel=1e-5)
    layer.bias = None
    assert loss_of(model) == pytest.approx(0.0)


def test_the_settings_of_an_optimizer(recorded):
    model = small(keras.optimizers.SGD(0.0))
    for _ in range(5):
        model.train_on_batch(ones, ones)
    assert recorded[1]
    np.testing.assert_array_equal(model.get_weights()[0], 1)
    model.optimizer.learning_rate = 1.0
    model.train_on_batch(ones, ones)
    np.testing.assert_allclose(model.get_weights()[0], 0)
    model.set_weights([np.ones((2, 2)), np.zeros(2)])
    model.optimizer.clipvalue = 0.25
    model.train_on_batch(ones, ones)
    np.testing.assert_allclose(model.get_weights()[0], 0.75)


def test_weights_that_are_no_longer_trained_or_tracked(recorded):
    model = small()
    for _ in range(5):
        model.train_on_batch(ones, ones)
    assert recorded[1]
    before = model.get_weights()[0]
    model.layers[0].kernel.value.requires_grad_(False)
    model.train_on_batch(ones, ones)
    assert (model.get_weights()[0] < before).all()
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match='Discrepancy'):
        model.train_on_batch(ones, ones)
    model.compile('sgd', 'mse')
    before = model.get_weights()
    for _ in range(4):
        model.train_on_batch(ones, ones)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_callbacks_change_layers_within_an_epoch(recorded):
    model = small(keras.optimizers.SGD(0.0))
    seen = []

    class Change(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 6:
                model.layers[0].activation = keras.activations.exponential

        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs['loss'])
    model.fit(np.ones((8, 2)), np.ones((8, 2)), batch_size=1, verbose=0, shuffle=False, callbacks=[Change()])
    assert recorded[1] >= 3 and seen[5] == pytest.approx(1.0) and seen[-1] > 5


def test_what_a_function_of_the_user_does_is_not_written_down(recorded):
    factor = [1.0]
    model = keras.Sequential([layers.Lambda(lambda t: t * factor[0], input_shape=(2,))])
    model.compile('sgd', 'mse')
    for _ in range(4):
        assert loss_of(model) == 0
    factor[0] = 2.0
    assert loss_of(model) == 1.0 and recorded == [0, 0]
    model = small(loss=lambda true, predicted: keras.ops.mean(true * 0 + factor[0], -1))
    for _ in range(4):
        assert loss_of(model) == 2.0
    factor[0] = 3.0
    assert loss_of(model) == 3.0 and recorded == [0, 0]


def test_numbers_of_a_tensor_are_not_taken_for_constants(recorded):
    class Scaled(layers.Layer):
        def call(self, inputs):
            return inputs * float(keras.ops.max(inputs))

        def compute_output_shape(self, input_shape):
            return input_shape
    Scaled.__module__ = 'keras.pretended'
    model = keras.Sequential([Scaled(input_shape=(2,))])
    for number in range(1, 6):
        np.testing.assert_allclose(model.predict(number * ones, verbose=0), number ** 2)
    assert recorded[0] == 0


def test_errors_say_what_they_say_in_the_first_call(recorded):
    model = small(loss=logits)
    for _ in range(4):
        model.train_on_batch(ones, np.array([0, 1, 0, 1]))
    assert recorded[1]
    with pytest.raises(Exception) as expected:
        small(loss=logits).train_on_batch(ones, np.array([0, 1, 0, 7]))
    with pytest.raises(type(expected.value), match='holds class 7, but the output has 2 classes'):
        model.train_on_batch(ones, np.array([0, 1, 0, 7]))
    assert np.isfinite(model.get_weights()[0]).all()


def test_results_do_not_share_memory_with_arguments_or_variables(recorded):
    model = keras.Sequential([layers.Reshape((1, 2), input_shape=(2,))])
    data = ones.copy()
    for _ in range(4):
        outputs = model.predict_on_batch(data)
    assert recorded[1]
    data[:] = 7
    np.testing.assert_array_equal(outputs, 1)


def test_threads_predict_at_the_same_time(recorded):
    model = perceptron()
    expected, failures = model.predict(x, batch_size=8, verbose=0), []

    def predict():
        for _ in range(20):
            if not np.array_equal(model.predict(x, batch_size=8, verbose=0), expected):
                failures.append(1)
    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and recorded[1]
