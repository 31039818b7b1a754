/** The operations on listeners, and what carries a listener's settings and rules into the data plane. */

import { isDeepStrictEqual } from 'node:util';
import type {
  CreateListenerCommandInput,
  CreateListenerCommandOutput,
  DeleteListenerCommandInput,
  DeleteListenerCommandOutput,
  DescribeListenerAttributesCommandInput,
  DescribeListenerAttributesCommandOutput,
  DescribeListenersCommandInput,
  DescribeListenersCommandOutput,
  Listener,
  ModifyListenerAttributesCommandInput,
  ModifyListenerAttributesCommandOutput,
  ModifyListenerCommandInput,
  ModifyListenerCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ListenerSettings, RoutingRule } from '../../balancer/protocol.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { acceptActions } from './actions.ts';
import { defaultsOf, listenerAttributes, modify, shown } from './attributes.ts';
import type { DataPlane } from './data-plane.ts';
import { page } from './paging.ts';
import { quotas } from './quotas.ts';
import type { ListenerRecord, LoadBalancerRecord, Resources, RuleRecord } from './resources.ts';
import { checkSslPolicy, defaultSslPolicy } from './ssl-policies.ts';
import type { Tags } from './tags.ts';
import { inRange, invalid } from './validation.ts';

/** What decides on which local port a listener listens. */
export interface NewListener {
  readonly loadBalancerName: string;
  /** The listener's port in AWS's terms. */
  readonly port: number;
}

export interface ListenersOptions {
  readonly resources: Resources;
  readonly tags: Tags;
  readonly dataPlane: DataPlane;
  /** Runs a change of the data plane after the propagation delay. */
  readonly propagate: (change: () => Promise<void>) => Promise<void>;
  /** Hears that rules have changed. */
  readonly onRulesChanged: () => void;
  readonly listenerPort: (listener: NewListener) => number;
}

export class Listeners {
  readonly #options: ListenersOptions;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Call after the listener's rules have changed: the data plane follows, as they are now. */
  async routesChanged(listenerArn: string): Promise<void> {
    this.#options.onRulesChanged();
    const rules = this.#routing(listenerArn);
    await this.#options.propagate(() => this.#options.dataPlane.route(listenerArn, rules));
  }

  async configure(listener: ListenerRecord): Promise<void> {
    const settings = settingsOf(listener);
    await this.#options.propagate(() => this.#options.dataPlane.configure(settings));
  }

  /** Closes the listener and forgets it with its rules. */
  async remove(listener: ListenerRecord): Promise<void> {
    const { resources, tags, dataPlane, onRulesChanged } = this.#options;
    for (const rule of resources.rulesOf(listener.arn)) {
      resources.rules.delete(rule.arn);
      tags.forget(rule.arn);
    }
    resources.listeners.delete(listener.arn);
    tags.forget(listener.arn);
    onRulesChanged();
    await dataPlane.unlisten(listener.arn);
  }

  get operations() {
    const { resources } = this.#options;
    return {
      CreateListener: (input: CreateListenerCommandInput) => this.#create(input),
      ModifyListener: (input: ModifyListenerCommandInput) => this.#modify(input),

      DeleteListener: async (
        input: DeleteListenerCommandInput,
      ): Promise<Output<DeleteListenerCommandOutput>> => {
        await this.remove(resources.listener(input.ListenerArn));
        return {};
      },

      DescribeListeners: (input: DescribeListenersCommandInput): Output<DescribeListenersCommandOutput> => {
        if ((input.LoadBalancerArn === undefined) === (input.ListenerArns === undefined)) {
          throw invalid('You must specify either listener ARNs or a load balancer ARN');
        }
        const selected =
          input.ListenerArns?.map((arn) => resources.listener(arn)) ??
          resources.listenersOf(resources.loadBalancer(input.LoadBalancerArn));
        const { items, next } = page(selected, input);
        return { Listeners: items.map(shownAs), ...next };
      },

      DescribeListenerAttributes: (
        input: DescribeListenerAttributesCommandInput,
      ): Output<DescribeListenerAttributesCommandOutput> => ({
        Attributes: shown(resources.listener(input.ListenerArn).attributes),
      }),

      ModifyListenerAttributes: (
        input: ModifyListenerAttributesCommandInput,
      ): Output<ModifyListenerAttributesCommandOutput> => {
        const listener = resources.listener(input.ListenerArn);
        modify('Listener', listenerAttributes, listener.attributes, input.Attributes ?? []);
        return { Attributes: shown(listener.attributes) };
      },
    } satisfies Operations;
  }

  /** Answers when the listener listens. Repeating it with equal settings changes nothing. */
  async #create(input: CreateListenerCommandInput): Promise<Output<CreateListenerCommandOutput>> {
    const { resources, tags, dataPlane, listenerPort, onRulesChanged } = this.#options;
    const loadBalancer = resources.loadBalancer(input.LoadBalancerArn);
    tags.check(input.Tags);
    if (input.Port === undefined) throw invalid('A port must be specified');
    checkPort(input);
    const same = resources
      .listenersOf(loadBalancer)
      .find((listener) => listener.settings.Port === input.Port);
    const actions = acceptActions(input.DefaultActions ?? [], loadBalancer, resources, same?.defaultRule);
    if (same !== undefined) {
      if (same.settings.Protocol === input.Protocol && isDeepStrictEqual(same.defaultRule.actions, actions)) {
        return { Listeners: [shownAs(same)] };
      }
      throw taken(loadBalancer);
    }
    if (resources.listenersOf(loadBalancer).length >= quotas.listenersPerLoadBalancer) {
      throw new AwsError(
        'TooManyListenersException',
        `The maximum number of listeners on load balancer '${loadBalancer.arn}' has been reached`,
      );
    }
    const arn = resources.newArn(`listener/${loadBalancer.path}/${resources.newId()}`);
    const defaultRule: RuleRecord = {
      arn: resources.newRuleArn(arn),
      listenerArn: arn,
      priority: undefined,
      conditions: [],
      actions,
    };
    const listener: ListenerRecord = {
      arn,
      loadBalancer,
      settings: {
        ListenerArn: arn,
        LoadBalancerArn: loadBalancer.arn,
        Port: input.Port,
        Protocol: input.Protocol,
        ...secured(input),
      },
      attributes: defaultsOf(listenerAttributes),
      defaultRule,
      localPort: 0,
    };
    // Before the first wait, so that two calls at once cannot both have the port.
    resources.listeners.set(arn, listener);
    resources.rules.set(defaultRule.arn, defaultRule);
    tags.put(arn, input.Tags);
    const asked = listenerPort({
      loadBalancerName: loadBalancer.settings.LoadBalancerName ?? '',
      port: input.Port,
    });
    try {
      listener.localPort = await dataPlane.listen(settingsOf(listener), asked, this.#routing(arn));
    } catch (error) {
      resources.listeners.delete(arn);
      resources.rules.delete(defaultRule.arn);
      throw error;
    }
    onRulesChanged();
    return { Listeners: [shownAs(listener)] };
  }

  /** The default actions are replaced as a whole, and only when given. The local port stays. */
  async #modify(input: ModifyListenerCommandInput): Promise<Output<ModifyListenerCommandOutput>> {
    const { resources } = this.#options;
    const listener = resources.listener(input.ListenerArn);
    const { loadBalancer } = listener;
    const changed = { ...listener.settings, ...defined(input) };
    checkPort(changed);
    const holder = resources.listenersOf(loadBalancer).find((other) => other.settings.Port === changed.Port);
    if (holder !== undefined && holder !== listener) throw taken(loadBalancer);
    const actions =
      input.DefaultActions === undefined
        ? undefined
        : acceptActions(input.DefaultActions, loadBalancer, resources, listener.defaultRule);
    const certain = secured(changed);
    Object.assign(listener.settings, { Port: changed.Port, Protocol: changed.Protocol, ...certain });
    if (listener.settings.Protocol === 'HTTP') {
      delete listener.settings.Certificates;
      delete listener.settings.SslPolicy;
    }
    await this.configure(listener);
    if (actions !== undefined) {
      listener.defaultRule.actions = actions;
      await this.routesChanged(listener.arn);
    }
    return { Listeners: [shownAs(listener)] };
  }

  #routing(listenerArn: string): RoutingRule[] {
    return this.#options.resources.rulesOf(listenerArn).map(({ priority, conditions, actions }) => ({
      priority,
      conditions,
      actions,
    }));
  }
}

type Asked = Pick<
  CreateListenerCommandInput,
  'Port' | 'Protocol' | 'Certificates' | 'SslPolicy' | 'MutualAuthentication'
>;

function checkPort(input: Pick<Asked, 'Port' | 'Protocol'>): void {
  inRange('port', input.Port, 1, 65_535);
  if (input.Protocol === undefined) throw invalid('A listener protocol must be specified');
  if (input.Protocol !== 'HTTP' && input.Protocol !== 'HTTPS') {
    throw new AwsError(
      'UnsupportedProtocolException',
      `Protocol '${input.Protocol}' is not supported for listeners of load balancers of type 'application'`,
    );
  }
}

/** What an HTTPS listener keeps of its security. The local listener serves plain HTTP all the same. */
function secured(input: Asked): Pick<Listener, 'Certificates' | 'SslPolicy' | 'MutualAuthentication'> {
  if (input.Protocol !== 'HTTPS') return {};
  if (input.Certificates === undefined || input.Certificates.length === 0) {
    throw invalid('A certificate must be specified for HTTPS listeners');
  }
  const policy = input.SslPolicy ?? defaultSslPolicy;
  checkSslPolicy(policy);
  return {
    Certificates: input.Certificates.map((certificate) => ({ CertificateArn: certificate.CertificateArn })),
    SslPolicy: policy,
    MutualAuthentication: input.MutualAuthentication ?? { Mode: 'off' },
  };
}

function defined(input: ModifyListenerCommandInput): Asked {
  const { Port, Protocol, Certificates, SslPolicy, MutualAuthentication } = input;
  const members = Object.entries({ Port, Protocol, Certificates, SslPolicy, MutualAuthentication });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function settingsOf(listener: ListenerRecord): ListenerSettings {
  const { attributes } = listener.loadBalancer;
  return {
    listenerArn: listener.arn,
    loadBalancerArn: listener.loadBalancer.arn,
    port: listener.settings.Port ?? 0,
    protocol: listener.settings.Protocol === 'HTTPS' ? 'https' : 'http',
    idleTimeoutMs: Number(attributes.get('idle_timeout.timeout_seconds')) * 1000,
    dropInvalidHeaders: attributes.get('routing.http.drop_invalid_header_fields.enabled') === 'true',
  };
}

function shownAs(listener: ListenerRecord): Listener {
  return { ...listener.settings, DefaultActions: structuredClone([...listener.defaultRule.actions]) };
}

function taken(loadBalancer: LoadBalancerRecord): AwsError {
  return new AwsError(
    'DuplicateListenerException',
    `A listener already exists on this port for this load balancer '${loadBalancer.arn}'`,
  );
}
