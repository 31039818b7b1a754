/** Counts what the deployer does on the embedded AWS, from one moment on. */
import type { FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import type { PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { GetFunctionConfigurationCommandOutput } from '@aws-sdk/client-lambda';
import { ledgerTable } from '../functions/core/ledger/ledger-table.ts';
import { roleName } from '../local/iam/principal-arn.ts';
import type { CallRecord, PendingCall } from '../local/wire/call-log.ts';
import type { Example } from './example.ts';
import { itemSize } from './item-size.ts';
import { sum } from './measure.ts';

export interface DeployerCall {
  /** `elasticloadbalancing:ModifyRule` */
  readonly action: string;
  /** `Shift` */
  readonly by: string;
}

export interface Usage {
  readonly calls: readonly DeployerCall[];
  /** By function. */
  readonly invocations: Readonly<Record<string, number>>;
  /** Of the table and its index. */
  readonly writeUnits: number;
  readonly readUnits: number;
  /** What functions log, as CloudWatch counts it. */
  readonly logBytes: number;
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const bytesOfAWriteUnit = 1_024;
const bytesOfAReadUnit = 4_096;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const bytesBesideAnEvent = 26;

export class Meter {
  readonly #example: Example;
  readonly #since: number;
  readonly #roles: ReadonlyMap<string, string>;
  readonly #calls: DeployerCall[] = [];
  readonly #detach: readonly (() => void)[];
  #itemBytes = bytesOfAReadUnit;
  #open = false;
  #writeUnits = 0;
  #readUnits = 0;

  constructor(example: Example) {
    this.#example = example;
    this.#since = example.clock.now();
    this.#roles = example.roles;
    const { calls } = example.aws;
    this.#detach = [
      calls.subscribe((record) => this.#took(record)),
      calls.hook({ before: (call) => this.#weigh(call) }),
    ];
  }

  /** Ends the counting. */
  async stop(): Promise<Usage> {
    for (const detach of this.#detach) detach();
    const invocations: Record<string, number> = {};
    let logBytes = 0;
    for (const [functionName, name] of this.#example.functions) {
      const lines = await this.#logOf(functionName);
      const runs = lines.filter((line) => line.startsWith('REPORT ')).length;
      if (runs > 0) invocations[name] = runs;
      logBytes += sum(lines.map((line) => Buffer.byteLength(line) + bytesBesideAnEvent));
    }
    return {
      calls: this.#calls,
      invocations,
      writeUnits: this.#writeUnits,
      readUnits: this.#readUnits,
      logBytes,
    };
  }

  #nameOf({ principal }: Pick<CallRecord, 'principal'>): string | undefined {
    return principal.kind === 'role' ? this.#roles.get(roleName(principal.roleArn)) : undefined;
  }

  #took(record: CallRecord): void {
    const by = this.#nameOf(record);
    if (by !== undefined) this.#calls.push({ action: `${record.service}:${record.operation}`, by });
  }

  #weigh(call: PendingCall): void {
    if (call.service !== 'dynamodb' || this.#nameOf(call) === undefined) return;
    if (call.operation === 'PutItem') this.#weighWrite((call.input as PutItemCommandInput).Item ?? {});
    else this.#readUnits += Math.ceil(this.#itemBytes / bytesOfAReadUnit);
  }

  #weighWrite(item: NonNullable<PutItemCommandInput['Item']>): void {
    const bytes = itemSize(item);
    this.#writeUnits += Math.ceil(bytes / bytesOfAWriteUnit);
    if (item[ledgerTable.sortKey]?.S !== ledgerTable.serviceItem) return;
    this.#itemBytes = bytes;
    // The index of what is open is written only when the item comes into it or leaves it.
    const open = ledgerTable.openKey in item;
    if (open !== this.#open) this.#writeUnits += 1;
    this.#open = open;
  }

  async #logOf(functionName: string): Promise<readonly string[]> {
    const { LoggingConfig } = await this.#example.ask<GetFunctionConfigurationCommandOutput>(
      'lambda',
      'GetFunctionConfiguration',
      {
        FunctionName: functionName,
      },
    );
    const lines: string[] = [];
    let nextToken: string | undefined;
    do {
      const page: FilterLogEventsCommandOutput = await this.#example.ask('logs', 'FilterLogEvents', {
        logGroupName: LoggingConfig?.LogGroup,
        startTime: Math.floor(this.#since),
        nextToken,
      });
      lines.push(...(page.events ?? []).map(({ message }) => message ?? ''));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return lines;
  }
}
