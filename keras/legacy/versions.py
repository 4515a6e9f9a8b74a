"""Which version other packages are told.

`keras.__version__` is that of this package. `keras.version()` is asked in order to find out which Keras this is like:
it answers with the version of Keras 3 whose names we have, except to packages that would turn to another distribution
(`tf_keras`) then, or refuse. These are built on layers of tf.keras as it was before; ours are.
"""
from keras import lazy

LIKE_KERAS_3 = '3.15.1'
LIKE_TF_KERAS = '2.15.0'
# What each does with "3...": it imports tf_keras, whose layers are not ours, but for Recommenders, which refuses.
TOLD_TF_KERAS = ('tensorflow_probability', 'tensorflow_hub', 'tensorflow_recommenders', 'tensorflow_model_optimization',
                 'tensorflow_gnn', 'tensorflow_decision_forests', 'tf_agents')


def answer():
    """The version for the module outside of this package that asks."""
    return LIKE_TF_KERAS if lazy.importer().partition('.')[0] in TOLD_TF_KERAS else LIKE_KERAS_3
