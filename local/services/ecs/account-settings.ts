/** The account's ECS settings: kept and listed. Long ARNs cannot be switched off. */
import type {
  ListAccountSettingsCommandInput,
  ListAccountSettingsCommandOutput,
  PutAccountSettingCommandInput,
  PutAccountSettingCommandOutput,
  Setting,
  SettingName,
} from '@aws-sdk/client-ecs';
import { iamArn } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { page } from './page.ts';

/** What a new account has. */
const defaults: readonly (readonly [SettingName, string])[] = [
  ['awsvpcTrunking', 'disabled'],
  ['containerInsights', 'disabled'],
  ['containerInstanceLongArnFormat', 'enabled'],
  ['defaultLogDriverMode', 'non-blocking'],
  ['fargateFIPSMode', 'disabled'],
  ['fargateTaskRetirementWaitPeriod', '7'],
  ['guardDutyActivate', 'off'],
  ['serviceLongArnFormat', 'enabled'],
  ['tagResourceAuthorization', 'on'],
  ['taskLongArnFormat', 'enabled'],
];

export class AccountSettings {
  readonly #put = new Map<SettingName, string>();

  readonly operations = {
    PutAccountSetting: (input: PutAccountSettingCommandInput): Output<PutAccountSettingCommandOutput> => {
      const known = defaults.find(([name]) => name === input.name);
      if (known === undefined || input.value === undefined)
        throw new AwsError('InvalidParameterException', `Setting ${input.name} is not known.`);
      if (known[0].endsWith('LongArnFormat') && input.value !== 'enabled')
        throw new AwsError('InvalidParameterException', 'Long ARN formats cannot be disabled.');
      this.#put.set(known[0], input.value);
      return { setting: setting(known[0], input.value) };
    },
    ListAccountSettings: (
      input: ListAccountSettingsCommandInput,
    ): Output<ListAccountSettingsCommandOutput> => {
      const all: (readonly [SettingName, string])[] =
        input.effectiveSettings === true
          ? defaults.map(([name, value]) => [name, this.#put.get(name) ?? value])
          : [...this.#put];
      const asked = all.filter(
        ([name, value]) =>
          (input.name === undefined || input.name === name) &&
          (input.value === undefined || input.value === value),
      );
      const { items, ...more } = page(asked, { ...input, maxResults: input.maxResults ?? 10 });
      return { settings: items.map(([name, value]) => setting(name, value)), ...more };
    },
  } satisfies Operations;
}

function setting(name: SettingName, value: string): Setting {
  return { name, value, principalArn: iamArn('root'), type: 'user' };
}
