"""Walks over models visit each layer a bounded number of times, however many layers there are."""
import sys

import pytest

from keras import layers
from keras.models import Model, Sequential, clone_model
from keras.models.forward import Forward


def chain(count):
    x = inputs = layers.Input((2,))
    for _ in range(count):
        x = layers.Dense(2, kernel_regularizer='l2', activity_regularizer='l2')(x)
    return Model(inputs, x)


def stack(count):
    return Sequential([layers.Dense(2, input_shape=(2,))] + [layers.Dense(2) for _ in range(count - 1)])


def residual(count):
    x = inputs = layers.Input((2,))
    outputs = []
    for _ in range(count // 2):
        x = layers.Add()([x, layers.Activation('relu')(x)])
        x._keras_history[0].add_loss(x)
        outputs.append(x)
    return Model(inputs, outputs)


def shared(count):
    layer, outputs = layers.Dense(2), [layers.Input((2,))]
    for _ in range(count):
        outputs.append(layer(outputs[-1]))
    return Model(outputs[0], outputs[1:])


def nested(count):
    return Sequential([Sequential([layers.Dense(2, input_shape=(2,))]) for _ in range(count)])


def calls(function):
    """How many function calls `function` makes: a measure of work that no other process disturbs."""
    count = [0]

    def profile(frame, event, argument):
        count[0] += 1
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count[0]


def popped(model):
    for _ in model.layers:
        model.pop()


WALKS = {name: (lambda model, name=name: getattr(model, name)) for name in (
    'weights', 'trainable_weights', 'non_trainable_weights', 'variables', 'non_trainable_variables', 'layers', 'losses',
    'updates', 'output_names')}
WALKS.update(
    config=lambda model: type(model).from_config(model.get_config()), clone_model=clone_model,
    summary=lambda model: model.summary(print_fn=lambda line: None), compile=lambda model: model.compile('sgd', 'mse'),
    losses_for=lambda model: model.get_losses_for(model.inputs),
    additions=lambda model: Forward(model, False).additions(),
    shape=lambda model: model.compute_output_shape((None, 2)),
    trainable=lambda model: setattr(model, 'trainable', True))


@pytest.mark.parametrize('make', [chain, stack, residual, shared, nested])
def test_walks_take_time_in_proportion_to_the_layers(make):
    make(4)
    assert calls(lambda: make(48)) < 5 * calls(lambda: make(12))
    one, few, many = make(4), make(12), make(48)
    growth = {}
    for name, walk in sorted(WALKS.items()):
        walk(one)
        growth[name] = calls(lambda: walk(many)) / calls(lambda: walk(few))
    assert {name: found for name, found in growth.items() if found > 5} == {}
    if isinstance(many, Sequential):
        assert calls(lambda: popped(many)) < 5 * calls(lambda: popped(few))
