"""Colors of images in other coordinates."""
from keras.backend.table import primitives as p
from keras.backend.table.cases import Q
from keras.backend.table.composites.shape import stack, unstack
from keras.backend.table.dispatch import composite


@composite('images', cases=[(Q(2, 3, 4, 3), -1), (Q(2, 3, 4, 5), -3), (Q(0, 3), -1)])
def hsv_of_rgb(images, axis=-1):
    """Floats with red, green and blue along an axis as such with hue, saturation and value (Smith, 1978)."""
    red, green, blue = unstack(images, 3, axis)
    value = p.max(images, axis)
    spread = p.subtract(value, p.min(images, axis))
    safe = p.where(p.equal(spread, 0.0), 1.0, spread)
    saturation = p.where(p.less(0.0, value), p.divide(spread, p.where(p.less(0.0, value), value, 1.0)), 0.0)
    from_red = p.divide(p.subtract(green, blue), safe)
    from_green = p.add(p.divide(p.subtract(blue, red), safe), 2.0)
    from_blue = p.add(p.divide(p.subtract(red, green), safe), 4.0)
    hue = p.where(p.equal(value, red), from_red, p.where(p.equal(value, green), from_green, from_blue))
    hue = p.where(p.equal(spread, 0.0), 0.0, p.mod(p.divide(hue, 6.0), 1.0))
    return stack([hue, saturation, value], axis)


@composite('images', cases=[(Q(2, 3, 4, 3), -1), (Q(2, 3, 4, 5), -3), (Q(0, 3), -1)])
def rgb_of_hsv(images, axis=-1):
    """The inverse of `hsv_of_rgb`."""
    hue, saturation, value = unstack(images, 3, axis)
    strength = p.multiply(value, saturation)

    def channel(offset):
        position = p.mod(p.add(p.multiply(hue, 6.0), offset), 6.0)
        weight = p.maximum(p.minimum(p.minimum(position, p.subtract(4.0, position)), 1.0), 0.0)
        return p.subtract(value, p.multiply(strength, weight))
    return stack([channel(5.0), channel(3.0), channel(1.0)], axis)
