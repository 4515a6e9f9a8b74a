"""Callbacks: what a training loop calls at its turning points.

`base.py` has the interface, `callback_list.py` what calls several, `progress.py` the progress bar (`screens.py` where),
`control.py` what steers training, `writers.py` and `orbax.py` what writes files or sends logs away, `backup.py` what
lets a training go on, `tensorboard.py` what TensorBoard shows (`event_files.py` how), `tuning.py` what finds settings
and rehearses a training, `diagnostics.py` what looks into one, `saying.py` the lines that they print.
"""
from keras import lazy

lazy.attach(
    __name__,
    modules="""backup base callback_list control diagnostics event_files orbax progress saying screens tensorboard
               tuning writers""",
    names={
        'keras.callbacks.backup': 'BackupAndRestore',
        'keras.callbacks.base': 'BaseLogger Callback History LambdaCallback',
        'keras.callbacks.callback_list': 'CallbackList',
        'keras.callbacks.control': 'EarlyStopping LearningRateScheduler ReduceLROnPlateau SwapEMAWeights '
                                   'TerminateOnNaN',
        'keras.callbacks.diagnostics': 'GradientNorms LayerProfiler NaNDetector Throughput',
        'keras.callbacks.orbax': 'OrbaxCheckpoint',
        'keras.callbacks.progress': 'Progbar ProgbarLogger',
        'keras.callbacks.tensorboard': 'TensorBoard',
        'keras.callbacks.tuning': 'BatchSizeFinder LearningRateFinder OverfitBatches SanityCheckValidation',
        'keras.callbacks.writers': 'CSVLogger ModelCheckpoint RemoteMonitor',
    })
