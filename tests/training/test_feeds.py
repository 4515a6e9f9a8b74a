"""Where batches come from: the feeds themselves, and what `fit`, `evaluate` and `predict` make of each kind of data."""
import gc
import weakref

import numpy as np
import pytest

from keras import callbacks, config, layers, models, utils
from keras.training.data.arrays import ArrayFeed
from keras.training.data.layout import Layout, Structure
from keras.training.data.sources import GeneratorFeed, SequenceFeed, SetFeed

LAYOUT = Layout(None, 0, (), ())


def feed_of_rows(count, **kwargs):
    return ArrayFeed([np.arange(count)], [], [], [None], LAYOUT, **kwargs)


def rows(batches):
    return [batch.xs[0].tolist() for batch in batches]


# --- the protocol

def test_an_epoch_of_a_number_of_steps_goes_on_where_the_last_one_stopped():
    feed = feed_of_rows(5, batch_size=2)
    assert feed.steps() == 3 and feed.samples == 5
    assert rows(feed.epoch(2)) == [[0, 1], [2, 3]]
    assert rows(feed.epoch(2)) == [[4], [0, 1]]
    assert rows(feed.epoch()) == [[0, 1], [2, 3], [4]]
    feed.restart()
    assert rows(feed.epoch(4)) == [[0, 1], [2, 3], [4], [0, 1]]
    assert not feed.ran_out


def test_every_pass_has_an_order_of_its_own_that_follows_from_the_seed():
    np.random.seed(3)
    feed, orders = feed_of_rows(50, batch_size=50, shuffle=True), []
    for _ in range(3):
        orders.append(rows(feed.epoch())[0])
        np.random.rand(7)
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    np.random.seed(3)
    again = feed_of_rows(50, batch_size=50, shuffle=True)
    assert [rows(again.epoch())[0] for _ in range(3)] == orders


def test_batches_are_shuffled_whole():
    found = rows(feed_of_rows(40, batch_size=4, shuffle='batch').epoch())
    assert sorted(found) == [list(range(start, start + 4)) for start in range(0, 40, 4)] != found


def test_what_is_left_over_comes_last_when_batches_are_shuffled():
    # As `batch_shuffle` of Keras 2.3.1; batches that mix the rows of two would be no batches.
    for _ in range(5):
        *found, last = rows(feed_of_rows(34, batch_size=4, shuffle='batch').epoch())
        assert last == [32, 33] and sorted(found) == [list(range(start, start + 4)) for start in range(0, 32, 4)]


def test_keras_3_shuffles_inside_of_batches():
    with config.generation(3):
        feed = feed_of_rows(34, batch_size=16, shuffle='batch')
        first, second = rows(feed.epoch()), rows(feed.epoch())
    for found in (first, second):
        assert [sorted(batch) for batch in found] == [list(range(16)), list(range(16, 32)), [32, 33]]
        assert found[0] != list(range(16)) and found[1] != list(range(16, 32))
    assert first != second


class Recorded:
    """Numbers of batches, with a record of what was asked for."""

    def __init__(self, count):
        self.count, self.events = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError(index)
        self.events.append(index)
        return index

    def on_epoch_end(self):
        self.events.append('end')


def test_a_sequence_is_read_through_over_the_epochs_and_told_of_the_end_of_each_pass():
    source = Recorded(4)
    feed = SequenceFeed(source, lambda item: item)
    assert [list(feed.epoch(2)) for _ in range(3)] == [[0, 1], [2, 3], [0, 1]]
    assert source.events == [0, 1, 2, 3, 'end', 0, 1]
    source.events.clear()
    assert list(feed.epoch()) == [0, 1, 2, 3] and source.events == [0, 1, 2, 3, 'end']


def test_a_shuffled_sequence_gives_every_batch_once_a_pass():
    feed = SequenceFeed(Recorded(20), lambda item: item, shuffle=True)
    first, second = list(feed.epoch(20)), list(feed.epoch(20))
    assert sorted(first) == sorted(second) == list(range(20)) and first != second


def test_a_generator_only_goes_forward_and_says_when_it_ends():
    feed = GeneratorFeed(iter(range(5)), lambda item: item)
    assert list(feed.epoch(2)) == [0, 1] and list(feed.epoch(2)) == [2, 3]
    feed.restart()
    assert list(feed.epoch(2)) == [4] and feed.ran_out


def test_a_set_is_gone_through_again():
    feed = SetFeed([0, 1, 2], lambda item: item)
    assert feed.steps() == 3 and not feed.is_endless
    assert list(feed.epoch(2)) == [0, 1] and list(feed.epoch(2)) == [2, 0]
    assert list(feed.epoch()) == [0, 1, 2]


def test_an_empty_set_ends_an_epoch():
    feed = SetFeed([], lambda item: item)
    assert list(feed.epoch(2)) == [] and feed.ran_out


def test_a_set_without_end_needs_a_number_of_steps():
    class Endless:
        def __iter__(self):
            return iter(int, 1)

        def cardinality(self):
            return -1
    with pytest.raises(ValueError, match='steps_per_epoch'):
        next(SetFeed(Endless(), lambda item: item).epoch())


def test_structures_are_compared_by_their_shape_and_hold_no_data():
    one, other = Structure({'a': 1, 'b': [2, 3]}), Structure({'b': [5, 6], 'a': 7})
    assert one == other and hash(one) == hash(other)
    assert one.packed([1, 2, 3]) == {'a': 1, 'b': [2, 3]}
    assert len({one, Structure([1, 2, 3]), Structure((1, 2, 3)), Structure({'a': 1, 'c': [2, 3]})}) == 4


# --- in models

class Difference(models.Model):
    def call(self, inputs):
        return inputs['b'] - inputs['a'] if isinstance(inputs, dict) else inputs[0] - inputs[1]


def test_the_layout_of_the_data_is_part_of_the_step():
    a, b = np.full((4, 2), 5, 'float32'), np.full((4, 2), 2, 'float32')
    model = Difference()
    np.testing.assert_array_equal(model.predict([a, b]), np.full((4, 2), 3))
    np.testing.assert_array_equal(model.predict({'a': a, 'b': b}), np.full((4, 2), -3))
    np.testing.assert_array_equal(model.predict((a, b)), np.full((4, 2), 3))


class Array(np.ndarray):
    """An array that weak references may point to."""


def test_a_model_keeps_no_data_alive():
    model = Difference()
    data = [np.zeros((4, 2), 'float32').view(Array) for _ in range(2)]
    references = [weakref.ref(array) for array in data]
    model.predict(data)
    model.predict(dict(zip('ab', data)))
    del data
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def counting_model():
    """A model whose loss is the mean of its inputs."""
    model = models.Sequential([layers.Lambda(lambda x: x, input_shape=(1,)), layers.Dense(
        1, kernel_initializer='ones', use_bias=False, trainable=False)])
    model.compile('sgd', 'mae')
    return model


def numbers(count):
    return np.arange(count, dtype='float32').reshape(-1, 1)


def losses_of(model, *args, **kwargs):
    return model.fit(*args, verbose=0, **kwargs).history['loss']


@pytest.mark.needs_gradients
def test_steps_per_epoch_below_a_pass_walks_through_the_data():
    model, x = counting_model(), numbers(8)

    class Batches(utils.Sequence):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return x[2 * index:2 * index + 2], np.zeros((2, 1))
    expected = [np.mean([0, 1, 2, 3]), np.mean([4, 5, 6, 7]), np.mean([0, 1, 2, 3])]
    assert losses_of(model, Batches(), steps_per_epoch=2, epochs=3, shuffle=False) == expected
    arrays = dict(batch_size=2, steps_per_epoch=2, epochs=3, shuffle=False)
    assert losses_of(model, x, np.zeros((8, 1)), **arrays) == expected


@pytest.mark.needs_gradients
def test_validation_begins_with_the_first_batch_every_time():
    model, x = counting_model(), numbers(8)
    found = model.fit(x, np.zeros((8, 1)), validation_data=(x, np.zeros((8, 1))), validation_steps=1,
                      validation_batch_size=2, epochs=2, verbose=0).history
    assert found['val_loss'] == [0.5, 0.5]


@pytest.mark.needs_gradients
def test_a_generator_that_ends_ends_the_training():
    model, x = counting_model(), numbers(6)
    with pytest.warns(UserWarning, match='ran out'):
        found = model.fit(((x[i:i + 2], np.zeros((2, 1))) for i in (0, 2, 4)), steps_per_epoch=2, epochs=5, verbose=0)
    assert found.history['loss'] == [np.mean([0, 1, 2, 3]), np.mean([4, 5])]
    with pytest.warns(UserWarning, match='no batch'):
        found = model.fit(((x[i:i + 2], np.zeros((2, 1))) for i in (0, 2, 4)), epochs=5, verbose=0)
    assert found.history['loss'] == [2.5]
    with pytest.raises(ValueError, match='no batch'):
        model.fit(iter([]), verbose=0)


@pytest.mark.needs_gradients
def test_the_weights_may_come_with_some_batches_only():
    model, x, y = counting_model(), numbers(4), np.zeros((4, 1))
    batches = [(x[:2], y[:2]), (x[2:], y[2:], np.array([2.0, 0.0]))]
    assert losses_of(model, iter(batches)) == [(0 + 1 + 2 * 2 + 0) / 4]


class Shrinking(utils.Sequence):
    def __init__(self):
        self.count = 3

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return np.ones((2, 1)), np.zeros((2, 1))

    def on_epoch_end(self):
        self.count -= 1


@pytest.mark.needs_gradients
def test_callbacks_are_told_when_a_sequence_changes_its_length():
    steps = []

    class Steps(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            steps.append(self.params['steps'])
    counting_model().fit(Shrinking(), epochs=3, verbose=0, callbacks=Steps())
    assert steps == [3, 2, 1]


@pytest.mark.needs_gradients
def test_predict_needs_no_targets_of_a_generator():
    model = counting_model()
    np.testing.assert_array_equal(model.predict(iter([(numbers(2), 'no target'), (numbers(2), None)])),
                                  [[0], [1], [0], [1]])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('batches, message', [
    ([None], 'without a value'),
    ([(numbers(2), np.zeros((2, 1))), (numbers(2), None)], '1 target array expected'),
    ([(numbers(0), np.zeros((0, 1)))], 'empty batch'),
    ([(numbers(2), np.zeros((3, 1)))], 'same number of samples'),
    ([(np.array([['a'], ['b']]), np.zeros((2, 1)))], 'must hold numbers'),
    ([(numbers(2), np.array([['a'], [None]], object))], 'target 0 must hold numbers'),
])
def test_what_is_wrong_with_a_batch(batches, message):
    with pytest.raises(ValueError, match=message):
        counting_model().fit(iter(batches), verbose=0)


@pytest.mark.parametrize('call, message', [
    (lambda m: m.predict({'x': numbers(2)}), 'no data for the inputs'),
    (lambda m: m.fit(numbers(2), {'x': numbers(2)}, verbose=0), 'no target for'),
    (lambda m: m.fit(numbers(20), numbers(20), validation_split=20, verbose=0), 'between 0 and 1'),
    (lambda m: m.predict(np.array([['a']])), 'must hold numbers'),
    (lambda m: m.fit(iter([]), sample_weight=np.ones(3), verbose=0), '`sample_weights` should not be passed'),
])
def test_what_is_wrong_with_arrays(call, message):
    with pytest.raises(ValueError, match=message):
        call(counting_model())


@pytest.mark.parametrize('x', ['file.csv', object(), [[1, 2], [3]], b'1'],
                         ids=['text', 'object', 'ragged', 'bytes'])
def test_what_is_no_array(x):
    with pytest.raises(ValueError, match='Model .*: input .* must (be an array of|hold) numbers'):
        counting_model().predict(x)
    with pytest.raises(ValueError, match='Model .*: target .* must (be an array of|hold) numbers'):
        counting_model().fit(numbers(2), x, verbose=0)


@pytest.mark.needs_gradients
def test_numbers_of_steps():
    model, source = counting_model(), [(numbers(2), np.zeros((2, 1)))] * 6
    for name in ('steps_per_epoch', 'validation_steps'):
        for wrong in (0, -1, 'many', True):
            with pytest.raises(ValueError, match='%s must be a positive number' % name):
                model.fit(iter(source), validation_data=source[0], verbose=0, **{name: wrong})
    # A quotient counts the batch that it begins, as in Keras 2.
    seen = []
    model.fit(iter(source), steps_per_epoch=5 / 2, verbose=0, callbacks=callbacks.LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append(batch)))
    assert seen == [0, 1, 2]


@pytest.mark.parametrize('generation', [1, 2, 'tf', 3])
@pytest.mark.parametrize('loss, y, fits', [
    ('mse', (4, 3), {'tf', 3}), ('mae', (4, 1, 2), {'tf', 3}), ('mse', (4,), {1, 2, 'tf', 3}),
    ('mse', (4, 1, 1), {1, 2, 'tf', 3}), ('categorical_crossentropy', (4, 3), set()),
    (lambda y_true, y_pred: y_pred - y_true, (4, 3), {1, 2, 'tf', 3})])
def test_shapes_of_targets(generation, loss, y, fits):
    with config.generation(generation):
        model = models.Sequential([layers.Dense(1, input_shape=(1,))])
        model.compile('sgd', loss)
    if generation in fits:
        assert np.isfinite(model.test_on_batch(numbers(4), np.ones(y)))
    else:
        with pytest.raises(ValueError, match='the target of output dense.* one-hot'):
            model.test_on_batch(numbers(4), np.ones(y))


@pytest.mark.on('numpy')
def test_missing_values_in_arrays_of_objects_are_refused_by_column():
    with pytest.raises(ValueError, match='None in column 0. Missing values are NaN'):
        counting_model().predict(np.array([[1], [None]], object))


@pytest.mark.on('numpy')
def test_masks_of_arrays_have_no_effect_which_is_said():
    with pytest.warns(UserWarning, match='of which 1 values are masked'):
        assert counting_model().predict(np.ma.masked_equal([[1.0], [2.0]], 2.0)).tolist() == [[1.0], [2.0]]


@pytest.mark.on('numpy')
def test_sparse_matrices_that_are_dictionaries():
    sparse = pytest.importorskip('scipy.sparse')
    assert counting_model().predict(sparse.dok_matrix(np.array([[1.0], [2.0]]))).tolist() == [[1.0], [2.0]]


@pytest.mark.on('numpy')
def test_frames_of_objects_whose_columns_are_numbered():
    pandas = pytest.importorskip('pandas')
    assert counting_model().predict(pandas.DataFrame([[1], [2.0]], dtype=object)).tolist() == [[1.0], [2.0]]
    mixed = pandas.DataFrame({0: [1.0], 1: ['a']})
    with pytest.raises(ValueError, match="the columns 1 hold no numbers .1: 'a'."):
        counting_model().predict(mixed)


def test_lists_of_numbers_by_name_are_arrays():
    model = counting_model()
    name = model.input_names[0]
    for given in ([[1], [2.0]], ((1,), (2.0,)), [1, 2.0]):
        np.testing.assert_array_equal(model.predict({name: given}), [[1], [2]])


def test_weights_in_a_list_are_those_of_the_only_output():
    model, x, y, weights = counting_model(), numbers(3), np.zeros((3, 1)), np.array([1.0, 0.0, 4.0])
    # |0| * 1 + |1| * 0 + |2| * 4, over the three samples
    for given in (weights, [weights], (weights,), [weights.tolist()]):
        assert model.test_on_batch(x, y, given) == pytest.approx(8 / 3)
        assert model.evaluate(iter([(x, y, given)]), steps=1, verbose=0) == pytest.approx(8 / 3)
    assert model.test_on_batch(x, y, [None]) == 1.0
    assert model.test_on_batch(x[:1], y[:1], [3.0]) == 0.0


class OnlyNext:
    """Batches by `next`, and no `__iter__`."""

    def __init__(self):
        self.given = 0

    def __next__(self):
        if self.given == 2:
            raise StopIteration
        self.given += 1
        return numbers(2) + self.given, np.zeros((2, 1))


def test_what_has_next_alone_is_a_generator():
    model = counting_model()
    np.testing.assert_array_equal(model.predict(OnlyNext(), steps=2), [[1], [2], [2], [3]])
    assert model.evaluate(OnlyNext(), verbose=0) == 2.0


def test_tensors_of_pytorch_that_are_part_of_a_gradient():
    torch = pytest.importorskip('torch')
    given = torch.tensor([[1.0], [2.0]], requires_grad=True)
    np.testing.assert_array_equal(counting_model().predict(given * 2), [[2], [4]])


def test_arrays_of_objects_that_are_numbers_are_numbers():
    np.testing.assert_array_equal(counting_model().predict(np.array([[1], [2.0]], object)), [[1], [2]])


# --- the engines' own sets

def set_of(engine, rows, batch_size, endless=False):
    """The active engine's own data set of pairs (row, 0); skips where there is none."""
    arrays = rows, np.zeros_like(rows)
    if engine.name == 'tensorflow':
        found = pytest.importorskip('tensorflow').data.Dataset.from_tensor_slices(arrays).batch(batch_size)
        return found.repeat() if endless else found
    if engine.name == 'torch' and not endless:
        torch = pytest.importorskip('torch')
        return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays)), batch_size)
    pytest.skip('the %s engine has no such data sets' % engine.name)


@pytest.mark.needs_gradients
def test_a_set_of_the_engine(engine):
    source, x = set_of(engine, numbers(6), 2), numbers(6)
    model = counting_model()
    assert losses_of(model, source, epochs=2) == [2.5, 2.5]
    assert losses_of(model, source, epochs=3, steps_per_epoch=2) == [1.5, np.mean([4, 5, 0, 1]), 3.5]
    assert model.evaluate(source, verbose=0) == 2.5 and model.evaluate(source, steps=1, verbose=0) == 0.5
    np.testing.assert_array_equal(model.predict(source), x)
    found = model.fit(source, validation_data=source, validation_steps=1, epochs=2, verbose=0).history
    assert found['val_loss'] == [0.5, 0.5]


@pytest.mark.needs_gradients
def test_an_endless_set_of_the_engine(engine):
    source, model = set_of(engine, numbers(6), 2, endless=True), counting_model()
    assert losses_of(model, source, epochs=3, steps_per_epoch=2) == [1.5, np.mean([4, 5, 0, 1]), 3.5]
    with pytest.raises(ValueError, match='steps_per_epoch'):
        model.fit(source, verbose=0)


@pytest.mark.on('numpy')
def test_batches_of_every_kind_of_rows_are_those_of_slices():
    array = np.arange(42.).reshape(7, 3, 2)
    for given in (array, array[:, ::-1], array.transpose(0, 2, 1), array[::-1], np.asfortranarray(array),
                  np.ma.masked_greater(array, 30.), array[:, :0]):
        for size in (1, 3, 7, 9):
            feed = ArrayFeed([given, None], [], [None], [None] * 3, LAYOUT, batch_size=size)
            batches = list(feed.epoch())
            assert len(batches) == -(-7 // size)
            for number, batch in enumerate(batches):
                expected = given[number * size:(number + 1) * size]
                assert batch.size == len(expected) and batch.xs[1] is None and batch.weights == [None]
                assert type(batch.xs[0]) is type(given)
                np.testing.assert_array_equal(batch.xs[0], expected)
                assert np.shares_memory(batch.xs[0], given) or not expected.size
