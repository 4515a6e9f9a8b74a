"""What configs of older releases leave unsaid, where a release did not write an argument or meant another one."""
import re

from keras.legacy.calls import LAYERS


def numbers(version):
    """(major, minor) of a version such as '2.4.0' or '2.2.4-tf'; what cannot be read counts as 0."""
    found = re.findall(r'\d+', str(version))[:2]
    return tuple(int(number) for number in found) + (0,) * (2 - len(found))


def completed(config, version):
    """The config of a model or object that the release `version` of Keras wrote, with all that it says there.

    Args:
        config: plain values, changed in place. version: the `keras_version` beside it.
    """
    release = numbers(version)
    if release[0] <= 1:
        _complete_keras_1(config)
    if (2, 2) <= release < (2, 6):
        _complete_first_preprocessing(config)
    if (2, 4) <= release < (2, 10):
        for entry in _entries(config, 'MultiHeadAttention'):
            entry['config'].setdefault('uses_masks', False)
    return config


def _entries(config, *names):
    """The dictionaries with a class name, and a config, in a config; those of the classes `names`, if there are any."""
    found, waiting = [], [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = part.get('class_name')
            if isinstance(name, str) and isinstance(part.get('config'), dict) and (not names or name in names):
                found.append(part)
            waiting.extend(part.values())
        elif isinstance(part, (list, tuple)):
            waiting.extend(part)
    return found


def _complete_keras_1(config):
    """Some layers of Keras 1 kept no `dim_ordering`: it is that of the others. Its `Flatten` knew none."""
    entries = _entries(config)
    orderings = [entry['config']['dim_ordering'] for entry in entries
                 if entry['config'].get('dim_ordering') in ('th', 'tf')]
    for entry in entries:
        spelling = LAYERS.get(entry['class_name'])
        if orderings and spelling is not None and 'dim_ordering' in spelling.order:
            entry['config'].setdefault('dim_ordering', orderings[0])
        if entry['class_name'] == 'Flatten':
            entry['config'].setdefault('data_format', 'channels_last')


# How tf.keras called the arguments of layers that prepare data while they were experimental.
_FIRST_NAMES = {'IntegerLookup': {'max_values': 'max_tokens', 'mask_value': 'mask_token', 'oov_value': 'oov_token'},
                'CategoryEncoding': {'max_tokens': 'num_tokens'}, 'Discretization': {'bins': 'bin_boundaries'}}
# ... and what they gave was of these types, whatever their own.
_FIRST_INTEGERS = ('Discretization', 'Hashing')
# What `Hashing` wrote for no salt.
_NO_SALT = 0xdecafcaffe
_FIRST_MODES = {'binary': 'multi_hot', 'tf-idf': 'tf_idf'}


def _complete_first_preprocessing(config):
    """The experimental layers of TensorFlow 2.3 to 2.5 in today's words."""
    for entry in _entries(config, 'Hashing', 'StringLookup', 'TextVectorization', *_FIRST_NAMES):
        inner = entry['config']
        for old, new in _FIRST_NAMES.get(entry['class_name'], {}).items():
            if old in inner:
                inner.setdefault(new, inner.pop(old))
        if inner.get('output_mode') in _FIRST_MODES:
            inner['output_mode'] = _FIRST_MODES[inner['output_mode']]
        if entry['class_name'] in _FIRST_INTEGERS:
            inner['dtype'] = 'int64'
        if entry['class_name'] == 'Hashing' and list(inner.get('salt') or ()) == [_NO_SALT] * 2:
            inner['salt'] = None
        bounds = inner.get('bin_boundaries')
        if bounds and bounds[-1] == float('inf'):  # they were the upper ends of all bins
            inner['bin_boundaries'] = bounds[:-1]
