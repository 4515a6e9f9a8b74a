"""`K.get_session`, `K.set_session`."""
import gc
import weakref

import numpy as np
import pytest

import keras
from keras import backend as K


def test_runs_what_is_fetched():
    x, v = K.placeholder((None, 2)), K.variable([1.0, 2.0])
    session = K.get_session()
    np.testing.assert_array_equal(session.run(v), [1, 2])
    found = session.run({'product': x * v, 'both': [v, K.sum(x)]}, feed_dict={x: [[1.0, 1.0], [2.0, 2.0]]})
    np.testing.assert_array_equal(found['product'], [[1, 2], [2, 4]])
    assert found['both'][1] == 6.0
    with pytest.raises(ValueError, match='disconnected'):
        session.run(x * 2.0)


def test_what_is_run_does_not_live_longer_than_its_graph():
    session, v, x = K.get_session(), K.variable([1.0, 2.0]), K.placeholder((2,))
    graphs = []
    for number in range(3):
        product = x * v * float(number)
        graphs.append(weakref.ref(product))
        for _ in range(2):
            np.testing.assert_array_equal(session.run([product, v], {x: [1.0, 1.0]})[0], np.array([1, 2]) * number)
    del product
    gc.collect()
    assert [graph() for graph in graphs] == [None] * 3


def test_what_is_run_again_is_compiled_once():
    session, x = K.get_session(), K.placeholder((2,))
    doubled = x * 2.0
    first = session.run(doubled, {x: [1.0, 2.0]})
    kept = list(vars(doubled)['functions'].values())
    session.run(doubled, {x: [3.0, 4.0]})
    assert list(vars(doubled)['functions'].values()) == kept and first.tolist() == [2.0, 4.0]
    session.close()
    assert 'functions' not in vars(doubled) and session.run(doubled, {x: [1.0, 1.0]}).tolist() == [2.0, 2.0]


def test_updates_and_the_learning_phase():
    v, x = K.variable(1.0), keras.Input((3,))
    dropped = keras.layers.Dropout(0.5)(x)
    with K.get_session() as session:
        update = K.update_add(v, 1.0)
        session.run(update)
        session.run([update])
        assert K.get_value(v) == 3.0
        ones = np.ones((40, 3))
        assert session.run(dropped, feed_dict={x: ones, K.learning_phase(): 0}).min() == 1.0
        assert session.run(dropped, feed_dict={x: ones, K.learning_phase(): 1}).min() == 0.0


def test_sessions_can_be_set():
    before = K.get_session()
    other = type(before)()
    try:
        K.set_session(other)
        assert K.get_session() is other
    finally:
        K.set_session(before)
    with other.graph.as_default():
        other.close()


def test_tensors_belong_to_the_graph_of_the_session():
    x = K.placeholder((2,))
    with x.graph.as_default():
        doubled = x * 2.0
    assert doubled.graph is K.get_session().graph
    assert K.get_session().run(doubled, {x: [1.0, 2.0]}).tolist() == [2.0, 4.0]


def test_what_is_no_session():
    with pytest.raises(TypeError, match='no sessions to take options from'):
        K.set_session(object())


def test_options_of_a_run_are_said_to_have_no_effect():
    with pytest.warns(UserWarning, match='`options` and `run_metadata` have no effect'):
        assert K.get_session().run(K.constant(2.0), options=object()) == 2.0
