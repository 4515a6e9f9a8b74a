"""The training of a model as parts of the graph of K, for scripts that build their own functions from them."""
import copy

from keras.backend import tree
from keras.backend.function import function
from keras.backend.rules import AbstractTensor, is_integer
from keras.backend.symbolic import KerasTensor, Node, free_tensors
from keras.backend.values import learning_phase
from keras.layers.captured import sees_symbols
from keras.training.compiled import is_loss


class TrainingGraph:
    """Placeholders for targets and sample weights, and the loss that follows from them.

    Args:
        model: a compiled model that is a graph of layers.
    """

    def __init__(self, model):
        losses = model._compiled[0]
        outputs = model.outputs
        self.targets = [_target(losses.losses[index], outputs[index], model.output_names[index])
                        for index in losses.trained_outputs]
        self.sample_weights = [KerasTensor((None,), name=model.output_names[index] + '_sample_weights')
                               for index in losses.trained_outputs]
        weights = dict(zip(losses.trained_outputs, self.sample_weights))
        total, _ = losses(self.targets, outputs, [weights.get(index) for index in range(len(outputs))],
                          [tensor.mask for tensor in outputs])
        for loss in model.losses:
            total = loss if total is None else total + loss
        self.total_loss = total


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
        model: a compiled model that is a graph of layers.

    `values` are symbolic tensors, one value per sample, for the outputs at `indices`.
    """

    def __init__(self, model):
        self._losses = model._compiled[0].losses
        self.indices, self._targets, self.values = [], [], []
        for index, loss in enumerate(self._losses):
            if model._graph is not None and sees_symbols(getattr(loss, 'fn', None)):
                self._add(index, loss, model.outputs[index], model.output_names[index])

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


class GraphOfTraining:
    """The part of `Trainer` that shows the training as Keras 2's graph."""

    train_function = test_function = predict_function = None

    def _in_graph_of_training(self):
        self._require_compiled('total_loss')
        if self._graph is None or self._compiled is None:
            raise AttributeError('Model %s is not a graph of layers, so its loss is not a part of a graph.' % self.name)
        if self._training_graph is None:
            self._training_graph = TrainingGraph(self)
        return self._training_graph

    @property
    def targets(self):
        """Placeholders for the targets of the outputs that have a loss."""
        return self._in_graph_of_training().targets

    @property
    def sample_weights(self):
        """Placeholders for the sample weights of these outputs."""
        return self._in_graph_of_training().sample_weights

    @property
    def total_loss(self):
        """The loss that `fit` minimises as a symbolic tensor of the inputs, `targets` and `sample_weights`."""
        return self._in_graph_of_training().total_loss

    @property
    def _feed_inputs(self):
        return self.inputs

    @property
    def _feed_targets(self):
        return self.targets

    @property
    def _feed_sample_weights(self):
        return self.sample_weights

    def _data_of_training(self):
        phase = [tensor for tensor in [learning_phase()] if isinstance(tensor, KerasTensor)]
        return self.inputs + self.targets + self.sample_weights + phase

    def _make_train_function(self):
        """Set `train_function`: [inputs, targets, sample weights, learning phase] -> [loss], updating the weights."""
        if self.train_function is None:
            updates = self.optimizer.get_updates(self.total_loss, list(self._trained_weights)) + self.updates
            self.train_function = function(self._data_of_training(), [self.total_loss], updates)

    def _make_test_function(self):
        """Set `test_function`: [inputs, targets, sample weights, learning phase] -> [loss]."""
        if self.test_function is None:
            self.test_function = function(self._data_of_training(), [self.total_loss])

    def _make_predict_function(self):
        """Set `predict_function`: [inputs, learning phase] -> list of outputs."""
        if self.predict_function is None:
            phase = [tensor for tensor in [learning_phase()] if isinstance(tensor, KerasTensor)]
            self.predict_function = function(self.inputs + phase, tree.flatten(self.outputs))
