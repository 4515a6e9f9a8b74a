"""The graph: recording, shapes, plans, operators, and what symbolic tensors refuse."""
import numpy as np
import pytest

from keras import layers, ops
from keras.backend.contract.rules import AbstractTensor
from keras.backend.graph.nodes import nodes_between
from keras.backend.graph.plans import Plan
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable, to_array


def run(inputs, outputs, *values):
    plan = Plan(inputs, outputs, lambda node: node.operation.plan_function(node, False))
    from keras.backend.contract.loading import get_engine
    return [to_array(value) for value in plan([get_engine().convert(value) for value in values])]


def test_operators_record_and_replay():
    x, y = KerasTensor((None, 3)), KerasTensor((3,))
    z = (2.0 * x - y / 4.0) ** 2 + abs(-x)
    assert (z.shape, z.dtype) == ((None, 3), 'float32')
    a, b = np.random.RandomState(0).randn(2, 3).astype('float32'), np.arange(3, dtype='float32')
    np.testing.assert_allclose(run([x, y], [z], a, b)[0], (2 * a - b / 4) ** 2 + np.abs(a), rtol=1e-5)


def test_comparisons_indexing_and_matmul():
    x = KerasTensor((4, 3))
    found = run([x], [x[1:, ::2], x[-1], x > 0.0, x @ np.ones((3, 2), 'float32')],
                np.arange(12, dtype='float32').reshape(4, 3) - 5)
    array = np.arange(12, dtype='float32').reshape(4, 3) - 5
    for value, expected in zip(found, [array[1:, ::2], array[-1], array > 0, array @ np.ones((3, 2))]):
        np.testing.assert_allclose(value, expected)


def test_variables_in_a_graph_are_read_when_it_runs():
    x, v = KerasTensor((2,)), Variable([1.0, 1.0])
    y = x * v
    np.testing.assert_array_equal(run([x], [y], np.array([1, 2], 'float32'))[0], [1, 2])
    v.assign([3.0, 5.0])
    np.testing.assert_array_equal(run([x], [y], np.array([1, 2], 'float32'))[0], [3, 10])


def test_a_composite_is_one_node_so_that_engines_may_override_it():
    x = KerasTensor((None, 3))
    assert ops.softmax(x).node.inputs == [x]
    assert len(nodes_between([x], [ops.softmax(x)])) == 1


def test_numpy_arrays_leave_arithmetic_to_the_tensor():
    x = KerasTensor((3,))
    y = np.ones(3, 'float32') * x
    assert isinstance(y, KerasTensor) and y.shape == (3,)
    with pytest.raises(TypeError, match='symbolic'):
        np.exp(np.asarray(x))


def test_truth_values_and_iteration_are_refused():
    x = KerasTensor((None, 3))
    with pytest.raises(TypeError, match='where|cond'):
        if x > 0:
            pass
    with pytest.raises(TypeError, match='iterated'):
        list(x)


@pytest.mark.parametrize('make, message', [
    (lambda x: ops.add(x, KerasTensor((None, 4))), r'add: .*\(None, 3\).*\(None, 4\)'),
    (lambda x: ops.matmul(x, KerasTensor((4, 2))), 'matmul'),
    (lambda x: ops.reshape(x, (-1, -1)), 'at most one'),
    (lambda x: ops.concatenate([x, KerasTensor((None, 3, 1))]), 'concatenate'),
    (lambda x: ops.sum(x, axis=3), 'axis 3'),
    (lambda x: ops.transpose(x, (0, 0)), 'valid permutation')])
def test_errors_name_operation_and_shapes(make, message):
    with pytest.raises(ValueError, match=message):
        make(KerasTensor((None, 3)))


def test_native_errors_are_explained_by_the_rule():
    with pytest.raises(ValueError, match=r'add: shapes \(2, 3\) and \(4,\)'):
        ops.add(np.ones((2, 3), 'float32'), np.ones(4, 'float32'))


def test_disconnected_graph_names_the_missing_input():
    a, b = layers.Input((3,), name='given'), layers.Input((3,), name='forgotten')
    with pytest.raises(ValueError, match='Graph disconnected.*forgotten.*given'):
        nodes_between([a], [a + b])


def test_plan_drops_values_after_their_last_use():
    x = KerasTensor((2,))
    alive = []

    class Big:
        """Counts how many results are alive."""
        def __init__(self):
            alive.append(self)

        def __del__(self):
            count[0] -= 1
    y = x
    for _ in range(5):
        y = ops.tanh(y)
    count, most = [0], [0]

    def function(_):
        count[0] += 1
        most[0] = max(most[0], count[0])
        value = Big()
        alive.clear()
        return value
    Plan([x], [y], lambda node: function)([0])
    assert most[0] <= 2


def test_abstract_tensors_stay_abstract():
    x = AbstractTensor((None, 4), 'float32')
    assert ops.softmax(x).shape == (None, 4)
    assert type(ops.softmax(x)) is AbstractTensor
    assert ops.mean(x, axis=0).shape == (4,)


def test_building_a_large_graph_is_linear():
    x = y = KerasTensor((None, 3))
    for _ in range(5000):
        y = y + 1.0
    assert len(nodes_between([x], [y])) == 5000


def test_what_a_tensor_is_made_with_stays():
    x = KerasTensor((3, 2), 'float32', sparse=True)
    for name, value in [('shape', (2, 3)), ('dtype', 'int32'), ('sparse', False), ('ragged', True)]:
        with pytest.raises(AttributeError, match='`%s` attribute of KerasTensor is immutable' % name):
            setattr(x, name, value)
    assert (x.shape, x.dtype, x.sparse, x.ragged) == ((3, 2), 'float32', True, False)
    with pytest.raises(ValueError, match='`sparse=True` and `ragged=True`'):
        KerasTensor((3,), sparse=True, ragged=True)


def test_methods_and_words_of_keras_3():
    x = KerasTensor((3, 2), name='x')
    assert x.reshape((6, 1)).squeeze().shape == (6,) and x.reshape((1, 6)).squeeze(axis=0).shape == (6,)
    assert repr(x) == '<KerasTensor shape=(3, 2), dtype=float32, sparse=False, ragged=False, name=x>'
