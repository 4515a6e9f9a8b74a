"""Seeds: the global one, and sources of seeds for random operations."""
import contextlib
import random
import zlib

import numpy as np

from keras import generations
from keras.backend.contract.context import context
from keras.backend.contract.loading import active, engine_name, get_engine
from keras.backend.state.scopes import current_names
from keras.backend.state.uids import numbered_name
from keras.backend.state.variables import Variable


class GlobalSeed:
    """The seed given to `set_random_seed` (None: not set), and how many seeds have been taken from it."""
    seed = None
    taken = 0
    generator = None


global_seed = GlobalSeed()


def set_global_seed(seed):
    """Make all seeds drawn from now on, and the engine's own random state, follow from `seed` (an int)."""
    global_seed.seed, global_seed.taken, global_seed.generator = int(seed), 0, None
    if active.engine is not None:
        active.engine.seed(int(seed))


@contextlib.contextmanager
def undisturbed():
    """A `with` block whose draws of seeds change nothing for what comes after it."""
    of_numpy, taken = np.random.get_state(), global_seed.taken
    try:
        yield
    finally:
        np.random.set_state(of_numpy)
        global_seed.taken = taken


def random_state():
    """The state of everything that gives random numbers outside of layers, as plain values: Python's `random`, NumPy's
    global generator, the global seed and its generator, and the active engine's own.
    """
    generator, engine = global_seed.generator, active.engine
    state = {'python': random.getstate(), 'numpy': np.random.get_state(), 'seed': global_seed.seed,
             'taken': global_seed.taken}
    if generator is not None:
        state['generator'] = generator.state.numpy()
        state['streams'] = generator.stream_states()
    of_engine = None if engine is None else engine.random_state()
    if of_engine is not None:
        state['engine'] = {engine.name: of_engine}
    return state


def set_random_state(state):
    """Go on as it was when `random_state` gave `state`."""
    random.setstate(state['python'])
    np.random.set_state(state['numpy'])
    global_seed.seed, global_seed.taken = state['seed'], state['taken']
    if 'generator' in state:
        generator = global_seed_generator()
        generator.state.assign(state['generator'])
        generator.restore_streams(state['streams'])
    engine = get_engine()
    if engine.name in state.get('engine', {}):
        engine.set_random_state(state['engine'][engine.name])


def draw_host_seed():
    """A fresh seed (an int below 2**31) for whatever was given none.

    It follows from the global seed where one was set, otherwise from NumPy's global generator, so that
    `np.random.seed(1337)`, as scripts of all ages start with, makes a run repeatable.
    """
    if global_seed.seed is None:
        return int(np.random.randint(1, 2 ** 31 - 1))
    global_seed.taken += 1
    return zlib.crc32(('%d/%d' % (global_seed.seed, global_seed.taken)).encode()) >> 1


class SeedGenerator:
    """A source of seeds for random operations: the same sequence for the same `seed`.

    Args:
        seed: an int, or None to draw one.

    Example:
        >>> generator = keras.random.SeedGenerator(1337)
        >>> keras.random.normal((2, 3), seed=generator).shape
        (2, 3)
    """

    def __init__(self, seed=None, name=None, **kwargs):
        if kwargs:
            raise ValueError('SeedGenerator: Unrecognized keyword arguments: %s.'
                             % ', '.join(map(repr, sorted(kwargs))))
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise ValueError('SeedGenerator: Argument `seed` must be an integer (an int or None). Received: %r'
                             % (seed,))
        self._initial_seed = draw_host_seed() if seed is None else int(seed)
        named = generations.value('seeds_are_named')
        self.name = name or (numbered_name('seed_generator') if named else 'seed_generator')
        self.config = {'seed': seed, 'name': self.name}
        # On engines that draw from a stream of their own, the stream lives here (see Engine.draw_seed).
        self.streams = {}
        self.state = Variable(self.initial_state(), dtype='uint32', trainable=False,
                              name='seed_generator_state' if named else self.name + '_state')
        if named:
            self.state.path = '/'.join(current_names() + [self.name, self.state.name])

    def initial_state(self):
        return np.array([self._initial_seed & 0xffffffff, 0], dtype='uint32')

    def advance(self):
        """The current state as a tensor of two uint32, and count one further for the next call."""
        state = self.state.value
        self.state.assign_add(np.array([0, 1], dtype='uint32'))
        return state

    def next(self, ordered=True):
        """A seed: two uint32 as a tensor, others at every call. Draws are in order, whether `ordered` asks or not."""
        if context.tracing is None and not context.abstract and not active.lent and get_engine().draws_from_streams:
            if self.streams:
                self.advance()  # the stream was started from what stands in the state
            seed = self.state + np.zeros(2, 'uint32')  # a copy: `advance` may write in place
            self.advance()
            return seed
        return self.draw()

    def draw(self):
        """What the random primitives take as the seed of one draw."""
        if context.tracing is not None and not context.abstract:
            return context.tracing.seed()
        if active.lent:
            return active.engine.pipeline_seed(self)
        return get_engine().draw_seed(self) if not context.abstract else self.state.value

    @property
    def variables(self):
        return [self.state]

    def get_config(self):
        return dict(self.config)

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    # --- in files and copies

    def save_own_variables(self, store):
        store['0'] = self.state

    def load_own_variables(self, store):
        self.state.assign(store['0'])

    def stream_states(self):
        """{name of the active engine: state of its own stream, an array of uint8}; empty where it has none."""
        state = active.engine.stream_state(self) if active.engine is not None and self.streams else None
        return {} if state is None else {active.engine.name: state}

    def restore_streams(self, states):
        """Go on as the generator did that gave `stream_states`, where the active engine is the one it ran on."""
        name = engine_name()
        if name in states:
            get_engine().restore_stream(self, states[name])

    def __getstate__(self):
        return dict(self.__dict__, streams=self.stream_states())

    def __setstate__(self, state):
        self.__dict__.update(state, streams={})
        self.restore_streams(state['streams'])


def global_seed_generator():
    """The `SeedGenerator` of random operations that are given no seed."""
    if global_seed.generator is None:
        global_seed.generator = SeedGenerator(name='global_seed_generator')
    return global_seed.generator
