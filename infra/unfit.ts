/**
 * What is no mistake in the settings, but CloudFormation would refuse, or would never do what was meant: told at synthesis alone. Of
 * what is declared already Plan makes no refusal, for a rollback reads it too.
 */
import type { GateName } from '../functions/core/deployment/strategy.ts';
import type { ServiceProps } from './deployed-service.ts';

export function unfit(props: ServiceProps): readonly string[] {
  return [...resourceMistakes(props), ...vainGates(props), ...vainMetrics(props)];
}

function resourceMistakes(props: ServiceProps): readonly string[] {
  const { healthCheck, deregistrationDelay, listener, testListener } = props;
  const path = healthCheck?.path ?? '/';
  const delay = deregistrationDelay?.toSeconds() ?? 0;
  return [
    ...(path.startsWith('/') ? [] : [`healthCheck/path: must start with /, got ${path}`]),
    ...(delay <= 3_600 ? [] : [`deregistrationDelay: must be 3600 at most, got ${delay} (in seconds)`]),
    ...(testListener === listener
      ? ['testListener: is the listener of the production rule: name another of the same load balancer']
      : []),
  ];
}

/** A gate that a step names and that asks nothing would let everything through. */
function vainGates({
  strategy,
  alarms = [],
  comparison,
  metrics = [],
  hooks = [],
  imageGate,
}: ServiceProps): readonly string[] {
  const missing: Readonly<Record<GateName, boolean>> = {
    alarms: alarms.length === 0,
    comparison: comparison === undefined || comparison === null,
    metrics: metrics.length === 0,
    hooks: hooks.length === 0,
  };
  const steps = strategy.kind === 'custom' ? strategy.steps : [];
  return [
    ...steps.flatMap(({ gates = [] }, step) =>
      gates.flatMap((gate, index) =>
        missing[gate]
          ? [
              `strategy/steps/${step}/gates/${index}: the service has no ${gate}: declare some, or leave the gate out`,
            ]
          : [],
      ),
    ),
    ...(imageGate && !imageGate.scan && !imageGate.signature
      ? ['imageGate: asks nothing: needs scan, signature or both']
      : []),
  ];
}

/** By its name people tell which one said no; and what is one value for both generations is never above, or below, itself. */
function vainMetrics({ metrics = [] }: ServiceProps): readonly string[] {
  return metrics.flatMap(({ name, metrics: read, expression = '', limit }, index) => {
    const texts = [expression, ...read.flatMap(({ dimensions = {} }) => Object.values(dimensions))];
    const tellsApart = texts.some((text) => /\{(?:generation|slot|targetGroup)\}/.test(text));
    return [
      ...(metrics.findIndex((other) => other.name === name) === index
        ? []
        : [`metrics/${index}/name: is another metric's already: ${name}`]),
      ...(limit.kind.endsWith('TimesOld') && !tellsApart
        ? [
            `metrics/${index}/limit: both generations have the same value: name {generation}, {slot} or {targetGroup} in a dimension, got ${limit.kind}`,
          ]
        : []),
    ];
  });
}
