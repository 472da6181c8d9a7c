/** Where values stand in a plot. */

export interface Box {
  readonly width: number;
  readonly height: number;
  /** How much of the width the numbers at the left take. */
  readonly left: number;
}

/** What stands around the plot itself, in pixels. */
export const MARGIN = { top: 8, right: 8, bottom: 22 } as const;

/** A digit of the labels is at most so wide. */
const DIGIT = 7;

/** How much of the width these labels take at the left. */
export function leftOf(labels: readonly string[]): number {
  return 12 + DIGIT * Math.max(0, ...labels.map(({ length }) => length));
}

/** Round numbers from 0 to at least `most`, at most five of them. */
export function ticksTo(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(each => each * power).find(each => each >= rough) ?? 10 * power;
  const count = Math.ceil(most / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

export interface Scale {
  readonly ticks: readonly number[];
  readonly y: (value: number) => number;
  /** The left edge of a bucket. */
  readonly x: (index: number) => number;
  readonly band: number;
  readonly left: number;
}

export function scaleOf(box: Box, buckets: number, most: number): Scale {
  const ticks = ticksTo(most);
  const top = ticks.at(-1) ?? 1;
  const height = box.height - MARGIN.top - MARGIN.bottom;
  const band = Math.max(0, box.width - box.left - MARGIN.right) / Math.max(1, buckets);
  return {
    ticks,
    y: value => MARGIN.top + height * (1 - value / top),
    x: index => box.left + index * band,
    left: box.left,
    band,
  };
}

/** Which buckets have their time written under them: as many as fit. */
export function labelled(buckets: number, width: number, left: number): readonly number[] {
  const fitting = Math.max(1, Math.floor((width - left) / 100));
  const every = Math.max(1, Math.ceil(buckets / fitting));
  return Array.from({ length: Math.ceil(buckets / every) }, (_, index) => index * every);
}
