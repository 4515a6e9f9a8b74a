"""A dictionary whose entries are attributes."""
import json


class Config:
    """Named values: attributes and entries at once, which can be frozen.

    Args:
        kwargs: the values.

    Example:
        >>> config = keras.utils.Config(units=3)
        >>> config.rate = 0.5
        >>> config.units, config['rate'], config.as_dict()
        (3, 0.5, {'units': 3, 'rate': 0.5})
    """
    _values = None
    _frozen = False

    def __init__(self, **kwargs):
        object.__setattr__(self, '_values', dict(kwargs))
        object.__setattr__(self, '_frozen', False)

    @property
    def frozen(self):
        """Whether the values cannot be changed."""
        return self._frozen

    def _changeable(self):
        if self._frozen:
            raise ValueError('Cannot mutate attribute(s) because the config is frozen.')
        return self._values

    def __getattr__(self, name):
        # A copy that is being made has no values yet.
        if name not in (self._values or ()):
            raise AttributeError("Unknown attribute: '%s'." % name)
        return self._values[name]

    def __setattr__(self, name, value):
        self._changeable()[name] = value

    def __delattr__(self, name):
        if name not in self._changeable():
            raise AttributeError("Unknown attribute: '%s'." % name)
        del self._values[name]

    def __getitem__(self, name):
        return self._values[name]

    def __setitem__(self, name, value):
        self._changeable()[name] = value

    def __delitem__(self, name):
        del self._changeable()[name]

    def __contains__(self, name):
        return name in self._values

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __eq__(self, other):
        return isinstance(other, Config) and self._values == other.as_dict()

    __hash__ = None

    def __dir__(self):
        return sorted(set(object.__dir__(self)).union(self._values))

    def __repr__(self):
        return '<Config %r>' % self._values

    def get(self, keyname, value=None):
        """The value called `keyname`, or `value` where there is none."""
        return self._values.get(keyname, value)

    def keys(self):
        """The names."""
        return self._values.keys()

    def values(self):
        """The values."""
        return self._values.values()

    def items(self):
        """Pairs of name and value."""
        return self._values.items()

    def pop(self, *args):
        """Take a value out and return it; arguments as for `dict.pop`."""
        return self._changeable().pop(*args)

    def update(self, *args, **kwargs):
        """Set values; arguments as for `dict.update`."""
        self._changeable().update(*args, **kwargs)

    def as_dict(self):
        """The values as a dictionary, a new one."""
        return dict(self._values)

    def to_json(self):
        """The values as JSON."""
        return json.dumps(self._values)

    def freeze(self):
        """Let nobody change the values."""
        object.__setattr__(self, '_frozen', True)

    def unfreeze(self):
        """Let the values be changed again."""
        object.__setattr__(self, '_frozen', False)
