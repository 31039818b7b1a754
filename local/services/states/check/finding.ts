/** What is wrong with a definition: where, and why. */

export type FindingCode =
  // AWS's own codes.
  | 'INVALID_JSON_DESCRIPTION'
  | 'SCHEMA_VALIDATION_FAILED'
  | 'MISSING_TRANSITION_TARGET'
  | 'MISSING_END_STATE'
  | 'DUPLICATE_STATE_NAME'
  | 'INVALID_JSONATA_EXPRESSION'
  | 'UNSUPPORTED_JSONATA_EXPRESSION'
  // What AWS accepts and fails at run time, or would wait for in vain.
  | 'UNASSIGNED_VARIABLE'
  | 'UNUSED_TASK_TOKEN'
  // What AWS can and we cannot.
  | 'NOT_EMBEDDED';

export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  /** `/States/Launch/Arguments/Payload`; empty for the whole definition. */
  readonly path: string;
}

export function schemaFinding(path: string, message: string): Finding {
  return { code: 'SCHEMA_VALIDATION_FAILED', message, path };
}

export function notEmbedded(path: string, message: string): Finding {
  return { code: 'NOT_EMBEDDED', message, path };
}

/** One line, as AWS writes them into `InvalidDefinition`. */
export function findingText({ code, message, path }: Finding): string {
  return path === '' ? `${code}: ${message}` : `${code}: ${message} at ${path}`;
}
