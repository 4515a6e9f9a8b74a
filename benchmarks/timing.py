"""Taking the time of peers so that both meet the same noise."""
import gc
import time


def alternate(functions, rounds, repeat=1):
    """The least seconds of one call of each function, taken in turns.

    Args:
        functions: list of functions without arguments. rounds: how often the turn goes round.
        repeat: calls per measurement.
    """
    least = [float('inf')] * len(functions)
    for function in functions:
        function()
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for index, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(repeat):
                function()
            least[index] = min(least[index], (time.perf_counter() - start) / repeat)
    gc.enable()
    return least
