"""What layers know of themselves follows every change of what they hold, however it comes about."""
import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import keras
from keras import layers, metrics
from keras.models import Model, Sequential

pytestmark = pytest.mark.on('numpy')


def dense(units=2):
    layer = layers.Dense(units)
    layer.build((None, 3))
    return layer


class Owner(layers.Layer):
    """A layer with parts of all kinds."""

    def __init__(self):
        super().__init__()
        self.plain, self.parts, self.named, self.counter = None, [dense()], {'deep': [(dense(),)]}, 0

    def call(self, inputs):
        return inputs


def everything(layer):
    """All that is known of a layer, asked for again and again: the last answers are those that were kept."""
    first, *others = [[list(map(id, found)) for found in (
        layer.trainable_weights, layer.non_trainable_weights, layer.weights, layer.metrics, layer.walk_layers(),
        layer.variables)] for _ in range(4)]
    assert others == [first] * 3
    return first


def weights_of(*parts):
    return [weight for part in parts for weight in part.weights]


def assert_weights(layer, *parts):
    everything(layer)
    assert list(map(id, layer.weights)) == list(map(id, weights_of(*parts)))
    assert set(map(id, layer.walk_layers())) >= set(map(id, parts))


def test_attributes_and_what_is_inside_of_containers():
    owner = Owner()
    first, deep = owner.parts[0], owner.named['deep'][0][0]
    assert_weights(owner, first, deep)
    owner.plain = dense()
    assert_weights(owner, owner.plain, first, deep)
    owner.plain = dense()  # another one of the same type
    assert_weights(owner, owner.plain, first, deep)
    owner.parts.append(dense())
    assert_weights(owner, owner.plain, first, owner.parts[1], deep)
    owner.parts[0] = dense()  # as many as before
    assert_weights(owner, owner.plain, *owner.parts, deep)
    owner.named['deep'][0] = (dense(),)
    assert_weights(owner, owner.plain, *owner.parts, owner.named['deep'][0][0])
    owner.named['other'] = dense()
    assert_weights(owner, owner.plain, *owner.parts, owner.named['deep'][0][0], owner.named['other'])
    del owner.plain, owner.named['deep']
    assert_weights(owner, *owner.parts, owner.named['other'])


def test_what_only_counts_is_kept():
    owner = Owner()
    everything(owner)
    tree = owner._noted.tree
    owner.counter, owner.call_losses = 1, None
    owner.call_losses = None
    everything(owner)
    kept = owner._noted.tree
    assert kept is not tree  # there was a new attribute
    owner.counter = 2
    everything(owner)
    assert owner._noted.tree is kept


def test_changes_deep_inside_of_models():
    inputs = keras.Input((3,))
    inner = Owner()
    model = Model(inputs, layers.Dense(1)(inner(inputs)))
    outer = Sequential([keras.Input((3,)), model])
    before = len(outer.weights)
    assert everything(outer) and before == 6
    inner.parts.append(dense())
    assert len(everything(outer)[2]) == before + 2
    inner.parts[-1].extra = inner.parts[-1].add_weight(name='extra', shape=(), trainable=False)
    assert len(everything(outer)[2]) == before + 3 and len(outer.non_trainable_weights) == 1
    outer.add(layers.Dense(1))
    assert len(everything(outer)[2]) == before + 5
    outer.pop()
    assert len(everything(outer)[2]) == before + 3


def test_trainable_of_layers_and_of_weights():
    owner = Owner()
    kernel = owner.parts[0].kernel
    assert len(owner.trainable_weights) == 4
    kernel.trainable = False
    everything(owner)
    assert len(owner.trainable_weights) == 3 and any(weight is kernel for weight in owner.non_trainable_weights)
    kernel.trainable = True
    owner.parts[0].trainable = False
    everything(owner)
    assert len(owner.trainable_weights) == 2 and len(owner.weights) == 4
    owner.parts[0]._trainable = True  # as a property of a subclass does
    everything(owner)
    assert len(owner.trainable_weights) == 4


def test_metrics():
    owner = Owner()
    assert owner.metrics == []
    owner.parts[0].seen = metrics.Mean(name='seen')
    assert [metric.name for metric in owner.metrics] == ['seen']
    owner.parts[0].seen = metrics.Mean(name='other')
    everything(owner)
    assert [metric.name for metric in owner.metrics] == ['other']
    owner.several = [metrics.Mean(name='a')]
    owner.several.append(metrics.Mean(name='b'))
    everything(owner)
    assert [metric.name for metric in owner.metrics] == ['a', 'b', 'other']


def test_what_is_given_is_not_what_is_kept():
    owner = Owner()
    for name in ('weights', 'trainable_weights', 'non_trainable_weights', 'metrics'):
        getattr(owner, name).append(None)
        assert None not in getattr(owner, name)
    owner.walk_layers().clear()
    assert owner.walk_layers()[0] is owner


def test_subclasses_that_say_what_their_weights_are():
    class Chosen(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner, self.all = dense(), False

        @property
        def trainable_weights(self):
            return self.inner.trainable_weights if self.all else self.inner.trainable_weights[:1]

        @property
        def non_trainable_weights(self):
            return []

    owner = Owner()
    owner.plain = Chosen()
    everything(owner)
    assert len(owner.trainable_weights) == 5
    owner.plain.all = True
    everything(owner)
    assert len(owner.trainable_weights) == 6


@pytest.mark.parametrize('copied', [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_know_of_themselves(copied):
    layer = dense()
    layer.parts = [dense()]
    everything(layer)
    other = copied(layer)
    other.parts = []
    everything(other)
    assert len(other.weights) == 2 and len(layer.weights) == 4 and other.walk_layers() == [other]
    assert layer.walk_layers() == [layer] + layer.parts


def test_arrays_and_tensors_are_not_kept_alive():
    import gc
    import weakref
    layer = dense()
    layer.seen = np.zeros(3).view(type('Array', (np.ndarray,), {}))
    everything(layer)
    seen = weakref.ref(layer.seen)
    layer.seen = None
    gc.collect()
    assert seen() is None


def test_an_object_with_the_attributes_of_another_has_its_own_weights():
    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inside = dense(3)
    first = Holder()
    for _ in range(5):
        first.weights
    second = object.__new__(Holder)
    second.__dict__.update(first.__dict__)
    second.inside = dense(7)
    assert [weight.shape for weight in second.weights] == [(3, 7), (7,)]
    assert [weight.shape for weight in first.weights] == [(3, 3), (3,)]


def test_layers_are_freed_without_the_collector():
    layer = dense()
    for _ in range(5):
        layer.weights, layer.trainable_weights, layer._flatten_layers()
    gone = weakref.ref(layer)
    gc.disable()
    try:
        del layer
        assert gone() is None
    finally:
        gc.enable()


def test_long_lists_are_looked_through():
    owner = layers.Layer()
    owner.numbers, owner.parts = list(range(20000)), []
    for count in range(5):
        assert len(owner.weights) == 2 * count
        owner.parts.append(dense())
