/** Sums and middles over what was told in pieces. */

export function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

/** The median of what was measured; null where nothing was. */
export function middle<T>(items: readonly T[], of: (item: T) => number | null): number | null {
  const known = items.map(of).filter(value => value !== null);
  known.sort((one, other) => one - other);
  return known[Math.floor(known.length / 2)] ?? null;
}
