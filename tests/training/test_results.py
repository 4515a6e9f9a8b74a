import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from keras.training.turns import Turns
from keras.training.results import Averages

pytestmark = pytest.mark.on('numpy')


class CountingStep:
    """A step that adds one to the totals, slowly enough to be met in the middle."""

    def __init__(self):
        self.tally = SimpleNamespace(zeros=np.zeros(1), names=['loss'], added=[], reset=lambda: None,
                                     keep=lambda *_: None, logs=lambda totals, samples: {'loss': float(totals[0])})

    def run(self, totals, xs, ys, weights):
        time.sleep(0.001)
        return totals + 1


@pytest.mark.filterwarnings('error::pytest.PytestUnhandledThreadExceptionWarning')
def test_metrics_read_by_another_thread_during_a_step_count_every_batch_once():
    program = SimpleNamespace(turns=Turns(None), mean_losses=lambda: [])
    results, ends = Averages(program, False, False), threading.Event()
    results.use(CountingStep())
    batch = SimpleNamespace(xs=[], ys=[], weights=[], size=1)

    def read():
        while not ends.is_set():
            results.keep()
            results.metrics()
    reader = threading.Thread(target=read)
    results.take(0, batch)
    reader.start()
    for number in range(1, 100):
        results.take(number, batch)
    ends.set()
    reader.join()
    assert results.metrics() == {'loss': 100.0}
