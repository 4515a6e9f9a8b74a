"""Run the test suite once per engine, and sum up at the end.

    python tests/run_engines.py tensorflow jax -- tests/layers -k lstm

Every engine gets processes of its own, two at a time. An engine that cannot multiply matrices here (most often a
package or a system library is missing) is skipped, in a frame that nobody overlooks; where the environment variable CI
is set, that is a failure. Failures stop nothing: the exit code tells at the end.
"""
import os
import subprocess
import sys
import time

# Loads the engine, compiles where it compiles, and calls its BLAS.
PROBE = ('import numpy as np; from keras import backend as K; x = K.constant(np.ones((2, 3, 3))); '
         'assert K.eval(K.batch_dot(x, x)).sum() == 54')

OPTIONS = ['-q', '-n', '2', '--durations=5', '--durations-min=1', '--tb=short', '--disable-warnings']


def is_usable(engine):
    """Whether `engine` runs here; why not is printed."""
    done = subprocess.run([sys.executable, '-c', PROBE], env=dict(os.environ, KERAS_BACKEND=engine),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        print('\n'.join(['=' * 100, 'SKIPPED: THE ENGINE %s DOES NOT RUN HERE (exit code %d):'
                         % (engine.upper(), done.returncode), done.stdout.strip()[-2000:], '=' * 100]), flush=True)
    return done.returncode == 0


def run(engine, arguments):
    """'passed', 'FAILED' or 'SKIPPED'."""
    if not is_usable(engine):
        return 'SKIPPED'
    print('--- %s, Python %d.%d ---' % ((engine,) + sys.version_info[:2]), flush=True)
    code = subprocess.call([sys.executable, '-m', 'pytest'] + OPTIONS + arguments,
                           env=dict(os.environ, KERAS_BACKEND=engine))
    return 'FAILED' if code else 'passed'


def main(arguments):
    split = arguments.index('--') if '--' in arguments else len(arguments)
    results = []
    for engine in arguments[:split]:
        start = time.time()
        results.append((engine, run(engine, arguments[split + 1:] or ['tests']), time.time() - start))
    print('\n'.join('%-12s %-8s %5.0f s' % result for result in results), flush=True)
    accepted = ('passed',) if os.environ.get('CI') else ('passed', 'SKIPPED')
    return int(not all(outcome in accepted for _, outcome, _ in results))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
