"""A batch of 32 pictures, 224x224, turned, moved, zoomed and mirrored: ours beside keras-preprocessing 1.1.2.

Both are in the process, and the batches are compared. Run as a script: `python images.py [ROUNDS]`. Prints seconds as
JSON; without keras-preprocessing only ours.
"""
import json
import sys

import numpy as np
import timing

CHANGES = dict(rotation_range=20, width_shift_range=0.2, height_shift_range=0.2, zoom_range=0.2, horizontal_flip=True)


def flow(image):
    """Endless batches by a module `image`."""
    pictures = (np.random.RandomState(0).rand(32, 224, 224, 3) * 255).astype('float32')
    return image.ImageDataGenerator(**CHANGES).flow(pictures, batch_size=32, seed=1)


def main(rounds):
    from keras.preprocessing import image
    flows = {'ours': flow(image)}
    try:
        from keras_preprocessing import image as theirs
        flows['upstream'] = flow(theirs)
    except ImportError:
        pass
    found = dict(zip(flows, timing.alternate([one.next for one in flows.values()], rounds)))
    batches = [one.next() for one in flows.values()]
    found['difference'] = float(np.abs(batches[0] - batches[-1]).max())
    print(json.dumps(found))


if __name__ == '__main__':
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
