// Starts the site in its image. `site.mjs health` asks the one that runs whether its page answers:
// the image's HEALTHCHECK.

const HEALTH_DEADLINE_MS = 3_000;
/** Below the 10 s after which `docker stop` kills. Next itself waits for readers without an end. */
const DRAIN_DEADLINE_MS = 8_000;
const TERMINATED = 143;

async function health() {
  const url = `http://127.0.0.1:${process.env.PORT}/`;
  const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_DEADLINE_MS) });
  await response.body?.cancel();
  if (!response.ok) {
    throw new Error(`${url} answers ${response.status}`);
  }
}

async function serve() {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      setTimeout(() => process.exit(TERMINATED), DRAIN_DEADLINE_MS).unref();
    });
  }
  // Next says 143 after a stop. A stop that was asked for is no failure.
  process.on('exit', (code) => {
    if (code === TERMINATED) {
      process.exitCode = 0;
    }
  });
  await import(new URL('./server.js', `file://${process.cwd()}/`).href);
}

try {
  await (process.argv[2] === 'health' ? health() : serve());
} catch (error) {
  console.error(`the site: ${error.message}`);
  process.exit(1);
}
