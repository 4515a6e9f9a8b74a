"""The formats that models are exported to, and what writes each."""
import functools
import importlib
import inspect
import os

from keras import generations
from keras.export import by_engine

# What writes a format on every engine: a function `export(model, filepath, input_signature, ...)` in that module.
WRITERS = {
    'onnx': 'keras.export.onnx',
    'openvino': 'keras.export.openvino',
    'tfjs': 'keras.export.web',
}


def export_model(model, filepath, format='tf_saved_model', verbose=None, input_signature=None, **kwargs):
    """Write `model` as something that another runtime runs, for inference.

    Args:
        model: a built layer or model.
        filepath: the file, or for 'tf_saved_model' and 'tfjs' the folder, to write.
        format: 'onnx', 'openvino', 'tfjs', 'tf_saved_model', 'tflite' or 'litert', 'stablehlo', 'torch'. The last ones
            are written by the library that has them, which must be installed, whichever engine is active.
        verbose: whether to say what was written; default only for 'tf_saved_model'.
        input_signature: a list with one entry for each argument of the model: (structures of) objects with a `shape`
            and a `dtype`, such as `keras.InputSpec`. Default: what the model was made for.
        kwargs: what one format takes further: `opset_version` for 'onnx'; `compress_to_fp16` for
            'openvino'; `weight_shard_size_bytes` for 'tfjs'; `options` for 'tf_saved_model', and on JAX
            `is_static` (whether the model assigns nothing, which is checked) and `jax2tf_kwargs` (checked only: nothing
            is translated);
            `enable_select_tf_ops`, `allow_custom_ops`, `optimizations` and `representative_dataset` for 'tflite';
            `platforms` for 'stablehlo'; `strict`,
            `dynamic_shapes` and the like of `torch.export.export` for 'torch'.

    Raises:
        ValueError: for a format that there is not, or a model that is not built. ImportError: naming the package that
            the format needs. NotImplementedError: where the format has no form for what the model does, or needs
            another engine; it says which.
    """
    if format not in available():
        raise ValueError('export: Unrecognized format=%r. Formats: %s.' % (format, ', '.join(available())))
    if format in WRITERS:
        write = importlib.import_module(WRITERS[format]).export
        _check_options(format, write, 3, kwargs)
        extension = ''
    else:
        writer = by_engine.writer(format)
        _check_options(format, writer, 4, kwargs, by_engine.further_arguments(format))
        extension = getattr(writer, 'extension', '')
        write = functools.partial(by_engine.export, format=format)
    filepath = os.fspath(filepath)
    if generations.value('exports_have_extensions') and not filepath.endswith(extension):
        raise ValueError('export: The format %r requires the filepath to end with %r. Got: %s'
                         % (format, extension, filepath))
    write(model, filepath, input_signature, **kwargs)
    if verbose or verbose is None and format == 'tf_saved_model':
        print('Exported %s to %s (%s).' % (model.name, filepath, format))


def available():
    """The names of all formats, sorted."""
    return sorted(list(WRITERS) + by_engine.formats())


class UnsupportedArguments(TypeError, ValueError):
    """Arguments that a format does not take: in Keras 3 a ValueError."""


def _check_options(format, write, first, given, further=()):
    taken = list(inspect.signature(write).parameters)[first:] + list(further)
    unknown = sorted(set(given).difference(taken))
    if unknown:
        raise UnsupportedArguments(
            'export: Unsupported arguments for `format="%s"`: it does not take %s. It takes: %s.'
            % (format, ', '.join(map(repr, unknown)), ', '.join(taken) or 'no further arguments'))


# --- one function for each format, as Keras 3 has them ----------------------------------------------------------------

def export_saved_model(model, filepath, verbose=None, input_signature=None, **kwargs):
    """`export_model` in the format 'tf_saved_model'."""
    export_model(model, filepath, 'tf_saved_model', verbose, input_signature, **kwargs)


def export_onnx(model, filepath, verbose=None, input_signature=None, opset_version=None, **kwargs):
    """`export_model` in the format 'onnx'."""
    export_model(model, filepath, 'onnx', verbose, input_signature, opset_version=opset_version, **kwargs)


def export_openvino(model, filepath, verbose=None, input_signature=None, **kwargs):
    """`export_model` in the format 'openvino'."""
    export_model(model, filepath, 'openvino', verbose, input_signature, **kwargs)


def export_litert(model, filepath, input_signature=None, **kwargs):
    """`export_model` in the format 'litert'."""
    export_model(model, filepath, 'litert', None, input_signature, **kwargs)
