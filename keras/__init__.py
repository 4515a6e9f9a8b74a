"""The Keras API on TensorFlow, JAX, PyTorch and NumPy. Importing this imports no engine, and little else."""
from keras import config, lazy
from keras.version import __version__

config.settings.importer = lazy.importer()
lazy.await_import(config.MADE_FOR_TF_KERAS, lambda: config.settings.follow_package(config.GENERATIONS[2]))
lazy.await_import(config.MADE_FOR_KERAS_3, lambda: config.settings.follow_package(3))


def version():
    """The version of Keras whose names this package has, as a string; that of the package is `keras.__version__`.

    Packages that are built on tf.keras as it was before Keras 3 are told one of that time.
    """
    from keras.legacy.versions import answer
    return answer()


lazy.attach(
    __name__,
    modules="""activations api applications backend callbacks config constraints datasets distillation distribution
               dtype_policies export initializations initializers layers legacy losses metrics models objectives ops
               optimizers preprocessing quantizers random regularizers saving tree utils visualization wrappers""",
    names={
        'keras.backend.state.variables': 'Variable',
        'keras.backend.graph.operations': 'Function Operation',
        'keras.backend.graph.tensors': 'KerasTensor',
        'keras.backend.state.remat': 'RematScope remat',
        'keras.backend.state.scopes': 'device name_scope StatelessScope SymbolicScope',
        'keras.dtype_policies': 'DTypePolicy FloatDTypePolicy',
        'keras.gradients': 'GradientTape grad value_and_grad',
        'keras.initializers': 'Initializer',
        'keras.layers': 'Input InputSpec Layer',
        'keras.losses': 'Loss',
        'keras.metrics': 'Metric',
        'keras.models': 'Model Sequential',
        'keras.optimizers': 'Optimizer',
        'keras.quantizers': 'Quantizer',
        'keras.regularizers': 'Regularizer',
    })
lazy.install()
