"""A process that is killed in the middle of an epoch goes on, on every engine, as if nothing had been."""
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.needs_gradients


def test_a_killed_process_goes_on(tmp_path):
    """In processes, which a signal ends in the middle of an epoch."""
    script = tmp_path / 'train.py'
    script.write_text(
        'import os, signal, sys\nimport numpy as np, keras\n'
        'folder, kill_after = sys.argv[1], int(sys.argv[2])\n'
        'keras.utils.set_random_seed(1)\n'
        'model = keras.Sequential([keras.layers.Dense(4, input_shape=(3,)), keras.layers.Dropout(0.5),\n'
        '                          keras.layers.Dense(1)])\n'
        'model.compile("adam", "mse")\n'
        'x = np.random.RandomState(0).normal(size=(24, 3)).astype("float32")\n'
        'class Kill(keras.callbacks.Callback):\n'
        '    done = 0\n'
        '    def on_batch_end(self, batch, logs=None):\n'
        '        self.done += 1\n'
        '        if self.done == kill_after:\n'
        '            os.kill(os.getpid(), signal.SIGKILL)\n'
        'model.fit(x, x[:, :1], batch_size=4, epochs=3, verbose=0, resume=folder, callbacks=[Kill()])\n'
        'np.savez(folder + ".npz", *model.get_weights())\n')

    def train(name, kill_after):
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
        return subprocess.run([sys.executable, str(script), str(tmp_path / name), str(kill_after)],
                              env=environment).returncode
    assert train('whole', 0) == 0
    assert train('broken', 9) == -signal.SIGKILL
    assert train('broken', 0) == 0
    with np.load(str(tmp_path / 'whole.npz')) as whole, np.load(str(tmp_path / 'broken.npz')) as broken:
        for name in whole.files:
            np.testing.assert_array_equal(broken[name], whole[name])
