/** What the assistant is doing besides writing: waiting in line, thinking, using tools, being cut off. */
import type { ActiveRun } from '@prosa/core';
import { useTexts } from './context.js';
import { TypingIndicator } from './TypingIndicator.js';
import { fill, type Texts } from './texts.js';

/** The model's thoughts, folded away above its answer. */
export function Thoughts({ run }: { readonly run: ActiveRun }) {
  const texts = useTexts();
  if (run.thinking === '') return null;
  return (
    <details className="prosa-thoughts">
      <summary>{texts.thoughts}</summary>
      <p>{run.thinking}</p>
    </details>
  );
}

/** One line under the answer while there is something to wait for. */
export function Waiting({ run }: { readonly run: ActiveRun }) {
  const texts = useTexts();
  const label = labelOf(run, texts);
  // Text that grows is its own sign of life.
  if (label === undefined && run.text !== '') return null;
  return <TypingIndicator label={label} />;
}

function labelOf(run: ActiveRun, texts: Texts): string | undefined {
  if (run.reconnecting) return texts.reconnecting;
  if (run.stopping) return texts.stopping;
  if (run.place !== null) return fill(texts.queued, { place: run.place });
  const tool = run.tools.find(call => call.status === 'running');
  if (tool) return fill(texts.using, { name: tool.name });
  return run.thinking !== '' && run.text === '' ? texts.thinking : undefined;
}
