/** One service of the demo as it is watched: its item, its slots, what is sent to it. */
import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import { type ServiceSettings, serviceSettings } from '../../functions/core/service-settings.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';
import type { ServiceView } from './picture.ts';
import type { Story, Watch } from './scenario.ts';
import { readSlots, TenantCounts } from './service-view.ts';
import { Traffic } from './traffic.ts';
import type { TrafficCounts } from './traffic-worker.ts';

/** Of the embedded AWS's clock. */
const requestsPerSecond = 20;

export interface ShownServiceOptions {
  readonly aws: EmbeddedAws;
  readonly clock: Clock;
  readonly story: Story;
  /** The listener's address. */
  readonly site: string | undefined;
  readonly watch: Watch;
}

export class ShownService {
  readonly watch: Watch;
  readonly #options: ShownServiceOptions;
  readonly #tenants = new TenantCounts();
  #settings: ServiceSettings | undefined;
  #slots: ServiceView['slots'] = [];
  #traffic: Traffic | undefined;

  constructor(options: ShownServiceOptions) {
    this.#options = options;
    this.watch = options.watch;
  }

  get view(): ServiceView {
    const { service, on, path } = this.#options.story;
    const { site } = this.#options;
    return {
      name: service,
      on,
      site: site && new URL(path, site).href,
      item: this.watch.item,
      slots: this.#slots,
      traffic: this.counts,
    };
  }

  get counts(): TrafficCounts | undefined {
    return this.#traffic?.counts;
  }

  async refresh(): Promise<void> {
    const { aws } = this.#options;
    this.#settings ??= await this.#declared();
    this.#slots = this.#tenants.count(await readSlots(aws, this.#settings), this.watch.item);
  }

  /** From now on requests come. */
  send(): void {
    const { site: url } = this.view;
    if (url === undefined) return;
    this.#traffic ??= new Traffic({ clock: this.#options.clock, url, requestsPerSecond });
  }

  async stop(): Promise<void> {
    await this.#traffic?.stop();
  }

  async #declared(): Promise<ServiceSettings> {
    const { Parameter } = (await this.#options.aws.dispatcher.call(
      'ssm',
      'GetParameter',
      { Name: `/cutover/${this.#options.story.service}` },
      { kind: 'root' },
    )) as GetParameterCommandOutput;
    return serviceSettings.parse(JSON.parse(Parameter?.Value ?? '{}'));
  }
}
