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
# With more than that in lists, seeing that nothing has changed would take longer than looking through them.
_MOST = 10000


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
                if len(contents) > _MOST:
                    self.can_last = False
                    return
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
    """A layer, the layers inside it, each once, and what follows from them.

    It does not hold the layer itself, which is to be freed as soon as nobody needs it.

    Args:
        own: the `Parts` of the layer. inside: the layers inside. parts: theirs.

    Attributes:
        inside: as given. facts: {key: what is known}.
    """
    __slots__ = ('inside', 'facts', '_own', '_parts')

    def __init__(self, own, inside, parts):
        self._own, self.inside, self._parts = own, inside, parts
        self.facts = {}

    def holds(self, layer):
        """Whether no attribute of `layer`, which it is the tree of, or of those inside has changed."""
        if not self._own.hold(layer.__dict__):
            return False
        for part, parts in zip(self.inside, self._parts):
            if not parts.hold(part.__dict__):
                return False
        return True


def tree_of(layers):
    """The `Tree` of the first of `layers`, of which each was just looked at; None where one cannot tell of changes."""
    parts = []
    for layer in layers:
        noted = layer.__dict__.get('_noted')
        seen = None if noted is None else noted.parts
        if seen is None or not seen.can_last:
            return None
        parts.append(seen)
    return Tree(parts[0], layers[1:], parts[1:])
