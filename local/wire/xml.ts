/** XML as AWS's query protocols and S3 write it. */
import { XmlShapeSerializer } from '@aws-sdk/core/protocols';
import type { NormalizedSchema } from '@smithy/core/schema';

export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character]!);
}

/** What a value's members look like inside whatever element the protocol puts around them. */
export function innerXml(schema: NormalizedSchema, value: object): string {
  if (schema.isUnitSchema()) return '';
  // The namespace goes on the outer element, which the protocol writes.
  const serializer = new XmlShapeSerializer({
    timestampFormat: { useTrait: true, default: 5 },
    httpBindings: false,
    xmlNamespace: '',
    serviceNamespace: '',
  });
  serializer.write(schema, value);
  const xml = serializer.flush() as string;
  if (/^<[^>]*\/>$/.test(xml)) return '';
  return xml.slice(xml.indexOf('>') + 1, xml.lastIndexOf('</'));
}
