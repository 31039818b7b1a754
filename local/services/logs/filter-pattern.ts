/**
 * CloudWatch Logs filter patterns for unstructured text: terms, "quoted phrases", `-excluded` and `?any of` terms.
 * JSON, space-delimited and regular-expression patterns are refused rather than matched wrongly.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
import { AwsError } from '../../call.ts';

const termPattern = /([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*/y;

/** Makes a test for messages; the empty pattern matches everything. */
export function filterPattern(pattern: string | undefined): (message: string) => boolean {
  const text = (pattern ?? '').trim();
  if (/^[{[%]/.test(text)) throw refused(`the embedded CloudWatch Logs matches terms only, not ${text}`);
  const all: string[] = [];
  const none: string[] = [];
  const any: string[] = [];
  termPattern.lastIndex = 0;
  while (termPattern.lastIndex < text.length) {
    const match = termPattern.exec(text);
    if (match === null) throw refused(`unbalanced quotes in ${text}`);
    const [, sign, quoted, bare] = match;
    const term = bare ?? quoted!.replaceAll(/\\(.)/g, '$1');
    (sign === '-' ? none : sign === '?' ? any : all).push(term);
  }
  return (message) =>
    all.every((term) => message.includes(term)) &&
    !none.some((term) => message.includes(term)) &&
    (any.length === 0 || any.some((term) => message.includes(term)));
}

function refused(reason: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid filter pattern: ${reason}`);
}
