"""Models in the formats of other runtimes: `model.export(path, format=...)`."""
from keras import lazy

lazy.attach(__name__, names={'keras.export.archive': 'ExportArchive', 'keras.export.formats': 'export_model'})
