/** A table that scrolls in itself where it is wider than the page, and can be reached by keyboard. */
import type { ReactNode } from 'react';

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
  /** Says that it holds numbers, which stand at the right. */
  readonly number?: boolean;
  /** Says that its name is for screen readers alone, and that buttons stand in it, at the end. */
  readonly bare?: boolean;
  /** Says that it is not broken into lines. */
  readonly tight?: boolean;
}

export interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** The first one names its row. */
  readonly columns: readonly Column<T>[];
  readonly empty: string;
}

export function Table<T>({ label, rows, keyOf, columns, empty }: TableProps<T>) {
  if (rows.length === 0) return <p className="operator-empty">{empty}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className="operator-scroller" aria-label={label} tabIndex={0}>
      <table className="operator-table">
        <thead>
          <tr>
            {columns.map(({ name, number, bare }) => (
              <th key={name} scope="col" data-number={number}>
                {bare ? <span className="prosa-hidden">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={keyOf(row)}>
              {columns.map(({ name, cell, number, bare, tight }, index) =>
                index === 0 ? (
                  <th key={name} scope="row" data-tight={tight}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={name} data-number={number} data-bare={bare} data-tight={tight}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
