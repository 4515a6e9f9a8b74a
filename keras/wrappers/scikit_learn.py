"""Keras 2's estimators: what builds a model, with the arguments of that and of `fit`, `predict` and `evaluate`.

They keep to the protocol of scikit-learn and need nothing of it, so that they are there without it.
"""
import inspect
import types

import numpy as np

from keras.models import Sequential
from keras.utils.generic_utils import has_arg, to_list
from keras.utils.np_utils import to_categorical


class BaseWrapper:
    """What classifier and regressor share.

    Args:
        build_fn: function or object with `__call__` that gives a compiled model; default the `__call__` of a subclass.
        sk_params: arguments of `build_fn`, and of `fit`, `predict` and `evaluate` of the model.

    Raises:
        ValueError: for an argument that none of these takes.
    """
    _kind = None

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self):
        """The function that takes the arguments of the model."""
        if self.build_fn is None:
            return self.__call__
        if isinstance(self.build_fn, (types.FunctionType, types.MethodType)) or inspect.isclass(self.build_fn):
            return self.build_fn
        return self.build_fn.__call__

    def check_params(self, params):
        """See that each name in `params` is an argument of `build_fn`, `fit`, `predict` or `evaluate`.

        Raises:
            ValueError: for one that is not.
        """
        takers = (Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate, self._builder())
        for name in params:
            # What Keras 1 called epochs, `fit` takes by keyword.
            if name != 'nb_epoch' and not any(has_arg(taker, name) for taker in takers):
                raise ValueError('%s is not a legal parameter: neither build_fn nor fit, predict and evaluate of a '
                                 'model take it.' % name)

    def get_params(self, **params):
        """The arguments of the constructor, as a dictionary. `params` (`deep`) change nothing."""
        return dict(self.sk_params, build_fn=self.build_fn)

    def set_params(self, **params):
        """Change arguments of the constructor.

        Raises:
            ValueError: for one that nothing takes.
        """
        params = dict(params)
        self.build_fn = params.pop('build_fn', self.build_fn)
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def fit(self, x, y, **kwargs):
        """Build a model and train it.

        Args:
            x, y: arrays. kwargs: arguments of `fit`, before those of the constructor.

        Returns:
            The `History` of the training.
        """
        self.model = self._builder()(**self.filter_sk_params(self._builder()))
        if _wants_one_hot(self.model) and np.ndim(y) != 2:
            y = to_categorical(y)
        return self.model.fit(x, y, **self._arguments(Sequential.fit, kwargs))

    def filter_sk_params(self, fn, override=None):
        """Those of the constructor's arguments that the function `fn` takes, and those in the dictionary `override`."""
        found = {name: value for name, value in self.sk_params.items() if has_arg(fn, name)}
        found.update(override or {})
        return found

    def _arguments(self, function, given):
        arguments = self.filter_sk_params(function, given)
        if function is Sequential.fit and 'nb_epoch' in self.sk_params:
            arguments.setdefault('epochs', self.sk_params['nb_epoch'])
        return arguments

    def _require_fitted(self, method):
        if not self.__sklearn_is_fitted__():
            raise AttributeError('%s.%s: there is no model yet; call fit before.' % (type(self).__name__, method))

    def _predicted(self, x, kwargs, method):
        """What the model gives for data, which may hold no samples."""
        self._require_fitted(method)
        if not len(x):
            return np.zeros((0,) + tuple(self.model.output_shape[1:]), 'float32')
        return self.model.predict(x, **self._arguments(Sequential.predict, kwargs))

    def _evaluated(self, x, y, kwargs):
        """{name: value} of what the model computes on data."""
        self._require_fitted('score')
        found = self.model.evaluate(x, y, **self._arguments(Sequential.evaluate, kwargs))
        return dict(zip(self.model.metrics_names, to_list(found)))

    # --- the protocol of scikit-learn

    def __sklearn_is_fitted__(self):
        return hasattr(self, 'model')

    def __sklearn_tags__(self):
        from sklearn import utils
        return utils.Tags(
            estimator_type=self._kind, target_tags=utils.TargetTags(required=True), non_deterministic=True,
            classifier_tags=utils.ClassifierTags() if self._kind == 'classifier' else None,
            regressor_tags=utils.RegressorTags() if self._kind == 'regressor' else None)

    @property
    def _estimator_type(self):
        return self._kind


def _wants_one_hot(model):
    return getattr(model.loss, '__name__', model.loss) == 'categorical_crossentropy'


class KerasClassifier(BaseWrapper):
    """A classifier for scikit-learn.

    Args:
        build_fn, sk_params: see `BaseWrapper`.

    Example:
        >>> from keras.wrappers.scikit_learn import KerasClassifier
        >>> def build(units=4):
        ...     model = keras.Sequential([keras.layers.Dense(units, input_shape=(2,)), keras.layers.Dense(1)])
        ...     model.compile('sgd', 'binary_crossentropy', metrics=['accuracy'])
        ...     return model
        >>> KerasClassifier(build, units=8, epochs=2).get_params()['units']
        8
    """
    _kind = 'classifier'

    def fit(self, x, y, sample_weight=None, **kwargs):
        """Build a model and train it.

        Args:
            x: array. y: classes of any kind, or one-hot rows. sample_weight: one factor per sample. kwargs: arguments
                of `fit`.

        Returns:
            The `History` of the training.

        Raises:
            ValueError: for `y` of another shape.
        """
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or y.ndim == 2 and y.shape[1] == 1:
            self.classes_, places = np.unique(y, return_inverse=True)
            y = places.reshape(y.shape)
        else:
            raise ValueError('Invalid shape for y: %s. Expected classes (samples,) or one-hot rows (samples, classes).'
                             % (y.shape,))
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs['sample_weight'] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """The classes of samples, shape (samples,), or (samples, 1) from a model with a single output.

        Args:
            x: array. kwargs: arguments of `predict`.
        """
        found = self._predicted(x, kwargs, 'predict')
        places = found.argmax(axis=-1) if found.shape[-1] > 1 else (found > 0.5).astype('int32')
        return self.classes_[places]

    def predict_proba(self, x, **kwargs):
        """The probabilities of the classes, shape (samples, classes).

        Args:
            x: array. kwargs: arguments of `predict`.
        """
        found = self._predicted(x, kwargs, 'predict_proba')
        return np.hstack([1 - found, found]) if found.shape[1] == 1 else found

    def score(self, x, y, **kwargs):
        """The accuracy on data.

        Args:
            x, y: as for `fit`. kwargs: arguments of `evaluate`.

        Raises:
            ValueError: if the model was compiled without `metrics=['accuracy']`.
        """
        y = np.array(y)
        if y.ndim == 1 or y.shape[1] == 1:
            y = np.searchsorted(self.classes_, y)
        if _wants_one_hot(self.model) and y.ndim != 2:
            y = to_categorical(y, self.n_classes_)
        for name, value in self._evaluated(x, y, kwargs).items():
            if name in ('acc', 'accuracy') or name.endswith('_accuracy'):
                return value
        raise ValueError('The model is not configured to compute accuracy. You should pass `metrics=["accuracy"]` to '
                         'the `model.compile()` method.')


class KerasRegressor(BaseWrapper):
    """A regressor for scikit-learn.

    Args:
        build_fn, sk_params: see `BaseWrapper`.
    """
    _kind = 'regressor'

    def predict(self, x, **kwargs):
        """The numbers of samples, shape (samples,), or as the model gives them where it has several.

        Args:
            x: array. kwargs: arguments of `predict`.
        """
        found = self._predicted(x, kwargs, 'predict')
        return found[..., 0] if found.shape[-1] == 1 else found

    def score(self, x, y, **kwargs):
        """The loss on data, with a minus: more is better.

        Args:
            x, y: as for `fit`. kwargs: arguments of `evaluate`.
        """
        return -next(iter(self._evaluated(x, y, kwargs).values()))
