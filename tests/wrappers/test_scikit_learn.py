"""Keras 2's estimators: what they take, and what scikit-learn does with them."""
import pickle

import numpy as np
import pytest

import keras
from keras.wrappers.scikit_learn import BaseWrapper, KerasClassifier, KerasRegressor

pytestmark = pytest.mark.on('torch', 'mxnet')

rng = np.random.RandomState(0)
x = rng.rand(80, 4)
letters = np.array(['a', 'b', 'c'])[x[:, :3].argmax(axis=1)]


def classifier(units=4, loss='sparse_categorical_crossentropy', metrics=('accuracy',)):
    model = keras.Sequential([keras.layers.Dense(units, activation='relu', input_shape=(4,)),
                              keras.layers.Dense(3, activation='softmax')])
    model.compile('adam', loss, metrics=list(metrics))
    return model


def regressor(units=4):
    model = keras.Sequential([keras.layers.Dense(units, input_shape=(4,)), keras.layers.Dense(1)])
    model.compile('sgd', 'mse')
    return model


@pytest.mark.parametrize('loss', ['sparse_categorical_crossentropy', 'categorical_crossentropy'])
def test_a_classifier_gives_the_classes_it_was_given(loss):
    found = KerasClassifier(classifier, loss=loss, epochs=2, verbose=0)
    history = found.fit(x, letters, batch_size=40)
    assert len(history.history['loss']) == 2
    assert set(found.predict(x)) <= set('abc') and found.predict(x).shape == (80,)
    np.testing.assert_allclose(found.predict_proba(x).sum(axis=1), 1, rtol=1e-5)
    assert found.score(x, letters) == pytest.approx(np.mean(found.predict(x) == letters))


def test_one_hot_rows_and_a_single_output():
    assert KerasClassifier(classifier, loss='categorical_crossentropy', verbose=0).fit(x, np.eye(3)[[0, 1] * 40])

    def binary():
        model = keras.Sequential([keras.layers.Dense(1, activation='sigmoid', input_shape=(4,))])
        model.compile('sgd', 'binary_crossentropy', metrics=['acc'])
        return model
    found = KerasClassifier(binary, verbose=0)
    found.fit(x, letters == 'a')
    assert found.predict_proba(x).shape == (80, 2)
    np.testing.assert_array_equal(found.predict(x)[:, 0], found.predict_proba(x)[:, 1] > 0.5)
    with pytest.raises(ValueError, match='Invalid shape for y'):
        found.fit(x, np.zeros((80, 2, 2)))


def test_a_regressor_scores_by_its_loss():
    found = KerasRegressor(regressor, verbose=0)
    found.fit(x, x[:, 0])
    assert found.predict(x).shape == (80,) and found.predict(x[:0]).shape == (0,)
    assert found.score(x, x[:, 0]) == pytest.approx(-np.mean((found.predict(x) - x[:, 0]) ** 2), rel=1e-4)


def test_arguments_go_to_those_that_take_them():
    found = KerasClassifier(classifier, units=8, epochs=3)
    assert found.filter_sk_params(classifier) == {'units': 8}
    assert found.filter_sk_params(classifier, {'loss': 'mse'}) == {'units': 8, 'loss': 'mse'}
    assert found.filter_sk_params(keras.Sequential.fit) == {'epochs': 3}
    assert found.get_params(deep=True) == {'units': 8, 'epochs': 3, 'build_fn': classifier}
    with pytest.raises(ValueError, match='nonsense is not a legal parameter'):
        KerasClassifier(classifier, nonsense=1)
    with pytest.raises(ValueError, match='nonsense is not a legal parameter'):
        found.set_params(nonsense=1)

    class Built(KerasRegressor):
        def __call__(self, units=3):
            return regressor(units)
    built = Built(units=5, verbose=0)
    built.fit(x, x[:, 0])
    assert built.model.layers[0].units == 5


def test_what_is_missing_is_said():
    with pytest.raises(AttributeError, match='call fit before'):
        KerasClassifier(classifier).predict(x)
    found = KerasClassifier(classifier, metrics=(), verbose=0)
    found.fit(x, letters)
    with pytest.raises(ValueError, match='not configured to compute accuracy'):
        found.score(x, letters)
    assert not hasattr(BaseWrapper(classifier), 'model')


def test_scikit_learn_takes_them():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    found = KerasClassifier(classifier, epochs=2, verbose=0)
    assert clone(found).get_params() == found.get_params()
    pipeline = make_pipeline(StandardScaler(), found)
    search = GridSearchCV(pipeline, {'kerasclassifier__units': [2, 8]}, cv=2).fit(x, letters)
    assert search.best_params_['kerasclassifier__units'] in (2, 8)
    copy = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(copy.predict(x), search.predict(x))
    scores = cross_val_score(KerasRegressor(regressor, verbose=0), x, x[:, 0], cv=2)
    assert scores.shape == (2,) and np.all(scores < 0)
