"""Event files, which TensorBoard shows, written with the package `tensorboard` alone: no TensorFlow is loaded."""
import os
import socket
import struct
import time
import zlib

import numpy as np


def _tensorboard(module):
    """A module of the package `tensorboard`.

    Raises:
        ImportError: where the package is missing, with the command that installs it.
    """
    import importlib
    try:
        return importlib.import_module('tensorboard.' + module)
    except ImportError as error:
        raise ImportError('The callback TensorBoard needs the package `tensorboard` (pip install tensorboard): %s'
                          % error) from error


class EventFile:
    """A file of events in a folder; it appears with the first of them, and each is on its way to the disk at once.

    Args:
        folder: where the file is to be.

    Raises:
        ImportError: where the package `tensorboard` is missing.

    Example:
        >>> events = EventFile('logs')                                            # doctest: +SKIP
        >>> events.scalar('loss', 0.5, step=1)                                    # doctest: +SKIP
    """
    _count = 0

    def __init__(self, folder):
        self.folder = os.fspath(folder)
        self._record_writer = _tensorboard('summary.writer.record_writer').RecordWriter
        self._new_event = _tensorboard('compat.proto.event_pb2').Event
        self._new_summary = _tensorboard('compat.proto.summary_pb2').Summary
        self._records = None

    def add_event(self, event):
        """Write an `Event`, a message of TensorBoard's protocol; it gets the time of the day where it has none."""
        if self._records is None:
            os.makedirs(self.folder, exist_ok=True)
            EventFile._count += 1
            name = 'events.out.tfevents.%010d.%s.%d.%d.v2' % (time.time(), socket.gethostname(), os.getpid(),
                                                              EventFile._count)
            self._records = self._record_writer(open(os.path.join(self.folder, name), 'wb'))
            self.add_event(self._new_event(file_version='brain.Event:2'))
        event.wall_time = event.wall_time or time.time()
        self._records.write(event.SerializeToString())

    def add_summary(self, summary, step):
        """Write a `Summary`, or its bytes, for a step."""
        if isinstance(summary, bytes):
            summary = self._new_summary.FromString(summary)
        self.add_event(self._new_event(summary=summary, step=int(step)))

    def scalar(self, name, value, step):
        """Write a number."""
        self.add_summary(_tensorboard('plugins.scalar.summary_v2').scalar_pb(name, np.float32(value)), step)

    def plain_scalar(self, name, value, step):
        """Write a number as TensorFlow 1 did."""
        self.add_summary(self._new_summary(value=[self._new_summary.Value(tag=name, simple_value=float(value))]), step)

    def histogram(self, name, values, step):
        """Write how the finite numbers of an array are distributed."""
        values = np.asarray(values, 'float64')
        self.add_summary(_tensorboard('plugins.histogram.summary_v2').histogram_pb(name, values[np.isfinite(values)]),
                         step)

    def image(self, name, images, step):
        """Write images: an array (number, rows, columns, channels) of floats from 0 to 1, with 1, 3 or 4 channels."""
        levels = np.clip(np.nan_to_num(np.asarray(images, 'float64')) * 255.999, 0, 255).astype('uint8')
        texts = [b'%d' % levels.shape[2], b'%d' % levels.shape[1]] + list(map(as_png, levels))
        self._tensor(name, texts, _tensorboard('plugins.image.metadata').create_summary_metadata('', ''), step)

    def text(self, name, text, step):
        """Write a text, which is shown as Markdown."""
        self.add_summary(_tensorboard('plugins.text.summary_v2').text_pb(name, text), step)

    def keras_model(self, name, description):
        """Write a model, as `Model.to_json` describes it."""
        metadata = _tensorboard('compat.proto.summary_pb2').SummaryMetadata()
        metadata.plugin_data.plugin_name = 'graph_keras_model'
        metadata.plugin_data.content = b'1'
        self._tensor(name, description.encode(), metadata, 0)

    def _tensor(self, name, value, metadata, step):
        tensor = _tensorboard('util.tensor_util').make_tensor_proto(value, dtype='string')
        self.add_summary(self._new_summary(value=[self._new_summary.Value(tag=name, tensor=tensor, metadata=metadata)]),
                         step)

    def graph(self, nodes):
        """Write a graph: a list of (name, class, names of the nodes that it takes, output shape or None)."""
        graph = _tensorboard('compat.proto.graph_pb2').GraphDef()
        for name, kind, inputs, shape in nodes:
            node = graph.node.add(name=name, op=kind, input=inputs)
            if shape is not None:
                sizes = node.attr['_output_shapes'].list.shape.add()
                for size in shape:
                    sizes.dim.add(size=-1 if size is None else int(size))
        self.add_event(self._new_event(graph_def=graph.SerializeToString()))

    def flush(self):
        """Hand what was written to the system, so that TensorBoard sees it."""
        if self._records is not None:
            self._records.flush()

    def close(self):
        """Close the file; what is written afterwards begins a new one."""
        if self._records is not None:
            self._records.close()
            self._records = None

    def __getstate__(self):
        return dict(self.__dict__, _records=None)


def as_png(levels):
    """The bytes of a PNG file of an array (rows, columns, channels) of uint8.

    Source: W3C, Portable Network Graphics Specification, second edition (2003).
    """
    rows, columns, channels = levels.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    lines = np.concatenate([np.zeros((rows, 1), 'uint8'), levels.reshape(rows, columns * channels)], axis=1)
    parts = [(b'IHDR', struct.pack('>IIBBBBB', columns, rows, 8, kind, 0, 0, 0)),
             (b'IDAT', zlib.compress(lines.tobytes())), (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(struct.pack('>I', len(data)) + name + data + struct.pack(
        '>I', zlib.crc32(name + data)) for name, data in parts)
