"""Callbacks that write files or send logs away."""
import contextlib
import csv
import io
import json
import os
import warnings

import numpy as np

from keras import generations
from keras.backend.contract.loading import is_native
from keras.backend.state.variables import to_array
from keras.callbacks.base import Callback
from keras.callbacks.control import Monitor, ValueMissing
from keras.callbacks.saying import say_of_epoch
from keras.saving.writing import explained_error


class ModelCheckpoint(Callback):
    """Save the model after every epoch, or after every so many batches.

    Args:
        filepath: where to; may hold `{epoch:02d}` (counted from 1), with `save_freq` of batches `{batch}`, and names
            from the logs, such as `{val_loss:.2f}`. What it ends in says the format, as for `save` and `save_weights`.
        monitor: the value that says what best is. verbose: 1 says what is saved. save_best_only: only overwrite when
            `monitor` got better. save_weights_only: `save_weights` instead of `save`. mode: 'min', 'max', or 'auto' by
            the name. period: epochs between two saves. save_freq: 'epoch', or a number of batches.
        initial_value_threshold: the value that has to be bettered first.

    A file appears under its name only when it is complete.

    Raises:
        ValueError: for another `save_freq`. KeyError: if `filepath` holds a name that is not in the logs.

    Example:
        >>> save = keras.callbacks.ModelCheckpoint('best.h5', save_best_only=True)
    """

    def __init__(self, filepath, monitor='val_loss', verbose=0, save_best_only=False, save_weights_only=False,
                 mode='auto', period=1, save_freq='epoch', initial_value_threshold=None):
        super().__init__()
        if isinstance(period, str):
            # Keras 3 has save_freq in this place.
            period, save_freq = 1, period
        if save_freq != 'epoch' and (not isinstance(save_freq, int) or save_freq < 1):
            raise ValueError('ModelCheckpoint: Unrecognized save_freq: save_freq must be "epoch" or a number of '
                             'batches. Received: %r' % (save_freq,))
        self.filepath = os.fspath(filepath)
        self.monitor = monitor
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.save_freq = save_freq
        self.epochs_since_last_save = 0
        self._monitor = Monitor(self, monitor, mode)
        self.monitor_op = self._monitor.op
        self.best = self._monitor.none_yet if initial_value_threshold is None else initial_value_threshold
        self._epoch, self._batches = 0, 0
        self._first_batch = generations.value('ModelCheckpoint.first_batch')
        self._needs_monitor = generations.value('ModelCheckpoint.needs_monitor')
        if save_freq == 'epoch':
            self.idle_hooks = (ModelCheckpoint.on_batch_end,)

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_batch_end(self, batch, logs=None):
        if self.save_freq == 'epoch':
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save_if_wanted(self._epoch, dict((logs or {}).items(), batch=batch + self._first_batch))

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq != 'epoch':
            return
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._save_if_wanted(epoch, dict(logs or {}))

    def _path(self, epoch, logs):
        try:
            return self.filepath.format(**dict(logs, epoch=epoch + 1))
        except KeyError as error:
            raise KeyError('ModelCheckpoint: the file path %r asks for %s, which is not in the logs. Available are: %s.'
                           % (self.filepath, error, ', '.join(sorted(logs))))

    def _save_if_wanted(self, epoch, logs):
        path, current = self._path(epoch, logs), None
        if self.save_best_only:
            self._monitor.settle(self)
            current = self._monitor.read(logs)
        if current is None:
            if self.save_best_only and self._needs_monitor:
                return
            self._say(epoch, 'saving model to %s' % path)
        elif not self._monitor.is_better(current, self.best):
            self._say(epoch, '%s did not improve from %0.5f' % (self.monitor, self.best))
            return
        else:
            self._say(epoch, '%s improved from %s to %0.5f, saving model to %s'
                      % (self.monitor, 'None' if self.best is None else '%0.5f' % self.best, current, path))
            self.best = current
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if generations.value('plain_numbers_of_epochs'):
            self._say(epoch, 'finished saving model to %s' % path)

    def _say(self, epoch, message):
        if self.verbose:
            say_of_epoch(epoch, message)


class CSVLogger(Callback):
    """Write the logs of every epoch as a line of a CSV file.

    Args:
        filename: the file. separator: between the fields. append: go on with an existing file instead of replacing it.

    Raises:
        OSError: in `fit`, where a line cannot be written; the file then ends with the line before.

    Example:
        >>> log = keras.callbacks.CSVLogger('training.csv')
    """

    def __init__(self, filename, separator=',', append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self._file = self._lines = self._writer = None
        self._always_has_validation = generations.value('CSVLogger.always_has_validation')

    def on_train_begin(self, logs=None):
        append = self.append or self.params.get('resumed', False)
        self._header_wanted = not (append and os.path.exists(self.filename) and os.path.getsize(self.filename))
        # Without a buffer, in which a line that the disk has no room for would wait for the next attempt.
        self._file = open(self.filename, 'ab' if append else 'wb', buffering=0)
        self._lines, self._writer = io.StringIO(newline=''), None

    def get_state(self):
        """How long the file is, for a training that goes on from here: lines behind it will be written again."""
        return {'size': self._size()}

    def set_state(self, state):
        if state['size'] <= self._size():
            self._file.truncate(state['size'])
            self._header_wanted = self._header_wanted or not state['size']

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self._writer is None:
            names = ['epoch'] + sorted(logs) + sorted(self._of_validation(logs))
            self._writer = csv.DictWriter(self._lines, names, restval='NA', extrasaction='ignore', delimiter=self.sep)
            if self._header_wanted:
                self._writer.writeheader()
        self._writer.writerow(dict({name: _as_field(value) for name, value in logs.items()}, epoch=epoch))
        self._write(self._lines.getvalue().encode('utf-8'))
        self._lines.seek(0)
        self._lines.truncate()

    def _write(self, text):
        """Write whole lines, or leave the file as it was."""
        size, done = self._size(), 0
        try:
            while done < len(text):
                done += self._file.write(text[done:])
        except OSError as error:
            with contextlib.suppress(OSError):  # of what is no file on a disk
                self._file.truncate(size)
            raise explained_error(self.filename, error, 'It has the lines from before') from error

    def _size(self):
        """The size of the file that is open, wherever its name leads by now."""
        return os.fstat(self._file.fileno()).st_size

    def _of_validation(self, logs):
        """The names that the logs will have where `fit` validates, although not after this epoch."""
        if any(name.startswith('val_') for name in logs):
            return []
        if self._always_has_validation:
            return ['val_' + name for name in logs]
        return ['val_' + name for name in self.params.get('metrics', ()) if name in logs] \
            if self.params.get('do_validation') else []

    def on_train_end(self, logs=None):
        self._file.close()
        self._file = self._lines = self._writer = None


def _as_field(value):
    """A number or text as it is, anything with several values as `"[1, 2]"`, quotes included, as every Keras does."""
    if isinstance(value, str):
        return value
    if is_native(value):
        value = to_array(value)
    if not np.ndim(value):
        return value
    return '"[%s]"' % ', '.join(map(str, value))


class RemoteMonitor(Callback):
    """Send the logs of every epoch to a server, as an HTTP POST.

    Args:
        root: address of the server. path: path on it. field: name of the form field that holds the JSON.
            headers: dict of further headers. send_as_json: send the JSON itself as the body.

    The package `requests` sends it where it is installed. A server that cannot be reached gives a warning, and training
    goes on.

    Example:
        >>> monitor = keras.callbacks.RemoteMonitor('http://localhost:9000', send_as_json=True)
    """

    def __init__(self, root='http://localhost:9000', path='/publish/epoch/end/', field='data', headers=None,
                 send_as_json=False):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        sent = {name: _as_json(value) for name, value in dict({'epoch': epoch}, **logs or {}).items()}
        try:
            self._send(sent)
        except OSError as error:
            warnings.warn('RemoteMonitor: Could not reach RemoteMonitor root server at %s (%s).' % (self.root, error),
                          ValueMissing)

    def _send(self, sent):
        try:
            import requests
        except ImportError:
            requests = None
        if requests is not None:
            data = {'json': sent} if self.send_as_json else {'data': {self.field: json.dumps(sent)}}
            requests.post(self.root + self.path, headers=self.headers, **data)
            return
        # The HTTP modules cost 30 ms, which `import keras` should not pay for.
        import urllib.parse
        import urllib.request
        text, headers = json.dumps(sent), dict(self.headers or {})
        if self.send_as_json:
            headers.setdefault('Content-Type', 'application/json')
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        request = urllib.request.Request(self.root + self.path, data=body.encode('utf-8'), headers=headers)
        urllib.request.urlopen(request, timeout=10).close()


def _as_json(value):
    if isinstance(value, str):
        return value
    array = np.asarray(value)
    return array.item() if array.size == 1 else array.tolist()
