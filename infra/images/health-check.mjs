/** Health check of an image, for an engine that has no probes of its own: 0 when the service is ready. */
import { request as http } from 'node:http';
import { request as https } from 'node:https';

const { MILLRACE_PORT, MILLRACE_HTTP_PORT, MILLRACE_TLS_CERT } = process.env;
const port = MILLRACE_PORT ?? MILLRACE_HTTP_PORT;

const ask = (request) =>
  new Promise((resolve, reject) => {
    // It asks the very container that it runs in: whose certificate that is needs no proof.
    const options = {
      host: '127.0.0.1',
      port,
      path: '/health/ready',
      rejectUnauthorized: false,
      timeout: 4_000,
    };
    const asked = request(options, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ ok: response.statusCode === 200, body }));
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', reject);
    asked.end();
  });

try {
  // With certificates, services speak TLS, but the gateway, whose TLS ends before it, does not.
  const { ok, body } = MILLRACE_TLS_CERT ? await ask(https).catch(() => ask(http)) : await ask(http);
  // What is wrong shows in `docker inspect`.
  if (!ok) process.stdout.write(body);
  process.exitCode = ok ? 0 : 1;
} catch (thrown) {
  process.stdout.write(`${thrown.message}\n`);
  process.exitCode = 1;
}
