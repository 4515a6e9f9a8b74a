"""What `golden.py` asks upstream's layers: `cases()` gives (name, make the layer, inputs, how it is called).

An input is a shape (floats), `ints(shape, below)`, `mask(shape)`, `pixels(shape)`, an array, or a list of strings.
`args` and `kwargs` of a call name inputs by number, as in the golden files.
"""
import itertools

import numpy as np

HALVES = ('float16', 'bfloat16', 'mixed_float16', 'mixed_bfloat16')
ACTIVATIONS = ('celu', 'elu', 'exponential', 'gelu', 'glu', 'hard_shrink', 'hard_sigmoid', 'hard_silu', 'hard_tanh',
               'leaky_relu', 'linear', 'log_sigmoid', 'log_softmax', 'mish', 'relu', 'relu6', 'selu', 'sigmoid',
               'silu', 'soft_shrink', 'softmax', 'softplus', 'softsign', 'sparse_plus', 'sparse_sigmoid',
               'squareplus', 'tanh', 'tanh_shrink')


class Given:
    """An input that is no plain array of floats: its kind, shape, and what its values may be."""

    def __init__(self, kind, shape, below=None, dtype='float32'):
        self.kind, self.shape, self.below, self.dtype = kind, tuple(shape), below, dtype


def ints(shape, below, dtype='int32'):
    return Given('int', shape, below, dtype)


def mask(*shape):
    return Given('mask', shape)


def pixels(*shape):
    return Given('pixels', shape, 255)


def of_type(dtype, *shape):
    return Given('float', shape, dtype=dtype)


def grid(**choices):
    """All combinations of the choices, as dictionaries."""
    names = sorted(choices)
    return [dict(zip(names, values)) for values in itertools.product(*[choices[name] for name in names])]


def some(step, found):
    """Every `step`th of them: a sample of a grid that meets every choice when `step` divides no number of choices."""
    return found[::step]


def _text(value):
    if isinstance(value, dict):
        value = value.items()
    if isinstance(value, (list, tuple)) or hasattr(value, 'mapping'):
        return 'x'.join(map(_text, value))
    return str(value).replace('/', '').replace(' ', '')


class Cases:
    """Collects cases. `of` names a layer in `keras.layers` with its arguments; each call makes one case."""

    def __init__(self):
        self.found = []

    def add(self, name, make, inputs, **call):
        """`make(layers)` gives the layer."""
        taken = {case[0] for case in self.found}
        number = 0
        while '%s_%d' % (name, number) in taken:
            number += 1
        self.found.append(('%s_%d' % (name, number), make, list(inputs), call))

    def of(self, layer, inputs, arguments=(), halves=0, **call):
        """One case for each dictionary of `arguments`; the first `halves` of these in types of 16 bits, too."""
        arguments = list(arguments) or [{}]
        with_halves = [dict(given, dtype=half) for given in arguments[:halves] for half in HALVES]
        for given in arguments + with_halves:
            name = layer.lower() + ''.join('-%s=%s' % (key, _text(value)) for key, value in sorted(given.items())
                                           if not callable(value))
            self.add(name[:90], lambda layers, given=given: getattr(layers, layer)(
                **{key: value(layers) if callable(value) else value for key, value in given.items()}), inputs, **call)


def channels(data_format, batch, spatial, count):
    """The shape of a batch of pictures."""
    spatial = tuple(spatial)
    return (batch,) + (spatial + (count,) if data_format == 'channels_last' else (count,) + spatial)


FORMATS = ('channels_last', 'channels_first')


def cases():
    found = Cases()
    for part in (_core, _activations, _merging, _normalization, _convolution, _transposed, _pooling, _shapes,
                 _recurrent, _wrapped_recurrent, _attention, _noise, _numbers, _words, _pictures, _sounds):
        part(found)
    return found.found


def _core(found):
    for shape in ((3, 5), (2, 3, 5), (2, 2, 3, 5)):
        found.of('Dense', [shape], grid(units=[4], use_bias=[True, False], activation=[None, 'relu', 'softmax']),
                 halves=1)
    found.of('Dense', [(3, 5)], [dict(units=4, lora_rank=2), dict(units=4, lora_rank=2, lora_alpha=3),
                                 dict(units=4, kernel_constraint='non_neg', bias_constraint='max_norm'),
                                 dict(units=1, kernel_regularizer='l2', activity_regularizer='l1')])
    found.of('Dense', [of_type('float16', 3, 5)], [dict(units=4)], halves=1)
    found.of('Dense', [of_type('bfloat16', 3, 5)], [dict(units=4)])
    found.of('Dense', [ints((3, 5), 9)], [dict(units=4)])
    for equation, shape, output, bias in (
            ('ab,bc->ac', (3, 4), 5, 'c'), ('abc,cd->abd', (2, 3, 4), (None, 5), 'd'),
            ('abc,cde->abde', (2, 3, 4), (None, 2, 3), 'de'), ('...x,xy->...y', (2, 3, 4), 5, 'y'),
            ('abcd,cde->abe', (2, 3, 2, 4), (None, 5), 'e'), ('abc,bcd->ad', (2, 3, 4), 5, 'd'),
            ('ab...,bc->ac...', (2, 3, 4), (5, None), 'c'),
            ('abc,cd->adb', (2, 3, 4), (5, None), 'd'), ('abc,bd->adc', (2, 3, 4), (5, None), 'd')):
        found.of('EinsumDense', [shape], [
            dict(equation=equation, output_shape=output, bias_axes=axes, activation=activation)
            for axes, activation in ((bias, None), (None, 'tanh'))], halves=1)
    found.of('EinsumDense', [(2, 3, 4)], [dict(equation='abc,cd->abd', output_shape=(None, 5), lora_rank=2),
                                          dict(equation='abc,cde->abde', output_shape=(None, 2, 3), bias_axes='e')])
    for shape in ((3, 4), (4,), (2, 3, 2)):
        for kind in ('int32', 'uint8', 'int64', 'float32'):
            found.of('Embedding', [ints(shape, 6, kind)], grid(input_dim=[6], output_dim=[3], mask_zero=[True, False]),
                     halves=kind == 'int32')
    found.of('Embedding', [ints((3, 4), 6)], [dict(input_dim=6, output_dim=3, lora_rank=2),
                                              dict(input_dim=6, output_dim=3, embeddings_constraint='unit_norm')])
    found.of('ReversibleEmbedding', [ints((3, 4), 6)], grid(input_dim=[6], output_dim=[3], tie_weights=[True, False],
                                                            mask_zero=[True, False]), halves=1)
    found.of('ReversibleEmbedding', [(2, 3, 3)], grid(input_dim=[6], output_dim=[3], tie_weights=[True, False],
                                                      logit_soft_cap=[None, 2.0], reverse_dtype=[None, 'float32']),
             halves=1, options={'reverse': True})
    for value in (0.0, -1.0):
        found.of('Masking', [np.array([[[1, 2], [value, value], [3, value]], [[value, value], [4, 5], [6, 7]]],
                                      'float32')], [dict(mask_value=value)], halves=1)
    found.of('Identity', [(2, 3)], halves=1)
    found.of('Identity', [(2, 3, 4), mask(2, 3)], kwargs={'mask': 1}, mask_of=True)
    found.of('ActivityRegularization', [(2, 3)], [dict(l1=0.1), dict(l2=0.1)], halves=1)


def _activations(found):
    for shape in ((3, 6), (2, 3, 4)):
        found.of('Activation', [shape], [dict(activation=name) for name in ACTIVATIONS])
    found.of('Activation', [(3, 6)], grid(activation=ACTIVATIONS, dtype=['float16', 'bfloat16']))
    found.of('Activation', [of_type('float16', 3, 6)], grid(activation=['gelu', 'softplus', 'silu'],
                                                            dtype=['mixed_float16']))
    found.of('ReLU', [(3, 6)], grid(max_value=[None, 1.0], negative_slope=[0.0, 0.3], threshold=[0.0, 0.5]), halves=1)
    found.of('LeakyReLU', [(3, 6)], [dict(negative_slope=slope) for slope in (0.0, 0.1, 1.5)], halves=1)
    found.of('ELU', [(3, 6)], [dict(alpha=alpha) for alpha in (0.5, 1.0, 2.0)], halves=1)
    found.of('PReLU', [(2, 3, 4, 2)], [dict(alpha_initializer='uniform', shared_axes=axes)
                                       for axes in (None, [1], [1, 2], [3], [1, 2, 3])], halves=1)
    found.of('Softmax', [(2, 3, 4)], [dict(axis=axis) for axis in (-1, 1, 2, [1, 2], (-1, -2))], halves=1)
    found.of('Softmax', [(2, 3, 4), mask(2, 3, 4)], [dict(axis=axis) for axis in (-1, 1, [1, 2])], halves=1,
             kwargs={'mask': 1})


def _merging(found):
    pairs = ([(2, 3), (2, 3)], [(2, 3, 4), (2, 3, 4), (2, 3, 4)], [(2, 3, 4), (2, 1, 4)], [(2, 3, 4), (2, 4)],
             [(2, 1), (2, 3), (2, 3)], [(2, 3, 4), (2, 3, 1)])
    for layer in ('Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'):
        for shapes in pairs:
            if layer != 'Subtract' or len(shapes) == 2:
                found.of(layer, shapes, args=[list(range(len(shapes)))], halves=shapes is pairs[0])
        found.of(layer, [(2, 3, 4), (2, 3, 4), mask(2, 3), mask(2, 3)], args=[[0, 1]], mask_of=[2, 3])
        found.of(layer, [of_type('float16', 2, 3), (2, 3)], args=[[0, 1]])
        found.of(layer, [ints((2, 3), 9), (2, 3)], args=[[0, 1]])
    for shapes, axes in (([(2, 3), (2, 4)], (-1, 1)), ([(2, 3, 4), (2, 3, 4)], (-1, 1, 2, -2)),
                         ([(2, 3, 4), (2, 5, 4), (2, 1, 4)], (1, -2)), ([(2, 3, 2, 2), (2, 3, 2, 3)], (3, -1))):
        found.of('Concatenate', shapes, [dict(axis=axis) for axis in axes], halves=1,
                 args=[list(range(len(shapes)))])
    found.of('Concatenate', [(2, 3, 4), (2, 3, 4), mask(2, 3), mask(2, 3)], [dict(axis=axis) for axis in (-1, 1)],
             args=[[0, 1]], mask_of=[2, 3])
    found.of('Concatenate', [(2, 3, 4), (2, 3, 4), mask(2, 3)], [dict(axis=axis) for axis in (-1, 1)],
             args=[[0, 1]], mask_of=[2, None])
    for shapes, axes in (([(2, 4), (2, 4)], (1, -1, (1, 1))), ([(2, 3, 4), (2, 5, 4)], (2, -1, (2, 2))),
                         ([(2, 3, 4), (2, 4, 5)], ((2, 1),)), ([(2, 3, 4), (2, 4)], ((2, 1), -1)),
                         ([(2, 4, 3), (2, 4, 5)], (1,))):
        found.of('Dot', shapes, grid(axes=axes, normalize=[False, True]), halves=1, args=[[0, 1]])


def _normalization(found):
    for training in (True, False):
        for shape, axes in (((6, 4), (-1,)), ((3, 4, 3), (-1, 1)), ((3, 4, 3, 2), (-1, 1, 2)),
                            ((2, 3, 2, 2, 3), (-1, 1))):
            found.of('BatchNormalization', [shape], grid(axis=axes, momentum=[0.9], center=[True, False],
                                                         scale=[True, False]), halves=1, training=training)
        found.of('BatchNormalization', [(3, 4, 3), mask(3, 4)], grid(axis=[-1], epsilon=[1e-2], momentum=[0.5]),
                 halves=1, training=training, kwargs={'mask': 1})
        found.of('BatchNormalization', [of_type('float16', 6, 4)], [dict(dtype='mixed_float16')], training=training)
        found.of('SpectralNormalization', [(3, 5)], [
            dict(layer=lambda layers: layers.Dense(4), power_iterations=number) for number in (1, 3)],
            training=training)
        found.of('SpectralNormalization', [(2, 5, 5, 2)], [
            dict(layer=lambda layers: layers.Conv2D(3, 2)), dict(layer=lambda layers: layers.Conv2DTranspose(3, 2))],
            training=training)
        found.of('SpectralNormalization', [ints((2, 3), 5)], [dict(layer=lambda layers: layers.Embedding(5, 3))],
                 training=training)
    for shape, axes in (((3, 4), (-1, 1)), ((2, 3, 4), (-1, 1, [1, 2], [-1, -2])),
                        ((2, 3, 2, 4), (-1, 1, [1, 2], [2, 3], [1, 2, 3]))):
        found.of('LayerNormalization', [shape], grid(axis=axes, center=[True, False], scale=[True, False]), halves=1)
    found.of('LayerNormalization', [(2, 3, 4)], [dict(epsilon=1e-1, axis=[2, 1]), dict(epsilon=1e-6)], halves=1)
    for shape, axis in (((2, 3, 4), -1), ((2, 4, 3), 1), ((2, 3, 2, 4), -1), ((2, 4, 3, 2), 1), ((2, 4), -1),
                        ((2, 2, 4, 3), 2)):
        found.of('GroupNormalization', [shape], grid(axis=[axis], groups=[1, 2, -1], center=[True, False],
                                                     scale=[True, False]), halves=1)
    for shape, axes in (((2, 4), (-1,)), ((2, 3, 4), (-1, 1)), ((2, 3, 2, 4), (-1, 2))):
        found.of('RMSNormalization', [shape], grid(axis=axes, epsilon=[1e-6, 1e-2]), halves=1)
        found.of('UnitNormalization', [shape], [dict(axis=axis) for axis in axes + ([1, -1][:len(shape) - 1],)],
                 halves=1)


def _convolution(found):
    spatial = {1: (7,), 2: (6, 5), 3: (4, 5, 4)}
    for rank in (1, 2, 3):
        plain = [(2, padding, 1, 1) for padding in ('valid', 'same')] + [
            (3, padding, strides, dilation) for padding in ('valid', 'same') for strides, dilation in
            ((1, 1), (2, 1), (1, 2))] + ([(3, 'causal', 1, 2), (2, 'causal', 2, 1)] if rank == 1 else [])
        for layer in ['Conv%dD' % rank] + (['DepthwiseConv%dD' % rank, 'SeparableConv%dD' % rank] if rank < 3 else []):
            for data_format in FORMATS:
                arguments = []
                for kernel, padding, strides, dilation in plain:
                    if padding == 'causal' and layer != 'Conv1D':
                        continue
                    given = dict(kernel_size=kernel, padding=padding, strides=strides, dilation_rate=dilation,
                                 data_format=data_format, bias_initializer='ones')
                    if not layer.startswith('Depthwise'):
                        given['filters'] = 4
                    arguments.append(given)
                if layer.startswith('Conv'):
                    arguments += [dict(arguments[2], groups=2), dict(arguments[3], groups=2, filters=6),
                                  dict(arguments[0], use_bias=False, activation='relu')]
                    if rank == 2:
                        arguments += [dict(arguments[0], kernel_size=(1, 3)), dict(arguments[2], strides=(1, 2)),
                                      dict(arguments[2], kernel_size=(3, 2), padding='same', strides=(2, 1)),
                                      dict(arguments[0], kernel_size=1), dict(arguments[2], dilation_rate=(1, 2)),
                                      dict(arguments[0], lora_rank=2)]
                else:
                    arguments += [dict(arguments[2], depth_multiplier=2), dict(arguments[3], depth_multiplier=3),
                                  dict(arguments[0], use_bias=False, activation='tanh')]
                halves = 1 if data_format == 'channels_last' else 0
                found.of(layer, [channels(data_format, 2, spatial[rank], 2)], arguments, halves=halves)


def _transposed(found):
    spatial = {1: (4,), 2: (3, 4), 3: (3, 2, 3)}
    for rank in (1, 2, 3):
        for data_format in FORMATS:
            arguments = [dict(filters=3, kernel_size=kernel, padding=padding, strides=strides, data_format=data_format)
                         for kernel in (2, 3) for padding in ('valid', 'same') for strides in (1, 2, 3)]
            arguments += [dict(filters=3, kernel_size=3, padding=padding, dilation_rate=2, data_format=data_format)
                          for padding in ('valid', 'same')]
            arguments += [dict(filters=3, kernel_size=3, padding=padding, strides=2, output_padding=more,
                               data_format=data_format) for padding in ('valid', 'same') for more in (0, 1)]
            arguments += [dict(filters=3, kernel_size=4, padding='same', strides=2, use_bias=False,
                               activation='relu', data_format=data_format)]
            halves = 1 if data_format == 'channels_last' else 0
            found.of('Conv%dDTranspose' % rank, [channels(data_format, 2, spatial[rank], 2)], arguments, halves=halves)


def _pooling(found):
    spatial = {1: (7,), 2: (7, 6), 3: (5, 4, 5)}
    for rank, kind, data_format in itertools.product((1, 2, 3), ('Max', 'Average'), FORMATS):
        shape = channels(data_format, 2, spatial[rank], 2)
        halves = 1 if data_format == 'channels_last' else 0
        found.of('%sPooling%dD' % (kind, rank), [shape],
                 some(1, grid(pool_size=[2, 3], strides=[None, 1, 2], padding=['valid', 'same'],
                              data_format=[data_format]))[:12 if rank < 3 else 6], halves=halves)
        found.of('Global%sPooling%dD' % (kind, rank), [shape],
                 grid(keepdims=[True, False], data_format=[data_format]), halves=halves)
        sizes = {1: (3, 4), 2: ((3, 4), 2), 3: ((2, 3, 2), 2)}[rank]
        found.of('Adaptive%sPooling%dD' % (kind, rank), [shape],
                 grid(output_size=sizes, data_format=[data_format]), halves=halves)
    found.of('MaxPooling2D', [(2, 7, 6, 2)], [dict(pool_size=(2, 3), strides=(3, 1), padding=padding)
                                              for padding in ('valid', 'same')])
    for data_format in FORMATS:
        shape = channels(data_format, 3, (4,), 2)
        found.of('GlobalAveragePooling1D', [shape, mask(3, 4)], grid(keepdims=[True, False], data_format=[data_format]),
                 halves=1, kwargs={'mask': 1}, mask_of=True)


def _shapes(found):
    for data_format in FORMATS:
        for shape in ((3,), (2, 3), (2, 3, 4), (2, 3, 4, 2)):
            found.of('Flatten', [shape], [dict(data_format=data_format)])
        for rank, ends in ((1, (1, (1, 2), (0, 2))), (2, (1, (2, 1), ((1, 0), (0, 2)))),
                           (3, (1, (1, 0, 1), ((1, 0), (0, 1), (1, 1))))):
            shape = channels(data_format, 2, (5, 4, 5)[:rank], 2)
            rows = {} if rank == 1 else {'data_format': data_format}
            pads = [dict({'padding': end}, **rows) for end in ends]
            if rank == 1:
                pads = [dict(pad, data_format=data_format) for pad in pads]
            found.of('ZeroPadding%dD' % rank, [shape], pads, halves=1)
            found.of('Cropping%dD' % rank, [shape], [dict({'cropping': end}, **rows) for end in ends], halves=1)
        found.of('UpSampling2D', [channels(data_format, 2, (3, 4), 2)], grid(
            size=[2, (2, 3)], data_format=[data_format],
            interpolation=['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5']), halves=1)
        found.of('UpSampling3D', [channels(data_format, 2, (3, 2, 3), 2)], grid(size=[2, (1, 2, 3)],
                                                                                data_format=[data_format]), halves=1)
    found.of('UpSampling1D', [(2, 3, 2)], [dict(size=size) for size in (1, 2, 3)], halves=1)
    for target in ((12,), (3, 4), (-1, 2), (2, -1, 2), (-1,), (2, 2, 3), (4, 3, 1)):
        found.of('Reshape', [(2, 3, 4)], [dict(target_shape=target)])
    for dims in ((1, 2, 3), (3, 1, 2), (2, 1, 3), (3, 2, 1)):
        found.of('Permute', [(2, 3, 4, 2)], [dict(dims=dims)])
    found.of('RepeatVector', [(2, 3)], [dict(n=n) for n in (1, 3)], halves=1)
    for layer, arguments in (('Flatten', {}), ('Reshape', {'target_shape': (4, 3)}), ('RepeatVector', None),
                             ('Permute', {'dims': (2, 1)}), ('Dense', {'units': 2}), ('Dropout', {'rate': 0.5}),
                             ('LayerNormalization', {}), ('Activation', {'activation': 'relu'}),
                             ('GaussianNoise', {'stddev': 0.5}), ('BatchNormalization', {}), ('Cropping1D', {}),
                             ('Conv1D', {'filters': 2, 'kernel_size': 2}), ('MaxPooling1D', {}), ('UpSampling1D', {}),
                             ('ZeroPadding1D', {}), ('GlobalMaxPooling1D', {}), ('PReLU', {}), ('ELU', {}),
                             ('SpatialDropout1D', {'rate': 0.5}), ('Rescaling', {'scale': 2.0}),
                             ('UnitNormalization', {}), ('RMSNormalization', {})):
        if arguments is not None:
            found.of(layer, [(2, 3, 4), mask(2, 3)], [arguments], mask_of=True)


def _recurrent(found):
    for layer, special in (('SimpleRNN', {}), ('LSTM', {}), ('GRU', {}), ('GRU', {'reset_after': False})):
        base = dict(special, units=3)
        states = 2 if layer == 'LSTM' else 1
        found.of(layer, [(2, 4, 5)], [dict(base, **given) for given in grid(
            return_sequences=[True, False], return_state=[True, False], go_backwards=[True, False],
            unroll=[True, False])], halves=1)
        found.of(layer, [(3, 4, 5), mask(3, 4)], [dict(base, **given) for given in grid(
            return_sequences=[True, False], return_state=[True], go_backwards=[True, False],
            unroll=[True, False])], halves=1, kwargs={'mask': 1}, mask_of=True)
        found.of(layer, [(3, 4, 5), mask(3, 4)], [dict(base, zero_output_for_mask=True, return_sequences=True)],
                 halves=1, kwargs={'mask': 1}, mask_of=True)
        found.of(layer, [(2, 4, 5)] + [(2, 3)] * states, [dict(base, **given) for given in grid(
            return_sequences=[True], return_state=[True], go_backwards=[True, False])], halves=1,
            kwargs={'initial_state': list(range(1, 1 + states))})
        found.of(layer, [(2, 4, 5)], [dict(base, stateful=True, **given) for given in grid(
            return_sequences=[True, False], unroll=[True, False])], steps=3)
        found.of(layer, [(2, 4, 5)], [dict(base, use_bias=False), dict(base, activation='relu'),
                                      dict(base, activation='linear', bias_initializer='ones'),
                                      dict(base, dropout=0.5, recurrent_dropout=0.5)])
        if layer != 'SimpleRNN':
            found.of(layer, [(2, 4, 5)], [dict(base, recurrent_activation='hard_sigmoid', return_sequences=True),
                                          dict(base, recurrent_activation='tanh')])
        cells = [] if layer == 'SimpleRNN' else ['hard_sigmoid']
        found.of(layer + 'Cell', [(2, 5)] + [(2, 3)] * states,
                 [base] + [dict(base, recurrent_activation=name) for name in cells] + [dict(base, use_bias=False)],
                 args=[0, list(range(1, 1 + states)) if states > 1 else 1], halves=1)
    found.of('LSTM', [(2, 4, 5)], [dict(units=3, unit_forget_bias=False)])
    for rank, sizes in ((1, (5,)), (2, (4, 3)), (3, (3, 3, 3))):
        for data_format in FORMATS:
            shape = (2, 3) + channels(data_format, 2, sizes, 2)[1:]
            base = dict(filters=2, kernel_size=2, data_format=data_format)
            found.of('ConvLSTM%dD' % rank, [shape], [dict(base, **given) for given in grid(
                padding=['same', 'valid'], return_sequences=[True, False])] + [
                    dict(base, return_state=True, go_backwards=True), dict(base, strides=2, padding='same'),
                    dict(base, kernel_size=3, padding='same', recurrent_activation='hard_sigmoid', use_bias=False)],
                halves=data_format == FORMATS[0])
            if rank < 3:
                found.of('ConvLSTM%dD' % rank, [shape, mask(2, 3)], [dict(base, return_sequences=True)],
                         kwargs={'mask': 1}, mask_of=True)
                found.of('ConvLSTM%dD' % rank, [shape], [dict(base, stateful=True)], steps=2)


def _wrapped_recurrent(found):
    for layer in ('SimpleRNN', 'LSTM', 'GRU'):
        def inner(layers, layer=layer, **more):
            return getattr(layers, layer)(3, return_sequences=True, **more)
        for mode in ('concat', 'sum', 'mul', 'ave', None):
            found.of('Bidirectional', [(2, 4, 5)], [dict(layer=inner, merge_mode=mode)], halves=mode == 'sum')
        found.of('Bidirectional', [(3, 4, 5), mask(3, 4)], [dict(layer=inner, merge_mode=mode)
                                                            for mode in ('concat', 'ave', None)],
                 kwargs={'mask': 1}, mask_of=True)
        found.of('Bidirectional', [(2, 4, 5)], [
            dict(layer=lambda layers, inner=inner: inner(layers, return_state=True)),
            dict(layer=lambda layers, layer=layer: getattr(layers, layer)(3, return_state=True)),
            dict(layer=lambda layers, layer=layer: getattr(layers, layer)(3, go_backwards=True))])
        found.of('Bidirectional', [(2, 4, 5)], [dict(layer=lambda layers, inner=inner: inner(layers, stateful=True))],
                 steps=2)
        found.of('Bidirectional', [(2, 4, 5)], [dict(
            layer=lambda layers, layer=layer: getattr(layers, layer)(3),
            backward_layer=lambda layers, layer=layer: getattr(layers, layer)(2, go_backwards=True))])
        states = 4 if layer == 'LSTM' else 2
        found.of('Bidirectional', [(2, 4, 5)] + [(2, 3)] * states, [dict(layer=inner)],
                 kwargs={'initial_state': list(range(1, 1 + states))})
        found.of('RNN', [(2, 4, 5)], [dict(cell=lambda layers, layer=layer: getattr(layers, layer + 'Cell')(3), **given)
                                      for given in grid(return_sequences=[True, False], return_state=[True, False],
                                                        unroll=[True, False])], halves=1)
        found.of('RNN', [(3, 4, 5), mask(3, 4)], [dict(
            cell=lambda layers, layer=layer: layers.StackedRNNCells(
                [getattr(layers, layer + 'Cell')(3), layers.GRUCell(2)]), **given)
            for given in grid(return_sequences=[True, False], return_state=[True], zero_output_for_mask=[True, False])],
            kwargs={'mask': 1}, mask_of=True)
    for make in (lambda layers: layers.Dense(3), lambda layers: layers.LayerNormalization(),
                 lambda layers: layers.LSTM(2), lambda layers: layers.Flatten(),
                 lambda layers: layers.GRU(2, return_sequences=True)):
        found.of('TimeDistributed', [(2, 3, 4, 5)], [dict(layer=make)], halves=1)
    found.of('TimeDistributed', [(2, 3, 5, 4, 2)], [dict(layer=lambda layers: layers.Conv2D(2, 2)),
                                                    dict(layer=lambda layers: layers.MaxPooling2D()),
                                                    dict(layer=lambda layers: layers.BatchNormalization())])
    found.of('TimeDistributed', [(2, 3, 4), mask(2, 3)], [dict(layer=lambda layers: layers.Dense(3))],
             kwargs={'mask': 1}, mask_of=True)


def _attention(found):
    query, value = (2, 4, 6), (2, 3, 6)
    for layer, choices in (('Attention', grid(use_scale=[True, False], score_mode=['dot', 'concat'])),
                           ('AdditiveAttention', grid(use_scale=[True, False]))):
        found.of(layer, [query, value], choices, args=[[0, 1]], halves=1)
        found.of(layer, [query, value, value], choices, args=[[0, 1, 2]], halves=1)
        found.of(layer, [query, value], choices, args=[[0, 1]], options={'return_attention_scores': True})
        found.of(layer, [query, value], choices, args=[[0, 1]], options={'use_causal_mask': True}, halves=1)
        found.of(layer, [query, value, mask(2, 4), mask(2, 3)], choices, args=[[0, 1]], kwargs={'mask': [2, 3]},
                 halves=1, mask_of=[2, 3])
        found.of(layer, [query, value, value, mask(2, 4), mask(2, 3), mask(2, 3)], choices, args=[[0, 1, 2]],
                 kwargs={'mask': [3, 4, 5]}, options={'return_attention_scores': True, 'use_causal_mask': True})
    for layer, base in (('MultiHeadAttention', dict(num_heads=2, key_dim=3)),
                        ('GroupQueryAttention', dict(num_query_heads=4, num_key_value_heads=2, head_dim=3))):
        multi = layer == 'MultiHeadAttention'
        choices = [base, dict(base, use_bias=False), dict(base, use_gate=True)] + (
            [dict(base, value_dim=2), dict(base, output_shape=5), dict(base, output_shape=(2, 3)),
             dict(base, sliding_window=2)] if multi else [dict(base, num_key_value_heads=1),
                                                          dict(base, num_key_value_heads=4)])
        found.of(layer, [query, value], choices, args=[0, 1], halves=1)
        found.of(layer, [query, value, value], choices, args=[0, 1, 2])
        found.of(layer, [query, query], choices, args=[0, 1], options={'use_causal_mask': True}, halves=1)
        found.of(layer, [query, value], choices[:2], args=[0, 1], options={'return_attention_scores': True}, halves=1)
        found.of(layer, [query, value, mask(2, 4, 3)], choices[:4], args=[0, 1], kwargs={'attention_mask': 2}, halves=1)
        found.of(layer, [query, value, mask(2, 4), mask(2, 3)], choices[:3], args=[0, 1], halves=1,
                 kwargs={'query_mask': 2, 'value_mask': 3})
        found.of(layer, [query, value, value, mask(2, 4), mask(2, 3), mask(2, 3)], choices[:2], args=[0, 1, 2],
                 kwargs={'query_mask': 3, 'value_mask': 4, 'key_mask': 5},
                 options={'return_attention_scores': True})
        found.of(layer, [query, value, mask(1, 4, 3)], choices[:1], args=[0, 1], kwargs={'attention_mask': 2})
        if multi:
            found.of(layer, [query, value, mask(2, 2, 4, 3)], choices[:1], args=[0, 1], kwargs={'attention_mask': 2})
    for axes in ((1,), (2,), (1, 2)):
        found.of('MultiHeadAttention', [(2, 3, 4, 5), (2, 3, 4, 5)], [dict(num_heads=2, key_dim=3,
                                                                           attention_axes=axes)], args=[0, 1], halves=1)
    found.of('MultiHeadAttention', [(2, 3, 4, 5), (2, 2, 4, 5)], [dict(num_heads=2, key_dim=3, attention_axes=(1, 2))],
             args=[0, 1], options={'return_attention_scores': True})


def _noise(found):
    for layer, off in (('Dropout', 'rate'), ('GaussianDropout', 'rate'), ('AlphaDropout', 'rate'),
                       ('GaussianNoise', 'stddev'), ('SpatialDropout1D', 'rate')):
        found.of(layer, [(2, 3, 4)], [{off: 0.0}], training=True, halves=1)
        found.of(layer, [(2, 3, 4)], [{off: 0.3}], training=False, halves=1)
    found.of('SpatialDropout2D', [(2, 3, 4, 2)], grid(rate=[0.4], data_format=FORMATS), training=False)
    found.of('SpatialDropout3D', [(2, 3, 4, 2, 2)], grid(rate=[0.4], data_format=FORMATS), training=False)


def _numbers(found):
    found.of('Rescaling', [(2, 3)], [dict(scale=0.5), dict(scale=2, offset=-1), dict(scale=[1.0, 2.0, 3.0]),
                                     dict(scale=[1.0, 2.0, 3.0], offset=[0.5, 0.0, -1.0])], halves=1)
    found.of('Rescaling', [Given('int', (2, 3), 255, 'uint8')], [dict(scale=1 / 255.0)], halves=1)
    found.of('Normalization', [(4, 3)], [dict(mean=2.0, variance=4.0, axis=None), dict(mean=[1., 2., 3.],
                                                                                       variance=[1., 4., .25]),
                                         dict(mean=[1., 2., 3.], variance=[1., 4., 0.], invert=True)], halves=1)
    found.of('Normalization', [(2, 3, 4)], [dict(mean=[1., 2., 3.], variance=[1., 4., .25], axis=1)], halves=1)
    for axis in (-1, None, 1, (1, 2)):
        found.of('Normalization', [(2, 3, 4)], [dict(axis=axis), dict(axis=axis, invert=True)],
                 adapt=np.random.RandomState(3).normal(2, 3, (5, 3, 4)).astype('float32'))
    bounds = [-1.0, 0.0, 0.5]
    for mode in ('int', 'one_hot', 'multi_hot', 'count'):
        found.of('Discretization', [(3, 4)], [dict(bin_boundaries=bounds, output_mode=mode)], halves=mode == 'one_hot')
        found.of('Discretization', [(3, 4)], [dict(num_bins=3, epsilon=0.01, output_mode=mode)],
                 adapt=np.random.RandomState(4).normal(0, 1, (50, 4)).astype('float32'))
    for mode in ('one_hot', 'multi_hot', 'count'):
        for shape in ((3, 1), (3, 4), (4,)) if mode != 'one_hot' else ((3, 1), (3,)):
            for kind in ('int32', 'int64', 'uint8', 'float32'):
                found.of('CategoryEncoding', [ints(shape, 5, kind)], [dict(num_tokens=5, output_mode=mode)],
                         halves=kind == 'int32')
    found.of('CategoryEncoding', [ints((3, 4), 5), (3, 4)], [dict(num_tokens=5, output_mode='count')], halves=1,
             kwargs={'count_weights': 1})
    for mode in ('int', 'one_hot', 'multi_hot', 'count'):
        for shape in ((3, 4), (3, 1), (3,)):
            for salt in (None, 7, [3, 9]):
                if mode != 'one_hot' or shape != (3, 4):
                    found.of('Hashing', [ints(shape, 99)], [dict(num_bins=6, output_mode=mode, salt=salt)])
        found.of('Hashing', [ints((3,), 9)], [dict(num_bins=6, output_mode=mode, mask_value=3)])
    for mode in ('int', 'one_hot'):
        for shape in ((3,), (3, 1)):
            found.of('HashedCrossing', [ints(shape, 99), ints(shape, 99)], [dict(num_bins=7, output_mode=mode)],
                     args=[[0, 1]])
    for given in grid(oov_token=[-1], num_oov_indices=[0, 1, 2], mask_token=[None, 7],
                      output_mode=['int', 'one_hot', 'multi_hot', 'count'], pad_to_max_tokens=[False, True]):
        shape = (3, 1) if given['output_mode'] == 'one_hot' else (3, 4)
        values = np.random.RandomState(5).choice([12, 36, 11] + ([7, 99] if given['num_oov_indices'] else []), shape)
        if given['pad_to_max_tokens']:
            given['max_tokens'] = 8
        found.of('IntegerLookup', [values.astype('int64')], [dict(given, vocabulary=[12, 36, 11])])
    found.of('IntegerLookup', [np.array([[1, 2, 3]], 'int64')], [
        dict(vocabulary=[12, 36, 11], invert=True, mask_token=token) for token in (None, 7)])
    for mode in ('int', 'multi_hot', 'count', 'tf_idf'):
        found.of('IntegerLookup', [np.array([[1, 2, 3], [3, 3, 9]], 'int64')], [dict(output_mode=mode)],
                 adapt=np.array([[1, 2, 3], [2, 3, 3], [3, 5, 1]], 'int64'))


def _words(found):
    words = [['a', 'dog', 'zoo'], ['cat', 'a', 'a']]
    for given in grid(num_oov_indices=[0, 1, 2], mask_token=[None, ''],
                      output_mode=['int', 'multi_hot', 'count'], pad_to_max_tokens=[False, True]):
        if given['pad_to_max_tokens']:
            given['max_tokens'] = 8
        values = words if given['num_oov_indices'] else [['a', 'dog', 'a'], ['cat', 'a', 'a']]
        found.of('StringLookup', [values], [dict(given, vocabulary=['a', 'dog', 'cat'])])
    found.of('StringLookup', [[['a'], ['zoo'], ['cat']]], grid(vocabulary=[['a', 'dog', 'cat']],
                                                              output_mode=['one_hot', 'int', 'count']))
    found.of('StringLookup', [words], [dict(vocabulary=['a', 'dog', 'cat'], output_mode='tf_idf',
                                            idf_weights=[0.5, 1.0, 2.0])])
    for mode in ('int', 'multi_hot', 'tf_idf'):
        found.of('StringLookup', [words], [dict(output_mode=mode), dict(output_mode=mode, max_tokens=3)],
                 adapt=[['a', 'dog'], ['cat', 'a'], ['dog', 'a'], ['cow', 'a']])
    texts = ['The cat, sat!', 'a dog', 'sat the cat the']
    for given in grid(output_mode=['int', 'multi_hot', 'count'], ngrams=[None, 2, (1, 3)],
                      standardize=[None, 'lower', 'strip_punctuation', 'lower_and_strip_punctuation'],
                      split=['whitespace', 'character']):
        found.of('TextVectorization', [texts], [dict(given, vocabulary=['the', 'cat', 'sat', 'the cat', 't', 'a'])])
    for length in (2, 6):
        found.of('TextVectorization', [texts], [dict(output_sequence_length=length),
                                                dict(output_sequence_length=length, max_tokens=4, ngrams=2)],
                 adapt=['the cat sat on the mat', 'the dog sat', 'a cat'])
    for mode in ('multi_hot', 'count', 'tf_idf'):
        found.of('TextVectorization', [texts], [dict(output_mode=mode),
                                                dict(output_mode=mode, max_tokens=9, pad_to_max_tokens=True)],
                 adapt=['the cat sat on the mat', 'the dog sat', 'a cat'])
    for mode in ('int', 'one_hot'):
        found.of('Hashing', [['a', 'dog', 'zoo']], [dict(num_bins=5, output_mode=mode, salt=salt)
                                                    for salt in (None, 3, [1, 2])])
    found.of('HashedCrossing', [['a', 'dog', 'zoo'], ['x', 'y', 'z']],
             grid(num_bins=[5], output_mode=['int', 'one_hot']), args=[[0, 1]])


def _pictures(found):
    for data_format in FORMATS:
        shape = channels(data_format, 2, (6, 5), 3)
        found.of('Resizing', [pixels(*shape)], grid(
            height=[4, 9], width=[7], data_format=[data_format], interpolation=['nearest', 'bilinear', 'bicubic',
                                                                               'lanczos3']), halves=1)
        found.of('Resizing', [pixels(*shape)], [dict(height=4, width=8, data_format=data_format, **given) for given in (
            {'crop_to_aspect_ratio': True}, {'pad_to_aspect_ratio': True, 'fill_value': 3.0}, {'antialias': True},
            {'antialias': True, 'interpolation': 'bicubic'})])
        found.of('CenterCrop', [pixels(*shape)], grid(height=[3, 4, 6], width=[2, 3], data_format=[data_format]),
                 halves=1)
        found.of('CenterCrop', [pixels(*shape)], [dict(height=9, width=9, data_format=data_format)])
        for layer, given in (('RandomBrightness', dict(factor=(0.2, 0.2))),
                             ('RandomSaturation', dict(factor=(0.3, 0.3))),
                             ('RandomSharpness', dict(factor=(0.7, 0.7))), ('RandomGrayscale', dict(factor=1.0)),
                             ('RandomInvert', dict(factor=(1.0, 1.0))), ('RandomPosterization', dict(factor=(4, 4))),
                             ('RandomColorDegeneration', dict(factor=(0.6, 0.6))), ('AutoContrast', {}),
                             ('Solarization', dict(addition_factor=(0, 0), threshold_factor=(0, 0))),
                             ('Equalization', {}), ('RandomGaussianBlur', dict(factor=(1.0, 1.0), kernel_size=3,
                                                                               sigma=(1.0, 1.0))),
                             ('RandomTranslation', dict(height_factor=(0.2, 0.2), width_factor=(-0.3, -0.3))),
                             ('RandomRotation', dict(factor=(0.1, 0.1))),
                             ('RandomZoom', dict(height_factor=(0.2, 0.2), width_factor=(-0.1, -0.1)))):
            given = dict(given, data_format=data_format)
            if layer == 'RandomGrayscale' and data_format == 'channels_first':
                continue
            geometric = layer in ('RandomTranslation', 'RandomRotation', 'RandomZoom')
            modes = [dict(given, fill_mode=mode, interpolation=kind) for mode in
                     ('reflect', 'constant', 'wrap', 'nearest') for kind in ('bilinear', 'nearest')] if geometric else [
                         given]
            for training in (True, False) if layer.startswith('Random') else (None,):
                found.of(layer, [pixels(*shape)], modes if training else modes[:1], halves=training is not False,
                         training=training)
        for layer in ('RandomFlip', 'RandomCrop', 'RandomErasing', 'RandomElasticTransform', 'RandomPerspective',
                      'RandomContrast', 'RandomHue', 'RandomShear', 'RandomColorJitter'):
            given = {'RandomCrop': dict(height=3, width=4), 'RandomContrast': dict(factor=0.3),
                     'RandomHue': dict(factor=0.3), 'RandomShear': dict(x_factor=0.2)}.get(layer, {})
            found.of(layer, [pixels(*shape)], [dict(given, data_format=data_format)], training=False)
    for grid_size in ((8, 8), (2, 3), (4, 4)):
        found.of('ContrastLimitedAdaptiveHistogramEqualization', [pixels(1, 16, 12, 3)],
                 [dict(tile_grid_size=grid_size, clip_limit=limit) for limit in (1.0, 4.0)])
    found.of('Pipeline', [pixels(2, 4, 4, 3)], [dict(layers=lambda layers: [
        layers.Rescaling(0.5), layers.RandomBrightness((0.3, 0.3), value_range=(0, 128)), layers.CenterCrop(2, 2)])],
        training=True)


def _sounds(found):
    for given in grid(frame_length=[16], frame_step=[4, 8], fft_length=[16, 32], mode=['log', 'magnitude', 'real',
                                                                                       'imag', 'angle', 'psd']):
        found.of('STFTSpectrogram', [(2, 40, 2)], [given])
    for given in ({'window': 'hamming'}, {'window': None}, {'scaling': 'spectrum'}, {'padding': 'same'},
                  {'expand_dims': True}, {'periodic': True}, {'data_format': 'channels_first'}):
        shape = (2, 2, 40) if 'data_format' in given else (2, 40, 2)
        found.of('STFTSpectrogram', [shape], [dict(given, frame_length=16, frame_step=8, fft_length=16,
                                                   mode='magnitude')])
    for given in ({}, {'power_to_db': False}, {'mag_exp': 1.0}, {'window': 'hamming'}, {'min_freq': 100.0},
                  {'max_freq': 3000.0}, {'ref_power': 2.0}, {'top_db': 20.0}):
        found.of('MelSpectrogram', [(2, 400)], [dict(given, fft_length=64, sequence_stride=32, num_mel_bins=8,
                                                     sampling_rate=8000)])
