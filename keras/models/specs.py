"""What a model is called with, as far as it is known."""
from keras.backend.contract import tree
from keras.backend.graph.tensors import KerasTensor
from keras.layers.shapes import map_shapes


def expected_arguments(model, open_batch=True):
    """Symbolic tensors like those that a built model or layer is called with; None where nothing tells.

    A list with (a structure of) them for each argument.

    Args:
        open_batch: whether batches are of any size, where the model was built for one.
    """
    def batch_of(shape):
        return ((None,) if open_batch else shape[:1]) + tuple(shape[1:]) if shape else ()

    if getattr(model, 'layer_graph', None) is not None:
        names = iter(model.layer_graph.input_names)
        return [tree.map_structure(lambda x: KerasTensor(x.shape, x.dtype, name=next(names)), model.input)]
    built_for = model.get_build_config() if model.built else None
    if built_for is None:
        return None
    shapes = [built_for['input_shape']] if 'input_shape' in built_for else list(built_for['shapes_dict'].values())
    dtype = model.compute_dtype
    return [map_shapes(lambda shape: KerasTensor(batch_of(shape), dtype, name='input'), shape) for shape in shapes
            if shape is not None]
