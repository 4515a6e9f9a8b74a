"""The progress bar: what it shows, and that it leaves the logs alone between two redraws."""
import io
import re
import types

import pytest

from keras.callbacks import CallbackList, ProgbarLogger, progress
from keras.callbacks.progress import Progbar


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def lines(self):
        """What stands on each line when all carriage returns are done."""
        return [line.split('\r')[-1].rstrip() for line in self.getvalue().split('\n')]

    def draws(self):
        return self.getvalue().count('\r')


@pytest.fixture
def terminal(monkeypatch):
    # pytest puts its own sys.stdout in place when the test starts, so the module gets a `sys` of its own.
    stream = Terminal()
    monkeypatch.setattr(progress, 'sys', types.SimpleNamespace(stdout=stream, modules={}))
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
    assert terminal.getvalue() == '2/2 - 3s 2s/step - loss: 1.5000\n'


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


def fit_with_bar(clock, steps=1000, **params):
    CountedLogs.reads = 0
    calls = CallbackList([ProgbarLogger()])
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
    assert terminal.lines() == ['Epoch 1/1', '32000/32000 [==============================] - 1s 33us/step '
                                '- loss: 1.0000 - val_loss: 2.0000', '']


def test_logs_are_not_read_without_a_terminal(capsys, clock):
    fit_with_bar(clock)
    assert CountedLogs.reads == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_steps_are_counted_where_samples_are_unknown(terminal, clock):
    fit_with_bar(clock, steps=4, samples=None)
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
