"""A training step that the model defines itself, as Keras 3's guides write it, beside the built-in step and raw code.

Run as a script: `KERAS_BACKEND=torch python own_step.py ROUNDS`, with our keras or upstream's on the path. The work is
`mlp` of `works.py`. Prints seconds of a step as JSON.
"""
import json
import os
import sys

import timing
import works


def own_torch(keras):
    import torch

    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            self.zero_grad()
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            loss.backward()
            trainable = list(self.trainable_weights)
            gradients = [weight.value.grad for weight in trainable]
            with torch.no_grad():
                self.optimizer.apply(gradients, trainable)
            for metric in self.metrics:
                metric.update_state(loss) if metric.name == 'loss' else metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}
    return Own


def own_tensorflow(keras):
    import tensorflow as tf

    class Own(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                metric.update_state(loss) if metric.name == 'loss' else metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}
    return Own


def own_jax(keras):
    import jax

    class Own(keras.Model):
        def compute_loss_and_updates(self, trainable, others, x, y):
            y_pred, others = self.stateless_call(trainable, others, x, training=True)
            return self.compute_loss(x, y, y_pred), (y_pred, others)

        def train_step(self, state, data):
            trainable, others, optimizer, metrics = state
            x, y = data
            (loss, (y_pred, others)), gradients = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)(
                trainable, others, x, y)
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
            found, logs = [], {}
            for metric in self.metrics:
                mine = metrics[len(found):len(found) + len(metric.variables)]
                mine = metric.stateless_update_state(mine, *((loss,) if metric.name == 'loss' else (y, y_pred)))
                logs[metric.name] = metric.stateless_result(mine)
                found += mine
            return logs, (trainable, others, optimizer, found)
    return Own


def own_model(work, make):
    """The model of a work with a `train_step` of its own."""
    import keras
    built_in = works.model(work)
    model = make(keras)(built_in.inputs, built_in.outputs)
    model.compile(optimizer=keras.optimizers.Adam(works.LEARNING_RATE),
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return built_in, model


def main(rounds):
    engine, work = os.environ['KERAS_BACKEND'], 'mlp'
    peers = [] if works.keras_is_upstream() else [works.raw_peer(engine, work)]
    built_in, own = own_model(work, {'torch': own_torch, 'jax': own_jax, 'tensorflow': own_tensorflow}[engine])
    x, y = works.data(work)
    batch, steps = works.BATCH[work], works.STEPS[work]

    def fit(model):
        return lambda: model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    times = timing.alternate([fit(own), fit(built_in)] + [lambda peer=peer: peer.fit(x, y, batch) for peer in peers],
                             rounds)
    print(json.dumps(dict(zip(('own', 'built-in', 'raw'), [seconds / steps for seconds in times]))))


if __name__ == '__main__':
    main(int(sys.argv[1]))
