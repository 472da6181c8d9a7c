/** A summary of what was said before it, folded away: it is for the model, and what was said stays to be read. */
import { memo } from 'react';
import { useTexts } from './context.js';
import { Markdown } from './Markdown.js';

export const Summary = memo(function Summary({ content }: { readonly content: string }) {
  const texts = useTexts();
  return (
    <details className="prosa-summary">
      <summary>{texts.summarised}</summary>
      <div>
        <p className="prosa-muted">{texts.summaryNote}</p>
        <Markdown content={content} />
      </div>
    </details>
  );
});
