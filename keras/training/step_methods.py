"""The steps of a model as methods that a subclass may override."""
from keras.backend.contract import tree
from keras.backend.contract.context import note_mask, noted_mask
from keras.backend.contract.loading import get_engine
from keras.backend.table.composites.shape import static_shape
from keras.layers.yielding import yielding
from keras.training.data.layout import unpack_x_y_sample_weight
from keras.training.made_functions import MAKERS, step_function
from keras.training.own_steps import LossOfModel, defines_own, loss_by, samples_of
from keras.training.stateless import Stateless, stateless_too


class Steps(Stateless):
    """`train_step`, `test_step`, `predict_step`, and the losses and metrics that these are made of.

    As long as a class overrides none of them, `fit` runs its own compiled steps, which do the same. Where one is
    overridden the methods are what runs, compiled where the engine compiles.

    A `train_step` may be written for every engine (`keras.GradientTape`, `keras.value_and_grad`, `optimizer.apply`), or
    with an engine's own tools: `tf.GradientTape` on TensorFlow, `loss.backward()` on PyTorch, and on JAX as
    `train_step(self, state, data)`, which returns the logs and the new state.
    """

    _training = None

    def defines_own(self, kind):
        """Whether steps of a kind ('train', 'test', 'predict') are overridden."""
        return defines_own(self, kind, Steps)

    @stateless_too('train')
    def train_step(self, data):
        """One update on a batch.

        Args:
            data: x, (x, y) or (x, y, sample_weight), tensors in the structure that `fit` was given.

        Returns:
            {name: scalar} for the logs. `train_step(state, data)`, as overrides for JAX call it, gives the logs and
            the new state, and changes nothing.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if not self.built:
            self.build_for(x)
        variables, added = self.trainable_variables, []

        def forward():
            y_pred = self(x, training=True)
            loss = loss_by(self, x, y, y_pred, sample_weight, True)
            if loss is None:
                raise ValueError('Model %s has no loss to minimise: compile it with a `loss`, call add_loss, or '
                                 'return one from compute_loss.' % self.name)
            added[:] = self.metrics_of_call()
            masks = [noted_mask(leaf) for leaf in tree.flatten(y_pred)]
            return loss, (y_pred, masks, [value for _, value in added])
        (loss, (y_pred, masks, values)), gradients = get_engine().value_and_grad(forward, variables)
        # Outside of the gradients these are other tensors.
        self.take_metrics_of_call(zip([name for name, _ in added], values))
        for leaf, mask in zip(tree.flatten(y_pred), masks):
            if mask is not None:
                note_mask(leaf, mask)
        self.optimizer.follow(gradients, variables, loss)
        self._training.compiled.tracker.update_state(loss, sample_weight=samples_of(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    @stateless_too('test')
    def test_step(self, data):
        """The metrics on a batch; arguments and result are those of `train_step`."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = loss_by(self, x, y, y_pred, sample_weight, False)
        if loss is not None:
            self._training.compiled.tracker.update_state(loss, sample_weight=samples_of(x))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    @stateless_too('predict')
    def predict_step(self, data):
        """The outputs for a batch."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def make_train_function(self, force=False):
        """The function that `fit` calls for each batch: f(iterator) gives the logs of the step on its next batch.

        `fit` asks for it where a class overrides this method, at the beginning of each run. On JAX f(state, iterator)
        gives the logs and the new state, too. force: accepted for overrides; the function is made anew every time.
        """
        return step_function(self._training, 'train')

    def make_test_function(self, force=False):
        """What `make_train_function` is, for `evaluate` and validation."""
        return step_function(self._training, 'test')

    def make_predict_function(self, force=False):
        """What `make_train_function` is, for `predict`: the function gives the outputs."""
        return step_function(self._training, 'predict')

    def makes_function(self, kind):
        """Whether the class defines itself what makes the functions of a kind of steps."""
        name = MAKERS[kind]
        return getattr(type(self), name) is not getattr(Steps, name)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss that is minimised: the compiled one, and what `add_loss` and regularizers add.

        Args:
            x, y, y_pred, sample_weight: the inputs, targets, outputs and weights of a batch. training: whether it is a
                training step.

        Returns:
            A scalar tensor, None where there is no loss.
        """
        return self._training.compiled.loss(x, y, y_pred, sample_weight, self.losses)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Take a batch into account in the compiled metrics; returns `get_metrics_result()`."""
        if y is not None:
            self._training.compiled.update_metrics(y, y_pred, sample_weight)
        for name, value in self.metrics_of_call():
            self._training.added_metric(name).update_state(value)
        return self.get_metrics_result()

    @yielding
    def compiled_loss(self):
        """What computes and counts the loss in steps written for tf.keras 2: `compiled_loss(y, y_pred)`."""
        return LossOfModel(self._training.compiled) if self._compiled_at_all() else None

    @yielding
    def compiled_metrics(self):
        """What counts metrics in steps written for tf.keras 2: `compiled_metrics.update_state(y, y_pred)`."""
        return self._training.compiled_metrics if self._compiled_at_all() else None

    def _compiled_at_all(self):
        return self._training is not None and self._training.is_compiled

    @property
    def distribute_strategy(self):
        """The strategy of `tf.distribute` that is in force, on the TensorFlow engine.

        Raises:
            AttributeError: on another engine.
        """
        return get_engine().strategy

    def get_metrics_result(self):
        """{name: value} of all metrics; metrics that give several values add theirs by name."""
        named = self._training.compiled.results()
        compiled = set(map(id, self._training.compiled.metrics))
        found = {}
        for metric in self.metrics:
            if id(metric) not in compiled:
                result = metric.result()
                found.update(result if isinstance(result, dict) else {metric.name: result})
        found.update(named)
        return found

    def build_for(self, x):
        """Make the weights for inputs like `x`, tensors."""
        shapes = tree.map_structure(lambda leaf: (None,) + static_shape(leaf)[1:], x)
        self.build(shapes)

    @property
    def metrics_variables(self):
        """The variables of all `metrics`, in their order."""
        return [variable for metric in self.metrics for variable in metric.variables]

