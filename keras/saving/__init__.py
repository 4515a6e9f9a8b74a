"""Models and objects to files and configs, and back."""
from keras import lazy

lazy.attach(
    __name__,
    modules="""
        archive checkpoints code file_editor foreign formats forms hdf5 kinds opening orbax portable serialization
        shards states texts training_config writing""",
    names={
        'keras.saving.file_editor': 'KerasFileEditor',
        'keras.saving.formats': 'load_model load_weights save_model save_weights',
        'keras.saving.forms': 'deserialize_keras_object serialize_keras_object',
        'keras.saving.serialization': """
            CustomObjectScope SafeModeScope custom_object_scope get_custom_objects get_registered_name
            get_registered_object in_safe_mode register_keras_serializable""",
    })
