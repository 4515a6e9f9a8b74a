"""What a student model learns from a teacher model: losses between the outputs of both."""

from keras import losses, ops, tree
from keras.saving.serialization import serialize_keras_object


class DistillationLoss:
    """How far a student's outputs are from a teacher's; a subclass defines `compute_loss`.

    Example:
        >>> class Gap(keras.distillation.DistillationLoss):
        ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        ...         return keras.ops.mean(keras.ops.square(teacher_outputs - student_outputs))
        >>> float(Gap().compute_loss(np.ones((2, 3)), np.zeros((2, 3))))
        1.0
    """

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        """The loss, a scalar, for outputs of the teacher and of the student: tensors, or structures of them."""
        raise NotImplementedError('%s: Subclasses must implement compute_loss.' % type(self).__name__)

    def validate_outputs(self, teacher_outputs, student_outputs):
        """Check the outputs of a batch.

        Raises:
            ValueError: where teacher and student give different structures.
        """
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher, student):
        """Check the models once, before anything is computed; raises ValueError where they do not fit the loss."""


class _OfStructure(DistillationLoss):
    """One that applies losses of `keras.losses`, a structure of them like that of the outputs."""

    def _take_losses(self, given):
        self.loss = tree.map_structure(losses.get, given)
        if all(loss is None for loss in tree.flatten(self.loss)):
            raise ValueError(
                '%s: at least one of the losses must be non-`None`. Received: loss=%r' % (type(self).__name__, given)
            )

    def validate_outputs(self, teacher_outputs, student_outputs):
        super().validate_outputs(teacher_outputs, student_outputs)
        _check_structure(self.loss, teacher_outputs)

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        """The sum of the losses of all outputs, a scalar; further arguments are for other losses."""
        _check_structure(self.loss, teacher_outputs)
        found = [
            self._of_output(loss, teacher, student)
            for loss, teacher, student in zip(
                tree.flatten(self.loss), tree.flatten(teacher_outputs), tree.flatten(student_outputs)
            )
            if loss is not None
        ]
        return sum(found[1:], found[0])

    def _of_output(self, loss, teacher, student):
        return ops.mean(loss(teacher, student))

    @classmethod
    def from_config(cls, config):
        """A loss from what `get_config` gave."""
        return cls(**dict(config, loss=_read(config['loss'])))


def _check_structure(loss, outputs):
    # None is an output that is left out, not an empty structure.
    places = tree.pack_sequence_as(loss, list(range(len(tree.flatten(loss)))))
    try:
        tree.assert_same_structure(places, outputs)
    except ValueError as error:
        raise ValueError(
            'Loss structure mismatch: the losses must be as many as the outputs, in the same structure. '
            'Received: loss=%r (%s)' % (loss, error)
        )


def _written(loss):
    if isinstance(loss, (list, tuple)):
        return [_written(one) for one in loss]
    return (
        {name: _written(one) for name, one in loss.items()} if isinstance(loss, dict) else serialize_keras_object(loss)
    )


def _read(loss):
    if isinstance(loss, (list, tuple)):
        return [_read(one) for one in loss]
    if isinstance(loss, dict) and 'class_name' not in loss:
        return {name: _read(one) for name, one in loss.items()}
    return losses.deserialize(loss)


class FeatureDistillation(_OfStructure):
    """The difference between what a layer of the teacher and one of the student give.

    Args:
        loss: a name, function or object of `keras.losses`, or a structure of them like that of what the layers give;
            None leaves an output out.
        teacher_layer_name, student_layer_name: names of the layers; None for the outputs of the model.

    Raises:
        ValueError: where all losses are None.

    Example:
        >>> loss = keras.distillation.FeatureDistillation('mse')
        >>> float(loss.compute_loss(np.ones((2, 3), 'float32'), np.zeros((2, 3), 'float32')))
        1.0
    """

    def __init__(self, loss='mse', teacher_layer_name=None, student_layer_name=None):
        self._take_losses(loss)
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name

    def validate_model_compatibility(self, teacher, student):
        """Check that the models have the layers.

        Raises:
            ValueError: where one has not, or is no graph in which they could be found.
        """
        for role, model, name in (
            ('teacher', teacher, self.teacher_layer_name),
            ('student', student, self.student_layer_name),
        ):
            if name is None:
                continue
            if not getattr(model, 'inputs', None):
                raise ValueError(
                    'FeatureDistillation with specific layer names requires Functional or Sequential '
                    'models that are built. The %s %s is subclassed, or not built. Leave the names out to '
                    'compare the outputs.' % (role, model.name)
                )
            try:
                model.get_layer(name=name)
            except ValueError as error:
                raise ValueError('In %s model: %s' % (role, error))

    def get_config(self):
        """The arguments as plain values."""
        return {
            'loss': _written(self.loss),
            'teacher_layer_name': self.teacher_layer_name,
            'student_layer_name': self.student_layer_name,
        }


class LogitsDistillation(_OfStructure):
    """The difference between the logits of both models, softened by a temperature.

    With the Kullback-Leibler divergence the logits, divided by the temperature, are made probabilities, and the loss is
    multiplied by the square of the temperature (Hinton et al., 2015); other losses get the divided logits.

    Args:
        temperature: a positive number; the higher, the softer.
        loss: a name, function or object of `keras.losses`, or a structure of them like that of the outputs; None leaves
            an output out.

    Raises:
        ValueError: for another temperature, and where all losses are None.

    Example:
        >>> logits = np.array([[1.0, 2.0, 3.0]], 'float32')
        >>> round(float(keras.distillation.LogitsDistillation(2.0).compute_loss(logits, logits)), 6)
        0.0
    """

    def __init__(self, temperature=3.0, loss='kl_divergence'):
        self._take_losses(loss)
        if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
            raise ValueError('LogitsDistillation: temperature must be a number, got %r' % (temperature,))
        if temperature <= 0:
            raise ValueError('LogitsDistillation: temperature must be positive. Received: %r' % (temperature,))
        self.temperature = temperature

    def _of_output(self, loss, teacher, student):
        teacher, student = teacher / self.temperature, student / self.temperature
        if loss is losses.kl_divergence or isinstance(loss, losses.KLDivergence):
            return ops.mean(loss(ops.softmax(teacher), ops.softmax(student))) * self.temperature**2
        return super()._of_output(loss, teacher, student)

    def get_config(self):
        """The arguments as plain values."""
        return {'temperature': self.temperature, 'loss': _written(self.loss)}
