/** How a function's one file is made: the same for the construct, the size tests and the bench. */
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { type BuildOptions, buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** `entry`: file name in `folder`, without its ending. */
export function bundleOptions(entry: string, folder = 'functions') {
  return {
    absWorkingDir: root,
    entryPoints: [`${folder}/${entry}.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    // Lambda puts the role's credentials into the environment; the SDK's chain of other sources is dead weight.
    alias: { '@aws-sdk/credential-provider-node': `${root}functions/aws/environment-credentials.ts` },
    // What is CommonJS inside the bundle still asks for `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  } as const satisfies BuildOptions;
}

/**
 * The bundle as an asset, made in this process: `NodejsFunction` starts esbuild through npm for each function, which takes
 * most of a synthesis.
 */
export function bundledCode(entry: string, folder = 'functions'): Code {
  return Code.fromAsset(`${root}${folder}`, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never run, for the bundle is made here; the command tells the CDK's cache one function from another.
      image: DockerImage.fromRegistry('none'),
      command: [entry],
      local: {
        tryBundle: (output) => {
          buildSync({ ...bundleOptions(entry, folder), outfile: `${output}/${entry}.mjs` });
          return true;
        },
      },
    },
  });
}
