"""Steady steps of one work on one engine: fit, evaluate and predict beside the raw loop, in one process.

Run as a script: `KERAS_BACKEND=jax python training.py WORK ROUNDS`, with our keras or upstream's on the path.
Prints seconds as JSON.
"""
import json
import os
import sys

import numpy as np

import timing
import works


def second_fit_start(keras, model, x, y, batch):
    """Seconds from calling `fit` once more to the beginning of its first batch."""
    begun = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            begun.append(timing.now())

        on_batch_begin = on_train_batch_begin  # its name in Keras 2.2

    least = float('inf')
    for _ in range(7):
        del begun[:]
        start = timing.now()
        model.fit(x, y, batch_size=batch, epochs=1, verbose=0, callbacks=[Watch()])
        least = min(least, begun[0] - start)
    return least


def single_batches(model, raw, x, y, batch, rounds):
    """Seconds of a step of `predict`, of `train_on_batch`, and of a call of the model on a tensor with one sample,
    each beside the raw code's where that has any."""
    pairs = {'predict step': (lambda: model.predict(x, batch_size=batch, verbose=0), lambda: np.concatenate(
        [raw.predict(x[start:start + batch]) for start in range(0, len(x), batch)]), 1, len(x) // batch),
        'train_on_batch': (lambda: model.train_on_batch(x[:batch], y[:batch]),
                           lambda: raw.fit(x[:batch], y[:batch], batch), 100, 1)}
    ops = getattr(sys.modules['keras'], 'ops', None)  # which Keras 2 has not
    if ops is not None and (raw is None or hasattr(raw, 'call')):
        sample = ops.convert_to_tensor(x[:1])
        pairs['call of batch 1'] = lambda: model(sample), lambda: raw.call(sample), 100, 1
    result = {}
    for what, (own, peer, repeat, steps) in pairs.items():
        times = timing.alternate([own] if raw is None else [own, peer], rounds, repeat)
        result.update(zip((what, 'raw ' + what), [seconds / steps for seconds in times]))
    return result


def main(work, rounds):
    engine = os.environ['KERAS_BACKEND']
    raw = works.raw_peer(engine, work)
    peers = [('raw ', raw)] + [('%s ' % name, make(work)) for name, make in works.raw_alternatives(engine).items()]
    if works.keras_is_upstream():
        peers = []
    import keras
    x, y = works.data(work)
    batch, steps = works.BATCH[work], works.STEPS[work]
    model = works.model(work)
    result = {}
    for what in ('fit', 'evaluate'):
        options = {'batch_size': batch, 'verbose': 0}
        if what == 'fit':
            options['epochs'] = 1
        times = timing.alternate(
            [lambda: getattr(model, what)(x, y, **options)] +
            [lambda peer=peer: getattr(peer, what)(x, y, batch) for _, peer in peers], rounds)
        result.update(zip([what] + [name + what for name, _ in peers], [seconds / steps for seconds in times]))
    if work != 'resnet50':
        result['second fit'] = second_fit_start(keras, model, x[:batch * 4], y[:batch * 4], batch)
    if work in ('mlp', 'resnet50'):
        count, repeat = (1, 20) if work == 'mlp' else (batch, 1)
        times = timing.alternate([lambda: model.predict(x[:count], verbose=0)] + [
            lambda: peer.predict(x[:count]) for _, peer in peers[:1]], rounds, repeat)
        result.update(zip(('predict', 'raw predict'), times))
    if work == 'mlp':
        result.update(single_batches(model, raw if peers else None, x, y, batch, rounds))
    print(json.dumps(result))


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
