/** What the model thought, folded away where it stood in the answer. */
import { memo } from 'react';
import { useTexts } from './context.js';

export interface ThoughtsProps {
  readonly text: string;
  /** True while it goes on thinking. */
  readonly growing?: boolean;
}

export const Thoughts = memo(function Thoughts({ text, growing = false }: ThoughtsProps) {
  const texts = useTexts();
  return (
    <details className="prosa-thoughts">
      <summary>{growing ? texts.thinking : texts.thoughts}</summary>
      <p>{text}</p>
    </details>
  );
});
