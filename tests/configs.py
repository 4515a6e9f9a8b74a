"""Configs of objects of many classes: what upstream gives is what those of Keras 3's generation are to be.

Written with nothing but Keras' public API, so that upstream runs it as well. That is where the record comes from:
`KERAS_BACKEND=jax python tests/configs.py` in an environment with upstream Keras 3.15.1.
"""
import inspect
import json
import os

import keras

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'configs-3.15.1.json')
NEEDED = {
    'Activation': {'activation': 'relu'},
    'Conv': {'filters': 2, 'kernel_size': 3},
    'CategoryEncoding': {'num_tokens': 3},
    'Dense': {'units': 3, 'activation': 'relu', 'kernel_regularizer': 'l2', 'dtype': 'mixed_float16'},
    'DepthwiseConv': {'kernel_size': 3},
    'Dropout': {'rate': 0.5},
    'Embedding': {'input_dim': 3, 'output_dim': 4},
    'EinsumDense': {'equation': 'abc,cd->abd', 'output_shape': [None, 4], 'bias_axes': 'd'},
    'Adaptive': {'output_size': 2},
    'GroupQueryAttention': {'head_dim': 2, 'num_query_heads': 4, 'num_key_value_heads': 2},
    'Noise': {'stddev': 0.5},
    'InputLayer': {'shape': [3]},
    'MultiHeadAttention': {'num_heads': 2, 'key_dim': 3},
    'RepeatVector': {'n': 3},
    'Reshape': {'target_shape': [3, 2]},
    'Permute': {'dims': [2, 1]},
    'Dot': {'axes': 1},
    'CenterCrop': {'height': 2, 'width': 3},
    'LSTM': {'units': 2},
    'GRU': {'units': 2},
    'SimpleRNN': {'units': 2},
    'ReversibleEmbedding': {'input_dim': 3, 'output_dim': 4},
    'Resizing': {'height': 2, 'width': 3},
    'Rescaling': {'scale': 0.5},
    'HashedCrossing': {'num_bins': 3},
    'IoU': {'num_classes': 2, 'target_class_ids': [0]},
    'MeanIoU': {'num_classes': 2},
    'AUC': {'num_thresholds': 5},
    'PrecisionAtRecall': {'recall': 0.5},
    'RecallAtPrecision': {'precision': 0.5},
    'Precision': {'top_k': 2},
    'SensitivityAtSpecificity': {'specificity': 0.5},
    'SpecificityAtSensitivity': {'sensitivity': 0.5},
    'SGD': {'momentum': 0.3, 'clipnorm': 1.0},
    'Decay': {'initial_learning_rate': 0.1, 'decay_steps': 10, 'decay_rate': 0.5},
    'Cosine': {'initial_learning_rate': 0.1, 'decay_steps': 10},
    'PolynomialDecay': {'initial_learning_rate': 0.1, 'decay_steps': 10},
}
HOMES = ('layers', 'losses', 'metrics', 'optimizers', 'optimizers.schedules', 'initializers', 'regularizers',
         'constraints')


def arguments_of(name):
    """What the class is made with: of the keys of `NEEDED` in its name the longest one's."""
    found = max((key for key in NEEDED if key in name), key=len, default=None)
    return NEEDED.get(found, {})


def config_of(home, name, arguments):
    """The config of an object as JSON gives it back."""
    module = keras
    for part in home.split('.'):
        module = getattr(module, part)
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    if home == 'layers':
        arguments['name'] = 'one'
    return json.loads(json.dumps(getattr(module, name)(**arguments).get_config()))


def record():
    cases = []
    for home in HOMES:
        module = keras
        for part in home.split('.'):
            module = getattr(module, part)
        seen = set()
        for name in sorted(dir(module)):
            cls = getattr(module, name)
            if inspect.isclass(cls) and hasattr(cls, 'get_config') and cls.__name__ == name and cls not in seen:
                seen.add(cls)
                try:
                    cases.append([home, name, arguments_of(name), config_of(home, name, arguments_of(name))])
                except Exception as error:
                    print(home, name, error)
    with open(RECORD, 'w') as file:
        file.write('[\n%s\n]\n' % ',\n'.join(json.dumps(case) for case in cases))


if __name__ == '__main__':
    record()
