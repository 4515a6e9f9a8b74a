"""What the attributes of a layer hold, known for as long as they are the same objects.

Looking through all attributes takes ten times as long as seeing that none of them has changed, and a `train_step` that
a script defines asks for weights, losses and metrics in every step.
"""
import operator

import numpy as np

from keras.backend.contract.loading import active

# Types of attributes in which nothing is found.
PLAIN = frozenset((int, float, str, bool, type(None), np.ndarray, type(len), type(lambda: 0), type))
_CONTAINERS = (list, tuple, dict)


class Noted:
    """What one layer keeps of itself: its `Parts` and its `Tree`, None as long as nobody has asked. Not copied along.

    `asked`: how often somebody has: while a model is built, attributes change more often than they are asked for.
    """
    __slots__ = ('parts', 'tree', 'asked')

    def __init__(self):
        self.parts, self.tree, self.asked = None, None, 0

    def __reduce__(self):
        return Noted, ()


class Unnoted:
    """In the place of `Parts` where nothing is noted."""
    can_last = False

    def __init__(self):
        self.found = self.metrics = None

    @staticmethod
    def hold(attributes):
        return False


class Parts:
    """What is found in the attributes of a layer, and whether these are still the same.

    Attributes that hold nothing may change their values as they like, but not their types. No number, array or tensor
    is kept alive.

    Args:
        attributes: the dictionary of attributes. ignored: names of attributes that do not matter.

    Attributes:
        found: (variables, layers), metrics: what the layer finds; None as long as it has not looked.
        can_last: False where the attributes hold something of which no note is taken.
    """
    __slots__ = ('found', 'metrics', 'can_last', '_activations', '_types', '_picked', '_kept',
                 '_containers')

    def __init__(self, attributes, ignored):
        self.found = self.metrics = None
        self.can_last, self._activations = True, active.activations
        self._types = list(map(type, attributes.values()))
        self._containers = []
        kept = [(place, value) for place, (name, value) in enumerate(attributes.items())
                if name == '_trainable' or type(value) not in PLAIN and name not in ignored]
        seen = set()
        for _, value in kept:
            self._note(value, seen)
        if not self.can_last:
            kept, self._containers = [], []
        # An `itemgetter` of one place gives no tuple.
        places = [place for place, _ in kept]
        self._picked = operator.itemgetter(*(places * 2 if len(places) == 1 else places)) if places else None
        self._kept = [value for _, value in kept] * (2 if len(places) == 1 else 1)

    def _note(self, value, seen):
        if isinstance(value, _CONTAINERS):
            if id(value) not in seen:
                seen.add(id(value))
                contents = list(value.values() if isinstance(value, dict) else value)
                self._containers.append((value, contents))
                for part in contents:
                    if type(part) not in PLAIN:
                        self._note(part, seen)
        elif isinstance(value, np.ndarray) or active.engine is not None and active.engine.is_native(value):
            self.can_last = False

    def hold(self, attributes):
        """Whether `attributes` are those that were seen."""
        values = list(attributes.values())
        if list(map(type, values)) != self._types or not self.can_last or self._activations != active.activations \
                or self._picked is not None and not all(map(operator.is_, self._picked(values), self._kept)):
            return False
        for container, contents in self._containers:
            if len(container) != len(contents) or contents and not all(map(
                    operator.is_, container.values() if isinstance(container, dict) else container, contents)):
                return False
        return True


class Tree:
    """A layer and all layers inside it, each once, and what follows from them.

    Attributes:
        layers: all of them. facts: {key: what is known of them}.
    """
    __slots__ = ('layers', 'facts', '_parts')

    def __init__(self, layers, parts):
        self.layers, self._parts = layers, parts
        self.facts = {}

    def holds(self):
        """Whether no attribute of any of the layers has changed."""
        for layer, parts in zip(self.layers, self._parts):
            if not parts.hold(layer.__dict__):
                return False
        return True


def tree_of(layers):
    """The `Tree` of `layers`, of which each was just looked at; None where one of them cannot tell of changes."""
    parts = []
    for layer in layers:
        noted = layer.__dict__.get('_noted')
        if noted is None or noted.parts is None or not noted.parts.can_last:
            return None
        parts.append(noted.parts)
    return Tree(layers, parts)
