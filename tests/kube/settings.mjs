// Whether the variables that the manifests set are settings of the programs: by name in the source,
// and, where the programs are built, by value too.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment } from './rules.mjs';

/** Read by the programs, and no flags. */
const OTHERS = new Set(['SEATLOCK_REDIS_USER', 'SEATLOCK_REDIS_PASSWORD', 'HOSTNAME', 'PORT']);
const PROGRAMS = {
  seatlockd: { prefix: 'SEATLOCK_', source: 'services/seatlock/config.cc' },
  edge: { prefix: 'SEATLOCK_EDGE_', source: 'edge/config.cc', binary: 'seatlock-edge' },
  'store-init': { prefix: 'SEATLOCK_', source: 'services/seatlock/config.cc' },
  site: { source: 'clients/demo/lib/env.ts' },
};
const FLAGS_OF_ALL = 'common/runtime/logging.cc';

const containersOf = (objects) =>
  objects.flatMap((object) => object.spec?.template?.spec?.containers ?? []);

/** `SEATLOCK_EDGE_ADMIN_LISTEN` → `admin-listen`. */
export function flagOf(variable, prefix) {
  return variable.slice(prefix.length).toLowerCase().replaceAll('_', '-');
}

function isKnown(variable, program, root) {
  if (OTHERS.has(variable)) return true;
  const source = readFileSync(join(root, program.source), 'utf8');
  if (!program.prefix) return source.includes(`'${variable}'`);
  if (!variable.startsWith(program.prefix)) return false;
  const flag = `"${flagOf(variable, program.prefix)}"`;
  return source.includes(flag) || readFileSync(join(root, FLAGS_OF_ALL), 'utf8').includes(flag);
}

export function unknownVariables(objects, root) {
  return containersOf(objects).flatMap((container) =>
    Object.keys(environment(objects, container))
      .filter((variable) => !isKnown(variable, PROGRAMS[container.name], root))
      .map((variable) => `${container.name}: nothing reads ${variable}`),
  );
}

/** What the program says of its settings with these variables, or why it would not start. */
function printed(binary, variables) {
  try {
    return { config: execFileSync(binary, ['--print-config'], { env: variables }).toString() };
  } catch (error) {
    return { error: String(error.stderr).trim() };
  }
}

/** Values that a program refuses or does not take over, of the programs that are built in `bin`. */
export function wrongSettings(objects, bin) {
  return containersOf(objects).flatMap((container) => {
    const program = PROGRAMS[container.name];
    const binary = join(bin, program.binary ?? container.name);
    if (!program.prefix || !existsSync(binary)) return [];
    const all = Object.entries(environment(objects, container)).filter(([, value]) => value);
    const { config, error } = printed(binary, Object.fromEntries(all));
    if (error) return [`${container.name}: ${error}`];
    const lines = config.split('\n');
    return all
      .filter(([name, value]) => !lines.includes(`${flagOf(name, program.prefix)}=${value}`))
      .map(([name, value]) => `${container.name}: ${name}=${value} is not in force`);
  });
}
