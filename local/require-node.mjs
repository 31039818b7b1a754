// Plain JavaScript, so that an old Node can say so: the sources are TypeScript that Node 24 runs as it is.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Cutover needs Node ≥ 24, this is ${process.versions.node}. On Linux (x64, arm64) "npm ci" brings its own; here, install Node 24 and try again.`,
  );
  process.exit(2);
}
