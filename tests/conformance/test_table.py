"""Every entry of the op table, with every case, on the engine of the run."""
import os

import harness
import pytest
from expected import EXPECTED
from references import REFERENCES

from keras.backend.contract.loading import get_engine
from keras.backend.table.entries import TABLE

EXPECTED_HERE = EXPECTED.get(os.environ['KERAS_BACKEND'], {})


CAPABILITIES = get_engine().capabilities


def cases(check, wanted=lambda case: True, applies=True, **selection):
    """Parametrize by the cases of the table, or by none where the check does not apply to this engine."""
    chosen = [case for case in harness.table_cases(**selection) if applies and wanted(case)]
    return pytest.mark.parametrize('case', harness.parameters(check, chosen, EXPECTED_HERE))


def is_overridden(case):
    return case.entry.name in get_engine().overrides


def test_every_primitive_with_cases_has_an_independent_reference():
    missing = [entry.name for entry in TABLE.values() if entry.kind == 'primitive' and entry.cases
               and entry.name not in REFERENCES]
    assert not missing


def test_every_entry_is_documented():
    assert not [entry.name for entry in TABLE.values() if not (entry.doc or '').strip()]


# Where everything is compiled for every shape, a case is compiled as one step, except for an entry's first one.
COMPILES_OPERATIONS = CAPABILITIES.compiled and not CAPABILITIES.dynamic_sizes


@cases('value')
def test_value(case):
    harness.check_value(case, compiled=COMPILES_OPERATIONS and case.index > 0)


@cases('layouts', first=True, tensors=True)
def test_layouts(case):
    harness.check_layouts(case)


# The rules do not depend on the engine: one run checks them.
@cases('unknown_sizes', applies=get_engine().name == 'numpy', tensors=True)
def test_unknown_sizes(case):
    harness.check_unknown_sizes(case)


@cases('symbolic', wanted=harness.has_arrays, first=True, tensors=True)
def test_symbolic(case):
    harness.check_symbolic(case)


@cases('step', tensors=True, first=True)
def test_step(case):
    harness.check_step(case)


@cases('changing_sizes', applies=CAPABILITIES.dynamic_sizes and CAPABILITIES.compiled, tensors=True)
def test_changing_sizes(case):
    harness.check_changing_sizes(case)


def has_gradient_to_check(case):
    # What composites are made of has been checked: two cases of each suffice where compiling takes the time.
    chosen = case.entry.kind == 'primitive' or case.index < 2 or not COMPILES_OPERATIONS
    return chosen and harness.differentiable(case)


@cases('gradient', wanted=has_gradient_to_check, applies=CAPABILITIES.gradients, tensors=True)
def test_gradient(case):
    harness.check_gradient(case)


@cases('override', wanted=is_overridden, kind='composite')
def test_override(case):
    harness.check_override(case)


def test_overrides_name_composites():
    overrides = get_engine().overrides
    assert not [name for name in overrides if name not in TABLE or TABLE[name].kind != 'composite']
