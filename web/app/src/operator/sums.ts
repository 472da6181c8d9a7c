/** Sums and middles over what was told in pieces. */

export function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}

/** The median of medians, each of which counts as often as its weight says; null where nothing was measured. */
export function middle(measured: readonly { readonly value: number | null; readonly weight: number }[]) {
  const known = measured
    .flatMap(({ value, weight }) => (value === null ? [] : [{ value, weight }]))
    .sort((one, other) => one.value - other.value);
  const half = sumOf(known, ({ weight }) => weight) / 2;
  let counted = 0;
  for (const { value, weight } of known) {
    counted += weight;
    if (counted >= half) return value;
  }
  return null;
}
