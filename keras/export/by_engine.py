"""Formats of one engine's own library, which that engine writes (`Engine.exporters`), whichever engine is active."""
from keras.backend.contract.ledger import Ledger
from keras.backend.contract.loading import KNOWN_ENGINES, get_engine, is_installed, load_engine
from keras.export.elsewhere import serving_elsewhere
from keras.export.signatures import check_stateless, signature_of
from keras.export.walk import assigns
from keras.saving.writing import whole_file, whole_folder

# Formats that keep what a model assigns to variables when it runs.
_WITH_STATE = ('tf_saved_model',)
# Formats that are folders; the others are files.
_FOLDERS = ('tf_saved_model',)
# What Keras 3 passes on to jax2tf.
_ARGUMENTS_OF_JAX2TF = ('enable_xla', 'native_serialization', 'native_serialization_disabled_checks',
                        'native_serialization_platforms', 'polymorphic_constraints', 'polymorphic_shapes',
                        'with_gradient')
_PLATFORMS = ('cpu', 'cuda', 'rocm', 'tpu')


def writers_of(format):
    """The names of the engines that write `format`."""
    return [name for name, known in KNOWN_ENGINES.items() if format in known.formats]


def formats():
    """The formats that some engine writes."""
    return sorted({format for known in KNOWN_ENGINES.values() for format in known.formats})


def engine_for(format):
    """The engine that writes `format`: the active one if it does, else one that is installed.

    Raises:
        ImportError: naming the engines that write it, where none of them is installed.
    """
    engine = get_engine()
    if format in engine.exporters:
        return engine
    able = writers_of(format)
    for name in able:
        if any(map(is_installed, KNOWN_ENGINES[name].modules)):
            return load_engine(name)
    raise ImportError('export: the format %r is written by %s, which is not installed: %s'
                      % (format, ' or '.join(KNOWN_ENGINES[name].title for name in able),
                         ' or '.join(KNOWN_ENGINES[name].command for name in able)))


def writer(format):
    """What writes `format`, of `Engine.exporters`."""
    return engine_for(format).exporters[format]


def inference(model):
    """The call of a layer or model for inference."""
    return lambda *args: model(*args, training=False)


def further_arguments(format):
    """The names of the arguments that exports take besides those of the writer, for models of the active engine."""
    return get_engine().further_arguments.get(format, ())


def is_static(given):
    """Whether a function is said to assign nothing, by what is given of `further_arguments`, which is checked.

    The arguments of jax2tf say how that translates what JAX computes, for which platforms and for which sizes. Here
    the operations of TensorFlow themselves are written, for all of them: there is nothing to be said.

    Raises:
        ValueError: for what jax2tf does not take.
    """
    static, arguments = given.get('is_static', False), given.get('jax2tf_kwargs') or {}
    unknown = sorted(set(arguments).difference(_ARGUMENTS_OF_JAX2TF))
    if unknown or not isinstance(static, bool):
        raise ValueError('export: is_static is True or False, and jax2tf_kwargs has some of %s. Received: %r'
                         % (', '.join(_ARGUMENTS_OF_JAX2TF), given))
    platforms = arguments.get('native_serialization_platforms') or ()
    if not set(platforms) <= set(_PLATFORMS):
        raise ValueError('export: native_serialization_platforms are some of %s. Received: %r'
                         % (', '.join(_PLATFORMS), platforms))
    return static


def serving(function, keeps_states):
    """`function`, of tensors of the active engine, with an argument `values`: {variable: what is read in its place}.

    What it assigns to variables is assigned when it ends, or refused.
    """
    def call(*args, values=None):
        with Ledger(values, missing=lambda variable: variable.load()) as ledger:
            outputs = function(*args)
        if ledger.writes:
            if not keeps_states:
                raise assigns(ledger.writes)
            get_engine().commit(ledger.writes)
        return outputs
    return call


def on_engine(engine, function, signature, variables, keeps_states=True):
    """(`function` with tensors of `engine`, the variables there), given one of tensors of the active engine."""
    if engine is get_engine():
        return serving(function, keeps_states), list(variables)
    return serving_elsewhere(function, signature, engine, variables, keeps_states)


def export(model, filepath, input_signature, format, **options):
    """Write `model` by the engine of the format's library."""
    engine = engine_for(format)
    static = is_static({name: options.pop(name) for name in further_arguments(format) if name in options})
    signature = signature_of(model, input_signature)
    keeps_states = format in _WITH_STATE and not static
    if format not in _WITH_STATE:
        check_stateless(model, format)
    call, variables = on_engine(engine, inference(model), signature, model.weights, keeps_states)
    with (whole_folder if format in _FOLDERS else whole_file)(filepath) as target:
        engine.exporters[format](target, call, signature, variables, **options)
