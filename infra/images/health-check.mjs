/** Health check of an image, for an engine that has no probes of its own: 0 when the service is ready. */
const port = process.env.MILLRACE_PORT ?? process.env.MILLRACE_HTTP_PORT;
try {
  const response = await fetch(`http://127.0.0.1:${port}/health/ready`, {
    signal: AbortSignal.timeout(4_000),
  });
  // What is wrong shows in `docker inspect`.
  if (!response.ok) process.stdout.write(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (thrown) {
  process.stdout.write(`${thrown instanceof Error ? (thrown.cause ?? thrown.message) : thrown}\n`);
  process.exitCode = 1;
}
