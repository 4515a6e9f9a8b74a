"""What the engine of the run declares that it cannot do: it must refuse it, clearly, and it may be nothing basic."""
import harness
import pytest

from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine
from keras.backend.table.entries import TABLE

UNSUPPORTED = get_engine().capabilities.unsupported

# What every engine that trains has to offer (beside all optimizers, which are tested with the layers).
BASIC = set("""
    conv conv_transpose pool convolution convolution_transpose depthwise_conv separable_conv max_pool average_pool
    batch_normalization batch_normalization_train layer_normalization moments
    scan rnn simple_rnn_sequence lstm_sequence gru_sequence embedding gather
    add subtract multiply divide maximum minimum concatenate matmul linear
    softmax log_softmax relu sigmoid tanh exp log sqrt
    sum prod max min mean var std argmax cumsum any all
    random_uniform random_normal random_integers random_permutation dropout
    reshape transpose broadcast_to strided_slice pad flip cast where equal less
""".split())


def test_basic_operations_are_offered():
    assert not BASIC - set(TABLE), 'not in the table: %s' % sorted(BASIC - set(TABLE))
    if get_engine().capabilities.gradients:
        assert not BASIC & set(UNSUPPORTED)


@pytest.mark.refusals_are_errors
@pytest.mark.parametrize('name', sorted(set(UNSUPPORTED) & {case.entry.name for case in harness.table_cases()}))
def test_what_is_declared_unsupported_is_refused(name):
    for case in harness.table_cases():
        if case.entry.name == name:
            with pytest.raises(UnsupportedOperation) as error:
                harness.host(harness.call(case.entry, harness.native(case.arguments())))
            assert get_engine().name in str(error.value)
            assert UNSUPPORTED[error.value.operation] in str(error.value)


def test_every_refusal_says_what_to_do_instead():
    short = {name: reason for name, reason in UNSUPPORTED.items() if len(reason.split()) < 5}
    assert not short
