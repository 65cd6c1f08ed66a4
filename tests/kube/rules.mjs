// What we hold our own manifests to, beyond what the API asks. Every rule takes all objects of an
// overlay and says what breaks it, a line each, with the way out.

const NAME = 'app.kubernetes.io/name';
/** After its window an edge cuts off who is left (edge/limits.h, kDrainMsMax). */
const EDGE_CUT_OFF_SECONDS = 5;
/** The site lets requests under way end for so long (deploy/images). */
const SITE_DRAIN_SECONDS = 8;

const podOf = (object) => object.spec?.template?.spec;
const isServer = (object) => ['Deployment', 'StatefulSet'].includes(object.kind);
const title = (object) => `${object.kind} ${object.metadata.name}`;
const labelsOf = (object) => object.spec.template.metadata?.labels ?? {};

export function matches(selector, labels) {
  const byLabels = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const byExpressions = (selector.matchExpressions ?? []).every(
    ({ key, operator, values }) => operator === 'In' && values.includes(labels[key]),
  );
  return byLabels && byExpressions;
}

const selected = (objects, selector) =>
  objects.filter((object) => podOf(object) && matches(selector, labelsOf(object)));

const portsOf = (object) => podOf(object).containers.flatMap(({ ports }) => ports ?? []);

const hasPort = (object, port) =>
  portsOf(object).some(({ name, containerPort }) => port === name || port === containerPort);

// --- pods ---------------------------------------------------------------------------------------

function podSecurity(object) {
  const { securityContext: pod = {}, automountServiceAccountToken } = podOf(object);
  const wants = [
    [pod.runAsNonRoot === true, 'securityContext.runAsNonRoot: true'],
    [pod.runAsUser > 0, 'securityContext.runAsUser: 10001'],
    [pod.seccompProfile?.type === 'RuntimeDefault', 'seccompProfile.type: RuntimeDefault'],
    [automountServiceAccountToken === false, 'automountServiceAccountToken: false'],
  ];
  return wants.filter(([good]) => !good).map(([, want]) => `${title(object)}: set ${want}`);
}

function containerSecurity(object, container) {
  const { securityContext: own = {}, resources = {} } = container;
  const wants = [
    [own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation: false'],
    [own.readOnlyRootFilesystem === true, 'readOnlyRootFilesystem: true'],
    [own.capabilities?.drop?.includes('ALL'), 'capabilities.drop: [ALL]'],
    [!own.capabilities?.add && !own.privileged, 'no capabilities.add and no privileged'],
    [own.runAsUser !== 0, 'no runAsUser: 0'],
    [resources.requests?.cpu && resources.requests?.memory, 'resources.requests of cpu and memory'],
    [resources.limits?.memory, 'resources.limits.memory'],
  ];
  return wants
    .filter(([good]) => !good)
    .map(([, want]) => `${title(object)}, ${container.name}: set ${want}`);
}

export function pods(objects) {
  return objects
    .filter(podOf)
    .flatMap((object) => [
      ...podSecurity(object),
      ...podOf(object).containers.flatMap((container) => containerSecurity(object, container)),
    ]);
}

/** Names without a tag are good before rendering: the kustomization gives them one. */
export function images(objects, { rendered }) {
  return objects.filter(podOf).flatMap((object) =>
    podOf(object)
      .containers.filter(({ image }) =>
        rendered
          ? !/^seatlock\/(seatlockd|edge|site):\d+\.\d+\.\d+$/.test(image)
          : !/^seatlock\/(seatlockd|edge|site)$/.test(image),
      )
      .map(({ image }) => `${title(object)}: the image ${image}: name one of ours, with a version`),
  );
}

// --- probes -------------------------------------------------------------------------------------

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'];

function probePort(probe) {
  return (probe.httpGet ?? probe.grpc ?? probe.tcpSocket)?.port;
}

export function probes(objects) {
  return objects.filter(isServer).flatMap((object) =>
    podOf(object).containers.flatMap((container) =>
      PROBES.flatMap((name) => {
        const probe = container[name];
        if (!probe) return [`${title(object)}, ${container.name}: give it a ${name}`];
        return hasPort(object, probePort(probe))
          ? []
          : [`${title(object)}: ${name} asks port ${probePort(probe)}, which no container has`];
      }),
    ),
  );
}

// --- the end ------------------------------------------------------------------------------------

/** What the ConfigMaps and the container itself set. */
export function environment(objects, container) {
  const fromMaps = (container.envFrom ?? []).flatMap(({ configMapRef }) => {
    const map = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name,
    );
    return Object.entries(map?.data ?? {});
  });
  const own = (container.env ?? []).map(({ name, value }) => [name, value]);
  return Object.fromEntries([...fromMaps, ...own]);
}

const seconds = (text) => Number(/^(\d+)s$/.exec(text ?? '0s')?.[1] ?? Number.NaN);

function drainSeconds(name, env) {
  switch (name) {
    case 'seatlockd':
      return seconds(env.SEATLOCK_DRAIN_DELAY) + seconds(env.SEATLOCK_DRAIN_TIMEOUT ?? '8s');
    case 'edge':
      return (
        seconds(env.SEATLOCK_EDGE_DRAIN_DELAY) +
        Number(env.SEATLOCK_EDGE_DRAIN_WINDOW_MS ?? 30_000) / 1000 +
        EDGE_CUT_OFF_SECONDS
      );
    case 'site':
      return SITE_DRAIN_SECONDS;
    default:
      return Number.NaN;
  }
}

function preStopSeconds(container) {
  const { exec, sleep } = container.lifecycle?.preStop ?? {};
  if (sleep) return sleep.seconds;
  return exec ? Number(exec.command?.[0] === 'sleep' ? exec.command[1] : Number.NaN) : 0;
}

export function grace(objects) {
  return objects.filter(isServer).flatMap((object) =>
    podOf(object).containers.flatMap((container) => {
      const drain = drainSeconds(labelsOf(object)[NAME], environment(objects, container));
      const needed = preStopSeconds(container) + drain;
      const given = podOf(object).terminationGracePeriodSeconds ?? 30;
      return given > needed
        ? []
        : [`${title(object)}: it is killed after ${given} s, and may take ${needed} s to end`];
    }),
  );
}

// --- what belongs together ----------------------------------------------------------------------

export function budgets(objects) {
  const all = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
  return objects.filter(isServer).flatMap((object) => {
    const own = all.filter(({ spec }) => matches(spec.selector, labelsOf(object)));
    if (own.length !== 1) {
      return [`${title(object)}: has ${own.length} PodDisruptionBudgets: give it one`];
    }
    return own[0].spec.maxUnavailable === 1
      ? []
      : [`${title(own[0])}: say maxUnavailable: 1, which never forbids a node's drain for good`];
  });
}

export function selectors(objects) {
  const wrong = [];
  for (const object of objects) {
    const { kind, spec } = object;
    if (isServer(object) && !matches(spec.selector, labelsOf(object))) {
      wrong.push(`${title(object)}: its selector does not match its own pods`);
    }
    const selector = kind === 'Service' ? { matchLabels: spec.selector } : undefined;
    const found = selected(objects, selector ?? spec?.podSelector ?? spec?.selector ?? {});
    if (['Service', 'NetworkPolicy', 'PodDisruptionBudget'].includes(kind) && !found.length) {
      wrong.push(`${title(object)}: selects no pod of this overlay`);
    }
    for (const { topologyKey, labelSelector } of podOf(object)?.topologySpreadConstraints ?? []) {
      if (!matches(labelSelector, labelsOf(object))) {
        wrong.push(`${title(object)}: spreads other pods than its own over ${topologyKey}`);
      }
    }
  }
  return wrong;
}

function missingServicePorts(objects, service) {
  return selected(objects, { matchLabels: service.spec.selector }).flatMap((pod) =>
    service.spec.ports
      .filter(({ port, targetPort }) => !hasPort(pod, targetPort ?? port))
      .map(({ targetPort }) => `${title(service)}: ${title(pod)} has no port ${targetPort}`),
  );
}

function missingPolicyPorts(objects, policy) {
  const pods = selected(objects, policy.spec.podSelector);
  return (policy.spec.ingress ?? [])
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ port }) => !pods.every((pod) => hasPort(pod, port)))
    .map(({ port }) => `${title(policy)}: some pod that it selects has no port ${port}`);
}

function missingBackends(objects, ingress) {
  const backends = ingress.spec.rules.flatMap(({ http }) => http.paths.map((path) => path.backend));
  return backends
    .filter(
      ({ service: { name, port } }) =>
        !objects.some(
          ({ kind, metadata, spec }) =>
            kind === 'Service' &&
            metadata.name === name &&
            spec.ports.some((own) => own.name === port.name || own.port === port.number),
        ),
    )
    .map(({ service }) => `${title(ingress)}: there is no such Service and port: ${service.name}`);
}

export function ports(objects) {
  return objects.flatMap((object) => {
    if (object.kind === 'Service') return missingServicePorts(objects, object);
    if (object.kind === 'NetworkPolicy') return missingPolicyPorts(objects, object);
    if (object.kind === 'Ingress') return missingBackends(objects, object);
    return [];
  });
}

export function autoscalers(objects) {
  return objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .flatMap((object) => {
      const { kind, name } = object.spec.scaleTargetRef;
      const target = objects.find((other) => other.kind === kind && other.metadata.name === name);
      if (!target) return [`${title(object)}: scales ${kind} ${name}, which is not there`];
      return target.spec.replicas === undefined
        ? []
        : [`${title(target)}: leave out replicas: each apply would undo the autoscaler`];
    });
}

/** Everything is denied both ways, so what is allowed is what the policies say. */
export function denies(objects) {
  const all = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  const denied = all.some(
    ({ spec }) =>
      Object.keys(spec.podSelector).length === 0 &&
      ['Ingress', 'Egress'].every((type) => spec.policyTypes.includes(type)) &&
      !spec.ingress &&
      !spec.egress,
  );
  return denied || !objects.some(isServer)
    ? []
    : ['give the namespace a NetworkPolicy that denies'];
}

export const RULES = {
  pods,
  images,
  probes,
  grace,
  budgets,
  selectors,
  ports,
  autoscalers,
  denies,
};

export function breaches(objects, how) {
  return Object.values(RULES).flatMap((rule) => rule(objects, how));
}
