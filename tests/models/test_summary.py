"""`Model.summary`: the table fits, and says what there is."""
import io
import sys

import pytest

from keras import Input, Model, Sequential, layers

pytestmark = pytest.mark.on('numpy')


def lines_of(model, **arguments):
    lines = []
    model.summary(print_fn=lines.append, **arguments)
    return lines


def small():
    model = Sequential([layers.Dense(4, input_shape=(3,), name='first'), layers.BatchNormalization(name='norm'),
                        layers.Dense(2, name='last')])
    model.layers[0].trainable = False
    return model


def test_totals_and_bytes():
    # first 3 * 4 + 4, norm 4 * 4 (half of it moving statistics), last 4 * 2 + 2
    assert lines_of(small())[-4:-1] == ['Total params: 42 (168.00 B)', 'Trainable params: 18 (72.00 B)',
                                        'Non-trainable params: 24 (96.00 B)']
    large = Sequential([layers.Dense(1024, use_bias=False, input_shape=(1024,))])
    assert 'Total params: 1,048,576 (4.00 MB)' in lines_of(large)
    assert 'Total params: 8 (16.00 B)' in lines_of(Sequential([layers.Dense(2, input_shape=(3,), dtype='float16')]))


def test_trainable_column():
    lines = lines_of(small(), show_trainable=True)
    assert lines[2].split()[-1] == 'Trainable'
    assert [line.split()[-1] for line in lines if line.startswith(('first', 'norm', 'last'))] == ['N', 'Y', 'Y']


def test_range_of_layers():
    model = small()
    assert [line.split()[0] for line in lines_of(model, layer_range=['norm', 'la.*']) if '(Dense)' in line
            or '(Batch' in line] == ['norm', 'last']
    for bounds in (['norm'], ['norm', 'first'], ['nothing', 'last']):
        with pytest.raises(ValueError, match='layer_range'):
            lines_of(model, layer_range=bounds)


def test_inner_models():
    inner = Sequential([layers.Dense(4, input_shape=(3,), name='deep')], name='inner')
    x = Input((3,))
    model = Model(x, layers.Add(name='sum')([inner(x), layers.Dense(4, name='beside')(x)]))
    assert not any('deep' in line for line in lines_of(model))
    lines = lines_of(model, expand_nested=True)
    place = next(number for number, line in enumerate(lines) if line.startswith('inner (Sequential)'))
    assert lines[place + 1].startswith('| deep (Dense)') and '16' in lines[place + 1]
    assert sum('inner[0][0]' in line or 'beside[0][0]' in line for line in lines) == 2


@pytest.mark.parametrize('columns', [50, 200])
def test_table_fits_the_terminal_and_loses_nothing(columns, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True
    name = 'a_layer_with_a_name_that_is_longer_than_its_column'
    model = Sequential([layers.Dense(1, input_shape=(3,), name=name)])
    monkeypatch.setenv('COLUMNS', str(columns))
    monkeypatch.setattr(sys, 'stdout', Terminal())
    model.summary()
    text = sys.stdout.getvalue()
    monkeypatch.undo()
    assert max(map(len, text.splitlines())) == min(columns, 65)
    stop = int(min(columns, 65) * .45) - 1
    shown = [line[:stop].rstrip() for line in text.splitlines()[4:]]
    assert ''.join(shown[:shown.index('=' * stop)]) == name + ' (Dense)'


def test_width_and_positions():
    lines = lines_of(small(), line_length=40, positions=[.5, .8, 1.])
    assert {len(line) for line in lines if line[0] in '_='} == {40}
    assert lines[2].index('Output') == 20 and lines[2].index('Param') == 32
    with pytest.raises(ValueError, match='positions'):
        lines_of(small(), positions=[.5, 1.])
