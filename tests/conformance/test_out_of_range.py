"""Numbers of rows and classes that there are not: an error or NaN, on every engine, never a number."""
import numpy as np
import pytest

from keras import layers, models
from keras.backend.contract.loading import engine_name, get_engine
from keras.backend.table import primitives as p
from keras.backend.table.composites import losses, nn

TABLE = np.arange(10, dtype='float32').reshape(5, 2)
WRONG = [-1, 5, -7, 100]


def value(function, *arrays):
    """What `function` gives at once and in a step; NaN where it raises."""
    engine = get_engine()
    found = []
    for run in (lambda: function(*map(engine.convert, arrays)), lambda: engine.step(function, [], [])(*arrays)):
        try:
            found.append(np.array(engine.to_numpy(run())))
        except Exception as error:
            assert not isinstance(error, (AttributeError, TypeError)), error
            found.append(np.full(2, np.nan))
    return found


@pytest.mark.parametrize('number', WRONG)
def test_a_row_that_there_is_not(number):
    for found in value(lambda x, i: nn.embedding(i, x), TABLE, np.array([0, number], 'int32')):
        assert np.isnan(found[1]).all()


@pytest.mark.skipif(engine_name() == 'mxnet', reason="MXNet's `take` counts on from the other end")
@pytest.mark.parametrize('number', WRONG)
def test_a_position_that_there_is_not(number):
    for found in value(lambda x, i: p.gather(x, i, 0), TABLE, np.array([0, number], 'int32')):
        assert np.isnan(found[1]).all()


@pytest.mark.parametrize('from_logits', [False, True])
@pytest.mark.parametrize('number', WRONG)
def test_a_class_that_there_is_not(number, from_logits):
    output = np.full((2, 5), 0.2, 'float32')
    for found in value(lambda t, o: losses.sparse_categorical_crossentropy(t, o, from_logits),
                       np.array([0, number], 'int32'), output):
        assert np.isnan(found[1])


@pytest.mark.needs_gradients
@pytest.mark.parametrize('label, word', [(1, 9), (7, 1)])
def test_training_on_them_never_passes_silently(label, word):
    model = models.Sequential([layers.Embedding(4, 3, input_length=2), layers.Flatten(),
                               layers.Dense(3, activation='softmax')])
    model.compile('sgd', 'sparse_categorical_crossentropy')
    x, y = np.array([[1, word], [2, 3]]), np.array([[label], [0]])
    try:
        loss = model.train_on_batch(x, y)
    except Exception as error:
        assert not isinstance(error, (AttributeError, TypeError)), error
    else:
        assert np.isnan(loss)


@pytest.mark.parametrize('dtype', ['>f4', '>f8', '>i4', '>i8', '>u2'])
def test_bytes_in_the_other_order(dtype):
    """Files of other machines hold them: 1, 2, 3 are 1, 2, 3."""
    engine = get_engine()
    x = np.array([1, 2, 3], dtype)
    step = engine.step(lambda x: p.cast(x, 'float32') * 2.0, [], [])
    for found in (engine.convert(x), step(x) / 2.0, p.multiply(x, 1)):
        np.testing.assert_array_equal(engine.to_numpy(engine.cast(found, 'float32')), [1.0, 2.0, 3.0])
