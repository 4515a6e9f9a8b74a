"""`python -m keras doctor`."""
import glob
import os
import platform
import sys

from keras import config
from keras.backend.contract.loading import (
    KNOWN_ENGINES, engine_name, engines_of_others, get_engine, installed_engines, is_installed)
from keras.version import __version__

# Packages that parts of Keras ask for: {module: (how to install it, what for)}.
PACKAGES = {
    'h5py': ('h5py', 'model and weight files'),
    'yaml': ('pyyaml', 'YAML configs'),
    'PIL': ('pillow', 'images'),
    'scipy': ('scipy', 'image augmentation, sparse data'),
    'pandas': ('pandas', 'data frames'),
    'pydot': ('pydot', 'plot_model'),
    'sklearn': ('scikit-learn', 'wrappers for scikit-learn'),
    'onnx': ('onnx', 'model.export(format="onnx")'),
}


def run(given):
    """What there is, as a dictionary."""
    names, others = installed_engines(), engines_of_others()
    engines = {name: {'title': known.title, 'installed': name in names, 'version': _first_version(known.modules),
                      'install': known.command} for name, known in list(KNOWN_ENGINES.items()) + list(others.items())}
    try:
        chosen, problem = engine_name(), None
    except ValueError as error:
        chosen, problem = None, str(error)
    report = {'keras': __version__, 'python': platform.python_version(), 'executable': sys.executable,
              'platform': platform.platform(), 'engine': chosen, 'chosen_by': config.settings.backend_source,
              'generation': config.get_generation(), 'settings': _settings(), 'engines': engines,
              'packages': {name: {'version': _first_version((module,), (name,)), 'for': use}
                           for module, (name, use) in PACKAGES.items()}}
    if problem is None and not getattr(given, 'no_devices', False):
        report['devices'], problem = _devices()
    report.update(problem=problem, usable=problem is None and chosen in names, advice=_advice(report, names))
    return report


def _settings():
    path = os.path.join(config.keras_home(), 'keras.json')
    return {'file': path, 'exists': os.path.exists(path), 'floatx': config.floatx(), 'epsilon': config.epsilon(),
            'image_data_format': config.image_data_format(),
            'environment': {name: value for name, value in os.environ.items() if name.startswith('KERAS_')}}


def _first_version(modules, distributions=()):
    """The version of the first of the modules that is installed, None where none is. Nothing is imported."""
    return next((_version(module, distributions) for module in modules if is_installed(module)), None)


def _version(module, distributions):
    try:
        from importlib import metadata
    except ImportError:  # Python 3.6 and 3.7
        return _version_in_names((module,) + tuple(distributions))
    known = getattr(metadata, 'packages_distributions', dict)().get(module, [])
    for distribution in known + [module] + list(distributions):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            pass
    return 'unknown'


def _version_in_names(distributions):
    """The version that the folder NAME-VERSION.dist-info of one of the distributions says."""
    wanted = {name.lower().replace('-', '_') for name in distributions}
    for folder in sys.path:
        for path in glob.glob(os.path.join(glob.escape(folder or os.curdir), '*-*.*-info')):
            name, _, version = os.path.basename(path).rpartition('.')[0].partition('-')
            if name.lower().replace('-', '_') in wanted:
                return version
    return 'unknown'


def _devices():
    """(devices of the engine, what kept it from being loaded)."""
    try:
        return get_engine().devices(), None
    except Exception as error:  # whatever a broken installation raises is what is to be told
        return [], '%s: %s' % (type(error).__name__, error)


def _advice(report, names):
    advice = []
    if names == ['numpy']:
        first = next(iter(KNOWN_ENGINES.values()))
        advice.append('No engine that trains is installed. For example: ' + first.command)
    missing = sorted(name for name, package in report['packages'].items() if package['version'] is None)
    if missing:
        advice.append('Further packages that parts of Keras use: pip install ' + ' '.join(missing))
    return advice


def text(report):
    """The same for people."""
    lines = ['keras {keras} on Python {python} ({platform})'.format(**report),
             'engine: {engine} (chosen by {chosen_by}), generation {generation} of Keras'.format(**report)]
    if 'devices' in report:
        lines.append('devices: ' + (', '.join(report['devices']) or 'none found'))
    if report['problem']:
        lines.append('PROBLEM: ' + report['problem'])
    settings = report['settings']
    lines.append('settings: %s%s; floatx %s, epsilon %g, %s' % (
        settings['file'], '' if settings['exists'] else ' (not there)', settings['floatx'], settings['epsilon'],
        settings['image_data_format']))
    lines.extend('  %s=%s' % pair for pair in sorted(settings['environment'].items()))
    lines.append('engines:')
    lines.extend('  %-12s %s' % (engine['title'], engine['version'] if engine['installed'] else
                                 'not installed; ' + engine['install']) for engine in report['engines'].values())
    lines.append('packages:')
    lines.extend('  %-12s %-12s %s' % (name, package['version'] or 'missing', package['for'])
                 for name, package in report['packages'].items())
    return '\n'.join(lines + report['advice'])
