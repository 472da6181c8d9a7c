/** What the assistant is doing besides writing: waiting in line, thinking, using tools, being cut off. */
import { type ActiveRun, type CallPart, callsOf, waitingCalls } from '@prosa/core';
import { useProsa, useTexts } from './context.js';
import { TypingIndicator } from './TypingIndicator.js';
import { fill, type Texts } from './texts.js';

/** One line under the answer while there is something to wait for. */
export function Waiting({ run }: { readonly run: ActiveRun }) {
  const texts = useTexts();
  const label = labelOf(run, texts);
  if (label === undefined && (isWriting(run) || waitingCalls(run.parts).length > 0)) return null;
  return <TypingIndicator label={label} />;
}

/** What grows is its own sign of life. */
function isWriting({ parts }: ActiveRun): boolean {
  const last = parts.at(-1);
  return last?.type === 'text' && last.text.trim() !== '';
}

function labelOf(run: ActiveRun, texts: Texts): string | undefined {
  if (run.reconnecting) return texts.reconnecting;
  if (run.stopping) return texts.stopping;
  if (run.place !== null) return fill(texts.queued, { place: run.place });
  const call = callsOf(run.parts).findLast(each => each.state === 'running');
  if (call) return fill(texts.using, { name: call.name });
  return run.parts.at(-1)?.type === 'thinking' ? texts.thinking : undefined;
}

/** Above the composer, while the run waits for somebody: for what, and how long. */
export function RunWaits({ run }: { readonly run: ActiveRun }) {
  const { texts, language } = useProsa();
  const [call] = waitingCalls(run.parts);
  const time = run.expiresAt && new Date(run.expiresAt).toLocaleTimeString(language, { timeStyle: 'short' });
  return (
    <div role="status">
      {call && (
        <p className="prosa-waits">
          {sentenceOf(call, texts)} {time && fill(texts.waitsUntil, { time })}
        </p>
      )}
    </div>
  );
}

function sentenceOf({ needs, name }: CallPart, texts: Texts): string {
  return fill(needs === 'approval' ? texts.waitsForApproval : texts.waitsForOutput, { name });
}
