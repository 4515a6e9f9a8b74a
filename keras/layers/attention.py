"""Attention layers: of queries to the values whose keys are like them."""
import math
import warnings

from keras import config, ops, random
from keras.backend.contract.loading import get_engine
from keras.backend.table.composites import nn
from keras.backend.table.composites.shape import dtype_of
from keras.layers.arguments import check_rate, positive_integer
from keras.layers.base import Layer, mask_of
from keras.layers.core import Dropout
from keras.layers.einsum_dense import EinsumDense


def _without(scores, allowed):
    """`scores` so low where `allowed` is False that nothing is left of them behind a softmax."""
    dtype = dtype_of(scores)
    return ops.add(scores, ops.multiply(ops.cast(ops.logical_not(allowed), dtype), nn.lowest_logit(dtype)))


def _both(first, second):
    """The conjunction of two masks, each of which may be None."""
    if first is None or second is None:
        return second if first is None else first
    return ops.logical_and(first, second)


def _causal(rows, columns):
    """(rows, columns), True where a column is not later than the row."""
    return ops.less_equal(_later(rows, columns), 0)


def _later(rows, columns):
    """(rows, columns) of ints: how far a column is behind the row."""
    return ops.subtract(ops.arange(columns, dtype='int32'), ops.expand_dims(ops.arange(rows, dtype='int32'), 1))


class _DotAttention(Layer):
    """What `Attention` and `AdditiveAttention` share: a list of query, value and perhaps key, and their masks."""

    supports_masking = True

    def call(self, inputs, mask=None, training=None, return_attention_scores=False, use_causal_mask=False):
        self._check(inputs)
        self._check_masks(inputs, mask)
        query, value = inputs[0], inputs[1]
        scores = self._calculate_scores(query, inputs[2] if len(inputs) > 2 else value)
        query_mask, value_mask = (list(mask) + [None, None])[:2] if mask is not None else (None, None)
        allowed = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask or self.causal:
            rows, columns = ops.shape(scores)[-2:]
            allowed = _both(allowed, _causal(rows, columns))
        result, weights = self._apply_scores(scores, value, allowed, training)
        if query_mask is not None:
            result = ops.multiply(result, ops.cast(ops.expand_dims(query_mask, -1), result.dtype))
        return (result, weights) if return_attention_scores else result

    def _apply_scores(self, scores, value, scores_mask=None, training=False):
        """The outputs and the weights of the values; this and `_calculate_scores` are what subclasses override."""
        weights = nn.softmax(scores if scores_mask is None else _without(scores, scores_mask), -1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, None, self.seed_generator)
        return ops.matmul(weights, value), weights

    def _check(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3) or isinstance(inputs[0], int):
            raise ValueError('Layer %s (%s) must be called on a list of inputs of length 2 or 3: [query, value] or '
                             '[query, value, key]. Received: %r' % (self.name, type(self).__name__, inputs))

    def _check_masks(self, inputs, mask):
        if mask is not None and not isinstance(mask, (list, tuple)):
            raise ValueError('Layer %s: %s layer mask must be a list, [query_mask, value_mask]. Received: %r'
                             % (self.name, type(self).__name__, mask))
        if mask is not None and not 2 <= len(mask) <= max(3, len(inputs)):
            raise ValueError('Layer %s: %s layer accepts a mask list of length 2 or 3. Received length: %d.'
                             % (self.name, type(self).__name__, len(mask)))

    def compute_mask(self, inputs, mask=None):
        return mask[0] if isinstance(mask, (list, tuple)) else None

    causal = False


class Attention(_DotAttention):
    """Attention by the products of queries and keys, called on a list [query, value] or [query, value, key].

    Args:
        use_scale: whether the scores are multiplied by a trained number.
        score_mode: 'dot', or 'concat': `w * sum(tanh(query + key))` with a trained `w`.
        dropout: rate, for the weights of the values, in training.
        causal: of tf.keras: whether no query attends to later values; newer calls say `use_causal_mask=True`.

    query is (batch, T, width), value (batch, S, size), key (batch, S, width), default the value; the output is
    (batch, T, size). With `return_attention_scores=True` the weights (batch, T, S) follow.

    Source: Luong et al., Effective approaches to attention-based neural machine translation (2015).

    Example:
        >>> keras.layers.Attention()([np.ones((2, 3, 4), 'float32'), np.ones((2, 5, 4), 'float32')]).shape
        (2, 3, 4)
    """
    later = ('score_mode', 'seed', 'causal')

    def __init__(self, use_scale=False, score_mode='dot', dropout=0.0, seed=None, causal=False, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ('dot', 'concat'):
            raise ValueError("Attention: Invalid value for argument score_mode. Expected one of {'dot', 'concat'}. "
                             'Received: score_mode=%r' % (score_mode,))
        self.declare(locals())
        check_rate(dropout, 'Attention', 'dropout')
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape):
        self._check(input_shape)
        self.scale = self.add_weight(name='scale', shape=(), initializer='ones') if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == 'concat':
            self.concat_score_weight = self.add_weight(name='concat_score_weight', shape=(), initializer='ones')
        self.built = True

    def _calculate_scores(self, query, key):
        if self.score_mode == 'dot':
            scores = ops.matmul(query, ops.swapaxes(key, -1, -2))
            return scores if self.scale is None else ops.multiply(scores, self.scale.value)
        both = ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3))
        if self.scale is not None:
            both = ops.multiply(both, self.scale.value)
        return ops.multiply(ops.sum(ops.tanh(both), -1), self.concat_score_weight.value)


class AdditiveAttention(_DotAttention):
    """Attention by `sum(scale * tanh(query + key))`; called as `Attention` is.

    Args:
        use_scale: whether there is a trained `scale` of the size of query and key. dropout, causal: see `Attention`.

    Source: Bahdanau et al., Neural machine translation by jointly learning to align and translate (2014).
    """
    later = ('seed', 'causal')

    def __init__(self, use_scale=True, dropout=0.0, seed=None, causal=False, **kwargs):
        super().__init__(**kwargs)
        self.declare(locals())
        check_rate(dropout, 'AdditiveAttention', 'dropout')
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape):
        self._check(input_shape)
        self.scale = self.add_weight(name='scale', shape=(input_shape[0][-1],)) if self.use_scale else None
        self.built = True

    def _calculate_scores(self, query, key):
        both = ops.tanh(ops.add(ops.expand_dims(query, -2), ops.expand_dims(key, -3)))
        return ops.sum(both if self.scale is None else ops.multiply(both, self.scale.value), -1)


def _also(name):
    """An attribute that is the attribute `name`."""
    return property(lambda self: getattr(self, name), lambda self, value: setattr(self, name, value))


class _HeadedAttention(Layer):
    """What attention with several heads shares: its calls, the masks of the three tensors, and dropout."""

    supports_masking = True
    uses_masks = True
    fills_in_masks = True
    _MASKS = ('query_mask', 'value_mask', 'key_mask')
    _TENSORS = ('query', 'value', 'key')
    names_regularizer = True

    def _call_with(self, args, kwargs):
        given = dict(zip(self._TENSORS, args))
        given.update({name: kwargs[name] for name in self._TENSORS if name in kwargs})
        if kwargs.get('query_mask') is not None and self._ignores_query_masks():
            warnings.warn('Layer %s: `query_mask` has no effect in Keras 3, where it is the mask that goes with the '
                          'query (of a Masking or an Embedding) that counts. `attention_mask` has.' % self.name,
                          stacklevel=3)
            kwargs = dict(kwargs, query_mask=None)
        added = []
        for name, mask in zip(self._TENSORS, self._MASKS):
            found = mask_of(given.get(name)) if self.uses_masks else None
            if found is not None and kwargs.get(mask) is None:
                kwargs = dict(kwargs, **{mask: found})
                added.append(mask)
        self.implicit_arguments = Layer.implicit_arguments + tuple(added)
        return super()._call_with(args, kwargs)

    def _ignores_query_masks(self):
        """Whether an argument `query_mask` has no effect."""
        return False

    def compute_mask(self, inputs, mask=None):
        return mask

    def compute_output_shape(self, query_shape, value_shape=None, key_shape=None):
        """The shape of what the heads give together, for the shapes of the three tensors."""
        value_shape = query_shape if value_shape is None else value_shape
        shapes = query_shape, value_shape, value_shape if key_shape is None else key_shape
        self._check_shapes(*[tuple(shape) if hasattr(shape, '__iter__') else (shape,) for shape in shapes])
        return tuple(query_shape[:-1]) + self._last_sizes(query_shape)

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if value_shape[1:-1] != key_shape[1:-1] and None not in value_shape[1:-1] + key_shape[1:-1]:
            raise ValueError('Layer %s (%s): All dimensions of `value` and `key`, except the last one, must be equal. '
                             'Received: value_shape=%s and key_shape=%s'
                             % (self.name, type(self).__name__, value_shape, key_shape))

    def _last_sizes(self, query_shape):
        return (query_shape[-1],)

    def _symbolic_outputs(self, args, kwargs):
        return self.abstract_outputs(args, kwargs)

    def _own_weights_arguments(self):
        names = ('kernel_initializer', 'bias_initializer', 'kernel_regularizer', 'bias_regularizer',
                 'kernel_constraint', 'bias_constraint')
        return {name: getattr(self, name) for name in names}

    def _dense(self, name, equation, output_shape, bias_axes):
        return EinsumDense(equation, output_shape, bias_axes=bias_axes if self.use_bias else None, name=name,
                           **self._get_common_kwargs_for_sublayer())

    def _get_common_kwargs_for_sublayer(self):
        # Each its own initializer: one with a seed gives the same values again.
        copied = {name: value.from_config(value.get_config()) if hasattr(value, 'from_config') else value
                  for name, value in self._own_weights_arguments().items()}
        return dict(copied, dtype=self.dtype_policy)

    # Subclasses written for tf.keras and Keras 3 (KerasHub's, with a cache of keys and values) read and set the parts
    # and arguments by these names, and call or override these methods.
    _query_dense, _key_dense, _value_dense, _output_dense, _gate_dense = map(
        _also, ('query_dense', 'key_dense', 'value_dense', 'output_dense', 'gate_dense'))
    _dropout, _use_bias, _sliding_window, _flash_attention, _use_gate = map(
        _also, ('dropout', 'use_bias', 'sliding_window', 'flash_attention', 'use_gate'))
    _kernel_initializer, _bias_initializer, _kernel_regularizer, _bias_regularizer, _kernel_constraint, \
        _bias_constraint = map(_also, ('kernel_initializer', 'bias_initializer', 'kernel_regularizer',
                                       'bias_regularizer', 'kernel_constraint', 'bias_constraint'))

    def _compute_causal_mask(self, query, value=None):
        value = query if value is None else value
        return ops.expand_dims(_causal(ops.shape(query)[1], ops.shape(value)[1]), 0)

    def _start_dropout(self):
        check_rate(self.dropout, type(self).__name__, 'dropout')
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, name='dropout', dtype=self.dtype_policy)

    def _compute_attention_mask(self, query, value, query_mask=None, value_mask=None, key_mask=None,
                                attention_mask=None, use_causal_mask=False):
        allowed = None if attention_mask is None else ops.cast(attention_mask, 'bool')
        for mask in (value_mask, key_mask):
            if mask is not None:
                allowed = _both(allowed, ops.expand_dims(ops.cast(mask, 'bool'), -2))
        if query_mask is not None and self.ruled('masked_queries_attend_evenly'):
            allowed = _both(allowed, ops.expand_dims(ops.cast(query_mask, 'bool'), -1))
        if use_causal_mask:
            allowed = _both(allowed, self._compute_causal_mask(query, value))
        if self.sliding_window is not None:
            near = ops.less(ops.abs(_later(ops.shape(query)[1], ops.shape(value)[1])), self.sliding_window)
            allowed = _both(allowed, ops.expand_dims(near, 0))
        return allowed

    def _check_extras(self):
        """Check the arguments that came later to such layers."""
        if self.sliding_window is not None and (not isinstance(self.sliding_window, int) or self.sliding_window < 1):
            raise ValueError('%s: `sliding_window` must be `None` or a positive integer. Received: sliding_window=%r'
                             % (type(self).__name__, self.sliding_window))
        if self.flash_attention and self.dropout:
            raise ValueError('%s: Dropout is not supported when flash attention is enabled. Received: dropout=%s. With '
                             'flash_attention=None both are possible.' % (type(self).__name__, self.dropout))

    def _is_fused(self, return_attention_scores, training):
        """Whether one operation goes from the projections to what the heads give; then there are no scores."""
        if self.flash_attention and return_attention_scores:
            raise ValueError('Layer %s: Returning attention scores is not supported when flash attention is enabled. '
                             'Please disable flash attention to access attention scores. With flash_attention=None '
                             'the layer does by itself where they are wanted.' % self.name)
        if self.flash_attention and 'attention' not in get_engine().overrides:
            raise ValueError('Layer %s: flash_attention=True asks for a kernel that the %s engine does not have; with '
                             'None the same numbers are computed without it.' % (self.name, get_engine().name))
        wanted = config.is_flash_attention_enabled() if self.flash_attention is None else self.flash_attention
        return wanted is not False and not return_attention_scores and not (training and self.dropout)

    def _fused(self, query, key, value, allowed, is_causal, size):
        """What the heads give, for projections (batch, length, heads, size) and a mask (batch, T, S)."""
        scale = 1.0 / math.sqrt(float(size))
        if allowed is None:
            return nn.attention(query, key, value, None, scale, is_causal)
        for _ in range(4 - ops.ndim(allowed)):
            allowed = ops.expand_dims(allowed, -3)
        return nn.attention_where(allowed, query, key, value, None, scale)

    def _gated(self, result, query):
        """What the heads give, times a share for each number that follows from the query."""
        return ops.multiply(result, ops.sigmoid(self.gate_dense(query))) if self.use_gate else result

    def _weights_of(self, scores, allowed, axes):
        weights = nn.softmax(scores if allowed is None else _without(scores, allowed), axes)
        if allowed is not None and self.ruled('softmax_applies_any_mask'):
            weights = ops.where(allowed, weights, 0.0)  # also where nothing is allowed
        return weights


class MultiHeadAttention(_HeadedAttention):
    """Scaled products of queries and keys in several heads: `layer(query, value, key=None)`.

    Args:
        num_heads: number of heads. key_dim, value_dim: sizes of a head's queries and keys, and of its values, default
            those of its keys.
        dropout: rate, for the weights of the values, in training. use_bias: whether the projections have a bias.
        output_shape: sizes of the output's last axes, default that of the query.
        uses_masks: False for the layer of tf.keras before 2.10, which heeded no masks but `attention_mask`.
        attention_axes: the axes along which queries attend, default all but the batch and the last.
        kernel_..., bias_...: initializers, regularizers and constraints of all projections. seed: of the dropout.
        sliding_window: `w` lets queries attend to places less than `w` away only; None to all.
        flash_attention: None takes the engine's own kernel where there is one, False does not, True refuses where there
            is none, or where the weights of the values are asked for.
        use_gate: whether what the heads give is multiplied by a sigmoid of a projection of the query (Qiu et al., Gated
            attention for large language models, 2025).

    The call takes masks (`query_mask`, `value_mask`, `key_mask`: (batch, T or S); `attention_mask`: (batch, T, S), True
    where attention may go), `use_causal_mask` and `return_attention_scores`.

    Source: Vaswani et al., Attention is all you need (2017).

    Example:
        >>> x = np.ones((2, 5, 8), 'float32')
        >>> keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
        (2, 5, 8)
    """
    later = ('seed', 'uses_masks', 'sliding_window', 'flash_attention', 'use_gate')
    kept_as = {'output_shape': 'given_output_shape'}

    def __init__(self, num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None,
                 attention_axes=None, sliding_window=None, flash_attention=None, kernel_initializer='glorot_uniform',
                 bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
                 kernel_constraint=None, bias_constraint=None, use_gate=False, seed=None, uses_masks=True, **kwargs):
        # Configs of tf.keras hold the shapes that the layer was built for.
        shapes = [kwargs.pop(name, None) for name in ('query_shape', 'key_shape', 'value_shape')]
        super().__init__(**kwargs)
        value_dim = key_dim if value_dim is None else value_dim
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        if output_shape is not None and not isinstance(output_shape, (list, tuple)):
            raise ValueError('MultiHeadAttention: Invalid `output_shape`: an int or a tuple of ints, or None for the '
                             'size of the query. Received: %r' % (output_shape,))
        if isinstance(attention_axes, int):
            attention_axes = (attention_axes,)
        self.declare(locals())
        for name in ('num_heads', 'key_dim', 'value_dim'):
            positive_integer(getattr(self, name), 'MultiHeadAttention', name)
        self._check_extras()
        self._start_dropout()
        if shapes[0] is not None and shapes[2] is not None:
            self.build(shapes[0], shapes[2], shapes[1])

    def _last_sizes(self, query_shape):
        return tuple(self.given_output_shape or super()._last_sizes(query_shape))

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(tuple(query_shape), tuple(value_shape), tuple(key_shape))
        rank = len(query_shape)
        letters, heads = 'abcdefghijklm'[:rank - 1], 'nh'

        def projection(name, width):
            return self._dense(name, '%sz,znh->%snh' % (letters, letters), [None] * (rank - 2) + [self.num_heads,
                                                                                               width], heads)
        self.query_dense, self.key_dense = projection('query', self.key_dim), projection('key', self.key_dim)
        if self.use_gate:
            self.gate_dense = projection('gate', self.value_dim)
            self.gate_dense.ensure_built(query_shape)
        self.value_dense = projection('value', self.value_dim)
        last = self._last_sizes(query_shape)
        ends = 'uvwxy'[:len(last)]
        self.output_dense = self._dense('attention_output', '%snh,nh%s->%s%s' % (letters, ends, letters, ends),
                                        [None] * (rank - 2) + list(last), ends)
        self.query_dense.ensure_built(query_shape)
        self.key_dense.ensure_built(key_shape)
        self.value_dense.ensure_built(value_shape)
        self.output_dense.ensure_built(tuple(query_shape[:-1]) + (self.num_heads, self.value_dim))
        self._build_attention(rank + 1)
        self.built = True

    def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             return_attention_scores=False, training=None, use_causal_mask=False):
        key = value if key is None else key
        given = [query_mask, value_mask, key_mask, attention_mask]
        fused = self._is_fused(return_attention_scores, training) and self._is_plain()
        # Kernels know that mask by its name, where it is the only one.
        is_causal = fused and use_causal_mask and self.sliding_window is None and all(mask is None for mask in given)
        allowed = self._compute_attention_mask(query, value, *given, use_causal_mask=use_causal_mask and not is_causal)
        projections = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        if fused:
            result, weights = self._fused(*projections, allowed=allowed, is_causal=is_causal, size=self.key_dim), None
        else:
            result, weights = self._compute_attention(*projections, attention_mask=allowed, training=training)
        result = self.output_dense(self._gated(result, query))
        return (result, weights) if return_attention_scores else result

    def _ignores_query_masks(self):
        return self.ruled('query_masks_go_with_queries')

    _num_heads, _key_dim, _value_dim, _attention_axes, _output_shape = map(
        _also, ('num_heads', 'key_dim', 'value_dim', 'attention_axes', 'given_output_shape'))

    def _build_attention(self, rank):
        """Note what the attention of projections with `rank` axes goes by."""
        axes = self.attention_axes
        self.attention_axes = tuple(range(1, rank - 2)) if axes is None else tuple(axis % (rank - 1) for axis in axes)
        letters = 'abcdefghijklm'[:rank - 2]
        other = ''.join(letter.upper() if place in self.attention_axes else letter
                        for place, letter in enumerate(letters))
        free = ''.join(letter for place, letter in enumerate(letters) if place not in self.attention_axes)
        attending = [''.join(names[axis] for axis in self.attention_axes) for names in (letters, other)]
        scores = free + 'n' + ''.join(attending)
        # Of keys and queries, and of weights and values.
        self._dot_product_equation = '%snh,%snh->%s' % (other, letters, scores)
        self._combine_equation = '%s,%snh->%snh' % (scores, other, letters)

    def _is_plain(self):
        """Whether queries attend along the one axis between batch and size, and as no subclass says."""
        return self._dot_product_equation == 'aBnh,abnh->anbB' \
            and type(self)._compute_attention is MultiHeadAttention._compute_attention \
            and type(self)._masked_softmax is MultiHeadAttention._masked_softmax

    def _compute_attention(self, query, key, value, attention_mask=None, training=None, return_attention_scores=False,
                           use_causal_mask=False):
        """(What the heads give, the weights of the values) for projections, and a mask that is true where to look.

        The weights are there whether `return_attention_scores` asks or not.
        """
        if use_causal_mask:
            causal = self._compute_causal_mask(query, key)
            attention_mask = _both(None if attention_mask is None else ops.cast(attention_mask, 'bool'), causal)
        queries = ops.multiply(query, 1.0 / math.sqrt(float(self.key_dim)))
        scores = ops.einsum(self._dot_product_equation, key, queries)
        weights = self._masked_softmax(scores, attention_mask)
        dropped = self._dropout_layer(weights, training=training)
        return ops.einsum(self._combine_equation, dropped, value), weights

    def _mask_for(self, scores, attention_mask):
        """A mask with as many axes as the scores: one more for the heads, and for what nothing attends along."""
        if attention_mask is None:
            return None
        allowed = ops.cast(attention_mask, 'bool')
        for _ in range(ops.ndim(scores) - ops.ndim(allowed)):
            allowed = ops.expand_dims(allowed, -2 * len(self.attention_axes) - 1)
        return allowed

    def _masked_softmax(self, attention_scores, attention_mask=None):
        axes = tuple(range(-len(self.attention_axes), 0))
        return self._weights_of(attention_scores, self._mask_for(attention_scores, attention_mask),
                                axes if len(axes) > 1 else -1)


class GroupedQueryAttention(_HeadedAttention):
    """Attention whose heads share keys and values in groups: `layer(query, value, key=None)`.

    Args:
        head_dim: size of a head. num_query_heads: number of heads, a multiple of num_key_value_heads.
        num_key_value_heads: number of different keys and values.
        dropout, use_bias, sliding_window, flash_attention, kernel_..., bias_..., use_gate, seed: see
            `MultiHeadAttention`, as for the call.

    Source: Ainslie et al., GQA: training generalized multi-query transformer models from multi-head checkpoints (2023).
    """
    later = ('sliding_window', 'flash_attention', 'use_gate')

    def __init__(self, head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None,
                 flash_attention=None, kernel_initializer='glorot_uniform', bias_initializer='zeros',
                 kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
                 bias_constraint=None, use_gate=False, seed=None, **kwargs):
        super().__init__(**kwargs)
        if num_query_heads % num_key_value_heads:
            raise ValueError('GroupedQueryAttention: num_query_heads (%d) must be a multiple of num_key_value_heads '
                             '(%d).' % (num_query_heads, num_key_value_heads))
        self.declare(locals())
        self._check_extras()
        self._start_dropout()

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if query_shape[-1] != value_shape[-1]:
            raise ValueError('Layer %s (%s): The last dimension of `query_shape` and `value_shape` must be equal. '
                             'Received: query_shape=%s, value_shape=%s'
                             % (self.name, type(self).__name__, query_shape, value_shape))
        super()._check_shapes(query_shape, value_shape, key_shape)

    def build(self, query_shape, value_shape, key_shape=None):
        heads, few = self.num_query_heads, self.num_key_value_heads
        self.query_dense = self._dense('query', 'abz,znh->abnh', (None, heads, self.head_dim), 'nh')
        self.key_dense = self._dense('key', 'abz,znh->abnh', (None, few, self.head_dim), 'nh')
        if self.use_gate:
            self.gate_dense = self._dense('gate', 'abz,znh->abnh', (None, heads, self.head_dim), 'nh')
            self.gate_dense.ensure_built(query_shape)
        self.value_dense = self._dense('value', 'abz,znh->abnh', (None, few, self.head_dim), 'nh')
        self.output_dense = self._dense('attention_output', 'abnh,nhz->abz', (None, query_shape[-1]), 'z')
        self.query_dense.ensure_built(query_shape)
        self.key_dense.ensure_built(value_shape if key_shape is None else key_shape)
        self.value_dense.ensure_built(value_shape)
        self.output_dense.ensure_built(tuple(query_shape[:-1]) + (heads, self.head_dim))
        self.built = True

    def call(self, query, value, key=None, query_mask=None, value_mask=None, key_mask=None, attention_mask=None,
             return_attention_scores=False, training=None, use_causal_mask=False):
        key = value if key is None else key
        allowed = self._compute_attention_mask(query, value, query_mask, value_mask, key_mask, attention_mask,
                                               use_causal_mask)
        if self._is_fused(return_attention_scores, training):
            result = self._fused(self.query_dense(query), self.key_dense(key), self.value_dense(value), allowed, False,
                                 self.head_dim)
            return self.output_dense(self._gated(result, query))
        group = self.num_query_heads // self.num_key_value_heads
        keys, values = [ops.repeat(dense(x), group, 2) for dense, x in ((self.key_dense, key),
                                                                        (self.value_dense, value))]
        scores = ops.einsum('abnh,aBnh->anbB', self.query_dense(query), keys)
        scores = ops.multiply(scores, 1.0 / math.sqrt(float(self.head_dim)))
        weights = self._weights_of(scores, None if allowed is None else ops.expand_dims(allowed, 1), -1)
        dropped = self._dropout_layer(weights, training=training)
        result = self.output_dense(self._gated(ops.einsum('anbB,aBnh->abnh', dropped, values), query))
        return (result, weights) if return_attention_scores else result

    def saved_parts(self):
        # Keras 3 has no public names for these.
        return {'_' + name if name.endswith('_dense') else name: part for name, part in super().saved_parts().items()}


# The name of its class in Keras 3, which files have, too.
GroupQueryAttention = GroupedQueryAttention
