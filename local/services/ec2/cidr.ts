/** IPv4 blocks: numbers for dotted quads, and the blocks that Fn::Cidr cuts from one. */

export interface Block {
  readonly first: number;
  readonly size: number;
}

/** `10.0.0.0/16`. `undefined` when it is no block or has bits set behind the mask. */
export function parseBlock(cidr: string): Block | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) return undefined;
  const [one, two, three, four, prefix] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (Math.max(one, two, three, four) > 255 || prefix > 32) return undefined;
  const first = ((one * 256 + two) * 256 + three) * 256 + four;
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, size } : undefined;
}

export function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

export function overlap(one: Block, other: Block): boolean {
  return one.first < other.first + other.size && other.first < one.first + one.size;
}

export function within(inner: Block, outer: Block): boolean {
  return inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size;
}

/** `count` blocks of 2^`bits` addresses each, from the start of `cidr`. */
export function cidrBlocks(cidr: string, count: number, bits: number): string[] {
  const block = parseBlock(cidr);
  if (block === undefined || count * 2 ** bits > block.size) {
    throw new RangeError(`Fn::Cidr cannot cut ${count} blocks of ${2 ** bits} addresses from ${cidr}`);
  }
  return Array.from(
    { length: count },
    (_, index) => `${dotted(block.first + index * 2 ** bits)}/${32 - bits}`,
  );
}
