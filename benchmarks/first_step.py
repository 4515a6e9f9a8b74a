"""The time from nothing but an imported engine to the end of the first training step, in a process of its own.

Run as a script: `KERAS_BACKEND=jax python first_step.py WORK raw|keras`. Prints seconds as JSON.
"""
import gc
import json
import os
import resource
import sys

import timing
import works


def now():
    """What has passed so far; by the processor's time that of compilers which the engine has run counts as well."""
    if timing.by_processor:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return timing.now() + children.ru_utime + children.ru_stime
    return timing.now()


def main(work, which):
    engine = os.environ['KERAS_BACKEND']
    x, y = works.data(work, 1)
    # Both processes have imported and started the engine before the clock starts.
    peer_module = __import__('raw_' + engine)
    peer_module.Peer('mlp' if work != 'mlp' else 'lstm')
    if which == 'keras':
        works.keras_is_upstream()
        import keras
        keras.backend.backend()
        # What a first model loads is a row of its own; upstream loads it with `import keras`.
        keras.Sequential, keras.layers.Dense, keras.optimizers.Adam, keras.losses.Loss
    gc.collect()  # what loading left is not of the first step; Python comes upon it in one of the two by chance
    start = now()
    if which == 'raw':
        peer_module.Peer(work).fit(x, y, len(x))
    else:
        works.model(work).fit(x, y, batch_size=len(x), epochs=1, verbose=0)
    print(json.dumps({'first step': now() - start}))


if __name__ == '__main__':
    main(*sys.argv[1:])
