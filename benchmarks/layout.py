"""Training steps of the conv work with channels last and with channels first, in turns in one process.

Run as a script: `KERAS_BACKEND=mxnet python layout.py ROUNDS`, with our keras or upstream's on the path.
Prints seconds per step as JSON.
"""
import json
import os
import sys

import timing
import works


def main(rounds):
    # The raw code comes first: it sets the options that its engine reads when it is imported.
    works.raw_peer(os.environ['KERAS_BACKEND'], 'mlp')
    works.keras_is_upstream()
    result, functions = {}, {}
    batch, steps = works.BATCH['conv'], works.STEPS['conv']
    for data_format in ('channels_last', 'channels_first'):
        model = works.model('conv', data_format)
        x, y = works.data('conv', data_format=data_format)
        for what in ('fit', 'evaluate'):
            functions['%s %s' % (what, data_format)] = lambda run=getattr(model, what), x=x, y=y: run(
                x, y, batch_size=batch, verbose=0)
    times = timing.alternate(list(functions.values()), rounds)
    result.update(zip(functions, [seconds / steps for seconds in times]))
    print(json.dumps(result))


if __name__ == '__main__':
    main(int(sys.argv[1]))
