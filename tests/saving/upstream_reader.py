"""Runs under another Keras: loads the files that it is given, predicts, goes on training, and writes what comes out.

    python upstream_reader.py FOLDER    FOLDER/tasks.json: [{file, inputs, training: steps or 0}]; writes results.npz
"""
import json
import os
import sys
import warnings

import numpy as np

warnings.simplefilter('ignore')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')


def imported():
    if os.environ.get('KERAS_TEST_READER') == 'tfkeras':
        from tensorflow import keras
        return keras
    import keras
    return keras


def main(folder):
    keras, results = imported(), {}
    given = np.load(os.path.join(folder, 'given.npz'))
    for task in json.load(open(os.path.join(folder, 'tasks.json'))):
        name = task['file']
        try:
            model = keras.models.load_model(os.path.join(folder, name), compile=bool(task['steps']))
            if task.get('weights'):
                model.load_weights(os.path.join(folder, task['weights']))
            x = [given[key] for key in task['inputs']]
            found = model.predict(x[0] if len(x) == 1 else x, verbose=0)
            for number, array in enumerate(found if isinstance(found, list) else [found]):
                results['%s/out%d' % (name, number)] = array
            losses = [np.ravel(model.train_on_batch(x[0], given[task['targets']]))[0] for _ in range(task['steps'])]
            results[name + '/losses'] = np.array(losses)
        except Exception as error:
            results[name + '/error'] = np.array('%s: %s' % (type(error).__name__, error))
    np.savez(os.path.join(folder, 'results.npz'), **results)


main(sys.argv[1])
