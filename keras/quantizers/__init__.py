"""Quantization: floats as numbers of few bits, and how layers are quantized (`layer.quantize`, `model.quantize`)."""
from keras.quantizers.configs import (
    AbsMaxQuantizer, AWQConfig, Float8QuantizationConfig, GPTQConfig, Int4QuantizationConfig, Int8QuantizationConfig,
    QuantizationConfig, Quantizer, resolved)
from keras.quantizers.functions import (
    abs_max_quantize, abs_max_quantize_grouped_with_zero_point, compute_float8_amax_history, compute_float8_scale,
    fake_quant_with_min_max_vars, pack_int4, quantize_and_dequantize, unpack_int4)
from keras.saving.kinds import Kind

_KIND = Kind('quantizer', Quantizer, functions=None, home=__name__,
             accepts=lambda cls: issubclass(cls, (Quantizer, QuantizationConfig)),
             expected='a name such as "abs_max_quantizer", a config, a quantizer or a QuantizationConfig')
_KIND.enter({cls.__name__: cls for cls in (
    AbsMaxQuantizer, AWQConfig, Float8QuantizationConfig, GPTQConfig, Int4QuantizationConfig, Int8QuantizationConfig,
    QuantizationConfig, Quantizer)})
_KIND.enter({'abs_max_quantizer': AbsMaxQuantizer})
get, serialize, deserialize = _KIND.module_functions(
    'initializer', takes_kwargs=True, example=">>> keras.quantizers.get('abs_max_quantizer').output_dtype\n'int8'")
