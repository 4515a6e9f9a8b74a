"""What families of layers share."""
from keras import config
from keras.backend.table.composites.conv import spatial_tuple
from keras.configurable import declared_arguments
from keras.layers.arguments import normalize_padding, positive_integer
from keras.layers.base import InputSpec, Layer


class SameShape(Layer):
    """Layers whose output has the shape of the input, and its mask."""
    supports_masking = nothing_to_build = True
    # Whether a config may give the layer as an `activation`.
    serves_as_activation = True

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class Spatial(Layer):
    """Layers over spatial axes. Their arguments come into one form, whatever they are given in.

    rank: number of spatial axes. paddings: the values that `padding` may have.
    """
    rank = None
    paddings = ('valid', 'same')

    def declare(self, given):
        super().declare(given)
        for argument in declared_arguments(type(self)):
            value = getattr(self, argument)
            if argument in ('kernel_size', 'pool_size', 'strides', 'dilation_rate') and value is not None:
                setattr(self, argument, spatial_tuple(value, self.rank, argument))
            elif argument == 'groups' and isinstance(value, int) and value <= 0:
                raise ValueError('%s: The number of groups must be a positive integer. Received: groups=%d.'
                                 % (type(self).__name__, value))
            elif argument in ('filters', 'depth_multiplier', 'groups'):
                setattr(self, argument, positive_integer(value, type(self).__name__, argument))
            elif argument == 'padding' and self.paddings:
                self.padding = normalize_padding(value, self.paddings)
        self.data_format = config.normalize_data_format(self.data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def in_channels_first(self, rank):
        return self.in_other_format()
