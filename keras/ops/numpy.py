"""NumPy's functions on tensors, under the names and signatures of Keras 3, put together from the modules by subject."""
from keras.backend.table.composites.math import (all, any, arccos, arccosh, arcsinh, arctanh, ceil, clip, cosh,
                                                 count_nonzero, divide_no_nan, dot, exp2, expm1, greater, greater_equal,
                                                 isinf, isnan, less_equal, log10, log1p, log2, logaddexp, logical_xor,
                                                 mean, not_equal, outer, reciprocal, sinh, std, tan, tensordot, var)
from keras.backend.table.composites.shape import (diag, diagonal, dtype_of, expand_dims, eye, flatten, getitem,
                                                  moveaxis, ndim, ones, ones_like, repeat, roll, shape, split,
                                                  static_shape, swapaxes, take, take_along_axis, tile, tri, tril, triu,
                                                  zeros, zeros_like)
from keras.backend.table.primitives import (abs, add, arcsin, arctan, arctan2, bitwise_and, bitwise_or,
                                            bitwise_xor, cos, divide, equal, exp, floor, floor_divide,
                                            isfinite, left_shift, less, log, logical_and, logical_not, logical_or,
                                            matmul, maximum, minimum, mod, multiply, negative, power, right_shift,
                                            searchsorted, sign, sin, sqrt, subtract, sum, tanh, transpose)
from keras.ops.arrangement import (append, array_split, broadcast_to, concatenate, diagflat, diff, dsplit, dstack,
                                   flip, fliplr, flipud, get_item, hsplit, hstack, pad, ravel, reshape, rot90, size,
                                   squeeze, stack, trapezoid, unravel_index, vectorize, vsplit, vstack)
from keras.ops.core import convert_to_numpy, convert_to_tensor, copy, vectorized_map
from keras.ops.creation import (arange, array, bartlett, blackman, empty, empty_like, full, full_like, geomspace,
                                hamming, hanning, identity, kaiser, linspace, logspace, meshgrid, vander)
from keras.ops.elementwise import (allclose, angle, bitwise_invert, bitwise_not, cbrt, conj, conjugate, deg2rad, fabs,
                                   fmax, fmin, fmod, gcd, heaviside, hypot, i0, imag, isclose, isneginf, isposinf,
                                   isreal, lcm, ldexp, logaddexp2, nan_to_num, nextafter, nonzero, rad2deg, real, round,
                                   select, signbit, sinc, square, trunc, view, where)
from keras.ops.linalg import slogdet
from keras.ops.ordering import argpartition, argsort, bincount, digitize, histogram, isin, sort, unique
from keras.ops.products import corrcoef, correlate, cross, einsum, inner, kron, vdot
from keras.ops.reductions import (amax, amin, argmax, argmin, average, cumprod, cumsum, max, median, min, nanargmax,
                                  nanargmin, nancumprod, nancumsum, nanmax, nanmean, nanmedian, nanmin, nanpercentile,
                                  nanprod, nanquantile, nanstd, nansum, nanvar, percentile, prod, ptp, quantile, trace)

absolute = abs
true_divide = divide
bitwise_left_shift = left_shift
bitwise_right_shift = right_shift
