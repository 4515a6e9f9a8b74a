"""Programs of `torch.export`."""
import io
import itertools
import re

import torch

from keras.backend.contract import tree
from keras.backend.engines.torch.tensors import DTYPES


class Exported(torch.nn.Module):
    """A function as a module of PyTorch, with the storages of `variables` as buffers."""

    def __init__(self, call, variables):
        super().__init__()
        self.function = call
        self.names = {variable: '%s_%d' % (re.sub(r'\W', '_', variable.path), index)
                      for index, variable in enumerate(variables)}
        for variable, name in self.names.items():
            self.register_buffer(name, variable.storage.detach().contiguous())

    def forward(self, *args):
        values = {variable: getattr(self, name) for variable, name in self.names.items()}
        return tree.map_structure(lambda leaf: None if leaf is None else torch.as_tensor(leaf),
                                  self.function(*args, values=values))


def _by_argument(given, count):
    """`dynamic_shapes` of `torch.export` with an entry for each argument."""
    if isinstance(given, dict):
        given = given['args'] if 'args' in given else [given] if count == 1 else list(given.values())
    return tuple(given)


def write_torch(file, call, signature, variables, strict=False, dynamic_shapes=None,
                prefer_deferred_runtime_asserts_over_guards=False, preserve_module_call_signature=()):
    """Write `call` as a program that `torch.export.load` reads; sizes that are None stay open.

    Raises:
        RuntimeError: where PyTorch cannot trace it. NotImplementedError: where what runs depends on a size that is
            open, as the number of steps of recurrent layers.
    """
    batch, count = torch.export.Dim('batch'), itertools.count()

    def example(x):
        shape = [2 + axis if size is None else size for axis, size in enumerate(x.shape)]
        return torch.ones(shape, dtype=DTYPES[str(x.dtype)])

    def open_sizes(x):
        return {axis: batch if axis == 0 else torch.export.Dim('size_%d' % next(count))
                for axis, size in enumerate(x.shape) if size is None}

    examples = tuple(tree.map_structure(example, list(signature)))
    shapes = tuple(tree.map_structure(open_sizes, list(signature)))
    if dynamic_shapes is not None:
        shapes = _by_argument(dynamic_shapes, len(shapes))
    with torch.no_grad():
        try:
            program = torch.export.export(
                Exported(call, variables), examples, dynamic_shapes=(shapes,), strict=strict,
                prefer_deferred_runtime_asserts_over_guards=prefer_deferred_runtime_asserts_over_guards,
                preserve_module_call_signature=preserve_module_call_signature)
        except torch._dynamo.exc.UserError as error:
            raise NotImplementedError('export: the program depends on a size that is left open. Name all sizes but the '
                                      "batch's, as in input_signature=[keras.InputSpec(shape=(None, 10, 8))]. %s"
                                      % error) from error
        except NotImplementedError:
            raise
        except (TypeError, RuntimeError) as error:
            raise RuntimeError('export: PyTorch cannot make a program of the model. The usual cause: its `call` '
                               'branches on values. %s' % error) from error
    content = io.BytesIO()
    torch.export.save(program, content)
    file.write(content.getvalue())


# How names of such files end.
write_torch.extension = '.pt2'
