"""Prints what upstream's networks predict with the weights of `formula`, as JSON: run where upstream's Keras is.

    python record_predictions.py 2 (Keras 2.3.1), KERAS_BACKEND=torch python record_predictions.py 3 (Keras 3.15.1)

The second does not build NASNet, which KERAS_BACKEND=tensorflow does: `python record_predictions.py 3 --only nasnet`.
predictions.json holds what these printed, put together. With `--files FOLDER` it also writes there each of them as
HDF5: with KERAS_APPLICATIONS_FILES=FOLDER the test loads these, by order and by name.
"""
import argparse
import importlib
import json
import os
import sys

import formula


def main(generation, only, files):
    import keras
    recorded = {}
    for case in formula.CASES:
        name = formula.name_of(case)
        if case[0] != generation or only not in name:
            continue
        keras.backend.clear_session()
        home = importlib.import_module('.'.join(['keras.applications', case[1]]).rstrip('.'))
        try:
            model = getattr(home, case[2])(**formula.arguments_of(case))
        except ValueError as error:  # NASNet on torch
            print('%s: %s' % (name, error), file=sys.stderr)
            continue
        formula.set_weights(case, model, keras.backend)
        predicted = model.predict(formula.pictures(case), verbose=0)
        # Of features, a few: what is wrong is wrong in all of them.
        recorded[name] = [[float('%.7g' % value) for value in row[:8]] for row in predicted]
        if files:
            model.save(os.path.join(files, name.replace(' ', '_') + '.h5'))
    print(json.dumps(recorded))


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('generation', choices=('2', '3'))
    parser.add_argument('--only', default='', metavar='WORD')
    parser.add_argument('--files', metavar='FOLDER')
    main(**vars(parser.parse_args()))
