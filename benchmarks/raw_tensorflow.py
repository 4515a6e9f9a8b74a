"""The works in plain TensorFlow: `tf.function` steps, fused kernels for batch normalization and Adam."""
import numpy as np
import tensorflow as tf

import works


def _mlp(weights, statistics, x, training):
    hidden = tf.nn.relu(tf.nn.bias_add(tf.matmul(x, weights['w1']), weights['b1']))
    return tf.nn.bias_add(tf.matmul(hidden, weights['w2']), weights['b2'])


def _conv(weights, statistics, x, training):
    for index in range(len(works.FILTERS)):
        x = tf.nn.conv2d(x, weights['kernel%d' % index], 1, 'SAME')
        moving = statistics[index]
        scale, offset = weights['scale%d' % index], weights['offset%d' % index]
        if training:
            x, mean, variance = tf.compat.v1.nn.fused_batch_norm(x, scale, offset,
                                                                 epsilon=works.NORMALIZATION_EPSILON)
            for variable, value in zip(moving, (mean, variance)):
                variable.assign_sub((variable - value) * (1 - works.MOMENTUM))
        else:
            x, _, _ = tf.compat.v1.nn.fused_batch_norm(x, scale, offset, moving[0], moving[1],
                                                       works.NORMALIZATION_EPSILON, is_training=False)
        x = tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, 'VALID')
    return tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, weights['w'].shape[0])), weights['w']), weights['b'])


def _lstm(weights, statistics, x, training):
    embedded = tf.gather(weights['table'], tf.transpose(x))
    projected = tf.matmul(tf.reshape(embedded, (-1, works.EMBEDDED)), weights['kernel'])
    projected = tf.reshape(tf.nn.bias_add(projected, weights['bias']), (works.LENGTH, -1, 4 * works.LSTM_UNITS))
    recurrent = tf.convert_to_tensor(weights['recurrent'])
    steps = tf.TensorArray(tf.float32, works.LENGTH).unstack(projected)
    zeros = tf.zeros((tf.shape(x)[0], works.LSTM_UNITS))

    def step(index, h, c):
        i, f, g, o = tf.split(steps.read(index) + tf.matmul(h, recurrent), 4, 1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return index + 1, tf.sigmoid(o) * tf.tanh(c), c

    _, h, _ = tf.while_loop(lambda index, h, c: index < works.LENGTH, step, (0, zeros, zeros),
                            maximum_iterations=works.LENGTH)
    return tf.nn.bias_add(tf.matmul(h, weights['w']), weights['b'])


class Peer:
    def __init__(self, work):
        forward = {'mlp': _mlp, 'conv': _conv, 'lstm': _lstm}[work]
        weights = {name: tf.Variable(value) for name, value in works.initial_weights(work).items()}
        variables = list(weights.values())
        slots = [(tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in variables]
        powers = [tf.Variable(works.BETA_1), tf.Variable(works.BETA_2)]
        statistics = [(tf.Variable(tf.zeros(n)), tf.Variable(tf.ones(n))) for n in works.FILTERS]
        self.total = total = tf.Variable(0.0)

        def loss(logits, y):
            if work == 'lstm':
                return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
            return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))

        @tf.function
        def train(x, y):
            with tf.GradientTape() as tape:
                value = loss(forward(weights, statistics, x, True), y)
            gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(value, variables)]
            for variable, gradient, (first, second) in zip(variables, gradients, slots):
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle, m=first.handle, v=second.handle, beta1_power=powers[0],
                    beta2_power=powers[1], lr=works.LEARNING_RATE, beta1=works.BETA_1, beta2=works.BETA_2,
                    epsilon=works.EPSILON, grad=gradient)
            powers[0].assign(powers[0] * works.BETA_1)
            powers[1].assign(powers[1] * works.BETA_2)
            total.assign_add(value)

        @tf.function
        def test(x, y):
            total.assign_add(loss(forward(weights, statistics, x, False), y))

        self._train, self._test = train, test
        self._forward = tf.function(lambda x: forward(weights, statistics, x, False))

    def _run(self, step, x, y, batch, order):
        self.total.assign(0.0)
        for start in range(0, len(x), batch):
            chosen = slice(start, start + batch) if order is None else order[start:start + batch]
            step(tf.convert_to_tensor(x[chosen]), tf.convert_to_tensor(y[chosen]))
        return float(self.total) / (len(x) // batch)

    def fit(self, x, y, batch):
        return self._run(self._train, x, y, batch, np.random.permutation(len(x)))

    def evaluate(self, x, y, batch):
        return self._run(self._test, x, y, batch, None)

    def predict(self, x):
        return self._forward(tf.convert_to_tensor(x)).numpy()
