"""What is said of a name that there is not: in which Keras it was, and what replaces it.

`known_names.json` says which names each Keras has where (`docs/known_names.py` writes it); `INSTEAD` is what to write
for those that we do not offer.
"""
import functools
import importlib
import json
import os

KERASES = {'1': 'Keras 1.2.2', '2': 'Keras 2.3.1', 't': 'tf.keras 2.15', '3': 'Keras 3.15.1'}
INSTEAD = {
    'DatasetCreator': 'a tf.data.Dataset, which `fit` takes',
    'DenseFeatures': 'keras.utils.FeatureSpace, or one Input and one preprocessing layer for each feature',
    'SequenceFeatures': 'keras.utils.FeatureSpace, or one Input and one preprocessing layer for each feature',
    'SidecarEvaluator': 'a second process that loads the checkpoints and calls `evaluate`',
    'PyMetric': 'a Metric written with keras.ops, or a Callback that computes with NumPy',
    'dtensor': 'what the engine has for several devices',
    'estimator': '`fit`, `evaluate` and `predict` of the model itself',
    'model_to_estimator': '`fit`, `evaluate` and `predict` of the model itself',
    'music_tagger_crnn': 'a model of your own: its weights are no longer published',
    'audio_conv_utils': 'librosa, on which it was built',
    'MusicTaggerCRNN': 'a model of your own: its weights are no longer published',
    'CuDNNGRU': 'keras.layers.GRU', 'CuDNNLSTM': 'keras.layers.LSTM',
    'get_session': 'keras.backend.get_session, or nothing: tensors have their values',
    'keras_modules_injection': 'nothing: the networks take no modules any more',
    'enable_tf_random_generator': 'nothing: random numbers come from keras.random',
    'disable_tf_random_generator': 'nothing: random numbers come from keras.random',
    'is_tf_random_generator_enabled': 'nothing: random numbers come from keras.random',
}


@functools.lru_cache(maxsize=None)
def _kerases():
    """{module: {name: the letters of the Kerases that have it there}}."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'known_names.json'), encoding='utf-8') as file:
        read = json.load(file)
    return {module: {name: letters for letters, names in groups.items() for name in names.split()}
            for module, groups in read.items()}


def _elsewhere(module, name):
    """The address under which we have `name` of other modules; '' where we have not."""
    for other in sorted((other for other, names in _kerases().items() if name in names and other != module), key=len):
        try:
            found = importlib.import_module(other)
        except ImportError:
            continue
        if name in dir(found):
            return '%s.%s' % (other, name)
    return ''


def explained(plain, module, name):
    """The message `plain` about a `name` that `module` does not have, with what is known of it."""
    names, instead = _kerases(), INSTEAD.get(name)
    letters = names.get(module, {}).get(name, '')
    if not letters and instead:
        everywhere = ''.join(known.get(name, '') for known in names.values())
        letters = ''.join(letter for letter in KERASES if letter in everywhere)
    if not letters:
        return plain
    plain = '%s. It is in %s' % (plain, ' and '.join(', '.join(KERASES[letter] for letter in letters).rsplit(', ', 1)))
    here = '' if instead or '%s.%s' % (module, name) in names else _elsewhere(module, name)
    if here:
        return '%s; here it is %s.' % (plain, here)
    return '%s, but not in this package.%s' % (plain, ' Use %s.' % instead if instead else '')
