"""The programs in the style of Keras 2, in this process, on the engine of the test run, with small settings.

Each program checks its own success, and exits with an error where it fails. On Theano they spend minutes in the C++
compiler, so there they run where KERAS_TEST_EXAMPLES is set.
"""
import importlib
import os

import pytest
from PIL import Image

from keras import backend as K
from keras.backend.contract.loading import get_engine

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, 'examples')

# name: (how long to train, whether it makes a picture)
PROGRAMS = {
    'character_lstm': (['--epochs', '8'], False),
    'class_activation_maps': (['--epochs', '6'], True),
    'ctc_sequences': (['--epochs', '10'], False),
    'custom_parts': (['--epochs', '4'], False),
    'deep_dream': (['--steps', '5'], True),
    'deep_q_network': (['--steps', '1000'], False),
    'distillation': (['--epochs', '12'], False),
    'gan': (['--steps', '150'], True),
    'gan_train_step': (['--epochs', '8'], False),
    'neural_style_transfer': (['--steps', '6'], True),
    'siamese_network': (['--epochs', '4'], False),
    'transfer_learning': (['--epochs', '12'], False),
    'vae_train_step': (['--epochs', '12'], False),
    'variational_autoencoder': (['--epochs', '15'], True),
    'video_question_answering': (['--epochs', '6'], False),
    'wasserstein_gan_gp': (['--steps', '200'], True),
}

pytestmark = [pytest.mark.needs_gradients, pytest.mark.skipif(
    K.backend() == 'theano' and not os.environ.get('KERAS_TEST_EXAMPLES'),
    reason='Theano compiles the examples for minutes: set KERAS_TEST_EXAMPLES to run them')]


@pytest.fixture
def program(monkeypatch):
    """The function that gives a program of the folder by its name."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


@pytest.mark.parametrize('name', sorted(PROGRAMS))
def test_program_succeeds(name, program, capsys, tmp_path):
    arguments, makes_picture = PROGRAMS[name]
    if name == 'wasserstein_gan_gp' and 'gradients of gradients' in get_engine().capabilities.unsupported:
        with pytest.raises(SystemExit, match='needs gradients of gradients.*%s' % K.backend()):
            program(name).main(arguments + ['--folder', str(tmp_path)])
        return
    folder = tmp_path / 'pictures'  # the program makes it
    program(name).main(arguments + (['--folder', str(folder)] if makes_picture else []))
    assert ' on %s: ' % K.backend() in capsys.readouterr().out.splitlines()[-1]
    assert os.listdir(str(tmp_path)) == (['pictures'] if makes_picture else [])
    if makes_picture:
        assert os.listdir(str(folder)) == [name + '.png']
        rows, columns = Image.open(str(folder / (name + '.png'))).size
        assert rows >= 64 and columns >= 64


@pytest.mark.parametrize('name', ['deep_dream', 'deep_q_network', 'gan', 'neural_style_transfer'])
def test_program_that_learns_nothing_fails(name, program, tmp_path):
    folder = ['--folder', str(tmp_path)] if PROGRAMS[name][1] else []
    with pytest.raises(SystemExit, match='Expected'):
        program(name).main(['--steps', '0'] + folder)


def test_every_program_is_listed():
    with open(os.path.join(EXAMPLES, 'README.md')) as file:
        text = file.read()
    programs = {name[:-3] for name in os.listdir(EXAMPLES) if name.endswith('.py') and name != 'pictures.py'}
    assert [name for name in sorted(programs) if '`%s.py`' % name not in text] == []
    assert set(PROGRAMS) == {name for name in programs if not name.startswith('custom_loop_') and name != 'digits_cnn'}
