"""Hold the coverage of the API against what `tests/api_coverage.json` records: it may rise, not fall.

    python tests/check_api.py [--record]

For each specification of upstream's API the file has the numbers of names and of agreeing signatures, by default and
(`keras-3.15.1@3`) in the generation of Keras that it describes, whose defaults differ. Below one of them
the check fails and lists what is missing; `--record` writes higher numbers into the file, never lower ones.
"""
import json
import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(os.path.dirname(os.path.dirname(TESTS)), 'shared')
RECORD = os.path.join(TESTS, 'api_coverage.json')


def measured(specification, generation, *options):
    """({'names': ..., 'signatures': ...}, all that the tool prints)."""
    # Its exit code says whether everything is there, which it is not yet; that it ran to its last line counts.
    printed = subprocess.run([sys.executable, os.path.join(SHARED, 'tools', 'api_coverage.py'), specification] +
                             list(options), stdout=subprocess.PIPE, universal_newlines=True,
                             env=dict(os.environ, KERAS_GENERATION=generation)).stdout
    last = re.fullmatch(r'names (\d+)/\d+  signatures (\d+)/\d+', printed.strip().splitlines()[-1])
    return {'names': int(last.group(1)), 'signatures': int(last.group(2))}, printed


def main(arguments):
    with open(RECORD) as file:
        recorded = json.load(file)
    fallen = False
    for name, least in sorted(recorded.items()):
        kind, _, generation = name.partition('@')
        specification = os.path.join(SHARED, 'spec', kind + '.json')
        if not os.path.exists(specification):
            print('No %s here: API coverage not measured.' % specification)
            continue
        found, _ = measured(specification, generation)
        print('%-14s %s' % (name, ', '.join('%s %d (recorded: %d)' % (what, found[what], least[what])
                                            for what in sorted(least))))
        if any(found[what] < least[what] for what in least):
            fallen = True
            print(measured(specification, generation, '--missing', '--signatures')[1])
        recorded[name] = {what: max(found[what], least[what]) for what in least}
    if '--record' in arguments:
        with open(RECORD, 'w') as file:
            file.write(json.dumps(recorded, indent=4, sort_keys=True) + '\n')
    return int(fallen)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
