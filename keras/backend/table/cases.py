"""Example arguments of operations, for the conformance suite: descriptions of arrays, made when a test runs."""
import numpy as np


class Sample:
    """An array to be drawn: `kind` 'float', 'int' or 'bool', `shape`, and the range of the values."""

    def __init__(self, kind, shape, low, high):
        self.kind, self.shape, self.low, self.high = kind, shape, low, high

    def draw(self, generator):
        """The array: distinct floats (no ties, none near 0 or an integer), or ints in [low, high)."""
        if self.kind == 'bool':
            return generator.rand(*self.shape) < 0.5
        if self.kind == 'int':
            return generator.randint(self.low, self.high, self.shape).astype('int32')
        count = int(np.prod(self.shape, dtype=int))
        values = self.low + (self.high - self.low) * (generator.permutation(count) + 0.37) / max(count, 1)
        return values.reshape(self.shape).astype('float32')

    def __repr__(self):
        return '%s%s' % (self.kind, list(self.shape))


def F(*shape):
    """Floats between -2 and 2."""
    return Sample('float', shape, -2.03, 1.97)


def P(*shape):
    """Positive floats."""
    return Sample('float', shape, 0.1, 3.0)


def U(*shape):
    """Floats strictly between -1 and 1."""
    return Sample('float', shape, -0.95, 0.95)


def Q(*shape):
    """Probabilities: floats strictly between 0 and 1."""
    return Sample('float', shape, 0.02, 0.98)


def I(high, *shape):  # noqa: E743,E741
    """Integers from 0 up to, not including, `high`."""
    return Sample('int', shape, 0, high)


def B(*shape):
    """Booleans."""
    return Sample('bool', shape, 0, 1)


def S(*shape):
    """Symmetric positive definite matrices."""
    return Matrix(shape)


class Matrix(Sample):
    """Symmetric positive definite matrices with well separated eigenvalues."""

    def __init__(self, shape):
        super().__init__('float', shape, 0, 1)

    def draw(self, generator):
        a = generator.randn(*self.shape)
        matrix = np.matmul(a, np.swapaxes(a, -1, -2)) + np.diag(np.arange(1, self.shape[-1] + 1) * 2.0)
        return matrix.astype('float32')
