"""Writes docs/engines.md, what each engine can do, from what the engines declare (`Engine.capabilities`).

    python docs/engines.py

No environment holds all engines, so docs/engines.json remembers what each declared. A run updates the engines that
it can load and keeps the others; run it in each of tox's environments after changing an engine.
"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD, PAGE = os.path.join(HERE, 'engines.json'), os.path.join(HERE, 'engines.md')

INTRODUCTION = """# What each engine can do

Written by `python docs/engines.py` from what the engines declare; a test holds it against the engine of the run.
An engine raises `UnsupportedOperation`, a `NotImplementedError` with the reason and the way out, for what it declares
unsupported. Where the engine `theano` runs on PyTensor, its column is PyTensor's.
"""
FLAGS = [('gradients', 'trains'), ('compiled', 'compiles the step'), ('deferred', 'graph outside steps, too'),
         ('dynamic_sizes', 'sizes may be unknown while tracing'), ('both_branches', '`cond` runs both branches')]

# Packages on which an engine runs as well, as their makers write them.
PACKAGES = {'pytensor': 'PyTensor'}


def describe(engine):
    """(name of the column, what the loaded `engine` declares)."""
    from keras.backend.contract.loading import KNOWN_ENGINES
    known, able = KNOWN_ENGINES[engine.name], engine.capabilities
    package = next(module for module in known.modules if module in sys.modules)
    column = known.title if package == known.modules[0] else PACKAGES[package]
    declared = {flag: getattr(able, flag) for flag, _ in FLAGS}
    declared.update(engine=engine.name, data_format=engine.data_format, dtypes=sorted(able.dtypes),
                    unsupported=able.unsupported)
    return column, declared


def record():
    with open(RECORD, encoding='utf-8') as file:
        return json.load(file)


def table(corner, columns, rows):
    """Lines of a Markdown table; `rows` are (heading, cells)."""
    lines = [[corner] + list(columns), ['---'] * (len(columns) + 1)] + [[heading] + list(row) for heading, row in rows]
    return ['| %s |' % ' | '.join(line) for line in lines]


def yes(value):
    return 'yes' if value else ''


def overview(engines):
    rows = [('`KERAS_BACKEND`', ['`%s`' % engines[name]['engine'] for name in engines])]
    rows += [(text, [yes(engines[name][flag]) for name in engines]) for flag, text in FLAGS]
    rows += [('convolutions run', [engines[name]['data_format'].replace('_', ' ') for name in engines])]
    dtypes = sorted(set().union(*[engines[name]['dtypes'] for name in engines]))
    rows += [('`%s`' % dtype, [yes(dtype in engines[name]['dtypes']) for name in engines]) for dtype in dtypes]
    return table('', engines, rows)


def refusals(engines):
    """The table of what some engine refuses, with numbers for the reasons, and the numbered reasons."""
    reasons, rows = [], []
    for operation in sorted(set().union(*[engines[name]['unsupported'] for name in engines])):
        cells = []
        for name in engines:
            reason = engines[name]['unsupported'].get(operation)
            if reason and reason not in reasons:
                reasons.append(reason)
            cells.append('no (%d)' % (reasons.index(reason) + 1) if reason else 'yes')
        rows.append(('`%s`' % operation, cells))
    return table('', engines, rows) + [''] + ['%d. %s' % pair for pair in enumerate(reasons, 1)]


def render(engines):
    lines = [INTRODUCTION, '## Engines and types', ''] + overview(engines)
    lines += ['', '## What some engine refuses', '',
              'Everything else in the op table (`primitives.py` and `composites/` in `keras/backend/table/`) runs on '
              'every engine.',
              '']
    return '\n'.join(lines + refusals(engines) + exports()) + '\n'


def exports():
    """What of the op table an export to ONNX writes, and what it refuses."""
    from keras.export.onnx import converters, writer  # noqa: F401 (the writer enters the converters)
    from keras.backend.table.entries import TABLE
    own = sorted(name for name in converters.CONVERTERS if TABLE[name].kind == 'composite')
    primitives = [entry.name for entry in TABLE.values() if entry.kind == 'primitive']
    reasons = sorted(set(converters.REFUSED.values()))
    lines = ['', '## What ONNX is written for', '',
             "`model.export(path, format='onnx')` writes opset %d on every engine: %d of the %d primitives, and every "
             'composite by what it is made of, unless that holds a refused primitive. ONNX has operations of its own '
             'for these composites: %s.' % (converters.OPSET, len(primitives) - len(converters.REFUSED),
                                            len(primitives), ', '.join('`%s`' % name for name in own)),
             '', '| refused | because |', '| --- | --- |']
    for reason in reasons:
        names = sorted(name for name, given in converters.REFUSED.items() if given == reason)
        lines.append('| %s | %s |' % (', '.join('`%s`' % name for name in names), reason))
    return lines


def write(engines):
    with open(RECORD, 'w', encoding='utf-8') as file:
        json.dump(engines, file, indent=1, sort_keys=True)
        file.write('\n')
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(render(in_order(engines)))


def in_order(engines):
    from keras.backend.contract.loading import KNOWN_ENGINES
    order = list(KNOWN_ENGINES)
    return {name: engines[name] for name in sorted(engines, key=lambda name: (order.index(engines[name]['engine']),
                                                                              name in PACKAGES.values()))}


def main():
    from keras.backend.contract.loading import KNOWN_ENGINES
    engines = record() if os.path.exists(RECORD) else {}
    for name in KNOWN_ENGINES:
        # A process for each: not every order of loading is survived, and one that does not load must not stop the rest.
        done = subprocess.run([sys.executable, __file__, '--describe'], env=dict(os.environ, KERAS_BACKEND=name),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            print('%s: kept as it was (%s)' % (name, done.stderr.strip().split('\n')[-1]))
            continue
        column, declared = json.loads(done.stdout.strip().split('\n')[-1])
        engines[column] = declared
        print('%s: updated' % column)
    write(engines)


if __name__ == '__main__':
    if sys.argv[1:] == ['--describe']:
        from keras.backend.contract.loading import get_engine
        print(json.dumps(describe(get_engine())))
    else:
        main()
