"""A long short-term memory with a gradient of its own."""

import tensorflow as tf

from keras.backend.engines.tensorflow.control import array_of, empty_array
from keras.backend.engines.tensorflow.overrides import override
from keras.backend.engines.tensorflow.tensors import (executing_eagerly, filled_vector, no_tape, raw, size_vector,
                                                      sizes_of)


@override
def lstm_sequence(x, h0, c0, kernel, recurrent_kernel, bias=None, mask=None, go_backwards=False,
                  return_sequences=True, activation='tanh', recurrent_activation='sigmoid', unroll=False):
    if executing_eagerly() or unroll or mask is not None or (activation, recurrent_activation) != ('tanh', 'sigmoid'):
        return NotImplemented
    sizes = sizes_of(x)
    x = raw.Transpose(x=x, perm=[1, 0, 2])
    if go_backwards:
        x = raw.ReverseV2(tensor=x, axis=[0])
    gates = raw.MatMul(a=raw.Reshape(tensor=x, shape=size_vector([-1, sizes[2]])), b=kernel)
    gates = gates if bias is None else raw.BiasAdd(value=gates, bias=bias)
    gates = raw.Reshape(tensor=gates, shape=filled_vector([sizes[1], sizes[0], kernel.shape[-1]]))
    # Without a tape the gradient is TensorFlow's own, should one be asked for: a plain loop keeps no steps.
    run = _lstm_loop(return_sequences) if no_tape() else tf.custom_gradient(_lstm_with_gradient(return_sequences))
    output, h, c = run(gates, h0, c0, recurrent_kernel)
    return [raw.Transpose(x=output, perm=[1, 0, 2]) if return_sequences else output, h, c]


def _lstm_step(x, h, c, recurrent_kernel):
    """The activated gates i, f, g, o of one step, the new cell state and its tanh."""
    i, f, g, o = raw.Split(axis=1, value=raw.AddV2(x=x, y=raw.MatMul(a=h, b=recurrent_kernel)), num_split=4)
    i, f, g, o = raw.Sigmoid(x=i), raw.Sigmoid(x=f), raw.Tanh(x=g), raw.Sigmoid(x=o)
    c = raw.AddV2(x=raw.Mul(x=f, y=c), y=raw.Mul(x=i, y=g))
    return i, f, g, o, c, raw.Tanh(x=c)


def _arrays(count, length, like):
    return [empty_array(like, length) for _ in range(count)]


def _lstm_loop(return_sequences, kept=None):
    """A function of the inputs' share in the gates (time, batch, 4 * units), h, c and the recurrent kernel.

    It gives the output and the last h and c. The list `kept` gets, for every step, the arrays of the h and c that
    it began with, its gates and the tanh of its c.
    """
    def run(gates, h, c, recurrent_kernel):
        length = sizes_of(gates)[0]
        steps = array_of(gates, length)

        def body(index, h, c, outputs, saved):
            i, f, g, o, new_c, tanh_c = _lstm_step(steps.read(index), h, c, recurrent_kernel)
            new_h = raw.Mul(x=o, y=tanh_c)
            new_h.set_shape(h.shape)
            new_c.set_shape(c.shape)
            saved = [array.write(index, value) for array, value in zip(saved, (h, c, i, f, g, o, tanh_c))]
            return index + 1, new_h, new_c, [array.write(index, new_h) for array in outputs], saved

        saved = _arrays(0 if kept is None else 7, length, h)
        start = (tf.constant(0), h, c, _arrays(return_sequences, length, h), saved)
        _, h, c, outputs, saved = tf.while_loop(lambda index, *_: index < length, body, start,
                                                maximum_iterations=length)
        if kept is not None:
            kept[:] = saved
        return outputs[0].stack() if return_sequences else h, h, c
    return run


def _lstm_with_gradient(return_sequences):
    """The same with its gradient, which multiplies for the recurrent kernel once, not in every step."""
    def run(gates, h0, c0, recurrent_kernel):
        kept = []
        results = _lstm_loop(return_sequences, kept)(gates, h0, c0, recurrent_kernel)

        def gradient(output, h, c):
            units, length = recurrent_kernel.shape[0], sizes_of(gates)[0]
            outputs = [array_of(output, length)] if return_sequences else []
            h = h if return_sequences else raw.AddV2(x=h, y=output)

            def body(count, h, c, collected):
                index = length - 1 - count
                for array in outputs:
                    h = raw.AddV2(x=h, y=array.read(index))
                change, new_c = _lstm_step_gradient(h, c, *[array.read(index) for array in kept[1:]])
                new_h = raw.MatMul(a=change, b=recurrent_kernel, transpose_b=True)
                new_h.set_shape(h.shape)
                new_c.set_shape(c.shape)
                return count + 1, new_h, new_c, collected.write(index, change)

            changes = tf.TensorArray(gates.dtype, length, element_shape=gates.shape[1:])
            _, h, c, changes = tf.while_loop(lambda count, *_: count < length, body, (tf.constant(0), h, c, changes),
                                             maximum_iterations=length)
            changes = changes.stack()
            before = raw.Reshape(tensor=kept[0].stack(), shape=[-1, units])
            rows = raw.Reshape(tensor=changes, shape=[-1, 4 * units])
            return changes, h, c, raw.MatMul(a=before, b=rows, transpose_a=True)
        return results, gradient
    return run


def _lstm_step_gradient(h, c, before, i, f, g, o, tanh_c):
    """From the gradients by a step's h and c those by its gates before activation and by the c `before` it."""
    c = raw.AddV2(x=c, y=raw.TanhGrad(y=tanh_c, dy=raw.Mul(x=h, y=o)))
    change = raw.ConcatV2(axis=1, values=[
        raw.SigmoidGrad(y=i, dy=raw.Mul(x=c, y=g)), raw.SigmoidGrad(y=f, dy=raw.Mul(x=c, y=before)),
        raw.TanhGrad(y=g, dy=raw.Mul(x=c, y=i)), raw.SigmoidGrad(y=o, dy=raw.Mul(x=h, y=tanh_c))])
    return change, raw.Mul(x=c, y=f)
