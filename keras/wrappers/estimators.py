"""Keras 3's estimators: a compiled model, or a function of the data that gives one."""
import copy

import numpy as np

from keras.models import Model, clone_model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils import validation
    from sklearn.utils.multiclass import type_of_target
except ImportError as error:
    raise ImportError('keras.wrappers.SKLearnClassifier, SKLearnRegressor and SKLearnTransformer need scikit-learn: '
                      'pip install scikit-learn (%s)' % error)


def _validated(estimator, X, *targets):
    """`X`, and the targets where `fit` gives some, as arrays of numbers, checked as scikit-learn does.

    `fit` has the number and the names of the features kept, which those of later calls have to fit.
    """
    if hasattr(validation, 'validate_data'):
        return validation.validate_data(estimator, X, *targets, reset=bool(targets))
    # Before scikit-learn 1.6.
    if targets:
        X, y = validation.check_X_y(X, *targets)
        estimator.n_features_in_ = X.shape[1]
        return X, y
    X = validation.check_array(X)
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError('X has %d features, but %s is expecting %d features as input.'
                         % (X.shape[1], type(estimator).__name__, estimator.n_features_in_))
    return X


def _fresh(model):
    """A model like `model`, compiled as it is, with weights, optimizer and metrics of its own."""
    fresh, given = clone_model(model), model.compile_arguments
    if given is not None:
        rest = copy.deepcopy({name: value for name, value in given.items() if name != 'optimizer'})
        optimizer = given['optimizer']
        fresh.compile(optimizer=type(optimizer).from_config(optimizer.get_config()), **rest)
    return fresh


def _checked(model):
    if getattr(model, 'optimizer', None) is None or getattr(model, 'loss', None) is None:
        raise RuntimeError('Given model needs to be compiled, and have a loss and an optimizer. Received: %r'
                           % (model,))
    return model


class SKLBase(BaseEstimator):
    """What the estimators share.

    Args:
        model: a compiled model, of which `fit` makes a copy with fresh weights, or a function `model(X, y, **kwargs)`
            that gives a compiled one for the data: `X` of shape (samples, features), `y` of two axes.
        warm_start: whether a second `fit` goes on training the model of the first. model_kwargs: further arguments of
            the function. fit_kwargs: arguments of the model's `fit`.

    Attributes:
        model_: the model that `fit` has trained. history_: the `History` of it. n_features_in_: the number of features.
    """

    def __init__(self, model, warm_start=False, model_kwargs=None, fit_kwargs=None):
        # Neither checked nor changed here: scikit-learn clones estimators by these attributes.
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X, y, **kwargs):
        """Make the model and train it.

        Args:
            X: array of shape (samples, features). y: array of shape (samples,). kwargs: arguments of the model's
                `fit`, before those in `fit_kwargs`.

        Returns:
            The estimator.

        Raises:
            RuntimeError: if the model is not compiled.
        """
        X, y = _validated(self, X, y)
        y = self._encoded(y)
        if not (self.warm_start and hasattr(self, 'model_')):
            self.model_ = _checked(self._made_model(X, y))
        arguments = dict(self.fit_kwargs or {})
        arguments.update(kwargs)
        self.history_ = self.model_.fit(X, y, **arguments)
        return self

    def _made_model(self, X, y):
        if isinstance(self.model, Model):
            return _fresh(_checked(self.model))
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def predict(self, X):
        """What the model says of samples, in the form of the targets of `fit`.

        Args:
            X: array of shape (samples, features).
        """
        return self._decoded(self._outputs(X))

    def _outputs(self, X):
        validation.check_is_fitted(self, 'model_')
        return self.model_.predict(_validated(self, X))

    def _encoded(self, y):
        """The targets as the model is trained on them."""
        y = np.asarray(y)
        self._is_vector = y.ndim == 1
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _decoded(self, outputs):
        """What the model gives, in the form of the targets."""
        return outputs[:, 0] if self._is_vector and outputs.ndim == 2 and outputs.shape[1] == 1 else outputs

    @property
    def epoch_(self):
        """How many epochs the last `fit` has run."""
        return len(self.history_.epoch) if hasattr(self, 'history_') else 0

    # --- the protocol of scikit-learn, up to 1.5 and from 1.6 on

    def _more_tags(self):
        return {'non_deterministic': True, 'poor_score': True}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(ClassifierMixin, SKLBase):
    """A model that classifies, for scikit-learn. It is trained on one-hot rows (loss 'categorical_crossentropy').

    Args:
        model, warm_start, model_kwargs, fit_kwargs: as in the bases: a compiled model or a function that gives one,
            whether to go on with it, arguments of the function and of the model's `fit`.

    Attributes:
        classes_: the classes. model_, history_: the trained model and its `History`.

    Example:
        from sklearn.model_selection import cross_val_score

        def build(X, y):
            model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.Dense(y.shape[1], activation='softmax')])
            model.compile('adam', 'categorical_crossentropy')
            return model
        cross_val_score(keras.wrappers.SKLearnClassifier(build, fit_kwargs={'epochs': 5, 'verbose': 0}), X, y)
    """

    def _encoded(self, y):
        kind = type_of_target(y)
        if kind not in ('binary', 'multiclass'):
            raise ValueError('Unknown label type: y is %s. Only binary and multiclass target types are supported. '
                             'Target type: %s' % ('no class at all' if kind == 'unknown' else kind, kind))
        if self.warm_start and hasattr(self, 'model_'):
            unknown = np.setdiff1d(y, self.classes_)
            if len(unknown):
                raise ValueError('y holds the classes %s, which the model that was trained before does not know; it '
                                 'knows %s.' % (unknown, self.classes_))
        else:
            self.classes_ = np.unique(y)
        return np.eye(len(self.classes_))[np.searchsorted(self.classes_, y)]

    def _decoded(self, outputs):
        return self.classes_[outputs.argmax(axis=-1)]

    def decision_function(self, X):
        """What the model gives for samples: probabilities or logits, as its last layer makes them.

        Args:
            X: array of shape (samples, features).
        """
        return self._outputs(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, SKLBase):
    """A model of numbers, for scikit-learn. Arguments and attributes are those of `SKLearnClassifier`, but for classes.

    Example:
        regressor = keras.wrappers.SKLearnRegressor(model, fit_kwargs={'epochs': 20, 'verbose': 0})
        regressor.fit(X, y).score(X, y)
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, SKLBase):
    """A model whose outputs are features, for scikit-learn. Arguments and attributes are those of `SKLearnRegressor`.

    Example:
        pipeline = make_pipeline(keras.wrappers.SKLearnTransformer(model), LogisticRegression())
    """

    def transform(self, X):
        """The outputs of the model for samples.

        Args:
            X: array of shape (samples, features).
        """
        return self._outputs(X)

    def _more_tags(self):
        return dict(super()._more_tags(), preserves_dtype=[])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
