"""Walks over models of very many layers: each must take time in proportion to the layers. No engine is needed.

Run as a script: `python walks.py [LAYERS]`. Prints {walk: [seconds for a quarter of the layers, seconds for all]} as
JSON, and the seconds of `non_trainable_variables` of a model of 600 layers.
"""
import gc
import json
import os
import sys

import timing

ROUNDS = 3


def chain(keras, count):
    x = inputs = keras.layers.Input((2,))
    for _ in range(count):
        x = keras.layers.Dense(2, kernel_regularizer='l2', activity_regularizer='l2')(x)
    return keras.Model(inputs, x)


def stack(keras, count):
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(2,))])
    for _ in range(count - 1):
        model.add(keras.layers.Dense(2))
    return model


def emptied(model):
    for _ in model.layers:
        model.pop()


def residual(keras, count):
    """A graph whose layers have several inputs, and outputs at every step."""
    x = inputs = keras.layers.Input((2,))
    outputs = []
    for _ in range(count // 2):
        x = keras.layers.Add()([x, keras.layers.Activation('relu')(x)])
        outputs.append(x)
    return keras.Model(inputs, outputs)


def shared(keras, count):
    """One layer called very often, each call an output."""
    layer, outputs = keras.layers.Dense(2), [keras.layers.Input((2,))]
    for _ in range(count):
        outputs.append(layer(outputs[-1]))
    return keras.Model(outputs[0], outputs[1:])


def nested(keras, count):
    """A stack of models."""
    return keras.Sequential([keras.Sequential([keras.layers.Dense(2, input_shape=(2,))]) for _ in range(count)])


def with_losses(keras, count):
    model = chain(keras, count)
    for layer in model.layers[1:]:
        layer.add_loss(layer.output)
    return model


def silent(_):
    pass


def walks_of(keras, model, name):
    """{walk: function of nothing} for one model."""
    walks = {attribute: (lambda attribute=attribute: getattr(model, attribute)) for attribute in (
        'weights', 'trainable_weights', 'non_trainable_weights', 'variables', 'non_trainable_variables', 'layers',
        'losses', 'updates', 'metrics', 'output_names')}
    config = model.get_config()
    walks.update({
        'get_config': model.get_config, 'from_config': lambda: type(model).from_config(config),
        'to_json': model.to_json, 'clone_model': lambda: keras.models.clone_model(model),
        'summary': lambda: model.summary(print_fn=silent), 'compile': lambda: model.compile('sgd', 'mse'),
        'get_losses_for': lambda: model.get_losses_for(model.inputs),
        'compute_output_shape': lambda: model.compute_output_shape((None, 2)),
        'trainable': lambda: setattr(model, 'trainable', True)})
    return {'%s, %s' % (walk, name): function for walk, function in walks.items()}


def measured(keras, count):
    """{walk: seconds} for models of `count` layers."""
    result = {}
    for make in (chain, stack, residual, shared, nested, with_losses):
        name = make.__name__.replace('_', ' ')
        seconds, model = _once(lambda: make(keras, count))
        result['building, ' + name] = seconds
        for walk, function in walks_of(keras, model, name).items():
            result[walk] = min(_once(function)[0] for _ in range(ROUNDS))
    result['pop, stack'] = _once(lambda model=stack(keras, count): emptied(model))[0]
    return result


def _once(function):
    gc.collect()
    gc.disable()
    start = timing.now()
    value = function()
    seconds = timing.now() - start
    gc.enable()
    return seconds, value


def main(layers):
    import keras
    model = stack(keras, 600)
    of_600, = timing.alternate([lambda: model.non_trainable_variables], 5)
    few, many = measured(keras, layers // 4), measured(keras, layers)
    print(json.dumps({'non_trainable_variables of 600': of_600, 'walks': {walk: [few[walk], many[walk]]
                                                                          for walk in many}}))


if __name__ == '__main__':
    os.environ.setdefault('KERAS_BACKEND', 'numpy')
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
