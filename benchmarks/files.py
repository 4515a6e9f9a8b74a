"""Files of 100 MB of weights, written and read beside h5py alone, and models of very many layers.

Run as a script: `python files.py ROUNDS [LAYERS]`. Prints seconds as JSON; memory in multiples of the weights. What
h5py writes is brought to the disk as well, and takes the place of the old file, as ours does. In a process that has
read the same before, memory is at hand already; `first` is a reading in a process of its own, which has read only a
small file, as programs do.
"""
import gc
import json
import os
import subprocess
import sys
import warnings

import h5py
import numpy as np
import timing

# 26 million weights in few large arrays, and in many small ones.
SHAPES = {'4 large layers': (4, 2560), '100 layers': (100, 512)}


def model_of(keras, layers, units):
    """A stack of layers with random weights."""
    model = keras.Sequential([keras.layers.Input((units,))] + [keras.layers.Dense(units) for _ in range(layers)])
    model.set_weights([np.random.rand(*weight.shape).astype('float32') for weight in model.weights])
    return model


def raw_write(arrays):
    with h5py.File('raw.partial', 'w') as file:
        for number, array in enumerate(arrays):
            file.create_dataset(str(number), data=array)
    with open('raw.partial', 'rb') as file:
        os.fsync(file.fileno())
    os.replace('raw.partial', 'raw.h5')


def raw_read():
    with h5py.File('raw.h5', 'r') as file:
        return [file[name][()] for name in file]


def of_shape(keras, rounds, layers, units):
    """{what: seconds} for one model, the peers in turns."""
    model = model_of(keras, layers, units)
    arrays = model.get_weights()
    load = keras.models.load_model
    functions = {'raw write': lambda: raw_write(arrays), 'h5 write': lambda: model.save('model.h5'),
                 'keras write': lambda: model.save('model.keras'), 'raw read': raw_read,
                 'h5 read': lambda: load('model.h5'), 'keras read': lambda: load('model.keras')}
    found = dict(zip(functions, timing.alternate(list(functions.values()), rounds)))
    for what in ('raw', 'h5'):
        found['%s first read' % what] = float('inf')
    for _ in range(rounds):
        for what in ('raw', 'h5'):
            name = '%s first read' % what
            found[name] = min(found[name], float(subprocess.check_output([sys.executable, __file__, what])))
    return found


def first_read(what):
    """Print the seconds that the first reading of a large file takes."""
    warnings.simplefilter('ignore')
    if what == 'raw':
        with h5py.File('small.h5', 'w') as file:
            file['x'] = np.zeros(3)
        with h5py.File('small.h5', 'r') as file:
            file['x'][()]
        read = raw_read
    else:
        import keras
        model_of(keras, 2, 4).save('small.h5')

        def read(path='model.h5'):
            return keras.models.load_model(path)
        read('small.h5')
    start = timing.now()
    found = read()
    print(timing.now() - start, flush=True)
    return found


def memory(keras):
    """{what: the most memory that it took beyond what was there before, in multiples of the weights}"""
    model = model_of(keras, *SHAPES['4 large layers'])
    size = sum(weight.nbytes for weight in model.get_weights())
    return {'memory, h5 write': _peak(lambda: model.save('model.h5')) / size,
            'memory, keras write': _peak(lambda: model.save('model.keras')) / size,
            'memory, h5 read': _peak(lambda: keras.models.load_model('model.h5')) / size,
            'memory, keras read': _peak(lambda: keras.models.load_model('model.keras')) / size}


def _peak(function):
    function()
    gc.collect()
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')
    before = _status('VmRSS')
    function()
    return _status('VmHWM') - before


def _status(name):
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name + ':'))


def of_many_layers(keras, layers):
    found = {}
    for count in (layers // 4, layers):
        model = model_of(keras, count, 8)
        for kind in ('h5', 'keras'):
            path = 'many.' + kind
            found['%d layers, %s write' % (count, kind)], = timing.alternate([lambda path=path: model.save(path)], 2)
            found['%d layers, %s read' % (count, kind)], = timing.alternate(
                [lambda path=path: keras.models.load_model(path)], 2)
    return found


def main(rounds, layers):
    warnings.simplefilter('ignore')
    import keras
    found = {'%s, %s' % (what, name): seconds for name, shape in SHAPES.items()
             for what, seconds in of_shape(keras, rounds, *shape).items()}
    if os.environ.get('KERAS_BENCHMARK_PEER') != 'upstream':
        found.update(memory(keras), **of_many_layers(keras, layers))
    print(json.dumps(found))


if __name__ == '__main__':
    if sys.argv[1] in ('raw', 'h5'):
        first_read(sys.argv[1])
        sys.exit()
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000)
