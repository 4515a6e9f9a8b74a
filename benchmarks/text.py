"""`TextVectorization` of 100,000 lines of 5 to 40 words, ours or upstream's.

Run as a script: `KERAS_BACKEND=jax python text.py [ROUNDS]`, with our keras or upstream's on the path. The lines are
a list, an array of objects and one of `str`; `adapt` takes the array of objects. Prints seconds as JSON.
"""
import json
import sys

import numpy as np
import timing

LINES, WORDS, TOKENS = 100000, 30000, 10000


def lines():
    """Sentences with signs and capitals, of words that come as often as those of texts (by Zipf's law)."""
    generator = np.random.RandomState(0)
    letters = np.array(list('abcdefghijklmnopqrstuvwxyz'))
    words = np.array([''.join(generator.choice(letters, size)) for size in generator.randint(2, 11, WORDS)])
    lengths = generator.randint(5, 41, LINES)
    drawn = words[np.minimum((WORDS * generator.rand(lengths.sum())).astype(int), WORDS - 1)]
    return [' '.join(row).capitalize() + '.' for row in np.split(drawn, np.cumsum(lengths)[:-1])]


def main(rounds):
    import keras
    texts = lines()
    array = np.array(texts, object)

    def layer(**options):
        made = keras.layers.TextVectorization(max_tokens=TOKENS, **options)
        made.adapt(array[:20000])
        return made
    whole, rows = layer(output_sequence_length=30), layer(output_mode='multi_hot')

    def applied(made, data):
        return lambda: keras.ops.convert_to_numpy(made(data))
    work = {'list': applied(whole, texts), 'objects': applied(whole, array), 'str': applied(whole, array.astype(str)),
            'adapt': lambda: keras.layers.TextVectorization(max_tokens=TOKENS).adapt(array),
            'multi_hot of 2,000': applied(rows, array[:2000])}
    print(json.dumps(dict(zip(work, timing.alternate(list(work.values()), rounds)))))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
