/** The package declares no types of its own. */
declare module 'asl-validator' {
  function validate(
    definition: unknown,
    options: { readonly checkPaths: boolean; readonly checkArn: boolean },
  ): { readonly errors: readonly { readonly 'Error code': string; readonly Message: string }[] };
  export = validate;
}
