"""Cases that are known to fail, by engine: {(check, entry or case): reason}.

A case listed here that passes fails the run, so the table cannot go stale.
"""
EXPECTED = {
    'numpy': {},
    'tensorflow': {},
    'jax': {},
    'torch': {},
}
