"""Record what upstream's layers give: `KERAS_BACKEND=torch python golden.py FOLDER [WORD...]`, where Keras 3.15.1 is.

Writes `layers-3.15.1.json` and `.npz` into FOLDER, in the format of the golden files (README.md beside those), from the
cases of `golden_cases.py`, all of them or those with a WORD in their name; with `KERAS_GOLDEN=FOLDER` the tests of
`tests/layers/test_golden_keras3.py` compare ours. PyTorch takes a minute for all of them, JAX, which compiles each, an
hour; where we and PyTorch differ, JAX says who is right. All numbers are drawn by NumPy and by the name of the case. To
the keys of the format come:

* `masks`: the masks of the inputs, given to `compute_mask` alone, as numbers of inputs.
* `tolerance`, `gradient_tolerance`: where a layer computes in 16 bits.

Upstream's own faults among the cases, which ours need not have: shapes of `Activation('glu')`, of `Hashing` to one-hot
codes of a vector and of scores of `MultiHeadAttention`; `AutoContrast` with the channels first (it takes the range over
channels and rows); `SpectralNormalization` of an `Embedding` (it gives integers). On PyTorch alone: gradients of
attention where a mask leaves nothing, bicubic resizing, padded average pooling.

Arrays of bfloat16 are stored in float32; `inputs` and `output_dtype` say what they are. Cases that upstream refuses are
in `upstream_fails`, with its words.
"""
import contextlib
import json
import os
import sys
import zlib

import keras
from keras import layers, ops, tree
import numpy as np

import golden_cases

TOLERANCES = {'float16': (4e-3, 2e-2), 'bfloat16': (3e-2, 1e-1)}


JAX = keras.backend.backend() == 'jax'
if JAX:
    import jax
else:
    import torch


def dtype_of(x):
    return keras.backend.standardize_dtype(x.dtype)


def number_array(array):
    """What the file holds of an array or tensor."""
    if not isinstance(array, np.ndarray):
        array = ops.convert_to_numpy(ops.cast(array, 'float32') if dtype_of(array) == 'bfloat16' else array)
    return array


def drawn(given, random, number):
    """(the array or strings, what the file says of it) of the input of that number."""
    if isinstance(given, list):
        return given, {'kind': 'str', 'value': given}
    if isinstance(given, np.ndarray):
        return given, {'kind': 'float' if given.dtype.kind == 'f' else 'int', 'shape': list(given.shape),
                       'dtype': str(given.dtype)}
    if isinstance(given, tuple):
        given = golden_cases.Given('float', given)
    size = int(np.prod(given.shape))
    if given.kind == 'float':
        # Distinct, in all inputs together, and none of them 0: maxima have no ties, and no kink is hit.
        values = (random.permutation(size) - size / 2 + 0.25 + 0.07 * number) * (3.0 / max(size, 6))
        # NumPy has no such type: tensors are made of it.
        dtype = 'float32' if given.dtype == 'bfloat16' else given.dtype
    elif given.kind == 'pixels':
        values, dtype = random.permutation(size) * (given.below / max(size, 2)) + 0.25, 'float32'
    elif given.kind == 'mask':
        values, dtype = random.uniform(size=size) < 0.6, 'bool'
        values[:1] = True
        if len(given.shape) == 2:
            # A mask of steps: each row has a step that counts.
            values = values.reshape(given.shape)
            values[np.arange(len(values)), np.arange(len(values)) % given.shape[1]] = True
    else:
        values, dtype = random.randint(0, given.below, size), given.dtype
    array = values.reshape(given.shape).astype(dtype)
    return array, {'kind': given.kind.replace('pixels', 'float'), 'shape': list(given.shape), 'dtype': given.dtype
                   if given.kind != 'mask' else 'bool'}


def pick(inputs, numbers):
    if isinstance(numbers, list):
        return [pick(inputs, number) for number in numbers]
    return None if numbers is None else inputs[numbers]


class Recorder:
    """One case: what it is called with, and everything that comes back, as `content` (JSON) and `arrays`."""

    def __init__(self, name, make, givens, args=None, kwargs=None, options=None, training=None, steps=1, mask_of=None,
                 adapt=None):
        self.random = np.random.RandomState(zlib.crc32(name.encode()) % 2 ** 31)
        self.givens = givens
        pairs = [drawn(given, self.random, index) for index, given in enumerate(givens)]
        self.inputs = [pair[0] for pair in pairs]
        self.args, self.kwargs = [0] if args is None else args, kwargs or {}
        self.options = dict(options or {}, **({} if training is None else {'training': training}))
        self.content = {'inputs': [pair[1] for pair in pairs], 'args': self.args, 'kwargs': self.kwargs,
                        'options': options or {}, 'training': training, 'steps': steps}
        self.arrays = {'in%d' % index: x for index, x in enumerate(self.inputs) if not isinstance(x, list)}
        self.masks = 1 if mask_of is True else mask_of
        self.layer = make(layers)
        if adapt is not None:
            self.adapt(adapt)

    def adapt(self, data):
        self.layer.adapt(data)
        if isinstance(data, list):
            self.content['adapt_data'] = data
        else:
            self.arrays['adapt'] = data

    def values(self, inputs):
        return [x if isinstance(x, list) else ops.convert_to_tensor(x, given['dtype'])
                for x, given in zip(inputs, self.content['inputs'])]

    def call(self, inputs, function=None):
        function = function or self.layer
        return function(*[pick(inputs, number) for number in self.args],
                        **{key: pick(inputs, number) for key, number in self.kwargs.items()}, **self.options)

    def record(self):
        self.build()
        with self.kept_state():
            self.shapes()
        with self.kept_state():
            self.gradients()
        self.outputs()
        self.output_masks()
        self.content['layer'] = json.loads(json.dumps(layers.serialize(self.layer), default=float))
        return self

    def build(self):
        layer = self.layer
        self.call(self.values(self.inputs))
        weights = []
        for weight, value in zip(layer.weights, layer.get_weights()):
            if weight.trainable and 'float' in weight.dtype:
                value = self.random.uniform(-1, 1, value.shape)
            elif 'variance' in weight.name and not isinstance(layer, layers.Normalization):
                value = self.random.uniform(0.5, 2, value.shape)
            elif 'mean' in weight.name and not isinstance(layer, layers.Normalization):
                value = self.random.uniform(-1, 1, value.shape)
            elif weight.name in ('vector_u', 'u', 'sn_u'):
                value = self.random.uniform(0.2, 1, value.shape)
            weights.append(value)
        layer.set_weights(weights)
        if self.content['steps'] > 1:
            layer.reset_state()
        trainable = {id(weight) for weight in layer.trainable_weights}
        self.content['weights'] = [{'name': weight.name, 'path': weight.path, 'shape': list(weight.shape),
                                    'trainable': id(weight) in trainable} for weight in layer.weights]
        # PyTorch's variables are written into: the file is to have what they hold now.
        self.arrays.update(('w%d' % index, number_array(weight.value).copy())
                           for index, weight in enumerate(layer.weights))

    @contextlib.contextmanager
    def kept_state(self):
        """A block whose calls of the layer leave no traces; upstream's `compute_output_spec` is one on PyTorch."""
        before = [number_array(v.value).copy() for v in self.layer.variables]
        yield
        for variable, value in zip(self.layer.variables, before):
            variable.assign(value)

    def shapes(self):
        for key in ('output_shape', 'output_shape_none_batch'):
            def spec(number, key=key):
                x = self.inputs[number]
                shape = np.shape(x)
                if key == 'output_shape_none_batch' and shape:
                    shape = (None,) + shape[1:]
                return keras.KerasTensor(shape, self.content['inputs'][number].get('dtype', 'string'))
            try:
                found = self.layer.compute_output_spec(*tree.map_structure(spec, self.args), **self.options)
                self.content[key] = [list(x.shape) for x in tree.flatten(found)]
            except Exception:  # upstream has no rule for some of what it computes
                self.content[key] = None

    def gradients(self):
        """Of the sum of outputs times fixed factors, by the inputs and the weights that have them."""
        inputs = self.values(self.inputs)
        used = set(tree.flatten([self.args, list(self.kwargs.values())]))
        floats = [index for index, given in enumerate(self.content['inputs'])
                  if 'float' in given.get('dtype', '') and index in used]
        self.factors = []
        try:
            by_weights, by_inputs = (self.gradients_of_jax if JAX else self.gradients_of_torch)(inputs, floats)
        except Exception as error:  # computed outside of the engine, or no numbers
            self.content['no_gradients'] = '%s: %s' % (type(error).__name__, str(error).split('\n')[0][:150])
            self.content['gradients'] = []
            return
        numbers = {id(weight): index for index, weight in enumerate(self.layer.weights)}
        found = {'gin%d' % index: x for index, x in zip(floats, by_inputs) if x is not None}
        found.update(('gw%d' % numbers[id(weight)], x) for weight, x in zip(self.layer.trainable_variables, by_weights)
                     if x is not None)
        self.content['gradients'] = sorted(found)
        self.arrays.update(found)
        self.arrays.update(('r%d' % index, r) for index, r in enumerate(self.factors))

    def loss(self, outputs):
        outputs = [x for x in tree.flatten(outputs) if x is not None]
        if not self.factors:
            self.factors.extend(self.random.uniform(-1, 1, x.shape).astype('float32') for x in outputs)
        return sum(ops.sum(ops.cast(x, 'float32') * ops.convert_to_tensor(r)) for x, r in zip(outputs, self.factors))

    def gradients_of_jax(self, inputs, floats):
        trainable = [v.value for v in self.layer.trainable_variables]
        rest = [v.value for v in self.layer.non_trainable_variables]

        def loss(trainable, given):
            values = [given[floats.index(index)] if index in floats else x for index, x in enumerate(inputs)]
            outputs, _ = self.call(values, lambda *args, **kwargs: self.layer.stateless_call(
                trainable, rest, *args, **kwargs))
            return self.loss(outputs)
        return jax.grad(loss, (0, 1))(trainable, [inputs[index] for index in floats])

    def gradients_of_torch(self, inputs, floats):
        for index in floats:
            inputs[index] = inputs[index].detach().requires_grad_()
        weights = [v.value for v in self.layer.trainable_variables]
        found = torch.autograd.grad(self.loss(self.call(inputs)), weights + [inputs[index] for index in floats],
                                    allow_unused=True)
        return found[:len(weights)], found[len(weights):]

    def outputs(self):
        if self.content['steps'] > 1:
            self.layer.reset_state()
        outputs = self.outputs_of(self.inputs, '')
        self.content['outputs'] = len(outputs)
        self.content['output_dtype'] = [dtype_of(x) for x in outputs]
        for half, (close, gradient) in TOLERANCES.items():
            if half in self.content['output_dtype'] + [given.get('dtype') for given in self.content['inputs']] or \
                    half == getattr(self.layer, 'compute_dtype', None):
                self.content.update(tolerance=close, gradient_tolerance=gradient)
        for step in range(1, self.content['steps']):
            inputs = [drawn(given, self.random, index)[0] for index, given in enumerate(self.givens)]
            self.arrays.update(('in%d@%d' % (index, step), x) for index, x in enumerate(inputs))
            self.outputs_of(inputs, '@%d' % step)
        if self.content['training']:
            self.arrays.update(('wafter%d' % index, weight.value) for index, weight in enumerate(self.layer.weights))

    def outputs_of(self, inputs, suffix):
        outputs = [x for x in tree.flatten(self.call(self.values(inputs))) if x is not None]
        self.arrays.update(('out%d%s' % (index, suffix), x) for index, x in enumerate(outputs))
        return outputs

    def output_masks(self):
        numbers = self.kwargs.get('mask', self.masks)
        if numbers is not None and 'mask' not in self.kwargs:
            self.content['masks'] = numbers
        inputs = self.values(self.inputs)
        try:
            found = self.layer.compute_mask(pick(inputs, self.args[0]), pick(inputs, numbers))
        except Exception as error:
            self.content['mask_fails'] = '%s: %s' % (type(error).__name__, str(error).split('\n')[0][:150])
            return
        found = [x for x in tree.flatten(found) if x is not None] if self.layer.supports_masking else []
        self.content['output_masks'] = len(found)
        self.arrays.update(('outmask%d' % index, x) for index, x in enumerate(found))


def main(folder, words):
    contents, arrays, fails = {}, {}, {}
    for name, make, givens, call in golden_cases.cases():
        if words and not any(word in name for word in words):
            continue
        keras.utils.set_random_seed(1)
        try:
            recorder = Recorder(name, make, givens, **call).record()
        except Exception as error:  # a refusal is an answer, too
            fails[name] = '%s: %s' % (type(error).__name__, str(error).strip().split('\n')[0])
            continue
        contents[name] = recorder.content
        arrays.update(('%s/%s' % (name, key), number_array(x)) for key, x in recorder.arrays.items())
    os.makedirs(folder, exist_ok=True)
    np.savez_compressed(os.path.join(folder, 'layers-3.15.1.npz'), **arrays)
    with open(os.path.join(folder, 'layers-3.15.1.json'), 'w') as stream:
        json.dump({'keras': keras.__version__, 'engine': keras.backend.backend(), 'upstream_fails': fails,
                   'cases': contents}, stream, indent=1, sort_keys=True)
    print('%d cases, %d that upstream refuses' % (len(contents), len(fails)))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
