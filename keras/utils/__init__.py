"""Utilities under the names that scripts know."""
from keras import lazy

lazy.attach(
    __name__,
    modules="""bounding_boxes configs data_utils directories downloads generic_utils image_utils io_utils layer_utils
               np_utils plotting resizing sample_sets seeds sequence_utils""",
    names={
        'keras.backend': 'clear_session is_keras_tensor standardize_dtype',
        'keras.callbacks.progress': 'Progbar',
        'keras.config': 'disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled',
        'keras.models.summary': 'print_summary',
        'keras.utils.plotting': 'plot_history',
        'keras.saving.serialization': """CustomObjectScope custom_object_scope get_custom_objects get_registered_name
                                          get_registered_object register_keras_serializable""",
        'keras.training.enqueuers': 'GeneratorEnqueuer OrderedEnqueuer SequenceEnqueuer',
        'keras.utils.configs': 'Config',
        'keras.utils.data_utils': 'PyDataset Sequence pack_x_y_sample_weight unpack_x_y_sample_weight',
        'keras.utils.directories': """audio_dataset_from_directory image_dataset_from_directory
                                    text_dataset_from_directory""",
        'keras.utils.downloads': 'get_file',
        'keras.utils.feature_space': 'FeatureSpace',
        'keras.utils.generic_utils': 'deserialize_keras_object serialize_keras_object',
        'keras.utils.image_utils': 'array_to_img img_to_array load_img save_img',
        'keras.utils.io_utils': 'H5Dict HDF5Matrix',
        'keras.utils.layer_utils': 'convert_all_kernels_in_model get_source_inputs warmstart_embedding_matrix',
        'keras.utils.multi_gpu_utils': 'multi_gpu_model',
        'keras.utils.np_utils': 'normalize to_categorical to_ordinal',
        'keras.utils.sample_sets': 'split_dataset timeseries_dataset_from_array',
        'keras.utils.seeds': 'set_random_seed',
        'keras.utils.sequence_utils': 'pad_sequences',
        'keras.utils.vis_utils': 'model_to_dot plot_model',
    })
