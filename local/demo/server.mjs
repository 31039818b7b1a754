// The demo's service. It knows its version and how to behave from its image's environment, and its port from the task.
import { createServer } from 'node:http';

const { VERSION = 'v0', BEHAVIOUR = 'good', PORT = '8080', LATENCY_MS, FAILS_ONE_OF } = process.env;

let answered = 0;

const server = createServer((request, response) => {
  response.setHeader('x-version', VERSION);
  if (request.url === '/health') {
    response.statusCode = BEHAVIOUR === 'neverHealthy' ? 503 : 200;
    response.end(`${VERSION} ${BEHAVIOUR === 'neverHealthy' ? 'cannot reach its database' : 'is healthy'}\n`);
    return;
  }
  answered += 1;
  const fails = BEHAVIOUR === 'failing' || answered % Number(FAILS_ONE_OF) === 0;
  response.statusCode = fails ? 500 : 200;
  const answer = () => response.end(`hello from ${VERSION}\n`);
  if (LATENCY_MS === undefined) answer();
  else setTimeout(answer, Number(LATENCY_MS));
});

// Longer than any load balancer keeps an idle connection: the side that chooses connections closes them.
server.keepAliveTimeout = 75_000;
server.listen(Number(PORT), () => console.log(`${VERSION} listens on ${PORT}, ${BEHAVIOUR}`));

process.on('SIGTERM', () => {
  console.log(`${VERSION} was asked to stop`);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
