"""The table of converters: for each entry of the op table, what writes it as nodes of ONNX.

A converter takes the `Block` to write to and the arguments of the entry, with `Value`s in the place of tensors, and
gives a `Value` or a list of them. One for a composite may return NotImplemented; then what the composite is made of is
written, as it is for every composite without a converter.
"""
CONVERTERS = {}
# The opset that the converters write.
OPSET = 18
# Primitives that ONNX has no operation for: {name: the reason}.
REFUSED = {}

_MATRICES = 'ONNX has no operation for it; compute it outside the model'

REFUSED.update(dict.fromkeys(['cholesky', 'triangular_solve', 'solve', 'qr', 'svd', 'eigh', 'eig'], _MATRICES))
REFUSED.update(dict.fromkeys(['complex_number', 'real', 'imag'], 'ONNX has no complex numbers'))
REFUSED['view'] = 'ONNX has no operation that reads bytes as another type'
REFUSED.update(dict.fromkeys(['erfinv', 'lgamma', 'digamma'], 'ONNX has no such function'))


def converter(function):
    """Enter the function as the converter of the entry of its name (without an underscore at the end)."""
    CONVERTERS[function.__name__.rstrip('_')] = function
    return function


def plain(name, kind, **attributes):
    """Enter a converter that writes one node with the same inputs."""
    CONVERTERS[name] = lambda block, *tensors: block.add(kind, *tensors, **attributes)
