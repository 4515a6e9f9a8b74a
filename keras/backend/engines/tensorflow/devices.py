"""The options for devices that a session of TensorFlow 1 brings along."""
import subprocess
import warnings

import tensorflow as tf


def use_options(options):
    """Set up the devices by a `tf.compat.v1.ConfigProto`, as far as that is still possible."""
    try:
        tf.config.threading.set_intra_op_parallelism_threads(options.intra_op_parallelism_threads)
        tf.config.threading.set_inter_op_parallelism_threads(options.inter_op_parallelism_threads)
        if options.allow_soft_placement:
            tf.config.set_soft_device_placement(True)
        cards = _visible_cards(options)
        for card in cards:
            if options.gpu_options.allow_growth:
                tf.config.experimental.set_memory_growth(card, True)
        share = options.gpu_options.per_process_gpu_memory_fraction
        if cards and share and not options.gpu_options.allow_growth:
            _limit_memory(cards, share)
    except RuntimeError as error:
        warnings.warn('K.set_session: TensorFlow has set up its devices already, so the options of the session come '
                      'too late. Call K.set_session before anything is computed. (%s)' % error, stacklevel=4)


def _visible_cards(options):
    """The GPUs that the options leave visible; the others are hidden."""
    cards = tf.config.list_physical_devices('GPU')
    chosen = cards
    if options.device_count.get('GPU', len(cards)) == 0:
        chosen = []
    elif options.gpu_options.visible_device_list:
        chosen = [cards[int(number)] for number in options.gpu_options.visible_device_list.split(',')
                  if int(number) < len(cards)]
    if chosen != cards:
        tf.config.set_visible_devices(chosen, 'GPU')
    return chosen


def _limit_memory(cards, share):
    """Let this process take the fraction `share` of the memory of every card."""
    limits = tf.config.experimental
    for card in cards:
        total = _memory_of(card)
        if total:
            limits.set_virtual_device_configuration(card, [limits.VirtualDeviceConfiguration(
                memory_limit=int(total * share / 2 ** 20))])


def _memory_of(card):
    """The memory of a card in bytes, by NVIDIA's own tool; None where that is not there."""
    try:
        lines = subprocess.check_output(['nvidia-smi', '--query-gpu=memory.total', '--format=csv,noheader,nounits'])
        return int(lines.split()[int(card.name.rsplit(':', 1)[1])]) * 2 ** 20
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None
