"""How the description of a family of networks becomes functions that build models.

A family says in one function how its members are built, and in a table what makes each of them: `network` gives the
public functions. The arguments, the checks, the input, the usual top and the weights are the same for all of them.
"""
import inspect
import os

from keras import config, generations, layers
from keras.applications import imagenet_utils
from keras.applications.imagenet_utils import AS_THEY_ARE, CENTRED, FOLDER, NORMALIZED, SIGNED
from keras.models.model import Model
from keras.utils.downloads import get_file
from keras.utils.layer_utils import get_source_inputs

# The modules that keras-applications was handed by Keras 2: accepted, and of no use here.
_HANDED = ('backend', 'layers', 'models', 'utils')

# The arguments of most networks, in their order.
STANDARD = (('include_top', True), ('weights', 'imagenet'), ('input_tensor', None), ('input_shape', None),
            ('pooling', None), ('classes', imagenet_utils.CLASSES), ('classifier_activation', 'softmax'),
            ('name', None))

_HELP = """{about}

    Args:
        {own}include_top: whether the network ends in the layers that classify.
        weights: 'imagenet' (downloaded at the first use), None for random ones, or the path of a file of weights.
        input_tensor: a symbolic tensor that the network begins with, instead of a new input.
        input_shape: shape of the pictures without the batch. With the top it is {size} here and can be changed only
            without pretrained weights; at least {least} each way.
        pooling: without the top: None leaves the feature map (batch, rows, columns, channels), 'avg' and 'max' pool it.
        classes: number of classes, 1000 with pretrained weights. classifier_activation: of the last layer; None gives
            logits. name: of the model.

    Pictures go through `preprocess_input` of the same module first.

    Returns:
        A `Model`.

    Raises:
        ValueError: if arguments do not go together, or `weights` is no file. OSError: if the weights are neither in the
        cache nor can be downloaded.

    Source: {source}

    Example:
        model = keras.applications.{name}(weights=None, classes=10)
    """


def with_defaults(*own, **changed):
    """The standard arguments after some `own` pairs (name, default); `changed` has other defaults."""
    names = [name for name, _ in own]
    return own + tuple((name, changed.get(name, default)) for name, default in STANDARD if name not in names)


class Member:
    """A network that can be built: what its family and its row of the table say.

    name: of the function. describe: function of a `Network` that gives the features, as a symbolic tensor. top:
    function of a `Network` and the features that gives the predictions. size, least: height and width, default and
    least. published: function of a `Network` that gives (file, address, hash) of the weights. sized: when the size has
    to be known, with the 'top', 'always' or 'never'. pools_itself: whether `describe` obeys `pooling`. data: whatever
    `describe` needs.
    """

    def __init__(self, name, describe, top, size, least, published, sized, pools_itself, data):
        self.name = name
        self.describe = describe
        self.top = top
        self.size = size
        self.least = least
        self.published = published
        self.sized = sized
        self.pools_itself = pools_itself
        self.data = data


class Network:
    """A network that is being built: the arguments that it was called with are attributes, and so is the `data`.

    image: the symbolic tensor to begin with. axis: of the channels. data_format: of the pictures. top_row: where the
    name of the last layer depends on the generation, its row.
    """
    top_row = None

    def __init__(self, member, given):
        self.__dict__.update(member.data)
        self.__dict__.update(given)
        self.name = given.get('name', given.get('model_name'))
        self.member = member
        self.data_format = config.image_data_format()
        self.axis = 3 if self.data_format == 'channels_last' else 1
        self._check()

    def _check(self):
        name, weights = self.member.name, self.weights
        if not (weights in (None, 'imagenet') or os.path.exists(weights)):
            raise ValueError('%s: the `weights` argument should be either `None` (random initialization), `imagenet` '
                             '(pre-training on ImageNet), or the path to the weights file to be loaded. There is no '
                             'file %r.' % (name, weights))
        if self.pooling not in (None, 'avg', 'max'):
            raise ValueError('%s: `pooling` must be None, "avg" or "max". Received: %r' % (name, self.pooling))
        if weights == 'imagenet' and self.include_top and self.classes != imagenet_utils.CLASSES:
            raise ValueError('%s: if using `weights="imagenet"` with `include_top=True`, `classes` should be 1000. '
                             'Received: classes=%r. For classes of your own take include_top=False and add a Dense '
                             'layer.' % (name, self.classes))
        if self.include_top:
            imagenet_utils.validate_activation(self.classifier_activation, weights)

    def build(self):
        """The model, with its weights."""
        member = self.member
        self.input_shape = imagenet_utils.obtain_input_shape(
            self.input_shape, member.size(self) if callable(member.size) else member.size, member.least,
            self.data_format, member.sized == 'always' or self.include_top and member.sized == 'top', self.weights)
        self.image = self._input()
        outputs = member.describe(self, self.image)
        if self.include_top:
            outputs = member.top(self, outputs)
        elif self.pooling is not None and not member.pools_itself:
            outputs = self.pooled(outputs)
        inputs = self.image if self.input_tensor is None else get_source_inputs(self.image)
        model = Model(inputs, outputs, name=self.name)
        self._load(model)
        return model

    def _input(self):
        if self.input_tensor is None:
            return layers.Input(shape=self.input_shape)
        return layers.Input(tensor=self.input_tensor, shape=self.input_shape)

    def pooled(self, x):
        """The features without their places."""
        return (layers.GlobalAveragePooling2D if self.pooling == 'avg' else layers.GlobalMaxPooling2D)()(x)

    @property
    def sizes(self):
        """(rows, columns) of the pictures, None where they vary."""
        return self.input_shape[:2] if self.data_format == 'channels_last' else self.input_shape[1:]

    def _load(self, model):
        if self.weights == 'imagenet':
            file, address, file_hash = self.member.published(self)
            model.load_weights(get_file(file, address, cache_subdir='models', file_hash=file_hash))
        elif self.weights is not None:
            model.load_weights(self.weights)


def classified(net, x):
    """The usual top: the average over all places, and a Dense layer."""
    x = layers.GlobalAveragePooling2D(name='avg_pool')(x)
    name = 'predictions' if net.top_row is None else generations.value(net.top_row)
    return layers.Dense(net.classes, activation=net.classifier_activation, name=name)(x)


def published_as(folder, *files):
    """The usual `published`: pairs (file, hash) with and without the top, in a folder of the published weights."""
    def published(net):
        file, file_hash = files[0 if net.include_top else 1]
        return file, (folder if '://' in folder else FOLDER + folder) + file, file_hash
    return published


class Family:
    """What the members of a family have in common; see `Member` for the arguments."""

    def __init__(self, module, about, source, describe, top=classified, size=224, least=32, sized='top',
                 pools_itself=False, arguments=STANDARD, own=''):
        self.module = module
        self.texts = {'about': about, 'source': source, 'own': own}
        self.common = {'describe': describe, 'top': top, 'size': size, 'least': least, 'sized': sized,
                       'pools_itself': pools_itself}
        self.arguments = arguments

    def network(self, name, published, called=None, about='', **data):
        """The public function that builds a member.

        Args:
            name: of the function. published: see `Member`. called: name of the model. about: its first line, instead
                of that of the family. data: what makes it; also `size`, `least`, `top` of its own.
        """
        common = {key: data.pop(key, value) for key, value in self.common.items()}
        member = Member(name, published=published, data=data, **common)
        signature = inspect.Signature(
            [inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                               default=called if argument in ('name', 'model_name') else default)
             for argument, default in self.arguments]
            + [inspect.Parameter('kwargs', inspect.Parameter.VAR_KEYWORD)])

        def build(*args, **kwargs):
            return Network(member, _bound(signature, name, args, kwargs)).build()

        build.__name__ = build.__qualname__ = name
        build.__module__ = self.module
        build.__signature__ = signature
        size = common['size']
        texts = dict(self.texts, name=name, least=common['least'],
                     size='chosen' if callable(size) else '(%d, %d, 3)' % (size, size))
        texts['about'] = (about or texts['about']) % name
        build.__doc__ = _HELP.format(**texts)
        return build


def _bound(signature, name, args, kwargs):
    """{argument: value} of a call."""
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError('%s(): %s' % (name, error))
    bound.apply_defaults()
    given = dict(bound.arguments)
    unknown = sorted(set(given.pop('kwargs')).difference(_HANDED))
    if unknown:
        raise TypeError('%s() got an unexpected argument %r. It takes: %s'
                        % (name, unknown[0], ', '.join(list(signature.parameters)[:-1])))
    return given


def preprocessing(module, mode):
    """The functions `preprocess_input` and `decode_predictions` of the module of a family."""
    def preprocess_input(x, data_format=None, **kwargs):
        data_format = imagenet_utils.format_of(data_format, kwargs)
        return imagenet_utils.preprocessed(x, data_format, mode)
    preprocess_input.__module__ = module
    preprocess_input.__doc__ = _PREPROCESSING.format(
        what='Pictures as these networks expect them%s.' % _MODES[mode], module=module)
    return preprocess_input, imagenet_utils.decode_predictions


_MODES = {CENTRED: ': BGR, less the mean of ImageNet', SIGNED: ': from -1 to 1',
          NORMALIZED: ': from 0 to 1, then by the mean and deviation of ImageNet',
          AS_THEY_ARE: ': as they are, for the networks scale them themselves'}
_PREPROCESSING = """{what}

    Args:
        x: one picture or a batch, RGB from 0 to 255: an array (one of floats is changed in place), a tensor of the
            engine or a symbolic tensor. data_format: 'channels_last' or 'channels_first'; default from keras.json.

    Returns:
        An array or tensor of the shape of `x`.

    Raises:
        ValueError: if `x` is no picture of three colours, or for another data format.

    Example:
        x = {module}.preprocess_input(x)
    """
