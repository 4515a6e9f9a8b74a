"""Lines that callbacks print."""
import logging
import sys

from keras import config, generations


def say(line, line_break=True):
    """Print a line (False: without its end), or hand it to the logger where interactive logging is disabled."""
    if config.is_interactive_logging_enabled():
        line += '\n' * bool(line_break)
        try:
            sys.stdout.write(line)
        except UnicodeEncodeError:  # bars have signs that not every terminal knows
            sys.stdout.write(line.encode(sys.stdout.encoding, 'replace').decode(sys.stdout.encoding))
        sys.stdout.flush()
    elif 'absl.logging' in sys.modules:  # where the logs of Keras 3 go
        sys.modules['absl.logging'].info(line)
    else:
        logging.getLogger('keras').info(line)


def say_of_epoch(epoch, message, blank=True):
    """Print what happened in an epoch (counted from 0), behind a blank line where that is wanted."""
    number = '%d' if generations.value('plain_numbers_of_epochs') else '%05d'
    say('\n' * blank + 'Epoch ' + number % (epoch + 1) + ': ' + message)
