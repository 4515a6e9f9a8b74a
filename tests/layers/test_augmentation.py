"""Layers that change images against what Keras 3.15.1 makes of the same images by the same transformations."""
import json
import os

import numpy as np
import pytest

import keras
from keras import layers, ops
from keras.backend.state.variables import to_array

FOLDER = os.path.dirname(__file__)
ARRAYS = np.load(os.path.join(FOLDER, 'augmentations-3.15.1.npz'))
with open(os.path.join(FOLDER, 'augmentations-3.15.1.json')) as _file:
    CASES = json.load(_file)['cases']

# Where upstream goes its own way, and why we do not.
ELSEWHERE = {
    ('RandomCrop', 'bounding_boxes'): 'upstream takes rows for columns',
    ('CenterCrop', 'segmentation_masks'): 'upstream mixes the numbers of classes',
    ('MixUp', 'segmentation_masks'): 'upstream mixes by the wrong axis',
    ('MixUp', 'bounding_boxes'): 'upstream puts the labels of boxes behind each other on the axis of the batch',
    ('RandAugment', 'bounding_boxes'): 'upstream moves boxes once where the images move several times',
    ('Equalization', 'images'): 'one value stands halfway between two',
}


def content(written):
    """What the recorder wrote: arrays by name, tuples, dictionaries and lists."""
    if isinstance(written, dict) and '@' in written:
        return ARRAYS[written['@']]
    if isinstance(written, dict) and '(' in written:
        return tuple(content(part) for part in written['('])
    if isinstance(written, dict):
        return {key: content(part) for key, part in written.items()}
    return [content(part) for part in written] if isinstance(written, list) else written


def inputs(case):
    """(the layer, {part: what is given}) of a case."""
    layer = getattr(layers, case['layer'])(bounding_box_format='xyxy', **case['config'])
    parts = {name: ARRAYS[name] for name in ('images', 'segmentation_masks', 'labels')}
    if layer.data_format == 'channels_first':
        parts.update({name: np.moveaxis(parts[name], -1, 1) for name in ('images', 'segmentation_masks')})
    parts['bounding_boxes'] = {'boxes': ARRAYS['boxes'], 'labels': ARRAYS['box_labels']}
    return layer, parts


def transformation_of(case, images):
    recorded = content(case['transformation'])
    if case['layer'] in ('Resizing', 'CenterCrop') or case['layer'] == 'RandomCrop' and case['config']['height'] > 6:
        return {'input_shape': images.shape}
    if case['layer'] == 'RandomCrop':
        return {'height_start': recorded[0], 'width_start': recorded[1], 'input_shape': images.shape}
    return recorded


PARAMETERS = [pytest.param(case, id='%s-%d' % (case['layer'], number)) for number, case in enumerate(CASES)
              if case['layer'] != 'AugMix']  # whose layers upstream draws outside of the transformation


@pytest.mark.parametrize('case', PARAMETERS)
def test_parts_change_as_in_keras_3(case):
    layer, parts = inputs(case)
    if case['config'].get('data_format') == 'channels_first' and case['layer'] == 'RandomSaturation':
        pytest.skip('upstream gives values beyond the range')
    transformation = transformation_of(case, parts['images'])
    for name, given in parts.items():
        expected = content(case[name]) if name in case else None
        if expected is None or (case['layer'], name) in ELSEWHERE \
                or case['layer'] == 'RandomCrop' and case['config']['height'] > 6:
            continue
        changed = getattr(layer, 'transform_' + name)(given, transformation, training=True)
        for key in expected if isinstance(expected, dict) else [None]:
            ours, theirs = (changed, expected) if key is None else (changed[key], expected[key])
            np.testing.assert_allclose(to_array(ours), theirs, atol=2e-3 if name == 'images' else 1e-4)


def every_layer():
    made = {case['layer']: case['config'] for case in CASES}
    made.update(RandomColorJitter={'hue_factor': 0.1, 'brightness_factor': 0.1, 'contrast_factor': 0.1,
                                   'saturation_factor': 0.2}, RandomElasticTransform={})
    return sorted((name, {key: value for key, value in config.items() if key != 'data_format'})
                  for name, config in made.items())


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
@pytest.mark.parametrize('name,config', every_layer())
def test_calls_change_all_parts_alike_and_configs_go_around(name, config):
    layer = getattr(layers, name)(bounding_box_format='xyxy', **config)
    images, masks = ARRAYS['images'], ARRAYS['segmentation_masks']
    data = {'images': images, 'segmentation_masks': masks, 'labels': ARRAYS['labels']}
    if name != 'CutMix':
        data['bounding_boxes'] = {'boxes': ARRAYS['boxes'], 'labels': ARRAYS['box_labels']}
    changed = layer(data, training=True)
    assert set(changed) == set(data)
    assert tuple(changed['images'].shape[:3]) == tuple(changed['segmentation_masks'].shape[:3])
    assert np.isfinite(to_array(changed['images'])).all()
    single = layer(images[0], training=True)
    assert tuple(single.shape) == tuple(changed['images'].shape[1:])
    if layer.only_in_training:
        np.testing.assert_allclose(to_array(layer(images, training=False)), images, atol=1e-4)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    outputs = layer(keras.Input(images.shape[1:]))
    assert tuple(outputs.shape)[1:] == tuple(changed['images'].shape[1:])


@pytest.mark.on('numpy', 'torch')
def test_seeds_repeat():
    for name, config in every_layer():
        if 'seed' in config:
            first, second = [to_array(getattr(layers, name)(**config)(ARRAYS['images'], training=True))
                             for _ in range(2)]
            np.testing.assert_array_equal(first, second)


@pytest.mark.on('numpy', 'torch')
def test_boxes_and_masks_follow_one_pixel():
    """A box around a bright square stays around it, whatever moves it."""
    images = np.zeros((1, 40, 40, 1), 'float32')
    images[0, 12:20, 16:26] = 255.0
    boxes = {'boxes': np.array([[[16.0, 12.0, 26.0, 20.0]]]), 'labels': np.array([[1]])}
    for name, config in [('RandomFlip', {}), ('RandomRotation', {'factor': 0.1}), ('RandomShear', {'x_factor': 0.1}),
                         ('RandomTranslation', {'height_factor': 0.1, 'width_factor': 0.1}),
                         ('RandomZoom', {'height_factor': 0.2}), ('RandomPerspective', {'scale': 0.1}),
                         ('RandomCrop', {'height': 36, 'width': 37}), ('Resizing', {'height': 30, 'width': 50})]:
        if name in ('RandomRotation', 'RandomShear', 'RandomTranslation', 'RandomZoom'):
            config = dict(config, fill_mode='constant')
        layer = getattr(layers, name)(bounding_box_format='xyxy', **config)
        changed = layer({'images': images, 'bounding_boxes': boxes, 'segmentation_masks': images > 0}, training=True)
        bright = to_array(changed['images'])[0, ..., 0] > 128
        assert (to_array(changed['segmentation_masks'])[0, ..., 0].astype(bool) == bright).mean() > 0.97
        rows, columns = np.nonzero(bright)
        left, top, right, bottom = to_array(changed['bounding_boxes']['boxes'])[0, 0]
        np.testing.assert_allclose((left, top, right, bottom),
                                   (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), atol=1.8)


@pytest.mark.on('numpy')
def test_boxes_of_a_single_image():
    boxes = {'boxes': np.array([[2.0, 1.0, 4.0, 3.0]]), 'labels': np.array([1])}
    layer = layers.RandomFlip('vertical', bounding_box_format='xyxy')
    flipped = layer.transform_bounding_boxes(boxes, {'flips': np.array([[True]]), 'input_shape': (10, 8, 3)})
    np.testing.assert_array_equal(to_array(flipped['boxes']), [[2.0, 7.0, 4.0, 9.0]])
    layer = layers.RandomTranslation(0.5, 0.5, bounding_box_format='xyxy')
    moved = layer.transform_bounding_boxes(boxes, {'translations': np.array([[1.0, 2.0]]), 'input_shape': (10, 8, 3)})
    np.testing.assert_array_equal(to_array(moved['boxes']), [[3.0, 3.0, 5.0, 5.0]])


@pytest.mark.on('numpy')
def test_boxes_need_their_format():
    with pytest.raises(ValueError, match='bounding_box_format'):
        layers.RandomFlip()({'images': ARRAYS['images'], 'bounding_boxes': {'boxes': ARRAYS['boxes']}})


@pytest.mark.on('numpy')
@pytest.mark.parametrize('make', [
    lambda: layers.RandomHue(1.5), lambda: layers.RandomRotation('a'), lambda: layers.RandomRotation(0.1, 'mirror'),
    lambda: layers.RandomFlip('up'), lambda: layers.RandomBrightness(0.5, value_range=(3,)),
    lambda: layers.RandomPosterization(0.5), lambda: layers.RandomZoom(0.1, interpolation='cubic'),
    lambda: layers.RandomGaussianBlur(kernel_size=4)])
def test_wrong_arguments_are_named(make):
    with pytest.raises(ValueError, match='Received'):
        make()


@pytest.mark.on('numpy', 'torch')
def test_in_pipelines_of_another_library():
    tf = pytest.importorskip('tensorflow')
    if not hasattr(tf.data, 'AUTOTUNE'):
        pytest.skip('an older tf.data')
    data = tf.data.Dataset.from_tensor_slices(ARRAYS['images']).repeat(2).batch(2)
    for name in ('RandomCrop', 'RandAugment', 'MixUp'):
        layer = getattr(layers, name)(**dict(every_layer())[name])
        assert np.isfinite(next(iter(data.map(layer))).numpy()).all()
    turned = [batch.numpy() for batch in data.map(layers.RandomRotation(0.4, seed=1))]
    assert not np.allclose(turned[0], turned[1])
    layer = layers.Pipeline([layers.RandomFlip(seed=3), layers.Rescaling(1 / 255.0)])
    assert next(iter(data.map(layer))).numpy().max() <= 1.0


@pytest.mark.on('torch', 'tensorflow', 'jax')
def test_in_models_that_are_trained():
    model = keras.Sequential([keras.Input((6, 8, 3)), layers.RandomFlip(), layers.RandomRotation(0.1),
                              layers.RandAugment(), layers.Rescaling(1 / 255.0), layers.Flatten(), layers.Dense(3)])
    model.compile('sgd', 'mse')
    model.fit(ARRAYS['images'], ARRAYS['labels'], verbose=0)
    np.testing.assert_allclose(model.predict(ARRAYS['images'], verbose=0).shape, (2, 3))


def test_boxes_between_formats():
    boxes = np.array([[[10.0, 20.0, 30.0, 60.0]]], 'float32')
    formats = {'yxyx': [20, 10, 60, 30], 'xywh': [10, 20, 20, 40], 'center_xywh': [20, 40, 20, 40],
               'center_yxhw': [40, 20, 40, 20], 'rel_xyxy': [0.1, 0.1, 0.3, 0.3], 'rel_yxyx': [0.1, 0.1, 0.3, 0.3],
               'rel_xywh': [0.1, 0.1, 0.2, 0.2], 'rel_center_xywh': [0.2, 0.2, 0.2, 0.2]}
    convert = keras.utils.bounding_boxes.convert_format
    for name, numbers in formats.items():
        there = convert(boxes, 'xyxy', name, height=200, width=100)
        np.testing.assert_allclose(to_array(there)[0, 0], numbers, rtol=1e-6)
        np.testing.assert_allclose(to_array(convert(there, name, 'xyxy', height=200, width=100)), boxes, rtol=1e-6)


@pytest.mark.on('numpy')
def test_boxes_agree_by_their_areas():
    first, second = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    shares = ops.convert_to_numpy(keras.utils.bounding_boxes.compute_iou(first, second, 'xyxy'))
    np.testing.assert_allclose(shares, [[2 / 6, 0.0]], atol=1e-6)
    anchors = np.array([[0.0, 0.0, 4.0, 4.0]])
    deltas = keras.utils.bounding_boxes.encode_box_to_deltas(anchors, first, 'xyxy', 'xyxy')
    np.testing.assert_allclose(ops.convert_to_numpy(deltas), [[-0.25, -0.25, np.log(0.5), np.log(0.5)]], atol=1e-6)
    boxes = keras.utils.bounding_boxes.decode_deltas_to_boxes(anchors, deltas, 'xyxy', 'xyxy')
    np.testing.assert_allclose(ops.convert_to_numpy(boxes), first, atol=1e-5)


def test_rand_augment_of_no_changes():
    images = np.random.RandomState(0).uniform(0, 255, (2, 4, 4, 3)).astype('float32')
    np.testing.assert_array_equal(to_array(layers.RandAugment(num_ops=0)(images)), images)


@pytest.mark.on('numpy', 'torch', 'tensorflow', 'jax')
def test_rand_augment_gives_boxes_as_floats_inside_pipelines_too():
    data = pytest.importorskip('tensorflow').data
    boxes = {'boxes': np.array([[[2, 1, 4, 3], [6, 4, 8, 6]]]), 'labels': np.array([[1, 2]])}
    examples = {'images': np.random.RandomState(0).uniform(0, 1, (1, 10, 8, 3)), 'bounding_boxes': boxes}
    layer = layers.RandAugment(seed=42, bounding_box_format='xyxy')
    result = next(iter(data.Dataset.from_tensor_slices(examples).map(layer)))['bounding_boxes']['boxes']
    assert result.shape == (2, 4) and result.dtype.name == 'float32'
    assert to_array(layer(examples)['bounding_boxes']['boxes']).dtype == 'float32'


@pytest.mark.on('numpy')
def test_single_images_that_are_mixed_are_batches_of_one():
    """`transform_images` as in upstream 3.15.1; a call gives a single image back."""
    image = np.random.RandomState(3).uniform(0, 1, (4, 5, 3)).astype('float32')
    mixed = layers.MixUp().transform_images(image, {'mix_weight': 1, 'permutation_order': [0]})
    np.testing.assert_allclose(to_array(mixed), image[None], atol=1e-6)
    covered = np.zeros((1, 4, 5, 1), bool)
    covered[0, 1] = True
    erased = layers.RandomErasing().transform_images(image, {'apply_erasing': np.array([True]), 'batch_masks': covered,
                                                             'fill_value': 0})
    np.testing.assert_array_equal(to_array(erased), np.where(covered, 0, image[None]))
    for layer in layers.MixUp(), layers.RandomErasing(), layers.CutMix():
        assert layer(image, training=True).shape == (4, 5, 3)
        transformation = layer.get_random_transformation(image)
        assert layer.transform_single_image(image, transformation).shape == (4, 5, 3)


@pytest.mark.on('numpy', 'tensorflow', 'jax')
@pytest.mark.parametrize('make', [
    lambda: layers.RandomRotation(0.2, dtype='mixed_float16'),
    lambda: layers.RandomElasticTransform(dtype='mixed_float16'),
    lambda: layers.Equalization(dtype='mixed_float16'),
    lambda: layers.RandAugment(dtype='mixed_float16')])
def test_half_floats_come_out_where_they_are_computed(make):
    images = np.random.RandomState(3).uniform(0, 255, (2, 8, 9, 3)).astype('float32')
    assert to_array(make()(images, training=True)).dtype == 'float16'


class FlipsHalf(layers.RandomFlip):
    """Written as one writes layers for Keras 3: by `self.backend`."""

    def transform_images(self, images, transformation, training=True):
        ones = self.backend.numpy.full((self.backend.shape(images)[0], 1, 1, 1), 0.1)
        flipped = self.backend.numpy.flip(images, -2)
        assert self._get_seed_generator(self.backend._backend) is self.seed_generator
        return self.backend.numpy.where(self.backend.numpy.less(ones, 0.5), flipped,
                                        self.backend.cast(images, 'float32'))


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_layers_written_by_their_backend():
    images = np.random.RandomState(3).uniform(0, 255, (2, 3, 4, 3)).astype('float32')
    np.testing.assert_array_equal(to_array(FlipsHalf()(images)), images[:, :, ::-1])
    tf = pytest.importorskip('tensorflow')
    pipeline = tf.data.Dataset.from_tensor_slices(images).batch(2).map(FlipsHalf())
    np.testing.assert_array_equal(next(iter(pipeline)).numpy(), images[:, :, ::-1])


@pytest.mark.on('numpy', 'torch', 'tensorflow')
def test_resized_integers():
    """Upstream 3.15.1: rounded to integers of the same dtype, in pipelines as well; floats in tf.keras."""
    images = (np.arange(35) * 37 % 256).reshape(1, 5, 7, 1).astype('uint8')
    rounded = [15, 80, 144, 209, 20, 85, 149, 214, 25, 90, 154, 219]
    with keras.config.generation(3):
        layer = layers.Resizing(3, 4)
        found = to_array(layer(images))
        assert found.dtype == 'uint8' and found.ravel().tolist() == rounded
        assert to_array(layers.Resizing(3, 4, 'nearest')(images)).ravel()[:4].tolist() == [0, 74, 148, 222]
        padded = to_array(layers.Resizing(4, 4, pad_to_aspect_ratio=True)(images))
        assert padded.dtype == 'uint8' and padded.shape == (1, 4, 4, 1)
        x = layers.Input((5, 7, 1), dtype='uint8')
        assert keras.Model(x, layer(x)).predict(images, verbose=0).ravel().tolist() == rounded
        tf = pytest.importorskip('tensorflow')
        assert next(iter(tf.data.Dataset.from_tensors(images).map(layer))).numpy().ravel().tolist() == rounded
    with keras.config.generation('tf'):
        np.testing.assert_allclose(to_array(layers.Resizing(3, 4)(images)).ravel()[:2], [14.875, 79.625])


@pytest.mark.on('numpy')
def test_crops_of_the_same_height_before_keras_3():
    """They start at random columns; in Keras 3's generation in the middle."""
    images = np.broadcast_to(np.arange(10, dtype='float32')[:, None], (1, 8, 10, 1))
    firsts = {float(keras.layers.RandomCrop(8, 4, seed=seed)(images, training=True)[0, 0, 0, 0])
              for seed in range(12)}
    assert len(firsts) > 2 and firsts <= set(range(7))
    with keras.config.generation(3):
        assert keras.layers.RandomCrop(8, 4, seed=1)(images, training=True)[0, 0, 0, 0] == 3
