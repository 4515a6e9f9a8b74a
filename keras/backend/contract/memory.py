"""The memory of the process."""
import ctypes
import os
import sys

# Of glibc's <malloc.h>, and bytes: memory up to the first comes from the heap, which is given back from the second on.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_FROM_THE_HEAP, _KEPT = 1 << 25, 1 << 28


def keep_freed(by_threads=False):
    """Have the C library keep freed memory, up to 256 MB, for whatever is asked for next.

    By default tensors of more than a few megabytes are given back to the system when they are freed, and the next ones
    are made of new pages, each of which takes the system longer than the processor needs for the numbers in it. Who has
    set `MALLOC_TRIM_THRESHOLD_` or its kin has decided on that. On other systems than Linux with glibc nothing changes.

    Args:
        by_threads: whether tensors are made by threads of the library. Memory that threads have for themselves is
            always given back, so they get none.
    """
    if not sys.platform.startswith('linux') or any(name.startswith('MALLOC_') for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _FROM_THE_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)
        if by_threads:
            mallopt(_ARENA_MAX, 1)
