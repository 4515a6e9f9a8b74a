"""What NumPy computes inside of steps, and sets of data of an engine's own library."""
import numpy as np

from keras import ops
from keras.backend.contract.loading import get_engine
from keras.backend.contract.rules import AbstractTensor


def doubled_sums(x):
    return x.sum(axis=1) * 2


def run(x):
    engine = get_engine()
    return engine.on_host(doubled_sums, [x], 'int32', (engine.shape_of(x)[0],))


def test_a_function_of_numpy_at_once():
    found = run(ops.convert_to_tensor(np.arange(6, dtype='int32').reshape(2, 3)))
    assert np.asarray(ops.convert_to_numpy(found)).tolist() == [6, 24]


def test_a_function_of_numpy_in_a_step_runs_anew_each_time():
    engine = get_engine()
    step = engine.step(lambda x: ops.add(run(x), 1), [], [])
    for start in (0, 5, 7, 7):
        x = start + np.arange(6, dtype='int32').reshape(2, 3)
        assert engine.to_numpy(step(x)).tolist() == (x.sum(axis=1) * 2 + 1).tolist()


def test_a_set_of_batches():
    source = [(np.ones((2, 3), 'float32'), np.zeros(2, 'int64')), (np.ones((1, 3), 'float32'), np.zeros(1, 'int64'))]
    found = get_engine().batches(source, (AbstractTensor((None, 3), 'float32'), AbstractTensor((None,), 'int64')))
    assert [[np.asarray(part).shape for part in batch] for batch in found] == [[(2, 3), (2,)], [(1, 3), (1,)]]
