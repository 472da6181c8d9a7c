/** A plot over time: columns that stand on one another, or lines; and the same as a table for whoever can't see it. */
import { useId } from 'react';
import { labelled, leftOf, MARGIN, type Scale, scaleOf, ticksTo } from './scale.js';
import { useWidth } from './useWidth.js';

export interface Series {
  readonly name: string;
  /** Which of the palette's colours it has. */
  readonly tone: string;
  /** One for each bucket; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  readonly title: string;
  readonly kind: 'columns' | 'lines';
  /** The buckets' times, as they are written. */
  readonly times: readonly string[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly texts: { readonly asTable: string; readonly time: string; readonly empty: string };
}

const HEIGHT = 190;

export function Plot(props: PlotProps) {
  const { title, kind, times, series, format, texts } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const id = useId();
  const most = mostOf(kind, series);
  const left = leftOf(ticksTo(most).map(format));
  const scale = scaleOf({ width, height: HEIGHT, left }, times.length, most);
  const isEmpty = series.every(({ values }) => values.every(value => !value));
  return (
    <figure className="operator-plot" aria-labelledby={id}>
      <figcaption id={id}>{title}</figcaption>
      <ul className="operator-legend">
        {series.map(({ name, tone }) => (
          <li key={name} data-tone={tone}>
            {name}
          </li>
        ))}
      </ul>
      <div ref={box} className="operator-drawing">
        {width > 0 && (
          <svg width={width} height={HEIGHT} aria-hidden="true" focusable="false">
            <Grid scale={scale} width={width} format={format} />
            {kind === 'columns' ? (
              <Columns scale={scale} series={series} />
            ) : (
              <Lines scale={scale} series={series} />
            )}
            <Times scale={scale} times={times} width={width} />
            <Hints scale={scale} {...props} />
          </svg>
        )}
        {isEmpty && <p className="operator-nothing">{texts.empty}</p>}
      </div>
      <Table {...props} />
    </figure>
  );
}

function mostOf(kind: PlotProps['kind'], series: readonly Series[]): number {
  const length = Math.max(0, ...series.map(({ values }) => values.length));
  const tops = Array.from({ length }, (_, index) => {
    const values = series.map(({ values: each }) => each[index] ?? 0);
    return kind === 'columns' ? values.reduce((sum, value) => sum + value, 0) : Math.max(0, ...values);
  });
  return Math.max(0, ...tops);
}

interface GridProps {
  readonly scale: Scale;
  readonly width: number;
  readonly format: (value: number) => string;
}

function Grid({ scale, width, format }: GridProps) {
  return scale.ticks.map(tick => (
    <g key={tick} className="operator-grid">
      <line x1={scale.left} x2={width - MARGIN.right} y1={scale.y(tick)} y2={scale.y(tick)} />
      <text x={scale.left - 8} y={scale.y(tick)} textAnchor="end" dominantBaseline="middle">
        {format(tick)}
      </text>
    </g>
  ));
}

interface TimesProps {
  readonly scale: Scale;
  readonly times: readonly string[];
  readonly width: number;
}

function Times({ scale, times, width }: TimesProps) {
  return labelled(times.length, width, scale.left).map(index => (
    <text
      key={index}
      className="operator-tick"
      x={scale.x(index)}
      y={HEIGHT - 6}
      textAnchor={index === 0 ? 'start' : 'middle'}
    >
      {times[index]}
    </text>
  ));
}

interface DrawnProps {
  readonly scale: Scale;
  readonly series: readonly Series[];
}

function Columns({ scale, series }: DrawnProps) {
  const below: number[] = [];
  return series.map(({ name, tone, values }) => (
    <path key={name} data-tone={tone} d={columnsOf(scale, values, below)} />
  ));
}

/** One path for all columns of a series; each stands on what is `below`, and is there for the next series. */
function columnsOf(scale: Scale, values: Series['values'], below: number[]): string {
  const gap = Math.min(2, scale.band * 0.2);
  const width = Math.max(1, scale.band - gap);
  return values
    .map((value, index) => {
      if (!value) return '';
      const base = below[index] ?? 0;
      below[index] = base + value;
      const top = scale.y(base + value);
      const height = Math.max(0.5, scale.y(base) - top);
      return `M${scale.x(index) + gap / 2} ${top}h${width}v${height}h${-width}z`;
    })
    .join('');
}

function Lines({ scale, series }: DrawnProps) {
  return series.map(({ name, tone, values }) => (
    <g key={name} data-tone={tone} className="operator-line">
      {pieces(values).map(piece => (
        <polyline
          key={piece[0]?.index}
          points={piece
            .map(({ index, value }) => `${scale.x(index) + scale.band / 2},${scale.y(value)}`)
            .join(' ')}
        />
      ))}
      {pieces(values)
        .filter(piece => piece.length === 1)
        .flat()
        .map(({ index, value }) => (
          <circle key={index} cx={scale.x(index) + scale.band / 2} cy={scale.y(value)} r="2.5" />
        ))}
    </g>
  ));
}

interface Point {
  readonly index: number;
  readonly value: number;
}

/** A line is broken where nothing was measured. */
function pieces(values: readonly (number | null)[]): readonly (readonly Point[])[] {
  const found: Point[][] = [];
  let current: Point[] | null = null;
  values.forEach((value, index) => {
    if (value === null) {
      current = null;
      return;
    }
    if (current === null) {
      current = [];
      found.push(current);
    }
    current.push({ index, value });
  });
  return found;
}

/** What stands at a time is told where the pointer is. */
function Hints({ scale, times, series, format }: PlotProps & { readonly scale: Scale }) {
  return times.map((time, index) => (
    <rect
      // The buckets are told apart by nothing but their place.
      // biome-ignore lint/suspicious/noArrayIndexKey: see above
      key={index}
      className="operator-hint"
      x={scale.x(index)}
      width={scale.band}
      y={MARGIN.top}
      height={HEIGHT - MARGIN.top - MARGIN.bottom}
    >
      <title>
        {[
          time,
          ...series.map(({ name, values }) => {
            const value = values[index] ?? null;
            return `${name}: ${value === null ? '–' : format(value)}`;
          }),
        ].join('\n')}
      </title>
    </rect>
  ));
}

function Table({ times, series, format, texts }: PlotProps) {
  const told = times
    .map((time, index) => ({ time, values: series.map(({ values }) => values[index] ?? null), index }))
    .filter(({ values }) => values.some(value => value));
  return (
    <details className="operator-table-behind">
      <summary>{texts.asTable}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className="operator-scroller" aria-label={texts.asTable} tabIndex={0}>
        <table className="operator-table">
          <thead>
            <tr>
              <th scope="col">{texts.time}</th>
              {series.map(({ name }) => (
                <th key={name} scope="col" data-number={true}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {told.map(({ time, values, index }) => (
              <tr key={index}>
                <th scope="row">{time}</th>
                {values.map((value, column) => (
                  <td key={series[column]?.name} data-number={true}>
                    {value === null ? '–' : format(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
