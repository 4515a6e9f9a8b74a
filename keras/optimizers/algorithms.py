"""The optimizers. Each says its slots and calls its rule in `keras.backend.composites.optimizers`."""
import functools

from keras import ops
from keras.backend.composites import optimizers as rules
from keras.backend.composites.shape import dtype_of
from keras.optimizers.base import Optimizer, update_if, with_epsilon


class SGD(Optimizer):
    """Gradient descent, with momentum.

    Args:
        learning_rate: a float or a schedule. momentum: the part of the last change that is made again.
        nesterov: look ahead along the momentum (Nesterov, 1983).
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True).momentum
        0.9
    """

    slot_names = ('momentum',)

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError('SGD: `momentum` must lie between 0 and 1. Received: momentum=%r' % (momentum,))
        self.momentum = momentum
        self.nesterov = nesterov

    def live_slots(self):
        return self.slot_names if self.momentum else ()

    def update(self, variables, gradients, learning_rate):
        momenta = self.slots('momentum', variables) if self.momentum else None
        rules.sgd_update(variables, gradients, momenta, learning_rate, float(self.momentum), bool(self.nesterov))

    def get_config(self):
        return dict(super().get_config(), momentum=self.momentum, decay=self.decay, nesterov=self.nesterov)


class RMSprop(Optimizer):
    """Gradients divided by a moving root mean square of themselves: Hinton (2012).

    Args:
        learning_rate: a float or a schedule. rho: the momentum of the mean square.
        epsilon: keeps the divisor away from 0, default that of the configuration. It is added to the root, with
            `generation=3` under it.
        momentum: the part of the last change that is made again.
        centered: divide by the standard deviation instead.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.RMSprop(0.001, rho=0.9).rho
        0.9
    """

    slot_names = ('velocity', 'momentum', 'average')

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=None, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = with_epsilon(epsilon)
        self.centered = centered

    def live_slots(self):
        return ('velocity',) + (('momentum',) if self.momentum else ()) + (('average',) if self.centered else ())

    def _unused(self, slot):
        return []  # Keras 2 knows neither momentum nor averages here

    def update(self, variables, gradients, learning_rate):
        rules.rmsprop_update(variables, gradients, self.slots('velocity', variables), learning_rate, float(self.rho),
                             self.epsilon, self.slots('momentum', variables) if self.momentum else None,
                             float(self.momentum), self.slots('average', variables) if self.centered else None,
                             self.generation == 3)

    def get_config(self):
        arguments = dict(super().get_config(), rho=self.rho, decay=self.decay, epsilon=self.epsilon)
        if self.momentum or self.centered:
            arguments.update(momentum=self.momentum, centered=self.centered)
        return arguments


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares: Duchi et al. (2011).

    Args:
        learning_rate: a float or a schedule.
        initial_accumulator_value: where the sums begin; default 0, with `generation=3` 0.1.
        epsilon: see `RMSprop`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adagrad(0.01).epsilon
        1e-07
    """

    slot_names = ('accumulator',)

    def __init__(self, learning_rate=0.01, initial_accumulator_value=None, epsilon=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if initial_accumulator_value is None:
            initial_accumulator_value = 0.1 if self.generation == 3 else 0.0
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = with_epsilon(epsilon)

    def slot_initializer(self, slot):
        return {'class_name': 'Constant', 'config': {'value': self.initial_accumulator_value}}

    def update(self, variables, gradients, learning_rate):
        rules.adagrad_update(variables, gradients, self.slots('accumulator', variables), learning_rate, self.epsilon,
                             self.generation == 3)

    def get_config(self):
        arguments = dict(super().get_config(), decay=self.decay, epsilon=self.epsilon)
        if self.initial_accumulator_value:
            arguments['initial_accumulator_value'] = self.initial_accumulator_value
        return arguments


class Adadelta(Optimizer):
    """`RMSprop` whose steps are scaled by the root mean square of earlier ones: Zeiler (2012).

    Args:
        learning_rate: a float or a schedule. rho: the momentum of the mean squares. epsilon: see `RMSprop`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adadelta().rho
        0.95
    """

    slot_names = ('accumulator', 'delta_accumulator')

    def __init__(self, learning_rate=1.0, rho=0.95, epsilon=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.epsilon = with_epsilon(epsilon)

    def update(self, variables, gradients, learning_rate):
        rules.adadelta_update(variables, gradients, self.slots('accumulator', variables),
                              self.slots('delta_accumulator', variables), learning_rate, float(self.rho), self.epsilon)

    def get_config(self):
        return dict(super().get_config(), rho=self.rho, decay=self.decay, epsilon=self.epsilon)


class Adam(Optimizer):
    """Moving means of the gradients, divided by the root of those of their squares: Kingma and Ba (2014).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2: momentum of the mean and of the mean square.
        amsgrad: use the largest mean square so far: Reddi et al. (2018).
        epsilon: see `RMSprop`. As in Keras 3 and Keras 2.2 it may also stand fourth.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adam(lr=0.002).beta_1
        0.9
    """

    slot_names = ('momentum', 'velocity', 'velocity_hat')

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, amsgrad=False, epsilon=None, **kwargs):
        if not isinstance(amsgrad, (bool, int)):
            epsilon, amsgrad = amsgrad, bool(epsilon)
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = with_epsilon(epsilon)
        self.amsgrad = bool(amsgrad)

    def live_slots(self):
        return self.slot_names if self.amsgrad else self.slot_names[:2]

    def slot_shape(self, slot, variable):
        # Without amsgrad Keras 2 keeps one 0 in the place of each of the largest mean squares.
        return (1,) if slot == 'velocity_hat' and not self.amsgrad else variable.shape

    def update(self, variables, gradients, learning_rate):
        rules.adam_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                          self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon,
                          self.slots('velocity_hat', variables) if self.amsgrad else None)

    def get_config(self):
        return dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2, decay=self.decay,
                    epsilon=self.epsilon, amsgrad=self.amsgrad)


class AdamW(Adam):
    """`Adam` with decoupled weight decay: Loshchilov and Hutter (2017).

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see `Adam`. weight_decay: see `Optimizer`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.AdamW(0.001).weight_decay
        0.004
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=None, amsgrad=False,
                 **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, amsgrad, epsilon, weight_decay=weight_decay, **kwargs)


class Adamax(Optimizer):
    """`Adam` with the infinity norm in the place of the mean square: Kingma and Ba (2014, section 7).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2: momentum of the mean and of the norm.
        epsilon: see `RMSprop`. **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adamax().beta_2
        0.999
    """

    slot_names = ('momentum', 'norm')

    def __init__(self, learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = with_epsilon(epsilon)

    def update(self, variables, gradients, learning_rate):
        rules.adamax_update(variables, gradients, self.slots('momentum', variables), self.slots('norm', variables),
                            self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon)

    def get_config(self):
        return dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2, decay=self.decay,
                    epsilon=self.epsilon)


class Nadam(Optimizer):
    """`Adam` with Nesterov momentum: Dozat (2016).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2, epsilon: see `Adam`.
        schedule_decay: how fast the momentum comes to `beta_1`; default 0.004, with `generation=3` 1.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Nadam().schedule_decay
        0.004
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=None, schedule_decay=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = with_epsilon(epsilon)
        if schedule_decay is None:
            schedule_decay = 1.0 if self.generation == 3 else 0.004
        self.schedule_decay = schedule_decay
        self.m_schedule = self.add_variable((), 'ones', self._rate.dtype, name='m_schedule')

    def update(self, variables, gradients, learning_rate):
        rules.nadam_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                           self.m_schedule, self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2),
                           self.epsilon, float(self.schedule_decay))

    def get_config(self):
        arguments = dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon,
                         schedule_decay=self.schedule_decay)
        return dict(arguments, decay=self.decay) if self.decay else arguments


class Lion(Optimizer):
    """Steps of equal size along the sign of an interpolated momentum: Chen et al. (2023).

    Args:
        learning_rate: a float or a schedule. beta_1: part of the momentum in the direction.
        beta_2: momentum of the mean of the gradients. **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Lion().beta_2
        0.99
    """

    slot_names = ('momentum',)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def update(self, variables, gradients, learning_rate):
        rules.lion_update(variables, gradients, self.slots('momentum', variables), learning_rate, float(self.beta_1),
                          float(self.beta_2))

    def get_config(self):
        return dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2)


class Ftrl(Optimizer):
    """Follow the regularized leader: McMahan et al. (2013).

    Args:
        learning_rate: a float or a schedule. learning_rate_power: at most 0; how the rate falls.
        initial_accumulator_value: where the sums of squares begin.
        l1_regularization_strength, l2_regularization_strength, l2_shrinkage_regularization_strength: at least 0.
        beta: the paper's beta. **kwargs: see `Optimizer`.

    Raises:
        ValueError: for an argument out of its range.

    Example:
        >>> keras.optimizers.Ftrl().beta
        0.0
    """

    slot_names = ('accumulator', 'linear')
    _strengths = ('l1_regularization_strength', 'l2_regularization_strength', 'l2_shrinkage_regularization_strength')

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0,
                 l2_shrinkage_regularization_strength=0.0, beta=0.0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for argument in self._strengths + ('initial_accumulator_value',):
            if getattr(self, argument) < 0:
                raise ValueError('Ftrl: `%s` must be at least 0. Received: %r' % (argument, getattr(self, argument)))
        if learning_rate_power > 0:
            raise ValueError('Ftrl: `learning_rate_power` must be at most 0. Received: %r' % (learning_rate_power,))

    def slot_initializer(self, slot):
        value = self.initial_accumulator_value if slot == 'accumulator' else 0.0
        return {'class_name': 'Constant', 'config': {'value': value}}

    def update(self, variables, gradients, learning_rate):
        l1, l2, shrinkage = [float(getattr(self, argument)) for argument in self._strengths]
        rules.ftrl_update(variables, gradients, self.slots('accumulator', variables), self.slots('linear', variables),
                          learning_rate, float(self.learning_rate_power), l1, l2, shrinkage, float(self.beta))

    def get_config(self):
        own = self._strengths + ('learning_rate_power', 'initial_accumulator_value', 'beta')
        return dict(super().get_config(), **{argument: getattr(self, argument) for argument in own})


class Lamb(Optimizer):
    """`Adam` with steps scaled to the size of each variable: You et al. (2019).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2, epsilon: see `Adam`. **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Lamb().beta_1
        0.9
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = with_epsilon(epsilon)

    def update(self, variables, gradients, learning_rate):
        rules.lamb_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                          self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon)

    def get_config(self):
        return dict(super().get_config(), beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)


class Adafactor(Optimizer):
    """`RMSprop` that keeps only row and column means of the squares: Shazeer and Stern (2018).

    Args:
        learning_rate: a float or a schedule. beta_2_decay: exponent of the step in the momentum of the means.
        epsilon_1, epsilon_2: smallest square, and smallest size of a variable. clip_threshold: of the change's
            root mean square. relative_step: the rate is at most 1 / sqrt(step).
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adafactor().clip_threshold
        1.0
    """

    slot_names = ('row', 'column', 'velocity')

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=0.001, clip_threshold=1.0,
                 relative_step=True, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def slot_shape(self, slot, variable):
        shape = variable.shape
        if len(shape) < 2:
            return shape if slot == 'velocity' else ()
        return {'row': shape[:-1], 'column': shape[:-2] + shape[-1:], 'velocity': ()}[slot]

    def update(self, variables, gradients, learning_rate):
        rules.adafactor_update(variables, gradients, self.slots('row', variables), self.slots('column', variables),
                               self.slots('velocity', variables), self.step_number(), learning_rate,
                               float(self.beta_2_decay), float(self.epsilon_1), float(self.epsilon_2),
                               float(self.clip_threshold), bool(self.relative_step))

    def get_config(self):
        own = ('beta_2_decay', 'epsilon_1', 'epsilon_2', 'clip_threshold', 'relative_step')
        return dict(super().get_config(), **{argument: getattr(self, argument) for argument in own})


class LossScaleOptimizer(Optimizer):
    """Another optimizer behind a dynamic scale of the loss, for training in float16.

    The loss is multiplied by the scale (`scale_loss`) and the gradients are divided by it. An update whose
    gradients are not finite is left out and halves the scale; `dynamic_growth_steps` good ones double it.

    Args:
        inner_optimizer: the optimizer that makes the updates. initial_scale: the first scale.
        dynamic_growth_steps: number of updates. name: default 'lossscaleoptimizer'.

    Example:
        >>> keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)).initial_scale
        32768.0
    """

    def __init__(self, inner_optimizer, initial_scale=32768.0, dynamic_growth_steps=2000, name=None, **kwargs):
        super().__init__(0.0, name=name, **kwargs)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.dynamic_scale = self.add_variable(
            (), {'class_name': 'Constant', 'config': {'value': initial_scale}}, 'float32', name='dynamic_scale')
        self.good_steps = self.add_variable((), 'zeros', 'int32', name='good_steps')

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
    def variables(self):
        return super().variables + self.inner_optimizer.variables

    @property
    def weights(self):
        return super().weights + self.inner_optimizer.weights

    def scale_loss(self, loss):
        return loss * ops.cast(self.dynamic_scale.value, dtype_of(loss))

    def apply(self, grads, trainable_variables=None):
        """One update by the inner optimizer, unless a gradient is not finite; see `Optimizer.apply`."""
        variables = self._trained if trainable_variables is None else trainable_variables
        variables, gradients = self._usable(variables, grads)
        scale, good = self.dynamic_scale.value, self.good_steps.value + 1
        finite = functools.reduce(ops.logical_and, [ops.all(ops.isfinite(gradient)) for gradient in gradients])
        gradients = [gradient / ops.cast(scale, variable.dtype) for variable, gradient in zip(variables, gradients)]
        update_if(finite, lambda: self.inner_optimizer.apply(gradients, variables), self._state_of(variables))
        grown = ops.greater_equal(good, int(self.dynamic_growth_steps))
        self.dynamic_scale.assign(ops.where(finite, ops.where(grown, scale * 2.0, scale), scale / 2.0))
        self.good_steps.assign(ops.where(ops.logical_and(finite, ops.logical_not(grown)), good, 0))
        self.iterations.assign(self.iterations.value + 1)

    def finalize_variable_values(self, var_list=None):
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self):
        return {'inner_optimizer': {'class_name': type(self.inner_optimizer).__name__,
                                    'config': self.inner_optimizer.get_config()},
                'initial_scale': self.initial_scale, 'dynamic_growth_steps': self.dynamic_growth_steps}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from keras import optimizers
        arguments = {name: value for name, value in config.items()
                     if name in ('inner_optimizer', 'initial_scale', 'dynamic_growth_steps', 'name')}
        arguments['inner_optimizer'] = optimizers.deserialize(arguments['inner_optimizer'], custom_objects)
        return cls(**arguments)


class TFOptimizer(Optimizer):
    """An optimizer of the engine's own in the place of one of Keras's: any object with `apply_gradients(pairs)`.

    It gets the engine's own variables, and keeps its state itself.

    Args:
        optimizer: the object.

    Example:
        >>> keras.optimizers.TFOptimizer(tf.compat.v1.train.AdamOptimizer()).optimizer
    """

    def __init__(self, optimizer):
        super().__init__(0.0)
        self.optimizer = optimizer

    def update(self, variables, gradients, learning_rate):
        self.optimizer.apply_gradients([(gradient, variable.storage)
                                        for gradient, variable in zip(gradients, variables)])

    def get_config(self):
        raise NotImplementedError('TFOptimizer cannot be saved: the optimizer that it wraps is not Keras\'s. Use the '
                                  'Keras optimizer of the same name.')
