"""Names of K's scopes, and arguments that mean nothing where there is one copy of everything."""
import numpy as np
import pytest

import keras
from keras import backend as K
from keras.layers import Dense, Input
from keras.models import Model

pytestmark = pytest.mark.on('numpy')


def test_scopes_stand_before_names(tmp_path):
    with K.name_scope('outer'):
        assert K.variable(1.0, name='v').path == 'outer/v'
        with K.name_scope('in/ner') as name:
            assert name == 'in/ner'
            x = Input((3,))
            model = Model(x, Dense(2, name='d')(x))
    assert [weight.name for weight in model.weights] == ['outer/in/ner/d/kernel:0', 'outer/in/ner/d/bias:0']
    assert K.variable(1.0, name='v').path == 'v'
    model.save_weights(str(tmp_path / 'w.h5'))
    x = Input((3,))
    other = Model(x, Dense(2, name='d')(x))  # without the scope
    other.load_weights(str(tmp_path / 'w.h5'))
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_what_would_be_done_with_copies_is_kept_and_checked():
    variable = keras.Variable([1.0], aggregation='mean', synchronization='on_read')
    assert (variable.aggregation, variable.synchronization) == ('mean', 'on_read')
    with pytest.raises(ValueError, match="'v': aggregation must be one of 'none', 'mean'.*Received: 'man'"):
        keras.Variable([1.0], name='v', aggregation='man')
    with pytest.raises(ValueError, match='synchronization'):
        keras.Variable([1.0], synchronization='mean')


@pytest.mark.on('torch')
def test_what_has_no_effect_says_so():
    with pytest.warns(UserWarning, match="'rows': ragged=True has no effect.*pad_sequences"):
        Input((None,), ragged=True, name='rows')
    with pytest.warns(UserWarning, match='record_history=False has no effect'):
        keras.KerasTensor((2, 3), record_history=False)
    with pytest.warns(UserWarning, match="name_scope 'a': .* no effect: caller"):
        keras.name_scope('a', caller=None)
    with pytest.warns(UserWarning, match='queue_length has no effect'):
        keras.callbacks.CallbackList([], queue_length=3)


def test_the_name_where_none_is_given():
    with K.name_scope(None, 'plain'):
        assert K.variable(1.0, name='v').path == 'plain/v'
