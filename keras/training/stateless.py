"""Steps and losses as pure functions of the state of a model, as Keras 3 has them for JAX."""
import functools

from keras.backend.contract.ledger import holding
from keras.training.own_steps import loss_by, state_parts


def stateless_too(kind):
    """A decorator: a step of one argument, the data, takes the state of the model before it, too.

    With it nothing is changed: `logs, state = model.train_step(state, data)`.

    Args:
        kind: the kind of the step, which says what the state consists of; see `state_parts`.
    """
    def decorate(step):
        @functools.wraps(step)
        def run(self, data, *behind_state):
            if not behind_state:
                return step(self, data)
            parts = state_parts(self, kind)
            with held(parts, data) as ledger:
                found = step(self, *behind_state)
            state = read(ledger, parts)
            return found, state[1] if kind == 'predict' else state
        return run
    return decorate


def held(parts, state):
    """A ledger in which the variables in `parts`, a list of lists, have the values in `state`.

    Raises:
        ValueError: if there are not as many of them.
    """
    sizes = [len(part) for part in parts], [len(values) for values in state]
    if sizes[0] != sizes[1]:
        raise ValueError('The state has to consist of %s values (of trainable, other, optimizer and metrics variables, '
                         'as far as the method takes them). Received: %s. The usual cause: it was taken before the '
                         'model, its optimizer or its metrics were built.' % sizes)
    return holding([v for part in parts for v in part], [value for values in state for value in values])


def read(ledger, parts):
    """The values that the variables in `parts` have in a ledger."""
    return tuple([[ledger.read(variable) for variable in part] for part in parts])


class Stateless:
    """The stateless methods of a model that can be trained; a base of `Trainer`."""

    def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, metrics_variables, x, y,
                                 sample_weight, training=False, optimizer_variables=None):
        """A run of the model and its loss as a pure function, for `jax.grad`; nothing is changed.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: values, one per variable of the model.
            x, y, sample_weight: inputs, targets and sample weights of a batch. training: whether to run as in training.
            optimizer_variables: values of the variables of the optimizer, which may scale the loss in training.

        Returns:
            The loss (scaled by the optimizer in training), and a tuple of the loss itself, the outputs, and the new
            values of the non-trainable and the metrics' variables.
        """
        parts = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        state = [trainable_variables, non_trainable_variables, metrics_variables]
        scales = training and optimizer_variables is not None
        with held(parts + [self.optimizer.variables] * scales, state + [optimizer_variables] * scales) as ledger:
            y_pred = self(x, training=training)
            loss = loss_by(self, x, y, y_pred, sample_weight, training)
            scaled = self.optimizer.scale_loss(loss) if scales else loss
        _, others, metrics = read(ledger, parts)
        return scaled, (loss, y_pred, others, metrics)

    def stateless_compute_loss(self, trainable_variables, non_trainable_variables, metrics_variables, x=None, y=None,
                               y_pred=None, sample_weight=None, training=True):
        """`compute_loss` as a pure function of the values of the variables; nothing is changed.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: values, one per variable of the model.
            x, y, y_pred, sample_weight, training: as for `compute_loss`.

        Returns:
            The loss, and a tuple of the new values of the three kinds of variables.
        """
        parts = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        with held(parts, [trainable_variables, non_trainable_variables, metrics_variables]) as ledger:
            loss = loss_by(self, x, y, y_pred, sample_weight, training)
        return loss, read(ledger, parts)
