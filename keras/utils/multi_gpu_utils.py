"""Training on several devices."""
import warnings

from keras.backend.contract.loading import get_engine
from keras.layers import Activation, Input, Replicas
from keras.models import Model, clone_model
from keras.utils.generic_utils import to_list


def multi_gpu_model(model, gpus=None, cpu_merge=True, cpu_relocation=False):
    """A model that splits every batch over several devices and shares the weights of `model`.

    Save and load weights through `model` itself. TensorFlow divides over GPUs, or over logical CPUs where there is
    none, JAX over all that `jax.devices()` gives. Batches of JAX that cannot be divided evenly run on one device.

    Args:
        model: the model, a graph of layers. gpus: how many devices, at least 2, or a list of their numbers; default:
            all. cpu_merge, cpu_relocation: other values than the defaults have no effect, with a warning: the engine
            decides where results and weights are.

    Returns:
        A model with the same inputs and outputs.

    Raises:
        ValueError: for fewer than two devices, or more than the engine computes on. Scripts that were written for one
            device as well catch it and go on with `model`.
    """
    numbers = _numbers(gpus)
    for name, given, usual in (('cpu_merge', cpu_merge, True), ('cpu_relocation', cpu_relocation, False)):
        if given is not usual:
            warnings.warn('multi_gpu_model: %s=%r has no effect: %s decides where results and weights are.'
                          % (name, given, get_engine().name), stacklevel=2)
    if getattr(model, 'layer_graph', None) is None:
        raise ValueError('multi_gpu_model: the model must be a graph of layers, made from inputs and outputs. '
                         'Received: %r' % (model,))
    inputs = [Input(batch_shape=(None,) + tuple(tensor.shape[1:]), dtype=tensor.dtype, name=name + '_of_all')
              for name, tensor in zip(model.input_names, model.inputs)]
    outputs = to_list(Replicas(model, numbers)(inputs[0] if len(inputs) == 1 else inputs), True)
    return Model(inputs, [Activation('linear', name=name)(tensor) for name, tensor in zip(model.output_names, outputs)])


def _numbers(gpus):
    """The numbers of the devices, checked."""
    there = get_engine().workers()
    seen = 'The %s engine computes on %d here: %s.' % (
        get_engine().name, len(there), ', '.join('%s:%d' % device for device in there))
    numbers = list(range(len(there))) if gpus is None else list(gpus) if isinstance(gpus, (list, tuple)) \
        else list(range(gpus))
    if len(numbers) < 2:
        raise ValueError('For multi-gpu usage to be effective, call `multi_gpu_model` with `gpus >= 2`. Received: '
                         'gpus=%r. %s' % (gpus, seen))
    if max(numbers) >= len(there) or min(numbers) < 0:
        raise ValueError('To call `multi_gpu_model` with gpus=%r, there must be that many devices. %s Train the model '
                         'itself instead.' % (gpus, seen))
    return numbers
