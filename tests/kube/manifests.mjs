// Reads deploy/kubernetes: every overlay as kubectl renders it, or, where there is no kubectl that
// can, the files that it is made of, as they stand.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** The first one with kustomize 5, which knows `labels.includeTemplates`. */
const KUBECTL_MINOR_MIN = 27;
/** Files that no kustomization names, because kubectl does not apply them. */
const APART = new Set(['prometheus-adapter-rule.yaml']);

/** The documents of a YAML text; throws where it is not one, or says a key twice. */
export function parse(text, name) {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw new Error(`${name}: ${document.errors[0].message}`);
      return document.toJS();
    })
    .filter((value) => value !== null);
}

/** Why kubectl cannot render, or undefined. */
export function whyNotRendered() {
  let version;
  try {
    const output = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    version = JSON.parse(output.toString()).clientVersion;
  } catch {
    return 'there is no kubectl';
  }
  return Number.parseInt(version.minor, 10) < KUBECTL_MINOR_MIN
    ? `kubectl ${version.gitVersion} is older than 1.${KUBECTL_MINOR_MIN}`
    : undefined;
}

export function render(folder) {
  return parse(execFileSync('kubectl', ['kustomize', folder]).toString(), folder);
}

/** What a kustomization names, folders and all, as it stands in the files. */
export function unrendered(folder) {
  const file = join(folder, 'kustomization.yaml');
  const [kustomization] = parse(readFileSync(file, 'utf8'), file);
  return (kustomization.resources ?? []).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory()
      ? unrendered(path)
      : parse(readFileSync(path, 'utf8'), path);
  });
}

function filesNamed(folder) {
  const file = join(folder, 'kustomization.yaml');
  const [kustomization] = parse(readFileSync(file, 'utf8'), file);
  return [file].concat(
    (kustomization.resources ?? []).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesNamed(path) : [path];
    }),
  );
}

/** YAML files that nothing would ever apply. */
export function forgotten(root) {
  const named = new Set(
    overlays(root)
      .flatMap(filesNamed)
      .map((file) => resolve(file)),
  );
  return readdirSync(root, { recursive: true })
    .filter((name) => name.endsWith('.yaml') && !APART.has(name))
    .filter((name) => !named.has(resolve(root, name)));
}

export function overlays(root) {
  const folder = join(root, 'overlays');
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

/** Each overlay's name with its objects. */
export function load(root, rendered) {
  return overlays(root).map((folder) => ({
    name: relative(root, folder),
    objects: rendered ? render(folder) : unrendered(folder),
  }));
}
