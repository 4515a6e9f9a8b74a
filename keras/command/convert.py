"""`python -m keras convert IN OUT`."""
import importlib
import os
import sys

from keras.command.inspect import read_text
from keras.saving.opening import kind_by_start

SUFFIXES = (('.weights.h5', 'weights'), ('.weights.json', 'weights'), ('.keras', 'keras'), ('.h5', 'h5'),
            ('.hdf5', 'h5'), ('.json', 'json'), ('.yaml', 'yaml'), ('.yml', 'yaml'), ('.onnx', 'onnx'),
            ('.tflite', 'tflite'), ('.mlir', 'stablehlo'), ('.pt2', 'torch'), ('.xml', 'openvino'),
            ('.ckpt', 'checkpoint'))
_CONFIGS = ('json', 'yaml')
_BESIDE_EXPORTS = _CONFIGS + ('weights', 'checkpoint', 'keras', 'h5', 'tf')


def format_of(path):
    """The format that a name asks for, None where it says none."""
    name = path.rstrip('/' + os.sep).lower()
    return next((found for suffix, found in SUFFIXES if name.endswith(suffix)), None)


def run(given):
    """Convert, and return what was done."""
    wanted = given.to or format_of(given.target)
    if wanted is None:
        raise ValueError('The name %s says no format: end it in one of %s, or give --to FORMAT.'
                         % (given.target, ', '.join(suffix for suffix, _ in SUFFIXES)))
    written = given.target + ('.index' if wanted == 'checkpoint' else '')
    if os.path.lexists(written) and not given.overwrite:
        raise ValueError('%s is there already: give --overwrite to replace it.' % given.target)
    _check_format(wanted)
    if given.engine:
        from keras.backend.contract.loading import set_backend
        set_backend(given.engine)
    sys.path.insert(0, os.getcwd())
    for module in given.modules:
        importlib.import_module(module)
    model, has_weights = _read(given)
    _write(model, given, wanted)
    notes = [] if has_weights or wanted in _CONFIGS else [
        '%s holds no weights: those in %s are the initial ones' % (given.source, given.target)]
    return {'notes': notes, 'source': given.source, 'target': given.target, 'format': wanted, 'model': model.name,
            'layers': len(model.layers), 'weights': len(model.weights),
            'parameters': sum(weight.size for weight in model.weights)}


def _check_format(wanted):
    if wanted not in _BESIDE_EXPORTS:
        from keras.export.formats import available
        if wanted not in available():
            raise ValueError('--to %s: there is no such format. Expected one of: %s.'
                             % (wanted, ', '.join(sorted(set(_BESIDE_EXPORTS).union(available())))))


def _read(given):
    """The model, and whether its weights come from a file."""
    from keras.saving.hdf5 import WeightsAlone
    safety = {'safe_mode': False} if given.unsafe else {}
    if given.architecture:
        model, _ = _model(given.architecture, safety)
        model.load_weights(given.source)
        return model, True
    try:
        return _model(given.source, safety)
    except WeightsAlone:
        raise _without_architecture(given.source) from None


def _without_architecture(path):
    return ValueError('%s holds weights alone: give --architecture FILE, a .json, .yaml or any other file of the model '
                      'that they are of.' % path)


def _model(path, safety):
    from keras import models, saving
    from keras.saving import foreign, tf_files
    if format_of(path) == 'weights' and os.path.isfile(path) and not kind_by_start(path):
        raise _without_architecture(path)
    if tf_files.is_checkpoint(path) and not tf_files.is_saved_model(path):
        raise _without_architecture(path)
    if not os.path.isfile(path) or kind_by_start(path):
        return saving.load_model(path, **safety), True
    foreign.refuse(path)
    text = read_text(path)
    is_yaml = format_of(path) == 'yaml'
    if format_of(path) != 'json' and not is_yaml and not text.lstrip().startswith(b'{'):
        return saving.load_model(path, **safety), True
    return (models.model_from_yaml if is_yaml else models.model_from_json)(text, **safety), False


def _write(model, given, wanted):
    from keras import config, saving
    if wanted in _CONFIGS:
        from keras.saving.writing import whole_file
        text = model.to_json(indent=2) if wanted == 'json' else model.to_yaml()
        with whole_file(given.target) as file:
            file.write(text.encode('utf-8'))
    elif wanted == 'weights':
        saving.save_weights(model, given.target)
    elif wanted == 'checkpoint':
        saving.save_weights(model, given.target, save_format='tf')
    elif wanted in ('keras', 'h5', 'tf'):
        with config.generation(2):  # whose files may have any name
            saving.save_model(model, given.target, include_optimizer=not given.no_optimizer, save_format=wanted)
    else:
        model.export(given.target, format=wanted, verbose=False)


def text(report):
    """Lines for people."""
    return '\n'.join(['{source} -> {target} ({format}): model {model}, {layers} layers, {weights} weights, '
                      '{parameters:,} parameters'.format(**report)] + ['NOTE: ' + note for note in report['notes']])
