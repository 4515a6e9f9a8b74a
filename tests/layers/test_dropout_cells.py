"""Cells that ask for their dropout masks by the names of tf.keras and Keras 3."""
import numpy as np
import pytest

import keras
from keras import layers, ops
from keras.layers.recurrent import DropoutRNNCellMixin
from keras.layers.rnn.dropout_rnn_cell import DropoutRNNCell

pytestmark = pytest.mark.on('torch')


class MaskedSum(DropoutRNNCell, layers.Layer):
    """The sum over time of the masked inputs; outputs are the masked ones of the input, then those of ones."""
    state_size = output_size = 50
    dropout, recurrent_dropout = 0.5, 0.25

    def call(self, inputs, states, training=False):
        masks = self.get_dropout_mask_for_cell(inputs, training, count=2)
        kept = self.get_recurrent_dropout_mask_for_cell(states[0], training)
        return ops.concatenate([masks[0] * inputs, masks[1] * inputs, kept], -1), [states[0] + inputs]


def test_masks_are_the_same_at_all_steps_and_others_for_the_next_sequence():
    assert DropoutRNNCellMixin is DropoutRNNCell
    keras.utils.set_random_seed(3)
    layer, ones = layers.RNN(MaskedSum(), return_sequences=True), np.ones((4, 6, 50), 'float32')
    first, second = [np.array(layer(ones, training=True)) for _ in range(2)]
    for output in (first, second):
        assert (output == output[:, :1]).all()
        inputs, others, kept = np.split(output[:, 0], 3, -1)
        np.testing.assert_allclose(np.unique(inputs), [0, 2])
        np.testing.assert_allclose(np.unique(kept), [0, 1 / 0.75], rtol=1e-6)
        assert (inputs != others).any() and 0.3 < (inputs == 0).mean() < 0.7 and 0.1 < (kept == 0).mean() < 0.4
    assert (first != second).any()
    assert (np.array(layer(ones)) == 1).all()


def test_subclasses_of_cells_ask_for_their_masks():
    class Cell(layers.LSTMCell):
        def call(self, inputs, states, training=None):
            mask = self.get_dropout_mask_for_cell(inputs, training, count=4)[3]
            assert self.get_recurrent_dropout_mask_for_cell(states[0], training) is None
            return inputs * mask, states

    class Recurrent(layers.RNN):
        def call(self, inputs, **kwargs):
            self._maybe_reset_cell_dropout_mask(self.cell)
            return super().call(inputs, **kwargs)
    layer = Recurrent(Cell(3, dropout=0.5), return_sequences=True)
    found = np.array(layer(np.ones((8, 5, 3), 'float32'), training=True))
    assert (found == found[:, :1]).all() and set(np.unique(found)) == {0, 2}


def test_masks_by_the_names_of_keras_3():
    class Cell(DropoutRNNCell, layers.Layer):
        dropout, recurrent_dropout, dropout_mask_count, state_size = 0.5, 0.0, 3, 2
    cell, ones = Cell(), np.ones((2, 4), 'float32')
    assert len(cell.get_dropout_mask(ones)) == 3 and cell.get_recurrent_dropout_mask(ones) is None
    cell.draw_masks(ones, [])
    first = np.array(cell.get_dropout_mask(ones)[0])
    assert (np.array(cell.get_dropout_mask(ones)[0]) == first).all()
    cell.reset_dropout_mask()
    assert any((np.array(cell.get_dropout_mask(ones)[0]) != first).any() for _ in range(9))


def test_the_end_of_an_lstm_step():
    cell = layers.LSTMCell(1, recurrent_activation='sigmoid')
    z = [np.array([[value]], 'float32') for value in (0.0, 1.0, 2.0, 3.0)]
    state, gate = cell._compute_carry_and_output_fused(z, np.array([[0.5]], 'float32'))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(np.array(state), [[0.5 * sigmoid(1.0) + 0.5 * np.tanh(2.0)]], rtol=1e-6)
    np.testing.assert_allclose(np.array(gate), [[sigmoid(3.0)]], rtol=1e-6)
