/**
 * The AWS query protocol and EC2's dialect of it: `Action=…` in a form, XML in the answer. A GET carries the form in
 * its query string.
 */
import { type Failure, faultOf } from './failure.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { Protocol } from './protocol.ts';
import { readForm } from './query-form.ts';
import { escapeXml, innerXml, xmlDeclaration } from './xml.ts';

export function awsQuery(xmlNamespace: string): Protocol {
  return {
    family: 'query',
    route: routeByAction,
    decode: async (operation, request) => readForm(operation.input, formOf(request), { ec2: false }),
    encode(operation, output, requestId) {
      const result = operation.output.isUnitSchema()
        ? ''
        : `<${operation.name}Result>${innerXml(operation.output, (output ?? {}) as object)}</${operation.name}Result>`;
      const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
      return xml(
        200,
        requestId,
        `<${operation.name}Response xmlns="${xmlNamespace}">${result}${metadata}</${operation.name}Response>`,
      );
    },
    encodeError: (failure, requestId) =>
      xml(
        failure.status,
        requestId,
        `<ErrorResponse xmlns="${xmlNamespace}"><Error><Type>${faultOf(failure)}</Type>${errorXml(failure)}</Error>` +
          `<RequestId>${requestId}</RequestId></ErrorResponse>`,
      ),
  };
}

export function ec2Query(xmlNamespace: string): Protocol {
  return {
    family: 'ec2',
    route: routeByAction,
    decode: async (operation, request) => readForm(operation.input, formOf(request), { ec2: true }),
    encode: (operation, output, requestId) =>
      xml(
        200,
        requestId,
        `<${operation.name}Response xmlns="${xmlNamespace}"><requestId>${requestId}</requestId>` +
          // Operations without output answer `<return>true</return>`.
          (operation.output.isUnitSchema()
            ? '<return>true</return>'
            : innerXml(operation.output, (output ?? {}) as object)) +
          `</${operation.name}Response>`,
      ),
    encodeError: (failure, requestId) =>
      xml(
        failure.status,
        requestId,
        `<Response><Errors><Error>${errorXml(failure)}</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
      ),
  };
}

function formOf(request: WireRequest): URLSearchParams {
  return new URLSearchParams(request.method === 'GET' ? request.query : Buffer.from(request.body).toString());
}

function routeByAction(request: WireRequest): { operation: string } | undefined {
  const operation = formOf(request).get('Action');
  return operation === null ? undefined : { operation };
}

function errorXml(failure: Failure): string {
  const members = failure.schema === undefined ? '' : innerXml(failure.schema, failure.members);
  return `<Code>${escapeXml(failure.queryCode)}</Code><Message>${escapeXml(failure.message)}</Message>${members}`;
}

function xml(status: number, requestId: string, body: string): WireResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: xmlDeclaration + body,
  };
}
