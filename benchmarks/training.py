"""Steady steps of one work on one engine: fit, evaluate and predict beside the raw loop, in one process.

Run as a script: `KERAS_BACKEND=jax python training.py WORK ROUNDS`, with our keras or upstream's on the path.
Prints seconds as JSON.
"""
import json
import os
import sys

import timing
import works


def second_fit_start(keras, model, x, y, batch):
    """Seconds from calling `fit` once more to the beginning of its first batch."""
    begun = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            begun.append(timing.now())

    least = float('inf')
    for _ in range(7):
        del begun[:]
        start = timing.now()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0, callbacks=[Watch()])
        least = min(least, begun[0] - start)
    return least


def main(work, rounds):
    engine = os.environ['KERAS_BACKEND']
    raw = works.raw_peer(engine, work)
    import keras
    x, y = works.data(work)
    batch, steps = works.BATCH[work], works.STEPS[work]
    model = works.model(work)
    result = {}
    result['raw fit'], result['fit'] = timing.alternate([
        lambda: raw.fit(x, y, batch),
        lambda: model.fit(x, y, batch_size=batch, epochs=1, verbose=0)], rounds)
    result['raw evaluate'], result['evaluate'] = timing.alternate([
        lambda: raw.evaluate(x, y, batch),
        lambda: model.evaluate(x, y, batch_size=batch, verbose=0)], rounds)
    result = {name: seconds / steps for name, seconds in result.items()}
    result['second fit'] = second_fit_start(keras, model, x[:batch * 4], y[:batch * 4], batch)
    if work == 'mlp':
        result['raw predict'], result['predict'] = timing.alternate([
            lambda: raw.predict(x[:1]), lambda: model.predict(x[:1], verbose=0)], rounds, 20)
    print(json.dumps(result))


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
