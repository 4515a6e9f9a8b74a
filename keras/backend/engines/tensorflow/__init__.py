"""The TensorFlow engine: TensorFlow 2.4 to the newest.

Rules these files obey: no other imports tensorflow; primitives call `tf.raw_ops`, which have the
least Python around them; private parts of TensorFlow are used in one place, `steps.py`, and not needed.
"""
import os
import sys
import warnings
import weakref

import numpy as np

from keras.backend.contract import tree
from keras.backend.contract.context import context
from keras.backend.contract.engine import Capabilities, Engine
from keras.backend.contract.ledger import Concretely
from keras.backend.contract.rules import AbstractTensor, name_of, stand_ins
from keras.backend.graph.tensors import KerasTensor
from keras.backend.state.variables import Variable

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import tensorflow as tf  # noqa: E402 (its log level is read when it is imported)
import keras.backend.engines.tensorflow.recurrent  # noqa: E402, F401 (it adds to the overrides)
import keras.backend.engines.tensorflow.symbols  # noqa: E402, F401 (it registers with TensorFlow)
import keras.backend.engines.tensorflow.updates  # noqa: E402, F401 (it adds to the overrides)
from keras.backend.engines.tensorflow.control import (cond, scan, specification, traced, while_loop,  # noqa: E402
                                                         with_branches)
from keras.backend.engines.tensorflow.devices import use_options  # noqa: E402
from keras.backend.engines.tensorflow.exports import (Artifact, LoadedArtifact, register,  # noqa: E402
                                                      specification_of, write_saved_model, write_tflite)
from keras.backend.engines.tensorflow.host import dataset, on_host  # noqa: E402
from keras.backend.engines.tensorflow.ledgers import WatchedLedger  # noqa: E402
from keras.backend.engines.tensorflow.overrides import OVERRIDES  # noqa: E402
from keras.backend.engines.tensorflow.steps import (Hand, Recorder, RepeatedStep, ScriptedStep, Step, dense,
                                                    in_storage)  # noqa: E402
from keras.backend.engines.tensorflow.tensors import (COMPUTED, DTYPES, EagerTensor, NAMES, WIDENED, axes_of, be_eager,
                                                      binary,
                                                      executing_eagerly, filled_vector, in_float32, in_int64,
                                                      leaving_graph, no_tape, positions, rank_of, raw, same_batch,
                                                      size_vector, sizes_of, sum_input, unary, valid_name,
                                                      vectors)  # noqa: E402
from keras.backend.engines.tensorflow.trackables import Tracked, restore_waiting  # noqa: E402
from keras.backend.engines.tensorflow.windows import conv, conv_transpose, pool  # noqa: E402


# What TensorFlow multiplies sparse matrices of.
_OF_SPARSE_PRODUCTS = (tf.float32, tf.float64, tf.int32, tf.complex64, tf.complex128)


def _once(slices):
    """(values, indices) of `IndexedSlices`, where those of the same index are added."""
    indices, places = tf.unique(slices.indices)
    return tf.math.unsorted_segment_sum(slices.values, places, tf.size(indices)), indices


def _sparse_by_dense(x, y):
    """The product of matrices, whose gradient by `y` has rows only where the columns of `x` hold something."""
    @tf.custom_gradient
    def product(values, y):
        def gradient(upstream):
            rows = tf.gather(upstream, x.indices[:, 0])
            columns = x.indices[:, 1]
            return tf.reduce_sum(rows * tf.gather(y, columns), 1), tf.IndexedSlices(
                rows * values[:, None], columns, tf.shape(y, tf.int64))
        return tf.sparse.sparse_dense_matmul(tf.SparseTensor(x.indices, values, x.dense_shape), y), gradient
    return product(x.values, y)


class TensorflowEngine(Engine):
    name = 'tensorflow'
    capabilities = Capabilities(gradients=True, compiled=True, dynamic_sizes=True, dtypes=[
        name for name in COMPUTED if not name.startswith('complex')])
    boolean_dtypes = frozenset((tf.bool,))
    float_dtypes = {tf.float16, tf.bfloat16, tf.float32, tf.float64}
    variable_attributes = ('_should_act_as_resource_variable', 'handle', '_handle', '_dtype', '_unique_id',
                           '_shared_name', '_id', 'read_value', 'ref', 'experimental_ref', 'device', 'graph', 'op',
                           '_in_graph_mode')

    has_strings = has_short_integers = True
    exporters = {'tf_saved_model': write_saved_model, 'tflite': write_tflite, 'litert': write_tflite}

    def __init__(self):
        register()
        # A variable that comes back from another engine gets its old storage, which compiled steps hold on to.
        self._storages = weakref.WeakKeyDictionary()
        self._scalars = {}
        if tf.__version__.startswith('2.4.'):
            for name in WIDENED:
                setattr(self, name, in_int64(getattr(self, name)))

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, tf.Tensor)

    def convert(self, x, dtype=None):
        if isinstance(x, (tf.Variable, tf.IndexedSlices) + stand_ins()):
            x = tf.convert_to_tensor(x)
        elif isinstance(x, tf.SparseTensor):
            x = tf.sparse.to_dense(x)
        elif isinstance(x, tf.RaggedTensor):
            warnings.warn('A RaggedTensor was made dense: its short rows are filled up with zeros, which count as '
                          'values. Pad them yourself and have the padding masked (Embedding(..., mask_zero=True), '
                          'Masking) for the results of the rows alone.', stacklevel=3)
            x = x.to_tensor()
        return super().convert(x, dtype)

    has_sparse = True

    def sparse_types(self):
        return (tf.SparseTensor, tf.IndexedSlices)

    def sparse_shaped(self, x):
        if isinstance(x, tf.IndexedSlices) and not isinstance(x.dense_shape, tf.Tensor) and x.dense_shape is not None:
            return tf.IndexedSlices(x.values, x.indices, tf.convert_to_tensor(x.dense_shape, tf.int64))
        return x

    def sparse_parts(self, x):
        x = tf.sparse.from_dense(tf.convert_to_tensor(x)) if isinstance(x, tf.IndexedSlices) else x
        shape = tuple(x.dense_shape[axis] if size is None else size for axis, size in enumerate(self.shape_of(x)))
        return x.indices, x.values, shape

    def slices_parts(self, x):
        if not isinstance(x, tf.IndexedSlices):
            return self.sparse_parts(x)
        sizes = x.dense_shape
        shape = tuple(sizes[axis] if size is None else size for axis, size in enumerate(self.shape_of(x)))
        values, indices = _once(x)
        return tf.cast(indices, tf.int64)[:, None], values, shape

    def sparse_with(self, x, values):
        if isinstance(x, tf.IndexedSlices):
            return tf.IndexedSlices(values, _once(x)[1], x.dense_shape)
        return tf.SparseTensor(x.indices, values, x.dense_shape)

    def sparse_of(self, indices, values, shape):
        if indices.shape[1] < len(shape):
            shape = tf.stack([tf.cast(size, indices.dtype) for size in shape])
            values, indices = _once(tf.IndexedSlices(values, indices[:, 0]))
            return tf.IndexedSlices(values, indices, shape)
        shape = tf.stack([tf.cast(size, tf.int64) for size in shape]) if shape else tf.zeros(0, tf.int64)
        strides = tf.math.cumprod(shape, exclusive=True, reverse=True)
        flat, places = tf.unique(tf.reduce_sum(indices * strides, 1))
        values = tf.math.unsorted_segment_sum(values, places, tf.size(flat))
        # `unravel_index` does not take a tensor without places.
        sizes = tf.maximum(shape, 1)
        places = tf.math.floormod(flat[:, None] // tf.maximum(strides, 1)[None], sizes[None])
        return tf.sparse.reorder(tf.SparseTensor(places, values, shape))

    def sparse_from(self, x, sliced=False):
        if not sliced:
            return tf.sparse.from_dense(x)
        indices = tf.where(tf.reduce_any(tf.not_equal(x, 0), axis=list(range(1, x.shape.rank))))[:, 0]
        return tf.IndexedSlices(tf.gather(x, indices), indices, tf.constant(x.shape, tf.int64))

    def sparse_product(self, x, y):
        if any(isinstance(part, tf.IndexedSlices) for part in (x, y)) or y.dtype not in _OF_SPARSE_PRODUCTS:
            return NotImplemented
        if isinstance(x, tf.SparseTensor) and isinstance(y, tf.SparseTensor):
            return tf.sparse.from_dense(tf.sparse.sparse_dense_matmul(x, tf.sparse.to_dense(y)))
        return _sparse_by_dense(x, y) if isinstance(x, tf.SparseTensor) else tf.sparse.sparse_dense_matmul(x, y)

    def has_values(self, x):
        return isinstance(x, EagerTensor)

    has_edges_of_its_own = True

    has_ragged = True

    def is_ragged(self, x):
        return isinstance(x, tf.RaggedTensor)

    def rows_filled(self, x, width=None):
        sizes = None
        if width is not None:
            longest = tf.maximum(tf.cast(width, x.row_splits.dtype), x.bounding_shape(1))
            sizes = tf.stack([-1, longest] + [-1] * (x.shape.rank - 2))
        dense = self.convert(x) if x.ragged_rank > 1 else x.to_tensor(shape=sizes)
        return dense, tf.sequence_mask(x.row_lengths(), tf.shape(dense)[1])

    def ragged_from(self, x, there=None):
        return tf.RaggedTensor.from_tensor(x, padding=0) if there is None else tf.ragged.boolean_mask(x, there)

    def ragged_of_lengths(self, values, lengths):
        return tf.RaggedTensor.from_row_lengths(values, lengths)

    def ragged_of_values(self, x, function):
        return x.with_flat_values(function(x.flat_values))

    def ragged_of(self, arrays):
        return tf.concat([tf.RaggedTensor.from_tensor(array, ragged_rank=array.ndim - 1) for array in arrays], 0)

    stacked = staticmethod(tf.stack)

    def from_host(self, array, dtype):
        if dtype == 'string':
            return tf.constant(array.tolist(), DTYPES[dtype])
        if name_of(array.dtype) == dtype:
            # Of the caller's own array some releases, 2.4 among them, would use the memory.
            return tf.constant(np.array(array))
        return tf.constant(array.astype('float32' if dtype == 'bfloat16' else dtype), DTYPES[dtype])

    def scalar(self, value, dtype):
        if value is True or value is False:
            return self.convert(value, dtype)
        if not executing_eagerly():
            return tf.constant(value, DTYPES[dtype])
        key = (value, type(value), dtype)
        if key not in self._scalars:
            if len(self._scalars) > 1000:
                self._scalars.clear()
            self._scalars[key] = tf.constant(value, DTYPES[dtype])
        return self._scalars[key]

    def to_numpy(self, x):
        if not isinstance(x, EagerTensor):
            raise TypeError('%s has no value while a function is traced. Return it from the function, or use '
                            'keras.ops instead of NumPy.' % (x,))
        if x.dtype == tf.bfloat16:
            x = tf.cast(x, tf.float32)
        array = x.numpy()
        return array if isinstance(array, np.ndarray) else np.asarray(array)

    def dtype_of(self, x):
        return NAMES.get(x.dtype) or x.dtype.name

    def shape_of(self, x):
        return tuple(x.shape.as_list())

    def dynamic_shape(self, x):
        return tuple(sizes_of(x))

    # --- state -----------------------------------------------------------------------------------------------

    def leaving_graph(self):
        return None if executing_eagerly() else leaving_graph()

    def new_variable(self, value, variable):
        be_eager()
        with tf.init_scope():
            storage = self._storages.get(variable)
            storage = None if storage is None else storage()
            value = self.from_host(np.asarray(value), variable.dtype)
            if storage is not None:
                storage.assign(value)
                return storage
            # Tapes watch trainable variables only; whether a weight is frozen is the caller's matter.
            storage = tf.Variable(value, trainable=value.dtype.is_floating, name=valid_name(variable.name))
            storage._should_act_as_resource_variable = True
            storage._keras_variable = weakref.ref(variable)
            self._storages[variable] = weakref.ref(storage)
            return storage

    def note_compiled(self, name):
        if tf.distribute.has_strategy() and self.strategy.num_replicas_in_sync > 1:
            warnings.warn('Model %s is compiled in the scope of a tf.distribute strategy with %d replicas, but trains '
                          'on one device, with the numbers that one device gives: the strategy has no effect. For '
                          'several devices of one process use the JAX engine with keras.distribution.DataParallel, '
                          'for several processes PyTorch with torch.nn.parallel.DistributedDataParallel.'
                          % (name, self.strategy.num_replicas_in_sync), stacklevel=4)

    def load(self, storage):
        if no_tape() and executing_eagerly():
            return raw.ReadVariableOp(resource=storage._handle, dtype=storage._dtype)
        return storage.value()

    def store(self, storage, value):
        raw.AssignVariableOp(resource=storage.handle, value=value)
        return storage

    layer_base = state_base = Tracked

    def check_update(self):
        if tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context() \
                and tf.distribute.get_replica_context().num_replicas_in_sync > 1:
            raise NotImplementedError(
                'An optimizer updates variables in the replicas of a tf.distribute strategy (strategy.run), which do '
                'not have copies of their own here: each replica would update them by its gradients alone. Compute '
                'the gradients in strategy.run, sum them with strategy.reduce, and call `apply` once outside; or use '
                '`fit`, which gives the numbers of one device.')

    def note_built(self, built):
        restore_waiting(built)

    def native_variable(self, variable):
        return variable.storage

    makes_variables = True

    def variable_of(self, native):
        if not isinstance(native, tf.Variable) or isinstance(native, Variable):
            return native
        known = getattr(native, '_keras_variable', None)
        if known is None:
            # A variable that the script made itself: it keeps ours, so both live equally long.
            variable = Variable.adopted(native, self, tuple(native.shape), native.dtype.name,
                                        native.name.partition(':')[0], native.trainable)
            native._should_act_as_resource_variable = True  # by which TensorFlow's tapes take ours for it
            known = native._keras_variable = lambda: variable
        return known()

    in_storage = staticmethod(in_storage)

    def slices_of(self, gradient):
        slices = getattr(gradient, '_keras_slices', None)
        if slices is None:
            return None
        return _once(slices)

    survives_fork = False

    def concretely(self):
        return tf.init_scope()

    batches = staticmethod(dataset)

    def on_host(self, fn, inputs, dtype, shape):
        if all(isinstance(x, EagerTensor) for x in inputs):
            return super().on_host(fn, inputs, dtype, shape)
        return on_host(fn, inputs, dtype, shape)

    def draw_seed(self, generator):
        # Counted in int32, since older releases do not add uint32.
        state = generator.state.value
        counted = raw.AddV2(x=raw.Bitcast(input=state, type=tf.int32), y=np.array([0, 1], 'int32'))
        generator.state.assign(raw.Bitcast(input=counted, type=tf.uint32))
        return state

    def pipeline_seed(self, generator):
        # A counter of its own, which outlives the function that is traced.
        if 'pipeline' not in generator.streams:
            with tf.init_scope():
                generator.streams['pipeline'] = tf.Variable(generator.initial_state().view('int32'), trainable=False)
        step = np.array([0, 1], 'int32')
        # The state before the draw: the first one has the same seed as outside of pipelines, and in Keras 3.
        return raw.Bitcast(input=generator.streams['pipeline'].assign_add(step) - step, type=tf.uint32)

    writes_checkpoints = True

    def write_checkpoint(self, path, tree):
        nodes = {}

        def node(part):
            if id(part) not in nodes:
                nodes[id(part)] = tf.Variable(part[''][1], name=part[''][0]) if '' in part \
                    else tf.train.Checkpoint(**{name: node(inner) for name, inner in part.items()})
            return nodes[id(part)]
        node(tree).write(path)
        folder, name = os.path.split(path)
        tf.compat.v1.train.update_checkpoint_state(folder, name)

    def devices(self):
        return [device.name.replace('/physical_device:', '') for device in tf.config.list_physical_devices()]

    def new_artifact(self):
        return Artifact()

    def function_of_jax(self, fn, platforms=None):
        try:
            from keras.backend.engines.tensorflow.jax_functions import translated
        except ImportError as error:
            raise ImportError('Functions written for JAX run on TensorFlow by JAX itself, which translates them. '
                              'Install it with: pip install jax (%s)' % error) from error
        return translated(fn, platforms)

    def load_artifact(self, filepath):
        return LoadedArtifact(filepath)

    def specification(self, x):
        return specification_of(x)

    def constant_seed(self, value):
        # As Keras 3 has it on TensorFlow, whose seeds are int32.
        return super().constant_seed(value % (2 ** 31 - 2))

    def seed(self, value):
        tf.random.set_seed(value)

    def profile(self, folder):
        return tf.profiler.experimental.Profile(folder)

    # --- running ---------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch):
        return Step(self, fn, static_batch)

    repeats_steps = True

    def repeated_step(self, fn, reads, writes, joined=False):
        return RepeatedStep(self, fn, False, joined)

    def joined_step(self, fn, reads, writes, unchanged=None):
        return Step(self, fn, True, joined=True)

    rewrites_scripts = True

    def place_in_graph(self):
        return None if executing_eagerly() else len(tf.compat.v1.get_default_graph().get_operations())

    def has_updated_since(self, place):
        return place is not None and any(
            'Assign' in operation.type or operation.type.startswith('ResourceApply')
            for operation in tf.compat.v1.get_default_graph().get_operations()[place:])

    def with_branches(self, function, error):
        return with_branches(function, error)

    def done(self):
        return None if executing_eagerly() else tf.no_op()

    def graph(self):
        return tf.compat.v1.get_default_graph()

    def scripted_step(self, fn, reads, writes, eagerly=False):
        return ScriptedStep(self, fn, reads) if not eagerly else \
            lambda *args: fn(*tree.map_structure(self.argument, args))

    def handed(self, data, before):
        # A function that TensorFlow traces has to take the batches of an iterator that it knows.
        before = before or Hand(data)
        before.put(data)
        return before

    def recorder(self):
        return Recorder()

    def on_device(self, kind, number):
        return tf.device('/%s:%d' % (kind.upper(), number))

    def workers(self):
        devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
        return [(device.device_type.lower(), number) for number, device in enumerate(devices)]

    def spread(self, fn, values, devices):
        rows, count, found = tf.shape(values[0])[0], len(devices), []
        for place, (kind, number) in enumerate(devices):
            begin, end = rows * place // count, rows * (place + 1) // count
            with self.on_device(kind, number):
                found.append(fn([value[begin:end] for value in values]))
        return [tf.concat(parts, 0) for parts in zip(*found)]

    def custom_gradient(self, fn, values):
        return tf.custom_gradient(fn)(*values)

    def rematerialized(self, fn, values):
        @tf.custom_gradient
        def run(*values):
            def gradient(*factors):
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch(values)
                    outputs = fn(*values)
                return tape.gradient(outputs, values, list(factors))
            return fn(*values), gradient
        return run(*values)

    def value_and_grad(self, fn, variables):
        values = {variable: variable.value for variable in variables}
        # A script reads the variables that it made past the ledger.
        watched = [variable.storage if variable.is_adopted else values[variable] for variable in variables]
        values = {variable: value for variable, value in values.items() if not variable.is_adopted}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            with WatchedLedger(tape, values, context.ledger) as ledger:
                value, aux = fn()
        places = [ledger.watched.get(variable, [x]) for variable, x in zip(variables, watched)]
        found = tape.gradient(value, places)
        for variable, written in ledger.writes.items():
            variable.assign(written)
        return (value, aux), [_of_all_values(*each) for each in zip(found, places)]

    def eval_shape(self, fn, args):
        with Concretely():
            outputs = traced(fn, [specification(leaf) if isinstance(leaf, AbstractTensor) else leaf
                                  for leaf in tree.flatten(args)], args)
        return tree.map_structure(lambda x: AbstractTensor(self.shape_of(x), self.dtype_of(x))
                                  if isinstance(x, tf.Tensor) else x, outputs)

    def print_tensor(self, x, message):
        tf.print(message, x, output_stream=sys.stdout)
        return x

    def use_session(self, session):
        options = getattr(session, '_config', None)
        if options is None and not isinstance(session, tf.compat.v1.Session):
            return super().use_session(session)
        if options is not None:
            use_options(options)

    @property
    def strategy(self):
        """The strategy of `tf.distribute` that is in force."""
        return tf.distribute.get_strategy()

    def wait(self, x):
        synchronize = getattr(tf.test.experimental, 'sync_devices', None)
        if synchronize is not None:
            synchronize()
        return x

    # --- creation ---------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        return raw.Fill(dims=size_vector(shape), value=self.convert(value, dtype))

    def full_like(self, x, value, dtype=None):
        dtype = dtype or NAMES[x.dtype]
        make = self.scalar if type(value) in (int, float) and dtype != 'bool' else self.convert
        return raw.Fill(dims=size_vector(sizes_of(x)), value=make(value, dtype))

    def arange(self, start, stop=None, step=1, dtype=None):
        start, stop = (0, start) if stop is None else (start, stop)
        if all(isinstance(part, (int, float)) for part in (start, stop, step)):
            return self.convert(np.arange(start, stop, step).tolist(), dtype)
        # TensorFlow refuses a range that ends before it begins, which is empty.
        if isinstance(step, (int, float)):
            stop = tf.maximum(start, stop) if step > 0 else tf.minimum(start, stop)
        else:
            stop = tf.where(step > 0, tf.maximum(start, stop), tf.minimum(start, stop))
        return self.convert(tf.range(start, stop, step), dtype)

    def _seed(self, seed):
        return raw.Bitcast(input=seed, type=tf.int32)

    def random_uniform(self, seed, shape, dtype):
        return raw.StatelessRandomUniform(shape=size_vector(shape), seed=self._seed(seed), dtype=DTYPES[dtype])

    def random_normal(self, seed, shape, dtype):
        return raw.StatelessRandomNormal(shape=size_vector(shape), seed=self._seed(seed), dtype=DTYPES[dtype])

    def random_integers(self, seed, shape, minval, maxval, dtype):
        kind = tf.int32 if dtype in ('bool', 'int8', 'int16', 'int32', 'uint8', 'uint16') else tf.int64
        drawn = raw.StatelessRandomUniformInt(shape=size_vector(shape), seed=self._seed(seed),
                                              minval=tf.cast(minval, kind), maxval=tf.cast(maxval, kind))
        return self.convert(drawn, dtype)

    def random_permutation(self, seed, count):
        keys = self.random_integers(seed, (count,), 0, 2 ** 62, 'int64')
        return self.argsort(keys)

    # --- elementwise -------------------------------------------------------------------------------------------

    negative, sign, floor = unary('Neg'), unary('Sign'), unary('Floor')
    round, exp, log, sqrt = unary('Round'), unary('Exp'), unary('Log'), unary('Sqrt')
    sin, cos, tanh = unary('Sin'), unary('Cos'), unary('Tanh')
    arcsin, arctan, erf = unary('Asin'), unary('Atan'), unary('Erf')
    erfinv, lgamma, digamma = unary('Erfinv'), unary('Lgamma'), unary('Digamma')
    logical_not, isfinite = unary('LogicalNot'), unary('IsFinite')
    stop_gradient = unary('StopGradient', 'input')
    add, subtract, multiply, divide = binary('AddV2'), binary('Sub'), binary('Mul'), binary('RealDiv')
    floor_divide, mod, power = binary('FloorDiv'), binary('FloorMod'), binary('Pow')
    maximum, minimum = binary('Maximum'), binary('Minimum')
    less, logical_and, logical_or = binary('Less'), binary('LogicalAnd'), binary('LogicalOr')
    bitwise_and, bitwise_or, bitwise_xor = binary('BitwiseAnd'), binary('BitwiseOr'), binary('BitwiseXor')
    left_shift, right_shift = binary('LeftShift'), binary('RightShift')

    def abs(self, x):
        return tf.math.abs(x) if x.dtype.is_complex else raw.Abs(x=x)

    def real(self, x):
        return tf.math.real(x)

    def imag(self, x):
        return tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x)

    def complex_number(self, real, imaginary):
        if real.dtype not in (tf.float32, tf.float64):
            real, imaginary = tf.cast(real, tf.float32), tf.cast(imaginary, tf.float32)
        sizes = tf.broadcast_dynamic_shape(tf.shape(real), tf.shape(imaginary))
        return tf.complex(tf.broadcast_to(real, sizes), tf.broadcast_to(imaginary, sizes))

    def view(self, x, dtype):
        old, new = x.dtype.size, DTYPES[dtype].size
        if old != new and rank_of(x) == 0:
            raise ValueError('a scalar has no axis to become longer or shorter')  # the rule has the message
        if old < new:
            x = tf.reshape(x, tf.concat([tf.shape(x)[:-1], [-1, new // old]], 0))
        result = tf.bitcast(x, DTYPES[dtype])
        return tf.reshape(result, tf.concat([tf.shape(x)[:-1], [-1]], 0)) if old > new else result

    def eig(self, x):
        return list(tf.linalg.eig(x if x.dtype in (tf.float32, tf.float64) else tf.cast(x, tf.float32)))

    def cast(self, x, dtype):
        return raw.Cast(x=x, DstT=DTYPES[dtype])

    def arctan2(self, x, y):
        return raw.Atan2(y=x, x=y)

    def equal(self, x, y):
        return raw.Equal(x=x, y=y, incompatible_shape_error=True)

    def where(self, condition, x, y):
        return raw.SelectV2(condition=condition, t=x, e=y)

    # --- reductions --------------------------------------------------------------------------------------------

    def sum(self, x, axis=None, keepdims=False):
        return raw.Sum(input=sum_input(x), axis=axes_of(x, axis), keep_dims=keepdims)

    def prod(self, x, axis=None, keepdims=False):
        return raw.Prod(input=sum_input(x), axis=axes_of(x, axis), keep_dims=keepdims)

    def max(self, x, axis=None, keepdims=False):
        op = raw.Any if x.dtype == tf.bool else raw.Max
        return op(input=x, axis=axes_of(x, axis), keep_dims=keepdims)

    def min(self, x, axis=None, keepdims=False):
        op = raw.All if x.dtype == tf.bool else raw.Min
        return op(input=x, axis=axes_of(x, axis), keep_dims=keepdims)

    def argmax(self, x, axis=-1):
        x = tf.cast(x, tf.uint8) if x.dtype == tf.bool else x
        return raw.ArgMax(input=x, dimension=axis, output_type=tf.int32)

    def cumsum(self, x, axis=0):
        return raw.Cumsum(x=sum_input(x), axis=axis, exclusive=False, reverse=False)

    def cumprod(self, x, axis=0):
        return raw.Cumprod(x=sum_input(x), axis=axis, exclusive=False, reverse=False)

    # --- movement ----------------------------------------------------------------------------------------------

    def reshape(self, x, shape):
        return raw.Reshape(tensor=x, shape=size_vector(shape))

    def transpose(self, x, axes=None):
        rank = rank_of(x)
        axes = range(rank)[::-1] if axes is None else [axis % rank for axis in axes]
        return raw.Transpose(x=x, perm=size_vector(list(axes)))

    def broadcast_to(self, x, shape):
        return raw.BroadcastTo(input=x, shape=size_vector(shape))

    def concatenate(self, xs, axis=-1):
        return raw.ConcatV2(values=xs, axis=axis) if len(xs) > 1 else xs[0]

    def strided_slice(self, x, starts, stops, steps):
        if not starts:
            return x
        begin_mask = sum(1 << index for index, start in enumerate(starts) if start is None)
        end_mask = sum(1 << index for index, stop in enumerate(stops) if stop is None)
        return raw.StridedSlice(input=x, begin=size_vector([0 if start is None else start for start in starts]),
                                end=size_vector([0 if stop is None else stop for stop in stops]),
                                strides=size_vector(steps), begin_mask=begin_mask, end_mask=end_mask,
                                ellipsis_mask=0, new_axis_mask=0, shrink_axis_mask=0)

    def pad(self, x, widths, value=0):
        if not widths:
            return x
        return raw.PadV2(input=x, paddings=tf.stack([size_vector(pair) for pair in widths]),
                         constant_values=tf.cast(value, x.dtype))

    def flip(self, x, axes):
        return raw.ReverseV2(tensor=x, axis=size_vector(axes))

    def gather(self, x, indices, axis=0):
        return raw.GatherV2(params=x, indices=positions(indices), axis=axis)

    def gather_nd(self, x, indices):
        return raw.GatherNd(params=x, indices=positions(indices))

    def scatter_add(self, x, indices, updates):
        return raw.TensorScatterAdd(tensor=x, indices=vectors(indices), updates=updates)

    def scatter_update(self, x, indices, updates):
        return raw.TensorScatterUpdate(tensor=x, indices=vectors(indices), updates=updates)

    def scatter_max(self, x, indices, updates):
        return raw.TensorScatterMax(tensor=x, indices=vectors(indices), updates=updates)

    # --- contraction, windows, order -----------------------------------------------------------------------------

    def matmul(self, x, y):
        rank_x, rank_y = rank_of(x), rank_of(y)
        if rank_x == 2 and rank_y == 2:
            return raw.MatMul(a=x, b=y)
        if rank_x == 1:
            return tf.squeeze(self.matmul(raw.ExpandDims(input=x, axis=0), y), -2 if rank_y > 1 else 0)
        if rank_y == 1:
            return tf.squeeze(self.matmul(x, raw.ExpandDims(input=y, axis=1)), -1)
        if rank_y == 2:
            # One product of two large matrices instead of a batch of small ones.
            sizes = sizes_of(x)
            rows = raw.Reshape(tensor=x, shape=size_vector([-1, sizes[-1]]))
            return raw.Reshape(tensor=raw.MatMul(a=rows, b=y), shape=filled_vector(sizes[:-1] + sizes_of(y)[1:]))
        return raw.BatchMatMulV2(x=x, y=y)

    conv, conv_transpose, pool = map(staticmethod, (conv, conv_transpose, pool))

    def top_k(self, x, k):
        values, indices = raw.TopKV2(input=x, k=k, sorted=True)
        return [values, indices]

    def sort(self, x, axis=-1):
        return tf.sort(x, axis)

    def argsort(self, x, axis=-1):
        return tf.argsort(x, axis, stable=True)

    def searchsorted(self, x, values, side='left'):
        flat = raw.Reshape(tensor=values, shape=[1, -1])
        op = raw.LowerBound if side == 'left' else raw.UpperBound
        found = op(sorted_inputs=raw.ExpandDims(input=x, axis=0), values=flat, out_type=tf.int32)
        return raw.Reshape(tensor=found, shape=size_vector(sizes_of(values)))

    # --- linear algebra ------------------------------------------------------------------------------------------

    @in_float32
    def cholesky(self, x):
        # It gives NaN for what has no factor.
        return raw.CheckNumerics(tensor=raw.Cholesky(input=x), message='Cholesky decomposition failed')

    @in_float32
    def triangular_solve(self, a, b, lower=True):
        a, b = same_batch(a, b)
        return raw.MatrixTriangularSolve(matrix=a, rhs=b, lower=lower, adjoint=False)

    @in_float32
    def solve(self, a, b):
        a, b = same_batch(a, b)
        return raw.MatrixSolve(matrix=a, rhs=b, adjoint=False)

    @in_float32
    def qr(self, x):
        return list(raw.Qr(input=x, full_matrices=False))

    @in_float32
    def svd(self, x):
        s, u, v = raw.Svd(input=x, compute_uv=True, full_matrices=False)
        return [u, tf.math.real(s), tf.linalg.adjoint(v)]

    @in_float32
    def eigh(self, x):
        return list(raw.SelfAdjointEigV2(input=x, compute_v=True))

    @in_float32
    def fft(self, real, imaginary):
        result = tf.signal.fft(raw.Complex(real=real, imag=imaginary, Tout=tf.complex128 if real.dtype == tf.float64
                                           else tf.complex64))
        return [tf.math.real(result), tf.math.imag(result)]

    # --- control ---------------------------------------------------------------------------------------------------

    def loops_at_once(self):
        return executing_eagerly()

    scan, cond, while_loop = map(staticmethod, (scan, cond, while_loop))


def _of_all_values(gradients, values):
    """The gradient by a variable, of those by the values that it was read as."""
    found = [dense(gradient, x) for gradient, x in zip(gradients, values) if gradient is not None]
    return tf.add_n(found) if len(found) > 1 else found[0] if found else None


def _variable_tensor(variable, dtype=None, name=None, as_ref=False):
    value = variable.value
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        return NotImplemented
    return value


tf.register_tensor_conversion_function((Variable, KerasTensor), _variable_tensor)
# A `tf.function` that is called with a variable gets its value.
Variable.__tf_tracing_type__ = lambda variable, context: tf.TensorSpec(variable.shape, DTYPES[variable.dtype])
if hasattr(tf.Variable, 'register'):
    # What keeps variables and reads everything else at once (distributions, TF-MO) tells them by their class.
    tf.Variable.register(Variable)
TensorflowEngine.overrides = OVERRIDES
ENGINE = TensorflowEngine()
