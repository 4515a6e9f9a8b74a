"""OpenVINO's intermediate representation, by OpenVINO's own reader of ONNX."""
import os
import tempfile

from keras.export import onnx
from keras.export.signatures import packages_for
from keras.saving.writing import whole_file


def export(model, filepath, input_signature=None, compress_to_fp16=False):
    """Write `model` to `filepath`, which ends in .xml, and its weights to the file beside it that ends in .bin.

    Args:
        compress_to_fp16: whether to keep the weights as float16.

    Raises:
        ValueError: for another ending.
    """
    if not filepath.endswith('.xml'):
        raise ValueError("export: a file of the format 'openvino' ends in .xml, and its weights come to lie beside it "
                         'in one that ends in .bin. Received: %r' % filepath)
    packages_for('openvino', 'openvino', 'onnx')
    import openvino
    with tempfile.TemporaryDirectory() as folder:
        between, xml = os.path.join(folder, 'model.onnx'), os.path.join(folder, 'model.xml')
        onnx.write(model, between, input_signature, None, 'openvino')
        openvino.save_model(openvino.convert_model(between), xml, compress_to_fp16=compress_to_fp16)
        for written, target in ((xml[:-4] + '.bin', filepath[:-4] + '.bin'), (xml, filepath)):
            with open(written, 'rb') as source, whole_file(target) as file:
                file.write(source.read())
