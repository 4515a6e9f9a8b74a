"""Names of Keras 3's `keras.distillation`: a small model learns from a large one."""

from keras.models.distillation_losses import DistillationLoss, FeatureDistillation, LogitsDistillation
from keras.models.distiller import Distiller
from keras.saving.kinds import Kind

_KIND = Kind(
    'distiller or distillation loss',
    DistillationLoss,
    functions=None,
    accepts=lambda cls: issubclass(cls, (DistillationLoss, Distiller)),
    home=__name__,
)
_KIND.enter({each.__name__: each for each in (Distiller, FeatureDistillation, LogitsDistillation)})
