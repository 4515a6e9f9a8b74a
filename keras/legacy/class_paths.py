"""The paths that classes have in other Kerases, for programs that go by the paths of the classes that an object is of.

R's packages are such: they choose methods by them. `type(layer).__module__` stays where the class is, so that pickles,
`inspect` and readers find it; a class has bases without anything in them beside, one for each path.
"""


def known_as(*paths):
    """A base for the class that other Kerases have at `paths`, like 'keras.src.models.model.Model'."""
    bases = []
    for path in paths:
        module, _, name = path.rpartition('.')
        bases.append(type(name, (), {'__module__': module, '__slots__': (), '__doc__': 'What is called %s.' % path}))
    return type(bases[0].__name__, tuple(bases), {'__module__': __name__, '__slots__': ()})
