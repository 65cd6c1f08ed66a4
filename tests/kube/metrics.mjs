// Whether Prometheus, set up as deploy/prometheus shows it, scrapes the pods, and whether the
// autoscalers' metrics are there.
const SCRAPED = 'deploy/prometheus/prometheus.yml';
const NAME = 'app.kubernetes.io/name';
/** The pods that a job keeps: label app.kubernetes.io/name, and the port's name. */
const KEPT = /^ *# +regex: (\S+;\S+)$/gm;

const adminPods = (objects) =>
  objects.flatMap(({ spec }) =>
    (spec?.template?.spec.containers ?? [])
      .filter(({ ports }) => ports?.some(({ name }) => name === 'admin'))
      .map(() => `${spec.template.metadata.labels[NAME]};admin`),
  );

/** The jobs of deploy/prometheus/prometheus.yml, against an overlay that has servers. */
export function wrongJobs(objects, prometheus) {
  const pods = adminPods(objects);
  const kept = [...prometheus.matchAll(KEPT)].map(([, regex]) => regex);
  if (pods.length === 0) return [];
  return [
    ...kept.filter((one) => !pods.includes(one)).map((one) => `${SCRAPED}: no pod is ${one}`),
    ...pods.filter((one) => !kept.includes(one)).map((one) => `${SCRAPED}: no job keeps ${one}`),
  ];
}

/** Metrics of pods need a rule of the adapter, and a program that exports them. */
export function unknownMetrics(objects, adapterRules, metricsPage) {
  return objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .flatMap(({ metadata, spec }) => spec.metrics.map((each) => [metadata.name, each.pods.metric]))
    .flatMap(([autoscaler, { name }]) => [
      ...(adapterRules.some((rule) => rule.name.matches === `^${name}$`)
        ? []
        : [`autoscaler ${autoscaler}: prometheus-adapter-rule.yaml has no ${name}`]),
      ...(metricsPage.includes(`\`${name}\``)
        ? []
        : [`autoscaler ${autoscaler}: docs/metrics.md has no ${name}`]),
    ]);
}
