"""`Quantizable`: what a layer has for quantization, and what a subclass defines to be quantized in a way of its own."""
import functools
import inspect

from keras import dtype_policies
from keras.backend.state.remat import scoped
from keras.layers.calls import is_ours
from keras.layers.weights import change_adapters

# The methods that compute where a policy says a mode.
_CALLS = {mode: '_%s_call' % mode for mode in ('int8', 'int4', 'float8', 'gptq', 'awq')}


class Quantizable:
    """The quantization of layers: by default there is none.

    A subclass that can be quantized defines `quantize(mode, type_check=True, config=None)`, which makes its variables
    anew by `quantized_build(shape, mode, config)` and sets `dtype_policy`; and `_int8_call`, `_int4_call`,
    `_float8_call`, `_gptq_call` or `_awq_call` for the modes that it has, or `quantized_call` for all of them. These
    run in the place of `call` as soon as the policy says a mode.
    """
    _is_quantized = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not is_ours(cls) and inspect.isfunction(vars(cls).get('quantize')):
            cls.quantize = _checked(vars(cls)['quantize'])

    def quantize(self, mode=None, type_check=True, config=None):
        """Keep the weights in few bits, where the layer can; see `Dense`.

        Raises:
            NotImplementedError: for a layer that cannot be quantized.
        """
        raise self._no_method('quantize')

    def quantized_build(self, input_shape, mode, config=None):
        """Make the variables of a mode; see `Quantizable`.

        Raises:
            NotImplementedError: for a layer that cannot be quantized.
        """
        raise self._no_method('quantized_build')

    def quantized_call(self, *args, **kwargs):
        """The computation where the policy of the layer says a mode.

        Raises:
            NotImplementedError: for a mode that the layer does not have.
        """
        if self.quantization_mode not in _CALLS:
            raise self.wrong_mode(self.quantization_mode)
        return getattr(self, _CALLS[self.quantization_mode])(*args, **kwargs)

    def _int8_call(self, *args, **kwargs):
        raise self._no_method('_int8_call')

    def _int4_call(self, *args, **kwargs):
        raise self._no_method('_int4_call')

    def _float8_call(self, *args, **kwargs):
        raise self._no_method('_float8_call')

    def _gptq_call(self, *args, **kwargs):
        raise self._no_method('_gptq_call')

    def _awq_call(self, *args, **kwargs):
        raise self._no_method('_awq_call')

    def _no_method(self, name):
        return NotImplementedError('Layer %s (%s) does not have a `%s` method implemented.'
                                   % (self.name, type(self).__name__, name))

    def wrong_mode(self, mode):
        """The error for a mode that the layer does not have."""
        return NotImplementedError('Layer %s (%s): Invalid quantization mode. Expected one of %s. Received: '
                                   'quantization_mode=%s' % (self.name, type(self).__name__, tuple(_CALLS), mode))

    @property
    def quantization_mode(self):
        """How the weights are quantized: 'int8', 'int4', 'float8', 'gptq', 'awq', or None."""
        return self.own_policy().quantization_mode

    def follow_quantization(self, policy):
        """Let calls go where a `DTypePolicy` sends them. A subclass of a script's is quantized by it, once built."""
        mode = policy.quantization_mode
        if mode is None or is_ours(type(self)):
            return
        if self._computes(mode):
            self.call = scoped(self, functools.partial(type(self).quantized_call, self))
        if vars(self).get('_built') and not self._is_quantized and not is_ours(type(self).quantize):
            self.quantize(mode)

    def _computes(self, mode):
        """Whether the class says what to compute in a mode."""
        return any(getattr(type(self), name) is not getattr(Quantizable, name)
                   for name in ('quantized_call', _CALLS[mode]))


def _checked(quantize):
    """`quantize` of a script, which gets a mode and, where it takes one, a config that fit."""
    parameters = inspect.signature(quantize).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())

    @functools.wraps(quantize)
    def run(self, *args, **kwargs):
        from keras.quantizers import resolved
        given = dict(zip(list(parameters)[1:], args), **kwargs)
        config = resolved(given.get('mode'), given.get('config'))
        if not self.built:
            raise ValueError("Cannot quantize a layer that isn't yet built. Build %s first." % self.name)
        if self._is_quantized:
            raise ValueError("Layer '%s' is already quantized with dtype_policy='%s'. Received: mode=%s"
                             % (self.name, self.own_policy().name, config.mode))
        dtype_policies.get('%s_from_%s' % (config.dtype_policy_string(), self.own_policy().name))  # or an error
        given.update(mode=config.mode, config=config)
        result = quantize(self, **{name: value for name, value in given.items() if takes_all or name in parameters})
        self._direct_dtype = None
        change_adapters()
        return result
    return run
