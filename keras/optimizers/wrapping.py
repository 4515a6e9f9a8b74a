"""Optimizers around others: a dynamic scale of the loss, and several optimizers, each for its variables."""
import functools
import re
from collections.abc import MutableMapping

from keras import ops
from keras.configurable import plain
from keras.optimizers.base import LATER, Optimizer, divided, update_if
from keras.optimizers.protocol import ours
from keras.saving.kinds import deserialize_keras_object, kind_in


def _read(config, custom_objects=None):
    """An optimizer from what a config holds for it."""
    return kind_in('keras.optimizers').deserialize(config, custom_objects) if isinstance(config, dict) else config


class LossScaleOptimizer(Optimizer):
    """Another optimizer behind a dynamic scale of the loss, for training in float16.

    The loss is multiplied by the scale (`scale_loss`) and the gradients are divided by it. An update whose
    gradients are not finite is left out and halves the scale; `dynamic_growth_steps` good ones double it.

    Args:
        inner_optimizer: the optimizer that makes the updates. initial_scale: the first scale.
        dynamic_growth_steps: number of updates. name: default 'lossscaleoptimizer'.

    Raises:
        ValueError: for arguments that belong to `inner_optimizer`, or are unknown.

    Source: Micikevicius et al., Mixed Precision Training (2017).

    Example:
        >>> keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)).initial_scale
        32768.0
    """

    def __init__(self, inner_optimizer, initial_scale=32768.0, dynamic_growth_steps=2000, name=None, **kwargs):
        _check_arguments(kwargs)
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        # There is one scale, and it is here.
        inner_optimizer.loss_scale_factor = None
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.dynamic_scale = self.add_variable(
            (), {'class_name': 'Constant', 'config': {'value': initial_scale}}, 'float32', name='dynamic_scale')
        self.good_steps = self.add_variable(
            (), 'zeros', 'int32', name='step_counter' if self.ruled('slots_are_called_as_in_3') else 'good_steps')

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    def build(self, variables):
        super().build(variables)
        self.inner_optimizer.build(variables)

    @property
    def state_variables(self):
        return super().state_variables + self.inner_optimizer.state_variables

    @property
    def read_variables(self):
        return self.inner_optimizer.read_variables

    @property
    def weights(self):
        return super().weights + self.inner_optimizer.weights

    def saved_parts(self):
        return {'inner_optimizer': self.inner_optimizer}

    def variables_in_order(self):
        return [self.iterations, self.rate_variable, self.good_steps, self.dynamic_scale] \
            + self.inner_optimizer.variables_in_order()

    def scale_loss(self, loss):
        if isinstance(loss, (int, float)):
            return loss * self.dynamic_scale.value
        # In float32 with losses in 16 bits, which do not hold the scale.
        return ops.multiply(loss, self.dynamic_scale.value)

    get_scaled_loss = scale_loss

    def get_unscaled_gradients(self, grads):
        """The gradients divided by the scale, as loops written for tf.keras ask for them."""
        return [gradient if gradient is None else divided(gradient, self.dynamic_scale.value) for gradient in grads]

    def apply_gradients(self, grads_and_vars):
        """One update from pairs of (gradient, variable); of tf.keras from gradients that are unscaled already."""
        pairs = list(grads_and_vars)
        gradients, variables = [gradient for gradient, _ in pairs], [variable for _, variable in pairs]
        if self.ruled('gradients_come_unscaled'):
            self._apply_if_finite(*self.having_gradients(variables, gradients))
        else:
            self.apply(gradients, variables)

    def follow(self, gradients, variables, loss=None):
        if self.changes_gradients() and self.ruled('gradients_come_unscaled'):
            gradients = self.get_unscaled_gradients(gradients)
        return super().follow(gradients, variables, loss)

    def apply(self, grads, trainable_variables=None):
        """One update by the inner optimizer, unless a gradient is not finite; see `Optimizer.apply`."""
        variables, gradients = self.having_gradients(trainable_variables, grads)
        self._apply_if_finite(variables, self.unscaled(variables, gradients, self.dynamic_scale.value))

    def _apply_if_finite(self, variables, gradients):
        scale, good = self.dynamic_scale.value, self.good_steps.value + 1
        finite = functools.reduce(ops.logical_and, [ops.all(ops.isfinite(gradient)) for gradient in gradients])
        update_if(finite, lambda: self.inner_optimizer.follow(gradients, variables), self.state_of(variables))
        grown = ops.greater_equal(good, int(self.dynamic_growth_steps))
        self.dynamic_scale.assign(ops.where(finite, ops.where(grown, scale * 2.0, scale), scale / 2.0))
        self.good_steps.assign(ops.where(ops.logical_and(finite, ops.logical_not(grown)), good, 0))
        self.iterations.assign(self.iterations.value + 1)

    def finalize_variable_values(self, var_list=None):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        return {'name': self.name, 'inner_optimizer': plain(self.inner_optimizer),
                'initial_scale': self.initial_scale, 'dynamic_growth_steps': self.dynamic_growth_steps}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        arguments = {name: value for name, value in config.items()
                     if name in ('inner_optimizer', 'initial_scale', 'dynamic_growth_steps', 'name')}
        arguments['inner_optimizer'] = _read(arguments['inner_optimizer'], custom_objects)
        return cls(**arguments)


def _check_arguments(given):
    """Raise ValueError for arguments that `LossScaleOptimizer` does not take."""
    if given.pop('dynamic', True) is not True:
        raise ValueError('LossScaleOptimizer: dynamic=False is not supported. For a scale that stays as it is, set '
                         '`loss_scale_factor` of the optimizer itself.')
    inner = [name for name in given if name in LATER]
    if inner:
        raise ValueError('LossScaleOptimizer does not take the arguments: %s. Set them on the `inner_optimizer`.'
                         % ', '.join('`%s`' % name for name in inner))
    if given:
        raise ValueError('LossScaleOptimizer does not take the arguments: %s.'
                         % ', '.join('`%s`' % name for name in given))


class OptimizerMap(MutableMapping):
    """An optimizer for each variable, by its path.

    Args:
        default_optimizer: that of variables whose path no expression matches. optimizer_map: {regular expression for
            whole paths: optimizer}.

    Raises:
        TypeError: for a `default_optimizer` that is none. ValueError: when one is set, for an expression that is there
            already, or an optimizer that holds others; when it is asked, for a path that two expressions match.

    Example:
        >>> optimizers = keras.optimizers.OptimizerMap(keras.optimizers.Adam(), {'embed.*': keras.optimizers.SGD()})
        >>> type(optimizers(keras.Variable([1.0], name='embedding'))).__name__
        'SGD'
    """

    def __init__(self, default_optimizer, optimizer_map=None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError('OptimizerMap: default_optimizer must be a Keras Optimizer instance. Received: %r'
                            % (default_optimizer,))
        if not isinstance(optimizer_map, (dict, type(None))):
            raise TypeError('OptimizerMap: optimizer_map must be a dictionary. Received: %r' % (optimizer_map,))
        self._default = default_optimizer
        self._by_path = dict(optimizer_map or {})

    @property
    def default_optimizer(self):
        return self._default

    def __call__(self, variable):
        return self[variable.path]

    def __getitem__(self, path):
        if path in self._by_path:
            return self._by_path[path]
        found = [expression for expression in self._by_path if re.fullmatch(expression, path)]
        if len(found) > 1:
            raise ValueError('OptimizerMap: Multiple optimizers assigned to variable %s: it matches several of the '
                             'expressions, %s.' % (path, ', '.join(map(repr, sorted(found)))))
        return self._by_path[found[0]] if found else self._default

    def __setitem__(self, path, optimizer):
        if not isinstance(path, str):
            raise ValueError('OptimizerMap: key must be a string. Received: %r' % (path,))
        if path in self._by_path:
            raise ValueError('OptimizerMap: %r already exists in the OptimizerMap. Remove it first.' % path)
        if not isinstance(optimizer, Optimizer):
            raise ValueError('OptimizerMap: optimizer must be a Keras Optimizer instance. Received: %r' % (optimizer,))
        _check_single(optimizer, 'OptimizerMap: an optimizer cannot be %s.')
        self._by_path[path] = optimizer

    def __delitem__(self, path):
        del self._by_path[path]

    def __len__(self):
        return len(self._by_path)

    def __iter__(self):
        return iter(self._by_path)

    def get_config(self):
        return {'default_optimizer': plain(self._default),
                'optimizer_map': {path: plain(optimizer) for path, optimizer in self._by_path.items()}}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(_read(config['default_optimizer'], custom_objects),
                   {path: _read(optimizer, custom_objects) for path, optimizer in config['optimizer_map'].items()})


def _check_single(optimizer, message):
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(message % type(optimizer).__name__)


class MultiOptimizer(Optimizer):
    """Several optimizers, each for its variables.

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that gives its optimizer; an optimizer stands for
            all variables. loss_scale_factor: see `Optimizer`; that of the inner optimizers does not count.
        name: default 'multioptimizer'.

    Raises:
        ValueError: when it is built, for an inner optimizer that holds others.

    Example:
        >>> inner = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.01), {'embedding': keras.optimizers.SGD(0.1)})
        >>> len(keras.optimizers.MultiOptimizer(inner).optimizers)
        2
    """

    def __init__(self, optimizer_map, loss_scale_factor=None, name=None):
        super().__init__(0.0, name=name, loss_scale_factor=loss_scale_factor)
        self.optimizer_map = optimizer_map
        self.optimizers = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in list(optimizer_map.values()) + [optimizer_map.default_optimizer]:
                self._number_of(optimizer)
        self._numbers = []

    def _number_of(self, optimizer):
        """The place of an inner optimizer in the list, where it stands from now on."""
        for number, known in enumerate(self.optimizers):
            if known is optimizer:
                return number
        optimizer.loss_scale_factor = None
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    def optimizer_of(self, variable):
        """The optimizer that updates `variable`."""
        if isinstance(self.optimizer_map, Optimizer):
            return self.optimizer_map
        return self.optimizer_map(variable)

    def build(self, variables):
        variables = ours(variables)
        optimizers = [self.optimizer_of(variable) for variable in variables]
        for variable, optimizer in zip(variables, optimizers):
            if not isinstance(optimizer, Optimizer):
                raise ValueError('MultiOptimizer: Optimizer for variable %s is not an Optimizer instance. Received: %r'
                                 % (variable.path, optimizer))
            _check_single(optimizer, '%s cannot be used inside an MultiOptimizer.')
            self._number_of(optimizer)
        super().build(variables)
        for inner, chosen in self._grouped(variables, variables):
            inner.build([variable for variable, _ in chosen])

    def _grouped(self, variables, others):
        """[(optimizer, pairs of its variables and what belongs to them)]."""
        groups = {}
        for variable, other in zip(variables, others):
            groups.setdefault(self._number_of(self.optimizer_of(variable)), []).append((variable, other))
        return [(self.optimizers[number], groups[number]) for number in sorted(groups)]

    def _apply(self, variables, gradients):
        for optimizer, pairs in self._grouped(variables, gradients):
            optimizer.follow([gradient for _, gradient in pairs], [variable for variable, _ in pairs])
        self.iterations.assign(self.iterations.value + 1)

    def finalize_variable_values(self, var_list=None):
        variables = self.trained_variables if var_list is None else ours(var_list)
        for optimizer, pairs in self._grouped(variables, variables):
            optimizer.finalize_variable_values([variable for variable, _ in pairs])

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(var_list, var_names)

    @property
    def learning_rate(self):
        """That of the last optimizer, the default one of an `OptimizerMap`; setting it sets that of all."""
        return self.optimizers[-1].learning_rate if self.optimizers else self.rate_variable

    @learning_rate.setter
    def learning_rate(self, value):
        for optimizer in self.__dict__.get('optimizers', ()):
            optimizer.learning_rate = value

    lr = learning_rate

    @property
    def state_variables(self):
        return super().state_variables + [variable for optimizer in self.optimizers
                                          for variable in optimizer.state_variables]

    @property
    def read_variables(self):
        return [variable for optimizer in self.optimizers for variable in optimizer.read_variables]

    @property
    def weights(self):
        return self.state_variables

    def variables_in_order(self):
        return [self.iterations, self.rate_variable] + [variable for optimizer in self.optimizers
                                                        for variable in optimizer.variables_in_order()]

    def get_config(self):
        inner = self.optimizer_map
        written = plain(inner)
        if isinstance(inner, OptimizerMap):
            written = {'module': 'keras.optimizers', 'class_name': 'OptimizerMap', 'config': inner.get_config(),
                       'registered_name': None}
        return {'optimizer_map': written, 'loss_scale_factor': self.loss_scale_factor, 'name': self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = config['optimizer_map']
        if isinstance(inner, dict) and inner.get('class_name') == 'OptimizerMap':
            inner = OptimizerMap.from_config(inner['config'], custom_objects)
        elif isinstance(inner, dict) and inner.get('class_name') in kind_in('keras.optimizers').objects:
            inner = _read(inner, custom_objects)
        elif isinstance(inner, (dict, str)):
            inner = deserialize_keras_object(inner, custom_objects=custom_objects)
        return cls(inner, config.get('loss_scale_factor'), config.get('name'))
