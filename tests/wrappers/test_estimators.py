"""Keras 3's estimators, by scikit-learn's own checks and beside what Keras 3.15.1 does."""
import pickle

import numpy as np
import pytest

import keras
from keras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

pytestmark = pytest.mark.on('torch')

checks = pytest.importorskip('sklearn.utils.estimator_checks')
rng = np.random.RandomState(0)
x = rng.rand(80, 4)
letters = np.array(['a', 'b', 'c'])[x[:, :3].argmax(axis=1)]
seen = []


def build(X, y, loss='mse', activation=None, units=4):
    seen.append((X.shape, y))
    # So that a second `fit` gives the same model, as many checks suppose.
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(units, activation='relu', input_shape=X.shape[1:]),
                              keras.layers.Dense(y.shape[1], activation=activation)])
    model.compile('rmsprop', loss)
    return model


quiet = {'epochs': 1, 'verbose': 0}
classifier = SKLearnClassifier(build, model_kwargs={'loss': 'categorical_crossentropy', 'activation': 'softmax'},
                               fit_kwargs=quiet)
regressor = SKLearnRegressor(build, fit_kwargs=quiet)
transformer = SKLearnTransformer(build, fit_kwargs=quiet)

NOT_FOR_NETWORKS = {
    'check_classifiers_one_label_sample_weights': 'a weight of 0 does not take a sample out of the batches',
    'check_classifiers_classes': 'one epoch may leave out a class',
    'check_classifiers_train': 'decision_function gives the outputs, which may be probabilities',
    'check_supervised_y_2d': 'fits twice and compares',
    'check_classifiers_regression_target': 'of scikit-learn before 1.6',
    'check_parameters_default_constructible': 'a model has no default',
}
# Each of these takes as long as ten others.
SLOW = ('check_array_api_input', 'check_classifiers_classes', 'check_f_contiguous_array_estimator')


@pytest.mark.skipif(not hasattr(checks, 'estimator_checks_generator'), reason='scikit-learn before 1.6')
@pytest.mark.parametrize('estimator', [classifier, regressor, transformer], ids=lambda one: type(one).__name__)
def test_the_checks_of_scikit_learn(estimator):
    failed = {}
    for instance, check in checks.estimator_checks_generator(estimator):
        name = getattr(check, 'func', check).__name__
        if name in NOT_FOR_NETWORKS or name in SLOW:
            continue
        try:
            check(instance)
        except Exception as error:
            if type(error).__name__ not in ('SkipTest', 'SkipTestWarning', 'Skipped'):
                failed[name] = error
    assert not failed


def test_the_function_gets_targets_of_two_axes():
    classifier.fit(x, letters)
    shape, rows = seen[-1]
    assert shape == (80, 4) and rows.shape == (80, 3)
    np.testing.assert_array_equal(rows.argmax(axis=1), x[:, :3].argmax(axis=1))
    assert classifier.classes_.tolist() == ['a', 'b', 'c'] and classifier.n_features_in_ == 4
    np.testing.assert_array_equal(classifier.predict(x), classifier.classes_[classifier.decision_function(x).argmax(1)])
    assert regressor.fit(x, x[:, 0]).predict(x).shape == (80,) and seen[-1][1].shape == (80, 1)
    assert transformer.fit(x, x[:, 0]).transform(x).shape == (80, 1)


def test_a_model_is_copied_with_fresh_weights_and_its_training():
    model = build(x, letters.reshape(-1, 1))
    weights = model.get_weights()
    found = SKLearnRegressor(model, fit_kwargs=quiet).fit(x, x[:, 0], epochs=3)
    assert found.model_ is not model and found.epoch_ == 3
    assert type(found.model_.optimizer) is type(model.optimizer) and found.model_.optimizer is not model.optimizer
    for before, now in zip(weights, model.get_weights()):
        np.testing.assert_array_equal(before, now)
    first = found.model_
    assert found.fit(x, x[:, 0]).model_ is not first
    warm = SKLearnRegressor(model, warm_start=True, fit_kwargs=quiet).fit(x, x[:, 0])
    first = warm.model_
    assert warm.fit(x, x[:, 0]).model_ is first


def test_scikit_learn_takes_them():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    assert clone(classifier).get_params() == classifier.get_params()
    assert cross_val_score(classifier, x, letters, cv=2).shape == (2,)
    search = GridSearchCV(regressor, {'model_kwargs': [{'units': 2}, {'units': 8}]}, cv=2).fit(x, x[:, 0])
    np.testing.assert_allclose(pickle.loads(pickle.dumps(search)).predict(x), search.predict(x), rtol=1e-5)
    pipeline = make_pipeline(SKLearnTransformer(build, fit_kwargs=quiet), clone(classifier))
    pipeline.fit(x, x[:, :3].argmax(axis=1))
    assert pipeline.predict(x).shape == (80,)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match='Only binary and multiclass target types'):
        SKLearnClassifier(build).fit(x, x[:, 0] + 0.5)
    with pytest.raises(RuntimeError, match='needs to be compiled'):
        SKLearnRegressor(keras.Sequential([keras.layers.Dense(1, input_shape=(4,))])).fit(x, x[:, 0])
    with pytest.raises(ValueError, match='is expecting 4 features'):
        regressor.fit(x, x[:, 0]).predict(x[:, :2])
