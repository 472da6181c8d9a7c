/** An answer as it is being written. */
import { Markdown } from './Markdown.js';
import { TypingIndicator } from './TypingIndicator.js';

export interface StreamingMessageProps {
  readonly content: string;
  readonly isComplete?: boolean;
}

export function StreamingMessage({ content, isComplete = false }: StreamingMessageProps) {
  if (content === '' && !isComplete) return <TypingIndicator />;
  return (
    <div className="prosa-streaming" data-complete={isComplete} aria-busy={!isComplete}>
      <Markdown content={content} growing={!isComplete} />
    </div>
  );
}
