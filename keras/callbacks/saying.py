"""Lines that callbacks print."""
import logging
import sys

from keras import config, generations


def say(line, line_break=True):
    """Print a line (False: without its end), or hand it to the logger where interactive logging is disabled."""
    if config.is_interactive_logging_enabled():
        sys.stdout.write(line + '\n' * bool(line_break))
        sys.stdout.flush()
    else:
        logging.getLogger('keras').info(line)


def say_of_epoch(epoch, message, blank=True):
    """Print what happened in an epoch (counted from 0), behind a blank line where that is wanted."""
    number = '%d' if generations.value('plain_numbers_of_epochs') else '%05d'
    say('\n' * blank + 'Epoch ' + number % (epoch + 1) + ': ' + message)
