"""`Metric`, and the metrics that are a sum or a mean of values. A metric's state is a few variables."""
import copy
import re

import numpy as np

from keras import config, generations, ops
from keras import initializers
from keras.backend.contract import tree
from keras.backend.contract.context import calls, carried, carried_mask, note_metric
from keras.backend.contract.ledger import holding
from keras.backend.contract.loading import get_engine, join
from keras.backend.contract.rules import numpy_dtype
from keras.backend.contract.scripts import run_script
from keras.backend.graph.nodes import free_tensors
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.uids import numbered_name
from keras.backend.state.variables import Variable
from keras.backend.table.composites.shape import count, dtype_of, shape, static_shape
from keras.configurable import (Configurable, Fixed, argument_of_function, arguments_config, made_with_function,
                                tells_function)
from keras.losses import broadcast_weights, fitting_mask, same_rank
from keras.saving.kinds import kind_in
from keras.saving.serialization import serialize_keras_object


def snake_case(name):
    """The name of a class in lower case, with an underscore between words."""
    words = re.sub(r'(.)([A-Z][a-z0-9]+)', r'\1_\2', name)
    return re.sub(r'([a-z])([A-Z])', r'\1_\2', words).lower()


class Metric(Configurable):
    """Base class: a number computed from what `update_state` has been given since the last `reset_state`.

    A subclass makes its variables in the constructor with `add_weight`, and defines `update_state` and `result`.

    Args:
        name: for logs; default the class's name in snake case with a number.
        dtype: of the variables and the result, default `floatx`.

    Example:
        >>> class Largest(keras.metrics.Metric):
        ...     def __init__(self, name='largest', **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.largest = self.add_weight('largest', initializer='zeros')
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.largest.assign(keras.ops.maximum(self.largest, keras.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.largest.value
    """

    stateful = True
    dtype = Fixed('dtypes_are_fixed')
    # 'up' or 'down' where a metric of one's own says which values are the better ones, as in Keras 3.
    _direction = None

    def __init__(self, name=None, dtype=None, **kwargs):
        super().__init__()
        if name is not None and not isinstance(name, str):
            name, dtype = (dtype if isinstance(dtype, str) else None), name
        if kwargs:
            raise TypeError('%s does not take the arguments %s.' % (type(self).__name__, ', '.join(sorted(kwargs))))
        name, dtype = name or numbered_name(snake_case(type(self).__name__)), self._dtype_of(dtype)
        self.declare(locals())
        self.built = True
        self._variables = []

    def _dtype_of(self, dtype):
        """The name of a dtype that is given by name, as a policy, or not at all."""
        if dtype is None:
            return config.floatx()
        if isinstance(dtype, str):
            return dtype
        of_policy = 'compute_dtype' if self.ruled('metrics_compute_in_policies') else 'variable_dtype'
        return getattr(dtype, of_policy, None) or getattr(dtype, 'name', None) or np.dtype(dtype).name

    @property
    def _dtype(self):
        """What Keras 3 keeps the dtype in, which metrics written for it read."""
        return self.dtype

    # --- to be defined by subclasses ------------------------------------------------------------------------------

    def update_state(self, *args, **kwargs):
        """Take one batch into account."""
        raise NotImplementedError('%s does not implement update_state().' % type(self).__name__)

    def result(self):
        """The current value, a scalar tensor (or a small one, or a dictionary of them)."""
        raise NotImplementedError('%s does not implement result().' % type(self).__name__)

    def reset_state(self):
        """Forget all batches: every variable becomes 0."""
        self.reset_states()

    def reset_states(self):
        """Keras 2's name of `reset_state`; a subclass may define either."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, numpy_dtype(variable.dtype)))

    # --- state ----------------------------------------------------------------------------------------------------

    def add_weight(self, name=None, shape=(), initializer='zeros', dtype=None, aggregation=None, synchronization=None):
        """A variable for the metric's state.

        Args:
            name: for messages and files. shape: tuple of ints, default a scalar.
            initializer: its first value. dtype: default that of the metric, in Keras 3 `floatx`.
            aggregation, synchronization: how TensorFlow's replicas would share it, which are one here.
        """
        if isinstance(name, (tuple, list)):  # Keras 3's order of the arguments
            name, shape = (shape if isinstance(shape, str) else None), name
        initializer = initializers.delayed('zeros' if initializer is None else initializer)
        if dtype is None:
            dtype = config.floatx() if self.ruled('metrics_compute_in_policies') else self.dtype
        variable = Variable(initializer, tuple(shape), dtype, trainable=False, name=name or 'variable')
        variable.path = '%s/%s' % (self.name, variable.name)
        if self.ruled('weight_names_in_full'):
            variable.name += ':0'
        self._variables.append(variable)
        return variable

    def add_variable(self, shape, initializer='zeros', dtype=None, aggregation='sum', name=None):
        """Keras 3's form of `add_weight`."""
        return self.add_weight(name, shape, initializer, dtype)

    def merge_state(self, metrics):
        """Add what other metrics of this class have seen; where they are sums and counts, as almost all are.

        Args:
            metrics: metrics of the same class, with the same variables.

        Raises:
            ValueError: for a metric whose variables are not like this one's.
        """
        for metric in metrics:
            own, others = self.variables, metric.variables
            if [variable.shape for variable in own] != [variable.shape for variable in others]:
                raise ValueError('Metric %s is not compatible with %s: its variables have the shapes %s, those of the '
                                 'other %s.' % (metric.name, self.name, [variable.shape for variable in others],
                                                [variable.shape for variable in own]))
            for variable, other in zip(own, others):
                variable.assign_add(other.value)

    def tracked_by_name(self):
        """{number: variable}, for checkpoints of the engine's library."""
        return {str(number): variable for number, variable in enumerate(self.variables)}

    @property
    def variables(self):
        """The variables of the metric and of metrics that are its attributes."""
        found = list(self._variables)
        for value in vars(self).values():
            for leaf in tree.flatten(value):
                if isinstance(leaf, Metric):
                    found.extend(leaf.variables)
                elif isinstance(leaf, Variable):
                    found.append(leaf)
        return list({id(variable): variable for variable in found}.values())

    @property
    def weights(self):
        return self.variables

    @property
    def non_trainable_weights(self):
        return self.variables

    @property
    def trainable_weights(self):
        return []

    def get_weights(self):
        """The values of the variables, a list of NumPy arrays."""
        return [variable.numpy() for variable in self.variables]

    def set_weights(self, weights):
        """Set the variables from a list of arrays as `get_weights` gives it."""
        if len(weights) != len(self.variables):
            raise ValueError('Metric %s has %d variables. Received: %d arrays.'
                             % (self.name, len(self.variables), len(weights)))
        for variable, value in zip(self.variables, weights):
            variable.assign(value)

    # --- use ------------------------------------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        """`update_state` with the arguments, then `result`; on symbolic tensors a symbolic one, for `add_metric`."""
        if free_tensors([leaf for leaf in tree.flatten([list(args), kwargs]) if isinstance(leaf, KerasTensor)]):
            return self.in_graph(*args, **kwargs)
        self.update_state(*args, **kwargs)
        result = self.result()
        note_metric(result, self)
        return result

    def in_graph(self, *args, **kwargs):
        """The metric of symbolic tensors, as a symbolic tensor. Means have one."""
        raise NotImplementedError('Metric %s (%s) is no mean of values, so it cannot be called on symbolic tensors. '
                                  'Give it to compile: metrics=[...].' % (self.name, type(self).__name__))

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values that the variables would have after `update_state`, from given values; nothing is changed."""
        with holding(self.variables, metric_variables) as ledger:
            self.update_state(*args, **kwargs)
        return [ledger.read(variable) for variable in self.variables]

    def stateless_result(self, metric_variables):
        """`result` for given values of the variables."""
        with holding(self.variables, metric_variables):
            return self.result()

    def stateless_reset_state(self):
        """The values of the variables after `reset_state`."""
        with holding(self.variables, self.variables) as ledger:
            self.reset_state()
        return [ledger.read(variable) for variable in self.variables]

    def __deepcopy__(self, memo):
        duplicate = type(self).__new__(type(self))
        memo[id(self)] = duplicate
        duplicate.__dict__.update({key: copy.deepcopy(value, memo) for key, value in vars(self).items()})
        return duplicate

    def __repr__(self):
        return '<%s name=%s>' % (type(self).__name__, self.name)


join(Metric, 'state_base')


class Reduce(Metric):
    """A sum or a mean of values.

    Args:
        reduction: 'sum', 'sum_over_batch_size' (divided by the number of values) or 'weighted_mean' (divided by
            the sum of the weights). name, dtype: see `Metric`.

    Raises:
        ValueError: for another reduction.
    """

    def __init__(self, reduction, name, dtype=None):
        super().__init__(name=name, dtype=dtype)
        if reduction not in ('sum', 'sum_over_batch_size', 'weighted_mean'):
            raise ValueError('%s: unknown reduction %r. Expected "sum", "sum_over_batch_size" or "weighted_mean".'
                             % (type(self).__name__, reduction))
        self.reduction = reduction
        self.total = self.add_weight('total', dtype=self.dtype)
        if reduction != 'sum':
            self.count = self.add_weight('count', dtype=self.dtype)

    def values(self, values):
        """What is summed up, from the first arguments of `update_state`."""
        return values

    @property
    def is_plain_mean(self):
        """Whether the result is the quotient of what `contribution` gives, so that a step may sum it up.

        It is not where a subclass says otherwise what updates, resets, or gives the result.
        """
        own = type(self)
        return self.reduction == 'weighted_mean' and own.result is Reduce.result \
            and own.update_state in (Reduce.update_state, MeanMetricWrapper.update_state) \
            and own.reset_state is Metric.reset_state and own.reset_states is Metric.reset_states

    def contribution(self, values, sample_weight=None):
        """What a batch adds to the sum and to the count; nothing is changed.

        Args:
            values: a tensor. sample_weight: weights that broadcast to it, or None.

        Returns:
            A scalar tensor and the count, a Python number without weights.
        """
        if dtype_of(values) != self.dtype:
            values = ops.cast(values, self.dtype)
        if sample_weight is None:
            return ops.sum(values), count(values)
        weights = broadcast_weights(values, ops.cast(sample_weight, self.dtype))
        total = ops.sum(ops.multiply(values, weights))
        if self.reduction == 'weighted_mean':
            return total, ops.sum(ops.broadcast_to(weights, shape(values)))
        return total, count(values)

    def update_state(self, values, sample_weight=None):
        """Add a batch of values.

        Args:
            values: a tensor. sample_weight: weights that broadcast to it, or None.
        """
        return self.add_to_mean(*self.contribution(values, sample_weight))

    def add_to_mean(self, total, number):
        self.total.assign_add(total)
        if self.reduction != 'sum':
            self.count.assign_add(number if isinstance(number, (int, float)) else ops.cast(number, self.dtype))
        return get_engine().done()

    def result(self):
        if self.reduction == 'sum':
            return self.total.value
        return ops.divide_no_nan(self.total.value, self.count.value)


class Sum(Reduce):
    """The (weighted) sum of values.

    Example:
        >>> metric = keras.metrics.Sum()
        >>> metric.update_state([1.0, 3.0])
        >>> float(metric.result())
        4.0
    """

    def __init__(self, name='sum', dtype=None):
        super().__init__('sum', name, dtype)


class Mean(Reduce):
    """The (weighted) mean of values.

    Example:
        >>> metric = keras.metrics.Mean()
        >>> metric.update_state([1.0, 3.0])
        >>> float(metric.result())
        2.0
    """

    def __init__(self, name='mean', dtype=None):
        super().__init__('weighted_mean', name, dtype)

    def in_graph(self, *args):
        values = ops.convert_to_tensor(self.values(*args))
        result = ops.mean(values)
        result.mean_of = (self, values)
        return result


class MeanTensor(Metric):
    """The (weighted) mean of tensors, place by place.

    Args:
        name, dtype: see `Metric`. shape: of the tensors; default that of the first that is seen.

    Raises:
        ValueError: for a tensor of another shape, and for a result before there was one.

    Example:
        >>> metric = keras.metrics.MeanTensor()
        >>> metric.update_state([0.0, 1.0])
        >>> metric.update_state([4.0, 5.0])
        >>> keras.ops.convert_to_numpy(metric.result()).tolist()
        [2.0, 3.0]
    """

    def __init__(self, name='mean_tensor', dtype=None, shape=None):
        super().__init__(name=name, dtype=dtype)
        self.declare(locals())
        self.total = self.count = None
        self.built = False
        if shape is not None:
            self._build(tuple(shape))

    def _build(self, of_tensors):
        self.total = self.add_weight('total', of_tensors)
        self.count = self.add_weight('count', of_tensors)
        self.built = True

    def update_state(self, values, sample_weight=None):
        """Add a tensor.

        Args:
            values: a tensor. sample_weight: weights that broadcast to it, or None.
        """
        values = ops.cast(values, self.dtype)
        given = static_shape(values)
        if not self.built:
            self._build(given)
        if given != self.total.shape:
            raise ValueError('MeanTensor input values must always have the same shape. Expected shape (set during the '
                             'first call): %s. Got: %s.' % (self.total.shape, given))
        weights = ops.ones_like(values) if sample_weight is None else \
            ops.broadcast_to(broadcast_weights(values, ops.cast(sample_weight, self.dtype)), shape(values))
        self.total.assign_add(ops.multiply(values, weights))
        self.count.assign_add(weights)

    def result(self):
        if not self.built:
            raise ValueError('MeanTensor does not have any value yet. Please call the MeanTensor instance or use '
                             '`.update_state(value)` before retrieving the result.')
        return ops.divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of what a function gives.

    Args:
        fn: function of (y_true, y_pred, **kwargs) that gives one value per sample, or several.
        name, dtype: see `Metric`. **kwargs: further arguments of the function.

    Example:
        >>> metric = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name='error')
        >>> metric.update_state(np.zeros((2, 3)), np.ones((2, 3)))
        >>> float(metric.result())
        1.0
    """

    later = ('axis', 'ignore_class', 'from_sorted_ids')

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name or getattr(fn, '__name__', None), dtype=dtype)
        self._fn = generations.bound(fn, generations.of(self))
        self._fn_kwargs = kwargs

    def __getattr__(self, name):
        return argument_of_function(self, '_fn_kwargs', name)

    def values(self, y_true, y_pred):
        """What the function gives."""
        values = run_script(self._fn, same_rank(y_true, y_pred), self._fn_kwargs)
        if values is None:
            raise ValueError('The metric %s returned None, expected one value per sample. The usual cause: a missing '
                             '`return`.' % self.name)
        return values

    def contribution(self, y_true, y_pred, sample_weight=None):
        """What a batch adds to the sum and to the count, see `Reduce.contribution`."""
        mask = carried_mask(y_pred) if carried and calls.masks is None and self.ruled('metrics_take_masks') else None
        values = self.values(y_true, y_pred)
        if mask is not None:
            mask = ops.cast(fitting_mask(mask, values), self.dtype)
            sample_weight = mask if sample_weight is None else ops.multiply(mask, broadcast_weights(
                values, ops.cast(sample_weight, self.dtype)))
        return super().contribution(values, sample_weight)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch.

        Args:
            y_true, y_pred: targets and predictions. sample_weight: one weight per sample, or None.
        """
        return self.add_to_mean(*self.contribution(y_true, y_pred, sample_weight))

    def get_config(self):
        arguments = arguments_config(self, self._fn, self._fn_kwargs)
        if tells_function(self, MeanMetricWrapper):
            arguments['fn'] = serialize_keras_object(self._fn)
        return dict(super().get_config(), **arguments)

    @classmethod
    def from_config(cls, config):
        return made_with_function(cls, config, kind_in('keras.metrics').deserialize)


def clone_metric(metric):
    """A new metric of the same configuration, with a state of its own; functions stay as they are."""
    if not isinstance(metric, Metric):
        return metric
    with generations.under(metric):
        return type(metric).from_config(metric.get_config())


def clone_metrics(metrics):
    """`clone_metric` for every metric of a list or dictionary; None stays None."""
    return None if metrics is None else tree.map_structure(clone_metric, metrics)


# Metrics and functions of which more is better, or less, by their names without underscores.
_MORE = frozenset((
    'accuracy acc binaryaccuracy categoricalaccuracy sparsecategoricalaccuracy topkcategoricalaccuracy '
    'sparsetopkcategoricalaccuracy precision recall auc sensitivityatspecificity specificityatsensitivity '
    'precisionatrecall recallatprecision cosinesimilarity fbetascore f1score fscore fmeasure matthewscorrelation '
    'r2score pearsoncorrelation concordancecorrelation meaniou iou binaryiou onehotiou onehotmeaniou truepositives '
    'truenegatives').split())
_LESS = frozenset((
    'meansquarederror rootmeansquarederror meanabsoluteerror meanabsolutepercentageerror meansquaredlogarithmicerror '
    'logcosh logcosherror poisson kldivergence kullbackleiblerdivergence hinge squaredhinge categoricalhinge huber '
    'crossentropy binarycrossentropy categoricalcrossentropy sparsecategoricalcrossentropy binaryfocalcrossentropy '
    'categoricalfocalcrossentropy falsepositives falsenegatives').split())


def better_of(metric):
    """Which values of a metric are the better ones: 'max' for the larger, 'min', or None where nobody says.

    A metric of one's own says so by the attribute `_direction`, 'up' or 'down', as in Keras 3.
    """
    said = {'up': 'max', 'down': 'min'}.get(metric._direction) if isinstance(metric, Metric) else None
    if said is not None:
        return said
    function = getattr(metric, '_fn', None)
    names = [getattr(function, '__name__', '')] + [kind.__name__ for kind in type(metric).__mro__]
    if names[0] == 'cosine_similarity' and function.__module__ == 'keras.losses':
        return 'min'
    for name in names:
        name = name.replace('_', '').lower()
        if name in _MORE or name in _LESS:
            return 'max' if name in _MORE else 'min'
    return None
