"""Properties that make room for what a subclass calls by their name."""


class yielding(property):
    """A property in whose place an attribute of the object may stand: `self.outputs = Dense(3)` in a subclass.

    Names that one Keras gives to layers and models are free in another, and scripts use them.

    Example:
        >>> class Thing:
        ...     @yielding
        ...     def size(self):
        ...         return 3
        >>> thing = Thing()
        >>> thing.size
        3
        >>> thing.size = 'large'
        >>> thing.size
        'large'
    """

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        own = vars(instance) if instance is not None else ()
        return own[self._name] if self._name in own else super().__get__(instance, owner)

    def __set__(self, instance, value):
        vars(instance)[self._name] = value

    def __delete__(self, instance):
        if self._name not in vars(instance):
            raise AttributeError(self._name)
        del vars(instance)[self._name]
