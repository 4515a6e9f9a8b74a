"""Models that tf.keras has ready: linear ones, wide and deep ones, and training towards flat minima."""
import re

from keras import activations, initializers, ops, regularizers, tree
from keras.gradients import value_and_grad
from keras.layers.base import Layer
from keras.layers.core import Dense
from keras.models.model import Model
from keras.optimizers import MultiOptimizer, OptimizerMap, get as optimizer_of
from keras.saving.kinds import deserialize_keras_object
from keras.saving.serialization import serialize_keras_object
from keras.training.data.layout import unpack_x_y_sample_weight


class LinearModel(Model):
    """`activation(x @ kernel + bias)`; of several inputs, each with a kernel of its own, the sum.

    Args:
        units: the size of the outputs. activation: default none. use_bias: whether there is a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer: of the weights.

    Inputs are a tensor (batch, features), a list of such, or a dictionary; outputs have the shape (batch, units).

    Raises:
        ValueError: for a dictionary with other keys than the model was built with.

    Example:
        >>> model = keras.experimental.LinearModel(units=2)
        >>> model.compile('sgd', 'mse')
        >>> history = model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    """

    def __init__(self, units=1, activation=None, use_bias=True, kernel_initializer='zeros', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units, self.activation, self.use_bias = units, activations.get(activation), use_bias
        self._of_kernels = {'kernel_initializer': initializers.get(kernel_initializer),
                            'kernel_regularizer': regularizers.get(kernel_regularizer)}
        self._of_bias = {'initializer': initializers.get(bias_initializer),
                         'regularizer': regularizers.get(bias_regularizer)}
        self.dense_layers = []

    def build(self, input_shape):
        by_name = isinstance(input_shape, dict)
        several = by_name or isinstance(input_shape, (list, tuple)) and isinstance(input_shape[0], (list, tuple))
        self._names = sorted(input_shape) if by_name else None
        shapes = [input_shape[name] for name in self._names] if by_name else input_shape if several else [input_shape]
        self.dense_layers = []
        for shape in shapes:
            dense = Dense(self.units, use_bias=False, **self._of_kernels)
            dense.ensure_built(tuple(shape))
            self.dense_layers.append(dense)
        self.bias = self.add_weight(name='bias', shape=(self.units,), **self._of_bias) if self.use_bias else None
        self.built = True

    def call(self, inputs):
        if isinstance(inputs, dict):
            if sorted(inputs) != self._names:
                raise ValueError('%s: The `inputs` dictionary does not match the structure expected by the model. '
                                 'Expected keys: %s. Received keys: %s.' % (self.name, self._names, sorted(inputs)))
            inputs = [inputs[name] for name in self._names]
        parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if len(parts) != len(self.dense_layers):
            raise ValueError('%s: expected %d inputs, received %d.' % (self.name, len(self.dense_layers), len(parts)))
        total = sum(dense(part) for dense, part in zip(self.dense_layers, parts))
        return self.activation(total if self.bias is None else ops.add(total, self.bias.value))

    def get_config(self):
        """The arguments as plain values."""
        kernels, bias = self._of_kernels, self._of_bias
        return dict(Layer.get_config(self), units=self.units, activation=activations.serialize(self.activation),
                    use_bias=self.use_bias, kernel_initializer=initializers.serialize(kernels['kernel_initializer']),
                    bias_initializer=initializers.serialize(bias['initializer']),
                    kernel_regularizer=regularizers.serialize(kernels['kernel_regularizer']),
                    bias_regularizer=regularizers.serialize(bias['regularizer']))

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model from what `get_config` gave, with fresh weights."""
        return cls(**config)


class WideDeepModel(Model):
    """The sum of what a linear and a deep model give: Cheng et al., Wide & deep learning (2016).

    Args:
        linear_model, dnn_model: models with outputs of the same shapes. activation: of the sum, default none.

    Inputs are a pair for the two, or anything else that both get.

    Example:
        >>> deep = keras.Sequential([keras.layers.Dense(4, activation='relu'), keras.layers.Dense(1)])
        >>> model = keras.experimental.WideDeepModel(keras.experimental.LinearModel(), deep)
        >>> model.compile(['sgd', 'adam'], 'mse')
        >>> history = model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    """

    def __init__(self, linear_model, dnn_model, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.linear_model, self.dnn_model, self.activation = linear_model, dnn_model, activations.get(activation)

    def call(self, inputs, training=None):
        pair = isinstance(inputs, (tuple, list)) and len(inputs) == 2
        linear, deep = inputs if pair else (inputs, inputs)
        sums = tree.map_structure(ops.add, self.linear_model(linear), self.dnn_model(deep, training=training))
        return tree.map_structure(self.activation, sums)

    def compile(self, optimizer='rmsprop', *args, **kwargs):
        """As `Model.compile`.

        Args:
            optimizer: one for all weights, or a pair: for the linear model, for the deep one.
        """
        if isinstance(optimizer, (list, tuple)):
            linear, deep = map(optimizer_of, optimizer)
            below = '(.*/)?%s(/.*)?' % re.escape(self.linear_model.name)
            optimizer = MultiOptimizer(OptimizerMap(deep, {below: linear}))
        super().compile(optimizer, *args, **kwargs)

    def get_config(self):
        """The models and the activation as plain values."""
        return dict(Layer.get_config(self), linear_model=serialize_keras_object(self.linear_model),
                    dnn_model=serialize_keras_object(self.dnn_model),
                    activation=activations.serialize(self.activation))

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model from what `get_config` gave, with fresh weights."""
        return cls(**dict(config, **{name: deserialize_keras_object(config[name], custom_objects=custom_objects)
                                     for name in ('linear_model', 'dnn_model')}))


class SharpnessAwareMinimization(Model):
    """Trains a model towards minima that are flat: Foret et al. (2020).

    Each step takes the gradients where the weights have gone `rho` uphill, and applies them to the weights as
    they were.

    Args:
        model: the model to train; calls and predictions are its own. rho: how far uphill, in the norm of all gradients.
        num_batch_splits: into how many parts a batch is cut, each with a way uphill of its own; default one. Their
            gradients add up.

    Raises:
        ValueError: where a batch cannot be cut into so many equal parts.

    Example:
        >>> inner = keras.Sequential([keras.layers.Dense(1)])
        >>> model = keras.models.experimental.SharpnessAwareMinimization(inner, rho=0.05)
        >>> model.compile('sgd', 'mse')
        >>> history = model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    """

    def __init__(self, model, rho=0.05, num_batch_splits=None, name=None):
        super().__init__(name=name)
        self.model, self.rho, self.num_batch_splits = model, rho, num_batch_splits

    def call(self, inputs, training=None):
        """What the model gives."""
        return self.model(inputs, training=training)

    def train_step(self, data):
        """One update on a batch; see the class."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if not self.built:
            self.build_for(x)
        parts = self._cut([x, y, sample_weight])
        found, predictions = [], []
        for part in parts:
            y_pred, gradients = self._uphill(*part)
            predictions.append(y_pred)
            found.append(gradients)
        summed = [sum(each[1:], each[0]) for each in zip(*found)]
        self.optimizer.apply(summed, self.model.trainable_variables)
        y_pred = predictions[0] if len(parts) == 1 else \
            tree.map_structure(lambda *each: ops.concatenate(each, 0), *predictions)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def _cut(self, data):
        count = self.num_batch_splits or 1
        if count == 1:
            return [data]
        leaves = [[None] * count if leaf is None else ops.split(leaf, count, axis=0) for leaf in tree.flatten(data)]
        return [tree.pack_sequence_as(data, each) for each in zip(*leaves)]

    def _uphill(self, x, y, sample_weight):
        """What the model gives for a part, and the gradients at the place uphill."""
        variables = self.model.trainable_variables

        def loss():
            y_pred = self.model(x, training=True)
            return self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses), y_pred
        (_, y_pred), gradients = value_and_grad(loss, variables, has_aux=True)
        norm = ops.sqrt(sum(ops.sum(ops.square(each)) for each in gradients))
        ways = [ops.multiply(each, ops.divide(self.rho, ops.add(norm, 1e-12))) for each in gradients]
        for variable, way in zip(variables, ways):
            variable.assign_add(way)
        _, gradients = value_and_grad(loss, variables, has_aux=True)
        for variable, way in zip(variables, ways):
            variable.assign_sub(way)
        return y_pred, gradients

    def get_config(self):
        """The model and numbers as plain values."""
        return {'name': self.name, 'model': serialize_keras_object(self.model), 'rho': self.rho,
                'num_batch_splits': self.num_batch_splits}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """From what `get_config` gave, the model with fresh weights."""
        return cls(**dict(config, model=deserialize_keras_object(config['model'], custom_objects=custom_objects)))
