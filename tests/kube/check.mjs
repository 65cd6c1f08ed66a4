// Checks deploy/kubernetes. Usage: node tests/kube/check.mjs, from the repository's root.
// Prints what is wrong, a line each, and exits 1 if anything is.
import { existsSync, readFileSync } from 'node:fs';
import { forgotten, load, parse, whyNotRendered } from './manifests.mjs';
import { unknownMetrics, wrongJobs } from './metrics.mjs';
import { breaches } from './rules.mjs';
import { wrongFields, wrongValues } from './schemas.mjs';
import { unknownVariables, wrongSettings } from './settings.mjs';

const ROOT = 'deploy/kubernetes';
const BIN = 'build/release/bin';
const ADAPTER_RULE = `${ROOT}/prometheus-adapter-rule.yaml`;

const read = (path) => readFileSync(path, 'utf8');

const why = whyNotRendered();
const overlays = load(ROOT, why === undefined);
const adapterRules = parse(read(ADAPTER_RULE), ADAPTER_RULE).flat();
const wrong = forgotten(ROOT).map((file) => `${file}: no kustomization names it`);
for (const { name, objects } of overlays) {
  const found = [
    ...(await wrongValues(objects)),
    ...wrongFields(objects),
    ...breaches(objects, { rendered: why === undefined }),
    ...unknownVariables(objects, '.'),
    ...wrongSettings(objects, BIN),
    ...wrongJobs(objects, read('deploy/prometheus/prometheus.yml')),
    ...unknownMetrics(objects, adapterRules, read('docs/metrics.md')),
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
