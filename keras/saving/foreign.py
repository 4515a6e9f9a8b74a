"""What a file or folder is that Keras does not read: formats of other runtimes and libraries, known by their contents.

Nothing in it is run. Of formats whose names and sizes of weights stand in a header, these are given, too.
"""
import collections
import contextlib
import os
import struct

from keras.saving.opening import RefusedFile, open_archive, open_file
from keras.saving.texts import LONGEST_TEXT, MOST_ENTRIES, parse_json
from keras.saving.protobuf import text, varint

# kind: what it is, for messages. use: what runs or reads it. details: {'written_by': {...}, 'weights': [{...}], ...}.
Foreign = collections.namedtuple('Foreign', 'kind use details')

_HEAD = 1 << 16
_RUNS = 'it is for running, Keras writes it and does not read it again; %s runs it'


def refuse(path):
    """Raise an error that says what it is if `path` holds what Keras does not read.

    Raises:
        RefusedFile: naming the format and what reads it.
    """
    found = describe(path, False)
    if found is not None:
        raise RefusedFile('%s is %s: %s. Keras reads .keras, .h5 and .weights.h5 files, SavedModels and checkpoints of '
                          'TensorFlow, JSON and YAML.' % (path, found.kind, found.use))


def describe(path, details=True):
    """The `Foreign` that a file or folder is; None for everything else, what Keras reads among it.

    Args:
        details: whether to look for names and sizes of weights.

    Raises:
        OSError: where there is nothing, or nothing that can be read.
    """
    if os.path.isdir(path):
        return _folder(path, details)
    with open_file(path) as file:
        head = file.read(_HEAD)
    if head.startswith(b'PK\x03\x04'):
        return _zip(path)
    for is_one, kind, use in _BY_HEAD:
        if is_one(head):
            return Foreign(kind, use, {})
    for find in (_safetensors, _onnx):
        found = find(path, head, details)
        if found is not None:
            return found
    return None


_BY_HEAD = (
    (lambda head: head[4:8] == b'TFL3', 'a model of TensorFlow Lite (LiteRT)', _RUNS % 'its Interpreter'),
    (lambda head: head.lstrip()[:5] == b'<?xml' and b'<net ' in head[:512], 'a model of OpenVINO',
     _RUNS % 'openvino.compile_model'),
    (lambda head: b'ML\xefR' in head and b'StableHLO' in head, 'StableHLO of JAX',
     _RUNS % 'what its `export.deserialize` gives'),
    (lambda head: head[:4] == b'GGUF', 'a GGUF file of weights', 'llama.cpp and its kin read it'),
    (lambda head: head[:1] == b'\x80' and head[1:2] in (b'\2', b'\3', b'\4', b'\5'), 'a pickle of Python',
     'it may run any code when it is read, so Keras does not; if you trust it, `pickle.load` reads it'),
)


# --- folders and archives ---------------------------------------------------------------------------------------------

def _folder(path, details):
    names = set(os.listdir(path))
    if 'saved_model.pb' in names:
        return None
    if 'model.json' in names:
        found = _tensorflow_js(os.path.join(path, 'model.json'), details)
        if found is not None:
            return found
    if names & {'_CHECKPOINT_METADATA', 'manifest.ocdbt', '_METADATA'}:
        return Foreign('a checkpoint of Orbax', 'there is no model of Keras in it: orbax.checkpoint '
                       'reads it; give the arrays to model.set_weights', {})
    return None


def _tensorflow_js(path, details):
    with open_file(path) as file:
        description = parse_json(file.read(LONGEST_TEXT), path)
    if not isinstance(description, dict) or 'modelTopology' not in description:
        return None
    found = {'written_by': {name: description[name] for name in ('generatedBy', 'convertedBy') if name in description}}
    topology = description['modelTopology']
    if isinstance(topology, dict):
        found['config'] = topology.get('model_config')
    manifest = description.get('weightsManifest')
    if details and isinstance(manifest, list):
        with _malformed(path):
            found['weights'] = [_entry(one['name'], one['shape'], one['dtype']) for group in manifest
                                for one in group.get('weights', ())]
    return Foreign('a %s of TensorFlow.js' % str(description.get('format', 'layers-model')).replace('-', ' '),
                   _RUNS % 'its `loadLayersModel`', found)


def _zip(path):
    with open_archive(path) as archive:
        names = set(archive.names)
    ends = {name.partition('/')[2] for name in names}
    if 'config.json' in names or not names:
        return None
    if ends & {'archive_format', 'models/model.json', 'serialized_exported_program.json'} or \
            'serialized_exported_program.json' in names:
        return Foreign('a program of PyTorch', _RUNS % 'what its `export.load` gives', {})
    if 'data.pkl' in ends:
        return Foreign('a file of PyTorch', 'it may run any code when it is read, so Keras does not; its own '
                       '`load` reads it', {})
    if all(name.endswith('.npy') for name in names):
        return Foreign('an .npz archive of NumPy', '`numpy.load` reads it; give the arrays to model.set_weights', {})
    return None


# --- headers with weights ---------------------------------------------------------------------------------------------

def _entry(name, shape, dtype):
    shape, dtype = [int(size) for size in shape], str(dtype)
    count = 1
    for size in shape:
        count *= size
    return {'name': str(name), 'shape': shape, 'dtype': dtype, 'bytes': count * _BYTES.get(dtype.lower(), 4)}


_BYTES = {'f64': 8, 'i64': 8, 'u64': 8, 'float64': 8, 'int64': 8, 'uint64': 8, 'f16': 2, 'bf16': 2, 'i16': 2, 'u16': 2,
          'float16': 2, 'bfloat16': 2, 'int16': 2, 'uint16': 2, 'i8': 1, 'u8': 1, 'bool': 1, 'int8': 1, 'uint8': 1}


@contextlib.contextmanager
def _malformed(path):
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RefusedFile('%s has a list of weights that is none (%s: %s).'
                          % (path, type(error).__name__, error)) from error


def _safetensors(path, head, details):
    size = os.path.getsize(path)
    if len(head) < 9 or head[8:9] != b'{':
        return None
    length, = struct.unpack('<Q', head[:8])
    if not 2 <= length <= min(size - 8, LONGEST_TEXT):
        return None
    found = {}
    if details:
        with open_file(path) as file:
            file.seek(8)
            header = parse_json(file.read(length), path)
        with _malformed(path):
            found['written_by'] = dict(header.pop('__metadata__', {}))
            found['weights'] = [_entry(name, one['shape'], one['dtype']) for name, one in header.items()]
    return Foreign('a safetensors file of weights', 'safetensors.numpy.load_file reads it; give the arrays to '
                   'model.set_weights', found)


# Types of elements in ONNX.
_TYPES_OF_ONNX = {1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 8: 'string',
                  9: 'bool', 10: 'float16', 11: 'float64', 12: 'uint32', 13: 'uint64', 16: 'bfloat16'}


def _onnx(path, head, details):
    # It begins with the version of the format; the name of the producer or the graph comes next.
    if head[:1] != b'\x08' or len(head) < 4 or head[1] > 20 or head[2] not in (0x12, 0x1a, 0x3a, 0x42):
        return None
    found, count = {}, 0
    with open_file(path) as file:
        parts = _parts(file, 0, os.path.getsize(path))
        try:
            for number, start, size in parts:
                if number == 2:
                    found['written_by'] = {'producer': text([_bytes(file, start, size)])}
                if number == 7 and details:
                    found.update(_graph_of_onnx(file, start, size))
                count += number == 7
        except ValueError:
            return None
    return Foreign('a model of ONNX', _RUNS % 'onnxruntime.InferenceSession', found) if count == 1 else None


def _graph_of_onnx(file, start, size):
    found = {'weights': [], 'inputs': [], 'outputs': []}
    for number, begin, length in _parts(file, start, size):
        if number == 5:
            tensor = collections.defaultdict(list)
            for field, place, extent in _parts(file, begin, length):
                if field in (1, 2, 8):
                    tensor[field].append(place if extent is None else _bytes(file, place, extent))
            dims = [size for one in tensor[1] for size in ([one] if isinstance(one, int) else _packed(one))]
            found['weights'].append(_entry(text(tensor[8]), dims, _TYPES_OF_ONNX.get((tensor[2] or [0])[-1], '?')))
        elif number in (11, 12):
            names = [_bytes(file, place, extent) for field, place, extent in _parts(file, begin, length) if field == 1]
            found['inputs' if number == 11 else 'outputs'].append(text(names))
    return found


def _parts(file, start, size):
    """(number, value, None) or (number, place, length) of the fields of a message in a file, which are not read."""
    end = start + size
    for _ in range(MOST_ENTRIES):
        if start >= end:
            return
        file.seek(start)
        head = file.read(30)
        key, place = varint(head, 0)
        kind, number = key & 7, key >> 3
        if kind == 0:
            value, place = varint(head, place)
            yield number, value, None
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        elif kind == 2:
            length, place = varint(head, place)
            if length > end - start - place:
                raise ValueError('A field goes past the end of its message.')
            yield number, start + place, length
            place += length
        else:
            raise ValueError('These bytes are no message.')
        start += place
    raise ValueError('There are more fields than a model has.')


def _bytes(file, place, length):
    file.seek(place)
    return file.read(min(length, _HEAD))


def _packed(content):
    numbers, place = [], 0
    while place < len(content):
        number, place = varint(content, place)
        numbers.append(number)
    return numbers
