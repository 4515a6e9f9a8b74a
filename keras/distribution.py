"""Names of Keras 3's `keras.distribution`: meshes of devices and layouts on them.

What is described here can be made and asked on every engine. On JAX variables that are made while a distribution is set
lie as it says, and `fit`, `evaluate` and `predict` divide their batches; the results are those of one device. On other
engines a mesh of the one device that they run on is what runs anyway, and is accepted; what would spread a value over
several devices says with `UnsupportedOperation` that it cannot.
"""
import collections
import collections.abc
import contextlib
import re

import numpy as np

from keras.backend.contract import placement
from keras.backend.contract.engine import UnsupportedOperation
from keras.backend.contract.loading import get_engine


def list_devices(device_type=None):
    """The devices that the engine's library sees, as a list of strings such as 'cpu:0'.

    Args:
        device_type: 'cpu', 'gpu' or 'tpu'; None: accelerators where there are some, else the CPU.

    Example:
        >>> keras.distribution.list_devices('cpu')
        ['cpu:0']
    """
    counts, names = collections.Counter(), []
    for described in get_engine().devices():
        kind = re.match('[a-z]*', described.strip('/').lower()).group()
        kind = {'cuda': 'gpu'}.get(kind, kind) or 'cpu'
        names.append((kind, '%s:%d' % (kind, counts[kind])))
        counts[kind] += 1
    if device_type is None:
        accelerated = [name for kind, name in names if kind != 'cpu']
        return accelerated or [name for _, name in names]
    return [name for kind, name in names if kind == device_type.lower()]


def get_device_count(device_type=None):
    """How many devices there are; see `list_devices`.

    Example:
        >>> keras.distribution.get_device_count('cpu')
        1
    """
    return len(list_devices(device_type))


def initialize(job_addresses=None, num_processes=None, process_id=None):
    """Join a run of several processes: one process alone is the only one there is.

    Raises:
        UnsupportedOperation: for more than one process.
    """
    if job_addresses is not None and ',' in job_addresses or num_processes not in (None, 1):
        raise UnsupportedOperation(get_engine().name, 'distribution.initialize', 'it runs in one process')


class DeviceMesh:
    """Devices in a grid whose axes have names.

    Args:
        shape: the sizes of the grid. axis_names: a name for each axis. devices: names of devices, as many as the grid
            has places; default all that there are.

    Raises:
        ValueError: if these do not fit each other.

    Example:
        >>> keras.distribution.DeviceMesh((1,), ['batch'], ['cpu:0']).shape
        (1,)
    """

    def __init__(self, shape, axis_names, devices=None):
        if not shape or not axis_names:
            raise ValueError('DeviceMesh: Shape and axis_names cannot be empty. Received: shape=%r, axis_names=%r'
                             % (shape, axis_names))
        if len(shape) != len(axis_names):
            raise ValueError('DeviceMesh: Shape and axis_names should have same size. Received: shape=%r, axis_names=%r'
                             % (shape, axis_names))
        devices = np.array(list_devices() if devices is None else devices)
        if np.prod(shape) != devices.size:
            raise ValueError('DeviceMesh: Shape does not match the number of devices. Received: shape=%r; devices=%r'
                             % (shape, devices.tolist()))
        self._shape, self._axis_names = tuple(shape), list(axis_names)
        self._devices = devices.reshape(self._shape)

    shape = property(lambda self: self._shape)
    axis_names = property(lambda self: self._axis_names)
    devices = property(lambda self: self._devices)

    @property
    def backend_mesh(self):
        """The mesh of the engine's own library."""
        return get_engine().mesh_of(self)

    def __repr__(self):
        return '<DeviceMesh shape=%s, axis_names=%s>' % (self.shape, self.axis_names)


class TensorLayout:
    """Along which axes of a mesh the axes of a tensor are cut.

    Args:
        axes: for each axis of the tensor the name of one of the mesh, or None where it stays whole. device_mesh: a
            `DeviceMesh`, or None.

    Raises:
        ValueError: for a name that the mesh does not have.

    Example:
        >>> keras.distribution.TensorLayout([None, 'model']).axes
        (None, 'model')
    """

    def __init__(self, axes, device_mesh=None):
        self._axes = tuple(axes)
        self._device_mesh = device_mesh
        self._check()

    def _check(self):
        if self._device_mesh is not None:
            unknown = {axis for axis in self._axes if axis is not None} - set(self._device_mesh.axis_names)
            if unknown:
                raise ValueError('TensorLayout: Invalid axis names for Layout: %s. The mesh has %s.'
                                 % (sorted(unknown), self._device_mesh.axis_names))

    axes = property(lambda self: self._axes)

    @property
    def device_mesh(self):
        """The mesh; it can be set once."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh):
        if self._device_mesh is not None:
            raise ValueError('TensorLayout: Cannot override device mesh value. It is %r.' % (self._device_mesh,))
        self._device_mesh = device_mesh
        self._check()

    @property
    def backend_layout(self):
        """The layout of the engine's own library."""
        if self._device_mesh is None:
            raise ValueError('TensorLayout %s has no device mesh yet: set `device_mesh`.' % (self.axes,))
        return get_engine().native_layout(self)

    def __repr__(self):
        return '<TensorLayout axes=%s, device_mesh=%r>' % (self.axes, self.device_mesh)


class LayoutMap(collections.abc.MutableMapping):
    """Layouts by the paths of variables; a key that is no path is a regular expression for those that it is found in.

    Args:
        device_mesh: the mesh that layouts without one get.

    Example:
        >>> layouts = keras.distribution.LayoutMap(keras.distribution.DeviceMesh((1,), ['model'], ['cpu:0']))
        >>> layouts['dense.*kernel'] = (None, 'model')
        >>> layouts['dense_1/kernel'].axes
        (None, 'model')
    """

    def __init__(self, device_mesh):
        self._layouts = collections.OrderedDict()
        self.device_mesh = device_mesh

    def __getitem__(self, key):
        if key in self._layouts:
            return self._layouts[key]
        found = [pattern for pattern in self._layouts if re.search(pattern, key)]
        if len(found) > 1:
            raise ValueError('LayoutMap: Path %r matches multiple layout specification keys: %s. Make them fit one.'
                             % (key, found))
        return self._layouts[found[0]] if found else None

    def __setitem__(self, key, layout):
        if key in self._layouts:
            raise ValueError('LayoutMap: %s already exist in the LayoutMap with value %r. Delete it before another one '
                             'takes its place.' % (key, self._layouts[key]))
        if isinstance(layout, tuple):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError('LayoutMap: %r should be a TensorLayout type, got %s' % (layout, type(layout)))
        if layout.device_mesh is None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key):
        del self._layouts[key]

    def __len__(self):
        return len(self._layouts)

    def __iter__(self):
        return iter(self._layouts)


def distribute_tensor(tensor, layout):
    """`tensor` laid out over the devices of a mesh, also inside of a compiled function.

    Args:
        tensor: a tensor, array or variable. layout: a `TensorLayout` with a mesh, or a layout of the engine's own
            library (`jax.sharding.NamedSharding`).

    Raises:
        UnsupportedOperation: for a mesh of several devices, on an engine other than JAX.
        ValueError: without a mesh, for devices that there are not, or where an axis cannot be divided evenly.

    Example:
        >>> layout = keras.distribution.TensorLayout([None], keras.distribution.DeviceMesh((1,), ['x'], ['cpu:0']))
        >>> keras.distribution.distribute_tensor(np.ones(3), layout).shape
        (3,)
    """
    if getattr(layout, 'device_mesh', layout) is None:
        raise ValueError('distribute_tensor: %r has no device mesh yet.' % (layout,))
    return get_engine().laid_out(get_engine().convert(tensor), layout)


class Distribution:
    """How a computation is spread over the devices of a mesh.

    Args:
        device_mesh: a `DeviceMesh`. batch_dim_name: the axis of the mesh along which batches are cut; a batch whose
            size cannot be divided evenly stays whole. auto_shard_dataset: whether data sets are divided among
            processes, of which there is one.
    """

    def __init__(self, device_mesh, batch_dim_name=None, auto_shard_dataset=True):
        self.device_mesh = device_mesh
        self.batch_dim_name = batch_dim_name or device_mesh.axis_names[0]
        self.auto_shard_dataset = auto_shard_dataset

    num_processes = 1
    data_shard_id = 0

    @property
    def num_model_replicas(self):
        """How many parts a batch is cut into."""
        return self.device_mesh.shape[self.device_mesh.axis_names.index(self.batch_dim_name)]

    def get_data_layout(self, data_shape):
        """The layout of a batch of that shape."""
        return TensorLayout([self.batch_dim_name] + [None] * (len(data_shape) - 1), self.device_mesh)

    def get_variable_layout(self, variable):
        """The layout of a variable."""
        return variable.given_layout or TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path):
        """The layout of what is called `path` in a model, or None."""
        return None

    @contextlib.contextmanager
    def scope(self):
        """A block in which it is the distribution that `distribution()` gives."""
        previous = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(previous)

    def distribute_dataset(self, dataset):
        """The share of a data set that this process, the only one, has: all of it."""
        return dataset

    distribute_tf_dataset = distribute_dataset


class DataParallel(Distribution):
    """Batches divided among devices that all have the whole model.

    Args:
        device_mesh: a `DeviceMesh` of one axis, or None. devices: names of devices in its place; default all.
        auto_shard_dataset: as for `Distribution`.

    Example:
        >>> keras.distribution.DataParallel(devices=['cpu:0']).batch_dim_name
        'batch'
    """

    def __init__(self, device_mesh=None, devices=None, auto_shard_dataset=True):
        if device_mesh is None:
            devices = list_devices() if devices is None else devices
            device_mesh = DeviceMesh((len(devices),), ['batch'], devices)
        super().__init__(device_mesh, auto_shard_dataset=auto_shard_dataset)


class ModelParallel(Distribution):
    """Weights divided among devices as a `LayoutMap` says.

    Args:
        layout_map: a `LayoutMap`. batch_dim_name: the axis of its mesh for batches. auto_shard_dataset: as for
            `Distribution`.

    Raises:
        ValueError: without a `LayoutMap`.
    """

    def __init__(self, layout_map=None, batch_dim_name=None, auto_shard_dataset=True, **kwargs):
        if kwargs:
            raise TypeError('ModelParallel: unknown arguments %s' % sorted(kwargs))
        if not isinstance(layout_map, LayoutMap):
            raise ValueError('ModelParallel: Argument `layout_map` must be a `LayoutMap` instance. Received: %r'
                             % (layout_map,))
        super().__init__(layout_map.device_mesh, batch_dim_name, auto_shard_dataset)
        self._layouts = layout_map

    def get_variable_layout(self, variable):
        return variable.given_layout or self._layouts[variable.path] or super().get_variable_layout(variable)

    def get_tensor_layout(self, path):
        return self._layouts[path]


def distribution():
    """The distribution that is set, or None.

    Example:
        >>> keras.distribution.distribution() is None
        True
    """
    return placement.current[0]


def set_distribution(value):
    """Have a distribution be the one of this process, for variables made from now on and batches; None for none.

    Example:
        >>> keras.distribution.set_distribution(None)
    """
    placement.current[0] = value
