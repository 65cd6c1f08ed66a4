// Holds objects against the Kubernetes API's own schemas, as the npm package kubernetes-models
// carries them: their values by its validators, and their field names by its types, because the
// validators let a field pass that the API does not know.
import ts from 'typescript';

const modelPath = (object) => `kubernetes-models/${object.apiVersion}/${object.kind}`;
const title = (object) => `${object.kind} ${object.metadata?.name}`;

/** What the validators say, a line each. */
export async function wrongValues(objects) {
  const breaches = [];
  for (const object of objects) {
    try {
      const module = await import(modelPath(object));
      new module[object.kind](object).validate();
    } catch (error) {
      breaches.push(`${title(object)}: ${error.message}`);
    }
  }
  return breaches;
}

const FILE = new URL('objects.ts', import.meta.url).pathname;
const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

/** A program of one file, which is nowhere on disk: each object as a literal of its type. */
function source(objects) {
  return objects
    .map(
      (object, i) =>
        `import type { I${object.kind} as T${i} } from '${modelPath(object)}';\n` +
        `export const object${i}: T${i} = ${JSON.stringify(object)};\n`,
    )
    .join('');
}

/** Fields that the API does not know, and values of another type, a line each. */
export function wrongFields(objects) {
  const host = ts.createCompilerHost(OPTIONS);
  const { getSourceFile, fileExists, readFile } = host;
  const text = source(objects);
  host.fileExists = (name) => name === FILE || fileExists(name);
  host.readFile = (name) => (name === FILE ? text : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === FILE ? ts.createSourceFile(name, text, ...rest) : getSourceFile(name, ...rest);
  const program = ts.createProgram([FILE], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ');
    if (diagnostic.file === undefined) return message;
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    return `${title(objects[Math.floor(line / 2)])}: ${message}`;
  });
}
