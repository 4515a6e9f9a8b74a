"""Batch and layer normalization."""
from keras import constraints, initializers, ops, regularizers
from keras.backend.composites import nn
from keras.backend.composites.shape import count
from keras.layers.arguments import take_unused
from keras.layers.base import InputSpec, Layer


class BatchNormalization(Layer):
    """Scales each channel to mean 0 and variance 1 over the batch, then by `gamma` and `beta`.

    In training the mean and variance are those of the batch, and moving averages of them are kept; otherwise,
    and always where the layer's `trainable` is False, the moving averages are used.

    Args:
        axis: the axis of the channels: -1, or 1 with channels first.
        momentum: of the moving averages: `average = momentum * average + (1 - momentum) * batch`.
        epsilon: added to the variance.
        center, scale: whether there is a `beta` that is added and a `gamma` that multiplies.
        beta_..., gamma_..., moving_...: initializers, regularizers and constraints of the weights.

    Source: Ioffe and Szegedy, Batch normalization (2015).

    Example:
        >>> y = keras.layers.BatchNormalization()(np.array([[1.0], [3.0]], 'float32'), training=True)
    """

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', moving_mean_initializer='zeros', moving_variance_initializer='ones',
                 beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, **kwargs):
        kwargs.pop('renorm_momentum', None)
        take_unused(kwargs, 'BatchNormalization', renorm=False, renorm_clipping=None, synchronized=False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = _single_axis(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    # Of a copy with the channels first: whether the layer itself has channels-last images.
    _corrects_twice = False

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError('Layer %r (BatchNormalization): axis=%d does not name an axis behind the batch of inputs '
                             'of shape %s.' % (self.name, self.axis, tuple(input_shape)))
        size = input_shape[self.axis]
        if size is None:
            raise ValueError('Layer %r (BatchNormalization): axis %d of the input must have a known size. Received the '
                             'shape %s.' % (self.name, self.axis, tuple(input_shape)))
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(name='gamma', shape=(size,), initializer=self.gamma_initializer,
                                         regularizer=self.gamma_regularizer, constraint=self.gamma_constraint)
        if self.center:
            self.beta = self.add_weight(name='beta', shape=(size,), initializer=self.beta_initializer,
                                        regularizer=self.beta_regularizer, constraint=self.beta_constraint)
        self.moving_mean = self.add_weight(name='moving_mean', shape=(size,), trainable=False,
                                           initializer=self.moving_mean_initializer)
        self.moving_variance = self.add_weight(name='moving_variance', shape=(size,), trainable=False,
                                               initializer=self.moving_variance_initializer)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: size})
        self.built = True

    def in_channels_first(self, rank):
        if self.axis % rank != rank - 1:
            return None
        return self._copy_with(axis=1, _corrects_twice=self._channels_last_images(rank))

    def call(self, inputs, training=None):
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if not training or not self._trainable:
            return nn.batch_normalization(inputs, self.moving_mean.value, self.moving_variance.value, self.axis, beta,
                                          gamma, self.epsilon)
        outputs, mean, variance = nn.batch_normalization_train(inputs, self.axis, beta, gamma, self.epsilon)
        self._keep(self.moving_mean, mean, 1.0)
        self._keep(self.moving_variance, variance, self._correction(inputs))
        return outputs

    def _keep(self, average, value, factor):
        """Let the moving average take in `factor * value`."""
        momentum = self.momentum
        average.assign(ops.add(ops.multiply(average.value, momentum), ops.multiply(value, factor * (1.0 - momentum))))

    def _correction(self, inputs):
        """What makes the variance of the batch an estimate for all data, as Keras 2 has it.

        That is n / (n - 1 - epsilon); for channels-last images, where Keras 2 runs a kernel that corrects too, once
        more n / (n - 1).
        """
        rank = ops.ndim(inputs)
        axis = self.axis % rank
        samples = count(inputs, tuple(index for index in range(rank) if index != axis))
        if isinstance(samples, int):
            others = max(samples - 1.0, 1.0)
        else:
            samples = ops.cast(samples, self.variable_dtype)
            others = ops.maximum(ops.subtract(samples, 1.0), 1.0)
        factor = samples / (others - self.epsilon)
        return factor * samples / others if self._corrects_twice or self._channels_last_images(rank) else factor

    def _channels_last_images(self, rank):
        return rank == 4 and self.axis % rank == 3

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, momentum=self.momentum, epsilon=self.epsilon, center=self.center,
                      scale=self.scale)
        for name in ('beta', 'gamma', 'moving_mean', 'moving_variance'):
            config[name + '_initializer'] = initializers.serialize(getattr(self, name + '_initializer'))
        for name in ('beta', 'gamma'):
            config[name + '_regularizer'] = regularizers.serialize(getattr(self, name + '_regularizer'))
            config[name + '_constraint'] = constraints.serialize(getattr(self, name + '_constraint'))
        return config


def _single_axis(axis):
    """tf.keras writes [3] for 3."""
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, bool) or not hasattr(axis, '__index__'):
        raise ValueError('BatchNormalization: `axis` must be an int. Received: %r' % (axis,))
    return int(axis)


class LayerNormalization(Layer):
    """Scales each sample to mean 0 and variance 1 along `axis`, then by `gamma` and `beta`.

    Args:
        axis: the axis or axes, default the last. epsilon: added to the variance.
        center, scale: whether there is a `beta` that is added and a `gamma` that multiplies.
        beta_..., gamma_...: initializers, regularizers and constraints of the weights.

    Source: Ba et al., Layer normalization (2016).
    """

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer='zeros',
                 gamma_initializer='ones', beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                 gamma_constraint=None, **kwargs):
        take_unused(kwargs, 'LayerNormalization', rms_scaling=False)
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def build(self, input_shape):
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[axis] for axis in axes)
        if None in shape:
            raise ValueError('Layer %r (LayerNormalization): the sizes along axis %s must be known. Received the shape '
                             '%s.' % (self.name, self.axis, tuple(input_shape)))
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(name='gamma', shape=shape, initializer=self.gamma_initializer,
                                         regularizer=self.gamma_regularizer, constraint=self.gamma_constraint)
        if self.center:
            self.beta = self.add_weight(name='beta', shape=shape, initializer=self.beta_initializer,
                                        regularizer=self.beta_regularizer, constraint=self.beta_constraint)
        self.built = True

    def call(self, inputs):
        axis = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        return nn.layer_normalization(inputs, None if self.gamma is None else self.gamma.value,
                                      None if self.beta is None else self.beta.value, axis, self.epsilon)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(axis=self.axis, epsilon=self.epsilon, center=self.center, scale=self.scale)
        for name in ('beta', 'gamma'):
            config[name + '_initializer'] = initializers.serialize(getattr(self, name + '_initializer'))
            config[name + '_regularizer'] = regularizers.serialize(getattr(self, name + '_regularizer'))
            config[name + '_constraint'] = constraints.serialize(getattr(self, name + '_constraint'))
        return config
