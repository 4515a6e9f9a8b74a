"""Losses of several outputs at once: functions that stand beside a list or dictionary of outputs in `compile`."""
from keras import losses as losses_module
from keras.backend.contract import tree


class JointLoss:
    """A loss of several outputs, which gets targets and predictions in the structure these stand in.

    Args:
        loss: the function or `Loss`. weight: its factor, None for 1. places: the indices of the outputs, in their
            structure. name: in logs, without '_loss'.
    """

    def __init__(self, loss, weight, places, name):
        self.loss = loss if isinstance(loss, losses_module.Loss) else losses_module.LossFunctionWrapper(loss)
        self.weight, self.name = weight, name
        self._places, self.indices = places, tree.flatten(places)

    def __call__(self, targets, predictions, weights):
        """The loss of a batch.

        Args:
            targets: {index of output: tensor}. predictions, weights: lists by output. A sample counts by the mean of
                its weights.
        """
        found = [weights[index] for index in self.indices if weights[index] is not None]
        weight = None if not found else found[0] if len(found) == 1 else sum(found) / float(len(self.indices))
        return self.loss(tree.map_structure(targets.__getitem__, self._places),
                         tree.map_structure(predictions.__getitem__, self._places), sample_weight=weight)


def apart(loss, weights, structure, names):
    """What `compile` was given as (losses by output, weights by output, [`JointLoss`]); None without joint losses.

    Args:
        loss, weights: as given; the weights None, or in the structure of the losses. structure: what the outputs stand
            in, None for one output. names: of the outputs.

    A list of losses beside a tuple or a dictionary of outputs, or the other way round, has several of these.
    """
    if not tree.is_nested(structure) or not tree.is_nested(loss):
        return None
    count = len(names)
    found = _Found(count, _named(structure, names))
    found.walk(tree.pack_as(structure, list(range(count))), loss, weights, ())
    return (found.losses(), found.weights(), found.joint) if found.fits and found.joint else None


def _named(structure, names):
    return list(structure) if isinstance(structure, dict) and len(structure) == len(names) else names


class _Found:
    def __init__(self, count, names):
        self._by_output, self._names = [[] for _ in range(count)], names
        self.joint, self.fits = [], True

    def walk(self, places, loss, weight, path):
        """Sort in what stands beside the outputs at `places`, which lie at `path`."""
        if loss is None:
            return
        if not tree.is_nested(places):
            self._by_output[places].append((loss, weight))
        elif not tree.is_nested(loss):
            self._whole(places, loss, weight, path)
        elif isinstance(loss, (list, tuple)):
            self._listed(places, loss, weight, path)
        else:
            self._by_key(places, loss, weight, path)

    def _whole(self, places, loss, weight, path):
        if _takes_structures(loss):
            name = '/'.join(map(str, path)) or '_'.join(self._names)
            self.joint.append(JointLoss(loss, weight, places, name))
        else:
            for place in tree.flatten(places):
                self._by_output[place].append((loss, weight))

    def _listed(self, places, loss, weight, path):
        weights = weight if isinstance(weight, (list, tuple)) else [weight] * len(loss)
        leaves = tree.flatten(places)
        if not any(map(tree.is_nested, loss)) and len(loss) == len(leaves):
            for pair in zip(leaves, loss, weights):
                self.walk(pair[0], pair[1], pair[2], path)
        elif isinstance(places, type(loss)):
            self._by_key(places, loss, weight, path)
        else:
            for one, factor in zip(loss, weights):
                self.walk(places, one, factor, path)

    def _by_key(self, places, loss, weight, path):
        parts, given = tree.parts(places), tree.parts(loss)
        weights = tree.parts(weight) if tree.is_nested(weight) else dict.fromkeys(given, weight)
        self.fits = self.fits and isinstance(places, dict) == isinstance(loss, dict) and set(parts).issuperset(given)
        for key in given if self.fits else ():
            self.walk(parts[key], given[key], weights.get(key), path + (key,))

    def losses(self):
        return [None if not found else found[0][0] if len(found) == 1 else [loss for loss, _ in found]
                for found in self._by_output]

    def weights(self):
        found = [[1.0 if weight is None else weight for _, weight in pairs] or [1.0] for pairs in self._by_output]
        return [weights[0] if len(weights) == 1 else weights for weights in found]


def _takes_structures(loss):
    """Whether a loss is somebody's own: those of Keras compare tensors, and stand for each output beside them."""
    if isinstance(loss, (str, dict)) or loss is None:
        return False
    function = getattr(loss, 'fn', loss if hasattr(loss, '__name__') else type(loss))
    return getattr(function, '__module__', '') != 'keras.losses'
