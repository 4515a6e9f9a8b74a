"""Layers one after the other, for data."""
from keras.backend.contract.loading import foreign_engine
from keras.backend.contract import tree
from keras.layers.base import Layer
from keras.layers.calls import signature_of
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import serialize_keras_object


class Pipeline(Layer):
    """Layers applied one after the other, mostly to data before a model sees it.

    Unlike a `Sequential` model it has no graph, so that what goes through may be dictionaries, and what a `tf.data`
    pipeline traces.

    Args:
        layers: list of layers. name: default from the class.

    Example:
        >>> augment = keras.layers.Pipeline([keras.layers.AutoContrast(), keras.layers.CenterCrop(2, 2)])
        >>> augment(np.ones((1, 4, 4, 3))).shape
        (1, 2, 2, 3)
    """

    def __init__(self, layers, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.layers = list(layers)

    def __call__(self, inputs, *args, **kwargs):
        if foreign_engine([leaf for leaf in tree.flatten(inputs) if hasattr(leaf, 'shape')]) is not None:
            return self.call(inputs, *args, **kwargs)
        return super().__call__(inputs, *args, **kwargs)

    def build(self, input_shape):
        for layer in self.layers:
            layer.ensure_built(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs, training=True, mask=None):
        for layer in self.layers:
            signature, options = signature_of(type(layer)), {}
            if signature.takes_training:
                options['training'] = training
            if signature.takes_mask and mask is not None:
                options['mask'] = mask
            outputs = layer(inputs, **options)
            if mask is not None:
                mask = layer.compute_mask(inputs, mask)
            inputs = outputs
        return inputs

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self):
        config = {'name': self.name, 'layers': [serialize_keras_object(layer) for layer in self.layers]}
        if not self.trainable:
            config['trainable'] = False
        return config

    @classmethod
    def from_config(cls, config):
        """A pipeline from what `get_config` gave.

        Raises:
            ValueError: where `layers` is no list.
        """
        layers = config.get('layers')
        if not isinstance(layers, (list, tuple)):
            raise ValueError('The config of a Pipeline needs `layers`, a list of layers. Received: %r' % (config,))
        return cls(**dict(config, layers=[deserialize_keras_object(layer) if isinstance(layer, dict) else layer
                                          for layer in layers]))
