import type { Call, Operations } from '../../local/call.ts';

const call: Call = { principal: { kind: 'root' }, requestId: 'test', endpoint: 'http://127.0.0.1:4566' };

/** Calls operations by name, as the dispatcher does. */
export function asker(operations: Operations) {
  return async <Input, Result>(name: string, input: Input): Promise<Result> => {
    const operation = operations[name];
    if (operation === undefined) throw new Error(`There is no operation ${name}`);
    return (await operation(input as never, call)) as Result;
  };
}
