"""Arguments whose sizes do not belong together raise on every engine: no kernel gets them, to look past its arrays."""
import harness
import numpy as np
import pytest

from keras.backend.contract.loading import get_engine
from keras.backend.table.abstract import evaluate
from keras.backend.table.entries import TABLE

NAMES = sorted({case.entry.name for case in harness.table_cases(tensors=True) if harness.arrays(case.arguments())})


def with_other_sizes(args):
    """`args` with one axis of one array a row longer or shorter, in all ways; and a few words on each."""
    leaves = [np.asarray(leaf) for leaf in harness.arrays(args)]
    for position, leaf in enumerate(leaves):
        for axis in range(leaf.ndim):
            for size in {leaf.shape[axis] + 1, max(leaf.shape[axis] - 1, 1)}:
                if leaf.size:
                    changed = np.take(leaf, np.arange(size) % leaf.shape[axis], axis)
                    yield ('array %d, axis %d of size %d' % (position, axis, size),
                           harness.replaced(args, leaves[:position] + [changed] + leaves[position + 1:]))


def is_refused(entry, args):
    """Whether shape inference refuses the arguments."""
    try:
        evaluate(entry, harness.abstract(args))
    except (ValueError, TypeError):
        return True
    return False


@pytest.mark.parametrize('name', NAMES)
def test_sizes_that_shape_inference_refuses_are_refused_by_the_engine(name):
    # Where the engine has no kernel of its own for a composite, one set of arguments will do.
    every = name in get_engine().overrides or 'conv' in name
    for case in harness.table_cases(tensors=True, first=not every):
        if case.entry.name == name:
            for words, args in with_other_sizes(case.arguments()):
                if is_refused(case.entry, args):
                    try:
                        harness.host(harness.call(case.entry, harness.native(args)))
                    except Exception:  # whatever the engine raises will do, as long as it does
                        continue
                    pytest.fail('%s takes %s' % (case.id, words))


@pytest.mark.parametrize('name', ['simple_rnn_sequence', 'lstm_sequence', 'gru_sequence'])
def test_states_of_another_batch_are_named_with_their_sizes(name):
    """Three samples, states for two."""
    args = harness.Case(TABLE[name], 0).arguments()
    args[0] = np.concatenate([args[0], args[0][:1]])
    with pytest.raises(ValueError, match=r'%s: the inputs have 3 rows.*has \(2, ' % name):
        harness.call(TABLE[name], harness.native(args))
    step = get_engine().step(lambda *leaves: harness.call(TABLE[name], harness.replaced(args, leaves)), [], [])
    with pytest.raises(ValueError, match='the inputs have 3 rows'):
        step(*harness.arrays(args))
