"""Arguments that other generations of Keras write into the configs of layers, and ours do not have.

Each is left out where it has the value that says what ours do anyway; any other value reaches the layer, which
refuses it.
"""
ANY = object()

_TIME_MAJOR = {'time_major': False}
_GROUPS = {'groups': 1}
# Separable convolutions of tf.keras inherit these from Conv2D and never use them.
_UNUSED_KERNEL = {'kernel_initializer': ANY, 'kernel_regularizer': ANY, 'kernel_constraint': ANY, 'groups': 1}

SUPERFLUOUS = {
    'RNN': _TIME_MAJOR, 'SimpleRNN': _TIME_MAJOR, 'LSTM': _TIME_MAJOR, 'GRU': _TIME_MAJOR, 'ConvLSTM2D': _TIME_MAJOR,
    'Conv1DTranspose': _GROUPS, 'Conv2DTranspose': _GROUPS, 'Conv3DTranspose': _GROUPS, 'DepthwiseConv2D': _GROUPS,
    'SeparableConv1D': _UNUSED_KERNEL, 'SeparableConv2D': _UNUSED_KERNEL,
    'LocallyConnected1D': {'implementation': ANY}, 'LocallyConnected2D': {'implementation': ANY},
}


def without_superfluous(entry):
    """A layer's `{'class_name', 'config'}` without the arguments that say nothing."""
    superfluous = SUPERFLUOUS.get(entry.get('class_name'))
    if not superfluous or not isinstance(entry.get('config'), dict):
        return entry
    kept = {name: value for name, value in entry['config'].items()
            if name not in superfluous or superfluous[name] not in (ANY, value)}
    return dict(entry, config=kept)
