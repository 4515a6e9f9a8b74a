"""`keras.distillation`: the losses by hand, and a student that is trained."""

import json

import numpy as np
import pytest

import keras
from keras import distillation, layers

RNG = np.random.RandomState(0)
TEACHER, STUDENT = RNG.randn(2, 4, 3).astype('float32')


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def models(sizes=(5, 3), names=('first', 'last')):
    return [
        keras.Sequential(
            [
                layers.Dense(width, activation='relu', name=names[0], input_shape=(4,)),
                layers.Dense(sizes[1], name=names[1]),
            ]
        )
        for width in (sizes[0], sizes[0])
    ]


def value(loss, *outputs):
    return float(keras.ops.convert_to_numpy(loss.compute_loss(*outputs)))


@pytest.mark.parametrize('loss', ['kl_divergence', 'kld', keras.losses.KLDivergence()])
def test_soft_probabilities(loss):
    # Hinton et al., 2015: the divergence between the softened distributions, times the square of the temperature.
    p, q = softmax(TEACHER / 3.0), softmax(STUDENT / 3.0)
    expected = 9.0 * np.mean(np.sum(p * np.log(p / q), axis=-1))
    np.testing.assert_allclose(value(distillation.LogitsDistillation(3.0, loss), TEACHER, STUDENT), expected, rtol=1e-4)


def test_structures_of_outputs():
    loss = distillation.LogitsDistillation(2.0, ['mse', None])
    expected = np.mean((TEACHER - STUDENT) ** 2) / 4
    np.testing.assert_allclose(value(loss, [TEACHER, TEACHER], [STUDENT, STUDENT]), expected, rtol=1e-5)
    loss.validate_outputs([TEACHER, TEACHER], [STUDENT, STUDENT])
    for outputs in ([TEACHER], {'a': TEACHER, 'b': TEACHER}):
        with pytest.raises(ValueError, match='Loss structure mismatch'):
            loss.validate_outputs(outputs, outputs)
    with pytest.raises(ValueError):
        loss.validate_outputs([TEACHER, TEACHER], TEACHER)
    features = distillation.FeatureDistillation({'a': 'mae', 'b': 'mse'})
    np.testing.assert_allclose(
        value(features, {'a': TEACHER, 'b': TEACHER}, {'a': STUDENT, 'b': TEACHER}),
        np.mean(np.abs(TEACHER - STUDENT)),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    'make, message',
    [
        (lambda: distillation.LogitsDistillation(0.0), 'temperature must be positive'),
        (lambda: distillation.LogitsDistillation('warm'), 'temperature must be a number'),
        (lambda: distillation.LogitsDistillation(loss=None), 'at least one of the losses'),
        (lambda: distillation.FeatureDistillation([None, None]), 'at least one of the losses'),
        (lambda: distiller(distillation.FeatureDistillation('mse', 'nothing', 'first')), 'In teacher model'),
        (lambda: distiller(distillation.FeatureDistillation('mse', 'first', 'nothing')), 'In student model'),
        (lambda: distiller(None), 'cannot be `None`'),
        (lambda: distiller(weight=1.5), 'between 0.0 and 1.0'),
        (lambda: distiller(weight='half'), 'must be a number'),
        (lambda: distillation.Distiller(models()[0], 'student', distillation.LogitsDistillation()), 'Student must be'),
        (
            lambda: distillation.Distiller(models()[0], models((5, 2))[0], distillation.LogitsDistillation()),
            'incompatible',
        ),
        (lambda: distiller([distillation.LogitsDistillation()] * 2, weights=[1.0]), 'must match'),
        (lambda: distiller().compile('sgd'), "'loss' cannot be `None`"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def distiller(losses=distillation.LogitsDistillation(2.0), weight=0.5, weights=None):
    return distillation.Distiller(
        *models(), distillation_losses=losses, student_loss_weight=weight, distillation_loss_weights=weights
    )


def test_the_loss_of_a_batch_and_what_is_trained():
    model = distiller(
        [distillation.LogitsDistillation(2.0, 'mse'), distillation.FeatureDistillation('mse', 'first', 'first')],
        weight=0.25,
        weights=[2.0, 3.0],
    )
    x, y = RNG.randn(6, 4).astype('float32'), RNG.randn(6, 3).astype('float32')
    of_teacher, of_student = model.teacher.predict(x, verbose=0), model.student.predict(x, verbose=0)

    def hidden(inner):
        kernel, bias = inner.layers[0].get_weights()
        return np.maximum(x @ kernel + bias, 0)

    student = np.mean((y - of_student) ** 2)
    distilled = 2 * np.mean((of_teacher - of_student) ** 2) / 4 + 3 * np.mean(
        (hidden(model.teacher) - hidden(model.student)) ** 2
    )
    model.compile(keras.optimizers.SGD(0.1), 'mse')
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(
        [found['student_loss'], found['distillation_loss'], found['total_loss'], found['loss']],
        [student, distilled] + 2 * [0.25 * student + 0.75 * distilled],
        rtol=1e-4,
    )
    before = [model.teacher.get_weights(), model.student.get_weights()]
    assert len(model.trainable_weights) == 4 and len(model.weights) == 8
    model.fit(x, y, epochs=2, verbose=0)
    for old, new in zip(before[0], model.teacher.get_weights()):
        np.testing.assert_array_equal(old, new)
    assert not np.allclose(before[1][0], model.student.get_weights()[0])
    np.testing.assert_allclose(model.predict(x, verbose=0), model.student.predict(x, verbose=0))


def test_files(tmp_path):
    model = distiller(
        [distillation.LogitsDistillation(3.0), distillation.FeatureDistillation('mae', 'first', 'first')],
        weights=[1.0, 2.0],
    )
    json.dumps(model.get_config())
    model.compile('sgd', 'mse')
    x, y = RNG.randn(6, 4).astype('float32'), RNG.randn(6, 3).astype('float32')
    model.fit(x, y, verbose=0)
    model.save(str(tmp_path / 'distiller.keras'))
    again = keras.models.load_model(str(tmp_path / 'distiller.keras'))
    assert type(again) is distillation.Distiller and not again.teacher.trainable
    np.testing.assert_allclose(again.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5)
