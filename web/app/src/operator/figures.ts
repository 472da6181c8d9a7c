/** Numbers, money and times as they are read at a glance. */

export function number(value: number, language: string): string {
  const options: Intl.NumberFormatOptions =
    value >= 100_000 ? { notation: 'compact', maximumFractionDigits: 1 } : { maximumFractionDigits: 1 };
  return new Intl.NumberFormat(language, options).format(value);
}

/** A number of which each digit counts. */
export function exactly(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}

/** `dollars` is a decimal string; below a dollar what counts are the first digits that are not zero. */
export function money(dollars: string | null, language: string): string {
  if (dollars === null) return '–';
  const value = Number(dollars);
  const zeros = value !== 0 && Math.abs(value) < 1 ? -Math.floor(Math.log10(Math.abs(value))) : 0;
  return new Intl.NumberFormat(language, {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: Math.min(2 + zeros, 20),
  }).format(value);
}

export function milliseconds(value: number | null, language: string): string {
  if (value === null) return '–';
  const [amount, unit] = value < 1000 ? [Math.round(value), 'millisecond'] : [value / 1000, 'second'];
  const options = { style: 'unit', unit, maximumFractionDigits: amount < 10 ? 2 : 1 } as const;
  return new Intl.NumberFormat(language, options).format(amount);
}

export function percent(part: number, whole: number, language: string): string {
  if (whole === 0) return '–';
  const options = { style: 'percent', maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language, options).format(part / whole);
}

export function moment(at: string | null, language: string): string {
  if (at === null) return '–';
  return new Date(at).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium' });
}
