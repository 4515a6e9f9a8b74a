"""ONNX, written from the op table on every engine: no other framework stands in between.

A model is traced (`tracing`), and each entry of the table it runs is written by its converter, one file for each
section of the table (`elementwise`, `reductions`, `movement`, `windows`, `control`), or by what it is made of;
`composites` and `recurrent` are those for which ONNX has an operation of its own. What follows from the weights alone
is computed here.
"""
import contextlib
import os

from keras.export.onnx.blocks import Block
from keras.export.onnx.converters import OPSET
from keras.export.onnx.writer import Writer
from keras.export.signatures import packages_for, traced
from keras.export.walk import CannotExport
from keras.saving.writing import whole_file
from keras.version import __version__

# Above this many bytes a model of ONNX keeps its weights in a file beside it.
_LARGEST = 2 ** 31 - 2 ** 20


def model_of(model, input_signature=None):
    """The `onnx.ModelProto` of a model. Arguments as for `export`."""
    packages_for('onnx', 'onnx')
    from onnx import helper
    block = Block()
    with _explained(model):
        trace, inputs, outputs, names = traced(model, input_signature, 'onnx')
        for name in names[0] + names[1]:
            block.names.new(name)
        writer = Writer(trace, block)
        for tensor, name in zip(inputs, names[0]):
            writer.values[tensor] = block.named(tensor.shape, str(tensor.dtype), name)
        results = [block.renamed(writer.operand(tensor), name) for tensor, name in zip(outputs, names[1])]
    arguments = [writer.values[tensor] for tensor in inputs]
    graph = block.graph(model.name, _with_batch(arguments), _with_batch(results))
    return helper.make_model(graph, producer_name='keras', producer_version=__version__, ir_version=8,
                             opset_imports=[helper.make_opsetid('', OPSET)])


@contextlib.contextmanager
def _explained(model):
    """What cannot be exported, with the names of model and layer."""
    try:
        yield
    except CannotExport as error:
        raise CannotExport('Model %s cannot be exported to ONNX: %s%s. Operations that can be: docs/engines.md.'
                           % (model.name, error, error.layer and ' (layer %r)' % error.layer)) from error


def _with_batch(values):
    """Values whose unknown sizes have names: that of the first axis is the same for all."""
    for value in values:
        value.shape = tuple(('batch' if axis == 0 else '%s_%d' % (value.name, axis)) if size is None else size
                            for axis, size in enumerate(value.shape))
    return values


def export(model, filepath, input_signature=None, opset_version=None):
    """Write `model` to `filepath` as ONNX.

    Args:
        opset_version: default 18, which is what is written; for others `onnx.version_converter` is asked.
    """
    import onnx
    proto = model_of(model, input_signature)
    if opset_version is not None and opset_version != OPSET:
        proto = onnx.version_converter.convert_version(proto, opset_version)
    if proto.ByteSize() < _LARGEST:
        onnx.checker.check_model(proto)
        with whole_file(filepath) as file:
            file.write(proto.SerializeToString())
    else:
        onnx.save_model(proto, filepath, save_as_external_data=True, location=os.path.basename(filepath) + '.data')
