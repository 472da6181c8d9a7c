/** Chooses the stretch of time that is looked at. */
import { useId } from 'react';
import { SPANS, type Span } from './span.js';
import type { OperatorTexts } from './texts.js';

export interface SpanPickerProps {
  readonly texts: OperatorTexts;
  readonly span: Span;
  readonly onChange: (span: Span) => void;
}

export function SpanPicker({ texts, span, onChange }: SpanPickerProps) {
  const id = useId();
  return (
    <>
      <label className="prosa-hidden" htmlFor={id}>
        {texts.span}
      </label>
      <select
        id={id}
        className="app-field"
        value={span}
        onChange={event => onChange(event.target.value as Span)}
      >
        {SPANS.map(each => (
          <option key={each} value={each}>
            {texts.spans[each]}
          </option>
        ))}
      </select>
    </>
  );
}
