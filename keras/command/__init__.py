"""The command line: `python -m keras convert IN OUT`, `inspect FILE` and `doctor`.

Exit codes: 0 done; 1 a file cannot be read or written, or (doctor) no engine is usable; 2 wrong arguments.
"""
import argparse
import importlib
import json
import sys

from keras.version import __version__

_EPILOG = 'Exit codes: 0 done; 1 it did not work, and standard error says why; 2 wrong arguments.'


def main(arguments=None):
    """Run the command line.

    Args:
        arguments: list of strings, default those of the process; none: `doctor`.

    Returns:
        The exit code.
    """
    parser = _parser()
    given = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    command = importlib.import_module('keras.command.' + (given.command or 'doctor'))
    as_json = getattr(given, 'json', False)
    try:
        report = command.run(given)
    except Exception as error:  # whatever a converter of another library raises, it is one line here
        message = ' '.join(str(error).split()) or type(error).__name__
        if not isinstance(error, (OSError, ValueError, TypeError, ImportError, RuntimeError)):
            message = '%s: %s' % (type(error).__name__, message)
        print('keras: %s' % message, file=sys.stderr)
        if as_json:
            print(json.dumps({'error': message, 'kind': type(error).__name__}))
        return 1
    print(json.dumps(report, indent=2, default=str) if as_json else command.text(report))
    return 0 if report.get('usable', True) else 1


def _parser():
    parser = argparse.ArgumentParser(prog='python -m keras', epilog=_EPILOG, description='Files of Keras models, and '
                                     'the state of this installation. Without a command: doctor.')
    parser.add_argument('--version', action='version', version='keras ' + __version__)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    _add_convert(commands)
    inspect = commands.add_parser('inspect', help='what is in a file, without loading a model', epilog=_EPILOG,
                                  description='Say what is in a file: its format, what wrote it, layers, weights, '
                                  'optimizer, code inside, and what is odd about it. Nothing in it is loaded or run.')
    inspect.add_argument('file', metavar='FILE', help='any file, or folder, that Keras saves')
    inspect.add_argument('--json', action='store_true', help='print JSON')
    doctor = commands.add_parser('doctor', help='engines, versions, devices, settings; what to install',
                                 epilog=_EPILOG, description='Say which engines are installed and which is used, '
                                 'with versions, devices and settings, and what else could be installed.')
    doctor.add_argument('--no-devices', action='store_true', help='do not load the engine to ask for its devices')
    doctor.add_argument('--json', action='store_true', help='print JSON')
    return parser


def _add_convert(commands):
    convert = commands.add_parser(
        'convert', help='a model from one format to another', epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Read a model in any format of Keras and write it in another, which the name of OUT says:\n\n'
        '  .keras              Keras 3\n  .h5, .hdf5          HDF5, for Keras 2, tf.keras and Keras 3\n'
        '  .weights.h5         the weights alone, as Keras 3 has them\n'
        '  .json, .yaml, .yml  the architecture alone\n'
        '  .ckpt               a checkpoint of TensorFlow, the weights alone\n'
        '  .onnx, .tflite, .mlir (StableHLO), .pt2 (torch.export), .xml (OpenVINO)\n'
        '                      for other runtimes, which Keras does not read again\n\n'
        'A SavedModel (tf, tf_saved_model) and TensorFlow.js (tfjs) are folders, which --to asks for.')
    convert.add_argument('source', metavar='IN', help='a model; with --architecture, weights alone')
    convert.add_argument('target', metavar='OUT')
    convert.add_argument('--to', metavar='FORMAT', help='the format of OUT, where its name does not say it: keras, h5, '
                         'weights, checkpoint, json, yaml, tf (a SavedModel that Keras reads again) or a format of '
                         'Model.export')
    convert.add_argument('--architecture', metavar='FILE',
                         help='the model (a .json, .yaml or any model file) whose weights IN has')
    convert.add_argument('--import', dest='modules', metavar='MODULE', action='append', default=[],
                         help='import a module that registers classes and functions of your own; may be repeated')
    convert.add_argument('--unsafe', action='store_true', help='run code that IN holds (lambdas): only if you trust it')
    convert.add_argument('--no-optimizer', action='store_true', help='leave out how the model was compiled')
    convert.add_argument('--overwrite', action='store_true', help='replace OUT if it is there')
    convert.add_argument('--engine', metavar='NAME', help='the engine to use, default that of the settings')
    convert.add_argument('--json', action='store_true', help='print JSON')
