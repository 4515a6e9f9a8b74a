// Runs layers models of TensorFlow.js: node layers_models.js tf.min.js FOLDER
// In FOLDER each model has a folder with `model/model.json` and `inputs.json`; `outputs.json` is put beside them.
const fs = require('fs');
const path = require('path');
const [library, folder] = process.argv.slice(2);
const tf = require(library);

function files(model) {
  const description = JSON.parse(fs.readFileSync(path.join(model, 'model.json')));
  const {paths, weights} = description.weightsManifest[0];
  const content = Buffer.concat(paths.map(name => fs.readFileSync(path.join(model, name))));
  return {load: async () => ({
    modelTopology: description.modelTopology,
    weightSpecs: weights,
    weightData: content.buffer.slice(content.byteOffset, content.byteOffset + content.length)
  })};
}

async function run() {
  await tf.setBackend('cpu');
  for (const name of fs.readdirSync(folder)) {
    const model = await tf.loadLayersModel(files(path.join(folder, name, 'model')));
    const inputs = JSON.parse(fs.readFileSync(path.join(folder, name, 'inputs.json'))).map(x => tf.tensor(x));
    const outputs = [].concat(model.predict(inputs.length === 1 ? inputs[0] : inputs));
    fs.writeFileSync(path.join(folder, name, 'outputs.json'), JSON.stringify(outputs.map(x => x.arraySync())));
  }
}

run().catch(error => { console.error(error.message); process.exit(1); });
