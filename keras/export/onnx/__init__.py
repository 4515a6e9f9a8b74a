"""ONNX, written from the op table on every engine: no other framework stands in between.

A model is traced (`tracing`), and each entry of the table it runs is written by its converter, one file for each
section of the table (`elementwise`, `reductions`, `movement`, `windows`, `control`), or by what it is made of;
`composites` and `recurrent` are those for which ONNX has an operation of its own. What follows from the weights alone
is computed here.
"""
import contextlib
import json
import warnings

from keras.export.onnx import files
from keras.export.onnx.blocks import Block
from keras.export.onnx.converters import OPSET
from keras.export.onnx.writer import Writer
from keras.export.signatures import packages_for, refusal_of_states, traced
from keras.export.walk import CannotExport
from keras.version import __version__


def model_of(model, input_signature=None):
    """The `onnx.ModelProto` of a model. Arguments as for `export`."""
    proto, large = _written(model, input_signature, 'onnx')
    proto.graph.initializer.extend([files.tensor_of(value) for value in large])
    return proto


def _written(model, input_signature, format):
    """(the `onnx.ModelProto` without its large constants, these)."""
    packages_for('onnx', 'onnx')
    from onnx import helper
    block = Block()
    with _explained(model):
        trace, inputs, outputs, names = traced(model, input_signature)
        for name in names[0] + names[1]:
            block.names.new(name)
        writer = Writer(trace, block)
        for tensor, name in zip(inputs, names[0]):
            writer.values[tensor] = block.named(tensor.shape, str(tensor.dtype), name)
        results = [block.renamed(writer.operand(tensor), name) for tensor, name in zip(outputs, names[1])]
        states = _states(writer, trace)
    if states and format != 'onnx':
        raise refusal_of_states(model, format)
    arguments = _with_batch([writer.values[tensor] for tensor in inputs])
    graph = block.graph(model.name, arguments + [before for before, _ in states],
                        _with_batch(results) + [after for _, after in states])
    proto = helper.make_model(graph, producer_name='keras', producer_version=__version__, ir_version=8,
                              opset_imports=[helper.make_opsetid('', OPSET)])
    if states:
        helper.set_model_props(proto, {'keras_states': json.dumps({before.name: after.name
                                                                   for before, after in states})})
    if any(node.op_type.startswith('Random') for node in _nodes(graph)):
        warnings.warn('export: model %s draws random numbers. The runtime of the ONNX file draws numbers of its own, '
                      'which no seed of Keras repeats.' % model.name, stacklevel=6)
    return proto, files.with_small(proto, block.initializers)


def _states(writer, trace):
    """[(input, output)] of what the model keeps from batch to batch.

    The graph may be given these inputs; without, they are what the model has now.
    """
    pairs = []
    for variable in list(trace.assigned):
        placeholder, after = trace.placeholder(variable), trace.assigned[variable]
        before = writer.value(placeholder)
        name = writer.block.names.new(before.name + '_next')
        pairs.append((before, writer.block.renamed(writer.operand(after, before.dtype), name)))
    return pairs


def _nodes(graph):
    """The nodes of a graph and of those inside it."""
    waiting = [graph]
    while waiting:
        for node in waiting.pop().node:
            yield node
            waiting.extend(attribute.g for attribute in node.attribute if attribute.HasField('g'))


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
    """Write `model` to `filepath` as ONNX; weights of more than 2 GB to a file beside it that ends in .data.

    What the model keeps from batch to batch (states of recurrent layers with stateful=True, variables that a `call`
    assigns to) are further inputs, which may be left out, and further outputs, named in the order of the inputs in the
    metadata 'keras_states'.

    Args:
        opset_version: default 18, which is what is written; for others `onnx.version_converter` is asked.
    """
    write(model, filepath, input_signature, opset_version, 'onnx')


def write(model, filepath, input_signature, opset_version, format):
    """`export`, as a step on the way to `format`: others than 'onnx' keep no states."""
    proto, large = _written(model, input_signature, format)
    if opset_version is not None and opset_version != OPSET:
        proto = files.converted(proto, large, opset_version)
    files.check(proto, large)
    files.write(proto, large, filepath)
