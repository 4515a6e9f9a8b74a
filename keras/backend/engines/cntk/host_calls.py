"""Operations that CNTK has no kernels for, as calls of the NumPy engine from within the graph, with their gradients."""
import cntk
import numpy as np
from cntk.ops.functions import UserFunction

from keras.backend.engines.cntk.tensors import Tensor, abstract, node_type, operate, replaced, tensors_in
from keras.backend.engines.numpy import NumpyEngine
from keras.backend.table.entries import TABLE

_HOST = NumpyEngine()


class HostCall(UserFunction):
    """A node that runs a Python function of arrays.

    Args:
        inputs: variables. forward: arrays -> list of arrays. backward: (arrays, results, gradients by the results) ->
        gradients by the inputs; None where there is none. outputs: [(shape, NumPy dtype)].
    """

    def __init__(self, inputs, forward, backward, outputs, name='host_call'):
        self.function, self.derivative, self.promised = forward, backward, outputs
        super().__init__(list(inputs), as_numpy=True, name=name)

    def forward(self, arguments, outputs=None, device=None, outputs_to_retain=None):
        arrays = arguments if len(self.inputs) > 1 else [arguments]
        arrays = [np.array(array).reshape(variable.shape) for array, variable in zip(arrays, self.inputs)]
        results = [np.ascontiguousarray(result, kind).reshape(shape)
                   for result, (shape, kind) in zip(self.function(*arrays), self.promised)]
        if len(results) == 1:
            return (arrays, results), results[0]
        for variable, result in zip(self.outputs, results):
            outputs[variable] = result
        return arrays, results

    def backward(self, state, root_gradients, variables=None):
        arrays, results = state
        incoming = [root_gradients] if len(results) == 1 else [root_gradients[variable] for variable in self.outputs]
        incoming = [np.array(gradient).reshape(result.shape) for gradient, result in zip(incoming, results)]
        gradients = self.derivative(arrays, results, incoming)
        gradients = [np.ascontiguousarray(gradient, array.dtype).reshape(array.shape)
                     for gradient, array in zip(gradients, arrays)]
        if variables is None:
            return gradients[0]
        for variable, gradient in zip(self.inputs, gradients):
            if variable in variables:
                variables[variable] = gradient

    def infer_outputs(self):
        return [cntk.output_variable(shape, kind, []) for shape, kind in self.promised]

    def clone(self, inputs):
        return HostCall(inputs, self.function, self.derivative, self.promised)


def _no_gradient(arrays, results, gradients):
    return [np.zeros_like(array) for array in arrays]


def host_call(name, backward=_no_gradient):
    """The graph function of the primitive `name` that calls the NumPy engine's."""
    host = getattr(_HOST, name)

    def build(*args):
        tensors = tensors_in(args)
        promised = TABLE[name].rule(*replaced(args, abstract))
        leaves = promised if isinstance(promised, list) else [promised]
        places = {id(x): index for index, x in enumerate(tensors)}

        def forward(*arrays):
            filled = replaced(args, lambda x: arrays[places[id(x)]].astype(x.dtype))
            with np.errstate(all='ignore'):
                result = host(*filled)
            return result if isinstance(result, (list, tuple)) else [result]

        def derivative(arrays, results, gradients):
            return backward(arrays, results, gradients, *[arg for arg in args if type(arg) is not Tensor])

        kinds = [(leaf.shape, np.dtype(node_type(leaf.dtype)).type) for leaf in leaves]
        # An input of the graph cannot be an argument of a user function by itself.
        nodes = [cntk.plus(x.node, cntk.constant(0.0, dtype=np.dtype(node_type(x.dtype)).type)) for x in tensors]
        differentiable = backward is not _no_gradient
        nodes = [node if differentiable else cntk.stop_gradient(node) for node in nodes]
        function = cntk.user_function(HostCall(nodes, forward, derivative, kinds))
        return list(function.outputs) if isinstance(promised, list) else function.output
    return build


def printed(x, message):
    """`x`, printed behind `message` whenever it is computed."""
    def show(array):
        print(message, array)
        return array

    def build(x):
        kind = np.dtype(node_type(x.dtype)).type
        node = cntk.plus(x.node, cntk.constant(0.0, dtype=kind))
        call = HostCall([node], lambda array: [show(array)], lambda arrays, results, gradients: gradients,
                        [(x.shape, kind)])
        return cntk.user_function(call).output
    return operate(show, lambda x: x, build, (x,))


def _transposed(x):
    return np.swapaxes(x, -1, -2)


def _reduced(gradient, shape):
    """The gradient of what was broadcast from `shape`."""
    extra = gradient.ndim - len(shape)
    gradient = gradient.sum(tuple(range(extra)))
    return gradient.sum(tuple(axis for axis, size in enumerate(shape) if size == 1 != gradient.shape[axis]),
                        keepdims=True)


def _cholesky(arrays, results, gradients):
    """Murray (2016), equation 10, symmetric."""
    factor, gradient = results[0], np.tril(gradients[0])
    inverse = np.linalg.inv(factor)
    middle = np.tril(_transposed(factor) @ gradient)
    middle = middle - 0.5 * np.eye(factor.shape[-1], dtype=factor.dtype) * middle
    found = _transposed(inverse) @ middle @ inverse
    return [0.5 * (found + _transposed(found))]


def _solve(arrays, results, gradients):
    by_right = np.linalg.solve(_transposed(arrays[0]), gradients[0])
    by_left = -by_right @ _transposed(results[0])
    return [_reduced(by_left, arrays[0].shape), _reduced(by_right, arrays[1].shape)]


def _triangular_solve(arrays, results, gradients, lower=True):
    triangle = np.tril if lower else np.triu
    by_left, by_right = _solve([triangle(arrays[0]), arrays[1]], results, gradients)
    return [triangle(by_left), by_right]


def _lgamma(arrays, results, gradients):
    return [gradients[0] * _HOST.digamma(arrays[0])]


def _erfinv(arrays, results, gradients):
    return [gradients[0] * np.exp(results[0] ** 2) * (np.sqrt(np.pi) / 2)]


GRAPH = dict(
    cholesky=host_call('cholesky', _cholesky), solve=host_call('solve', _solve),
    triangular_solve=host_call('triangular_solve', _triangular_solve), qr=host_call('qr'), svd=host_call('svd'),
    eigh=host_call('eigh'), lgamma=host_call('lgamma', _lgamma), digamma=host_call('digamma'),
    erfinv=host_call('erfinv', _erfinv), bitwise_and=host_call('bitwise_and'), bitwise_or=host_call('bitwise_or'),
    bitwise_xor=host_call('bitwise_xor'), left_shift=host_call('left_shift'), right_shift=host_call('right_shift'),
    random_uniform=host_call('random_uniform'), random_normal=host_call('random_normal'),
    random_integers=host_call('random_integers'), random_permutation=host_call('random_permutation'))
