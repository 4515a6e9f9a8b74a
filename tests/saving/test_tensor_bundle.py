"""Checkpoints of TensorFlow, against those that it wrote (golden files) and files that are damaged."""
import os
import zipfile

import golden_files as golden
import numpy as np
import pytest

from keras.saving.protobuf import fields, signed, varint
from keras.saving.tensor_bundle import Checkpoint, is_checkpoint

pytestmark = pytest.mark.on('numpy')


def test_messages_are_read_by_number():
    assert fields(bytes([8, 150, 1, 18, 2, 104, 105, 18, 1, 33])) == {1: [150], 2: [b'hi', b'!']}
    assert fields(b'\x1d\x00\x00\x80\x3f') == {3: [b'\x00\x00\x80\x3f']}
    assert signed(2 ** 64 - 1) == -1


@pytest.mark.parametrize('data', [b'\x08', b'\x12\x7f\x00', b'\x0b', b'\x09\x00', b'\xff' * 12])
def test_what_is_no_message_is_an_error(data):
    with pytest.raises(ValueError):
        fields(data)


def test_numbers_of_variable_length():
    assert varint(bytes([172, 2, 7]), 0) == (300, 2)


@pytest.fixture
def prefix(tmp_path):
    if not golden.models('tfkeras2.15'):
        pytest.skip('no golden files beside the repository')
    with zipfile.ZipFile(golden.path('tfkeras2.15-formats.checkpoint.zip')) as archive:
        archive.extractall(str(tmp_path))
    return os.path.join(str(tmp_path), 'cp.ckpt')


def test_arrays_and_objects(prefix):
    checkpoint = Checkpoint(prefix)
    assert is_checkpoint(prefix) and not is_checkpoint(prefix + '2')
    name = 'layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE'
    recorded = golden.arrays(golden.models('tfkeras2.15')['formats'])
    assert checkpoint.shape(name) == recorded['w0'].shape
    np.testing.assert_array_equal(checkpoint.array(name), recorded['w0'])
    kernel = checkpoint.root().children['layer_with_weights-0'].children['kernel']
    assert kernel.is_variable and kernel.full_name == 'conv1d/kernel'
    np.testing.assert_array_equal(kernel.array(), recorded['w0'])


@pytest.mark.parametrize('keep', [0, 10, 100, 400])
def test_an_index_that_was_cut_short_is_an_error(prefix, keep):
    with open(prefix + '.index', 'rb') as file:
        data = file.read()
    with open(prefix + '.index', 'wb') as file:
        file.write(data[:keep])
    with pytest.raises(OSError, match='cut short'):
        Checkpoint(prefix)


def test_missing_data_is_an_error(prefix):
    os.remove(prefix + '.data-00000-of-00001')
    with pytest.raises(OSError, match='several files'):
        Checkpoint(prefix).root()


def test_damaged_bytes_give_an_error_or_the_index(prefix):
    with open(prefix + '.index', 'rb') as file:
        data = bytearray(file.read())
    random = np.random.RandomState(0)
    for _ in range(200):
        broken = bytearray(data)
        broken[random.randint(len(broken))] ^= 1 << random.randint(8)
        with open(prefix + '.index', 'wb') as file:
            file.write(broken)
        try:
            checkpoint = Checkpoint(prefix)
            checkpoint.root()
            for name in checkpoint.names:
                checkpoint.array(name)
        except OSError:
            pass
