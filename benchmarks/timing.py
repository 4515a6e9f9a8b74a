"""Taking the time of peers so that both meet the same noise."""
import gc
import os
import time

# On a machine that others use as well, the processor's time of this process tells more than the clock on the wall.
by_processor = os.environ.get('KERAS_BENCHMARK_CLOCK') == 'cpu'
now = time.process_time if by_processor else time.perf_counter


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
            start = now()
            for _ in range(repeat):
                function()
            least[index] = min(least[index], (now() - start) / repeat)
    gc.enable()
    return least
