// A cold start without the platform's part: a fresh process that loads one bundle until its handler can be called.
const { handler } = await import(process.argv[2]);
process.exit(typeof handler === 'function' ? 0 : 1);
