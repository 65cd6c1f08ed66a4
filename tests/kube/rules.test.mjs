// Each rule finds the fault that it is for, in an overlay that is in order but for that fault.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, unrendered } from './manifests.mjs';
import { unknownMetrics, wrongJobs } from './metrics.mjs';
import { breaches } from './rules.mjs';
import { wrongFields, wrongValues } from './schemas.mjs';
import { unknownVariables, wrongSettings } from './settings.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HOW = { rendered: false };

const fresh = (overlay = 'single') => unrendered(`${ROOT}/deploy/kubernetes/overlays/${overlay}`);
const find = (objects, kind, name) =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);
const podOf = (objects, name) =>
  objects.find((object) => object.spec?.template && object.metadata.name === name).spec.template
    .spec;

/** The overlay with one fault. */
function spoilt(spoil) {
  const objects = fresh();
  spoil(objects);
  return objects;
}

const FAULTS = {
  'a pod that may be root': [
    (all) => delete podOf(all, 'edge').securityContext.runAsNonRoot,
    'Deployment edge: set securityContext.runAsNonRoot: true',
  ],
  'a container that may write its root': [
    (all) => delete podOf(all, 'site').containers[0].securityContext.readOnlyRootFilesystem,
    'StatefulSet site, site: set readOnlyRootFilesystem: true',
  ],
  'a container that keeps its rights': [
    (all) => delete podOf(all, 'seatlockd').containers[0].securityContext.capabilities,
    'StatefulSet seatlockd, seatlockd: set capabilities.drop: [ALL]',
  ],
  'a container without a limit': [
    (all) => delete podOf(all, 'edge').containers[0].resources.limits,
    'Deployment edge, edge: set resources.limits.memory',
  ],
  'an image of somebody else': [
    (all) => Object.assign(podOf(all, 'edge').containers[0], { image: 'seatlock/edges' }),
    'Deployment edge: the image seatlock/edges: name one of ours, with a version',
  ],
  'a container without a probe': [
    (all) => delete podOf(all, 'seatlockd').containers[0].readinessProbe,
    'StatefulSet seatlockd, seatlockd: give it a readinessProbe',
  ],
  'a probe of a port that is not there': [
    (all) =>
      Object.assign(podOf(all, 'seatlockd').containers[0].readinessProbe.httpGet, { port: 9999 }),
    'StatefulSet seatlockd: readinessProbe asks port 9999, which no container has',
  ],
  'a server that is killed before it has drained': [
    (all) =>
      Object.assign(find(all, 'ConfigMap', 'edge').data, { SEATLOCK_EDGE_DRAIN_DELAY: '15s' }),
    'Deployment edge: it is killed after 50 s, and may take 50 s to end',
  ],
  'a site that waits too long before it ends': [
    (all) =>
      Object.assign(podOf(all, 'site').containers[0].lifecycle.preStop.exec, {
        command: ['sleep', '12'],
      }),
    'StatefulSet site: it is killed after 20 s, and may take 20 s to end',
  ],
  'a server without a budget': [
    (all) => all.splice(all.indexOf(find(all, 'PodDisruptionBudget', 'edge')), 1),
    'Deployment edge: has 0 PodDisruptionBudgets: give it one',
  ],
  'a Service of no pod': [
    (all) => Object.assign(find(all, 'Service', 'edge').spec.selector, { tier: 'front' }),
    'Service edge: selects no pod of this overlay',
  ],
  'a port that the pod does not have': [
    (all) => Object.assign(find(all, 'Service', 'seatlockd').spec.ports[0], { targetPort: 'rpc' }),
    'Service seatlockd: StatefulSet seatlockd has no port rpc',
  ],
  'a policy for a port that its pods do not have': [
    (all) =>
      Object.assign(find(all, 'NetworkPolicy', 'site').spec.ingress[0].ports[0], { port: 80 }),
    'NetworkPolicy site: some pod that it selects has no port 80',
  ],
  'an Ingress to nowhere': [
    (all) =>
      Object.assign(find(all, 'Ingress', 'site').spec.rules[0].http.paths[0].backend.service, {
        name: 'shop',
      }),
    'Ingress site: there is no such Service and port: shop',
  ],
  'replicas that each apply would set back': [
    (all) => Object.assign(find(all, 'Deployment', 'edge').spec, { replicas: 2 }),
    'Deployment edge: leave out replicas: each apply would undo the autoscaler',
  ],
  'a namespace that denies nothing': [
    (all) => all.splice(all.indexOf(find(all, 'NetworkPolicy', 'default-deny')), 1),
    'give the namespace a NetworkPolicy that denies',
  ],
};

for (const overlay of ['single', 'cluster', 'cluster-init']) {
  test(`${overlay} is in order`, async () => {
    const objects = fresh(overlay);
    assert.ok(objects.length > 0);
    assert.deepEqual(breaches(objects, HOW), []);
    assert.deepEqual(await wrongValues(objects), []);
    assert.deepEqual(unknownVariables(objects, ROOT), []);
  });
}

for (const [fault, [spoil, said]] of Object.entries(FAULTS)) {
  test(`${fault} is found`, () => assert.deepEqual(breaches(spoilt(spoil), HOW), [said]));
}

test('a value of another type is found', async () => {
  const objects = spoilt((all) =>
    Object.assign(podOf(all, 'edge').containers[0], { stdin: 'yes' }),
  );
  assert.match((await wrongValues(objects)).join(), /^Deployment edge: .*stdin must be boolean/);
});

test('a field that the API does not know is found', () => {
  const objects = spoilt((all) => Object.assign(podOf(all, 'edge').containers[0], { probe: {} }));
  assert.match(wrongFields(objects).join(), /^Deployment edge: .*'"probe"' does not exist/);
});

test('a variable that nothing reads is found', () => {
  const objects = spoilt((all) =>
    Object.assign(find(all, 'ConfigMap', 'seatlockd').data, { SEATLOCK_DRAIN_PAUSE: '5s' }),
  );
  assert.deepEqual(unknownVariables(objects, ROOT), [
    'seatlockd: nothing reads SEATLOCK_DRAIN_PAUSE',
  ]);
});

/** What is said where this script stands in for seatlockd. */
function saidOf(script) {
  const bin = mkdtempSync(join(tmpdir(), 'seatlock-kube-'));
  try {
    writeFileSync(join(bin, 'seatlockd'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, 'seatlockd'), 0o755);
    return wrongSettings(fresh(), bin);
  } finally {
    rmSync(bin, { recursive: true });
  }
}

test('a value that the program refuses is found', () => {
  const said = saidOf('echo "--drain-delay: 5x is no time" >&2; exit 2');
  assert.deepEqual(said, ['seatlockd: --drain-delay: 5x is no time']);
});

test('a value that the program does not take over is found', () => {
  const said = saidOf('env | sed -n "s/^SEATLOCK_STORE=/store=/p"');
  assert.ok(said.includes('seatlockd: SEATLOCK_DRAIN_DELAY=5s is not in force'), said.join());
  assert.ok(!said.join().includes('SEATLOCK_STORE'), said.join());
});

test('programs that are not built are left out', () => {
  assert.deepEqual(wrongSettings(fresh(), '/nonexistent'), []);
});

test('jobs of Prometheus that keep other pods than there are are found', () => {
  const jobs = '    #     regex: seatlockd;admin\n    #     regex: seatlock-edge;admin\n';
  assert.deepEqual(wrongJobs(fresh(), jobs), [
    'deploy/prometheus/prometheus.yml: no pod is seatlock-edge;admin',
    'deploy/prometheus/prometheus.yml: no job keeps edge;admin',
  ]);
});

test('a metric of an autoscaler that nobody gives is found', () => {
  const name = 'seatlock_edge_connections';
  const rules = [{ name: { matches: `^${name}$` } }];
  assert.deepEqual(unknownMetrics(fresh(), rules, `\`${name}\``), []);
  assert.deepEqual(unknownMetrics(fresh(), [], ''), [
    `autoscaler edge: prometheus-adapter-rule.yaml has no ${name}`,
    `autoscaler edge: docs/metrics.md has no ${name}`,
  ]);
});

test('a key that is there twice is no YAML', () => {
  assert.throws(() => parse('a: 1\na: 2\n', 'x.yaml'), /x.yaml: Map keys must be unique/);
});
