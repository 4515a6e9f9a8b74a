"""What the networks predict, beside upstream's own: Keras 2.3.1 (keras-applications 1.0.8) and Keras 3.15.1.

Three small ones run on every engine, some more on one, all with KERAS_APPLICATIONS_ALL=1. The weights follow a formula;
with the folder of files that `record_predictions.py` wrote in KERAS_APPLICATIONS_FILES they come from there.
"""
import importlib
import json
import os

import formula
import numpy as np
import pytest

import keras

with open(os.path.join(os.path.dirname(__file__), 'predictions.json')) as file:
    PREDICTIONS = json.load(file)
EVERYWHERE = formula.CASES[:3]
ON_ONE = [case for case in formula.CASES if case[:3] in (
    ('3', 'nasnet', 'NASNetMobile'), ('2', 'resnet50', 'ResNet50'), ('3', 'xception', 'Xception'),
    ('3', 'efficientnet', 'EfficientNetB0'), ('3', 'efficientnet_v2', 'EfficientNetV2B0'),
    ('3', 'convnext', 'ConvNeXtTiny'))]
FOLDER = os.environ.get('KERAS_APPLICATIONS_FILES')


def built(case):
    generation, module, function, _ = case
    keras.backend.clear_session()
    home = importlib.import_module('.'.join(['keras.applications', module]).rstrip('.'))
    with keras.config.generation(generation):
        return getattr(home, function)(**formula.arguments_of(case))


def check(case, model):
    expected = np.array(PREDICTIONS[formula.name_of(case)])
    predicted = model.predict(formula.pictures(case), verbose=0)[:, :expected.shape[1]]
    np.testing.assert_allclose(predicted, expected, rtol=0, atol=1e-4 * expected.max())
    # The two pictures differ by more than that, or it would prove little.
    assert np.abs(expected[0] - expected[1]).max() > 3e-3 * expected.max()


def check_by_formula(case):
    model = built(case)
    formula.set_weights(case, model, keras.backend)
    check(case, model)


@pytest.mark.parametrize('case', EVERYWHERE, ids=formula.name_of)
def test_small_networks(case):
    check_by_formula(case)


@pytest.mark.on('torch')
@pytest.mark.parametrize('case', formula.CASES[3:] if os.environ.get('KERAS_APPLICATIONS_ALL') else ON_ONE,
                         ids=formula.name_of)
def test_other_networks(case):
    check_by_formula(case)


@pytest.mark.skipif(not FOLDER, reason='no files of upstream at hand')
@pytest.mark.parametrize('by_name', [False, True])
@pytest.mark.parametrize('case', formula.CASES, ids=formula.name_of)
def test_files_of_upstream(case, by_name):
    """Their weights by order and by name, and the whole models of the same files."""
    path = os.path.join(FOLDER, formula.name_of(case).replace(' ', '_') + '.h5')
    model = built(case)
    model.load_weights(path, by_name=by_name)
    check(case, model)
    if by_name:
        check(case, keras.models.load_model(path))
