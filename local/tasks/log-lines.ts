/** A process's output as log lines. */
import { StringDecoder } from 'node:string_decoder';

/** Docker's logging drivers split longer lines at 16 KiB, and ECS's awslogs is one of them. */
const maxLineLength = 16 * 1024;

/** Calls `onLine` for each line of `stream` as it comes, and for an unfinished last one when the stream ends. */
export function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) emit(line.endsWith('\r') ? line.slice(0, -1) : line, onLine);
    while (rest.length > maxLineLength) {
      onLine(rest.slice(0, maxLineLength));
      rest = rest.slice(maxLineLength);
    }
  });
  stream.on('end', () => {
    rest += decoder.end();
    if (rest !== '') emit(rest, onLine);
    rest = '';
  });
}

function emit(line: string, onLine: (line: string) => void): void {
  for (let at = 0; at === 0 || at < line.length; at += maxLineLength) {
    onLine(line.slice(at, at + maxLineLength));
  }
}
