/** Words from outside, such as a package's name, as one short printable piece of a sentence. */

/** As many characters as are of use on a phone. */
const most = 120;

export function plain(text: string): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  return printable.length <= most ? printable : `${printable.slice(0, most - 3)}...`;
}
