"""The optimizers. Each says its slots and calls its rule in `keras.backend.table.composites.optimizers`."""
import re

import numpy as np

from keras import ops
from keras.backend.contract.loading import get_engine
from keras.backend.table.composites import optimizers as rules
from keras.generations import Default
from keras.optimizers.base import LATER, Optimizer, with_epsilon
from keras.saving import forms

EPSILON = Default('optimizer_epsilon')


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

    later = LATER
    slot_names = ('momentum',)

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if not 0 <= momentum <= 1:
            raise ValueError('SGD: `momentum` must be a float between [0, 1]. Received: momentum=%r' % (momentum,))
        self.declare(locals())

    def live_slots(self):
        return self.slot_names if self.momentum else ()

    def update(self, variables, gradients, learning_rate):
        momenta = self.slots('momentum', variables) if self.momentum else None
        rules.sgd_update(variables, gradients, momenta, learning_rate, float(self.momentum), bool(self.nesterov))


class RMSprop(Optimizer):
    """Gradients divided by a moving root mean square of themselves: Hinton (2012).

    Args:
        learning_rate: a float or a schedule. rho: the momentum of the mean square.
        epsilon: keeps the divisor away from 0, default that of the configuration. It is added to the root, in
            tf.keras and Keras 3 under it.
        momentum: the part of the last change that is made again.
        centered: divide by the standard deviation instead.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.RMSprop(0.001, rho=0.9).rho
        0.9
    """

    later = LATER + ('momentum', 'centered')
    slot_names = ('velocity', 'momentum', 'average')
    slot_names_in_3 = {'average': 'average_gradient'}
    slot_groups = (('velocity',), ('momentum',), ('average',))

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=EPSILON, centered=False, **kwargs):
        super().__init__(learning_rate, **kwargs)
        epsilon = with_epsilon(epsilon)
        self.declare(locals())

    def live_slots(self):
        return ('velocity',) + (('momentum',) if self.momentum else ()) + (('average',) if self.centered else ())

    def _unused(self, slot):
        return []  # Keras 2 knows neither momentum nor averages here

    def _is_under_root(self):
        rule = self.ruled('epsilon_under_root')
        return rule == 'always' or rule == 'with momentum' and bool(self.momentum)

    def update(self, variables, gradients, learning_rate):
        rules.rmsprop_update(variables, gradients, self.slots('velocity', variables), learning_rate, float(self.rho),
                             self.epsilon, self.slots('momentum', variables) if self.momentum else None,
                             float(self.momentum), self.slots('average', variables) if self.centered else None,
                             self._is_under_root())


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares: Duchi et al. (2011).

    Args:
        learning_rate: a float or a schedule.
        initial_accumulator_value: where the sums begin; default 0, in tf.keras and Keras 3 0.1.
        epsilon: see `RMSprop`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adagrad(0.01).epsilon
        1e-07
    """

    later = LATER
    slot_names = ('accumulator',)

    def __init__(self, learning_rate=Default('Adagrad.learning_rate'),
                 initial_accumulator_value=Default('Adagrad.initial_accumulator_value'),
                 epsilon=EPSILON, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if initial_accumulator_value is None:
            initial_accumulator_value = self.ruled('Adagrad.initial_accumulator_value')
        epsilon = with_epsilon(epsilon)
        self.declare(locals())

    def slot_initializer(self, slot):
        return {'class_name': 'Constant', 'config': {'value': self.initial_accumulator_value}}

    def update(self, variables, gradients, learning_rate):
        rules.adagrad_update(variables, gradients, self.slots('accumulator', variables), learning_rate, self.epsilon,
                             self.ruled('epsilon_under_root') == 'always')

    def get_config(self):
        config = super().get_config()
        if self.initial_accumulator_value == self.ruled('Adagrad.initial_accumulator_value') == 0:  # unknown to Keras 2
            del config['initial_accumulator_value']
        return config


class Adadelta(Optimizer):
    """`RMSprop` whose steps are scaled by the root mean square of earlier ones: Zeiler (2012).

    Args:
        learning_rate: a float or a schedule. rho: the momentum of the mean squares. epsilon: see `RMSprop`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adadelta().rho
        0.95
    """

    later = LATER
    slot_names = ('accumulator', 'delta_accumulator')
    slot_names_in_3 = {'accumulator': 'accumulated_grad', 'delta_accumulator': 'accumulated_delta_var'}

    def __init__(self, learning_rate=Default('Adadelta.learning_rate'), rho=0.95, epsilon=EPSILON, **kwargs):
        super().__init__(learning_rate, **kwargs)
        epsilon = with_epsilon(epsilon)
        self.declare(locals())

    def update(self, variables, gradients, learning_rate):
        rules.adadelta_update(variables, gradients, self.slots('accumulator', variables),
                              self.slots('delta_accumulator', variables), learning_rate, float(self.rho), self.epsilon)


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

    later = LATER
    slot_names = ('momentum', 'velocity', 'velocity_hat')
    slot_groups = (('momentum', 'velocity'), ('velocity_hat',))

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, amsgrad=False, epsilon=EPSILON, **kwargs):
        if not isinstance(amsgrad, (bool, int)):
            epsilon, amsgrad = amsgrad, epsilon is not EPSILON and bool(epsilon)
        super().__init__(learning_rate, **kwargs)
        epsilon, amsgrad = with_epsilon(epsilon), bool(amsgrad)
        self.declare(locals())

    def live_slots(self):
        return self.slot_names if self.amsgrad else self.slot_names[:2]

    def slot_shape(self, slot, variable):
        # Without amsgrad Keras 2 keeps one 0 in the place of each of the largest mean squares.
        return (1,) if slot == 'velocity_hat' and not self.amsgrad else variable.shape

    def update(self, variables, gradients, learning_rate):
        rules.adam_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                          self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon,
                          self.slots('velocity_hat', variables) if self.amsgrad else None)


class AdamW(Adam):
    """`Adam` with decoupled weight decay: Loshchilov and Hutter (2017).

    Args:
        learning_rate, beta_1, beta_2, epsilon, amsgrad: see `Adam`. weight_decay: see `Optimizer`.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.AdamW(0.001).weight_decay
        0.004
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=EPSILON,
                 amsgrad=False, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, amsgrad, epsilon, weight_decay=weight_decay, **kwargs)
        if weight_decay is None:
            raise ValueError('AdamW: Argument `weight_decay` must be a float. Received: weight_decay=None. Without it '
                             'the optimizer is `Adam`.')


class Adamax(Optimizer):
    """`Adam` with the infinity norm in the place of the mean square: Kingma and Ba (2014, section 7).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2: momentum of the mean and of the norm.
        epsilon: see `RMSprop`. **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adamax().beta_2
        0.999
    """

    later = LATER
    slot_names = ('momentum', 'norm')

    def __init__(self, learning_rate=Default('Adamax.learning_rate'), beta_1=0.9, beta_2=0.999, epsilon=EPSILON,
                 **kwargs):
        super().__init__(learning_rate, **kwargs)
        epsilon = with_epsilon(epsilon)
        self.declare(locals())

    def update(self, variables, gradients, learning_rate):
        rules.adamax_update(variables, gradients, self.slots('momentum', variables), self.slots('norm', variables),
                            self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon)


class Nadam(Optimizer):
    """`Adam` with Nesterov momentum: Dozat (2016).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2, epsilon: see `Adam`.
        schedule_decay: how fast the momentum comes to `beta_1`; default 0.004, in tf.keras
            and Keras 3 1.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Nadam().schedule_decay
        0.004
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=Default('Nadam.learning_rate'), beta_1=0.9, beta_2=0.999, epsilon=EPSILON,
                 schedule_decay=None, **kwargs):
        super().__init__(learning_rate, **kwargs)
        epsilon = with_epsilon(epsilon)
        if schedule_decay is None:
            schedule_decay = self.ruled('Nadam.schedule_decay')
        self.declare(locals())
        self.m_schedule = self.add_variable((), 'ones', self.rate_variable.dtype, name='m_schedule')

    def get_config(self):
        config = super().get_config()
        if forms.is_full(self) and self.schedule_decay == self.ruled('Nadam.schedule_decay'):
            del config['schedule_decay']
        return config

    def update(self, variables, gradients, learning_rate):
        rules.nadam_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                           self.m_schedule, self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2),
                           self.epsilon, float(self.schedule_decay))


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
        if not 0 < beta_1 <= 1:
            raise ValueError('Lion: Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer '
                             'degenerates to SignSGD. Received: beta_1=%r.' % (beta_1,))
        self.declare(locals())

    def update(self, variables, gradients, learning_rate):
        rules.lion_update(variables, gradients, self.slots('momentum', variables), learning_rate, float(self.beta_1),
                          float(self.beta_2))


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
    slots_by_weight = True
    _strengths = ('l1_regularization_strength', 'l2_regularization_strength', 'l2_shrinkage_regularization_strength')

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0,
                 l2_shrinkage_regularization_strength=0.0, beta=0.0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.declare(locals())
        for argument in self._strengths + ('initial_accumulator_value',):
            if getattr(self, argument) < 0:
                raise ValueError('`%s` needs to be positive or zero. Received: %s=%r.'
                                 % (argument, argument, getattr(self, argument)))
        if learning_rate_power > 0:
            raise ValueError('`learning_rate_power` needs to be negative or zero. Received: learning_rate_power=%r.'
                             % (learning_rate_power,))

    def slot_initializer(self, slot):
        value = self.initial_accumulator_value if slot == 'accumulator' else 0.0
        return {'class_name': 'Constant', 'config': {'value': value}}

    def update(self, variables, gradients, learning_rate):
        l1, l2, shrinkage = [float(getattr(self, argument)) for argument in self._strengths]
        rules.ftrl_update(variables, gradients, self.slots('accumulator', variables), self.slots('linear', variables),
                          learning_rate, float(self.learning_rate_power), l1, l2, shrinkage, float(self.beta))


class Lamb(Optimizer):
    """`Adam` with steps scaled to the size of each variable: You et al. (2019).

    Args:
        learning_rate: a float or a schedule. beta_1, beta_2, epsilon: see `Adam`. **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Lamb().beta_1
        0.9
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=EPSILON, **kwargs):
        super().__init__(learning_rate, **kwargs)
        epsilon = with_epsilon(epsilon)
        self.declare(locals())

    def update(self, variables, gradients, learning_rate):
        rules.lamb_update(variables, gradients, self.slots('momentum', variables), self.slots('velocity', variables),
                          self.step_number(), learning_rate, float(self.beta_1), float(self.beta_2), self.epsilon)


class Adafactor(Optimizer):
    """`RMSprop` that keeps only row and column means of the squares: Shazeer and Stern (2018).

    Args:
        learning_rate: a float or a schedule. beta_2_decay: exponent of the step in the momentum of the means.
        epsilon_1, epsilon_2: smallest square, and smallest size of a variable. clip_threshold: of the change's
            root mean square. relative_step: as in Keras 3, the rate is at most
            1 / sqrt(step) with and without it.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Adafactor().clip_threshold
        1.0
    """

    slot_names = ('row', 'column', 'velocity')

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=0.001, clip_threshold=1.0,
                 relative_step=True, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.declare(locals())

    def slot_shape(self, slot, variable):
        shape = variable.shape
        if len(shape) < 2:
            return shape if slot == 'velocity' else ()
        return {'row': shape[:-1], 'column': shape[:-2] + shape[-1:], 'velocity': ()}[slot]

    def save_own_variables(self, store):
        kept = {}
        super().save_own_variables(kept)
        for number, shape in self._whole_velocities():
            kept[number] = np.zeros(shape, 'float32')
        for number, value in kept.items():
            store[number] = value

    def load_own_variables(self, store):
        needless = {number for number, _ in self._whole_velocities()}
        super().load_own_variables({number: np.zeros(()) if number in needless else store[number] for number in store})

    def _whole_velocities(self):
        """(number in a file, shape) of the squares of matrices, which Keras 3 keeps but does not use."""
        velocities = self.slots('velocity', self.trained_variables)
        shapes = {id(slot): variable.shape for variable, slot in zip(self.trained_variables, velocities)
                  if slot is not None and len(variable.shape) > 1}
        return [(str(number), shapes[id(variable)]) for number, variable in enumerate(self.variables_in_order())
                if id(variable) in shapes]

    def update(self, variables, gradients, learning_rate):
        rules.adafactor_update(variables, gradients, self.slots('row', variables), self.slots('column', variables),
                               self.slots('velocity', variables), self.step_number(), learning_rate,
                               float(self.beta_2_decay), float(self.epsilon_1), float(self.epsilon_2),
                               float(self.clip_threshold))


class ScheduleFreeAdamW(Optimizer):
    """`AdamW` without a schedule: gradients are taken between an average of the steps and the last one: Defazio et al.,
    The Road Less Scheduled (2024).

    Args:
        learning_rate: a float or a schedule. beta_1: where between the two the variables stand. beta_2, epsilon: see
            `Adam`. warmup_steps: the number of updates in which the learning rate rises on a line.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.ScheduleFreeAdamW(warmup_steps=10).beta_1
        0.9
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-08, warmup_steps=0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.declare(locals())

    def _new_slot(self, reference, name, shape=None, initializer='zeros'):
        slot = super()._new_slot(reference, name, shape, initializer)
        if name == 'momentum':  # where the steps lead, which begins where the variable is
            slot.assign(reference.numpy())
        return slot

    def update(self, variables, gradients, learning_rate):
        step = self.step_number()
        if self.warmup_steps:
            learning_rate = learning_rate * ops.minimum(step / float(self.warmup_steps), 1.0)
        rules.schedule_free_update(variables, gradients, self.slots('momentum', variables),
                                   self.slots('velocity', variables), step, learning_rate, float(self.beta_1),
                                   float(self.beta_2), float(self.epsilon))


class Muon(Optimizer):
    """Steps along the momentum made orthogonal, for matrices; `AdamW` for all other variables: Jordan et al. (2024).

    Args:
        learning_rate: a float or a schedule. momentum, nesterov: see `SGD`. ns_steps: number of iterations of Newton
            and Schulz. muon_a, muon_b, muon_c: the coefficients of their polynomial.
        rms_rate: matrices of m rows and n columns move by `rms_rate * sqrt(max(m, n))` times the orthogonal matrix;
            None for the matrix itself. weight_decay: of the matrices.
        adam_beta_1, adam_beta_2, epsilon, adam_weight_decay: of the others, see `AdamW`. adam_lr_ratio: their learning
            rate as a part of `learning_rate`.
        exclude_layers: regular expressions; matrices whose path has one count as others. exclude_embeddings: whether
            embeddings do.
        **kwargs: see `Optimizer`.

    Example:
        >>> keras.optimizers.Muon(0.02, exclude_layers=['output']).ns_steps
        5
    """

    slot_names = ('momentum', 'velocity')

    def __init__(self, learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999, adam_weight_decay=0.004, epsilon=1e-07,
                 weight_decay=0.004, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, exclude_layers=None, exclude_embeddings=True,
                 muon_a=3.4445, muon_b=-4.775, muon_c=2.0315, adam_lr_ratio=1, momentum=0.95, ns_steps=5, nesterov=True,
                 rms_rate=0.2, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, clipnorm=clipnorm, clipvalue=clipvalue,
                         global_clipnorm=global_clipnorm, use_ema=use_ema, ema_momentum=ema_momentum,
                         ema_overwrite_frequency=ema_overwrite_frequency, loss_scale_factor=loss_scale_factor,
                         gradient_accumulation_steps=gradient_accumulation_steps, name=name, **kwargs)
        exclude_layers = list(exclude_layers or ())
        self.declare(locals())

    def is_orthogonal(self, variable):
        """Whether steps of `variable` are made orthogonal."""
        return len(variable.shape) == 2 and not (self.exclude_embeddings and 'embedding' in variable.path.lower()) \
            and not any(re.search(pattern, variable.path) for pattern in self.exclude_layers)

    def lr_adjust(self, x):
        """The tensor `x` of at least two axes, a direction to go, as long as steps along it are (see `rms_rate`).

        Example:
            >>> float(keras.optimizers.Muon(rms_rate=0.5).lr_adjust(np.ones((4, 1)))[0, 0])
            1.0
        """
        return x if self.rms_rate is None else x * (self.rms_rate * max(x.shape[0], x.shape[1]) ** 0.5)

    def zeropower_via_newtonschulz5(self, x, steps):
        """The orthogonal matrix next to the matrix `x`, roughly, after `steps` iterations.

        Raises:
            ValueError: for what is not a matrix.

        Example:
            >>> keras.optimizers.Muon().zeropower_via_newtonschulz5(np.eye(2, dtype='float32'), 5).shape
            (2, 2)
        """
        return rules.near_orthogonal(get_engine().convert(x), (self.muon_a, self.muon_b, self.muon_c), int(steps))

    def slot_shape(self, slot, variable):
        return None if slot == 'velocity' and self.is_orthogonal(variable) else variable.shape

    def _split(self, variables, others):
        """The pairs of the matrices, and those of the other variables."""
        pairs = list(zip(variables, others))
        matrices = [pair for pair in pairs if self.is_orthogonal(pair[0])]
        return matrices, [pair for pair in pairs if not self.is_orthogonal(pair[0])]

    def decay_weights(self, variables, learning_rate):
        for pairs, decay in zip(self._split(variables, variables), (self.weight_decay, self.adam_weight_decay)):
            decayed = [variable for variable, _ in pairs if self.is_decayed(variable)]
            if decay and decayed:
                rules.decay_weights(decayed, float(decay), learning_rate)

    def update(self, variables, gradients, learning_rate):
        matrices, others = map(_unzipped, self._split(variables, gradients))
        rules.muon_update(matrices[0], matrices[1], self.slots('momentum', matrices[0]), learning_rate,
                          float(self.momentum), bool(self.nesterov), (self.muon_a, self.muon_b, self.muon_c),
                          int(self.ns_steps), self.rms_rate)
        rules.adam_update(others[0], others[1], self.slots('momentum', others[0]), self.slots('velocity', others[0]),
                          self.step_number(), learning_rate * float(self.adam_lr_ratio), float(self.adam_beta_1),
                          float(self.adam_beta_2), float(self.epsilon), None)


def _unzipped(pairs):
    return [first for first, _ in pairs], [second for _, second in pairs]


class TFOptimizer(Optimizer):
    """An optimizer of the engine's own in the place of one of Keras's: any object with `apply_gradients(pairs)`.

    It gets the engine's own variables, and keeps its state itself.

    Args:
        optimizer: the object.

    Example:
        >>> class Nothing:
        ...     def apply_gradients(self, pairs):
        ...         pass
        >>> optimizer = keras.optimizers.TFOptimizer(Nothing())
    """

    def __init__(self, optimizer):
        super().__init__(0.0)
        self.optimizer = optimizer

    def update(self, variables, gradients, learning_rate):
        with get_engine().in_storage(variables):
            self.optimizer.apply_gradients([(gradient, variable.storage)
                                            for gradient, variable in zip(gradients, variables)])

    def get_config(self):
        raise NotImplementedError('TFOptimizer cannot be saved: the optimizer that it wraps is not Keras\'s. Use the '
                                  'Keras optimizer of the same name.')
