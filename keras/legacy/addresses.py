"""Where other Kerases have what we have: one table of addresses, read by the finder of `keras.lazy`.

An address is served by a module without a file, whose names are looked up where the table says when they are touched.
Nothing is imported before, and nothing exists twice: what is found is the object itself.

* `TREES`: packages that are another one under another name, all their modules included; of those in `BELOW` only the
  modules, as far as they have no files themselves.
* `MODULES`: {the modules whose names they have, separated by spaces: {package: its modules}}, below `keras`.
* `NAMES`: {address: {where: names that it has besides, `new as old` for those that were called otherwise}}; modules
  with files may stand here, too.

`keras.src` is Keras 3 and tf.keras 2.13 to 2.15, `keras.engine` and its like are Keras 2 and tf.keras.
"""
TREES = {
    'keras._tf_keras.keras': 'keras',
}
# `keras.src` is not `keras`: it has modules `optimizers.adam` and so on where `keras` has Keras 2's classes.
BELOW = {'keras.api': 'keras', 'keras.src': 'keras'}

MODULES = {
    'keras': {'': 'src _tf_keras'},
    'keras.activations': {'activations': 'activations'},
    'keras.layers': {'utils': 'layer_utils'},
    'keras.backend': {
        'backend': 'tensorflow_backend theano_backend cntk_backend numpy_backend load_backend common',
        'backend.common': 'dtypes masking name_scope remat stateless_scope symbolic_scope global_state',
        'src': 'backend'},
    'keras.backend keras.config': {'': 'backend_config', 'backend': 'config', 'backend.common': 'backend_utils'},
    'keras.backend.graph.tensors': {'backend.common': 'keras_tensor', 'engine': 'keras_tensor', '': '__internal__'},
    'keras.utils.internals': {'__internal__': 'utils', 'utils': 'backend_utils tf_utils tracking'},
    'keras.backend.state.variables': {'backend.common': 'variables'},
    'keras.callbacks': {
        'callbacks': """callbacks tensorboard_v1 tensorboard_v2 backup_and_restore callback csv_logger early_stopping
                          orbax_checkpoint
                        history lambda_callback learning_rate_scheduler model_checkpoint monitor_callback
                        progbar_logger reduce_lr_on_plateau remote_monitor swap_ema_weights tensorboard
                        terminate_on_nan experimental""",
        '': 'callbacks_v1'},
    'keras.constraints': {'constraints': 'constraints'},
    'keras.dtype_policies': {
        'dtype_policies': 'dtype_policy dtype_policy_map', '': 'mixed_precision',
        'mixed_precision': 'experimental policy loss_scale_optimizer'},
    'keras.distillation': {'distillation': 'distillation_loss distiller'},
    'keras.distribution': {'distribution': 'distribution_lib'},
    'keras.export': {'export': 'saved_model litert tfsm_layer'},
    'keras.initializers': {
        'initializers': """initializer constant_initializers random_initializers initializers initializers_v1
                           initializers_v2""",
        '': 'initializers_v1 initializers_v2'},
    'keras.layers keras.layers.base': {
        'layers': """activation activations attention locally_connected merging preprocessing regularization reshaping
                     rnn layer serialization recurrent_v2 rnn_cell_wrapper_v2 kernelized dense_attention
                     multi_head_attention einsum_dense convolutional_recurrent_v2 normalization_v2
                     experimental""",
        'layers.core': """activation dense einsum_dense embedding identity input_layer lambda_layer masking
                          reversible_embedding tf_op_layer wrapper""",
        'layers.activation': 'elu leaky_relu prelu relu softmax thresholded_relu',
        'layers.activations': 'activation elu leaky_relu prelu relu softmax',
        'layers.attention': """additive_attention attention base_dense_attention grouped_query_attention
                               multi_head_attention""",
        'layers.convolutional': """conv1d conv1d_transpose conv2d conv2d_transpose conv3d conv3d_transpose
            depthwise_conv1d depthwise_conv2d separable_conv1d separable_conv2d""",
        'layers.locally_connected': 'locally_connected1d locally_connected2d',
        'layers.merging': 'add average base_merge concatenate dot maximum minimum multiply subtract',
        'layers.normalization': """batch_normalization batch_normalization_v1 group_normalization layer_normalization
                                   rms_normalization spectral_normalization unit_normalization""",
        'layers.pooling': """adaptive_average_pooling1d adaptive_average_pooling2d adaptive_average_pooling3d
            adaptive_max_pooling1d adaptive_max_pooling2d adaptive_max_pooling3d average_pooling1d average_pooling2d
            average_pooling3d global_average_pooling1d global_average_pooling2d global_average_pooling3d
            global_max_pooling1d global_max_pooling2d global_max_pooling3d max_pooling1d max_pooling2d max_pooling3d""",
        'layers.experimental': 'preprocessing',
        'layers.preprocessing': """category_encoding discretization hashed_crossing hashing index_lookup
            image_preprocessing integer_lookup normalization rescaling string_lookup text_vectorization
            text_vectorization_v1 mel_spectrogram stft_spectrogram""",
        'layers.preprocessing.image_preprocessing': """center_crop random_brightness random_contrast random_crop
            random_flip random_rotation random_translation random_zoom rescaling resizing""",
        'layers.regularization': """activity_regularization alpha_dropout dropout gaussian_dropout gaussian_noise
                                    spatial_dropout spatial_dropout1d spatial_dropout2d spatial_dropout3d""",
        'layers.reshaping': """cropping1d cropping2d cropping3d flatten permute repeat_vector reshape up_sampling1d
                               up_sampling2d up_sampling3d zero_padding1d zero_padding2d zero_padding3d""",
        'layers.rnn': """abstract_rnn_cell base_conv_lstm base_conv_rnn base_cudnn_rnn base_rnn base_wrapper
            bidirectional cell_wrappers conv_lstm conv_lstm1d conv_lstm2d conv_lstm3d cudnn_gru cudnn_lstm
            dropout_rnn_cell dropout_rnn_cell_mixin gru gru_v1 lstm lstm_v1 rnn rnn_utils simple_rnn
            stacked_rnn_cells time_distributed""",
        'legacy': 'layers',
        'engine': 'base_layer base_layer_v1 base_preprocessing_layer input_layer input_spec'},
    'keras.layers.convolutional': {
        'layers.convolutional': 'base_conv base_conv_transpose base_depthwise_conv base_separable_conv'},
    'keras.layers.pooling': {
        'layers.pooling': """base_global_pooling base_global_pooling1d base_global_pooling2d base_global_pooling3d
                             base_pooling base_pooling1d base_pooling2d base_pooling3d"""},
    'keras.losses': {'losses': 'loss losses', 'legacy': 'losses'},
    'keras.metrics': {
        'metrics': """accuracy_metrics base_metric confusion_metrics correlation_metrics f_score_metrics hinge_metrics
                      iou_metrics metric metrics probabilistic_metrics py_metric reduction_metrics
                      regression_metrics"""},
    'keras.models keras.layers keras.layers.base': {
        'engine': 'functional network sequential training training_v1 topology',
        'models': 'cloning models',
        'legacy': 'models',
        '': 'engine'},
    'keras.models.premade': {'': 'experimental', 'models': 'experimental'},
    'keras.layers.keras2_node': {'engine': 'node', 'ops': 'node'},
    'keras.ops': {
        'ops': 'operation function operation_utils',
        'src.backend': 'tensorflow jax torch core linalg math nn numpy',
        'src.backend.tensorflow': 'core linalg math nn numpy',
        'src.backend.jax': 'core linalg math nn numpy',
        'src.backend.torch': 'core linalg math nn numpy'},
    'keras.ops.image': {'src.backend': 'image', 'src.backend.tensorflow': 'image', 'src.backend.jax': 'image',
                        'src.backend.torch': 'image'},
    'keras.optimizers': {
        'src': 'optimizers',
        'src.optimizers': """legacy adadelta adafactor adagrad adam adamax adamw base_optimizer ftrl lamb lion
                             loss_scale_optimizer nadam optimizer rmsprop sgd optimizer_v1 optimizer_v2""",
        'src.optimizers.legacy': """adadelta adagrad adam adamax ftrl gradient_descent nadam optimizer_v2 rmsprop""",
        'optimizers': """legacy experimental optimizer_experimental adam_v2
                         adadelta_v2 adagrad_v2 adamax_v2 ftrl_v2 gradient_descent_v2 nadam_v2 rmsprop_v2
                         optimizer optimizer_v1 optimizer_v2 base_optimizer loss_scale_optimizer""",
        'optimizers.legacy': 'adadelta adagrad adam adamax ftrl gradient_descent nadam optimizer_v2 rmsprop',
        'optimizers.optimizer_v2': 'adadelta adagrad adam adamax ftrl gradient_descent nadam optimizer_v2 rmsprop',
        'optimizers.optimizer_experimental': 'adadelta adagrad adam adamax adamw ftrl nadam optimizer rmsprop sgd',
        'optimizer_v2': 'adadelta adagrad adam adamax ftrl gradient_descent nadam optimizer_v2 rmsprop',
        'optimizer_experimental': 'adadelta adagrad adam adamax adamw ftrl nadam optimizer rmsprop sgd',
        '': 'optimizer_v1 optimizer_v2 optimizer_experimental'},
    'keras.optimizers.schedules': {
        'optimizers.schedules': 'learning_rate_schedule', 'src.optimizers': 'schedules',
        'src.optimizers.schedules': 'learning_rate_schedule',
        'optimizer_v2': 'learning_rate_schedule', 'optimizers.optimizer_v2': 'learning_rate_schedule'},
    'keras.preprocessing': {'legacy': 'preprocessing'},
    'keras.preprocessing.image': {'legacy.preprocessing': 'image'},
    'keras.preprocessing.sequence': {'legacy.preprocessing': 'sequence'},
    'keras.preprocessing.text': {'legacy.preprocessing': 'text'},
    'keras.quantizers': {'quantizers': 'quantizers quantization_config gptq_config awq_config'},
    'keras.random': {
        'random': 'random', 'src.backend': 'random', 'src.backend.tensorflow': 'random', 'src.backend.jax': 'random',
        'src.backend.torch': 'random'},
    'keras.backend.state.seeds': {'random': 'seed_generator'},
    'keras.regularizers': {'regularizers': 'regularizers'},
    'keras.models keras.saving': {
        'saving': 'saving_api saving_lib save saving_utils model_config legacy',
        'saving.legacy': 'save saving_utils model_config',
        'legacy': 'saving', 'legacy.saving': 'saving_utils', 'engine': 'saving'},
    'keras.saving.serialization': {'saving.legacy': 'serialization', 'legacy.saving': 'serialization'},
    'keras.saving.forms keras.saving.serialization': {'saving': 'object_registration serialization_lib'},
    'keras.saving.hdf5 keras.saving': {
        'saving': 'hdf5_format', 'saving.legacy': 'hdf5_format', 'legacy.saving': 'legacy_h5_format'},
    'keras.training.trainer': {'': 'trainers', 'trainers': 'trainer'},
    'keras.training.data.layout': {'trainers': 'data_adapters', 'trainers.data_adapters': 'data_adapter_utils'},
    'keras.utils.generic_utils keras.training.standardizing keras.training.data.host': {
        'engine': 'training_utils training_arrays training_generator'},
    'keras.utils.bounding_boxes': {
        'layers.preprocessing.image_preprocessing': 'bounding_boxes',
        'layers.preprocessing.image_preprocessing.bounding_boxes': 'converters iou'},
    'keras.utils': {
        'layers.preprocessing': 'feature_space',
        'utils': """audio_dataset audio_dataset_utils dataset_utils feature_space file_utils image_dataset
            image_dataset_utils model_visualization numerical_utils progbar python_utils rng_utils summary_utils
            text_dataset text_dataset_utils timeseries_dataset timeseries_dataset_utils experimental
            legacy all_utils"""},
}

NAMES = {
    'keras': {'keras.engine.network': 'Network'},
    'keras.backend': {
        'keras.backend.k.functions': 'random_binomial as random_bernoulli',
        'keras.utils.internals': """ContextValueCache get_graph get_keras_mask set_keras_mask standardize_shape
                                    graph_of_operations as _current_graph""",
        'keras.backend.state.scopes': 'device'},
    'keras.utils.io_utils': {
        'keras.config': 'disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled',
        'keras.callbacks.saying': 'say as print_msg'},
    'keras.utils.file_utils': {
        'os.path': 'exists isdir join', 'os': 'listdir makedirs remove', 'shutil': 'copy rmtree'},
    'keras.trainers.data_adapters.data_adapter_utils': {
        'keras.training.data.class_weights': 'weights_of_classes as class_weight_to_sample_weights'},
    'keras.experimental': {
        'keras.optimizers.schedules': 'CosineDecay CosineDecayRestarts LinearCosineDecay NoisyLinearCosineDecay',
        'keras.layers': 'PeepholeLSTMCell'},
    'keras.layers.experimental.preprocessing': {
        'keras.layers.preprocessing.data_layer': 'PreprocessingLayer'},
    'keras.layers.merging.base_merge': {'keras.layers.merge': '_Merge _Merge as Merge'},
    'keras.config': {
        'keras.backend.contract.loading': 'engine_name as backend set_backend',
        'keras.dtype_policies': 'global_policy as dtype_policy set_dtype_policy'},
    'keras.activations': {'keras.layers.base': 'Layer'},
    'keras.metrics': {'keras.layers.base': 'Layer', 'keras.utils.metrics_utils': 'AUCCurve'},
    'keras.utils': {'keras.losses': 'Reduction', 'keras.utils.metrics_utils': 'AUCCurve'},
    'keras.models': {'keras.utils.generic_utils': 'has_arg to_list', 'keras.models.model': 'Model as Network'},
    'keras.models.model': {'keras.models': 'model_from_json'},
    'keras.models.functional': {'keras.models': 'Functional'},
    'keras.models.sequential': {'keras.models': 'Functional'},
    'keras.engine': {'keras.utils.layer_utils': 'get_source_inputs'},
    'keras.layers.convolutional': {
        'keras.layers.convolutional': 'Conv as _Conv BaseSeparableConv as _SeparableConv',
        'keras.layers.keras1': 'AtrousConv1D AtrousConv2D AtrousConvolution1D AtrousConvolution2D',
        'keras.utils.generic_utils': 'transpose_shape'},
    'keras.layers.convolutional_recurrent': {
        'keras.layers.keras1_recurrent': 'ConvRecurrent2D Recurrent',
        'keras.utils.generic_utils': 'has_arg to_list transpose_shape'},
    'keras.layers.recurrent': {
        'keras.layers.recurrent': 'DropoutRNNCell as DropoutRNNCellMixin',
        'keras.layers.keras1_recurrent': 'Recurrent', 'keras.legacy.interfaces': 'disable_tracking'},
    'keras.layers.rnn.dropout_rnn_cell': {'keras.layers.recurrent': 'DropoutRNNCell'},
    'keras.layers.rnn.dropout_rnn_cell_mixin': {'keras.layers.recurrent': 'DropoutRNNCell as DropoutRNNCellMixin'},
    'keras.layers.wrappers': {
        'keras.utils.generic_utils': 'object_list_uid', 'keras.legacy.interfaces': 'disable_tracking'},
    'keras.engine.base_layer': {
        'keras.legacy.interfaces': 'disable_tracking', 'keras.models.tf_operations': 'Operation as TensorFlowOpLayer',
        'keras.layers.keras2_node': 'Node', 'keras.utils.layer_utils': 'count_params',
        'keras.utils.generic_utils': 'has_arg is_all_none object_list_uid to_list unpack_singleton'},
    'keras.engine.input_layer': {
        'keras.layers.keras2_node': 'Node', 'keras.utils.generic_utils': 'unpack_singleton'},
    'keras.engine.network': {
        'keras.layers.keras2_node': 'Node', 'keras.models.model': 'Model as Network',
        'keras.models.summary': 'print_summary as print_layer_summary',
        'keras.utils.generic_utils': 'has_arg object_list_uid to_list unpack_singleton',
        'keras.utils.io_utils': 'ask_to_proceed_with_overwrite', 'keras.utils.layer_utils': 'get_source_inputs'},
    'keras.engine.saving': {
        'keras.legacy.interfaces': 'allow_read_from_gcs allow_write_to_gcs string_types',
        'keras.utils.io_utils': 'H5Dict load_from_binary_h5py save_to_binary_h5py',
        'keras.saving.hdf5': """HDF5_OBJECT_HEADER_LIMIT ask_to_proceed_with_overwrite preprocess_weights_for_loading
            load_attributes as load_attributes_from_hdf5_group load_weights_from_hdf5_group
            load_weights_from_hdf5_group_by_name pickle_model save_attributes as save_attributes_to_hdf5_group
            save_weights_to_hdf5_group unpickle_model"""},
    'keras.engine.topology': {
        'keras.layers.keras2_node': 'Node', 'keras.models.model': 'Model as Network Model as Container',
        'keras.saving.hdf5': """load_weights_from_hdf5_group load_weights_from_hdf5_group_by_name
                                preprocess_weights_for_loading save_weights_to_hdf5_group""",
        'keras.utils.layer_utils': 'get_source_inputs'},
    'keras.engine.training': {
        'keras.models.model': 'Model as Network',
        'keras.utils.generic_utils': 'slice_arrays to_list unpack_singleton'},
    'keras.legacy.saving': {'keras.utils.generic_utils': 'deserialize_keras_object serialize_keras_object'},
    'keras.utils.multi_gpu_utils': {
        'keras.layers': 'Lambda concatenate', 'keras.utils.internals': 'available_devices as _get_available_devices'},
    'keras.backend.tensorflow_backend': {
        'keras.utils.internals': 'available_gpus as _get_available_gpus is_tf_1 as _is_tf_1'},
    'keras.backend.cntk_backend': {'keras.utils.internals': 'device_of_cntk as dev'},
    'keras.backend.load_backend': {'keras.utils.internals': 'device_of_cntk as dev'},
    'keras.backend.numpy_backend': {'keras.ops': 'separable_conv'},
    'keras.preprocessing.sequence': {'keras.datasets.word_lists': 'no_longer_than as _remove_long_seq'},
    'keras.backend.common.variables': {'keras.backend.state.variables': 'Variable as KerasVariable'},
    'keras.saving.saving_lib': {'keras.saving.stores': 'H5IOStore'},
    'keras.export.litert': {'keras.export.formats': 'export_litert'},
    'keras.export.onnx': {'keras.export.formats': 'export_onnx'},
    'keras.export.openvino': {'keras.export.formats': 'export_openvino'},
    'keras.export.saved_model': {'keras.export.formats': 'export_saved_model'},
    'keras.export.tfsm_layer': {'keras.layers.saved_model': 'TFSMLayer'},
    'keras.optimizers.optimizer_v2': {'keras.optimizers': 'Optimizer as OptimizerV2'},
    'keras.optimizers.legacy.optimizer_v2': {'keras.optimizers': 'Optimizer as OptimizerV2'},
    'keras.optimizers.optimizer_v2.optimizer_v2': {'keras.optimizers': 'Optimizer as OptimizerV2'},
    'keras.optimizer_v2.optimizer_v2': {'keras.optimizers': 'Optimizer as OptimizerV2'},
}

# Mixed precision, as tf.keras called it.
_OF_MIXED_PRECISION = {
    """keras.mixed_precision keras.mixed_precision.experimental keras.mixed_precision.policy
       keras.mixed_precision.loss_scale_optimizer""": {
        'keras.dtype_policies': """DTypePolicy as Policy global_policy as dtype_policy
                                   set_dtype_policy as set_global_policy set_dtype_policy as set_policy""",
        'keras.optimizers': 'LossScaleOptimizer'},
}

_OF_MIXED_PRECISION['keras.dtype_policies.dtype_policy'] = {'keras.dtype_policies': 'global_policy as dtype_policy'}

# What Keras 1 had at addresses that are still there.
_OF_KERAS_1 = {
    'keras.activations keras.constraints keras.objectives keras.optimizers keras.regularizers keras.metrics':
        {'keras.legacy.functions': 'get_from_module'},
    'keras.layers': {'keras.legacy.functions': 'get_from_module'},
    'keras.layers.core': {
        'keras.legacy.functions': 'get_from_module',
        'keras.layers': 'Highway MaxoutDense Merge TimeDistributedDense'},
    'keras.layers.advanced_activations': {'keras.layers': 'ParametricSoftplus SReLU'},
    'keras.layers.convolutional': {
        'keras.layers': """AtrousConv1D AtrousConv2D AtrousConvolution1D AtrousConvolution2D conv_input_length
                           conv_output_length"""},
    'keras.layers.convolutional_recurrent': {'keras.layers': 'ConvRecurrent2D'},
    'keras.layers.local keras.layers.pooling': {'keras.layers': 'conv_output_length'},
    'keras.layers.recurrent': {'keras.layers': 'Recurrent time_distributed_dense'},
    'keras.layers.embeddings': {'keras.layers': 'Layer'},
    'keras.engine keras.engine.topology ': {'keras.layers.keras1': 'Merge merge'},
    'keras.models': {
        'keras.layers': 'Merge', 'keras.layers.keras2_node': 'Node', 'keras.optimizers': 'optimizer_from_config',
        'keras.utils.io_utils': 'ask_to_proceed_with_overwrite', 'keras.utils.layer_utils': 'get_source_inputs'},
    'keras.optimizers': {'keras.saving.serialization': 'get_custom_objects'},
    'keras.engine.topology': {
        'keras.utils.io_utils': 'ask_to_proceed_with_overwrite', 'keras.utils.generic_utils': 'object_list_uid',
        'keras.layers.functions': 'func_dump func_load'},
    'keras.engine.training': {
        'keras.models.model': 'Model as Container', 'keras.utils.data_utils': 'GeneratorEnqueuer Progbar',
        'keras.utils.generic_utils': 'slice_arrays as slice_X',
        'keras.training.standardizing': """batch_shuffle check_array_lengths check_loss_and_target_compatibility
            collect_metrics make_batches standardize_class_weights standardize_input_data
            standardize_sample_or_class_weights standardize_sample_weights standardize_weights
            weighted_objective"""},
    'keras.utils.layer_utils': {
        'keras.models': 'Model Sequential', 'keras.legacy.functions': 'get_from_module',
        'keras.layers.keras1': 'merge placeholder as Input', 'keras.saving.serialization': 'get_custom_objects'},
    'keras.backend': {'keras.legacy.tensorflow_version': 'tf_major_version tf_minor_version'},
}

# What the modules of networks had besides: Keras 1 the layers that it built them of and addresses, Keras 2 the way to
# keras-applications.
_WEIGHTS_OF_KERAS_1 = """{0}_TH as TH_WEIGHTS_PATH {0}_TH_NO_TOP as TH_WEIGHTS_PATH_NO_TOP
                         {0}_TF as TF_WEIGHTS_PATH {0}_TF_NO_TOP as TF_WEIGHTS_PATH_NO_TOP"""
_OF_NETWORKS = {
    """densenet imagenet_utils inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 nasnet resnet resnet50 resnet_v2
       vgg16 vgg19 xception""": {
        'keras.applications': 'keras_modules_injection', 'keras.utils.downloads': 'get_file'},
    'inception_v3 music_tagger_crnn resnet50 vgg16 vgg19 xception ': {
        'keras.layers': """Activation AveragePooling2D BatchNormalization Conv2D Convolution2D Dense Dropout ELU Flatten
            GRU GlobalAveragePooling2D MaxPooling2D Permute Reshape SeparableConv2D ZeroPadding2D merge""",
        'keras.layers.keras1': 'placeholder as Input',
        'keras.models': 'Model', 'keras.utils.layer_utils': 'convert_all_kernels_in_model get_source_inputs'},
    'inception_v3': {'keras.applications.keras1': 'conv2d_bn ' + _WEIGHTS_OF_KERAS_1.format('INCEPTION')},
    'resnet50': {'keras.applications.keras1': _WEIGHTS_OF_KERAS_1.format('RESNET50')},
    'vgg16': {'keras.applications.keras1': _WEIGHTS_OF_KERAS_1.format('VGG16')},
    'vgg19': {'keras.applications.keras1': _WEIGHTS_OF_KERAS_1.format('VGG19')},
    'xception': {'keras.applications.keras1': """XCEPTION_TF as TF_WEIGHTS_PATH
                                                  XCEPTION_TF_NO_TOP as TF_WEIGHTS_PATH_NO_TOP"""},
}


def _add(names, package=''):
    """Take `names`, whose keys may be several addresses below `package` separated by spaces, into `NAMES`."""
    for addresses, found in names.items():
        for address in addresses.split():
            for module, words in found.items():
                known = NAMES.setdefault(package + address, {})
                known[module] = ('%s %s' % (known.get(module, ''), words)).strip()


# Keras 3's own backend functions, which are not among the public ones of `keras.backend`.
_OF_KERAS_3 = {
    'keras.src': {'keras.models': 'Functional'},
    'keras.src.backend': {
        'keras.ops': 'cond convert_to_numpy convert_to_tensor scatter vectorized_map',
        'keras': 'KerasTensor StatelessScope SymbolicScope Variable Variable as BackendVariable',
        'keras.backend.state.scopes': 'device as device_scope in_symbolic_scope',
        'keras.utils.internals': """IS_THREAD_SAFE SUPPORTS_COMPLEX_DTYPES SUPPORTS_RAGGED_TENSORS
            SUPPORTS_SPARSE_TENSORS any_symbolic_tensors compute_output_spec get_stateless_scope in_stateless_scope
            random_seed_dtype standardize_data_format"""},
    """keras.src.backend.tensorflow.core keras.src.backend.jax.core keras.src.backend.torch.core
       keras.src.backend.core""": {
        'keras': 'KerasTensor StatelessScope SymbolicScope Variable',
        'keras.backend.state.scopes': 'device as device_scope',
        'keras.utils.internals': 'compute_output_spec'},
    'keras.backend.common.keras_tensor': {'keras.utils.internals': 'any_symbolic_tensors'},
    'keras.backend.common': {
        'keras': 'KerasTensor StatelessScope SymbolicScope Variable',
        'keras.utils.internals': 'any_symbolic_tensors get_stateless_scope in_stateless_scope'},
    'keras.backend.common.stateless_scope': {
        'keras': 'StatelessScope', 'keras.utils.internals': 'get_stateless_scope in_stateless_scope'},
    'keras.backend.common.symbolic_scope': {
        'keras': 'SymbolicScope', 'keras.backend.state.scopes': 'in_symbolic_scope'},
    'keras.backend.common.name_scope': {'keras': 'name_scope'},
    'keras.backend.common.remat': {'keras': 'RematScope remat'},
    'keras.backend.common.global_state': {
        'keras.utils.internals': 'get_global_attribute set_global_attribute', 'keras.utils': 'clear_session'},
    'keras.backend.config': {'keras.utils.internals': 'standardize_data_format'},
}


_add(_OF_KERAS_1)
_add(_OF_KERAS_3)
_add(_OF_MIXED_PRECISION)
_add(_OF_NETWORKS, 'keras.applications.')


def _expanded():
    """{address: the modules whose names it has} from `MODULES`."""
    return {'.'.join(part for part in ('keras', package, module) if part): sources.split()
            for sources, packages in MODULES.items() for package, modules in packages.items()
            for module in modules.split()}


SOURCES = _expanded()
# What has to be a package for the import system.
PARENTS = {address.rpartition('.')[0] for address in SOURCES}
# Packages whose modules nobody outside imports.
INNER = ('backend', 'training', 'legacy', 'api')


def is_public(address):
    """Whether other Kerases may have more in our module `address`."""
    parts = address.split('.')
    return len(parts) == 2 or len(parts) == 3 and parts[1] not in INNER


def has_more(address):
    """Whether the table gives anything to our module `address`."""
    return address in PARENTS or address in NAMES


def given_names(address):
    """{name: (the module that has it, its name there)} of what `NAMES` gives to an address."""
    found = {}
    for module, names in NAMES.get(address, {}).items():
        for name in names.replace(' as ', '=').split():
            there, _, here = name.partition('=')
            found[here or there] = module, there
    return found


def same_module(address):
    """The name under which we have the module that `TREES` and `BELOW` say `address` is; '' for any other."""
    tree, rest = address, ''
    while tree:
        target = TREES.get(tree) or rest and BELOW.get(tree)
        if target:
            return target + rest
        tree, _, last = tree.rpartition('.')
        rest = '.%s%s' % (last, rest)
    return ''
