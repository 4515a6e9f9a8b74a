"""The version of the package, read by `keras` and by `setup.py`."""
__version__ = '4.0.0'
