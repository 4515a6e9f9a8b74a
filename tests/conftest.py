"""What all tests share: the engine of the run, named in the header, and the markers.

The engine is the one in KERAS_BACKEND; one process tests one engine. What is the same on every engine is tested on one:
`pytestmark = pytest.mark.on('numpy')`; `on('torch', 'mxnet')` where one engine per environment must train.
"""
import ast
import os
import re
import sys
import tempfile
import zlib

import numpy as np
import pytest

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('KERAS_BACKEND', 'numpy')
# Thousands of small programs are compiled and run once each: compile fast, not well.
os.environ.setdefault('XLA_FLAGS', '--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true')


_ON = re.compile(r'^pytestmark = \[?pytest\.mark\.on\(([^()]*)\)', re.MULTILINE)


def _theano_options():
    """Theano and PyTensor compile thousands of graphs for one run each: no C, few rewrites, no notes of who made what.

    They lock the folder of what they compile, so each process has its own.
    """
    folder = os.path.join(tempfile.gettempdir(), 'keras-theano-' + os.environ.get('PYTEST_XDIST_WORKER', 'main'))
    # Theano's convolutions in C have nothing in Python to go with them; those that they replace do.
    theano = 'mode=FAST_COMPILE,cxx=,traceback.limit=0,optimizer_excluding=conv_gemm:AbstractConvCheck'
    pytensor = 'mode=Mode,linker=py,optimizer=None,traceback__limit=0'
    for name, options in (('THEANO_FLAGS', theano), ('PYTENSOR_FLAGS', pytensor)):
        given = [os.environ[name]] if os.environ.get(name) else []
        os.environ[name] = ','.join(['base_compiledir=' + folder, options] + given)


# The NumPy engine's process switches to all the others in some tests.
if os.environ['KERAS_BACKEND'] in ('theano', 'numpy'):
    _theano_options()


def pytest_configure(config):
    config.addinivalue_line('markers', 'needs_gradients: skipped on engines without gradients')
    config.addinivalue_line('markers', 'on(*engines): runs on these engines only; on others it is deselected')
    config.addinivalue_line('markers', 'refusals_are_errors: what an engine declares unsupported is not skipped here')


def pytest_ignore_collect(collection_path):
    """Files whose tests all run elsewhere are not even imported: that takes a fifth of the time of a short run."""
    if collection_path.suffix != '.py' or not collection_path.name.startswith('test_'):
        return None
    marked = _ON.search(collection_path.read_text(encoding='utf-8'))
    return True if marked and os.environ['KERAS_BACKEND'] not in ast.literal_eval('(%s,)' % marked.group(1)) else None


def pytest_collection_modifyitems(config, items):
    """Tests marked `on` run on the engines that they name; without them the run is the same, so it says nothing."""
    elsewhere = [item for item in items if any(os.environ['KERAS_BACKEND'] not in marker.args
                                               for marker in item.iter_markers('on'))]
    if elsewhere:
        chosen_out = set(elsewhere)
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in chosen_out]


def pytest_report_header(config):
    return 'keras engine: %s' % os.environ['KERAS_BACKEND']


def pytest_runtest_setup(item):
    if item.get_closest_marker('needs_gradients'):
        from keras.backend.contract.loading import get_engine
        if not get_engine().capabilities.gradients:
            pytest.skip('the %s engine has no gradients' % get_engine().name)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the engine declares that it cannot do is skipped, with the engine's own words; any other refusal fails."""
    outcome = yield
    if call.excinfo is None or item.get_closest_marker('refusals_are_errors'):
        return
    from keras.backend.contract.engine import UnsupportedOperation
    from keras.backend.contract.loading import get_engine
    error = call.excinfo.value
    if isinstance(error, UnsupportedOperation) and error.engine == get_engine().name \
            and error.operation in get_engine().capabilities.unsupported:
        report = outcome.get_result()
        report.outcome = 'skipped'
        report.longrepr = (str(item.path) if hasattr(item, 'path') else str(item.fspath), 0, 'declared: %s' % error)


@pytest.fixture
def engine():
    """The engine of the run."""
    from keras.backend.contract.loading import get_engine
    return get_engine()


@pytest.fixture
def doubles():
    """floatx is 'float64'. JAX then has 64-bit numbers, which the tests that follow are not to see."""
    from keras import config
    config.set_floatx('float64')
    yield
    config.set_floatx('float32')
    if 'jax' in sys.modules:
        sys.modules['jax'].config.update('jax_enable_x64', False)


@pytest.fixture(autouse=True, scope='module')
def compiled_programs_are_dropped():
    """Give back the memory of what a module's tests compiled: gigabytes on JAX otherwise."""
    yield
    if 'jax' in sys.modules:
        sys.modules['jax'].clear_caches()


@pytest.fixture(autouse=True)
def repeatable(request):
    """Every test begins with random numbers and automatic names of its own, the same in every run and in any order."""
    from keras.backend.state import seeds, uids
    uids.reset_uids()
    np.random.seed(zlib.crc32(request.node.nodeid.encode()))
    seeds.global_seed.seed = None
