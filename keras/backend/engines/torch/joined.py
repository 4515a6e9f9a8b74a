"""Parts of steps that go through `torch.compile`, as `jit_compile=True` asks for."""
import warnings

import torch


def say_why_not(reason):
    """Warn that a step which was to be compiled runs as always."""
    warnings.warn('jit_compile=True: a step runs uncompiled on the torch engine, because %s.' % reason, stacklevel=2)


class Joiner:
    """Has the functions of one step compiled; where that fails it says why, once, and all of them run as they are."""

    def __init__(self):
        self._failed = False

    def joined(self, function):
        """`function`, which has no effects but through its results, compiled at its first call."""
        compiled = None

        def run(*args):
            nonlocal compiled
            if not self._failed:
                try:
                    if compiled is None:
                        compiled = torch.compile(function, fullgraph=True, dynamic=False)
                    return compiled(*args)
                except Exception as error:
                    self._failed = True
                    say_why_not('torch.compile failed: %s' % _in_short(error))
            return function(*args)
        return run


def _in_short(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return '%s: %s' % (type(error).__name__, ' '.join(lines[:2])[:300])
