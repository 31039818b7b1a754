// The application behind the balancer: as little as an application can be, in a process of its own.
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.end('hello\n'));
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port));
process.once('disconnect', () => process.exit(0));
