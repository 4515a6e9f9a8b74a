"""Functions of scripts that write into the tensors that they are given."""
import torch

from keras.backend.contract import tree
from keras.backend.contract.context import noted_mask, note_mask


class OnCopies:
    """`function`, on copies of its tensors: the first time, and from then on if it has written into one of them.

    `x -= 1` would change the tensor for all that have it, the array of the user's among them.

    Raises:
        RuntimeError: in the call in which it writes, where it had not at first; the next ones get copies.
    """

    def __init__(self, function):
        self._function, self._writes = function, True

    def __call__(self, *args, **kwargs):
        if not self._writes:
            return self._watched(args, kwargs)
        copies = []

        def copied(leaf):
            if not isinstance(leaf, torch.Tensor):
                return leaf
            copy, mask = leaf.clone(), noted_mask(leaf)
            if mask is not None:
                note_mask(copy, mask)
            copies.append((copy, _version(copy)))
            return copy
        args, kwargs = tree.map_structure(copied, [list(args), dict(kwargs)])
        result = self._function(*args, **kwargs)
        self._writes = any(version is None or _version(copy) != version for copy, version in copies)
        return result

    def _watched(self, args, kwargs):
        """The result on the tensors themselves, where none of them is written into."""
        before = [(leaf, _version(leaf)) for leaf in tree.flatten([list(args), dict(kwargs)])
                  if isinstance(leaf, torch.Tensor)]
        result = self._function(*args, **kwargs)
        for tensor, version in before:
            if version is not None and tensor._version != version:
                self._writes = True
                raise RuntimeError('%s has written into a tensor that it was given (x += 1, x[:] = 0 or a method like '
                                   'x.add_) in this call, and not when it was first called: others that use the tensor '
                                   'would get the wrong values. Write into a copy, x = x + 1 or x = x.clone().'
                                   % (getattr(self._function, '__qualname__', None) or self._function))
        return result


def _version(tensor):
    """How often a tensor was written into, None where PyTorch does not count."""
    return None if tensor.is_inference() else tensor._version
