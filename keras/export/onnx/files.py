"""Files of ONNX: a model whose weights are written one after the other, in it or, above 2 GB, in a file beside it."""
import os

import numpy as np

from keras.export.onnx.blocks import LARGE, onnx_type
from keras.saving.writing import whole_file

# Above this many bytes a model of ONNX keeps its weights in a file beside it.
_LARGEST = 2 ** 31 - 2 ** 20
# Where weights begin in that file: at multiples of this, so that runtimes can map them into memory.
_ALIGNMENT = 4096
# Fields of ONNX's messages.
_GRAPH_OF_MODEL, _INITIALIZERS_OF_GRAPH, _DATA_OF_TENSOR = 7, 5, 9


def tensor_of(value):
    """A constant as a tensor of ONNX."""
    from onnx import helper, numpy_helper
    if value.dtype == 'bfloat16':
        return helper.make_tensor(value.name, onnx_type('bfloat16'), value.shape, value.array.reshape(-1))
    return numpy_helper.from_array(np.ascontiguousarray(value.array).reshape(value.shape), value.name)


def with_small(proto, constants):
    """Put the small ones of some constants into the graph of `proto`; gives the others."""
    large = [value for value in constants if value.nbytes > LARGE and value.dtype != 'bfloat16']
    proto.graph.initializer.extend([tensor_of(value) for value in constants if value not in large])
    return large


def _described(value, place=None):
    """A constant as a tensor of ONNX without its data, which is in a file: (its name, offset) or not yet known."""
    from onnx import TensorProto
    tensor = TensorProto(name=value.name, data_type=onnx_type(value.dtype), dims=value.shape)
    if place is not None:
        tensor.data_location = TensorProto.EXTERNAL
        for key, text in zip(('location', 'offset', 'length'), place + (value.nbytes,)):
            tensor.external_data.add(key=key, value=str(text))
    return tensor


def converted(proto, large, opset):
    """The model in another opset."""
    from onnx import version_converter
    proto.graph.initializer.extend([_described(value, ('later', 0)) for value in large])
    proto = version_converter.convert_version(proto, opset)
    _drop(proto, large)
    return proto


def check(proto, large):
    """Have ONNX check the model, without the data of its weights."""
    import onnx
    proto.graph.initializer.extend([onnx.TensorProto(name=value.name, data_type=onnx_type(value.dtype), dims=[0])
                                    for value in large])
    onnx.checker.check_model(proto)
    _drop(proto, large)


def _drop(proto, large):
    names = {value.name for value in large}
    kept = [tensor for tensor in proto.graph.initializer if tensor.name not in names]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)


def write(proto, large, filepath):
    """Write a model without its large constants, and these, to a file, or to two."""
    if proto.ByteSize() + sum(value.nbytes for value in large) < _LARGEST:
        with whole_file(filepath) as file:
            _write_whole(proto, large, file)
        return
    place, location = 0, os.path.basename(filepath) + '.data'
    with whole_file(filepath + '.data') as file:
        for value in large:
            file.write(b'\0' * (-place % _ALIGNMENT))
            place += -place % _ALIGNMENT
            proto.graph.initializer.append(_described(value, (location, place)))
            file.write(_bytes_of(value))
            place += value.nbytes
    with whole_file(filepath) as file:
        file.write(proto.SerializeToString())


def _write_whole(proto, large, file):
    """The model as one message; what it is serialized from never holds the large constants."""
    import onnx
    graph = proto.graph.SerializeToString()
    heads = [(value, _described(value).SerializeToString() + _key(_DATA_OF_TENSOR, value.nbytes)) for value in large]
    parts = [(value, _key(_INITIALIZERS_OF_GRAPH, len(head) + value.nbytes) + head) for value, head in heads]
    around = onnx.ModelProto()
    around.CopyFrom(proto)
    around.ClearField('graph')
    size = len(graph) + sum(len(head) + value.nbytes for value, head in parts)
    file.write(around.SerializeToString() + _key(_GRAPH_OF_MODEL, size) + graph)
    for value, head in parts:
        file.write(head)
        file.write(_bytes_of(value))


def _key(field, size):
    """What stands before a field of so many bytes."""
    number, found = size, [field << 3 | 2]
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes(found + [number])


def _bytes_of(value):
    return memoryview(np.ascontiguousarray(value.array).reshape(-1)).cast('B')
