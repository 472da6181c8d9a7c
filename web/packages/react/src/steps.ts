/** Where a key leads in a list: one step before the first entry is -1, and a key that leads nowhere has none. */
export function stepOf(key: string, at: number, count: number): number | undefined {
  return STEPS[key]?.(at, count);
}

const STEPS: Readonly<Record<string, (at: number, count: number) => number>> = {
  ArrowDown: at => at + 1,
  ArrowUp: at => at - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};
