"""A model that trains a student by a teacher."""

from keras import losses, metrics, ops, tree
from keras.layers.base import Layer
from keras.layers.weights import untracked
from keras.models.model import Model
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import serialize_keras_object


class Distiller(Model):
    """A student that is trained by its targets and by what a teacher gives for the same inputs.

    The loss is `student_loss_weight` times the loss that `compile` is given, and the rest times the sum of the
    `distillation_losses`. Calls and predictions are the student's; the teacher is frozen.

    Args:
        teacher: a trained model. student: the model to train, of the same inputs and outputs.
        distillation_losses: a `DistillationLoss`, or a list of them. distillation_loss_weights: a number for each.
        student_loss_weight: from 0 to 1.

    Raises:
        ValueError: for models that do not fit each other or the losses, and numbers that make no sense.

    Example:
        >>> teacher = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
        >>> student = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
        >>> distiller = keras.distillation.Distiller(teacher, student, keras.distillation.LogitsDistillation(2.0))
        >>> distiller.compile('sgd', 'mse')
        >>> history = distiller.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
        >>> sorted(history.history)
        ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher,
        student,
        distillation_losses,
        distillation_loss_weights=None,
        student_loss_weight=0.5,
        name='distiller',
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if isinstance(student_loss_weight, bool) or not isinstance(student_loss_weight, (int, float)):
            raise ValueError('Distiller: student_loss_weight must be a number, got %r' % (student_loss_weight,))
        if not 0 <= student_loss_weight <= 1:
            raise ValueError(
                'Distiller: student_loss_weight must be between 0.0 and 1.0, got %r' % (student_loss_weight,)
            )
        if distillation_losses is None:
            raise ValueError(
                'Distiller: `distillation_losses` cannot be `None`. Give a `DistillationLoss`, or a list of them.'
            )
        several = isinstance(distillation_losses, (list, tuple))
        self.distillation_losses = list(distillation_losses) if several else [distillation_losses]
        weights = (
            [1.0] * len(self.distillation_losses) if distillation_loss_weights is None else distillation_loss_weights
        )
        self.distillation_loss_weights = list(weights if isinstance(weights, (list, tuple)) else [weights])
        if len(self.distillation_loss_weights) != len(self.distillation_losses):
            raise ValueError(
                'Distiller: Number of distillation_loss_weights (%d) must match number of '
                'distillation_losses (%d)' % (len(self.distillation_loss_weights), len(self.distillation_losses))
            )
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        teacher.trainable = False
        self.teacher, self.student = teacher, student
        self.student_loss_weight = student_loss_weight
        self._student_loss = None
        self._find_features()
        self.student_loss_tracker = metrics.Mean(name='student_loss')
        self.distillation_loss_tracker = metrics.Mean(name='distillation_loss')
        self.total_loss_tracker = metrics.Mean(name='total_loss')

    @untracked
    def _find_features(self):
        """The models that give features share the layers of teacher and student, and are no further parts."""
        self._teacher_feature_extractor = self._features_of(self.teacher, 'teacher_layer_name')
        self._student_feature_extractor = self._features_of(self.student, 'student_layer_name')

    def _features_of(self, model, attribute):
        """A model that gives the outputs of `model` and of the layers that losses name; None where none does."""
        names = {getattr(loss, attribute, None) for loss in self.distillation_losses} - {None}
        if not names:
            return None
        outputs = {name: model.get_layer(name=name).output for name in sorted(names)}
        return Model(
            model.inputs, dict(outputs, final_output=model.output if len(model.outputs) > 1 else model.outputs[0])
        )

    def compile(self, optimizer='adam', loss=None, metrics=None, **kwargs):
        """As `Model.compile`.

        Args:
            loss: the student's own: a name, function or object, or a structure of them like that of the outputs.

        Raises:
            ValueError: without a loss, and for metrics that are no list.
        """
        if loss is None:
            raise ValueError("Distiller.compile: 'loss' cannot be `None`: it is what the student learns from targets.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError('Distiller.compile: metrics must be a list or tuple, got %r' % (metrics,))
        self._student_loss = tree.map_structure(losses.get, loss)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def get_compile_config(self):
        """How the model was compiled, the student's loss included."""
        config = super().get_compile_config()
        return config and dict(config, loss=serialize_keras_object(self._student_loss))

    def call(self, inputs, training=None, **kwargs):
        """What the student gives."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch, as the class says; `sample_weight` weighs the student's part."""
        y_pred = self(x, training=training) if y_pred is None else y_pred
        weight = self.student_loss_weight
        student = self._student_part(y, y_pred, sample_weight) if weight > 0 and y is not None else 0.0
        distilled = self._distilled_part(x, y_pred, training) if weight < 1 else 0.0
        total = weight * student + (1.0 - weight) * distilled
        self.student_loss_tracker.update_state(student)
        self.distillation_loss_tracker.update_state(distilled)
        self.total_loss_tracker.update_state(total)
        return total

    def _student_part(self, y, y_pred, sample_weight):
        tree.assert_same_structure(y, y_pred)
        found = []
        for loss, target, output in zip(tree.flatten(self._student_loss), tree.flatten(y), tree.flatten(y_pred)):
            if isinstance(loss, losses.Loss):
                found.append(ops.mean(loss(target, output, sample_weight=sample_weight)))
            else:
                values = loss(target, output)
                found.append(ops.mean(values if sample_weight is None else values * sample_weight))
        return sum(found[1:], found[0])

    def _distilled_part(self, x, y_pred, training):
        if self._teacher_feature_extractor is None:
            teacher = {'final_output': self.teacher(x, training=False)}
        else:
            teacher = self._teacher_feature_extractor(x, training=False)
        student = dict(
            self._student_feature_extractor(x, training=training)
            if self._student_feature_extractor is not None
            else {},
            final_output=y_pred,
        )
        total = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights):
            outputs = [
                features[getattr(loss, role + '_layer_name', None) or 'final_output']
                for role, features in (('teacher', teacher), ('student', student))
            ]
            loss.validate_outputs(*outputs)
            value = loss.compute_loss(*outputs)
            if len(ops.shape(value)):
                raise ValueError(
                    'Distillation loss %s returned a non-scalar loss with shape %s. `compute_loss` must '
                    'return a scalar.' % (type(loss).__name__, ops.shape(value))
                )
            total = total + weight * value
        return total

    def get_config(self):
        """The models, losses and numbers as plain values."""
        return dict(
            Layer.get_config(self),
            teacher=serialize_keras_object(self.teacher),
            student=serialize_keras_object(self.student),
            distillation_losses=[serialize_keras_object(loss) for loss in self.distillation_losses],
            distillation_loss_weights=self.distillation_loss_weights,
            student_loss_weight=self.student_loss_weight,
        )

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A distiller from what `get_config` gave, its models with fresh weights."""

        def read(value):
            return deserialize_keras_object(value, custom_objects=custom_objects)

        return cls(
            **dict(
                config,
                teacher=read(config['teacher']),
                student=read(config['student']),
                distillation_losses=[read(loss) for loss in config['distillation_losses']],
            )
        )


def _check_models(teacher, student):
    """Raise ValueError where `teacher` and `student` are no models of the same inputs and outputs."""
    for role, model in (('Teacher', teacher), ('Student', student)):
        if not isinstance(model, Model):
            raise ValueError('Distiller: %s must be a keras.Model, got %r' % (role, type(model)))
    for what in ('inputs', 'outputs'):
        sides = [getattr(model, what, None) if model.layer_graph is not None else None for model in (teacher, student)]
        if None in sides:
            continue
        shapes = [[tuple(tensor.shape) for tensor in side] for side in sides]
        if not _fit(*shapes):
            raise ValueError(
                'Distiller: Teacher and student %s shapes are incompatible. Teacher: %s, Student: %s.'
                % (what[:-1], shapes[0], shapes[1])
            )
        dtypes = [[str(tensor.dtype) for tensor in side] for side in sides]
        if dtypes[0] != dtypes[1]:
            raise ValueError(
                'Distiller: Teacher and student %s dtypes must match. Teacher: %s, Student: %s.'
                % (what[:-1], dtypes[0], dtypes[1])
            )


def _fit(ones, others):
    return len(ones) == len(others) and all(
        len(one) == len(other) and all(None in sizes or sizes[0] == sizes[1] for sizes in zip(one, other))
        for one, other in zip(ones, others)
    )
