"""Where batches come from: `Feed` is the protocol, with a class for each kind of data; `Intake` makes them.

`layout.py` says what a batch looks like, `host.py` turns what users pass into NumPy arrays.
"""
