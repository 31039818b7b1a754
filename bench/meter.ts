/** Counts what the deployer does on the embedded AWS, from one moment on. */
import type { FilterLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import type { PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import type { GetFunctionConfigurationCommandOutput } from '@aws-sdk/client-lambda';
import { ledgerTable } from '../functions/core/ledger-table.ts';
import type { Example } from './example.ts';
