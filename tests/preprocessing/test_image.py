"""Pictures changed at random. Numbers were printed by keras-preprocessing 1.1.2 (NumPy 1.26, SciPy 1.14) for the same
pictures and seeds.
"""
import os
import pickle
import sys

import numpy as np
import pytest

import keras
from keras.preprocessing import affine
from keras.preprocessing import image as I  # noqa: E741

pytestmark = [
    pytest.mark.on('numpy'),
    pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')]
PICTURES = (np.arange(10 * 8 * 7 * 3) * 37 % 256).reshape(10, 8, 7, 3).astype('float32')
NUMBERS = np.arange(10)


def fingerprint(x):
    """Two numbers that hardly another array has."""
    x = np.asarray(x, dtype='float64').ravel()
    return x.sum(), (x * np.cos(np.arange(x.size))).sum()


def assert_is(x, expected, atol=0.02):
    np.testing.assert_allclose(fingerprint(x), expected, rtol=1e-6, atol=atol)


# --- one picture

def test_random_functions():
    axes = {'row_axis': 0, 'col_axis': 1, 'channel_axis': 2}
    np.random.seed(0)
    assert_is(I.random_rotation(PICTURES[1], 30, **axes), (21192.78, -292.69))
    assert_is(I.random_shift(PICTURES[1], .2, .3, **axes), (21261.22, -346.95))
    assert_is(I.random_shear(PICTURES[1], 20, **axes), (21205.46, -468.66))
    assert_is(I.random_zoom(PICTURES[1], (.5, 1.5), **axes), (20911.8, -233.15))
    assert_is(I.random_channel_shift(PICTURES[1], 30, channel_axis=2), (20558.11, -476.84))
    assert_is(I.random_brightness(PICTURES[1], (.3, 1.6)), (27887.0, -871.87))
    np.testing.assert_array_equal(I.random_zoom(PICTURES[1], (1, 1)), PICTURES[1])


@pytest.mark.parametrize('fill_mode, order, expected', [
    ('nearest', 0, (24601.0, 79.44)), ('nearest', 1, (24217.99, 439.85)), ('nearest', 3, (24332.13, 404.79)),
    ('constant', 0, (10725.0, 709.57)), ('constant', 1, (10469.15, 692.63)), ('constant', 3, (10556.27, 656.4)),
    ('reflect', 0, (23172.0, 180.69)), ('reflect', 1, (22743.0, 397.16)), ('reflect', 3, (22874.53, 271.44)),
    ('wrap', 0, (21727.0, 785.92)), ('wrap', 1, (21507.93, 506.15)), ('wrap', 3, (21544.86, 537.57))])
def test_affine_maps(fill_mode, order, expected):
    if fill_mode == 'reflect' or (fill_mode, order) == ('nearest', 3):
        # SciPy 1.6 does these otherwise than those before it.
        scipy = pytest.importorskip('scipy')
        if tuple(int(part) for part in scipy.__version__.split('.')[:2]) < (1, 6):
            pytest.skip('SciPy before 1.6')
    arguments = dict(theta=20, tx=1.5, ty=-2, shear=10, zx=.8, zy=1.2, fill_mode=fill_mode, cval=7.0, order=order)
    assert_is(I.apply_affine_transform(PICTURES[1], **arguments), expected)
    first = I.apply_affine_transform(PICTURES[1].transpose(2, 0, 1).astype('float64'), row_axis=1, col_axis=2,
                                     channel_axis=0, **arguments)
    assert first.dtype == 'float64'
    assert_is(first.transpose(1, 2, 0), expected)


@pytest.mark.parametrize('fill_mode', ['nearest', 'constant'])
@pytest.mark.parametrize('shape', [(5, 6, 3), (2, 9, 1), (1, 4, 2)])
def test_linear_interpolation_is_that_of_scipy(fill_mode, shape):
    ndimage = pytest.importorskip('scipy.ndimage')
    x = np.random.rand(*shape)
    matrix = affine.affine_matrix(25, 1, -.5, 12, .7, 1.4, *shape[:2])
    moved = I.apply_affine_transform(x, 25, 1, -.5, 12, .7, 1.4, fill_mode=fill_mode, cval=-1)
    expected = np.stack([ndimage.affine_transform(x[..., channel], matrix[:2, :2], matrix[:2, 2], order=1,
                                                  mode=fill_mode, cval=-1) for channel in range(shape[2])], axis=-1)
    np.testing.assert_allclose(moved, expected, atol=1e-12)


def test_exact_moves():
    x = PICTURES[0]
    np.testing.assert_array_equal(I.apply_affine_transform(x, tx=2)[:-2], x[2:])
    np.testing.assert_array_equal(I.apply_affine_transform(x, tx=2)[-2:], x[[-1, -1]])
    np.testing.assert_array_equal(I.apply_affine_transform(x, ty=-1, fill_mode='constant', cval=5)[:, 0], 5)
    np.testing.assert_array_equal(I.apply_affine_transform(x.astype('uint8'), ty=1)[:, :-1], x[:, 1:])
    assert I.apply_affine_transform(x) is x
    with pytest.raises(ValueError, match="fill_mode .*'mirror'"):
        I.apply_affine_transform(x, tx=1, fill_mode='mirror')


def test_functions_of_early_versions():
    x, turn = PICTURES[1], np.deg2rad(20)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    whole = I.transform_matrix_offset_center(matrix, 8, 7)
    expected = I.apply_affine_transform(x, theta=20)
    np.testing.assert_allclose(I.apply_transform(x, whole, channel_axis=2), expected, atol=1e-4)
    np.testing.assert_allclose(I.apply_transform(x.transpose(2, 0, 1), whole), expected.transpose(2, 0, 1), atol=1e-4)
    np.testing.assert_array_equal(I.flip_axis(x, 1), x[:, ::-1])


def test_values():
    np.testing.assert_array_equal(I.apply_channel_shift(np.array([0., 10, 20]), 5), [5, 15, 20])
    black = I.apply_brightness_shift(PICTURES[0], 0)
    assert black.shape == (8, 7, 3) and not black.any()
    np.testing.assert_array_equal(I.apply_brightness_shift(PICTURES[0] * 255 / 255, 1), I.img_to_array(
        I.array_to_img(PICTURES[0])))
    for call in (lambda: I.random_zoom(PICTURES[0], 3), lambda: I.random_brightness(PICTURES[0], [1])):
        with pytest.raises(ValueError, match='should be a tuple or list of two floats'):
            call()


# --- generators

ROTATION = dict(rotation_range=30, width_shift_range=.2, zoom_range=.3, horizontal_flip=True)
FLOWS = [
    (ROTATION, [(83188.96, -702.21), (83050.05, -749.03), (41231.45, 372.66), (83638.93, 1441.78), (81659.33, 965.92)],
     [[8, 5, 1, 9], [4, 3, 6, 2]], [(86367.79, -1101.24), (84217.14, -1810.44)]),
    (dict(height_shift_range=[-2, 1, 3], width_shift_range=3, shear_range=10, channel_shift_range=20.,
          vertical_flip=True, fill_mode='constant', cval=9.),
     [(62510.73, -84.88), (57624.27, 771.04), (23303.04, 672.7), (49793.27, 822.55), (53754.32, -109.46)],
     [[8, 5, 1, 9], [4, 3, 6, 2]], [(41952.41, -1113.35), (51463.8, -1652.9)]),
    (dict(brightness_range=(.5, 1.5), rescale=1 / 255.),
     [(371.29, 0.29), (362.26, 2.27), (166.17, 1.9), (327.45, 11.77), (297.04, -7.06)],
     [[1, 2, 5, 3], [0, 4, 6, 7]], [(320.74, -1.07), (297.31, 1.49)]),
    (dict(featurewise_center=True, featurewise_std_normalization=True, height_shift_range=2.),
     [(-14.48, 5.46), (-25.4, 3.18), (4.27, 4.27), (4.83, 29.35), (-19.3, -11.19)],
     [[1, 2, 5, 3], [0, 4, 6, 7]], [(3.52, 7.37), (-27.82, 0.47)]),
    (dict(samplewise_center=True, samplewise_std_normalization=True),
     [(0.0, 3.54), (0.0, 2.88), (0.0, 3.5), (0.0, 39.71), (0.0, -33.58)],
     [[6, 3, 4, 8], [5, 2, 1, 0]], [(0.0, 7.48), (0.0, 8.56)]),
]


@pytest.mark.filterwarnings('ignore:This ImageDataGenerator specifies')
@pytest.mark.parametrize('arguments, endless, numbers, second_epoch', FLOWS)
def test_flows_draw_as_ever(arguments, endless, numbers, second_epoch):
    generator = I.ImageDataGenerator(**arguments)
    generator.fit(PICTURES, augment=True, rounds=2, seed=4)
    flow = generator.flow(PICTURES, NUMBERS, batch_size=4, seed=5)
    for expected, labels in zip(endless, [[9, 5, 2, 4], [7, 1, 0, 8], [6, 3], [8, 6, 9, 0], [2, 5, 7, 1]]):
        x, y = next(flow)
        assert y.tolist() == labels and x.dtype == 'float32'
        assert_is(x, expected)
    by_number = generator.flow(PICTURES, NUMBERS, batch_size=4, seed=5)
    for number in range(3):
        assert_is(by_number[number][0], endless[number])
    by_number.on_epoch_end()
    for number in range(2):
        x, y = by_number[number]
        assert y.tolist() == numbers[number]
        assert_is(x, second_epoch[number])


def test_channels_first_is_the_same():
    flows = [I.ImageDataGenerator(brightness_range=(.5, 1.5), channel_shift_range=9., data_format=data_format,
                                  vertical_flip=True, **ROTATION).flow(x, batch_size=4, seed=2)
             for data_format, x in (('channels_last', PICTURES), ('channels_first', PICTURES.transpose(0, 3, 1, 2)))]
    np.testing.assert_allclose(next(flows[0]), next(flows[1]).transpose(0, 2, 3, 1), atol=1e-4)


def test_a_transform():
    generator = I.ImageDataGenerator(height_shift_range=[1, 2], shear_range=3, channel_shift_range=5,
                                     brightness_range=(.2, .4), **ROTATION)
    drawn = generator.get_random_transform((8, 7, 3), seed=3)
    assert drawn == pytest.approx({
        'theta': 3.0478741544745276, 'tx': 2, 'ty': -0.585466731043756, 'shear': 0.06496563118597809,
        'zx': 1.235768172608593, 'zy': 1.237775853360063, 'flip_horizontal': 1, 'flip_vertical': 0,
        'channel_shift_intensity': -4.485327966991701, 'brightness': 0.28816196873012734})
    np.testing.assert_array_equal(generator.random_transform(PICTURES[0], seed=3),
                                  generator.apply_transform(PICTURES[0], drawn))
    nothing = I.ImageDataGenerator().get_random_transform((8, 7, 3))
    assert nothing['channel_shift_intensity'] is None and nothing['brightness'] is None and nothing['zx'] == 1
    for name, mirrored in (('flip_horizontal', PICTURES[0, :, ::-1]), ('flip_vertical', PICTURES[0, ::-1])):
        np.testing.assert_array_equal(generator.apply_transform(PICTURES[0], {name: True}), mirrored)


def test_standardization():
    generator = I.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="hasn't been fit on any training data"):
        generator.standardize(PICTURES[0].copy())
    generator.fit(PICTURES)
    np.testing.assert_allclose(generator.mean[0, 0], PICTURES.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(generator.std[0, 0], PICTURES.std(axis=(0, 1, 2)), rtol=1e-5)
    standardized = generator.standardize(PICTURES.copy())
    np.testing.assert_allclose([standardized.mean(), standardized.std()], [0, 1], atol=1e-4)
    doubled = I.ImageDataGenerator(preprocessing_function=lambda x: x + 1, rescale=2)
    np.testing.assert_allclose(doubled.standardize(PICTURES[0].copy()), (PICTURES[0] + 1) * 2)


def test_whitening():
    x = np.random.rand(60, 2, 2, 1)
    with pytest.warns(UserWarning, match='`zca_whitening`, which overrides setting of `featurewise_center`'):
        generator = I.ImageDataGenerator(zca_whitening=True, zca_epsilon=1e-8)
    generator.fit(x)
    white = next(generator.flow(x, batch_size=60, shuffle=False)).reshape(60, 4)
    np.testing.assert_allclose(white.T.dot(white) / 60, np.eye(4), atol=1e-3)
    # The least change that does it is symmetric.
    np.testing.assert_allclose(generator.principal_components, generator.principal_components.T, atol=1e-4)


@pytest.mark.parametrize('arguments, message', [
    ({'zoom_range': [1, 2, 3]}, '`zoom_range` should be'), ({'brightness_range': 3}, '`brightness_range` should be'),
    ({'data_format': 'NCHW'}, "`data_format` should be .*'NCHW'"), ({'fill_mode': 'mirror'}, 'fill_mode must be'),
    ({'validation_split': 2}, 'strictly between 0 and 1')])
def test_generators_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        I.ImageDataGenerator(**arguments)


def test_overridden_settings_are_told():
    with pytest.warns(UserWarning) as told:
        generator = I.ImageDataGenerator(zca_whitening=True, featurewise_std_normalization=True,
                                         samplewise_std_normalization=True)
    assert len(told) == 3 and generator.featurewise_center and not generator.featurewise_std_normalization
    assert generator.samplewise_center
    with pytest.raises(ValueError, match='should have rank 4'):
        generator.fit(PICTURES[0])
    with pytest.warns(UserWarning, match='either 1, 3 or 4 channels on axis 3.*7 channels'):
        I.ImageDataGenerator().fit(np.zeros((2, 3, 3, 7)))


# --- flows

def test_what_flows_hold():
    weights = NUMBERS * 0.5
    flow = I.ImageDataGenerator().flow((PICTURES, [NUMBERS, NUMBERS * 2]), NUMBERS * 3, sample_weight=weights,
                                       batch_size=4, shuffle=False)
    (x, one, two), y, w = flow[1]
    np.testing.assert_array_equal(x, PICTURES[4:8])
    assert (one.tolist(), two.tolist(), y.tolist(), w.tolist()) == ([4, 5, 6, 7], [8, 10, 12, 14], [12, 15, 18, 21],
                                                                     [2.0, 2.5, 3.0, 3.5])
    assert len(flow) == 3 and len(flow[2][1]) == 2 and flow.n == 10
    assert I.ImageDataGenerator().flow((PICTURES, NUMBERS), batch_size=10)[0][1].shape == (10,)
    with pytest.raises(ValueError, match='Asked to retrieve element 3, but the Sequence has length 3'):
        flow[3]
    with pytest.raises(ValueError, match='holds no samples'):
        next(I.ImageDataGenerator().flow(PICTURES[:0]))


def test_subsets():
    generator = I.ImageDataGenerator(validation_split=0.3)
    labels = NUMBERS % 2
    validation = generator.flow(PICTURES, labels, subset='validation', batch_size=10, shuffle=False)
    assert validation[0][1].tolist() == [0, 1, 0]
    assert len(generator.flow(PICTURES, labels, subset='training', batch_size=10)[0][1]) == 7
    with pytest.raises(ValueError, match='different number of classes after the split'):
        generator.flow(PICTURES, NUMBERS, subset='training')
    with pytest.raises(ValueError, match="Invalid subset name: 'test'"):
        generator.flow(PICTURES, subset='test')


@pytest.mark.parametrize('call, message', [
    (lambda flow: flow(PICTURES[0]), 'should have rank 4'),
    (lambda flow: flow(PICTURES, NUMBERS[:3]), r'`y` \(labels\) should have the same length'),
    (lambda flow: flow(PICTURES, NUMBERS, sample_weight=NUMBERS[:3]), '`sample_weight` should have the same length'),
    (lambda flow: flow((PICTURES, NUMBERS[:3]), NUMBERS), 'All of the arrays in `x` should have the same length')])
def test_flows_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call(I.ImageDataGenerator().flow)


def test_flows_of_other_numbers_of_channels_are_told():
    with pytest.warns(UserWarning, match=r'was passed an array with shape \(2, 3, 3, 7\) \(7 channels\)'):
        I.ImageDataGenerator().flow(np.zeros((2, 3, 3, 7)))


def test_pictures_of_a_flow_are_saved(tmp_path):
    flow = I.ImageDataGenerator().flow(PICTURES, batch_size=4, shuffle=False, save_to_dir=str(tmp_path),
                                       save_prefix='aug', save_format='png', seed=1)
    next(flow)
    names = sorted(os.listdir(str(tmp_path)))
    assert len(names) == 4 and all(name.startswith('aug_%d_' % number) for number, name in enumerate(names))
    assert I.load_img(str(tmp_path / names[0])).size == (7, 8)


def epochs_by(flow, use_multiprocessing, count):
    enqueuer = keras.utils.OrderedEnqueuer(flow, use_multiprocessing=use_multiprocessing)
    enqueuer.start(workers=3, max_queue_size=4)
    batches = enqueuer.get()
    taken = [next(batches) for _ in range(count)]
    enqueuer.stop()
    return taken


def flow():
    return I.ImageDataGenerator(**ROTATION).flow(PICTURES, NUMBERS, batch_size=3, seed=7)


def test_workers_make_the_same_batches():
    sequential, taken = flow(), []
    for epoch in range(2):
        taken.extend(sequential[number] for number in range(4))
        sequential.on_epoch_end()
    for use_multiprocessing, same in ((False, 8), (True, 4)):
        # The order of a later epoch goes on from the draws of the last batch, which other processes have made.
        batches = epochs_by(flow(), use_multiprocessing, 8)
        for (x, y), (expected, labels) in zip(batches[:same], taken):
            np.testing.assert_array_equal(y, labels)
            np.testing.assert_array_equal(x, expected)
        for (x, y), (expected, labels) in zip(batches, epochs_by(flow(), use_multiprocessing, 8)):
            np.testing.assert_array_equal(x, expected)
        assert sorted(np.concatenate([y for _, y in batches[4:]])) == list(range(10))


def test_batches_in_any_order_and_again():
    one, other = flow(), flow()
    expected = [one[number] for number in range(4)]
    for number in (2, 0, 3, 1):
        np.testing.assert_array_equal(other[number][0], expected[number][0])
    assert not np.array_equal(one[0][0], expected[0][0])
    np.testing.assert_array_equal(one[1][0], other[1][0])


def test_flows_can_be_sent_to_other_processes():
    one, other = flow(), pickle.loads(pickle.dumps(flow()))
    np.testing.assert_array_equal(one[1][0], other[1][0])
    np.testing.assert_array_equal(next(one)[0], next(other)[0])


def test_functions_of_the_user_draw_by_the_seed():
    generator = I.ImageDataGenerator(preprocessing_function=lambda x: x * np.random.rand())
    one, other = (generator.flow(PICTURES, batch_size=5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(next(one), next(other))


def test_an_iterator_of_the_user():
    class Numbers(I.Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array
    assert [next(batch).tolist() for batch in [Numbers(5, 2, False, None)] for _ in range(4)] == [[0, 1], [2, 3], [4],
                                                                                                [0, 1]]
    with pytest.raises(NotImplementedError, match='must define'):
        I.Iterator(5, 2, False, None)[0]


def test_models_take_flows():
    model = keras.Sequential([keras.layers.Flatten(input_shape=(8, 7, 3)), keras.layers.Dense(1)])
    batches = I.ImageDataGenerator(rescale=1 / 255.).flow(PICTURES, batch_size=4, shuffle=False)
    np.testing.assert_allclose(model.predict(batches, steps=3), model.predict(PICTURES / 255), rtol=1e-4,
                               atol=1e-5)


@pytest.mark.parametrize('module, call, message', [
    ('PIL', lambda: I.array_to_img(PICTURES[0]), 'pip install pillow'),
    ('PIL', lambda: I.random_brightness(PICTURES[0], (0, 1)), 'pip install pillow'),
    ('scipy', lambda: I.apply_affine_transform(PICTURES[0], tx=1, fill_mode='wrap'), 'pip install scipy')])
def test_missing_packages_are_named(monkeypatch, module, call, message):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        call()
