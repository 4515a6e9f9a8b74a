"""Callbacks: what a training loop calls at its turning points.

`base.py` has the interface, `progress.py` the progress bar, `control.py` what steers training, `writers.py` what
writes files or sends logs away.
"""
from keras.callbacks.base import BaseLogger, Callback, CallbackList, History, LambdaCallback
from keras.callbacks.control import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN
from keras.callbacks.progress import ProgbarLogger
from keras.callbacks.writers import CSVLogger, ModelCheckpoint, RemoteMonitor
