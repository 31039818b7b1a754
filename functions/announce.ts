import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { clientOptions } from './aws/client-options.ts';
import { DynamoHistory } from './aws/dynamo-history.ts';
import { LambdaHooks } from './aws/lambda-hooks.ts';
import { changeIn, streamEvent } from './aws/ledger-stream.ts';
import { SnsAnnouncer } from './aws/sns-announcer.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { announce } from './steps/announce.ts';

export const create = entry({
  name: 'announce',
  input: streamEvent,
  wire: (env, aws, { logger }) => {
    const { LEDGER_TABLE, TOPIC_ARN, HOOK_FUNCTION } = variables(
      env,
      'LEDGER_TABLE',
      'TOPIC_ARN',
      'HOOK_FUNCTION',
    );
    const options = clientOptions(aws, 'sdk');
    const ports = {
      history: new DynamoHistory(new DynamoDBClient(options), LEDGER_TABLE),
      hooks: new LambdaHooks(new LambdaClient(options), HOOK_FUNCTION),
      announcer: new SnsAnnouncer(new SNSClient(options), TOPIC_ARN),
    };
    // The records of one key come in order; the first that fails is reported, and the stream goes on from it.
    return async ({ Records }) => {
      for (const record of Records) {
        try {
          const change = changeIn(record);
          if (change === undefined) continue;
          logger.appendKeys({ deployment: change.after.deployment?.plan.deployment });
          for (const refused of await announce(change, ports)) logger.error(refused);
        } catch (failure) {
          logger.error('a change could not be announced; it is tried again', failure as Error);
          return { batchItemFailures: [{ itemIdentifier: record.dynamodb.SequenceNumber }] };
        }
      }
      return { batchItemFailures: [] };
    };
  },
});
export const handler = create(process.env, {});
