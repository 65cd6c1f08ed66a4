// Checks deploy/kubernetes. Usage: node tests/kube/check.mjs, from the repository's root.
// Prints what is wrong, a line each, and exits 1 if anything is.
import { existsSync } from 'node:fs';
import { forgotten, load, whyNotRendered } from './manifests.mjs';
import { breaches } from './rules.mjs';
import { wrongFields, wrongValues } from './schemas.mjs';
import { unknownVariables, wrongSettings } from './settings.mjs';

const ROOT = 'deploy/kubernetes';
const BIN = 'build/release/bin';

const why = whyNotRendered();
const overlays = load(ROOT, why === undefined);
const wrong = forgotten(ROOT).map((file) => `${file}: no kustomization names it`);
for (const { name, objects } of overlays) {
  const found = [
    ...(await wrongValues(objects)),
    ...wrongFields(objects),
    ...breaches(objects, { rendered: why === undefined }),
    ...unknownVariables(objects, '.'),
    ...wrongSettings(objects, BIN),
  ];
  wrong.push(...found.map((line) => `${name}: ${line}`));
}
for (const line of wrong) console.log(line);
const count = overlays.reduce((sum, { objects }) => sum + objects.length, 0);
if (why) console.log(`kubernetes: ${why}: the files were checked as they stand, not rendered`);
if (!existsSync(`${BIN}/seatlockd`)) {
  console.log('kubernetes: the programs are not built: of settings only the names were checked');
}
if (wrong.length === 0) console.log(`kubernetes: ${count} objects are in order`);
process.exitCode = wrong.length === 0 && count > 0 ? 0 : 1;
