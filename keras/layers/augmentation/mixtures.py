"""Layers that mix images with each other, and layers that apply several others at random."""
import functools

import numpy as np

from keras import ops, random
from keras.backend.state.variables import to_array
from keras.layers.arguments import positive_integer
from keras.layers.augmentation.colors import (AutoContrast, Equalization, RandomBrightness, RandomColorDegeneration,
                                              RandomContrast, RandomPosterization, RandomSharpness, Solarization,
                                              rectangles)
from keras.layers.augmentation.image_layer import ImageLayer, factor_bounds
from keras.layers.augmentation.places import RandomRotation, RandomShear, RandomTranslation


class _Pairs(ImageLayer):
    """Layers that mix each image of a batch with another one of it."""
    makes_batches = True

    def drawn_order(self, images, seed):
        return random.shuffle(ops.arange(ops.shape(images)[0], dtype='int32'), seed=seed)

    @staticmethod
    def others(x, transformation):
        return ops.take(x, ops.convert_to_tensor(transformation['permutation_order']), 0)

    @staticmethod
    def share(transformation, like):
        """The share of the first image in each pair, with as many axes as `like`."""
        weights = ops.cast(transformation['mix_weight'], like.dtype)
        return ops.reshape(weights, (-1,) + (1,) * (ops.ndim(like) - 1))

    def mixed(self, x, transformation):
        share = self.share(transformation, x)
        return ops.add(ops.multiply(x, share), ops.multiply(self.others(x, transformation), ops.subtract(1.0, share)))

    def changed_labels(self, labels, transformation):
        return self.mixed(ops.cast(labels, self.compute_dtype), transformation)


class MixUp(_Pairs):
    """Images mixed with others of their batch, and labels likewise, in training.

    Args:
        alpha: of the beta distribution that the shares are drawn from: the smaller, the less is mixed.
        data_format, seed, bounding_box_format: see `RandomFlip`.

    Labels are one-hot. Boxes of both images stay, side by side; masks are mixed as the images are.

    Source: Zhang et al., mixup: beyond empirical risk minimization (2017).
    """

    def __init__(self, alpha=0.2, data_format=None, seed=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())

    def drawn(self, images, seed):
        order = self.drawn_order(images, seed)
        return {'mix_weight': random.beta((ops.shape(images)[0],), self.alpha, self.alpha, seed=seed),
                'permutation_order': order}

    def changed_images(self, images, transformation):
        return self.mixed(images, transformation)

    def changed_masks(self, masks, transformation):
        masks = ops.cast(masks, self.compute_dtype)
        share = self.share(transformation, masks)
        return ops.concatenate([ops.multiply(masks, share), ops.multiply(self.others(masks, transformation),
                                                                         ops.subtract(1.0, share))],
                               self.channel_axis())

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        result = dict(bounding_boxes)
        for name in ('boxes', 'labels'):
            if name in bounding_boxes:
                values = ops.convert_to_tensor(bounding_boxes[name])
                result[name] = ops.concatenate([values, self.others(values, transformation)],
                                               min(1, ops.ndim(values) - 1))
        return result


class CutMix(_Pairs):
    """A rectangle of each image replaced by that of another of its batch, and labels mixed likewise, in training.

    Args:
        factor: `f` for a beta distribution with parameters up to `f` that the shares are drawn from, or (lower, upper).
        seed, data_format: see `RandomFlip`.

    Source: Yun et al., CutMix: regularization strategy to train strong classifiers (2019).
    """

    def __init__(self, factor=1.0, seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self._bounds = factor_bounds(factor, 0.0, 1.0)

    def drawn(self, images, seed):
        lower, upper = self._bounds
        strength = ops.add(random.uniform((), float(lower), float(upper), seed=seed), 1e-6)
        share = random.beta((ops.shape(images)[0],), strength, strength, seed=seed)
        side = ops.sqrt(ops.subtract(1.0, share))
        masks, covered = rectangles(self, images, (side, side), seed)
        return {'permutation_order': self.drawn_order(images, seed), 'batch_masks': masks,
                'mix_weight': ops.reshape(ops.subtract(1.0, covered), (-1, 1, 1, 1))}

    def changed_images(self, images, transformation):
        return ops.where(ops.convert_to_tensor(transformation['batch_masks']), self.others(images, transformation),
                         images)

    changed_masks = changed_images

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        raise NotImplementedError('CutMix: what becomes of bounding boxes is not defined.')


# --- several at random ------------------------------------------------------------------------------------------------

def _itself(x):
    return x


class _Several(ImageLayer):
    """Layers that apply others out of a list, which are called by name in a transformation."""
    moves, is_whole = True, False

    def start_parts(self, makers):
        """Make the layers that are chosen from.

        Args:
            makers: {name: (class, arguments)}.
        """
        self._parts = {}
        for name, (cls, arguments) in makers.items():
            if cls not in (RandomShear, RandomTranslation, RandomRotation):
                arguments = dict(arguments, value_range=self.value_range)
            self._parts[name] = cls(data_format=self.data_format, dtype=self.dtype,
                                    bounding_box_format=self.bounding_box_format, **arguments)

    def drawn_of(self, numbers, images, seed):
        """{name: transformation} of the layers with some numbers, or where these are not known, of all."""
        return {name: part.drawn(images, seed) for number, (name, part) in enumerate(self._parts.items())
                if numbers is None or number in numbers}

    def applied(self, number, x, transformations, apply, movers=False):
        """`apply(layer, x, transformation)` of the layer with a number, which may be a tensor; x where none has it.

        Args:
            movers: whether only layers that move parts of images are applied.
        """
        known = _number(number)
        for place, (name, part) in enumerate(self._parts.items()):
            if movers and not part.moves:
                continue
            if known is None:
                x = ops.cond(ops.equal(number, place),
                             functools.partial(apply, part, x, transformations[name]), functools.partial(_itself, x))
            elif known == place:
                x = apply(part, x, transformations[name])
        return x

    def _makers(self, factor):
        moving = {'interpolation': self.interpolation}
        return {'random_shear': (RandomShear, dict(moving, x_factor=factor, y_factor=factor)),
                'random_translation': (RandomTranslation, dict(moving, height_factor=factor, width_factor=factor)),
                'random_rotation': (RandomRotation, dict(moving, factor=factor)),
                'random_brightness': (RandomBrightness, {'factor': factor}),
                'random_color_degeneration': (RandomColorDegeneration, {'factor': factor}),
                'random_contrast': (RandomContrast, {'factor': factor}),
                'random_sharpness': (RandomSharpness, {'factor': factor}),
                'random_posterization': (RandomPosterization, {'factor': _kept_bits(factor)}),
                'solarization': (Solarization, {'addition_factor': factor, 'threshold_factor': factor}),
                'auto_contrast': (AutoContrast, {}), 'equalization': (Equalization, {})}


def _kept_bits(factor):
    """The bits that posterization keeps, the fewer the stronger."""
    lower, upper = factor
    return max(1, 8 - int(round(7 * upper))), max(1, 8 - int(round(7 * lower)))


class RandAugment(_Several):
    """Several changes out of a list, drawn for each batch and applied one after the other, in training.

    Args:
        value_range: of the images. num_ops: number of changes.
        factor: how strong they are: `f` for strengths between 0 and `f`, or (lower, upper), within 0 and 1.
        interpolation: of those that move images. seed, data_format, bounding_box_format: see `RandomFlip`.

    The list: shear, translation, rotation, brightness, color degeneration, contrast, sharpness, posterization,
    solarization, automatic contrast, equalization.

    Source: Cubuk et al., RandAugment: practical automated data augmentation with a reduced search space (2019).
    """

    def __init__(self, value_range=(0, 255), num_ops=2, factor=0.5, interpolation='bilinear', seed=None,
                 data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        self.start_parts(self._makers(factor_bounds(factor, 0.0, 1.0)))
        self.num_ops = 0 if num_ops == 0 else positive_integer(num_ops, 'RandAugment', 'num_ops')

    def drawn(self, images, seed):
        order = random.randint((self.num_ops,), 0, len(self._parts), seed=seed)
        return {'transforms': self.drawn_of(_number(order), images, seed), 'layer_idxes': order}

    def changed_images(self, images, transformation):
        order, drawn = ops.convert_to_tensor(transformation['layer_idxes']), transformation['transforms']

        def step(place, x):
            return self.applied(ops.take(order, place), x, drawn, _change_images)
        if _number(order) is None:  # one body, whatever the number of changes
            return ops.fori_loop(0, self.num_ops, step, images)
        return functools.reduce(lambda x, place: step(place, x), range(self.num_ops), images)

    def _moved(self, x, transformation, apply):
        order = ops.convert_to_tensor(transformation['layer_idxes'])
        for place in range(self.num_ops):
            x = self.applied(order[place], x, transformation['transforms'], apply, movers=True)
        return x

    def changed_masks(self, masks, transformation):
        return self._moved(masks, transformation, lambda part, x, drawn: part.changed_masks(x, drawn))

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        # Boxes that are moved are floats; all the branches that may be taken give the same.
        floats = dict(bounding_boxes, boxes=ops.cast(bounding_boxes['boxes'], 'float32'))
        return self._moved(floats, transformation, lambda part, x, drawn: part.changed_bounding_boxes(x, drawn))


def _change_images(part, images, transformation):
    return part.changed_images(images, transformation)


def _number(x):
    """The numbers in a tensor as a NumPy array, or None while they are not known."""
    try:
        return np.asarray(to_array(x))
    except Exception:  # each engine has its own way to say that a tensor is being traced
        return None


class AugMix(_Several):
    """Images mixed with what several chains of random changes make of them, in training.

    Args:
        value_range: of the images. num_chains: number of chains. chain_depth: the most changes in a chain.
        factor: how strong changes are: `f` for strengths between 0 and `f`, or (lower, upper), within 0 and 1.
        alpha: of the Dirichlet and beta distributions that the shares are drawn from.
        all_ops: whether brightness, contrast, color and sharpness are among the changes, which the tests of robustness
            that the paper is about use as well. interpolation, seed, data_format: see `RandAugment`.

    Labels, boxes and masks stay as they are.

    Source: Hendrycks et al., AugMix: a simple data processing method to improve robustness and uncertainty (2020).
    """
    _OF_TESTS = ('random_brightness', 'random_color_degeneration', 'random_contrast', 'random_sharpness')

    def __init__(self, value_range=(0, 255), num_chains=3, chain_depth=3, factor=0.3, alpha=1.0, all_ops=True,
                 interpolation='bilinear', seed=None, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.declare(locals())
        makers = self._makers(factor_bounds(factor, 0.0, 1.0))
        self.start_parts({name: maker for name, maker in makers.items() if all_ops or name not in self._OF_TESTS})

    def drawn(self, images, seed):
        shares = random.gamma((self.num_chains,), self.alpha, seed=seed)
        depths = random.randint((self.num_chains,), 1, self.chain_depth + 1, seed=seed)
        # A number beyond the layers stands for none.
        places = random.randint((self.num_chains, self.chain_depth), 0, len(self._parts), seed=seed)
        used = ops.less(ops.expand_dims(ops.arange(self.chain_depth, dtype='int32'), 0), ops.expand_dims(depths, 1))
        places = ops.where(used, places, len(self._parts))
        numbers = _number(places)
        if numbers is None:  # all draw once, for whatever chain they are chosen
            drawn = [[self.drawn_of(None, images, seed)] * self.chain_depth] * self.num_chains
        else:
            drawn = [[self.drawn_of([number], images, seed) for number in chain] for chain in numbers]
        return {'chain_mixing_weights': ops.divide(shares, ops.sum(shares)),
                'weight_sample': random.beta((), self.alpha, self.alpha, seed=seed), 'layer_idxes': places,
                'chain_transforms': drawn}

    def changed_images(self, images, transformation):
        places = ops.convert_to_tensor(transformation['layer_idxes'])
        shares = ops.cast(transformation['chain_mixing_weights'], images.dtype)
        mix = self._mixed_known if _number(places) is not None else self._mixed_traced
        mixed = mix(images, places, shares, transformation['chain_transforms'])
        share = ops.cast(transformation['weight_sample'], images.dtype)
        return ops.add(ops.multiply(images, share), ops.multiply(mixed, ops.subtract(1.0, share)))

    def _mixed_known(self, images, places, shares, drawn):
        chains = []
        for chain in range(self.num_chains):
            x = images
            for step in range(self.chain_depth):
                x = self.applied(places[chain, step], x, drawn[chain][step], _change_images)
            chains.append(ops.multiply(x, shares[chain]))
        return sum(chains[1:], chains[0])

    def _mixed_traced(self, images, places, shares, drawn):
        """The chains one after the other in a loop, so that its body stands in a program once."""
        places, depth = ops.reshape(places, (-1,)), self.chain_depth

        def step(number, state):
            x, mixed = state
            x = ops.where(ops.equal(ops.mod(number, depth), 0), images, x)
            x = self.applied(ops.take(places, number), x, drawn[0][0], _change_images)
            share = ops.where(ops.equal(ops.mod(number, depth), depth - 1),
                              ops.take(shares, ops.floor_divide(number, depth)), 0.0)
            return x, ops.add(mixed, ops.multiply(x, share))
        return ops.fori_loop(0, self.num_chains * depth, step, (images, ops.zeros_like(images)))[1]

    def changed_bounding_boxes(self, bounding_boxes, transformation):
        return bounding_boxes
