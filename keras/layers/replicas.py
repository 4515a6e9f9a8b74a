"""`Replicas`: a model that runs on several devices at once."""
import warnings

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.loading import get_engine
from keras.layers.functions import has_arg
from keras.layers.wrappers import Wrapper


class Replicas(Wrapper):
    """A layer or model applied to parts of every batch, each on a device of its own; the results are put together.

    The weights are those of the one layer inside. On JAX the compiler divides the batch, if it can be divided evenly.

    Args:
        layer: the layer or model. gpus: the numbers of the devices among those that the engine computes on. Where there
            are fewer, as for a model that was saved on another machine, the whole batch runs on one, with a warning.

    Example:
        >>> layer = keras.layers.Replicas(keras.layers.Dense(3), gpus=[0])
        >>> layer(np.ones((4, 2), 'float32')).shape
        (4, 3)
    """

    def __init__(self, layer, gpus, **kwargs):
        super().__init__(layer, **kwargs)
        self.declare(locals())
        self._takes_training = has_arg(layer.call, 'training')
        self._warned = False

    def call(self, inputs, training=None):
        arguments = {'training': training} if self._takes_training else {}
        devices = () if context.abstract or len(self.gpus) < 2 else self._devices()
        if not devices:
            return self.layer(inputs, **arguments)
        structure = []

        def run(parts):
            outputs = self.layer(tree.pack_as(inputs, parts), **arguments)
            structure[:] = [outputs]
            return tree.flatten(outputs)
        found = get_engine().spread(run, tree.flatten(inputs), devices)
        return tree.pack_as(structure[0], found)

    def _devices(self):
        there = get_engine().workers()
        if max(self.gpus) < len(there):
            return [there[number] for number in self.gpus]
        if not self._warned:
            self._warned = True
            warnings.warn('Layer %r (Replicas) was made for the devices %s, but %s computes on %d here: it runs on one.'
                          % (self.name, self.gpus, get_engine().name, len(there)), stacklevel=2)
        return ()

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)
