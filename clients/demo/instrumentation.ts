// What Next runs once, when the server starts and before the first request.

export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { start } = await import('./lib/start');
    start();
  }
}
