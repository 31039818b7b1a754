/** Tags on all that a deployment creates: nothing without them is ever changed or deleted. */
import type { GenerationName, ServiceName } from './names.ts';

export const serviceTag = 'cutover:service';
export const generationTag = 'cutover:generation';

export function ownerTags(
  service: ServiceName,
  generation: GenerationName,
): Readonly<Record<string, string>> {
  return { [serviceTag]: service, [generationTag]: generation };
}

/** On instances: what they run, and for which environment. */
export const imageTag = 'cutover:image';
export const environmentTag = 'cutover:environment';

/** On a repository, `kept`: deployments may put tags on its images that keep them, and take these off. */
export const imagesTag = 'cutover:images';

/** On the production rule, `production`: how the rule is found again. On that of a test listener, `test`. */
export const ruleTag = 'cutover:rule';
