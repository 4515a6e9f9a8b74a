"""Layers that scale branches of residual networks."""
from keras import initializers, ops
from keras.layers.base import Layer
from keras.layers.families import SameShape


class CustomScaleLayer(Layer):
    """`inputs[0] + scale * inputs[1]`, for a list of two inputs; of Inception-ResNet.

    Args:
        scale: number.

    Source: Szegedy et al., Inception-v4, Inception-ResNet and the impact of residual connections (2016).
    """

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def call(self, inputs):
        return ops.add(inputs[0], ops.multiply(inputs[1], self.scale))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def in_channels_first(self, rank):
        return self


class LayerScale(SameShape):
    """Inputs times a weight for each channel that begins small.

    Args:
        init_values: what the weights begin with. projection_dim: number of channels.

    Source: Touvron et al., Going deeper with image transformers (2021).
    """

    def __init__(self, init_values, projection_dim, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())

    def build(self, input_shape):
        self.gamma = self.add_weight(name='gamma', shape=(self.projection_dim,),
                                     initializer=initializers.Constant(self.init_values))
        self.built = True

    def call(self, inputs):
        return ops.multiply(inputs, self.gamma.value)
