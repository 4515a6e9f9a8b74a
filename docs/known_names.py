"""Writes keras/legacy/known_names.json, which names each Keras has where, from the specifications of its API.

    python docs/known_names.py SPEC_FOLDER TF_KERAS.json

SPEC_FOLDER has keras-1.2.2.json, keras-2.3.1.json and keras-3.15.1.json; TF_KERAS.json is {module: names} of tf.keras
2.15, as `dir` gives them. The result is {module: {generations: names}}, where generations are letters of `LETTERS`.
"""
import collections
import json
import os
import sys

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'keras', 'legacy', 'known_names.json')
LETTERS = {'1.2.2': '1', '2.3.1': '2', '2.15': 't', '3.15.1': '3'}


def names_of(folder, tf_keras):
    """{version: {module: names}}, the names of modules among those of their packages."""
    found = {'2.15': tf_keras}
    for version in ('1.2.2', '2.3.1', '3.15.1'):
        with open(os.path.join(folder, 'keras-%s.json' % version)) as file:
            found[version] = {module: list(names) for module, names in json.load(file)['modules'].items()}
    for modules in found.values():
        for module in list(modules):
            parent, _, name = module.rpartition('.')
            if parent:
                modules.setdefault(parent, []).append(name)
    return found


def table(found):
    """{module: {generations: names}}."""
    where = collections.defaultdict(lambda: collections.defaultdict(set))
    for version, modules in found.items():
        for module, names in modules.items():
            for name in names:
                where[module][name].add(LETTERS[version])
    result = {}
    for module, names in sorted(where.items()):
        result[module] = collections.defaultdict(list)
        for name, letters in sorted(names.items()):
            result[module][''.join(letter for letter in '12t3' if letter in letters)].append(name)
    return {module: {key: ' '.join(names) for key, names in groups.items()} for module, groups in result.items()}


def main(folder, tf_keras):
    with open(tf_keras) as file:
        found = names_of(folder, json.load(file))
    with open(PAGE, 'w') as file:
        json.dump(table(found), file, indent=0, sort_keys=True)
        file.write('\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
