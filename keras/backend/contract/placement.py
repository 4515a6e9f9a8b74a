"""The distribution that is set: how variables and batches are spread over devices.

`keras.distribution` sets it; engines are asked to lay values out as it says. Where none is set nothing is asked.
"""
from keras.backend.contract import tree
from keras.backend.contract.loading import get_engine

current = [None]


def layout_of(variable):
    """The layout that a variable keeps, or None: an object with `device_mesh` and `axes`."""
    if variable.like is not None and variable.like.shape == variable.shape:
        return layout_of(variable.like)
    return None if variable.distribution is None else variable.distribution.get_variable_layout(variable)


def kept(value, variable):
    """`value`, laid out as `variable` is."""
    layout = layout_of(variable)
    return value if layout is None else get_engine().laid_out(value, layout)


def batch(values):
    """The nested tensors of a batch, divided among devices along their first axis where that is set."""
    distribution = current[0]
    if distribution is None:
        return values
    engine = get_engine()

    def divided(x):
        shape = () if x is None else tuple(x.shape)
        if not shape:
            return x
        layout = distribution.get_data_layout(shape)
        parts = dict(zip(layout.device_mesh.axis_names, layout.device_mesh.shape)).get(layout.axes[0], 1)
        return engine.laid_out(engine.convert(x), layout) if shape[0] is not None and shape[0] % parts == 0 else x
    return tree.map_structure(divided, values)


def output_layout(path):
    """The layout that what the layer at `path` gives is to have, or None."""
    return None if current[0] is None else current[0].get_tensor_layout(path + '/output')


def outputs(values, layout):
    """The nested tensors that a layer gives, laid out."""
    return tree.map_structure(lambda x: get_engine().laid_out(x, layout), values)
