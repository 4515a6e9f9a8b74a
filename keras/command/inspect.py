"""`python -m keras inspect FILE`: what is in a file, read through the gate; no object in it is made."""
import os

import numpy as np

from keras.saving import archive, foreign
from keras.saving.hdf5 import load_attributes
from keras.saving.kinds import HOMES, kind_in
from keras.saving.opening import RefusedFile, kind_by_start, open_archive, open_file, open_hdf5
from keras.saving.texts import LONGEST_TEXT, parse_json, parse_yaml

# What is code in a config: names of classes that hold some.
_LAMBDAS = ('__lambda__',)


class _Report(dict):
    """What is found; `odd` notes what is not as it should be."""

    def odd(self, message, *values):
        self['oddities'].append(message % values if values else message)


def run(given):
    """What is in the file, as a dictionary."""
    report = _Report(file=given.file, format=None, written_by={}, model=None, layers=[], weights={}, optimizer=None,
                     training=None, code=[], oddities=[])
    other = foreign.describe(given.file) if os.path.exists(given.file) else None
    if other is not None:
        _inspect_foreign(given.file, other, report)
    elif os.path.isdir(given.file):
        _inspect_folder(given.file, report)
    elif not os.path.exists(given.file) and os.path.exists(given.file + '.index'):
        _inspect_checkpoint(given.file, report)
    else:
        with open_file(given.file) as file:
            report['bytes'] = os.fstat(file.fileno()).st_size
        _BY_START.get(kind_by_start(given.file), _inspect_text)(given.file, report)
    _inspect_weights(report)
    return report


# --- what Keras does not read ---------------------------------------------------------------------------------------

def _inspect_foreign(path, other, report):
    report['format'] = other.kind
    report['written_by'] = other.details.get('written_by', {})
    report['use'] = other.use
    report.update((name, other.details[name]) for name in ('inputs', 'outputs') if name in other.details)
    if isinstance(other.details.get('config'), dict):
        _inspect_config(other.details['config'], report)
    for weight in other.details.get('weights', ()):
        report['weights'].setdefault('', []).append(weight)
    if os.path.isfile(path):
        report['bytes'] = os.path.getsize(path)


# --- archives -----------------------------------------------------------------------------------------------------

def _inspect_zip(path, report):
    with open_archive(path) as archive_file:
        if archive.CONFIG not in archive_file:
            raise ValueError('%s is a zip archive without %s, so no model of Keras.' % (path, archive.CONFIG))
        report['format'] = '.keras (Keras 3)'
        if archive.METADATA in archive_file:
            report['written_by'] = parse_json(archive_file.read(archive.METADATA), archive.METADATA)
        config = parse_json(archive_file.read(archive.CONFIG), archive.CONFIG)
        _inspect_config(config, report)
        compiled = config.get('compile_config') or {}
        _inspect_training(dict(compiled, optimizer_config=compiled.get('optimizer')), report)
        known = (archive.METADATA, archive.CONFIG, archive.WEIGHTS)
        report['assets'] = [name for name in archive_file.names if name not in known]
        if archive.WEIGHTS in archive_file:
            with archive_file.open_hdf5(archive.WEIGHTS) as file:
                _inspect_states(file, report)
        else:
            report.odd('there are no weights in it')
        if not path.endswith('.keras'):
            report.odd('the name does not end in .keras')


# --- HDF5 ---------------------------------------------------------------------------------------------------------

def _inspect_hdf5(path, report):
    with open_hdf5(path) as file:
        attributes = {name: _plain(file.attrs[name]) for name in file.attrs}
        report['written_by'] = {name: value for name, value in attributes.items()
                                if name in ('keras_version', 'backend', 'written_by', 'date_saved')}
        if 'keras_generations' in attributes:
            report['written_by']['keras_generations'] = parse_json(attributes['keras_generations'])
        if 'model_config' in attributes:
            report['format'] = 'HDF5 model (Keras 1, 2, tf.keras)'
            _inspect_config(parse_json(attributes['model_config'], 'model_config'), report)
            _inspect_training(parse_json(attributes.get('training_config', '{}'), 'training_config'), report)
            if 'model_weights' not in file:
                report.odd('there is a model but no model_weights')
        elif archive.is_in_full(file):
            report['format'] = '.weights.h5 (Keras 3)'
            return _inspect_states(file, report)
        else:
            report['format'] = 'HDF5 weights (Keras 1, 2, tf.keras)'
        _inspect_layer_groups(file['model_weights'] if 'model_weights' in file else file, report)
        if 'optimizer_weights' in file:
            _note_state(file['optimizer_weights'], report)


def _inspect_layer_groups(group, report):
    names = load_attributes(group, 'layer_names')
    if not names and report['format'].startswith('HDF5 weights'):
        report.odd('there is no list of layer names: this is no file of Keras')
    for name in names:
        if name not in group:
            report.odd('layer %s is listed but has no group', name)
            continue
        listed = load_attributes(group[name], 'weight_names')
        for weight in listed:
            if weight in group[name]:
                _note_weight(report, name, weight, group[name][weight])
            else:
                report.odd('weight %s of layer %s is listed but is not there', weight, name)


def _inspect_states(file, report):
    for path, data in file.datasets():
        owner = path.partition('/vars/')[0]
        if owner.split('/')[0] == 'optimizer':
            _note_array(report, data)
        elif '/streams/' not in path and 'seed_generator' not in path:
            _note_weight(report, owner, path, data)
        else:
            report['random_state'] = True


def _note_state(group, report):
    for _, data in group.datasets():
        _note_array(report, data)


def _note_array(report, data):
    optimizer = report['optimizer'] = report['optimizer'] or {}
    optimizer['arrays'] = optimizer.get('arrays', 0) + 1
    optimizer['numbers'] = optimizer.get('numbers', 0) + int(np.prod(data.shape, dtype='int64'))


def _note_weight(report, layer, name, data):
    report['weights'].setdefault(layer, []).append({
        'name': name.rpartition('/vars/')[2], 'shape': list(data.shape), 'dtype': str(data.dtype),
        'bytes': data.nbytes})


def _plain(value):
    value = value.decode('utf-8') if isinstance(value, bytes) else value
    return value.tolist() if hasattr(value, 'tolist') else value


# --- folders, checkpoints, texts ------------------------------------------------------------------------------------

def _inspect_folder(path, report):
    from keras.saving import tf_files
    from keras.saving.formats import EXTRA
    if not os.path.exists(os.path.join(path, 'saved_model.pb')):
        raise ValueError('%s is a folder without saved_model.pb: nothing that Keras reads.' % path)
    code = 'the graph of TensorFlow in saved_model.pb'
    if os.path.exists(os.path.join(path, EXTRA)):
        _inspect_zip(os.path.join(path, EXTRA), report)
        report['format'] = 'SavedModel with a .keras file in it, which is what is read'
        return report['code'].append(code)
    report['format'] = 'SavedModel (tf.keras)'
    try:
        config = tf_files.metadata(path) or {}
    except ValueError:
        config = {}
        report.odd('there is no model of Keras in it: it is for serving, and keras.layers.TFSMLayer runs it')
    if 'class_name' in config:
        _inspect_config(config, report)
        _inspect_training(config.get('training_config') or {}, report)
    prefix = os.path.join(path, 'variables', 'variables')
    if os.path.exists(prefix + '.index'):
        _note_checkpoint(prefix, report)
    return report['code'].append(code)


def _inspect_checkpoint(path, report):
    report['format'] = 'checkpoint (TensorFlow)'
    _note_checkpoint(path, report)


def _note_checkpoint(prefix, report):
    from keras.saving.tensor_bundle import Checkpoint
    checkpoint = Checkpoint(prefix)
    for name in checkpoint.names:
        owner = name.partition('/.ATTRIBUTES')[0].rpartition('/')[0]
        if not name.startswith(('_CHECKPOINTABLE', 'save_counter')):
            report['weights'].setdefault(owner, []).append({'name': name, 'shape': list(checkpoint.shape(name))})


def read_text(path):
    """The text of a JSON or YAML file, as bytes.

    Raises:
        RefusedFile: where it is empty, or no text.
    """
    with open_file(path) as file:
        text = file.read(LONGEST_TEXT + 1)
    try:
        text.decode('utf-8')
    except UnicodeDecodeError:
        raise RefusedFile('%s is no file that Keras reads: it begins neither like HDF5 nor like a zip archive, and is '
                          'no text.' % path) from None
    if not text.strip():
        raise RefusedFile('%s is empty.' % path)
    return text


def _inspect_text(path, report):
    text, is_yaml = read_text(path), path.lower().endswith(('.yaml', '.yml'))
    config = (parse_yaml if is_yaml else parse_json)(text, 'file %s' % path)
    if isinstance(config, dict) and 'weight_map' in config:
        report['format'] = 'index of sharded weights (Keras 3)'
        return _inspect_shards(path, config, report)
    if not isinstance(config, dict) or 'class_name' not in config:
        raise ValueError('%s holds %s, but not the config of a model.' % (path, 'YAML' if is_yaml else 'JSON'))
    report['format'] = 'architecture (%s)' % ('YAML' if is_yaml else 'JSON')
    report['written_by'] = {name: config[name] for name in ('keras_version', 'backend', 'keras_generations')
                            if name in config}
    return _inspect_config(config, report)


def _inspect_shards(path, config, report):
    for name in sorted({name for names in config['weight_map'].values()
                        for name in (names if isinstance(names, list) else [names])}):
        shard = os.path.join(os.path.dirname(path), os.path.basename(name))
        if os.path.exists(shard):
            with open_hdf5(shard) as file:
                _inspect_states(file, report)
        else:
            report.odd('the shard %s is not there', name)


_BY_START = {'zip': _inspect_zip, 'hdf5': _inspect_hdf5}


# --- configs ------------------------------------------------------------------------------------------------------

def _inspect_config(config, report):
    if not isinstance(config, dict) or 'class_name' not in config:
        return report.odd('the config of the model has no class_name')
    inner = config.get('config')
    entries = inner if isinstance(inner, list) else (inner or {}).get('layers', []) if isinstance(inner, dict) else []
    report['model'] = {'class': config['class_name'],
                       'name': inner.get('name') if isinstance(inner, dict) else None}
    names = set()
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            report.odd('a layer in the config is no dictionary')
            continue
        arguments = entry.get('config') if isinstance(entry.get('config'), dict) else {}
        name = entry.get('name') or arguments.get('name')
        if name in names:
            report.odd('two layers are called %s', name)
        names.add(name)
        report['layers'].append({'name': name, 'class': entry.get('class_name')})
    _find_code(config, report)


def _find_code(config, report):
    """Note the code in a config and the classes in it that Keras does not know, with their places."""
    known = set().union(*[kind_in(home).objects for home in HOMES])
    waiting = [('', config)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            name = value.get('class_name')
            if name in _LAMBDAS or any(str(kind) == 'lambda' for key, kind in value.items() if key.endswith('_type')):
                report['code'].append('byte code of a function at %s' % (place or 'the top'))
            elif isinstance(name, str) and isinstance(value.get('config'), dict) and name not in known \
                    and not name.startswith('__') and name not in ('DTypePolicy', 'Policy'):
                report['code'].append('needs %s, which is not of Keras, at %s'
                                      % (value.get('registered_name') or name, place or 'the top'))
            waiting.extend((_place(place, key, part), part) for key, part in value.items())
        elif isinstance(value, list):
            waiting.extend((_place(place, number, part), part) for number, part in enumerate(value))


def _place(place, key, part):
    """Where a part of a config is; layers go by their names, and what only wraps others is left out."""
    arguments = part.get('config') if isinstance(part, dict) else None
    name = arguments.get('name') if isinstance(arguments, dict) else None
    if key in ('config', 'layers') or isinstance(key, int) and name is None:
        return place
    return '%s/%s' % (place, name or key) if place else str(name or key)


def _inspect_training(config, report):
    optimizer = config.get('optimizer_config')
    if isinstance(optimizer, dict):
        report['optimizer'] = {'class': optimizer.get('class_name'), 'config': optimizer.get('config')}
        report['training'] = {name: config.get(name) for name in ('loss', 'metrics', 'weighted_metrics')}
        _find_code(config, report)


def _inspect_weights(report):
    arrays = [array for owned in report['weights'].values() for array in owned]
    report['totals'] = {'arrays': len(arrays), 'bytes': sum(array.get('bytes', 0) for array in arrays),
                        'numbers': int(sum(np.prod(array['shape'], dtype='int64') for array in arrays))}


# --- for people ---------------------------------------------------------------------------------------------------

def text(report):
    """The report as lines."""
    lines = ['%s: %s' % (report['file'], report['format'])]
    lines.extend('  %s: %s' % pair for pair in sorted(report['written_by'].items()))
    lines.extend('  %s: %s' % (name, report[name]) for name in ('use', 'inputs', 'outputs') if name in report)
    if report['model']:
        lines.append('model: {class} {name}, {count} layers'.format(count=len(report['layers']), **report['model']))
        lines.extend('  %s (%s)' % (layer['name'], layer['class']) for layer in report['layers'])
    lines.append('weights: {arrays} arrays, {numbers:,} numbers, {bytes:,} bytes'.format(**report['totals']))
    for owner, arrays in report['weights'].items():
        lines.append('  %s: %s' % (owner or '/', ', '.join(
            '%s %s' % (array['name'], tuple(array['shape'])) for array in arrays)))
    optimizer = report['optimizer']
    if optimizer:
        lines.append('optimizer: %s, state of %d arrays' % (optimizer.get('class', '?'), optimizer.get('arrays', 0)))
    if report['training']:
        lines.extend('  %s: %s' % pair for pair in report['training'].items() if pair[1])
    lines.append('code inside: %s' % ('none' if not report['code'] else ''))
    lines.extend('  ' + one for one in report['code'])
    lines.extend('ODD: ' + one for one in report['oddities'])
    return '\n'.join(lines)
