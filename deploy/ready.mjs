// The health check of a container: `node deploy/ready.mjs <port>` ends with 0 when the service there is ready.
const [port] = process.argv.slice(2);
const parts = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(4_000) }).then(
  async (response) => ({ ready: response.ok, answer: await response.text() }),
  (error) => ({ ready: false, answer: String(error.cause ?? error) }),
);
// Docker keeps what a check writes: `docker inspect` shows why a container is not healthy.
process.stdout.write(`${parts.answer}\n`);
process.exitCode = parts.ready ? 0 : 1;
