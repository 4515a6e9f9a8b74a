"""Batch and layer normalization."""
from keras import ops
from keras.backend.contract.context import context
from keras.backend.contract.ledger import FacingLedger
from keras.backend.table.composites import nn
from keras.backend.table.composites.math import l2_normalize
from keras.backend.table.composites.shape import count
from keras.layers.arguments import ANY, positive_integer
from keras.layers.base import InputSpec, Layer  # noqa: F401
from keras.layers.families import SameShape
from keras.saving import forms


class _Normalization(SameShape):
    """Layers that compute in the float type of their weights even where others compute in 16 bits."""

    # Whether inputs are cast to 16 bits before they are cast back.
    rounds_inputs = True

    def _casts(self, dtype):
        return super()._casts(dtype) and (self.rounds_inputs or self.compute_dtype == self.variable_dtype)

    def _dtype_of_arrays(self):
        return self.compute_dtype if self.rounds_inputs else self.variable_dtype

    def run_in_compute_dtype(self, function, args, kwargs):
        inputs = ops.cast(args[0], self.variable_dtype)
        with FacingLedger(None):
            return ops.cast(function(inputs, *args[1:], **kwargs), self.compute_dtype)


class BatchNormalization(_Normalization):
    """Scales each channel to mean 0 and variance 1 over the batch, then by `gamma` and `beta`.

    In training the mean and variance are those of the batch, and moving averages of them are kept; otherwise the
    moving averages are used. They stay as they are where the layer's `trainable` is False; in tf.keras and Keras 3 they
    are then used in training as well.

    Args:
        axis: the axis of the channels: -1, or 1 with channels first.
        momentum: of the moving averages: `average = momentum * average + (1 - momentum) * batch`.
        epsilon: added to the variance.
        center, scale: whether there is a `beta` that is added and a `gamma` that multiplies.
        beta_..., gamma_..., moving_...: initializers, regularizers and constraints of the weights.
        renorm: whether batches are corrected towards moving averages in training, as they are afterwards (Ioffe, Batch
            renormalization, 2017). renorm_clipping: bounds 'rmin' and 'rmax' of the factor and 'dmax' of what is added.
            renorm_momentum: of those averages.
        mode: Keras 1 had three: 0 as said above; 1 scales each sample by itself, along the last axis; 2 takes the mean
            and variance of the batch outside training as well.

    Source: Ioffe and Szegedy, Batch normalization (2015).

    Example:
        >>> y = keras.layers.BatchNormalization()(np.array([[1.0], [3.0]], 'float32'), training=True)
    """
    later = ('mode', 'renorm', 'renorm_clipping', 'renorm_momentum')
    masks_samples = True
    # `fused` says by which kernel, never what comes out.
    without_effect = {'synchronized': False, 'fused': ANY, 'virtual_batch_size': None, 'adjustment': None}
    not_asked = frozenset(('_moments', '_calculate_mean_and_var', '_fused_batch_norm'))

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', moving_mean_initializer='zeros', moving_variance_initializer='ones',
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None,
                 renorm=False, renorm_clipping=None, renorm_momentum=0.99, mode=0, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        unknown = set(renorm_clipping or ()) - {'rmax', 'rmin', 'dmax'}
        if unknown or renorm_clipping and not renorm:
            raise ValueError("BatchNormalization: Received invalid keys: `renorm_clipping` may have the keys 'rmax', "
                             "'rmin' and 'dmax', and needs renorm=True. Received: renorm_clipping=%r, renorm=%r"
                             % (renorm_clipping, renorm))
        _check_clipping(renorm_clipping or {})
        self.axis = _single_axis(axis)
        if mode not in (0, 1, 2):
            raise ValueError('BatchNormalization: `mode` must be 0, 1 or 2. Received: %r' % (mode,))
        if mode == 1 and axis != -1:
            raise ValueError('BatchNormalization: mode=1 works along the last axis only. Received: axis=%r' % (axis,))

    # Of a copy with the channels first: whether the layer itself has channels-last images.
    _images = False

    def get_config(self):
        config = super().get_config()
        return dict(config, synchronized=False) if forms.is_full(self) else config

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError('Layer %r (BatchNormalization): axis=%d does not name an axis behind the batch of inputs '
                             'of shape %s.' % (self.name, self.axis, tuple(input_shape)))
        size = input_shape[self.axis]
        if size is None:
            raise ValueError('Layer %r (BatchNormalization): axis %d of the input must have a known size. Received the '
                             'shape %s.' % (self.name, self.axis, tuple(input_shape)))
        self.gamma = self.add_weight(name='gamma', shape=(size,)) if self.scale else None
        self.beta = self.add_weight(name='beta', shape=(size,)) if self.center else None
        self.moving_mean = self.add_weight(name='moving_mean', shape=(size,), trainable=False)
        self.moving_variance = self.add_weight(name='moving_variance', shape=(size,), trainable=False)
        if self.renorm:
            deviation = _root(self.moving_variance_initializer)
            for name, initializer in (('moving_stddev', deviation), ('renorm_mean', self.moving_mean_initializer),
                                      ('renorm_stddev', deviation)):
                setattr(self, name, self.add_weight(name=name, shape=(size,), initializer=initializer, trainable=False))
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: size})
        self.built = True

    def in_channels_first(self, rank):
        if self.axis % rank != rank - 1 or self.mode == 1:
            return None
        return self.copy_with(axis=1, _images=self._channels_last_images(rank))

    def call(self, inputs, training=None, mask=None):
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if self.mode == 1:
            return self._by_sample(inputs, beta, gamma)
        if self.mode == 2:
            return nn.batch_normalization_train(inputs, self.axis, beta, gamma, self.epsilon)[0]
        if not training or self.is_frozen() and self.ruled('frozen_normalization_infers'):
            return nn.batch_normalization(inputs, self.moving_mean.value, self.moving_variance.value, self.axis, beta,
                                          gamma, self.epsilon)
        if self.renorm:
            return self._renormalized(inputs, beta, gamma, mask)
        if mask is not None and self.ruled('masked_statistics'):
            mean, variance = self._masked_moments(inputs, mask)
            outputs = nn.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)
        else:
            outputs, mean, variance = nn.batch_normalization_train(inputs, self.axis, beta, gamma, self.epsilon)
        if context.updating and not self.is_frozen():
            self._keep(self.moving_mean, mean, 1.0)
            self._keep(self.moving_variance, variance, self._correction(inputs))
        return outputs

    def _renormalized(self, inputs, beta, gamma, mask):
        if mask is not None and self.ruled('masked_statistics'):
            mean, variance = self._masked_moments(inputs, mask)
        else:
            axis = self.axis % ops.ndim(inputs)
            mean, variance = ops.moments(inputs, tuple(other for other in range(ops.ndim(inputs)) if other != axis))
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        usual, usual_mean = self.renorm_stddev.value, self.renorm_mean.value
        bounds = self.renorm_clipping or {}
        factor = ops.clip(ops.divide(deviation, usual), bounds.get('rmin'), bounds.get('rmax'))
        most = bounds.get('dmax')
        shift = ops.clip(ops.divide(ops.subtract(mean, usual_mean), usual), None if most is None else -most, most)
        factor, shift = ops.stop_gradient(factor), ops.stop_gradient(shift)
        # The batch's own statistics, then the correction, then the weights.
        beta = shift if gamma is None else ops.multiply(shift, gamma)
        beta = beta if self.beta is None else ops.add(beta, self.beta.value)
        gamma = factor if gamma is None else ops.multiply(factor, gamma)
        outputs = nn.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)
        if context.updating and not self.is_frozen():
            self._keep_renormalized(mean, deviation)
        return outputs

    def _keep_renormalized(self, mean, deviation):
        for average, value in ((self.renorm_mean, mean), (self.renorm_stddev, deviation)):
            self._keep(average, value, 1.0, self.renorm_momentum)
        self._keep(self.moving_mean, mean, 1.0)
        self._keep(self.moving_stddev, deviation, 1.0)
        variance = ops.subtract(ops.square(self.moving_stddev.value), self.epsilon)
        self.moving_variance.assign(ops.maximum(variance, 0.0))

    def _by_sample(self, inputs, beta, gamma):
        # Keras 1 adds epsilon twice: to the variance and to its root.
        deviation = ops.sqrt(ops.add(ops.var(inputs, -1, keepdims=True), self.epsilon))
        outputs = ops.divide(ops.subtract(inputs, ops.mean(inputs, -1, keepdims=True)),
                             ops.add(deviation, self.epsilon))
        outputs = outputs if gamma is None else ops.multiply(outputs, gamma)
        return outputs if beta is None else ops.add(outputs, beta)

    def _masked_moments(self, inputs, mask):
        """The mean and variance of the channels over what `mask`, of the first axes of `inputs`, leaves."""
        rank = ops.ndim(inputs)
        axes = tuple(index for index in range(rank) if index != self.axis % rank)
        weights = ops.cast(mask, inputs.dtype)
        while ops.ndim(weights) < rank:
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, ops.shape(inputs))
        total = ops.maximum(ops.sum(weights, axes, keepdims=True), self.epsilon)
        mean = ops.sum(inputs * weights, axes, keepdims=True) / total
        variance = ops.sum(ops.square(inputs - mean) * weights, axes, keepdims=True) / total
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def _keep(self, average, value, factor, momentum=None):
        """Let the moving average take in `factor * value`."""
        momentum = self.momentum if momentum is None else momentum
        average.assign(ops.add(ops.multiply(average.value, momentum), ops.multiply(value, factor * (1.0 - momentum))))

    def _correction(self, inputs):
        """What makes the variance of the batch an estimate for all data.

        In Keras 2 that is n / (n - 1 - epsilon). For channels-last images it and tf.keras run a kernel that corrects by
        n / (n - 1), in Keras 2 once more.
        """
        rank = ops.ndim(inputs)
        rule = self.ruled('variance_of_samples')
        images = self._images or self._channels_last_images(rank)
        if rule == 'never' or rule == 'images' and not images:
            return 1.0
        axis = self.axis % rank
        samples = count(inputs, tuple(index for index in range(rank) if index != axis))
        if isinstance(samples, int):
            others = max(samples - 1.0, 1.0)
        else:
            samples = ops.cast(samples, self.variable_dtype)
            others = ops.maximum(ops.subtract(samples, 1.0), 1.0)
        factor = samples / others if images else 1.0
        return factor if rule == 'images' else factor * samples / (others - self.epsilon)

    def _channels_last_images(self, rank):
        return rank == 4 and self.axis % rank == 3


def _root(initializer):
    """An initializer of deviations, from that of variances."""
    def deviation(shape, dtype=None):
        return ops.sqrt(initializer(shape, dtype=dtype))
    return deviation


def _check_clipping(bounds):
    if bounds.get('rmax', 1.0) < bounds.get('rmin', 0.0):
        raise ValueError('BatchNormalization: in `renorm_clipping` rmax should be at least rmin. Received: %r'
                         % (bounds,))
    if bounds.get('dmax', 0.0) < 0:
        raise ValueError('BatchNormalization: in `renorm_clipping` dmax should be non-negative. Received: %r'
                         % (bounds,))


def _axes(axis, layer):
    """An axis, or a list of axes."""
    for each in axis if isinstance(axis, (list, tuple)) else [axis]:
        if isinstance(each, bool) or not hasattr(each, '__index__'):
            raise TypeError("%s: Expected an int or a list/tuple of ints for the argument 'axis'. Invalid value for "
                            '`axis` argument: expected an int or a list/tuple of ints. Received: %r' % (layer, axis))
    return list(axis) if isinstance(axis, (list, tuple)) else axis


def _single_axis(axis):
    """tf.keras writes [3] for 3."""
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, bool) or not hasattr(axis, '__index__'):
        raise ValueError('BatchNormalization: `axis` must be an int. Received: %r' % (axis,))
    return int(axis)


class SyncBatchNormalization(BatchNormalization):
    """`BatchNormalization` over the batch of all devices, under the name of tf.keras.

    Where `keras.distribution` spreads a batch, every `BatchNormalization` sees the whole of it: the two are the same.

    Args:
        axis, momentum, epsilon, center, scale, beta_..., gamma_..., moving_...: see `BatchNormalization`.
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', moving_mean_initializer='zeros', moving_variance_initializer='ones',
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):
        super().__init__(axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer,
                         moving_mean_initializer, moving_variance_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)


def _axes_as_built(layer):
    """The list of axes of a layer, which it has as an attribute from now on, where Keras 3 has it so."""
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    if layer.ruled('configs_are_full'):
        layer.axis = axes
    return axes


class LayerNormalization(_Normalization):
    """Scales each sample to mean 0 and variance 1 along `axis`, then by `gamma` and `beta`.

    Args:
        axis: the axis or axes, default the last. epsilon: added to the variance.
        center, scale: whether there is a `beta` that is added and a `gamma` that multiplies.
        beta_..., gamma_...: initializers, regularizers and constraints of the weights.
        rms_scaling: whether inputs are only divided by their deviation, and there is no `beta`; deprecated by Keras 3
            in favour of `RMSNormalization`, which divides by the root mean square.

    Source: Ba et al., Layer normalization (2016).
    """
    rounds_inputs = False

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        self.rms_scaling = kwargs.pop('rms_scaling', False)
        super().__init__(**kwargs)
        self.declare(locals())
        self.axis = _axes(axis, 'LayerNormalization')

    def get_config(self):
        config = super().get_config()
        if self.rms_scaling or forms.is_full(self):
            config['rms_scaling'] = self.rms_scaling
        return config

    def build(self, input_shape):
        axes = _axes_as_built(self)
        shape = tuple(input_shape[axis] for axis in axes)
        if None in shape:
            raise ValueError('Layer %r (LayerNormalization): the sizes along axis %s must be known. Received the shape '
                             '%s.' % (self.name, self.axis, tuple(input_shape)))
        self.gamma = self.add_weight(name='gamma', shape=shape) if self.scale or self.rms_scaling else None
        self.beta = self.add_weight(name='beta', shape=shape) if self.center and not self.rms_scaling else None
        self.built = True

    def call(self, inputs):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        if self.rms_scaling:
            return self._scaled(inputs, axis)
        return nn.layer_normalization(inputs, None if self.gamma is None else self.gamma.value,
                                      None if self.beta is None else self.beta.value, axis, self.epsilon)


    def _scaled(self, inputs, axes):
        result = ops.divide(inputs, ops.sqrt(ops.add(ops.var(inputs, axes, keepdims=True), self.epsilon)))
        if self.gamma is None:
            return result
        rank, axes = ops.ndim(inputs), axes if isinstance(axes, tuple) else (axes,)
        kept = {axis % rank for axis in axes}
        sizes = ops.shape(inputs)
        return ops.multiply(result, ops.reshape(self.gamma.value, [sizes[axis] if axis in kept else 1
                                                                   for axis in range(rank)]))


class RMSNormalization(_Normalization):
    """Divides each sample by its root mean square along `axis`, and multiplies by `scale`.

    Args:
        axis: the axis or axes, default the last. epsilon: added to the mean square.

    Source: Zhang and Sennrich, Root mean square layer normalization (2019).
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.axis = _axes(axis, 'RMSNormalization')

    def build(self, input_shape):
        axes = _axes_as_built(self)
        self.scale = self.add_weight(name='scale', shape=tuple(input_shape[axis] for axis in axes), initializer='ones')
        self.built = True

    def call(self, inputs):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return nn.rms_normalization(inputs, self.scale.value, axis, self.epsilon)


class UnitNormalization(SameShape):
    """Scales each sample to length 1 along `axis`, an axis or several."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.axis = _axes(axis, 'UnitNormalization')

    def call(self, inputs):
        return l2_normalize(inputs, tuple(self.axis) if isinstance(self.axis, list) else self.axis)


class GroupNormalization(_Normalization):
    """Scales groups of channels of each sample to mean 0 and variance 1, then channels by `gamma` and `beta`.

    Args:
        groups: the number of groups, which divides that of the channels; -1 for one channel each.
        axis: the axis of the channels. epsilon: added to the variance.
        center, scale: whether there is a `beta` that is added and a `gamma` that multiplies.
        beta_..., gamma_...: initializers, regularizers and constraints of the weights.

    Source: Wu and He, Group normalization (2018).
    """
    rounds_inputs = False

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        self.axis = _single_axis(axis)
        self.groups = -1 if groups == -1 else positive_integer(groups, 'GroupNormalization', 'groups')

    def build(self, input_shape):
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError('Layer %r (GroupNormalization): axis %s of input tensor should have a defined dimension '
                             'but the layer received an input with shape %s.'
                             % (self.name, self.axis, tuple(input_shape)))
        self.groups = channels if self.groups == -1 else self.groups
        if channels % self.groups:
            raise ValueError('Layer %r (GroupNormalization): number of groups (%d) %s the number of channels (%d), '
                             'which it has to divide.' % (self.name, self.groups, 'cannot be more than'
                                                    if self.groups > channels else 'must be a multiple of', channels))
        self.gamma = self.add_weight(name='gamma', shape=(channels,)) if self.scale else None
        self.beta = self.add_weight(name='beta', shape=(channels,)) if self.center else None
        self.built = True

    def call(self, inputs):
        rank = ops.ndim(inputs)
        axis, sizes = self.axis % rank, list(ops.shape(inputs))
        apart = ops.reshape(inputs, sizes[:axis] + [self.groups, inputs.shape[axis] // self.groups] + sizes[axis + 1:])
        along = tuple(place for place in range(1, rank + 1) if place != axis)
        normal = ops.reshape(nn.layer_normalization(apart, None, None, along, self.epsilon), sizes)
        shape = [-1 if place == axis else 1 for place in range(rank)]
        if self.gamma is not None:
            normal = ops.multiply(normal, ops.reshape(self.gamma.value, shape))
        return normal if self.beta is None else ops.add(normal, ops.reshape(self.beta.value, shape))
