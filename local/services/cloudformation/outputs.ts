/** A stack's outputs and exports: the last thing of an operation that can fail. */
import { resolve } from './intrinsics.ts';
import { asText } from './json.ts';
import type { StackLookup } from './lookup.ts';
import type { Stack, StackOutput, Target } from './stack.ts';
import { invalid } from './template.ts';

/** Exports of all stacks. */
export interface Exports {
  value(name: string): string | undefined;
  /** The stack, if any, that exports a name. */
  exporter(name: string): Stack | undefined;
  /** Stacks that import a name. */
  importers(name: string): readonly Stack[];
}

/** Throws when an export belongs to another stack, or when one that is in use would change or go. */
export function resolveOutputs(options: {
  readonly stack: Stack;
  readonly target: Target;
  readonly lookup: StackLookup;
  readonly exports: Exports;
}): StackOutput[] {
  const { stack, target, lookup, exports } = options;
  const outputs = Object.entries(target.template.Outputs).flatMap(([key, output]): StackOutput[] => {
    if (!lookup.has(output)) return [];
    const value = resolve(output.Value, lookup);
    if (value === undefined || typeof value === 'object') {
      throw invalid(
        `Template format error: Output ${key} is malformed. The Value field of every Outputs member must evaluate to a String.`,
      );
    }
    const exportName =
      output.Export === undefined ? undefined : asText(resolve(output.Export.Name, lookup) ?? null);
    return [
      {
        key,
        value: String(value),
        ...(output.Description === undefined ? {} : { description: output.Description }),
        ...(exportName === undefined ? {} : { exportName }),
      },
    ];
  });
  for (const { exportName, value } of outputs) {
    if (exportName === undefined) continue;
    const other = exports.exporter(exportName);
    if (other !== undefined && other !== stack) {
      throw invalid(`Export with name ${exportName} is already exported by stack ${other.name}.`);
    }
    if (exports.value(exportName) !== value) refuseInUse('update', exportName, exports);
  }
  for (const { exportName } of stack.outputs) {
    if (exportName === undefined || outputs.some((output) => output.exportName === exportName)) continue;
    refuseInUse('delete', exportName, exports);
  }
  return outputs;
}

function refuseInUse(verb: string, exportName: string, exports: Exports): void {
  const importers = exports.importers(exportName).map(({ name }) => name);
  if (importers.length === 0) return;
  throw invalid(`Cannot ${verb} export ${exportName} as it is in use by ${importers.join(' and ')}.`);
}
