"""Cases that are known to fail, by engine: {(check, entry or case): reason}.

A case listed here that passes fails the run, so the table cannot go stale.
"""
EXPECTED = {
    'numpy': {
        ('unknown_sizes', 'squeeze-1'): 'which axes go where none are named cannot be known before the sizes are',
    },
    'tensorflow': {},
    'jax': {},
    'torch': {},
}
