"""The CNTK engine (CNTK 2.7, Python 3.6).

Rules this package obeys: shapes are static, so there is a graph for every signature of a step's arguments; what is
known on the host is computed there by the NumPy engine, at once outside a step; bool and integer tensors stay on the
host as far as possible, and in the graph they are float32; float variables are CNTK parameters, all others arrays.
"""
import os
import warnings


def _is_amd():
    try:
        with open('/proc/cpuinfo') as file:
            text = file.read()
    except OSError:
        return False
    return 'AuthenticAMD' in text and ' avx2 ' in text


# CNTK's libraries run the kernels for the oldest processors, three times as slow, on what Intel has not made.
if _is_amd():
    os.environ.setdefault('MKL_DEBUG_CPU_TYPE', '5')

with warnings.catch_warnings():
    # About the Linux distribution and libraries for GPUs.
    warnings.simplefilter('ignore')
    import cntk
    from cntk import cntk_py

if len(cntk.device.all_devices()) == 1:
    cntk.device.try_set_default_device(cntk.device.cpu())
# Left to itself, a trainer takes all processors, whatever OMP_NUM_THREADS says, and its first convolution divides by 0.
cntk_py.set_max_num_cputhreads(cntk_py.get_max_num_cputhreads())
cntk_py.set_trace_level(cntk_py.TraceLevel_Error)

import numpy as np  # noqa: E402

from keras import config  # noqa: E402
from keras.backend.contract import tree  # noqa: E402
from keras.backend.table import operators  # noqa: E402
from keras.backend.table.entries import TABLE  # noqa: E402
from keras.backend.contract.engine import Capabilities, Engine  # noqa: E402
from keras.backend.engines.cntk import (  # noqa: E402
    control, host_calls, learners, operations, overrides, recurrent, windows)
from keras.backend.engines.cntk.steps import Step, run_once, value_and_grad  # noqa: E402
from keras.backend.engines.cntk.tensors import (  # noqa: E402
    Tensor, current, data_view, is_parameter, known, operate, value_of)
from keras.backend.engines.numpy import NumpyEngine  # noqa: E402
from keras.backend.contract.rules import AbstractTensor, is_float  # noqa: E402
from keras.backend.contract.context import context  # noqa: E402
from keras.backend.contract.rules import numpy_dtype  # noqa: E402
from keras.backend.state.variables import Variable  # noqa: E402

_HOST = NumpyEngine()
GRAPH = dict(host_calls.GRAPH, **operations.GRAPH)
GRAPH.update(windows.GRAPH)
_DTYPES = ('bool', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float32', 'float64')
_NUMPY_DTYPES = frozenset(map(np.dtype, _DTYPES))


def _operation(name, graph):
    host = getattr(_HOST, name)

    def run(self, *args):
        return operate(host, TABLE[name].rule, graph, args)
    run.__name__ = name
    return run


class _Outside:
    """Leaves the trace for a block."""

    def __enter__(self):
        self.trace, current.trace = current.trace, None

    def __exit__(self, *_):
        current.trace = self.trace


class CntkEngine(Engine):
    name = 'cntk'
    capabilities = Capabilities(dtypes=_DTYPES, both_branches=True, unsupported={
        'gradients of gradients': 'gradients are no part of a graph of CNTK; use the tensorflow, theano, jax or torch '
                                  'engine',
        'eager_step': 'operations make a graph, which has values when it runs; use K.print_tensor',
        'tensors of float16': 'CNTK has no float16 on the CPU; use float32',
        'what NumPy computes in a step': 'a graph of CNTK has no such node; call the layer before the model',
        'string': 'turn them into integers first, or use the tensorflow engine',
        'view': 'CNTK has floats only; use the numpy, tensorflow, jax or torch engine',
        'real': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
        'imag': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
        'complex_number': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
        'eig': 'it has no complex numbers; use the numpy, tensorflow, jax or torch engine',
        'while_loop without maximum_iterations in a step': 'a graph of CNTK has no loops; give maximum_iterations, or '
                                                           'call it outside a step',
        'variables of float16': 'CNTK has no float16 on the CPU; create the layer with dtype="float32"'})
    float_dtypes = {'float32', 'float64'}
    data_format = 'channels_first'
    overrides = dict(windows.OVERRIDES, **dict(overrides.OVERRIDES, **recurrent.OVERRIDES))
    overrides['adam_update'] = learners.adam_update

    # --- tensors ---------------------------------------------------------------------------------------------

    def is_native(self, x):
        return isinstance(x, Tensor)

    def from_host(self, array, dtype):
        return known(np.array(array, self._checked(dtype)))

    def host_array(self, x):
        """The value of an argument as a NumPy array of a dtype that the engine has."""
        if type(x) is np.ndarray and x.dtype in _NUMPY_DTYPES:
            return x
        return self.convert(x).known()

    def _checked(self, dtype):
        if dtype in ('float16', 'bfloat16'):
            self.unsupported('tensors of float16')()
        if dtype == 'string':
            self.unsupported('string')()
        return dtype

    def scalar(self, value, dtype):
        return known(np.asarray(value, self._checked(dtype)))

    def to_numpy(self, x):
        return x.known()

    def on_host(self, fn, inputs, dtype, shape):
        if any(x.host is None for x in inputs):
            self.unsupported('what NumPy computes in a step')()
        return super().on_host(fn, inputs, dtype, shape)

    def print_tensor(self, x, message):
        return host_calls.printed(x, message)

    def dtype_of(self, x):
        return x.dtype

    def shape_of(self, x):
        return x.shape

    # --- state -----------------------------------------------------------------------------------------------

    def new_variable(self, value, variable):
        if variable.dtype in ('float16', 'bfloat16'):
            self.unsupported('variables of float16')()
        # Rates, counters and what else is a single number and not trained is cheapest on the host.
        if not is_float(variable.dtype) or 0 in variable.shape or variable.shape == () and not variable.trainable:
            return np.array(value, numpy_dtype(variable.dtype))
        return learners.Parameter(data_view(np.array(value, variable.dtype)))

    def load(self, storage):
        if is_parameter(storage):
            learners.settle([storage])
        return known(value_of(storage) if is_parameter(storage) else storage)

    def store(self, storage, value):
        array = value.known()
        if not is_parameter(storage):
            return np.array(array)
        learners.settle([storage])
        storage.set_value(data_view(np.array(array)))
        return storage

    def concretely(self):
        return _Outside()

    # --- running -----------------------------------------------------------------------------------------------

    def new_step(self, fn, reads, writes, static_batch):
        return Step(self, fn, reads, writes)

    def gradients(self, fn, values, variables=()):
        if current.trace is None:
            return run_once(lambda: Engine.gradients(self, fn, values, variables))
        return Engine.gradients(self, fn, values, variables)

    def value_and_grad(self, fn, variables):
        if current.trace is not None:
            with self.differentiating_once():
                return value_and_grad(fn, variables)
        if context.ledger is None:
            return run_once(lambda: value_and_grad(fn, variables))
        raise RuntimeError('value_and_grad inside a ledger needs a step around it.')

    # --- creation ----------------------------------------------------------------------------------------------

    def full(self, shape, value, dtype=None):
        return known(_HOST.full(tuple(map(int, shape)), value, dtype and self._checked(dtype)))

    def arange(self, start, stop=None, step=1, dtype=None):
        return known(_HOST.arange(start, stop, step, dtype and self._checked(dtype)))

    scan, cond = staticmethod(control.scan), staticmethod(control.cond)

    def while_loop(self, condition, body, init, maximum_iterations=None):
        return control.while_loop(self, condition, body, init, maximum_iterations)

    def cast(self, x, dtype):
        return operate(_HOST.cast, TABLE['cast'].rule, GRAPH['cast'], (x, self._checked(dtype)))


for _name, _graph in GRAPH.items():
    if _name not in CntkEngine.__dict__:
        setattr(CntkEngine, _name, _operation(_name, _graph))

operators.install(Tensor)

ENGINE = CntkEngine()
