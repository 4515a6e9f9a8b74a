"""Training: against plain NumPy expressions, with weights, several outputs, masks, splits and errors."""
import gc

import numpy as np
import pytest

from keras import callbacks, config, layers, losses, metrics, optimizers, regularizers
from keras.backend.state.variables import to_array
from keras.models import Model, Sequential

pytestmark = pytest.mark.needs_gradients


def linear_model(units=1, width=3, **kwargs):
    model = Sequential([layers.Dense(units, input_shape=(width,), kernel_initializer='ones', **kwargs)])
    return model


@pytest.fixture
def data():
    generator = np.random.RandomState(0)
    return generator.randn(50, 3).astype('float32'), generator.randn(50, 1).astype('float32')


def test_sgd_on_a_linear_model_follows_the_formula(data):
    x, y = data
    model = linear_model()
    model.compile(optimizers.SGD(learning_rate=0.1), 'mse')
    kernel, bias = np.ones((3, 1)), np.zeros(1)
    for epoch in range(3):
        reported = model.fit(x, y, batch_size=20, epochs=1, shuffle=False, verbose=0).history['loss'][0]
        total = 0
        for start in (0, 20, 40):
            part, target = x[start:start + 20], y[start:start + 20]
            error = part.dot(kernel) + bias - target
            total += np.sum(error ** 2)
            kernel = kernel - 0.1 * 2 * part.T.dot(error) / len(part)
            bias = bias - 0.1 * 2 * error.mean(axis=0)
        assert abs(reported - total / 50) < 1e-4
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-4)
    np.testing.assert_allclose(model.get_weights()[1], bias, rtol=1e-4)
    assert abs(model.evaluate(x, y, verbose=0) - np.mean((x.dot(kernel) + bias - y) ** 2)) < 1e-4


def test_metrics_average_over_samples_with_a_short_last_batch(data):
    x, y = data
    model = linear_model()
    model.compile('sgd', 'mse', metrics=['mae', metrics.MeanSquaredError(name='again')])
    loss, mae, again = model.evaluate(x, y, batch_size=32, verbose=0)
    error = x.sum(axis=1, keepdims=True) - y
    np.testing.assert_allclose([loss, mae, again], [np.mean(error ** 2), np.mean(np.abs(error)), np.mean(error ** 2)],
                               rtol=1e-5)
    assert model.metrics_names == ['loss', 'mae', 'again']
    assert abs(float(to_array(model.metrics[1].result())) - again) < 1e-5


def test_sample_weights_scale_loss_and_weighted_metrics(data):
    x, y = data
    weight = np.arange(50, dtype='float32') / 25
    model = linear_model()
    model.compile('sgd', 'mse', metrics=['mae'], weighted_metrics=['mse'])
    found = model.test_on_batch(x, y, sample_weight=weight)
    error = (x.sum(axis=1) - y[:, 0])
    np.testing.assert_allclose(found[0], np.mean(weight * error ** 2), rtol=1e-5)
    np.testing.assert_allclose(found[1], np.mean(np.abs(error)), rtol=1e-5)
    np.testing.assert_allclose(found[2], np.sum(weight * error ** 2) / np.sum(weight), rtol=1e-5)


def test_class_weights_are_sample_weights_by_class():
    x = np.random.RandomState(0).randn(20, 3).astype('float32')
    y = np.arange(20) % 3
    weights = {0: 1.0, 1: 2.0, 2: 0.5}
    first, second = linear_model(3), linear_model(3)
    for model in (first, second):
        model.compile('sgd', losses.SparseCategoricalCrossentropy(from_logits=True))
    one = first.train_on_batch(x, y, class_weight=weights)
    other = second.train_on_batch(x, y, sample_weight=np.array([weights[c] for c in y]))
    assert abs(one - other) < 1e-6
    np.testing.assert_allclose(first.get_weights()[0], second.get_weights()[0], rtol=1e-6)
    with pytest.raises(ValueError, match=r'classes \[2\]'):
        first.fit(x, y, class_weight={0: 1.0, 1: 1.0}, verbose=0)


def test_several_outputs_with_loss_weights(data):
    x, y = data
    inputs = layers.Input((3,))
    model = Model(inputs, [layers.Dense(1, kernel_initializer='ones', name='a')(inputs),
                           layers.Dense(1, kernel_initializer='zeros', name='b')(inputs)])
    model.compile('sgd', {'a': 'mse', 'b': 'mae'}, loss_weights={'a': 2.0, 'b': 3.0}, metrics={'b': ['mse']})
    found = model.evaluate(x, [y, y], verbose=0)
    assert model.metrics_names == ['loss', 'a_loss', 'b_loss', 'b_mse']
    a = np.mean((x.sum(axis=1, keepdims=True) - y) ** 2)
    expected = [2 * a + 3 * np.mean(np.abs(y)), a, np.mean(np.abs(y)), np.mean(y ** 2)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(model.evaluate(x, {'b': y, 'a': y}, verbose=0), found, rtol=1e-6)
    with pytest.raises(ValueError, match='expects 2 target arrays'):
        model.fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="Unknown output 'c'"):
        model.compile('sgd', {'c': 'mse'})


def test_masked_steps_do_not_count_in_the_loss():
    inputs = layers.Input((4, 2))
    model = Model(inputs, layers.TimeDistributed(layers.Dense(1, kernel_initializer='ones'))(layers.Masking()(inputs)))
    model.compile('sgd', 'mse', metrics=['mse'])
    x = np.ones((3, 4, 2), 'float32')
    x[0, 2:] = 0
    y = np.arange(12, dtype='float32').reshape(3, 4, 1)
    mask = np.ones((3, 4))
    mask[0, 2:] = 0
    error = ((2 - y[..., 0]) ** 2) * mask
    loss, metric = model.evaluate(x, y, verbose=0)
    assert abs(loss - error.sum() / 12) < 1e-4
    assert abs(metric - error.sum() / mask.sum()) < 1e-4


def test_regularizers_and_activity_add_to_the_loss(data):
    x, y = data
    model = linear_model(kernel_regularizer=regularizers.l2(0.1), activity_regularizer=regularizers.l1(0.01))
    model.compile('sgd', 'mse')
    out = x.sum(axis=1, keepdims=True)
    expected = np.mean((out - y) ** 2) + 0.1 * 3 + 0.01 * np.abs(out).sum()
    assert abs(model.test_on_batch(x, y) - expected) < 1e-4


def test_constraints_hold_after_the_update(data):
    x, y = data
    model = linear_model(kernel_constraint='non_neg')
    model.compile(optimizers.SGD(learning_rate=10.0), 'mse')
    model.train_on_batch(x, y - 100)
    assert model.get_weights()[0].min() >= 0
    assert model.get_weights()[1].max() < 0


def test_frozen_layers_stay_and_compile_settles_it(data):
    x, y = data
    model = Sequential([layers.Dense(4, input_shape=(3,)), layers.Dense(1)])
    model.layers[0].trainable = False
    model.compile('sgd', 'mse')
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[2] - after[2]).max() > 0
    # A discriminator compiled while trainable goes on learning when it is frozen for another model.
    model.layers[0].trainable = True
    model.compile('sgd', 'mse')
    model.layers[0].trainable = False
    model.fit(x, y, verbose=0)
    assert np.abs(model.get_weights()[0] - before[0]).max() > 0


def test_batch_normalization_statistics_move_only_in_training():
    x = np.random.RandomState(0).randn(40, 3).astype('float32') * 3 + 2
    model = Sequential([layers.BatchNormalization(momentum=0.9, input_shape=(3,))])
    model.compile('sgd', 'mse')
    model.train_on_batch(x, x)
    mean, variance = model.get_weights()[2:]
    np.testing.assert_allclose(mean, 0.1 * x.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * x.var(axis=0) * 40 / 39, rtol=3e-2)
    model.evaluate(x, x, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], mean)


def test_validation_split_takes_the_end_and_history_has_it(data):
    x, y = data
    model = linear_model()
    model.compile(optimizers.SGD(learning_rate=0.0), 'mse')
    history = model.fit(x, y, validation_split=0.2, epochs=2, verbose=0).history
    error = (x.sum(axis=1, keepdims=True) - y) ** 2
    np.testing.assert_allclose(history['loss'], [error[:40].mean()] * 2, rtol=1e-4)
    np.testing.assert_allclose(history['val_loss'], [error[40:].mean()] * 2, rtol=1e-4)
    found = model.fit(x, y, validation_data=(x[:10], y[:10]), epochs=3, validation_freq=2, verbose=0).history
    np.testing.assert_allclose(found['val_loss'], [error[:10].mean()], rtol=1e-4)


def test_generators_and_sequences(data):
    x, y = data

    def endless():
        while True:
            for start in range(0, 50, 10):
                yield x[start:start + 10], y[start:start + 10]

    class Batches:
        def __len__(self):
            return 5

        def __getitem__(self, index):
            return x[index * 10:index * 10 + 10], y[index * 10:index * 10 + 10]

    arrays, generated, sequence = linear_model(), linear_model(), linear_model()
    for model in (arrays, generated, sequence):
        model.compile('sgd', 'mse')
    expected = arrays.fit(x, y, batch_size=10, shuffle=False, epochs=2, verbose=0).history['loss']
    found = generated.fit_generator(endless(), steps_per_epoch=5, epochs=2, verbose=0).history['loss']
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    found = sequence.fit(Batches(), shuffle=False, epochs=2, verbose=0).history['loss']
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(sequence.predict_generator(Batches()), sequence.predict(x), rtol=1e-5)
    assert abs(sequence.evaluate_generator(Batches()) - sequence.evaluate(x, y, verbose=0)) < 1e-5


def test_predict_in_batches_equals_at_once(data):
    x, _ = data
    model = Sequential([layers.Dense(4, activation='tanh', input_shape=(3,)), layers.Dense(2)])
    np.testing.assert_allclose(model.predict(x, batch_size=7), model.predict_on_batch(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(x.tolist()), model.predict(x), rtol=1e-5, atol=1e-6)


def test_integer_labels_and_accuracy_by_loss():
    x = np.eye(4, dtype='float32')
    sparse = linear_model(4, 4, activation='softmax')
    sparse.set_weights([np.eye(4) * 5, np.zeros(4)])
    sparse.compile('sgd', 'sparse_categorical_crossentropy', metrics=['accuracy'])
    assert sparse.evaluate(x, [0, 1, 2, 0], verbose=0)[1] == 0.75
    sparse.compile('sgd', 'categorical_crossentropy', metrics=['acc'])
    assert sparse.evaluate(x, np.eye(4)[[0, 1, 2, 0]], verbose=0)[1] == 0.75
    assert sparse.metrics_names == ['loss', 'acc']
    binary = linear_model(1, 4, activation='sigmoid')
    binary.compile('sgd', 'binary_crossentropy', metrics=['accuracy'])
    assert binary.evaluate(x, [1, 1, 0, 0], verbose=0)[1] == 0.5


def test_stateful_metrics_are_reset_between_epochs(data):
    x, _ = data
    y = (x.sum(axis=1) > 0).astype('float32')
    model = linear_model(1, 3, activation='sigmoid')
    model.compile(optimizers.SGD(learning_rate=0.0), 'binary_crossentropy',
                  metrics=[metrics.Precision(), metrics.AUC()])
    history = model.fit(x, y, epochs=2, verbose=0, batch_size=8).history
    precision = [values for name, values in history.items() if 'precision' in name][0]
    assert precision == [1.0, 1.0]


@pytest.mark.parametrize('generation', [1, 2, 'tf', 3])
@pytest.mark.parametrize('read', [(0, 1, 2), (2,)])
def test_logs_of_a_batch_hold_averages_and_the_loss_by_generation(data, generation, read):
    x, y = data
    seen = []
    with config.generation(generation):
        model = linear_model()
        model.compile(optimizers.SGD(learning_rate=0.0), 'mse', metrics=['mae'])

    def note(batch, logs):
        if batch in read:
            seen.append(dict(logs))
    history = model.fit(x, y, batch_size=20, shuffle=False, verbose=0,
                        callbacks=callbacks.LambdaCallback(on_batch_end=note)).history
    error = x.sum(axis=1, keepdims=True) - y
    parts = [error[:20], error[20:40], error[40:]] if generation in (1, 2) else [error[:20], error[:40], error]
    np.testing.assert_allclose([logs['loss'] for logs in seen], [np.mean(parts[i] ** 2) for i in read], rtol=1e-5)
    name = 'mean_absolute_error' if generation == 1 else 'mae'
    np.testing.assert_allclose([logs[name] for logs in seen],
                               [np.abs(error[:20 * i + 20]).mean() for i in read], rtol=1e-5)
    if generation in (1, 2):
        assert [(logs['batch'], logs['size']) for logs in seen] == [(i, (20, 20, 10)[i]) for i in read]
    np.testing.assert_allclose(history['loss'], [np.mean(error ** 2)], rtol=1e-5)


def test_learning_rate_changes_take_effect_without_compiling_again(data):
    x, y = data
    model = linear_model()
    model.compile(optimizers.SGD(learning_rate=0.1), 'mse')
    model.train_on_batch(x, y)
    before = model.get_weights()[0]
    model.optimizer.lr = 0.0
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_terminate_on_nan_stops_at_the_first_batch(data):
    x, y = data
    model = linear_model()
    model.compile('sgd', 'mse')
    history = model.fit(x * np.nan, y, epochs=5, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) == 1 and model.stop_training


@pytest.mark.parametrize('act, error, message', [
    (lambda m, x, y: Sequential([layers.Dense(1, input_shape=(3,))]).fit(x, y), RuntimeError,
     'must be compiled before fit'),
    (lambda m, x, y: m.fit(x, y[:20], verbose=0), ValueError, 'same number of samples'),
    (lambda m, x, y: m.fit([x, x], y, verbose=0), ValueError, 'expects 1 input array .*received 2'),
    (lambda m, x, y: m.fit(x, verbose=0), ValueError, '`y` was left out'),
    (lambda m, x, y: m.fit(x[:, :2], y, verbose=0), ValueError, r'\(None, 3\).*\(50, 2\)'),
    (lambda m, x, y: m.fit(x, y, batch_size=0, verbose=0), ValueError, 'batch_size'),
    (lambda m, x, y: m.fit(x[:0], y[:0], verbose=0), ValueError, 'no samples'),
    (lambda m, x, y: m.compile('sgd', 'mean_square_error'), ValueError, 'mean_squared_error'),
    (lambda m, x, y: m.compile('adma', 'mse'), ValueError, '(?i)adam'),
    (lambda m, x, y: m.compile('sgd', 'mse', metrics=['acuracy']), ValueError, '(?i)accuracy'),
    (lambda m, x, y: layers.Dense(1, activation='rellu'), ValueError, 'relu'),
    (lambda m, x, y: m.fit(x, y, sample_weight=np.ones(3), verbose=0), ValueError, '3 weights for 50'),
    (lambda m, x, y: m.fit(iter([(x, y, None, 1)]), verbose=0), ValueError, 'tuple of 4'),
])
def test_errors(act, error, message, data):
    model = linear_model()
    model.compile('sgd', 'mse')
    with pytest.raises(error, match=message):
        act(model, *data)


@pytest.mark.on('tensorflow')
def test_a_model_that_is_gone_leaves_no_graphs_behind():
    def graphs():
        gc.collect()
        return sum(type(each).__name__ == 'FuncGraph' for each in gc.get_objects())

    def train():
        model = Sequential([layers.Dense(4, activation='relu', input_shape=(2,)), layers.Dense(1)])
        model.compile('adam', 'mse')
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    train()
    before = graphs()
    train()
    assert graphs() <= before


@pytest.mark.on('numpy', 'jax')
def test_arrays_of_other_dtypes_and_vectors_as_targets_train_alike_every_time():
    # y = (mean((w x - t)^2)), whatever the dtype that x and t come in, in the first call and in those like it.
    x, t = np.array([[1.], [2.], [4.]]), np.array([3., 1., 2.])
    expected = np.mean((x[:, 0] - t) ** 2)
    model = linear_model(width=1, use_bias=False)
    model.compile(optimizers.SGD(0.), 'mse')
    for kind_of_x in ('float64', 'int64', '>f8', 'float16', 'float32'):
        for kind_of_t in ('float64', 'int32'):
            for _ in range(3):
                given = x.astype(kind_of_x), t.astype(kind_of_t)
                np.testing.assert_allclose(model.train_on_batch(*given), expected, rtol=1e-6)
                np.testing.assert_allclose(model.predict(given[0]), x, rtol=1e-6)
    for _ in range(2):
        with pytest.raises(ValueError, match='complex'):
            model.train_on_batch(x * 1j, t)
        with pytest.raises(ValueError, match='same number of samples'):
            model.train_on_batch(x, t[:2])


@pytest.mark.parametrize('wrapped', [False, True])
def test_accumulated_gradients_are_those_of_a_larger_batch(data, wrapped):
    x, y = data[0][:48], data[1][:48]
    model, expected = linear_model(), linear_model()
    optimizer = optimizers.SGD(0.1, gradient_accumulation_steps=2)
    # The scale of the loss, a power of two, goes in and out again; it grows in between.
    model.compile(optimizers.LossScaleOptimizer(optimizer, 4., 3) if wrapped else optimizer, 'mse')
    expected.compile(optimizers.SGD(0.1), 'mse')
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    expected.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for got, wanted in zip(model.get_weights(), expected.get_weights()):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-6)


def test_quiet_passes_with_a_shorter_last_batch_twice_over():
    """What ran before is not written over, and what a pass leaves behind does not touch the next one."""
    model = Sequential([layers.Dense(2, input_shape=(3,), kernel_initializer='ones')])
    model.compile(optimizers.SGD(0.0), 'mse')
    x = np.arange(33, dtype='float32').reshape(11, 3)
    y = np.zeros((11, 2), 'float32')
    first, second = model.predict(x, batch_size=4), model.predict(x[::-1].copy(), batch_size=4)
    np.testing.assert_allclose(first, np.repeat(x.sum(1, keepdims=True), 2, 1))
    np.testing.assert_allclose(second, first[::-1])
    wanted = (first ** 2).mean()
    for _ in range(2):
        np.testing.assert_allclose(model.evaluate(x, y, batch_size=4, verbose=0), wanted, rtol=1e-5)
        np.testing.assert_allclose(model.fit(x, y, batch_size=4, epochs=2, verbose=0).history['loss'], [wanted] * 2,
                                   rtol=1e-5)
    with pytest.raises(Exception):
        model.evaluate(x[:, :2], y, batch_size=4, verbose=0)
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=4, verbose=0), wanted, rtol=1e-5)
