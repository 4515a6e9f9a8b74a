"""Writes docs/generations.md, where the generations of Keras disagree, from the table in `keras/generations.py`.

    python docs/generations.py
"""
import os

from keras import config, generations

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'generations.md')

INTRODUCTION = """# The generations of Keras, told apart

Written by `python docs/generations.py` from the table in `keras/generations.py`; a test holds it against the table.

In ten years Keras has changed its mind about a few things. A script or a file means what the Keras that it was written
for made of it, so each of them gets that: there are four generations.

| generation | stands for |
| --- | --- |
| `1` | Keras 1 (1.2.2) |
| `2` | Keras 2 (2.3.1), the last that ran on several engines; the default |
| `'tf'` | `tf.keras` of TensorFlow 2 |
| `3` | Keras 3 |

**New code** follows one setting, 2 unless you say otherwise. Strongest first:

- `with keras.config.generation(3):` for a block, in this thread only;
- `keras.config.set_generation(3)` for the process from there on;
- the environment variable `KERAS_GENERATION`;
- `"generation": 3` in `keras.json`.

A process that uses `tf.keras` and nothing of `keras` before has 3 where none of these is given. The line on standard
error that says which engine runs says the generation, too; `keras.config.get_generation()` tells.

**What is made keeps its generation**: layers, losses, metrics and optimizers work as they did when they were made,
whatever is set later, and the steps of a compiled model as it was set when it was compiled. Functions such as
`keras.losses.hinge` follow the setting when they are called. `keras.backend` is Keras 2's and `keras.ops` Keras 3's,
always.

**A file decides for what it holds**, by the version of Keras that wrote it. Files that we write say it themselves, also
for models with parts of several generations.

**What you give explicitly is what you get.** Only defaults depend on the generation, and behaviour that has no
argument.

## What differs
"""


def cell(value):
    """A value of the table as a cell of a Markdown table."""
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return str(value) if isinstance(value, str) and ' ' in value else '`%s`' % (value,)


def render():
    """The page."""
    lines = ['| where | what | 1 | 2 | tf | 3 |', '| --- | --- | --- | --- | --- | --- |']
    for row in generations.ROWS.values():
        values = [cell(row.values[generation]) for generation in config.GENERATIONS]
        lines.append('| %s |' % ' | '.join(['`%s`' % row.where, row.sentence] + values))
    return INTRODUCTION + '\n' + '\n'.join(lines) + '\n'


if __name__ == '__main__':
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(render())
