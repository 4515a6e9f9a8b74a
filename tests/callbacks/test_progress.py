"""The progress bar: what it shows, and that it leaves the logs alone between two redraws."""
import io
import re
import sys
import types

import pytest

from keras.callbacks import CallbackList, ProgbarLogger, progress, saying, screens
from keras.callbacks.progress import Progbar


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def lines(self):
        """What stands on each line when all carriage returns are done."""
        return [line.split('\r')[-1].rstrip() for line in self.getvalue().split('\n')]

    def widest(self):
        """The longest of what was drawn on one line."""
        return max(map(len, re.split('[\\r\\n]', self.getvalue())))

    def draws(self):
        return self.getvalue().count('\r')


@pytest.fixture
def terminal(monkeypatch):
    # pytest puts its own sys.stdout in place when the test starts, so the module gets a `sys` of its own.
    stream = Terminal()
    stand_in = types.SimpleNamespace(stdout=stream, modules={})
    monkeypatch.setattr(saying, 'sys', stand_in)
    monkeypatch.setattr(screens, 'sys', stand_in)
    monkeypatch.setenv('COLUMNS', '120')
    return stream


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, 'time', clock)
    return clock


def test_bar_in_the_middle(terminal, clock):
    bar = Progbar(100)
    clock.now += 32
    bar.update(32, [('loss', 0.1)])
    assert terminal.lines() == [' 32/100 [========>.....................] - ETA: 1:08 - loss: 0.1000']


def test_bar_at_the_end(terminal, clock):
    bar = Progbar(100)
    clock.now += 0.3
    bar.update(100, [('loss', 0.00001), ('acc', 1.0)])
    assert terminal.lines() == [
        '100/100 [==============================] - 0s 3ms/step - loss: 1.0000e-05 - acc: 1.0000', '']


def test_bar_of_unknown_length(terminal, clock):
    bar = Progbar(None)
    clock.now += 4
    bar.update(2)
    assert terminal.lines() == ['      2/Unknown - 4s 2s/step']


def test_values_are_averaged_unless_stateful(terminal, clock):
    bar = Progbar(4, stateful_metrics=['acc'])
    bar.update(1, [('loss', 1.0), ('acc', 0.25)])
    bar.update(4, [('loss', 3.0), ('acc', 0.5)])
    assert terminal.lines()[0].endswith('loss: 2.5000 - acc: 0.5000')


def test_bar_redraws_at_most_every_interval(terminal, clock):
    bar = Progbar(1000, interval=0.05)
    for _ in range(100):
        clock.now += 0.01
        bar.add(1)
    assert 17 <= terminal.draws() <= 21


def test_shorter_text_leaves_nothing_behind(terminal, clock):
    bar = Progbar(10)
    bar.update(1, [('loss', 12345.678)])
    clock.now += 1
    bar.update(2, [('loss', -12345.0)])
    first, second = terminal.getvalue().split('\r')[1:]
    assert len(second) >= len(first)


def test_verbose_2_is_one_line(terminal, clock):
    bar = Progbar(2, verbose=2)
    bar.update(1, [('loss', 1.0)])
    assert terminal.getvalue() == ''
    clock.now += 3
    bar.update(2, [('loss', 2.0)])
    assert terminal.getvalue() == '2/2 - 3s - 2s/step - loss: 1.5000\n'


def test_no_terminal_no_control_characters(capsys, clock):
    bar = Progbar(3)
    for step in range(3):
        clock.now += 1
        bar.update(step + 1)
    assert re.match(r'^3/3 \[=+\] - 3s 1s/step\n$', capsys.readouterr().out)


# --- the callback -----------------------------------------------------------------------------------------------

class CountedLogs(dict):
    reads = 0

    def items(self):
        CountedLogs.reads += 1
        return super().items()


def fit_with_bar(clock, steps=1000, count_mode='steps', **params):
    CountedLogs.reads = 0
    calls = CallbackList([ProgbarLogger(count_mode)])
    calls.set_params(dict(dict(epochs=1, verbose=1, steps=steps, batch_size=32, samples=32 * steps), **params))
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    for step in range(steps):
        clock.now += 0.00105
        calls.on_train_batch_end(step, CountedLogs(loss=1.0))
    calls.on_test_begin()
    calls.on_test_batch_end(0, CountedLogs(loss=9.0))
    calls.on_test_end({'loss': 9.0})
    calls.on_epoch_end(0, {'loss': 1.0, 'val_loss': 2.0})
    calls.on_train_end()


def test_logs_are_read_once_per_redraw(terminal, clock):
    fit_with_bar(clock)
    assert 18 <= CountedLogs.reads <= 22
    assert terminal.lines() == ['Epoch 1/1', '1000/1000 [==============================] - 1s 1ms/step '
                                '- loss: 1.0000 - val_loss: 2.0000', '']


def test_samples_are_counted_where_that_is_asked_for(terminal, clock):
    fit_with_bar(clock, count_mode='samples')
    assert terminal.lines()[1].startswith('32000/32000 [==============================] - 1s 33us/sample - loss')


def test_logs_are_not_read_without_a_terminal(capsys, clock):
    fit_with_bar(clock)
    assert CountedLogs.reads == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_steps_are_counted_where_samples_are_unknown(terminal, clock):
    fit_with_bar(clock, steps=4, samples=None, count_mode='samples')
    assert terminal.lines()[1].startswith('4/4 [====')


def test_evaluate_and_predict(terminal, clock):
    calls = CallbackList([ProgbarLogger(count_mode='steps')])
    calls.set_params({'steps': 2, 'verbose': 1})
    calls.on_test_begin()
    calls.on_test_batch_end(0, {'loss': 2.0})
    calls.on_test_batch_end(1, {'loss': 2.0})
    calls.on_test_end({'loss': 2.0})
    calls.on_predict_begin()
    calls.on_predict_batch_end(0, {'outputs': object()})
    calls.on_predict_batch_end(1, {'outputs': object()})
    calls.on_predict_end()
    assert [re.sub(r' - \ds \d+\w*/step', '', line) for line in terminal.lines()] == [
        '2/2 [==============================] - loss: 2.0000', '2/2 [==============================]', '']


def test_verbose_0_prints_nothing(terminal, clock):
    fit_with_bar(clock, verbose=0)
    assert terminal.getvalue() == ''


def test_count_mode_is_checked():
    with pytest.raises(ValueError, match='count_mode must be "samples" or "steps". Received: \'batches\''):
        ProgbarLogger(count_mode='batches')


# --- where it is shown ------------------------------------------------------------------------------------------

def test_bar_keeps_to_one_line_of_a_narrow_terminal(terminal, clock, monkeypatch):
    monkeypatch.setenv('COLUMNS', '80')
    bar = Progbar(1000, stateful_metrics=['loss', 'accuracy', 'top_5_accuracy'])
    values = [('loss', 0.25), ('accuracy', 0.5), ('top_5_accuracy', 0.75)]
    for step in range(1, 1000):
        clock.now += 0.1
        bar.update(step, values)
    assert terminal.widest() < 80 and terminal.getvalue().count('\n') == 0
    drawn = terminal.getvalue().split('\r')[-1]
    assert '[' not in drawn and all('%s: %.4f' % pair in drawn for pair in values)
    monkeypatch.setenv('COLUMNS', '40')
    bar.update(999, values)
    clock.now += 1
    bar.update(999, values)
    assert terminal.getvalue().split('\r')[-1].rstrip() == ' 999/1000 - ETA: 0s - loss: 0.2500 ...'
    # What stays is whole.
    bar.update(1000, values)
    assert terminal.getvalue().split('\r')[-1].rstrip().endswith('top_5_accuracy: 0.7500')


def test_validation_is_shown_behind_the_bar(terminal, clock):
    calls = CallbackList([ProgbarLogger('steps')])
    calls.set_params({'epochs': 1, 'verbose': 1, 'steps': 1, 'validation_steps': 4})
    calls.on_train_begin()
    calls.on_epoch_begin(0)
    calls.on_train_batch_end(0, {'loss': 1.0})
    calls.on_test_begin()
    for step in range(2):
        clock.now += 1
        calls.on_test_batch_end(step, {'loss': 9.0})
    assert terminal.lines()[-1].endswith('loss: 1.0000 - validation 2/4 - ETA: 2s')
    calls.on_test_end({'loss': 9.0})
    calls.on_epoch_end(0, {'loss': 1.0, 'val_loss': 9.0})
    assert terminal.lines()[1:] == ['1/1 [==============================] - 2s 2s/step - loss: 1.0000 '
                                    '- val_loss: 9.0000', '']


def test_notebook_shows_html_in_one_output(terminal, clock, monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown[-1] = data

    def display(data, raw, display_id):
        shown.append(data)
        return Handle()
    module = types.ModuleType('IPython.display')
    module.display = display
    monkeypatch.setitem(sys.modules, 'IPython', types.ModuleType('IPython'))
    monkeypatch.setitem(sys.modules, 'IPython.display', module)
    monkeypatch.setattr(screens, 'sys', types.SimpleNamespace(stdout=terminal, modules={'ipykernel': 1, 'IPython': 1}))
    calls = CallbackList([ProgbarLogger('steps')])
    calls.set_params({'epochs': 2, 'verbose': 1, 'steps': 4})
    calls.on_train_begin()
    for epoch in range(2):
        calls.on_epoch_begin(epoch)
        for step in range(2):
            clock.now += 1
            calls.on_train_batch_end(step, {'<loss>': 1.0})
    assert len(shown) == 2 and terminal.getvalue() == ''
    assert 'Epoch 2/2' in shown[1]['text/html'] and '<progress value="0.5000"' in shown[1]['text/html']
    assert '&lt;loss&gt;: 1.0000' in shown[1]['text/html'] and shown[1]['text/plain'].startswith('2/4 [====')


def test_names_of_what_is_averaged(terminal, clock):
    bar = Progbar(4, stateless_metrics=['loss'])
    bar.update(1, [('loss', 1.0), ('acc', 0.25)])
    bar.update(4, [('loss', 3.0), ('acc', 0.5)])
    assert terminal.lines()[0].endswith('loss: 2.5000 - acc: 0.5000')
    with pytest.raises(ValueError, match='Only one of'):
        Progbar(4, stateful_metrics=['a'], stateless_metrics=['b'])


def test_means_of_arrays_and_every_redraw_where_that_is_asked_for(capsys):
    bar = Progbar(3, interval=0.0)
    bar.update(1, [('value', [0.0, 1.0, 2.0])])
    bar.update(2, [('value', 2.0)])
    assert 'value: 1.5' in capsys.readouterr().out.splitlines()[-1]
