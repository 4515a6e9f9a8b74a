"""Functions written for JAX, run by TensorFlow."""
import tensorflow as tf
from jax import tree_util
from jax.experimental import jax2tf


def _sizes(count, tensor):
    """The sizes of a tensor as `jax2tf` wants them: unknown ones by a name, the batch by the same for all tensors."""
    return '(%s)' % ''.join('%s, ' % (size if size is not None else 'b' if axis == 0 else 'd%d_%d' % (count, axis))
                            for axis, size in enumerate(tensor.shape))


def translated(fn, platforms):
    """A function of nested tensors that gives what `fn` gives, with its gradients."""
    def run(*args):
        leaves, structure = tree_util.tree_flatten(args)
        leaves = [tf.convert_to_tensor(leaf) for leaf in leaves]
        converted = jax2tf.convert(lambda *leaves: fn(*tree_util.tree_unflatten(structure, leaves)),
                                   polymorphic_shapes=[_sizes(*each) for each in enumerate(leaves)],
                                   native_serialization_platforms=platforms)
        return converted(*leaves)
    return run
