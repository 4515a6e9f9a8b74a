"""Variables, the ledger and seeds."""
import copy
import pickle

import numpy as np
import pytest

import keras
from keras import backend as K
from keras import config, initializers, random
from keras.backend.contract.loading import get_engine
from keras.backend.state.seeds import SeedGenerator, set_global_seed
from keras.backend.state.variables import Variable, to_array


def test_a_variable_is_made_lazily_and_loading_never_draws():
    drawn = []

    def initializer(shape, dtype):
        drawn.append(shape)
        return np.ones(shape, dtype)
    first, second = Variable(initializer, shape=(2, 3)), Variable(initializer, shape=(2, 3))
    assert not drawn
    first.assign(np.full((2, 3), 2.0))
    np.testing.assert_array_equal(first.numpy(), np.full((2, 3), 2.0))
    assert not drawn
    np.testing.assert_array_equal(to_array(second.value), np.ones((2, 3)))
    assert drawn == [(2, 3)]


def test_assign_add_and_subtract():
    v = Variable([1.0, 2.0])
    v.assign_add([1.0, 1.0])
    v.assign_sub(np.array([0.5, 0.0]))
    np.testing.assert_array_equal(v.numpy(), [1.5, 3.0])
    assert (v.shape, v.dtype) == ((2,), 'float32')


@pytest.mark.parametrize('value', [np.zeros((3,)), [[1.0, 2.0]], 1.0])
def test_wrong_shapes_are_refused_before_and_after_the_first_use(value):
    v = Variable([1.0, 2.0], name='v')
    with pytest.raises(ValueError, match=r'v has shape \(2,\)'):
        v.assign(value)
    v.value
    with pytest.raises(ValueError, match=r'v has shape \(2,\)'):
        v.assign(value)
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_numpy_gives_a_copy():
    v = Variable([1.0, 2.0])
    v.value
    array = v.numpy()
    array[0] = 9
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_a_step_commits_all_writes_after_its_outputs():
    a, b = Variable([1.0]), Variable([10.0])

    def swap():
        before = a.value + b.value
        first, second = a.value, b.value
        a.assign(second)
        b.assign(first)
        return before, a.value * 1.0

    step = get_engine().step(swap, [], [a, b])
    before, inside = step()
    assert (float(to_array(before)[0]), float(to_array(inside)[0])) == (11.0, 10.0)
    assert (a.numpy()[0], b.numpy()[0]) == (10.0, 1.0)
    step()
    assert (a.numpy()[0], b.numpy()[0]) == (1.0, 10.0)


def test_a_step_finds_variables_that_were_not_listed():
    factor = Variable([2.0])
    step = get_engine().step(lambda x: x * factor.value, [], [])
    x = np.array([3.0], 'float32')
    assert float(to_array(step(x))[0]) == 6.0
    factor.assign([5.0])
    assert float(to_array(step(x))[0]) == 15.0


def test_a_failed_step_changes_nothing():
    v = Variable([1.0])

    def fail(x):
        v.assign(v.value + x)
        raise RuntimeError('broken on purpose')
    step = get_engine().step(fail, [], [v])
    with pytest.raises(RuntimeError, match='on purpose'):
        step(np.array([1.0], 'float32'))
    np.testing.assert_array_equal(v.numpy(), [1.0])


@pytest.mark.needs_gradients
def test_value_and_grad_and_writes_inside():
    w, count, unused = Variable([2.0, 3.0]), Variable([0.0], trainable=False), Variable([1.0])

    def loss():
        count.assign(count.value + 1.0)
        return K.sum(w.value * w.value), count.value

    def run():
        (value, aux), gradients = get_engine().value_and_grad(loss, [w, unused])
        return value, aux, gradients[0]
    value, aux, gradient = get_engine().step(run, [], [w, count, unused])()
    assert float(to_array(value)) == 13.0 and float(to_array(aux)[0]) == 1.0
    np.testing.assert_array_equal(to_array(gradient), [4.0, 6.0])
    assert count.numpy()[0] == 1.0


def test_seed_generators_repeat_from_their_seed_and_move_on():
    def draws(seed):
        generator = SeedGenerator(seed)
        return [to_array(random.normal((4,), seed=generator)) for _ in range(2)]
    first, again = draws(7), draws(7)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first[0] - first[1]).max() > 1e-3
    assert np.abs(first[0] - draws(8)[0]).max() > 1e-3
    with pytest.raises(ValueError, match='int or None'):
        SeedGenerator('seven')


def test_initial_weights_follow_the_seed_in_the_order_of_creation_not_of_use():
    def weights(order):
        set_global_seed(3)
        made = [Variable(initializers.delayed(initializers.get('glorot_uniform')), shape=(3, 3)) for _ in range(2)]
        for index in order:
            made[index].value
        return [v.numpy() for v in made]
    for one, other in zip(weights([0, 1]), weights([1, 0])):
        np.testing.assert_array_equal(one, other)


def test_variables_can_be_copied_and_pickled():
    v = Variable([1.0, 2.0], name='v')
    v.value
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        twin.assign([5.0, 5.0])
        assert twin.name == 'v'
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_unknown_sizes_are_refused():
    with pytest.raises(ValueError, match='known sizes'):
        Variable(np.zeros, shape=(None, 3))


def test_switching_engines_moves_variables():
    v = Variable([1.0, 2.0])
    v.value
    with K.use('numpy'):
        assert isinstance(v.value, np.ndarray)
        v.assign([3.0, 4.0])
    np.testing.assert_array_equal(to_array(v.value), [3.0, 4.0])


def test_attributes_take_what_fits():
    v = Variable([1.0, 2.0])
    for name in ('constraint', 'regularizer'):
        def function(w):
            return w
        setattr(v, name, function)
        assert getattr(v, name) is function
        setattr(v, name, None)
        with pytest.raises(ValueError, match='Invalid value for attribute `%s`' % name):
            setattr(v, name, 'not callable')
    v.overwrite_with_gradient = True
    with pytest.raises(TypeError, match='must be a boolean'):
        v.overwrite_with_gradient = 'true'
    with pytest.raises(ValueError, match='`name` must be a string'):
        Variable([1.0], name=12)
    with pytest.raises(ValueError, match='When creating a Variable from an initializer, the `shape`'):
        Variable('zeros')
    assert copy.deepcopy(v).overwrite_with_gradient is True


def test_load_of_tensorflow_1():
    variable = K.variable([1.0, 2.0])
    variable.load(np.array([3.0, 4.0]), session=None)
    variable.load(variable.eval() + 1.0, K.get_session())
    assert K.get_value(variable).tolist() == to_array(variable.load()).tolist() == [4.0, 5.0]


@pytest.mark.on('numpy')
def test_what_is_printed():
    variable = Variable(np.array([1.0, 2.0, 3.0], 'float32'), name='mine')
    assert repr(variable) == '<Variable name=mine, shape=(3,), dtype=float32>'
    with config.generation(3):
        assert repr(variable) == '<Variable path=mine, shape=(3,), dtype=float32, value=[1. 2. 3.]>'
        with keras.StatelessScope():
            assert repr(variable) == '<Variable path=mine, shape=(3,), dtype=float32>'
