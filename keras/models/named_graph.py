"""`Graph`, the model of Keras 0.3 with named inputs, nodes and outputs. `keras.Model` has taken its place."""
from keras.layers.base import Layer
from keras.layers.core import Activation
from keras.layers.input_layer import Input
from keras.layers.keras1 import Merge
from keras.legacy import calls
from keras.legacy.arguments import deprecated
from keras.models.model import Model
from keras.saving.kinds import kind_in


class Graph(Model):
    """A model that is put together by names, and trained on dictionaries of arrays by these names.

    Args:
        name: default 'graph_1', ...

    Example:
        >>> graph = keras.models.Graph()
        >>> graph.add_input('a', input_shape=(3,))
        >>> graph.add_node(keras.layers.Dense(4), name='b', input='a')
        >>> graph.add_output('c', input='b')
        >>> graph.predict({'a': np.zeros((2, 3))})['c'].shape
        (2, 4)
    """

    def __init__(self, name=None):
        deprecated('Graph()', 'Model(inputs, outputs)')
        super().__init__(name=name)
        self._calls, self._tensors = [], {}
        self._named = {'input': [], 'output': []}
        self._output_tensors = {}

    # --- putting it together ------------------------------------------------------------------------------------------

    def add_input(self, name, input_shape=None, batch_input_shape=None, dtype='float'):
        """An input.

        Args:
            name: its name. input_shape: its shape without the batch. batch_input_shape: the one with it.
            dtype: 'float', 'int', or the name of a dtype.
        """
        self._check_new(name)
        dtype = {'float': None, 'int': 'int32'}.get(dtype, dtype)
        tensor = Input(shape=input_shape, batch_shape=batch_input_shape, name=name, dtype=dtype)
        self._tensors[name] = tensor
        self._named['input'].append(name)
        self._note('add_input', name=name, batch_input_shape=tensor.shape, dtype=tensor.dtype)

    def add_node(self, layer, name, input=None, inputs=None, merge_mode='concat', concat_axis=-1, dot_axes=-1,
                 create_output=False):
        """A layer.

        Args:
            layer: the layer or model. name: the name of the node, and of what it gives.
            input: the name of what it is called on. inputs: names of several, which are merged before, or which a
                layer of several inputs gets as they are with `merge_mode` None.
            merge_mode, concat_axis, dot_axes: see `keras.layers.Merge`. create_output: whether it is an output, too.

        Raises:
            ValueError: for a name that is taken, or one that there is not.
        """
        self._check_new(name)
        if not isinstance(layer, Layer):
            raise TypeError('Graph.add_node: expected a layer. Received: %r' % (layer,))
        layer.name = name
        self._tensors[name] = layer(self._merged(input, inputs, merge_mode, concat_axis, dot_axes))
        self._note('add_node', layer=kind_in('keras.layers').serialize(layer), name=name, input=input, inputs=inputs,
                   merge_mode=merge_mode, concat_axis=concat_axis, dot_axes=dot_axes, create_output=False)
        if create_output:
            self.add_output(name, input=name)

    def add_shared_node(self, layer, name, inputs, merge_mode=None, concat_axis=-1, dot_axes=-1, outputs=None,
                        create_output=False):
        """A layer that is called on several tensors, one by one.

        Args:
            layer, name, concat_axis, dot_axes, create_output: as for `add_node`. inputs: names of what it is called on.
            merge_mode: how its results become one. outputs: names for them, where they do not.

        Raises:
            ValueError: as `add_node`, and where it is not said what the results are called.
        """
        self._check_new(name)
        if merge_mode is None and (outputs is None or len(outputs) != len(inputs)):
            raise ValueError('Graph.add_shared_node: the results of %r need a merge_mode, or one name for each of them '
                             'in outputs. Received: outputs=%r' % (name, outputs))
        layer.name = name
        found = [layer(self._tensor(each)) for each in inputs]
        if merge_mode is None:
            for each, tensor in zip(outputs, found):
                self._check_new(each)
                self._tensors[each] = tensor
        else:
            self._tensors[name] = Merge(mode=merge_mode, concat_axis=concat_axis, dot_axes=dot_axes)(found)
        self._note('add_shared_node', layer=kind_in('keras.layers').serialize(layer), name=name, inputs=list(inputs),
                   merge_mode=merge_mode, concat_axis=concat_axis, dot_axes=dot_axes, outputs=outputs,
                   create_output=False)
        for each in (outputs or [name]) if create_output else ():
            self.add_output(each, input=each)

    def add_output(self, name, input=None, inputs=None, merge_mode='concat', concat_axis=-1, dot_axes=-1):
        """An output.

        Args:
            name: its name, that of a node or a new one. input, inputs, merge_mode, concat_axis, dot_axes: what it is,
                see `add_node`.

        Raises:
            ValueError: where there is an output of that name.
        """
        if name in self._named['output']:
            raise ValueError('Graph: there is an output called %r already.' % name)
        tensor = self._merged(input, inputs, merge_mode, concat_axis, dot_axes)
        # Losses and weights go by the name of the layer whose result is the output.
        self._output_tensors[name] = tensor if input == name else Activation('linear', name=name)(tensor)
        self._named['output'].append(name)
        self._note('add_output', name=name, input=input, inputs=inputs, merge_mode=merge_mode,
                   concat_axis=concat_axis, dot_axes=dot_axes)
        self.set_graph({each: self._tensors[each] for each in self._named['input']}, dict(self._output_tensors))

    def _note(self, method, **arguments):
        self._calls.append({'method': method, 'arguments': arguments})

    def _check_new(self, name):
        if name in self._tensors:
            raise ValueError('Graph: there is something called %r already: %s.' % (name, ', '.join(self._tensors)))

    def _tensor(self, name):
        if name not in self._tensors:
            raise ValueError('Graph: there is nothing called %r. Known: %s.' % (name, ', '.join(self._tensors)))
        return self._tensors[name]

    def _merged(self, input, inputs, merge_mode, concat_axis, dot_axes):
        if (input is None) == (not inputs):
            raise ValueError('Graph: give either `input` or `inputs`. Received: input=%r, inputs=%r' % (input, inputs))
        if input is not None:
            return self._tensor(input)
        found = [self._tensor(name) for name in inputs]
        if len(found) == 1:
            return found[0]
        return found if merge_mode is None else Merge(mode=merge_mode, concat_axis=concat_axis,
                                                      dot_axes=dot_axes)(found)

    # --- training ---------------------------------------------------------------------------------------------------

    def compile(self, optimizer='rmsprop', loss=None, metrics=None, sample_weight_mode=None, loss_weights=None,
                **kwargs):
        """`Model.compile`; `loss`, `loss_weights` and `sample_weight_mode` are dictionaries by the names of outputs."""
        super().compile(optimizer, loss, metrics=metrics, sample_weight_mode=sample_weight_mode,
                        loss_weights=loss_weights, **kwargs)

    def _split(self, data):
        """(inputs, targets) of a dictionary with both; for what yields dictionaries, (what yields such pairs, None)."""
        if not isinstance(data, dict):
            return [map(self._split_batch, data), None]
        unknown = set(data).difference(self._named['input'], self._named['output'])
        if unknown:
            raise ValueError('Graph: no input or output is called %s. Inputs: %s. Outputs: %s.' % (
                ', '.join(sorted(unknown)), ', '.join(self._named['input']), ', '.join(self._named['output'])))
        return [{name: data[name] for name in self._named[kind] if name in data} for kind in ('input', 'output')]

    def fit(self, data, batch_size=None, epochs=None, verbose=1, callbacks=None, validation_split=0.,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0, **kwargs):
        """`Model.fit` on a dictionary with the arrays of inputs and targets by name; so is `validation_data`."""
        x, y = self._split(data)
        more = {} if epochs is None else {'epochs': epochs}
        return super().fit(x, y, batch_size=batch_size, verbose=verbose, callbacks=callbacks,
                           validation_split=validation_split, shuffle=shuffle, class_weight=class_weight or None,
                           validation_data=self._validation(validation_data),
                           sample_weight=sample_weight or None, initial_epoch=initial_epoch, **dict(more, **kwargs))

    def _validation(self, data):
        if data is None:
            return None
        x, y = self._split(data)
        return x if y is None else (x, y)

    def evaluate(self, data, batch_size=None, verbose=0, sample_weight=None, **kwargs):
        """`Model.evaluate` on a dictionary with the arrays of inputs and targets by name."""
        return super().evaluate(*self._split(data), batch_size=batch_size, verbose=verbose,
                                sample_weight=sample_weight or None, **kwargs)

    def predict(self, data, batch_size=None, verbose=0, **kwargs):
        """{name of an output: array} for a dictionary with the arrays of the inputs."""
        return super().predict(self._split(data)[0], batch_size=batch_size, verbose=verbose, **kwargs)

    def train_on_batch(self, data, class_weight=None, sample_weight=None, **kwargs):
        """`Model.train_on_batch` on a dictionary with the arrays of inputs and targets by name."""
        return super().train_on_batch(*self._split(data), class_weight=class_weight or None,
                                      sample_weight=sample_weight or None, **kwargs)

    def test_on_batch(self, data, sample_weight=None, **kwargs):
        """`Model.test_on_batch` on a dictionary with the arrays of inputs and targets by name."""
        return super().test_on_batch(*self._split(data), sample_weight=sample_weight or None, **kwargs)

    def predict_on_batch(self, data):
        """`predict` on one batch."""
        return super().predict_on_batch(self._split(data)[0])

    def _split_batch(self, item):
        """(inputs, targets[, sample weights]) of a dictionary, or of (dictionary, sample weights)."""
        data, *rest = item if isinstance(item, (tuple, list)) else (item,)
        inputs, targets = self._split(data)
        return tuple([inputs, targets] + rest) if targets else inputs

    def __getstate__(self):
        # A copy has a graph of its own; what it was put together from stays behind.
        return dict(super().__getstate__(), _tensors={}, _output_tensors={})

    # --- the config -------------------------------------------------------------------------------------------------

    def get_config(self):
        """The calls that put the model together."""
        return {'name': self.name, 'calls': self._calls}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A model with fresh weights from what `get_config` gave."""
        graph = cls(name=config.get('name'))
        for call in config['calls']:
            arguments = dict(call['arguments'])
            if 'layer' in arguments:
                arguments['layer'] = kind_in('keras.layers').deserialize(arguments['layer'], custom_objects)
            getattr(graph, call['method'])(**arguments)
        return graph


calls.install(Graph, calls.GRAPH, 'Graph.')
