"""`python -m keras convert IN OUT`."""
import importlib
import os
import sys

SUFFIXES = (('.weights.h5', 'weights'), ('.weights.json', 'weights'), ('.keras', 'keras'), ('.h5', 'h5'),
            ('.hdf5', 'h5'), ('.json', 'json'), ('.yaml', 'yaml'), ('.yml', 'yaml'), ('.onnx', 'onnx'),
            ('.tflite', 'tflite'), ('.mlir', 'stablehlo'))
_CONFIGS = ('json', 'yaml')


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
    if os.path.lexists(given.target) and not given.overwrite:
        raise ValueError('%s is there already: give --overwrite to replace it.' % given.target)
    if given.engine:
        from keras.backend.contract.loading import set_backend
        set_backend(given.engine)
    sys.path.insert(0, os.getcwd())
    for module in given.modules:
        importlib.import_module(module)
    model = _read(given)
    _write(model, given, wanted)
    return {'source': given.source, 'target': given.target, 'format': wanted, 'model': model.name,
            'layers': len(model.layers), 'weights': len(model.weights),
            'parameters': sum(weight.size for weight in model.weights)}


def _read(given):
    safety = {'safe_mode': False} if given.unsafe else {}
    if given.architecture:
        model = _model(given.architecture, safety)
        model.load_weights(given.source)
        return model
    return _model(given.source, safety)


def _model(path, safety):
    from keras import models, saving
    if format_of(path) not in _CONFIGS:
        return saving.load_model(path, **safety)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    return (models.model_from_json if format_of(path) == 'json' else models.model_from_yaml)(text, **safety)


def _write(model, given, wanted):
    from keras import saving
    if wanted in _CONFIGS:
        from keras.saving.writing import whole_file
        text = model.to_json(indent=2) if wanted == 'json' else model.to_yaml()
        with whole_file(given.target) as file:
            file.write(text.encode('utf-8'))
    elif wanted == 'weights':
        saving.save_weights(model, given.target)
    elif wanted in ('keras', 'h5', 'tf'):
        saving.save_model(model, given.target, include_optimizer=not given.no_optimizer, save_format=wanted)
    else:
        model.export(given.target, format=wanted)


def text(report):
    """One line for people."""
    return '{source} -> {target} ({format}): model {model}, {layers} layers, {weights} weights, {parameters:,} ' \
           'parameters'.format(**report)
