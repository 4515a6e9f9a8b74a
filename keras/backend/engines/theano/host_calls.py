"""Operations that NumPy computes, for what Theano has none for: random numbers, decompositions, searches."""
import numpy as np

from keras.backend.engines.theano.compat import Apply, DisconnectedType, IS_THEANO, Op, T, tensor_type

FUNCTIONS = {}


class HostOp(Op):
    """An operation that is a NumPy function.

    Args:
        name: that of a function in this module, decorated with `host`. static: its arguments behind the tensors,
            hashable. kinds: the output types, as pairs (dtype, rank).
    """
    __props__ = ('name', 'static', 'kinds')

    def __init__(self, name, static, kinds):
        self.name, self.static, self.kinds = name, static, kinds

    def make_node(self, *inputs):
        inputs = [T.as_tensor_variable(x) for x in inputs]
        return Apply(self, inputs, [tensor_type(dtype, (None,) * rank)() for dtype, rank in self.kinds])

    def perform(self, node, inputs, outputs, params=None):
        results = FUNCTIONS[self.name][0](*(tuple(inputs) + self.static))
        for storage, result, (dtype, _) in zip(outputs, results if len(outputs) > 1 else [results], self.kinds):
            storage[0] = np.asarray(result, dtype)

    def connection_pattern(self, node):
        connected = FUNCTIONS[self.name][1] is not None
        return [[connected] * len(node.outputs) for _ in node.inputs]

    def _gradients(self, inputs, outputs, gradients):
        rule = FUNCTIONS[self.name][1]
        if rule is None:
            return [DisconnectedType()() for _ in inputs]
        gradients = [T.zeros_like(x) if isinstance(gradient.type, DisconnectedType) else gradient
                     for gradient, x in zip(gradients, outputs)]
        return rule(inputs, outputs, gradients, *self.static)

    def __str__(self):
        return 'HostOp{%s}' % self.name


setattr(HostOp, 'L_op' if IS_THEANO else 'pullback', HostOp._gradients)


def host(gradient=None):
    """Register a NumPy function (inputs..., static...) -> array or list of arrays, with its gradient if it has one."""
    def register(function):
        FUNCTIONS[function.__name__.strip('_')] = function, gradient
        return function
    return register


def on_host(name, inputs, kinds, static=()):
    """What the function called `name` gives: one variable, or a list where `kinds` has several entries."""
    return HostOp(name, tuple(static), tuple(kinds))(*inputs)


@host()
def called(*parts):
    return parts[-1](*parts[:-1])


@host(lambda inputs, outputs, gradients, message: gradients)
def printed(x, message):
    print(message, x)
    return np.array(x)


# --- random numbers: those of the NumPy engine ----------------------------------------------------------------------

def _generator(seed):
    return np.random.Generator(np.random.Philox(key=[int(seed[0]), int(seed[1])]))


@host()
def uniform(seed, sizes):
    return _generator(seed).random(sizes)


@host()
def normal(seed, sizes):
    return _generator(seed).standard_normal(sizes)


@host()
def integers(seed, sizes, low, high):
    return _generator(seed).integers(low, high, sizes)


@host()
def permutation(seed, count):
    return _generator(seed).permutation(int(count))


# --- order --------------------------------------------------------------------------------------------------------

@host()
def argsort(x, axis):
    return np.argsort(x, axis, kind='stable')


@host()
def falling(x):
    """The positions that sort the last axis in falling order; equal elements keep theirs."""
    reverse = np.argsort(x[..., ::-1], -1, kind='stable')[..., ::-1]
    return x.shape[-1] - 1 - reverse


@host()
def find_places(x, values, side):
    return np.searchsorted(x, values, side)


@host()
def scatter_max(x, indices, updates):
    result = np.array(x)
    np.maximum.at(result, indices, updates)
    return result


# --- linear algebra -------------------------------------------------------------------------------------------------

def _transposed(x):
    return x.dimshuffle(*(tuple(range(x.ndim - 2)) + (x.ndim - 1, x.ndim - 2)))


def _product(a, b):
    """The matrix product of stacks of matrices of the same rank."""
    return on_host('matmul', [a, b], [(a.dtype, a.ndim)])


def _matmul_gradient(inputs, outputs, gradients):
    a, b = inputs
    return [_product(gradients[0], _transposed(b)), _product(_transposed(a), gradients[0])]


@host(_matmul_gradient)
def matmul(a, b):
    return np.matmul(a, b)


def _triangle(x, lower):
    """The lower or upper triangle of matrices, the diagonal included."""
    rows, columns = T.arange(x.shape[-2]).dimshuffle(0, 'x'), T.arange(x.shape[-1]).dimshuffle('x', 0)
    chosen = T.ge(rows, columns) if lower else T.le(rows, columns)
    return T.switch(chosen, x, T.zeros_like(x))


def _solution(a, b):
    return on_host('solve', [a, b], [(a.dtype, b.ndim)])


def _solve_gradient(inputs, outputs, gradients):
    a, _ = inputs
    right = _solution(_transposed(a), gradients[0])
    return [-_product(right, _transposed(outputs[0])), right]


@host(_solve_gradient)
def solve(a, b):
    return np.linalg.solve(a, b)


def _cholesky_gradient(inputs, outputs, gradients):
    """Murray, 'Differentiation of the Cholesky decomposition' (2016), equation 8."""
    factor = outputs[0]
    inner = _triangle(_product(_transposed(factor), gradients[0]), True)
    rows = T.arange(factor.shape[-1])
    diagonal = T.eq(rows.dimshuffle(0, 'x'), rows.dimshuffle('x', 0))
    inner = T.switch(diagonal, inner * np.asarray(0.5, factor.dtype), inner)
    upper = _transposed(factor)
    middle = _solution(upper, inner)
    result = _transposed(_solution(upper, _transposed(middle)))
    return [(result + _transposed(result)) * np.asarray(0.5, factor.dtype)]


@host(_cholesky_gradient)
def cholesky(x):
    return np.linalg.cholesky(x)


@host()
def qr(x):
    # NumPy before 1.22 takes single matrices only.
    parts = [np.linalg.qr(matrix) for matrix in x.reshape((-1,) + x.shape[-2:])]
    return [np.stack(part).reshape(x.shape[:-2] + part[0].shape) for part in zip(*parts)]


@host()
def svd(x):
    return np.linalg.svd(x, full_matrices=False)


@host()
def eigh(x):
    return np.linalg.eigh(x)


def _fft_gradient(inputs, outputs, gradients):
    # The matrix C - iS of the transform is symmetric: its transpose takes the gradients (g, h) to (Cg - Sh, Sg + Ch).
    kinds = [(x.dtype, x.ndim) for x in inputs]
    real, imaginary = on_host('fft', [gradients[0], -gradients[1]], kinds)
    return [real, -imaginary]


@host(_fft_gradient)
def fft(real, imaginary):
    result = np.fft.fft(real + 1j * imaginary)
    return [result.real, result.imag]
