"""Prints what upstream's networks predict with the weights of `formula`, as JSON: run where upstream's Keras is.

    python record_predictions.py 2 (Keras 2.3.1), KERAS_BACKEND=jax python record_predictions.py 3

predictions.json holds what this printed for the two, put together. With a folder as second argument it also writes
there each of them as HDF5, for a check by hand that such files load, by order and by name.
"""
import importlib
import json
import os
import sys

import formula


def main(generation, folder=None):
    import keras
    recorded = {}
    for case in formula.CASES:
        if case[0] != generation:
            continue
        keras.backend.clear_session()
        home = importlib.import_module('.'.join(['keras.applications', case[1]]).rstrip('.'))
        model = getattr(home, case[2])(**formula.arguments_of(case))
        formula.set_weights(model)
        predicted = model.predict(formula.pictures(case), verbose=0)
        # Of features, a few: what is wrong is wrong in all of them.
        recorded[formula.name_of(case)] = [[float('%.7g' % value) for value in row[:8]] for row in predicted]
        if folder:
            model.save(os.path.join(folder, formula.name_of(case).replace(' ', '_') + '.h5'))
    print(json.dumps(recorded))


if __name__ == '__main__':
    main(*sys.argv[1:])
