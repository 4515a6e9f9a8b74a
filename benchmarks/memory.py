"""Growth of the process over many calls of `predict` and `train_on_batch`. Prints bytes as JSON."""
import gc
import json
import sys

import works


def resident_bytes():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * 4096


def growth(function, calls):
    """Bytes that the process grew by over `calls` calls, after a tenth as many to warm up."""
    for _ in range(calls // 10):
        function()
    gc.collect()
    before = resident_bytes()
    for _ in range(calls):
        function()
    gc.collect()
    return resident_bytes() - before


def main(calls):
    x, y = works.data('mlp', 1)
    model = works.model('mlp')
    print(json.dumps({'predict': growth(lambda: model.predict(x[:1], verbose=0), calls),
                      'train_on_batch': growth(lambda: model.train_on_batch(x, y), calls)}))


if __name__ == '__main__':
    main(int(sys.argv[1]))
