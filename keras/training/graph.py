"""The training of a model as parts of the graph of K, for scripts that build their own functions from them."""
import copy

from keras.backend.contract import tree
from keras.backend.contract.rules import AbstractTensor, is_integer
from keras.backend.graph.nodes import Node, free_tensors
from keras.backend.graph.tensors import KerasTensor
from keras.backend.k.compiled import function
from keras.backend.k.values import learning_phase
from keras.layers.captured import sees_symbols
from keras.training.compiled import is_loss


class TrainingGraph:
    """Placeholders for targets and sample weights, and the loss that follows from them; the functions of K over these.

    Args:
        program: the `Program` of a model that is a graph of layers.
    """

    def __init__(self, program):
        self._program = program
        self._model = program.forward.model
        self.targets = self.sample_weights = self.total_loss = None
        if program.losses is not None:
            self._add_losses(program.losses, program.output_names)

    def _add_losses(self, losses, names):
        outputs = self._model.outputs
        self.targets = [_target(losses.losses[index], outputs[index], names[index])
                        for index in losses.trained_outputs]
        self.sample_weights = [KerasTensor((None,), name=names[index] + '_sample_weights')
                               for index in losses.trained_outputs]
        weights = dict(zip(losses.trained_outputs, self.sample_weights))
        total, _ = losses(self.targets, outputs, [weights.get(index) for index in range(len(outputs))],
                          [tensor.mask for tensor in outputs])
        for loss in self._model.losses:
            total = loss if total is None else total + loss
        self.total_loss = total

    def function(self, kind):
        """A function of K: [inputs, targets, sample weights, learning phase] -> [loss], updating the weights where
        `kind` is 'train'; for 'predict' [inputs, learning phase] -> the outputs.
        """
        model = self._model
        phase = [tensor for tensor in [learning_phase()] if isinstance(tensor, KerasTensor)]
        if kind == 'predict':
            return function(self._program.forward.graph.fed + phase, tree.flatten(model.outputs))
        data = self._program.forward.graph.fed + self.targets + self.sample_weights + phase
        if kind == 'test':
            return function(data, [self.total_loss])
        updates = self._program.optimizer.get_updates(self.total_loss, list(self._program.trained)) + model.updates
        return function(data, [self.total_loss], updates)


class CurrentTarget:
    """The targets of the batch that a step runs on, as a part of the graph."""
    name = 'target'

    def __init__(self):
        self.value = None

    def plan_function(self, node, training):
        return lambda: self.value


class LossesInGraph:
    """Losses that use more of the model's graph than its outputs, as Keras 2's functions could: they run with it.

    Args:
        program: a compiled `Program`.

    `values` are symbolic tensors, one value per sample, for the outputs at `indices`.
    """

    def __init__(self, program):
        self._losses = program.losses.losses
        self.indices, self._targets, self.values = [], [], []
        graph = program.forward.graph
        for index, loss in enumerate(self._losses):
            if graph is not None and index not in program.target_tensors and sees_symbols(getattr(loss, 'fn', None)):
                self._add(index, loss, graph.outputs[index], program.output_names[index])

    def _add(self, index, loss, output, name):
        target = _target(loss, output, name)
        node = Node(CurrentTarget(), [], {}, AbstractTensor(target.shape, target.dtype))
        value = loss.fn(node.output_structure, output)
        if isinstance(value, KerasTensor) and free_tensors([value], [output]):
            self.indices.append(index)
            self._targets.append(node.operation)
            self.values.append(value)

    def feed(self, targets):
        """Take the targets {index of output: tensor} of a batch."""
        for index, target in zip(self.indices, self._targets):
            target.value = targets[index]

    def computed(self, values):
        """{index of output: a loss that gives what the graph gave}."""
        found = {}
        for index, value in zip(self.indices, values):
            found[index] = copy.copy(self._losses[index])
            found[index].fn = lambda y_true, y_pred, value=value: value
        return found


def _target(loss, output, name):
    sparse = is_loss(loss, 'sparse_categorical_crossentropy')
    shape = output.shape[:-1] + (1,) if sparse else (None,) * len(output.shape)
    dtype = 'int32' if sparse else 'float32' if is_integer(output.dtype) else output.dtype
    return KerasTensor(shape, dtype, name=name + '_target')
