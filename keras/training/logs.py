"""Logs that are fetched from the device only when they are read."""
from keras.backend.state import to_array


class RunningLogs(dict):
    """The averages over the batches so far, and `batch` and `size` of the last one.

    A training loop sets `totals` (a native vector, see `Tally`), `samples` and `size` after each step; the first
    read after that fetches the numbers.
    """

    def __init__(self, tally):
        super().__init__()
        self.tally = tally
        self.totals = None
        self.samples = 0
        self.batch = self.size = 0
        self._fetched = None

    def _fill(self):
        if self._fetched is not self.totals:
            self._fetched = self.totals
            dict.clear(self)
            dict.update(self, self.tally.logs(to_array(self.totals), self.samples))
            # A batch may change no metric but its number: `batch` and `size` always follow.
        dict.__setitem__(self, 'batch', self.batch)
        dict.__setitem__(self, 'size', self.size)
        return self

    def metrics(self):
        """A plain dictionary {name: float} without `batch` and `size`."""
        return {name: value for name, value in self.items() if name not in ('batch', 'size')}

    def __bool__(self):
        return True


def _reading(name):
    plain = getattr(dict, name)

    def read(self, *args):
        return plain(self._fill(), *args)
    read.__name__ = name
    return read


for _name in ('__getitem__', '__iter__', '__len__', '__contains__', '__repr__', 'get', 'items', 'keys', 'values',
              'copy', '__eq__'):
    setattr(RunningLogs, _name, _reading(_name))
