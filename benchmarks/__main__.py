"""`python -m benchmarks`: every measurement in a process of its own, peers side by side, and the table.

    python -m benchmarks --engines jax,torch --upstream /path/to/python/with/keras3 --markdown table.md
    python -m benchmarks --engines theano --python theano=/path/to/python3.6/with/theano \
        --upstream theano=/path/to/python/with/keras2.3.1
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, HERE)

import lines  # noqa: E402
import works  # noqa: E402

TOPICS = ('startup', 'training', 'first', 'layout', 'memory', 'overhead', 'construction', 'graph', 'walks',
          'images', 'augmentation', 'applications', 'resnet50', 'attention', 'recurrent',
          'own_step', 'precision', 'files', 'lines')
# How many times the raw code's time a training step may take.
STEP_LIMITS = {'tensorflow': 1.05, 'jax': 1.05, 'torch': 1.05, 'theano': 1.1, 'cntk': 1.1, 'mxnet': 1.1}
IMAGE_FORMATS_DIFFER = ('theano', 'cntk', 'mxnet')
MICRO, MILLI = 1e6, 1e3


class Table:
    """Rows of what was measured, beside which peer, against which target; printed as they come."""

    def __init__(self):
        self.rows = []
        self.missed = 0

    def add(self, what, engine, ours, peer='', ratio='', upstream='', target='', reached=None):
        mark = '' if reached is None else 'pass' if reached else 'MISS'
        self.missed += reached is False
        row = (what, engine, ours, peer, ratio, upstream, target, mark)
        self.rows.append(row)
        print('%-34s %-10s %12s %12s %8s %14s  %-24s %s' % row, flush=True)

    def markdown(self):
        header = ('what', 'engine', 'ours', 'raw', 'ratio', 'upstream', 'target', '')
        rows = [header, ('---',) * len(header)] + self.rows
        return '\n'.join('| %s |' % ' | '.join(row) for row in rows) + '\n'


class Runner:
    """Runs the scripts of this folder in processes of their own, with our keras or with upstream's.

    `pythons` and `upstreams` tell the interpreter of an engine ({engine: path}; '' stands for every other engine).
    """

    def __init__(self, pythons, upstreams, home, clock):
        self.pythons = pythons
        self.upstreams = upstreams
        self.home = home
        self.clock = clock

    def upstream(self, engine):
        """The interpreter with upstream's keras for that engine, or None."""
        return self.upstreams.get(engine, self.upstreams.get(''))

    def run(self, script, *arguments, engine='numpy', upstream=False):
        """The JSON that the script prints, or None where it fails (its error is shown)."""
        environment = dict(os.environ, KERAS_BACKEND=engine, KERAS_HOME=self.home, TF_CPP_MIN_LOG_LEVEL='3')
        # What a user has after the first run: compiled modules. Without them most of starting is compiling.
        environment.pop('PYTHONDONTWRITEBYTECODE', None)
        environment.update(PYTHONPATH='' if upstream else ROOT, KERAS_BENCHMARK_CLOCK=self.clock,
                           KERAS_BENCHMARK_PEER='upstream' if upstream else 'ours')
        if self.clock == 'cpu':
            # Threads that wait for each other in a loop would count as work.
            environment.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1', MKL_NUM_THREADS='1')
        python = self.upstream(engine) if upstream else self.pythons.get(engine, self.pythons[''])
        done = subprocess.run([python, os.path.join(HERE, script), *map(str, arguments)], env=environment,
                              cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            print('%s %s on %s failed:\n%s' % (script, arguments, 'upstream' if upstream else engine,
                                               done.stderr.strip()[-1500:]), file=sys.stderr)
            return None
        return json.loads(done.stdout.strip().splitlines()[-1])

    def median(self, script, times):
        """{name: the median of several runs} of a script, or None where one fails."""
        runs = [self.run(script) for _ in range(times)]
        if None in runs:
            return None
        return {name: statistics.median(run[name] for run in runs) if isinstance(value, float) else value
                for name, value in runs[0].items()}

    def least(self, script, *arguments, times=1, engine='numpy', peers=('ours',)):
        """{peer: {name: the least of several runs}}, the peers' processes taking turns."""
        found = {}
        for _ in range(times):
            for peer in peers:
                if peer == 'upstream' and not self.upstream(engine):
                    continue
                which = () if peer in ('ours', 'upstream') and script != 'first_step.py' else \
                    ('raw' if peer == 'raw' else 'keras',)
                result = self.run(script, *(arguments + which), engine=engine, upstream=peer == 'upstream')
                for name, value in (result or {}).items():
                    known = found.setdefault(peer, {}).get(name, value)
                    found[peer][name] = min(known, value) if isinstance(value, float) else value
        return found


def micro(seconds):
    return '%.1f us' % (seconds * MICRO) if seconds < 1e-3 else '%.2f ms' % (seconds * MILLI)


def startup(table, runner, options):
    runner.run('startup.py')
    ours = runner.median('startup.py', times=5)
    # Upstream cannot be built without an engine: it gets the first of those asked for.
    theirs = runner.upstream(options.engines[0]) and runner.run('startup.py', engine=options.engines[0], upstream=True)
    if not ours:
        return
    other = {name: micro(theirs[name]) if theirs else '' for name in ('import', 'touch', 'build')}
    table.add('import keras, beyond NumPy', '-', micro(ours['import']), micro(ours['numpy']), upstream=other['import'],
              target='< 200 ms', reached=ours['import'] < 0.2)
    table.add('first model, all that it loads', '-', micro(ours['touch']), micro(ours['numpy']),
              upstream=other['touch'], target='with import < 200 ms', reached=ours['import'] + ours['touch'] < 0.2)
    table.add('build ResNet-50, %.1f M weights' % (ours['weights'] / 1e6), '-', micro(ours['build']),
              upstream=other['build'], target='< 300 ms, no engine',
              reached=ours['build'] < 0.3 and not ours['engines loaded'])


def training(table, runner, options):
    for engine in options.engines:
        for work in options.works:
            found = runner.least('training.py', work, options.rounds, times=options.times, engine=engine,
                                 peers=('ours', 'upstream'))
            if 'ours' in found:
                _training_rows(table, engine, work, found['ours'], found.get('upstream'))


def _training_rows(table, engine, work, ours, theirs):
    for what, limit in (('fit', STEP_LIMITS[engine]), ('evaluate', 1.1)):
        raw, own = ours['raw ' + what], ours[what]
        if theirs and what == 'fit':
            reached = own <= limit * raw and own < theirs[what]
            target = '<= %.2f raw, < upstream' % limit
        else:
            reached, target = own <= limit * raw, '<= %.2f raw' % limit
        table.add('%s step, %s' % (what, work), engine, micro(own), micro(raw), '%.2f' % (own / raw),
                  micro(theirs[what]) if theirs else '', target, reached)
        for name, other in ours.items():
            if name.endswith(' ' + what) and name not in ('raw ' + what, 'second fit'):
                table.add('%s step, %s, beside %s' % (what, work, name[:-len(what) - 1]), engine, micro(own),
                          micro(other), '%.2f' % (own / other), target='<= %.2f raw' % limit,
                          reached=own <= limit * other)
    if 'predict' in ours:
        raw, own = ours['raw predict'], ours['predict']
        table.add('predict of batch 1, %s' % work, engine, micro(own), micro(raw), '%+.0f us' % ((own - raw) * MICRO),
                  micro(theirs['predict']) if theirs else '', '<= raw + 50 us', own - raw <= 50e-6)
    for what, limit in (('predict step', 1.1), ('train_on_batch', 1.1), ('call of batch 1', 1.5)):
        if 'raw ' + what in ours:
            raw, own = ours['raw ' + what], ours[what]
            table.add('%s, %s' % (what, work), engine, micro(own), micro(raw), '%.2f' % (own / raw),
                      micro(theirs[what]) if theirs and what in theirs else '', '<= %.1f raw' % limit,
                      own <= limit * raw)
    table.add('second fit to its first step, %s' % work, engine, micro(ours['second fit']),
              upstream=micro(theirs['second fit']) if theirs else '', target='<= 1 ms',
              reached=ours['second fit'] <= 1e-3)


def first(table, runner, options):
    for engine in options.engines:
        for work in options.works:
            found = runner.least('first_step.py', work, times=options.times, engine=engine,
                                 peers=('raw', 'ours', 'upstream'))
            if 'ours' not in found or 'raw' not in found:
                continue
            raw, own = found['raw']['first step'], found['ours']['first step']
            theirs = found.get('upstream')
            # What Theano compiles is the bulk there, and upstream the measure.
            target, limit = ('<= upstream', theirs['first step']) if engine == 'theano' and theirs else (
                '<= 1.3 raw', 1.3 * raw)
            table.add('time to first step, %s' % work, engine, micro(own), micro(raw), '%.2f' % (own / raw),
                      micro(theirs['first step']) if theirs else '', target, own <= limit)


def layout(table, runner, options):
    for engine in options.engines:
        if engine not in IMAGE_FORMATS_DIFFER:
            continue
        found = runner.least('layout.py', options.rounds, times=options.times, engine=engine,
                             peers=('ours', 'upstream'))
        for what in ('fit', 'evaluate'):
            if 'ours' not in found:
                continue
            last, first = (found['ours']['%s channels_%s' % (what, kind)] for kind in ('last', 'first'))
            theirs = found.get('upstream')
            other = ' / '.join(micro(theirs['%s channels_%s' % (what, kind)]) for kind in ('last', 'first')) \
                if theirs else ''
            table.add('channels last / first, %s' % what, engine, micro(last), micro(first), '%.2f' % (last / first),
                      other, '<= 1.10 channels first', last <= 1.1 * first)


def memory(table, runner, options):
    for engine in options.engines:
        found = runner.run('memory.py', options.calls, engine=engine) or {}
        for name, grown in found.items():
            table.add('growth over %d %s' % (options.calls, name), engine, '%.2f MB' % (grown / 1e6),
                      target='none (< 1 MB)', reached=grown < 1e6)


def overhead(table, runner, options):
    for engine in options.engines:
        ours = runner.run('overhead.py', engine=engine)
        theirs = runner.run('overhead.py', engine=engine, upstream=True) if runner.upstream(engine) else None
        if not ours:
            continue
        for name, (raw, own) in ours['operations'].items():
            other = theirs and theirs['operations'].get(name)
            table.add('ops.%s' % name, engine, micro(own), micro(raw), '%+.2f us' % ((own - raw) * MICRO),
                      '%+.2f us' % ((other[1] - other[0]) * MICRO) if other else '', 'about +1 us (< 1.5)',
                      own - raw < 1.5e-6)
        if 'dense' in ours:
            raw, own = ours['dense']
            other = theirs and theirs['dense']
            table.add('Dense on a tensor', engine, micro(own), micro(raw), '%.2f' % (own / raw),
                      '%.1f raw' % (other[1] / other[0]) if other else '', '<= 1.5 raw', own <= 1.5 * raw)
        for name, own in ours['layers'].items():
            table.add('abstract %s' % name, engine, micro(own),
                      upstream=micro(theirs['layers'][name]) if theirs else '', target='< 100 us', reached=own < 1e-4)


# How many seconds a layer may take: twice what constructors and configs took that were written out for every class.
CONSTRUCTION_LIMITS = {
    'making Dense': 138e-6, 'making Conv2D': 160e-6, 'making LSTM': 301e-6,
    'config of Dense': 13.8e-6, 'config of Conv2D': 18.9e-6, 'config of LSTM': 37.5e-6,
    'Dense from its config': 297e-6, 'Conv2D from its config': 299e-6, 'LSTM from its config': 597e-6}


def construction(table, runner, options):
    engine = options.engines[0]
    theirs = runner.run('construction.py', engine=engine, upstream=True) if runner.upstream(engine) else {}
    for name, own in (runner.run('construction.py') or {}).items():
        limit = CONSTRUCTION_LIMITS[name]
        table.add(name, '-', micro(own), upstream=micro(theirs[name]) if theirs else '',
                  target='< %s' % micro(limit), reached=own < limit)


# By how many seconds a call of K.function may take longer than the raw one.
CALL_LIMITS = {'tensorflow': 50e-6, 'jax': 50e-6, 'torch': 20e-6}


def graph(table, runner, options):
    for engine in [engine for engine in options.engines if engine in CALL_LIMITS]:
        found = runner.least('graph.py', options.rounds, times=options.times, engine=engine).get('ours')
        if not found:
            continue
        raw, own = found['raw style'], found['style']
        table.add('style-transfer step, 64x64', engine, micro(own), micro(raw), '%.2f' % (own / raw),
                  target='<= 1.10 raw', reached=own <= 1.1 * raw)
        raw, own, limit = found['raw call'], found['call'], CALL_LIMITS[engine]
        table.add('call of K.function', engine, micro(own), micro(raw), '%+.0f us' % ((own - raw) * MICRO),
                  target='<= raw + %.0f us' % (limit * MICRO), reached=own - raw <= limit)
        table.add('graph of 10,000 operations', engine, micro(found['graph']), target='< 500 ms',
                  reached=found['graph'] < 0.5)


def walks(table, runner, options):
    found = runner.run('walks.py')
    if not found:
        return
    own = found['non_trainable_variables of 600']
    table.add('non_trainable_variables, 600 layers', '-', micro(own), target='< 50 ms', reached=own < 0.05)
    # The slowest, and the one that grows most; what takes less than a millisecond is noise.
    slowest = max(found['walks'], key=lambda walk: found['walks'][walk][1])
    growth = {walk: many / few for walk, (few, many) in found['walks'].items() if many > 1e-3}
    steepest = max(growth, key=growth.get)
    table.add('slowest walk: %s' % slowest, '-', micro(found['walks'][slowest][1]), target='< 1 s, 2,000 layers',
              reached=found['walks'][slowest][1] < 1.0)
    table.add('steepest walk: %s' % steepest, '-', micro(found['walks'][steepest][1]),
              ratio='%.1f' % growth[steepest], target='< 8 for 4 x the layers', reached=growth[steepest] < 8)


def images(table, runner, options):
    found = runner.run('images.py', options.rounds)
    if not found:
        return
    theirs = found.get('upstream')
    table.add('32 pictures 224x224, changed', '-', micro(found['ours']), ratio='%.2f' % (found['ours'] / theirs)
              if theirs else '', upstream=micro(theirs) if theirs else '', target='<= 0.5 upstream, same',
              reached=found['ours'] <= 0.5 * theirs and found['difference'] < 1e-3 if theirs else None)


def augmentation(table, runner, options):
    for engine in [engine for engine in options.engines if runner.upstream(engine)]:
        found = runner.least('augmentation.py', options.rounds, times=options.times, engine=engine,
                             peers=('ours', 'upstream'))
        theirs = found.get('upstream', {})
        for name, own in found.get('ours', {}).items():
            if name in theirs:
                # One layer may cost a little more, what people make of them may not.
                whole = name == 'pipeline'
                table.add('augmentation: %s' % name, engine, micro(own), ratio='%.2f' % (own / theirs[name]),
                          upstream=micro(theirs[name]), target='<= upstream' if whole else '',
                          reached=own <= theirs[name] if whole else None)


def precision(table, runner, options):
    for engine in [engine for engine in options.engines if engine in ('jax', 'torch')]:
        found = runner.least('precision.py', options.rounds, times=options.times, engine=engine,
                             peers=('ours', 'upstream'))
        ours, theirs = found.get('ours'), found.get('upstream')
        if ours:
            raw, own = ours['raw'], ours['mixed_bfloat16']
            table.add('step in mixed_bfloat16', engine, micro(own), micro(raw), '%.2f' % (own / raw),
                      micro(theirs['mixed_bfloat16']) if theirs else '', '<= 1.05 raw', own <= 1.05 * raw)


def applications(table, runner, options):
    engine = options.engines[0]
    ours = runner.run('applications.py')
    theirs = runner.run('applications.py', engine=engine, upstream=True) if runner.upstream(engine) else {}
    for name, own in (ours or {}).items():
        other = (theirs or {}).get(name)
        table.add('build %s' % name, '-', micro(own), ratio='%.3f' % (own / other) if other else '',
                  upstream=micro(other) if other else '', target='<= 0.2 upstream',
                  reached=own <= 0.2 * other if other else None)


def resnet50(table, runner, options):
    for engine in [engine for engine in options.engines if engine in ('jax', 'torch')]:
        ours = runner.least('training.py', 'resnet50', options.rounds, times=options.times, engine=engine).get('ours')
        for what in ('fit', 'predict') if ours else ():
            raw, own = ours['raw ' + what], ours[what]
            table.add('ResNet50, batch 8, %s' % what, engine, micro(own), micro(raw), '%.3f' % (own / raw),
                      target='<= 1.02 raw', reached=own <= 1.02 * raw)


def attention(table, runner, options):
    names = {'gpt2': 'decoder block of GPT-2 small', 'vit': 'ViT-tiny, batch 8'}
    for engine in [engine for engine in options.engines if engine in ('jax', 'torch')]:
        for work, name in names.items():
            found = runner.least('attention.py', work, options.rounds, times=options.times, engine=engine,
                                 peers=('ours', 'upstream'))
            ours, theirs = found.get('ours'), found.get('upstream')
            for what in ('fit', 'predict') if ours else ():
                raw, own = ours['raw ' + what], ours[what]
                table.add('%s, %s' % (name, what), engine, micro(own), micro(raw), '%.3f' % (own / raw),
                          micro(theirs[what]) if theirs else '', '<= 1.02 raw', own <= 1.02 * raw)


def recurrent(table, runner, options):
    for engine in [engine for engine in options.engines if engine in ('jax', 'torch')]:
        for work in ('lstm', 'gru', 'bidirectional', 'stacked', 'masked'):
            found = runner.least('recurrent.py', work, options.rounds, times=options.times, engine=engine,
                                 peers=('ours', 'upstream'))
            ours, theirs = found.get('ours'), found.get('upstream')
            for what in ('fit', 'predict') if ours else ():
                raw, own = ours['raw ' + what], ours[what]
                table.add('%s of 128 units, %s' % (work, what), engine, micro(own), micro(raw), '%.3f' % (own / raw),
                          micro(theirs[what]) if theirs else '', '<= 1.05 raw', own <= 1.05 * raw)


def own_step(table, runner, options):
    for engine in [engine for engine in options.engines if engine in ('jax', 'torch', 'tensorflow')]:
        found = runner.least('own_step.py', options.rounds, times=options.times, engine=engine,
                             peers=('ours', 'upstream'))
        if 'ours' in found:
            own, theirs = found['ours'], found.get('upstream')
            for peer in ('built-in', 'raw'):
                table.add('train_step of its own, beside ' + peer, engine, micro(own['own']), micro(own[peer]),
                          '%.2f' % (own['own'] / own[peer]), micro(theirs['own']) if theirs else '',
                          '<= 1.05 ' + peer, own['own'] <= 1.05 * own[peer])


# How many times as long as h5py takes for the arrays alone a file may take, and how much memory beyond the weights.
FILE_LIMITS = {'write': 1.3, 'read': 1.2}
MEMORY_LIMITS = {'write': 0.3, 'read': 1.1}


def files(table, runner, options):
    found = runner.run('files.py', options.rounds)
    theirs = runner.upstream(options.engines[0]) and runner.run('files.py', options.rounds, engine=options.engines[0],
                                                                upstream=True)
    for name, own in (found or {}).items():
        what = name.partition(',')[0]
        if what in ('h5 write', 'h5 read', 'h5 first read'):
            raw, limit = found[name.replace('h5', 'raw', 1)], FILE_LIMITS[what.rpartition(' ')[2]]
            table.add(name, '-', micro(own), micro(raw), '%.2f' % (own / raw), micro(theirs[name]) if theirs else '',
                      '<= %.1f h5py' % limit, own <= limit * raw)
        elif what.startswith('keras'):
            table.add(name, '-', micro(own), upstream=micro(theirs[name]) if theirs else '', target='<= upstream',
                      reached=own <= theirs[name] if theirs else None)
        elif what == 'memory':
            limit = MEMORY_LIMITS[name.rpartition(' ')[2]]
            table.add(name, '-', '%.2f' % own, target='<= %.1f of the weights' % limit, reached=own <= limit)
    many = [(name, own) for name, own in (found or {}).items() if ' layers, ' in name and name[0].isdigit()]
    for (_, few), (name, own) in zip(many[:4], many[4:]):
        table.add(name, '-', micro(own), ratio='%.1f' % (own / few), target='< 6 for 4 x the layers',
                  reached=own < 6 * few)


def sizes(table, runner, options):
    backend = os.path.join(ROOT, 'keras', 'backend')
    for name, count in lines.of_folder(os.path.join(backend, 'engines')).items():
        if name != '__init__':
            table.add('lines of code', name, '%d' % count, target='< 1000', reached=count < 1000)
    composites = lines.of_folder(os.path.join(backend, 'table', 'composites'))
    table.add('lines of code, all engines share', 'composites', '%d' % sum(composites.values()))


def _by_engine(texts):
    """{engine: path} of texts like `theano=/path` and `/path`, the latter for all other engines ('')."""
    return dict(text.split('=', 1) if '=' in text else ('', text) for text in texts if text)


def main():
    parser = argparse.ArgumentParser(prog='python -m benchmarks', description='Measure keras beside its peers.')
    parser.add_argument('--engines', default='tensorflow,jax,torch', type=lambda text: text.split(','))
    parser.add_argument('--works', default=','.join(works.WORKS), type=lambda text: text.split(','))
    parser.add_argument('--only', default=','.join(TOPICS), type=lambda text: text.split(','),
                        help='topics, among ' + ', '.join(TOPICS))
    parser.add_argument('--python', action='append', default=[], metavar='ENGINE=PATH',
                        help='a Python to run an engine with that this one does not hold; may be given several times')
    parser.add_argument('--upstream', action='append', default=[], metavar='[ENGINE=]PATH',
                        help='a Python whose environment holds upstream Keras for that engine, or for all engines '
                             'that none is given for (also KERAS_BENCHMARK_UPSTREAM)')
    parser.add_argument('--clock', default='wall', choices=('wall', 'cpu'),
                        help="cpu: the processor's time of the process, with one thread for linear algebra, for "
                             'machines that others use as well')
    parser.add_argument('--rounds', default=7, type=int, help='turns within a process')
    parser.add_argument('--times', default=2, type=int, help='processes per measurement')
    parser.add_argument('--calls', default=10000, type=int, help='calls for the growth of memory')
    parser.add_argument('--markdown', help='file to write the table to')
    options = parser.parse_args()
    pythons = dict({'': sys.executable}, **_by_engine(options.python))
    upstreams = _by_engine([os.environ.get('KERAS_BENCHMARK_UPSTREAM')] + options.upstream)
    if not upstreams:
        print('No upstream Keras to compare with: give --upstream or KERAS_BENCHMARK_UPSTREAM.')
    table = Table()
    run = dict(zip(TOPICS, (startup, training, first, layout, memory, overhead, construction, graph,
                             walks, images, augmentation, applications, resnet50, attention, precision, files, sizes)))
    with tempfile.TemporaryDirectory() as home:
        for topic in options.only:
            run[topic](table, Runner(pythons, upstreams, home, options.clock), options)
    if options.markdown:
        with open(options.markdown, 'w') as file:
            file.write(table.markdown())
    print('%d of %d targets missed.' % (table.missed, sum(row[-1] != '' for row in table.rows)))


if __name__ == '__main__':
    main()
